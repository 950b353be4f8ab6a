"""IPTC digital source types: which of them say that a model made or changed the picture, and which do not."""

from features.image.statements import Says

BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_SAYS = {
    "trainedalgorithmicmedia": (Says.GENERATED, 1.0),
    "compositewithtrainedalgorithmicmedia": (Says.RETOUCHED, 1.0),
    "compositesynthetic": (Says.RETOUCHED, 0.6),  # the synthetic element may be ordinary computer graphics
    "algorithmicmedia": (Says.NOTE, 0.1),  # by rules, not by a trained model
    "algorithmicallyenhanced": (Says.EDITED, 0.2),
    "humanedits": (Says.EDITED, 0.3),
    "minorhumanedits": (Says.EDITED, 0.2),
    "digitalcreation": (Says.EDITED, 0.5),  # drawn by a person: no photo
    "digitalart": (Says.EDITED, 0.5),
    "datadrivenmedia": (Says.NOTE, 0.2),
    "virtualrecording": (Says.NOTE, 0.3),
    "composite": (Says.EDITED, 0.4),
    "compositecapture": (Says.EDITED, 0.3),
    "digitalcapture": (Says.CAPTURED, 0.0),
    "computationalcapture": (Says.CAPTURED, 0.0),
    "negativefilm": (Says.CAPTURED, 0.0),
    "positivefilm": (Says.CAPTURED, 0.0),
    "print": (Says.CAPTURED, 0.0),
    "screencapture": (Says.SCREEN, 0.5),
}


def says_of(address: str) -> tuple[Says, float] | None:
    """What a source type says and how far (0 to 1) it would count if it were proven; null for an unknown one.

    The address may be http or https, may lack its base, and is compared without case, for writers differ.

    >>> says_of("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")
    (<Says.GENERATED: 'generated'>, 1.0)
    """
    term = address.strip().rstrip("/").lower()
    for base in (BASE, BASE.replace("http:", "https:")):
        term = term.removeprefix(base.lower())
    return _SAYS.get(term)
