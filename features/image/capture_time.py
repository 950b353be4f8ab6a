"""Was the photo taken when the story says, after the order and the delivery and before the claim?

Idea: EXIF carries the camera's local time, newer phones its offset to UTC, some the satellite's own time. Without an offset the true moment may lie
14 hours to either side, and only what is certain in spite of that counts.
Known false alarms: a camera whose clock was never set or stands in another year; a buyer who shows how the article looked before.
Quality gate: a capture time that a set clock could show, and at least one moment of the order to compare it with.
"""

from datetime import UTC, datetime, timedelta

from data_contracts.signal import ImageFinding, SignalResult
from features.image import examples
from features.image.exif import Exif
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice

NAME = "capture_time"
VERSION = 1
CODES: tuple[str, ...] = ("IMAGE_TIME_MISMATCH",)
VOICE = Voice(NAME, VERSION)

_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
_DRIFT = timedelta(minutes=10)
_FIRST_YEAR = 2005
"""Phones that take evidence photos are younger; older years are clocks that were never set."""
_SURE = timedelta(days=1)


def taken_between(exif: Exif) -> tuple[datetime, datetime] | None:
    """The earliest and latest moment (UTC) at which the photo can have been taken by its own words; null where it says nothing usable."""
    satellite = _satellite(exif)
    if satellite is not None:
        return satellite - _DRIFT, satellite + _DRIFT
    for name in ("DateTimeOriginal", "DateTimeDigitized"):
        local = _moment(exif.text(name))
        if local is None:
            continue
        offset = _offset(exif.text("OffsetTimeOriginal") or exif.text("OffsetTime"))
        if offset is not None:
            return local - offset - _DRIFT, local - offset + _DRIFT
        return local - _EAST, local + _WEST
    return None


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.strptime((text or "").replace("-", ":")[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    unset = found.year < _FIRST_YEAR or (found.month, found.day, found.hour) == (1, 1, 0)
    return None if unset else found


def _offset(text: str | None) -> timedelta | None:
    """+08:00 as a time difference; null where it is none."""
    sign, hours, colon, minutes = (text or "")[:1], (text or "")[1:3], (text or "")[3:4], (text or "")[4:6]
    if sign not in {"+", "-"} or colon != ":" or not (hours.isdecimal() and minutes.isdecimal()):
        return None
    found = timedelta(hours=int(hours), minutes=int(minutes))
    return None if found > _EAST else found if sign == "+" else -found


def _satellite(exif: Exif) -> datetime | None:
    clock, day = exif.tags.get("GPSTimeStamp"), exif.text("GPSDateStamp")
    if not isinstance(clock, tuple) or len(clock) != 3 or not all(0 <= part < 61 for part in clock):  # noqa: PLR2004  # hours, minutes, seconds
        return None
    hours, minutes, seconds = (int(part) for part in clock)
    return _moment(f"{(day or '').strip()} {hours:02d}:{minutes:02d}:{min(seconds, 59):02d}")


def measure(picture: Picture, context: Context) -> SignalResult:
    """0 where the time fits, 0.3 to 0.6 where it cannot; null without a usable capture time or without a moment to compare."""
    if not (context.ordered_at or context.delivered_at or context.claimed_at):
        return VOICE.silent("no_order")
    between = taken_between(picture.metadata.exif)
    if between is None:
        return VOICE.silent("no_capture_time")
    findings = _findings(*between, context)
    return VOICE.says(max((item.strength for item in findings), default=0.0), findings)


def _findings(earliest: datetime, latest: datetime, context: Context) -> list[ImageFinding]:
    found = []
    if context.ordered_at is not None and latest < context.ordered_at:
        gap = context.ordered_at - latest
        found.append(VOICE.finding("IMAGE_TIME_MISMATCH", 0.6 if gap > _SURE else 0.4, f"taken {_words(gap)} before the order"))
    elif context.delivered_at is not None and latest < context.delivered_at:
        gap = context.delivered_at - latest
        found.append(VOICE.finding("IMAGE_TIME_MISMATCH", 0.5 if gap > _SURE else 0.3, f"taken {_words(gap)} before the delivery"))
    if context.claimed_at is not None and earliest > context.claimed_at:
        found.append(
            VOICE.finding(
                "IMAGE_TIME_MISMATCH", 0.3, f"taken {_words(earliest - context.claimed_at)} after the claim: its clock or its tags are wrong"
            )
        )
    return found


def _words(gap: timedelta) -> str:
    return f"at least {gap.days} days" if gap.days else f"at least {int(gap.total_seconds() // 3600)} hours"


def _day(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


EXAMPLES: tuple[Example, ...] = (
    Example("no order to compare with", examples.camera_jpeg, unavailable="no_order"),
    Example("no capture time", examples.jpeg, unavailable="no_capture_time", context=Context(ordered_at=_day(1))),
    Example("taken nine days before the order", examples.camera_jpeg, 0.6, 0.6, context=Context(ordered_at=_day(10))),
    Example("taken on the day of the order, zone unknown", examples.camera_jpeg, 0.0, 0.0, context=Context(ordered_at=_day(1))),
)
