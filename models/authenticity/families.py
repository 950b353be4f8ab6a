"""Which family of generators made a picture, as far as its source says: for leaving one family out, never for training."""

from models.authenticity.manifest import Picture

FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Z-Image", ("z-image",)),
    ("Ideogram", ("ideogram",)),
    ("Flux", ("flux",)),
    ("OpenAI", ("gpt", "openai", "dall")),
    ("Gemini", ("gemini", "nano", "imagen")),
    ("Replit's tool", ("replit",)),
)
OTHER = "other or unsaid"


def family(picture: Picture) -> str:
    """The first family whose word stands in what the source says."""
    said = picture.generator.lower()
    return next((name for name, words in FAMILIES if any(word in said for word in words)), OTHER)
