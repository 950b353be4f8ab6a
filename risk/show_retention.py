"""How purges, holds and reads look to a person."""

from rich.console import RenderableType
from rich.text import Text

from risk.show import plain, table


def purged(result: object) -> RenderableType:
    """What a purge deleted, or would delete."""
    found = plain(result)
    would = "would be deleted" if found["dry_run"] else "deleted"
    held = f"; {found['held_files']:,} files are held" if found["held_files"] else ""
    again = f"; {found['finished']:,} that an earlier purge had begun are finished" if found["finished"] and not found["dry_run"] else ""
    words = f"{found['files']:,} files ({found['bytes']:,} bytes) and {found['texts']:,} texts from before {found['before']:%Y-%m-%d} {would}"
    halves = f"; {found['halves']:,} uploads that were broken off are removed" if found["halves"] else ""
    return Text(f"{words}{held}{again}{halves}")


def holds(result: object) -> RenderableType:
    """Legal holds."""
    found = plain(result)
    shown = table(f"holds of {found['home']}", "no", "on", "id", "by", "why", "made", "until", "released")
    for row in found["holds"]:
        until = "" if row["until"] is None else f"{row['until']:%Y-%m-%d}"
        released = "" if row["released"] is None else f"{row['released']:%Y-%m-%d} by {row['released_by']}: {row['released_why']}"
        shown.add_row(str(row["hold_no"]), row["subject"], row["subject_id"], row["held_by"], row["why"], f"{row['made']:%Y-%m-%d}", until, released)
    return shown


def reads(result: object) -> RenderableType:
    """Who was given a file."""
    found = plain(result)
    shown = table(f"{found['sha256']}: given {len(found['reads'])} times", "when", "who", "what", "why")
    for row in found["reads"]:
        shown.add_row(f"{row['at']:%Y-%m-%d %H:%M:%S}", row["reader"], row["what"], row["why"] or "")
    return shown
