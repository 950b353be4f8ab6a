"""The image sandbox's process with everything that looks at pixels: the signals, the network and the patch net, all on the same opened bytes.

`sight.py` starts it. Hostile bytes are decoded here and nowhere else; what leaves is numbers, a coarse map and a small copy of the pixels.
"""

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from data_contracts.errors import NotFoundError
from data_contracts.signal import Region
from features.image.examples import jpeg, scene
from features.image.measure import Piece, open_piece
from features.image.picture import Picture, UnreadableError
from features.image.sandbox_wire import Job
from features.image.sandbox_worker import Look, serve
from models.authenticity.heat_map import PatchNet, load_patch_net
from models.authenticity.judgement import Doubt, Judgement, Verdict
from models.authenticity.network import Network, load_network
from models.authenticity.token_map import TokenMap, load_token_map
from risk.evidence.sight import Absent, Anomaly, AnomalyVerdict, Preview, Sight, pack_sight

PREVIEW = 960
"""Pixels on the long side of the copy that a person sees."""
FRAMES = 4
"""Frames of a film that the network looks at."""


class Eyes:
    """The network, a patch net that judges, and a map that is only drawn; any of them may not be installed."""

    def __init__(self, network: Network | None, patches: PatchNet | None, drawing: TokenMap | None = None) -> None:
        self.network = network
        self.patches = patches
        self.drawing = drawing

    def look(self, piece: Piece, job: Job) -> bytes:
        """What they see in a piece of evidence, packed."""
        return pack_sight(self.sight(piece, draw=job.draw))

    def sight(self, piece: Piece, *, draw: bool) -> Sight:
        """What they see; each says why where it does not. `draw` also gives a small copy of the pixels."""
        if not piece.shown:
            reason = Absent(piece.unreadable or "no_picture")
            return Sight(judged=reason, anomaly=reason, preview=None)
        try:
            if piece.film is not None:
                return self._film(piece.shown, draw=draw)
            return self._still(piece.picture, draw=draw)
        except UnreadableError as error:
            return Sight(judged=Absent(error.reason), anomaly=Absent(error.reason), preview=None)

    def _still(self, picture: Picture, *, draw: bool) -> Sight:
        whole = picture.colours()
        judged = self.network.judge(whole) if self.network is not None else Absent("not_installed")
        return Sight(judged=judged, anomaly=self._anomaly(whole, draw=draw), preview=preview(whole) if draw else None)

    def _film(self, frames: Sequence[Picture], *, draw: bool) -> Sight:
        chosen = [frames[place].colours() for place in sorted({round(step) for step in np.linspace(0, len(frames) - 1, FRAMES)})]
        judged = film_judgement([self.network.judge(frame) for frame in chosen]) if self.network is not None else Absent("not_installed")
        return Sight(judged=judged, anomaly=Absent("not_for_films"), preview=preview(chosen[0]) if draw else None)

    def _anomaly(self, whole: Image.Image, *, draw: bool) -> Anomaly | Absent:
        """The patch net's judgement; without one the drawing, which takes seconds, when a person will look at it."""
        eye = self.patches or self.drawing
        if eye is None:
            return Absent("not_installed")
        if eye is self.drawing and not draw:
            return Absent("only_on_request")
        seen = eye.look(whole)
        if seen.unavailable is not None:
            return Absent(seen.unavailable)
        verdict: AnomalyVerdict = "drawing" if eye is self.drawing else seen.verdict
        return Anomaly(map=seen.map, score=float(seen.score), verdict=verdict, region=_plain(seen.region), version=seen.version)


def _plain(region: Region | None) -> Region | None:
    """With numbers that travel: no NumPy scalars."""
    if region is None:
        return None
    return Region(left=float(region.left), top=float(region.top), right=float(region.right), bottom=float(region.bottom))


def film_judgement(frames: Sequence[Judgement]) -> Judgement:
    """One judgement of several frames: generated only if at least two were looked at and all are. Never authentic: no film was ever learnt from."""
    scores = [frame.score for frame in frames if frame.score is not None]
    score = float(np.median(scores)) if scores else None
    agreed = len(frames) > 1 and all(frame.verdict is Verdict.GENERATED for frame in frames)
    doubts = {doubt for frame in frames for doubt in frame.doubts} or {Doubt.UNLIKE_TRAINING}
    verdict, why = (Verdict.GENERATED, ()) if agreed else (Verdict.UNSURE, tuple(sorted(doubts)))
    return Judgement(score, verdict, why, frames[0].model, frames[0].encoder)


def preview(whole: Image.Image) -> Preview:
    """A small copy of the pixels."""
    small = whole.copy() if max(whole.size) <= PREVIEW else whole.resize(_fitted(whole.size), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return Preview(pixels=np.asarray(small, dtype=np.uint8))


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    scale = PREVIEW / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def load_eyes(folder: Path, tower: Path) -> Eyes:
    """What is installed. ModelMismatchError: a file was changed."""
    network = _network(folder, tower)
    return Eyes(network, _patches(folder), _drawing(network, folder))


def _network(folder: Path, tower: Path) -> Network | None:
    try:
        return load_network(folder, tower)
    except NotFoundError:
        return None


def _patches(folder: Path) -> PatchNet | None:
    try:
        return load_patch_net(folder)
    except NotFoundError:
        return None


def _drawing(network: Network | None, folder: Path) -> TokenMap | None:
    """A reading of the tower's own tokens, so only where the tower is."""
    if network is None or network.tower is None:
        return None
    try:
        return load_token_map(network.tower, folder)
    except NotFoundError:
        return None


def prepare() -> Look:
    """Load what the arguments name (folder of models, file of the tower) and look once: everything is in memory before the limits fall."""
    eyes = load_eyes(Path(sys.argv[4]), Path(sys.argv[5]))
    eyes.sight(open_piece(jpeg(scene(1280, 960))), draw=False)
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # what loading took and gave back would stay with this process: 100 MB
    return eyes.look


if __name__ == "__main__":
    serve(prepare)
