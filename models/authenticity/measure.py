"""What the encoders and the traces say of many pictures, kept in a folder so that a second training does not look again."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from models.authenticity.heads import Floats
from models.authenticity.laundering import Cell, delivered
from models.authenticity.manifest import Picture
from models.authenticity.patches import cuts
from models.authenticity.pictures import Place, opened, stored, view
from models.authenticity.traces import VERSION, traces

Encode = Callable[[Image.Image], Floats]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What happens to a picture before it is looked at: a name for the file of answers, and the function."""

    name: str
    deliver: Callable[[Image.Image, Picture], Image.Image]


AS_KEPT = Delivery("as is", lambda image, _picture: stored(image))
"""A training picture as the shelf stores wholes; for one that is already so, nothing."""


UNTOUCHED = Delivery("untouched", lambda image, _picture: image)
"""A picture as the file holds it."""


def in_cell(cell: Cell) -> Delivery:
    """A picture after one of the laundering cells, looked at as the service would."""
    return Delivery(f"service {cell.name}", lambda image, picture: cell.launder(image, picture.seed))


def at_random(turn: int) -> Delivery:
    """A training picture after a random delivery; each turn another one."""
    return Delivery(f"delivered {turn}", lambda image, picture: delivered(image, picture.seed + turn, is_whole=picture.is_whole))


@dataclass(frozen=True, slots=True)
class Measurer:
    """Measures pictures of `data` and keeps the answers in `kept`, one file a question."""

    data: Path
    kept: Path
    say: Say

    def rows(self, encoder: str, encode: Encode, pictures: Sequence[Picture], delivery: Delivery, place: Place) -> Floats:
        """One encoder row a picture, after one delivery, at one place; float16 precision."""

        def one(picture: Picture) -> Floats:
            return encode(view(delivery.deliver(opened(self.data / picture.path), picture), place))

        return self._kept(f"{encoder}-{place}", pictures, delivery, one)

    def trace_rows(self, pictures: Sequence[Picture], delivery: Delivery, most: int) -> Floats:
        """Traces of at most `most` cuts a picture (pictures x most x traces); NaN where there is no such cut."""

        def one(picture: Picture) -> Floats:
            arrived = delivery.deliver(opened(self.data / picture.path), picture)
            found = [traces(np.asarray(cut)) for cut in cuts(arrived, most)]
            width = found[0].size if found else traces(np.zeros((64, 64, 3), np.uint8)).size
            return np.stack([*found, *[np.full(width, np.nan, np.float32)] * (most - len(found))])

        return self._kept(f"traces{VERSION}-{most}", pictures, delivery, one)

    def _kept(self, question: str, pictures: Sequence[Picture], delivery: Delivery, one: Callable[[Picture], Floats]) -> Floats:
        file = self.kept / name_of(question, pictures, delivery)
        if file.is_file():
            return _read(file)
        self.say(f"measuring {question}, {delivery.name}: {len(pictures)} pictures")
        rows = np.stack([one(picture) for picture in pictures])
        self.kept.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npy")
        np.save(part, rows.astype(np.float16) if rows.ndim == 2 else rows)  # noqa: PLR2004  # rows of traces keep their precision
        part.replace(file)
        return _read(file)


def _read(file: Path) -> Floats:
    return np.asarray(np.load(file, allow_pickle=False), np.float32)


def name_of(question: str, pictures: Sequence[Picture], delivery: Delivery) -> str:
    """The file of one question: readable, and another one as soon as a picture is added or leaves."""
    digest = hashlib.sha256("\n".join(picture.path for picture in pictures).encode()).hexdigest()[:8]
    return f"{question}-{delivery.name.replace(' ', '_')}-{len(pictures)}-{digest}.npy"
