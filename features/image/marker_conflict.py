"""Do the file's own markers contradict one another, or stand where no honest programme writes them?

Idea: a forger glues an AI label on an honest photo, or camera tags on an AI picture. Then makers disagree, a camera's exposure stands beside a
generator's settings, a broken or unsigned mark claims what a signed one denies, or a mark stands behind the end of the file. A contradiction says
that somebody tampered, not which side is true.
Known false alarms: Galaxy phones keep the camera's tags beside their own AI mark, and platforms add their label to a picture of another maker: both
are excused here. Quality gate: at least one marker.
"""

from collections.abc import Sequence

from data_contracts.signal import SignalResult
from features.image import aigc_label, c2pa_manifest, editor_markers, examples, generator_markers, iptc_source
from features.image.container.parts import PartKind
from features.image.metadata import Metadata
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice
from features.image.statements import AI, Says, Statement

NAME = "marker_conflict"
VERSION = 1
CODES: tuple[str, ...] = ("IMAGE_MARKS_CONFLICT", "IMAGE_MARK_APPENDED")
VOICE = Voice(NAME, VERSION)

_FAMILIES = (
    {"bytedance", "doubao", "jimeng", "volcengine"},
    {"openai", "microsoft"},
    {"comfyui", "stable diffusion webui", "swarmui", "stability ai", "black forest labs", "fooocus", "invokeai", "easy diffusion", "fal-ai"},
    {"google", "gemini"},
)
_CONFLICT, _APPENDED = 0.6, 0.6
_EXPOSURE = ("ExposureTime", "FNumber", "ISO")


def all_statements(picture: Picture, context: Context) -> list[Statement]:
    """Every statement of every reader."""
    manifest = c2pa_manifest.read_manifest(picture, context)
    signed = list(manifest.statements) if isinstance(manifest, c2pa_manifest.Manifest) else []
    data = picture.metadata
    unsigned = (aigc_label.statements(data), iptc_source.statements(data), generator_markers.statements(data, generator_markers.alpha_of(picture)))
    return [*signed, *(item for part in unsigned for item in part), *editor_markers.statements(data)]


def camera_of(metadata: Metadata) -> str | None:
    """The camera that took the picture by its own words: maker, model and at least one exposure tag; null where they are not all there."""
    make, model = metadata.exif.text("Make"), metadata.exif.text("Model")
    if make is None or model is None or all(metadata.exif.number(name) is None for name in _EXPOSURE):
        return None
    return f"{make} {model}"


def measure(picture: Picture, context: Context) -> SignalResult:
    """0.6 for a contradiction or an appended mark, 0 where the marks agree; null when there is no mark to compare."""
    found = all_statements(picture, context)
    appended = _appended(picture, found)
    if not found and not appended:
        return VOICE.silent("no_marker")
    details = [detail for detail in (_makers(found), _camera(found, camera_of(picture.metadata)), _sources(found), _levels(found)) if detail]
    findings = [VOICE.finding("IMAGE_MARKS_CONFLICT", _CONFLICT, detail) for detail in details]
    findings.extend(VOICE.finding("IMAGE_MARK_APPENDED", _APPENDED, detail) for detail in appended)
    return VOICE.says(max((item.strength for item in findings), default=0.0), findings)


def _makers(found: Sequence[Statement]) -> str | None:
    """Two makers that are not of one house both say that they made the picture."""
    makers = {_house(item.by) for item in found if item.says is Says.GENERATED and item.by and item.marker != "generator_name"}
    platforms = {_house(item.by) for item in found if item.marker.startswith("aigc_")}
    makers = makers if len(makers - platforms) > 1 else makers - platforms
    return f"two generators claim the picture: {', '.join(sorted(makers))}" if len(makers) > 1 else None


def _house(by: str) -> str:
    return next((min(family) for family in _FAMILIES if by in family), by)


def _camera(found: Sequence[Statement], camera: str | None) -> str | None:
    generated = [item for item in found if item.says is Says.GENERATED]
    if camera is None or not generated or "samsung" in camera.lower():
        return None
    return f"the camera tags of {camera[:60]} stand beside a generator's mark ({generated[0].detail})"


def _sources(found: Sequence[Statement]) -> str | None:
    captured = [item for item in found if item.says is Says.CAPTURED]
    made = [item for item in found if item.says is Says.GENERATED]
    if not captured or not made or {item.where for item in (*captured, *made)} == {"c2pa"}:
        return None  # one signed history may hold both: a capture that went into a composite
    return f"one mark says captured by a camera, another says generated ({made[0].detail})"


def _levels(found: Sequence[Statement]) -> str | None:
    labels = {item.detail for item in found if item.marker.startswith("aigc_")}
    return "several AI content labels that differ" if len(labels) > 1 else None


def _appended(picture: Picture, found: Sequence[Statement]) -> list[str]:
    late = [f"a mark stands behind the end of the file: {item.detail}" for item in found if item.late and item.says in AI | {Says.CAPTURED}]
    if not late and any(part.late and part.kind is PartKind.C2PA for part in picture.container.parts):
        late.append("a C2PA manifest stands behind the end of the file")
    return late[:4]


EXAMPLES: tuple[Example, ...] = (
    Example("a camera photo without marks", examples.camera_jpeg, unavailable="no_marker"),
    Example("one generator's mark", lambda: examples.png_with_text(("AIGC", examples.AIGC)), 0.0, 0.0),
    Example("a label behind the end", lambda: examples.png(appended=examples.chunk(b"tEXt", b"AIGC\x00" + examples.AIGC.encode())), 0.6, 0.6),
)
