"""Was the photo taken far from where the goods were delivered?

Idea: EXIF may carry coordinates. Only a coarse band of the distance leaves this module, never the place itself: where somebody lives is no evidence.
Known false alarms: gifts, parcels taken along on a journey, phones that keep an old fix. Quality gate: both places are known, and the photo's is
not the zero point of the map.
"""

import math

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.exif import Exif, Value
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice

NAME = "capture_place"
VERSION = 1
CODES: tuple[str, ...] = ("IMAGE_PLACE_MISMATCH",)
VOICE = Voice(NAME, VERSION)

_EARTH_KM = 6371.0
_BANDS = ((1000.0, 0.4), (100.0, 0.3), (30.0, 0.1))
"""More than so many kilometres, and how far that counts; below the last one the place fits."""
_ZERO = 0.01


def place_of(exif: Exif) -> tuple[float, float] | None:
    """Latitude and longitude in degrees; null where there are none, or only the zeros of a phone without a fix."""
    latitude = _degrees(exif.tags.get("GPSLatitude"), exif.text("GPSLatitudeRef"), "S", 90.0)
    longitude = _degrees(exif.tags.get("GPSLongitude"), exif.text("GPSLongitudeRef"), "W", 180.0)
    if latitude is None or longitude is None or (abs(latitude) < _ZERO and abs(longitude) < _ZERO):
        return None
    return latitude, longitude


def _degrees(value: Value | None, reference: str | None, negative: str, limit: float) -> float | None:
    if not isinstance(value, tuple) or not value or not all(map(math.isfinite, value)):
        return None
    found = sum((part / 60.0**place for place, part in enumerate(value[:3])), 0.0)
    if found > limit:
        return None
    return -found if (reference or "").upper() == negative else found


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance between two places in degrees."""
    a, b = math.radians(one[0]), math.radians(other[0])
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def measure(picture: Picture, context: Context) -> SignalResult:
    """0 within 30 km, up to 0.4 beyond 1,000 km; null where one of the places is not known."""
    if context.place is None:
        return VOICE.silent("no_order")
    place = place_of(picture.metadata.exif)
    if place is None:
        return VOICE.silent("no_place")
    distance = distance_km(place, context.place)
    for beyond, strength in _BANDS:
        if distance > beyond:
            return VOICE.says(strength, [VOICE.finding("IMAGE_PLACE_MISMATCH", strength, f"taken more than {beyond:.0f} km from the delivery")])
    return VOICE.says(0.0)


def _there() -> bytes:
    gps = {1: "N", 2: (31.0, 12.0, 0.0), 3: "E", 4: (121.0, 30.0, 0.0)}
    return examples.jpeg(exif=examples.exif({0x010F: "Apple"}, gps=gps))


EXAMPLES: tuple[Example, ...] = (
    Example("no order to compare with", _there, unavailable="no_order"),
    Example("no coordinates", examples.camera_jpeg, unavailable="no_place", context=Context(place=(31.2, 121.5))),
    Example("taken in the same town", _there, 0.0, 0.0, context=Context(place=(31.2, 121.5))),
    Example("taken in another country", _there, 0.4, 0.4, context=Context(place=(48.1, 11.6))),
)
