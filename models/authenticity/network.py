"""Does this picture look generated? One picture in, a score, a verdict or an honest "unsure" with its reasons, and who spoke.

The tower speaks when it is installed, else the light model; each with limits of its own. A picture that would be called generated is
looked at again as it would look after two plausible re-deliveries, and is called so only if all agree: the codec must not decide.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.authenticity import tower
from models.authenticity.artifact import SHIPPED, Model, load
from models.authenticity.heads import Floats
from models.authenticity.judgement import Doubt, Judgement, Verdict
from models.authenticity.laundering import jpeg, limit_long_side
from models.authenticity.patches import LONG_SIDE, cuts
from models.authenticity.pictures import Place, pixels, raw_pixels, view
from models.authenticity.traces import VERSION as TRACES_VERSION
from models.authenticity.traces import traces

Encode = Callable[[Image.Image], Floats]

SMALLEST_SIDE = 160  # pixels; below it both views are mostly resampling
CUTS = 1  # of the five places; each more costs 20 ms
PLACES = (Place.CENTRE,)
TOWER_COLUMNS = tower.columns(range(4, 12), (tower.CLASS, tower.MEAN))
LIGHT_FILE = "light.onnx"
TOWER_ENCODER = f"{tower.NAME}-{tower.SHA256[:10]}"


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen in one delivery: log-odds of both views and whether the picture is unlike the training pictures."""

    whole: float
    specialist: float
    is_far: bool


class Network:
    """A loaded model with its encoder, and the tower itself where it is the encoder; safe to share between threads, one picture at a time each."""

    def __init__(self, model: Model, encode: Encode, encoder: str, installed: tower.Tower | None = None) -> None:
        self.model = model
        self.encode = encode
        self.encoder = encoder
        self.tower = installed

    @cached_property
    def version(self) -> str:
        """Changes whenever the same picture could get another score."""
        return f"{self.model.version}+{self.encoder}+traces{TRACES_VERSION}"

    def judge(self, image: Image.Image) -> Judgement:
        """The verdict on one upright RGB picture."""
        if min(image.size) < SMALLEST_SIDE:
            return self._judgement(None, Verdict.UNSURE, (Doubt.TOO_SMALL,))
        first = self.look(image)
        score = self.scored(first)
        limits = self.model.limits
        if first.is_far:
            return self._judgement(score, Verdict.UNSURE, (Doubt.UNLIKE_TRAINING,))
        if score <= limits.authentic_to:
            return self._judgement(score, Verdict.AUTHENTIC, ())
        if score < limits.generated_from:
            return self._judgement(score, Verdict.UNSURE, (Doubt.SCORES_BETWEEN,))
        scores = [score, *(self.scored(self.look(again)) for again in redelivered(image))]
        together = float(np.mean(scores))
        if min(scores) < limits.generated_from:
            return self._judgement(together, Verdict.UNSURE, (Doubt.DELIVERIES_DISAGREE,))
        return self._judgement(together, Verdict.GENERATED, ())

    def look(self, image: Image.Image) -> Sight:
        """What both views see in one delivery."""
        rows = np.stack([self.encode(view(image, place)) for place in PLACES])
        whole = float(self.model.whole(rows).mean())
        patches = [traces(np.asarray(cut)) for cut in cuts(image, CUTS)]
        specialist = float(self.model.specialist(np.stack(patches)).mean()) if patches else float("nan")
        return Sight(whole, specialist, bool(self.model.gate.is_far(rows[:1])[0]))

    def scored(self, sight: Sight) -> float:
        """The calibrated score of what was seen."""
        return float(self.model.score(np.array([sight.whole]), np.array([sight.specialist]))[0])

    def _judgement(self, score: float | None, verdict: Verdict, doubts: tuple[Doubt, ...]) -> Judgement:
        return Judgement(score, verdict, doubts, self.version, self.encoder)


def redelivered(image: Image.Image) -> tuple[Image.Image, ...]:
    """The picture after two plausible deliveries: saved again, and scaled to three quarters and saved; never over LONG_SIDE."""
    image = limit_long_side(image, LONG_SIDE)
    width, height = (max(SMALLEST_SIDE, round(side * 0.75)) for side in image.size)
    return jpeg(image, 75), jpeg(image.resize((width, height), Image.Resampling.BICUBIC), 80)


def load_network(folder: Path = SHIPPED, tower_file: Path | None = None) -> Network:
    """The tower's model when the tower is installed, else the light one.

    NotFoundError or ModelMismatchError: the shipped files are absent or changed; a tower file with a wrong hash is refused, not passed over.
    """
    file = tower_file or tower.default_path()
    if file.is_file():
        installed = tower.Tower(file)
        return Network(load("tower", folder), tower_encode(installed), TOWER_ENCODER, installed)
    model = load("light", folder)
    return Network(model, light_encode(folder / LIGHT_FILE), light_encoder(folder / LIGHT_FILE))


def tower_encode(installed: tower.Tower) -> Encode:
    """The tower as a function of a view: those of its columns that the head reads."""
    return lambda square: installed.look(pixels(square))[TOWER_COLUMNS]


def light_encoder(file: Path) -> str:
    """The light network's name: the first digits of its content's hash."""
    return f"light-net-{hashlib.sha256(file.read_bytes()).hexdigest()[:10]}"


def light_encode(file: Path) -> Encode:
    """The light network in that file as a function of a view."""
    session = _light_session(file)

    def encode(square: Image.Image) -> Floats:
        row: Floats = session.run(None, {"view": raw_pixels(square)})[0][0]
        return row

    return encode


def _light_session(file: Path) -> Any:  # noqa: ANN401  # onnxruntime ships no types
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
