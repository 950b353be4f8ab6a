"""All that a file says of itself, as one flat list of fields with their source; every marker rule reads this list and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from features.image.container.parts import Container, Part, PartKind, text_of
from features.image.exif import Exif, read_exif
from features.image.iptc_records import read_iptc
from features.image.xmp import read_xmp

MAX_VALUE = 1 << 20
"""Characters kept of one field."""
_EXIF_TEXTS = ("ImageDescription", "Make", "Model", "Software", "Artist", "HostComputer", "Copyright", "UserComment")
_EXIF_WINDOWS = ("XPTitle", "XPComment", "XPAuthor", "XPKeywords", "XPSubject")


class Source(StrEnum):
    """Which kind of metadata a field stands in."""

    EXIF = "exif"
    XMP = "xmp"
    IPTC = "iptc"
    TEXT = "text"  # PNG text by keyword
    COMMENT = "comment"  # a JPEG comment
    APP = "app"  # a JPEG application segment
    TAG = "tag"  # a film's tag by name
    SAMSUNG = "samsung"  # a block of Samsung's trailer by name


@dataclass(frozen=True, slots=True)
class Field:
    """One statement of the file: where it stands, its name there, and its text."""

    source: Source
    name: str
    value: str
    where: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Metadata:
    """Every field, and the first EXIF structure taken apart. `broken` names the parts that could not be read."""

    fields: tuple[Field, ...] = ()
    exif: Exif = field(default_factory=Exif)
    broken: tuple[str, ...] = ()

    def values(self, source: Source, *names: str) -> tuple[str, ...]:
        """The texts of the fields of those names (any case), in file order."""
        wanted = {name.lower() for name in names}
        return tuple(found.value for found in self.fields if found.source is source and found.name.lower() in wanted)


def read_metadata(container: Container) -> Metadata:
    """Read every part. Never raises for any bytes."""
    fields: list[Field] = []
    broken: list[str] = []
    exif: Exif | None = None
    for part in container.parts:
        if part.kind is PartKind.EXIF:
            found = read_exif(part.body)
            if found.broken:
                broken.append(part.where)
            fields.extend(_from_exif(found, part))
            exif = found if exif is None and not part.late else exif
        else:
            read = _from_part(part)
            if read is None:
                broken.append(part.where)
            fields.extend(read or ())
    return Metadata(tuple(replace(item, value=item.value[:MAX_VALUE]) for item in fields), exif or Exif(), tuple(broken))


def _from_exif(exif: Exif, part: Part) -> Iterator[Field]:
    for name in (*_EXIF_TEXTS, *_EXIF_WINDOWS):
        text = exif.text(name)
        raw = exif.tags.get(name)
        if text is None and isinstance(raw, bytes):
            text = text_of(raw).strip()
        if text:
            yield Field(Source.EXIF, name, text, part.where, part.late)
    packet = exif.tags.get("XMP")
    if isinstance(packet, bytes):
        yield from (Field(Source.XMP, name, value, part.where, part.late) for name, value in read_xmp(packet) or ())


def _from_part(part: Part) -> list[Field] | None:
    match part.kind:
        case PartKind.XMP:
            read = read_xmp(part.body)
            return None if read is None else [Field(Source.XMP, name, value, part.where, part.late) for name, value in read]
        case PartKind.IPTC:
            return [Field(Source.IPTC, name, value, part.where, part.late) for name, value in read_iptc(part.body)]
        case PartKind.TEXT:
            return [Field(_text_source(part), part.name, text_of(part.body), part.where, part.late)]
        case PartKind.APP:
            return [Field(Source.APP, part.where, text_of(body), part.where, part.late) for body in _app_texts(part.body)]
        case PartKind.SAMSUNG:
            return [Field(Source.SAMSUNG, part.name, text_of(part.body), part.where, part.late)]
        case _:
            return []


def _text_source(part: Part) -> Source:
    if part.where.startswith("png:"):
        return Source.TEXT
    return Source.COMMENT if part.where == "jpeg:COM" else Source.TAG


def _app_texts(body: bytes) -> Iterator[bytes]:
    """What a segment says as text: the whole where it starts with a letter, and what is glued behind a JFIF head."""
    if body.startswith(b"JFIF\x00") and len(body) > 14:  # noqa: PLR2004  # the length of a JFIF head
        tail = body[14 + 3 * body[12] * body[13] :]
        if tail:
            yield tail
    elif body[:1].isalpha() or body[:1] == b"{":
        yield body
