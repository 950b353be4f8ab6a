"""The whole-picture tower: a frozen CLIP ViT-B/16 image encoder (OpenAI, MIT), int8 ONNX, read at every depth.

The file is not ours and is not committed; `python -m models.authenticity.install_tower` fetches it and checks its hash.
The published graph gives the last layer only. We add an output after each of its blocks: middle blocks see texture and
rendering, the last sees subject and style (as RINE, Koutlis and Papadopoulos 2024). One view a call, always: the
graph quantises activations over the whole batch, so a neighbour in the batch would change the answer.
"""

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_contracts.errors import ModelMismatchError

Floats = npt.NDArray[np.float32]

SHA256 = "2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d"
NAME = "clip-vit-b16-int8"
DEPTH = 12
WIDTH = 768
EMBEDDING = 512
TOKENS = 197  # one class token and 14 x 14 patches
CLASS, MEAN, SPREAD = 0, 1, 2
PARTS = 3
FEATURES = EMBEDDING + DEPTH * PARTS * WIDTH
BLOCK_OUTPUT = "/vision_model/encoder/layers.{block}/Add_1_output_0"
PATH_SETTING = "REFUND_RISK_TOWER"


def default_path() -> Path:
    """Where the tower lies: REFUND_RISK_TOWER, else a folder of the user's cache."""
    chosen = os.environ.get(PATH_SETTING)
    return Path(chosen) if chosen else Path.home() / ".cache" / "refund-risk" / "clip_encoder.int8.onnx"


def columns(blocks: range, parts: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Where in a row of `look` those blocks' parts (CLASS, MEAN, SPREAD) stand."""
    starts = [EMBEDDING + (block * PARTS + part) * WIDTH for block in blocks for part in parts]
    return np.concatenate([np.arange(start, start + WIDTH) for start in starts])


class Tower:
    """The frozen encoder; `look` gives what it sees in one view."""

    def __init__(self, path: Path) -> None:
        """Read the file; ModelMismatchError when its hash is another one."""
        content = path.read_bytes()
        got = hashlib.sha256(content).hexdigest()
        if got != SHA256:
            message = f"{path} has sha256 {got[:12]}..., wanted {SHA256[:12]}...; run python -m models.authenticity.install_tower"
            raise ModelMismatchError(message)
        self._content = content

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401  # onnxruntime ships no types
        import onnx
        import onnxruntime

        more = onnx.ModelProto()
        for block in range(DEPTH - 1):
            shape: list[str | int | None] = ["batch", TOKENS, WIDTH]
            more.graph.output.append(onnx.helper.make_tensor_value_info(BLOCK_OUTPUT.format(block=block), onnx.TensorProto.FLOAT, shape))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Protocol buffers merge when they stand one behind the other: the outputs are added without parsing 90 MB, which took 250 MB more.
        whole, self._content = self._content + more.SerializeToString(), b""
        return onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])

    def tokens(self, view: Floats) -> tuple[Floats, Floats]:
        """CLIP's joint embedding (512) and the tokens after each block (12 x 197 x 768) of one view (1 x 3 x 224 x 224)."""
        embedding, last, *earlier = self._session.run(None, {"pixel_values": view})
        return embedding[0], np.stack([*(block[0] for block in earlier), last[0]])

    def look(self, view: Floats) -> Floats:
        """One row of FEATURES numbers: the joint embedding, then for each block the class token, the patches' mean and spread."""
        return summary(*self.tokens(view))


def summary(embedding: Floats, tokens: Floats) -> Floats:
    """The row of `look` from what `tokens` gives."""
    patches = tokens[:, 1:]
    parts = np.stack([tokens[:, 0], patches.mean(axis=1), patches.std(axis=1)], axis=1)
    return np.concatenate([embedding, parts.ravel()]).astype(np.float32)
