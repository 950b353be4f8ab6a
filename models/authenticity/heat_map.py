"""Was a region of this photo drawn or pasted later? One picture in; a heat map, a score, a verdict or an honest "unsure", and where.

The patch net compares the fine traces of every 8 x 8 pixels with the rest of the same picture. A verdict "edited" needs a score over the
shipped limit, in the picture as it came and once more after a save: the codec must not decide. Known false alarms stand in the card.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import label, uniform_filter
from scipy.special import expit

from data_contracts.errors import ModelMismatchError, NotFoundError
from data_contracts.signal import HeatMap, Region
from models.authenticity.artifact import SHIPPED
from models.authenticity.laundering import jpeg, limit_long_side

Floats: TypeAlias = npt.NDArray[np.float32]
Verdict: TypeAlias = Literal["edited", "unsure", "clean"]

FORMAT = 1
NET, CARD = "patches.onnx", "patches.card.json"
CELL = 8  # pixels; one answer each
SMALLEST_SIDE = 128  # pixels; below it there is no "rest of the picture" to compare with
LONG_SIDE = 1280  # pixels; a larger picture is scaled down: what evidence is delivered at, and a bound on time and memory
AGAIN_QUALITY = 88  # JPEG quality of the second look
REGION_FROM = 0.5  # of the way from the map's middle to its peak: what belongs to the region
CARD_LIMITS = ("edited_from", "clean_to")


@dataclass(frozen=True, slots=True, eq=False)
class Anomaly:
    """What was seen in one picture.

    map: one number per 8 x 8 pixels of the picture as it was looked at, rows x columns over the whole picture, 0 to 255: how unlike the rest.
    score: 0 to 1, how likely some region was edited; 0 when `unavailable` says why nobody looked.
    region: the strongest region, in shares of width and height; null unless the verdict is "edited" or "unsure".
    """

    map: HeatMap
    score: float
    verdict: Verdict
    region: Region | None
    version: str
    unavailable: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """From log-odds to score and verdict, fitted on held-out photos; `edited_from` above 1 means that no verdict "edited" is given."""

    weights: tuple[float, ...]
    bias: float
    edited_from: float
    clean_to: float


def summary(answers: Floats) -> Floats:
    """What the score is made of: high places of the map smoothed over 3 x 3 cells, its middle, its spread, the share over even odds."""
    smooth = uniform_filter(answers, 3, mode="nearest")
    high = [float(np.quantile(smooth, part)) for part in (0.5, 0.9, 0.97, 0.995)]
    return np.array([*high, float(smooth.std()), float((smooth > 0).mean())], np.float32)


def strongest_region(heat: HeatMap) -> Region | None:
    """The box around the connected cells that hold the most heat; None for an even map."""
    low, peak = float(np.median(heat)), float(heat.max())
    if peak <= low:
        return None
    hot = heat > low + REGION_FROM * (peak - low)
    parts, count = label(hot)
    weights = np.bincount(parts.ravel(), heat.ravel(), count + 1)
    weights[0] = -1
    rows, columns = np.nonzero(parts == int(weights.argmax()))
    high, wide = heat.shape
    return Region(left=columns.min() / wide, top=rows.min() / high, right=(columns.max() + 1) / wide, bottom=(rows.max() + 1) / high)


class PatchNet:
    """The loaded patch net; safe to share between threads."""

    cell = CELL
    long_side = LONG_SIDE

    def __init__(self, content: bytes, limits: Limits, version: str) -> None:
        self._content = content
        self.limits = limits
        self.version = version

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401  # onnxruntime ships no types
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # pictures differ in size: an arena would keep the largest for ever
        return onnxruntime.InferenceSession(self._content, options, providers=["CPUExecutionProvider"])

    def look(self, rgb: Image.Image) -> Anomaly:
        """The verdict on one upright RGB picture."""
        if min(rgb.size) < SMALLEST_SIDE:
            return Anomaly(np.zeros((1, 1), np.uint8), 0.0, "unsure", None, self.version, "too_small")
        shown = limit_long_side(rgb, LONG_SIDE)
        answers = self.answers(shown)
        score = self.score(answers)
        heat = np.rint(expit(answers) * 255).astype(np.uint8)
        if score <= self.limits.clean_to:
            return Anomaly(heat, score, "clean", None, self.version, None)
        if score >= self.limits.edited_from:
            score = min(score, self.score(self.answers(jpeg(shown, AGAIN_QUALITY))))
        verdict: Verdict = "edited" if score >= self.limits.edited_from else "unsure"
        return Anomaly(heat, score, verdict, strongest_region(heat), self.version, None)

    def answers(self, shown: Image.Image) -> Floats:
        """Log-odds of "edited here" for every cell; up to seven pixels at the right and the bottom are not looked at."""
        pixels = np.asarray(shown, np.float32)
        high, wide = (side // CELL * CELL for side in pixels.shape[:2])
        picture = np.ascontiguousarray(pixels[:high, :wide].transpose(2, 0, 1)[None])
        answers: Floats = self._session.run(None, {"picture": picture})[0][0]
        return answers

    def score(self, answers: Floats) -> float:
        """How likely some region is edited."""
        odds = float(summary(answers) @ np.array(self.limits.weights)) + self.limits.bias
        return float(expit(odds))


def load_patch_net(folder: Path = SHIPPED) -> PatchNet:
    """The shipped patch net. NotFoundError: there is none; ModelMismatchError: net and card do not belong together."""
    if not (folder / CARD).is_file() or not (folder / NET).is_file():
        message = f"no patch net in {folder}; run python -m models.authenticity.train_patches --out {folder}"
        raise NotFoundError(message)
    card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    if card.get("format") != FORMAT:
        message = f"patch card format {card.get('format')} in {folder}, this code reads {FORMAT}; train again"
        raise ModelMismatchError(message)
    content = (folder / NET).read_bytes()
    got, wanted = hashlib.sha256(content).hexdigest(), card["sha256"]
    if got != wanted:
        message = f"{folder / NET} has sha256 {got[:12]}, its card says {wanted[:12]}; restore it or train again"
        raise ModelMismatchError(message)
    limits = Limits(tuple(card["limits"]["weights"]), card["limits"]["bias"], card["limits"]["edited_from"], card["limits"]["clean_to"])
    return PatchNet(content, limits, version_of(got, card["limits"]))


def version_of(sha256: str, limits: Mapping[str, Any]) -> str:
    """Changes whenever the same picture could get another answer."""
    digest = hashlib.sha256((sha256 + json.dumps(limits, sort_keys=True)).encode()).hexdigest()
    return f"patches-{digest[:10]}"
