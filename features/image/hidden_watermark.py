"""Do the pixels carry an open generator's invisible watermark?

Idea: Stable Diffusion's and FLUX.2's own programmes write a fixed word of bits into their pictures (the `dwtDct` method of invisible-watermark: in
every 4 x 4 block of the Haar average of the U plane, the largest value is moved into the lower or upper half of its step of 36; the bits take
turns). The word is read back and compared with those that are published. Only agreement counts: absence says nothing, for one resize, or a crop by
other than eights, ends the mark. What keeps false alarms away: nearly all bits must agree, each bit must be voted for clearly, and a reading
that is almost all ones or zeros is what flat areas give, not a word.
Known false alarms: none on the shelf's pictures (see this folder's README); anybody can write such a word into a real photo, which is why the mark is
not signed evidence. NovelAI's words in the lowest bits are read here for colours and by `generator_markers` for alpha.
Quality gate: 256 pixels a side as its writer asks for, at most 4.2 megapixels (no such generator makes more), and a file saved without loss: one
JPEG of quality 95 leaves nothing of it, and of every ten marked pictures four cannot be read even from PNG, because white clips it and
on yellowish ground a block's next largest value takes over (then all bits read as ones).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.container.parts import Format
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice

NAME = "hidden_watermark"
VERSION = 1
CODES: tuple[str, ...] = ("IMAGE_MARKED_GENERATED",)
VOICE = Voice(NAME, VERSION)

_STEP = 36
_BLOCK = 4
_LEAST_SIDE = 256
_MOST_PIXELS = 4_200_000
_STRENGTH = 0.75
_AGREE = 44 / 48
"""The share of a word's bits that must agree."""
_CLEAR = 0.25
"""Of all votes for a bit, the mean share by which they lean to one side: 0 is a coin, 1 is unanimous."""
_MIXED = (0.15, 0.85)
"""The share of ones in a reading that may be a word."""
_STEALTH = (b"stealth_rgbcomp", b"stealth_rgbinfo")
_STEALTH_BITS = 15 * 8


@dataclass(frozen=True, slots=True)
class Word:
    """One published watermark."""

    maker: str
    bits: tuple[int, ...]


def _bits(text: str) -> tuple[int, ...]:
    return tuple(int(bit) for bit in text)


WORDS: tuple[Word, ...] = (
    Word("Stable Diffusion 1 or 2", tuple(int(bit) for byte in b"StableDiffusionV1" for bit in f"{byte:08b}")),
    Word("Stable Diffusion XL", _bits("101100111110110010010000011110111011000110011110")),
    Word("FLUX", _bits("1010101111111010000111100111001111010100101110")),
    Word("FLUX", _bits("001010101111111010000111100111001111010100101110")),
)
"""FLUX's word is published with 48 bits, but its programme turns a number into text and so loses the two zeros in front: 46 are written."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How well the best word agrees: the share of its bits, and how clearly the votes for each bit lean to one side."""

    word: Word
    agree: float
    clear: float

    @property
    def sure(self) -> bool:
        """Whether this is the word and no accident."""
        return self.agree >= _AGREE and self.clear >= _CLEAR


def read_words(colours: npt.NDArray[np.uint8]) -> Reading | None:
    """The word that agrees best with what the blocks say; null where every reading is nearly all ones or zeros. Colours are rows x columns x 3."""
    votes = _votes(colours)
    readings = []
    for word in WORDS:
        share = np.array([votes[place :: len(word.bits)].mean() for place in range(len(word.bits))])
        read = share > 0.5  # noqa: PLR2004  # the majority
        if _MIXED[0] <= read.mean() <= _MIXED[1]:
            readings.append(Reading(word, float(np.mean(read == np.array(word.bits, bool))), float(np.mean(np.abs(2 * share - 1)))))
    return max(readings, key=lambda reading: (reading.agree, reading.clear), default=None)


def _votes(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """One vote, 0 or 1, of each block in reading order."""
    import cv2

    rows, columns = colours.shape[0] // 4 * 4, colours.shape[1] // 4 * 4
    blue = np.asarray(cv2.cvtColor(np.ascontiguousarray(colours[:rows, :columns]), cv2.COLOR_RGB2YUV)[:, :, 1], dtype=np.float64)
    average = (blue[::2, ::2] + blue[1::2, ::2] + blue[::2, 1::2] + blue[1::2, 1::2]) / 2
    down, across = average.shape[0] // _BLOCK, average.shape[1] // _BLOCK
    blocks = average[: down * _BLOCK, : across * _BLOCK].reshape(down, _BLOCK, across, _BLOCK).swapaxes(1, 2).reshape(down * across, _BLOCK * _BLOCK)
    largest = np.abs(blocks[:, 1:]).max(axis=1)
    return np.asarray(largest % _STEP > _STEP / 2, dtype=np.float64)


def hidden_word(colours: npt.NDArray[np.uint8]) -> str | None:
    """The magic word in the lowest bits of red, green and blue in turn, read column by column; null where there is none."""
    columns = -(-_STEALTH_BITS // (3 * colours.shape[0]))
    word = np.packbits((colours[:, :columns] & 1).swapaxes(0, 1).reshape(-1)[:_STEALTH_BITS]).tobytes()
    return word.decode() if word in _STEALTH else None


def _lossy(picture: Picture) -> bool:
    lossless_webp = picture.container.format is Format.WEBP and picture.data[12:16] == b"VP8L"
    return not lossless_webp and picture.container.format not in {Format.PNG, Format.BMP, Format.TIFF}


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """0.75 for a published word, 0 for none; null for files that could not have kept one."""
    wide, high = picture.size
    if min(wide, high) < _LEAST_SIDE:
        return VOICE.silent("too_small")
    if wide * high > _MOST_PIXELS:
        return VOICE.silent("too_large_for_a_generator")
    if _lossy(picture):
        return VOICE.silent("saved_with_loss")
    colours = np.asarray(picture.colours())
    hidden, reading = hidden_word(colours), read_words(colours)
    if hidden is not None:
        return VOICE.says(_STRENGTH, [VOICE.finding(CODES[0], _STRENGTH, f"NovelAI's {hidden} in the lowest bits of the colours")])
    if reading is None or not reading.sure:
        return VOICE.says(0.0)
    detail = f"{reading.word.maker}: {reading.agree:.0%} of its {len(reading.word.bits)} bits, votes {reading.clear:.0%} to one side"
    return VOICE.says(_STRENGTH, [VOICE.finding(CODES[0], _STRENGTH, detail)])


EXAMPLES: tuple[Example, ...] = (
    Example("a photo saved without loss", lambda: examples.png(), 0.0, 0.0),  # noqa: PLW0108  # its arguments are not for us
    Example("FLUX's word", lambda: examples.png(examples.watermarked(WORDS[2].bits)), 0.75, 0.75),
    Example("Stable Diffusion's word", lambda: examples.png(examples.watermarked(WORDS[0].bits)), 0.75, 0.75),
    Example("one bit for all: what flat areas give", lambda: examples.png(examples.watermarked((1,))), 0.0, 0.0),
    Example("the same after a JPEG", lambda: examples.jpeg(examples.watermarked(WORDS[2].bits), 95), unavailable="saved_with_loss"),
)
