"""How the command line shows results to a person; with --json it prints them as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

WIDE = 150
"""Columns for a file or a pipe: nothing there needs to fit a window."""

ACTION_STYLE = {"approve": "green", "review": "yellow", "block": "bold red"}
Row = Mapping[str, Any]


def table(title: str, *columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table in the style of the house."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, header_style="dim", min_width=min(len(title), 100))
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def plain(result: object) -> Row:
    """The result as a mapping."""
    found: Row = asdict(result) if is_dataclass(result) and not isinstance(result, type) else result  # type: ignore[assignment]  # results are dataclasses or mappings
    return found


def imported(result: object) -> RenderableType:
    """What came of an import."""
    found = plain(result)
    shown = table(f"{found['accepted']:,} rows accepted, {found['rejected']:,} rejected", "table", "rows", right=("rows",))
    for name, rows in found["tables"].items():
        shown.add_row(name, f"{rows:,}")
    notes = [
        f"identifiers are hashed with {found['key']}",
        *([f"rejected rows, each with its reason: {found['rejects']}"] if found["rejects"] else []),
        *(f"{name}: {', '.join(f'{number:,} {outcome}' for outcome, number in said.items())}" for name, said in found["identifiers"].items()),
    ]
    return Group(shown, *map(Text, notes))


def validated(result: object) -> RenderableType:
    """What a validation found, by table."""
    found = plain(result)
    verdict = "every table keeps its contract" if found["ok"] else "some tables break their contract"
    shown = table(verdict, "table", "rows", "rejected", "failed expectations", right=("rows", "rejected"))
    for name, part in found["tables"].items():
        failed = ", ".join(map(str, part["failed_expectations"])) or "none"
        shown.add_row(name, f"{part['rows']:,}", f"{part['rejected']:,}", failed)
    return shown


def simulated(result: object) -> RenderableType:
    """How large the simulated market is."""
    found = plain(result)
    shown = table(f"simulated in {found['seconds']:.1f} s", "table", "rows", right=("rows",))
    for name, rows in found["tables"].items():
        shown.add_row(name, f"{rows:,}")
    return shown


def catalogue(result: object) -> RenderableType:
    """Every feature by family: what it says, and what it means when there is none."""
    rows = plain(result)["features"]
    parts: list[RenderableType] = [Text(f"{len(rows)} features\n", style="bold")]
    for family in dict.fromkeys(row["family"] for row in rows):
        mine = [row for row in rows if row["family"] == family]
        shown = table(f"{family}, {len(mine)}", "feature", "unit", "meaning", "null when")
        shown.columns[0].no_wrap = True
        for row in mine:
            shown.add_row(row["name"], row["unit"], row["meaning"], row["missing"])
        parts.append(shown)
    return Group(*parts)


def features_written(result: object) -> RenderableType:
    """Where the feature rows are."""
    found = plain(result)
    return Text(f"{found['rows']:,} requests x {found['features']} features in {found['seconds']:.1f} s: {found['file']}")


def leaf(value: object, *, percent: bool = False) -> str:
    """One figure with its interval."""
    if not isinstance(value, Mapping):
        return "not measured" if value is None else str(value)
    point, interval = value.get("value"), value.get("ci")
    if point is None:
        return "not measured"
    style = ".1%" if percent else ".3f"
    if not interval or interval[0] is None:
        return format(point, style)
    return f"{point:{style}}  [dim]{interval[0]:{style}} to {interval[1]:{style}}[/]"


def quality(result: object) -> RenderableType:
    """Ranking, calibration, what happens to honest buyers, and money; beside the plain rules where they were judged too."""
    found = plain(result)
    data = found.get("data") or {}
    about = f" on {data['requests']:,} later requests, {data['abuse']:,} of them abuse ({data['outcomes']})" if data else ""
    rules = found.get("rules") or {}
    shown = table(f"quality{about}", "figure", "model", *(["plain rules"] if rules else []), right=())
    for name, label, percent in _FIGURES:
        cells = [leaf(_deep(found, name), percent=percent)]
        if rules:
            cells.append(leaf(_deep(rules, name), percent=percent) if _deep(rules, name) is not None else "")
        shown.add_row(label, *cells)
    parts: list[RenderableType] = [shown]
    if found.get("money"):
        parts.append(money(found))
    if found.get("policy_change"):
        parts.append(policy_change(found["policy_change"]))
    parts.extend(Text(f"{label}: {found[name]}") for name, label in (("model", "model"), ("report", "report")) if found.get(name))
    return Group(*parts)


_FIGURES = (
    ("auc", "ROC AUC", False),
    ("ap", "average precision", False),
    ("recall_at.0.01", "abuse found in the top 1%", True),
    ("recall_at.0.05", "abuse found in the top 5%", True),
    ("recall_at.0.10", "abuse found in the top 10%", True),
    ("ece", "calibration error (ECE)", False),
    ("honest_blocked", "honest buyers blocked", True),
    ("honest_approved", "honest buyers approved at once", True),
    ("review_share", "requests sent to review", True),
)


def _deep(found: Row, name: str) -> Any:  # noqa: ANN401  # a leaf of parsed JSON
    head, _, last = name.partition(".")
    inner = found.get(head)
    return inner.get(last) if last and isinstance(inner, Mapping) else inner


def money(found: Row) -> RenderableType:
    """What the decisions save, against what, with intervals."""
    currency = found["money"].get("currency") or ""
    shown = table(f"money saved, {currency}", "against", "saved", "average precision lost without it")
    saved = found["money"]
    shown.add_row("approving everything", _amount(saved.get("saved_against_approve_all")), "")
    shown.add_row("the plain rules", _amount(saved.get("saved_against_rules")), "")
    for family, part in (found.get("ablation") or {}).items():
        shown.add_row(f"the same model without {family}", _amount(part["saved"]), leaf(part["ap_lost"]))
    return shown


def _amount(value: Row | None) -> str:
    if not value or value.get("value") is None:
        return "not measured"
    low, high = value["ci"]
    interval = "" if low is None else f"  [dim]{low / 100:,.0f} to {high / 100:,.0f}[/]"
    return f"{value['value'] / 100:,.0f}{interval}"


def policy_change(change: Row) -> RenderableType:
    """What another policy would do with the same requests."""
    shown = table(
        f"the other policy changes {change['changed']:,} decisions", "today", "approve", "review", "block", right=("approve", "review", "block")
    )
    for before, after in change["moved"].items():
        shown.add_row(before, *(f"{after[action]:,}" for action in ("approve", "review", "block")))
    saved = Text.from_markup(f"saved by the change: {_amount(change['saved'])}")
    return Group(shown, saved)


def scored(result: object) -> RenderableType:
    """How a batch was decided."""
    found = plain(result)
    parts = ", ".join(f"[{ACTION_STYLE[action]}]{action}[/] {count:,}" for action, count in found["by_action"].items())
    return Text.from_markup(f"{found['requests']:,} requests: {parts}\n{found.get('file', '')}")


def loaded(result: object) -> RenderableType:
    """What the service now knows."""
    found = plain(result)
    return Text(", ".join(f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in found.items()))


def replayed(result: object) -> RenderableType:
    """Whether the ledger still gives the same decisions."""
    found = plain(result)
    different = ", ".join(found["different"]) or "none"
    return Text(f"{found['checked']:,} decisions made again, {found['skipped']:,} skipped (their model is not at hand); different: {different}")


def ledger(result: object) -> RenderableType:
    """Whether the chain of the ledger holds, and where it does not."""
    found = plain(result)
    lost = found["head_found"] is False
    verdict = "the chain holds" if found["ok"] else "the noted head is not in the chain" if lost and not found["broken"] else "the chain is broken"
    lines = [Text(f"{found['checked']:,} decisions checked: {verdict}", style="bold green" if found["ok"] else "bold red")]
    lines += [Text(f"{each['decision_id']}: {each['what'].replace('_', ' ')}, after {each['after'] or 'the beginning'}") for each in found["breaks"]]
    return Group(*lines, Text(f"head {found['head']}; note it elsewhere, `ledger verify --head` then finds a rewritten or shortened ledger"))


def serving(result: object) -> RenderableType:
    """Where the service listens, and its first key, which is shown only once."""
    found = plain(result)
    shown = table("refund-risk is listening", "what", "value")
    for name, value in found.items():
        shown.add_row(name, "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    return shown


def rings(result: object) -> RenderableType:
    """The listed rings, best first."""
    found = plain(result)
    shown = table(
        f"{found['listed']} rings of {found['members']} accounts, {found['early']} of them early warnings, as of {found['as_of']:%Y-%m-%d %H:%M} UTC",
        "ring",
        "score",
        "what is known",
        right=("score",),
    )
    for row in found["rings"]:
        shown.add_row(row["ring_id"], f"{row['score']:.2f}", ("early: " if row["early"] else "") + row["sentences"][0])
    return shown


def ring(result: object) -> RenderableType:
    """One ring in full."""
    found = plain(result)
    ties = table("what ties them", "entity", "id", "members", "users", "weight", right=("members", "users", "weight"))
    for row in found["entities"]:
        ties.add_row(row["entity_type"], row["entity_id"], str(row["members"]), str(row["users"]), f"{row['weight']:.2f}")
    members = table(f"{len(found['members'])} members", "account")
    for account in found["members"]:
        members.add_row(account)
    head = Text(f"{found['ring_id']}  ", style="bold") + Text(" ".join(found["sentences"]), style="not bold")
    return Group(head, Text(), members, ties)


def judged(result: object) -> RenderableType:
    """What was said of a ring and what followed from it."""
    found = plain(result)
    said = found["judgement"]
    end = "until another judgement" if said["until"] is None else f"until {said['until']:%Y-%m-%d %H:%M} UTC"
    return Text(f"{said['ring_id']} {said['verdict'].value} by {said['by']}, {end}; {found['labels']} requests labelled; the next build honours it")


def keys(result: object) -> RenderableType:
    """API keys; a secret is shown only when it was just made."""
    found = plain(result)
    shown = table(f"API keys of {found['home']}", "id", "name", "scopes", "state", "made", "ends")
    for key in found["keys"]:
        ends = key["revoked_at"] or key["expires_at"]
        made = f"{key['made_at']:%Y-%m-%d %H:%M}"
        shown.add_row(key["key_id"], key["name"], " ".join(key["scopes"]), key["state"], made, "" if ends is None else f"{ends:%Y-%m-%d %H:%M}")
    secrets = [Text(f"{key['api_key']}\nKeep it now: only its hash is stored.") for key in found["keys"] if key["api_key"]]
    return Group(shown, *secrets)


def models(result: object) -> RenderableType:
    """Registered models, which one is served, and the promotions."""
    found = plain(result)
    shown = table(f"models of {found['home']}", "no", "version", "figures", "alias", "served", right=("no",))
    for each in found["models"]:
        figures = ", ".join(f"{name} {value}" for name, value in each["figures"].items())
        shown.add_row(str(each["number"]), each["version"], figures, each["alias"] or "", "yes" if each["version"] == found["serves"] else "")
    steps = table("promotions", "when", "version", "by", "why")
    for each in found["promotions"]:
        steps.add_row(f"{each['at']:%Y-%m-%d %H:%M}", each["version"] + (" again" if each["back"] else ""), each["by"], each["why"])
    note = f"a service that starts now serves {found['serves'] or 'none: every decision is a review'}; one that runs keeps its model until then"
    return Group(shown, *([steps] if found["promotions"] else []), Text(note))


def shadow(result: object) -> RenderableType:
    """What another model would have decided."""
    found = plain(result)
    apart = "" if found["score_shift"] is None else f", scores lie {found['score_shift']:.3f} apart"
    title = f"{found['model']}: {found['compared']:,} decisions compared, {found['skipped']:,} skipped{apart}"
    shown = table(title, "was", "would be", "requests", "known abuse", "known honest", right=("requests", "known abuse", "known honest"))
    for move in found["moves"]:
        shown.add_row(move["was"], move["would"], *(f"{move[name]:,}" for name in ("requests", "abuse", "honest")))
    return Group(shown, Text(f"for instance {', '.join(found['changed'][:3])}" if found["changed"] else "it would have decided alike"))


def webhooks(result: object) -> RenderableType:
    """Endpoints; a secret is shown when one was just added."""
    found = plain(result)
    shown = table(f"webhooks of {found['home']}", "id", "url", "told of", "added")
    for each in found["endpoints"]:
        shown.add_row(each["endpoint_id"], each["url"], " ".join(each["kinds"]), f"{each['made_at']:%Y-%m-%d %H:%M}")
    secrets = [Text(f"{each['secret']}\nGive it to the receiver: it proves that a message is ours.") for each in found["endpoints"] if each["secret"]]
    return Group(shown, *secrets)


def dead_messages(result: object) -> RenderableType:
    """Messages that were given up, or how many are sent again."""
    found = plain(result)
    shown = table(f"messages that were given up, {found['again']} sent again", "id", "endpoint", "what", "since", "tries", "failure")
    for each in found["messages"]:
        since = f"{each['dead_at']:%Y-%m-%d %H:%M}"
        shown.add_row(each["message_id"], each["endpoint_id"], each["kind"], since, str(each["attempts"]), each["failure"])
    return shown


def accounts_trained(result: object) -> RenderableType:
    """What a model of accounts learnt from and what its neighbours are worth."""
    found = plain(result)
    held = found["held_out"]
    shown = table(
        f"model {found['version']}: {found['judged']:,} judged accounts, {found['abuse']:,} abuse", "held out", "AUC", "AP", right=("AUC", "AP")
    )
    rows = (("with neighbours", "with_neighbours"), ("the same without", "without_neighbours"), ("gain", "gain"))
    for said, name in rows:
        shown.add_row(said, leaf(found[name]["auc"]), leaf(found[name]["ap"]))
    note = f"held out: {held['judged']:,} judged accounts in {held['components']:,} components of which nothing was seen, {held['abuse']:,} abuse"
    return Group(shown, Text(note), Text(f"{found['features']} features; saved in {found['model']}"))


def accounts_scored(result: object) -> RenderableType:
    """Where the scores of accounts lie."""
    found = plain(result)
    return Text(f"{found['accounts']:,} accounts scored by {found['model']}: {found['file']}")


def store(result: object) -> RenderableType:
    """Where a store stands."""
    found = plain(result)
    ran = f"; ran {', '.join(found['applied'])}" if found["applied"] else ""
    return Text(f"the store of {found['home']} is {found['state']}: revision {found['revision'] or 'none'}, newest {found['newest']}{ran}")


def settings(result: object) -> RenderableType:
    """What can be set, and who says it."""
    shown = table("Settings", "name", "default", "unit", "said by", "what, and why this default")
    for each in plain(result)["settings"]:
        shown.add_row(each["name"], str(each["default"] or ""), each["unit"] or "", each["said_by"], each["reason"])
    return shown
