"""Small models for tests, in the files that the real ones come in: bright pictures are generated, red regions are edited."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from features.image import examples
from models.authenticity.artifact import Limits, save
from models.authenticity.heat_map import CARD, CELL, FORMAT, NET
from models.authenticity.network import LIGHT_FILE
from tests.models.authenticity.builders import a_model

OPSET = helper.make_opsetid("", 18)


def _constant(name: str, values: object, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def _written(graph: onnx.GraphProto, file: Path) -> None:
    model = helper.make_model(graph, opset_imports=[OPSET], ir_version=10)
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString())


def brightness_net(file: Path) -> None:
    """One row: the mean brightness of a view from -1 to 1, and three numbers that stay still."""
    nodes = [
        helper.make_node("ReduceMean", ["view", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["level"]),
        helper.make_node("Unsqueeze", ["level", "one"], ["column"]),
        helper.make_node("Concat", ["column", "still"], ["row"], axis=1),
    ]
    fixed = [
        _constant("axes", [1, 2, 3], np.int64),
        _constant("scale", 1 / 127.5),
        _constant("shift", -1.0),
        _constant("one", [1], np.int64),
        _constant("still", [[0.1, -0.1, 0.0]]),
    ]
    view = helper.make_tensor_value_info("view", TensorProto.FLOAT, [1, 3, 224, 224])
    row = helper.make_tensor_value_info("row", TensorProto.FLOAT, [1, 4])
    _written(helper.make_graph(nodes, "brightness", [view], [row], fixed), file)


def redness_net(file: Path) -> None:
    """For every 8 x 8 pixels: how red they are, as log-odds."""
    weights = np.ones((1, 3, CELL, CELL), np.float32) * np.array([1, -0.5, -0.5], np.float32)[None, :, None, None] / CELL**2 / 10
    nodes = [
        helper.make_node("Conv", ["picture", "weights", "bias"], ["answers"], strides=[CELL, CELL], kernel_shape=[CELL, CELL]),
        helper.make_node("Squeeze", ["answers", "channel"], ["map"]),
    ]
    fixed = [_constant("weights", weights), _constant("bias", [-4.0]), _constant("channel", [1], np.int64)]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, "high", "wide"])
    heat = helper.make_tensor_value_info("map", TensorProto.FLOAT, [1, "rows", "columns"])
    _written(helper.make_graph(nodes, "redness", [picture], [heat], fixed), file)


def small_models(folder: Path, limits: Limits | None = None) -> Path:
    """A folder like the shipped one."""
    folder.mkdir(parents=True, exist_ok=True)
    brightness_net(folder / LIGHT_FILE)
    redness_net(folder / NET)
    fitted = {"weights": [0.0, 0.0, 0.0, 1.0, 0.0, 0.0], "bias": 0.0, "edited_from": 0.9, "clean_to": 0.5}
    card = {"format": FORMAT, "sha256": hashlib.sha256((folder / NET).read_bytes()).hexdigest(), "limits": fitted}
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    save([replace(a_model(slope=8.0, limits=limits), name="light")], {}, folder)
    return folder


def grey(level: int, width: int = 640, height: int = 480) -> npt.NDArray[np.uint8]:
    """A plain photo of that brightness with a little noise."""
    noise = np.random.default_rng(level).normal(0, 3, (height, width, 1))
    return np.clip(level + np.repeat(noise, 3, axis=2), 0, 255).astype(np.uint8)


def dark_photo(**extra: bytes) -> bytes:
    """What the small network calls authentic and the small patch net clean."""
    return examples.jpeg(grey(20), **extra)


def bright_photo() -> bytes:
    """What the small network calls generated."""
    return examples.jpeg(grey(235))


def patched_photo() -> bytes:
    """A dark photo with a red region, right of the middle."""
    pixels = grey(20)
    pixels[160:320, 400:520] = (200, 20, 20)
    return examples.jpeg(pixels, 95)
