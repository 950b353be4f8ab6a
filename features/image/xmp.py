"""XMP packets: every property as (name, text), by namespace and not by the prefix that the file chose; no DTD, no entities, bounded."""

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_PREFIXES = {
    "http://www.tc260.org.cn/ns/AIGC/1.0/": "TC260",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.google.com/photos/1.0/creations/": "GCreations",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
}
_MAX_PROPERTIES = 4096
_MAX_DEPTH = 40
_BRACE = re.compile(r"^\s*&(quot|#34|lbrace|#123|amp);|^\s*\{&(quot|#34|amp);")


def read_xmp(packet: bytes) -> tuple[tuple[str, str], ...] | None:
    """The properties of a packet in document order, list items under the name of their list; null when it is no well-formed XML."""
    start = packet.find(b"<")
    try:
        root = fromstring(packet[max(start, 0) :].rstrip(b"\x00 \r\n\t"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None  # LookupError: a coding that the packet names and nobody knows
    return tuple(pair for _, pair in zip(range(_MAX_PROPERTIES), _properties(root, "", 0), strict=False))


def _properties(element: Element, parent: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _MAX_DEPTH:
        return
    name = _name(element.tag)
    if name.startswith("rdf:"):
        name = parent
    for key, value in element.attrib.items():
        attribute = _name(key)
        if attribute == "rdf:resource":
            yield name, value
        elif not attribute.startswith(("rdf:", "{")) and ":" in attribute:
            yield attribute, _plain(value)
    text = (element.text or "").strip()
    if text and name:
        yield name, _plain(text)
    for child in element:
        yield from _properties(child, name, depth + 1)


def _name(tag: str) -> str:
    """prefix:local with our own prefix for the namespace; an unknown namespace keeps its address."""
    if not tag.startswith("{"):
        return tag
    space, _, local = tag[1:].partition("}")
    prefix = _PREFIXES.get(space)
    return f"{prefix}:{local}" if prefix else f"{{{space}}}:{local}"


def _plain(text: str) -> str:
    """Some writers encode a JSON value twice; undo the second time."""
    return html.unescape(text) if _BRACE.search(text) else text
