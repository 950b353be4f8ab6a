"""Models on disk: what is saved is what is loaded, and a changed file is refused."""

from pathlib import Path

import numpy as np
import pytest

from data_contracts.errors import ModelMismatchError, NotFoundError
from models.authenticity.artifact import CARD, Fusion, load, read_card, save
from tests.models.authenticity.builders import a_model


def test_a_saved_model_comes_back_whole(tmp_path: Path) -> None:
    model = a_model()
    save([model], {"note": "test"}, tmp_path)
    back = load("test", tmp_path)
    assert back.version == model.version
    assert back.limits == model.limits
    assert np.array_equal(back.whole.weight, model.whole.weight)
    assert read_card(tmp_path)["note"] == "test"


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    save([a_model()], {}, tmp_path)
    with (tmp_path / "test.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelMismatchError, match=r"test\.npz"):
        load("test", tmp_path)


def test_a_changed_limit_is_refused(tmp_path: Path) -> None:
    save([a_model()], {}, tmp_path)
    card = tmp_path / CARD
    card.write_text(card.read_text(encoding="utf-8").replace("0.9", "0.1"), encoding="utf-8")
    with pytest.raises(ModelMismatchError, match="card"):
        load("test", tmp_path)


def test_an_absent_model_says_how_to_train_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"models\.authenticity\.train"):
        load("test", tmp_path / "nowhere")
    save([a_model()], {}, tmp_path)
    with pytest.raises(NotFoundError, match="other"):
        load("other", tmp_path)


def test_another_limit_is_another_version() -> None:
    assert a_model().version != a_model(slope=9.0).version


def test_a_specialist_may_accuse_but_never_acquit() -> None:
    fusion = Fusion(whole=1.0, specialist=2.0, opens=0.5, bias=0.0)
    whole = np.zeros(4)
    silent, quiet, loud, absent = fusion(whole, np.array([-9.0, 0.5, 2.0, np.nan]))
    assert silent == quiet == absent == 0.0
    assert loud == 3.0


def test_a_file_beside_the_model_is_summed_when_it_is_named_and_left_alone_when_not(tmp_path: Path) -> None:
    for name in ("light.onnx", "another.onnx"):
        (tmp_path / name).write_bytes(b"a network")
    save([a_model()], {}, tmp_path, ("light.onnx",))
    (tmp_path / "another.onnx").write_bytes(b"trained again")
    assert load("test", tmp_path).name == "test"
    (tmp_path / "light.onnx").write_bytes(b"changed")
    with pytest.raises(ModelMismatchError, match=r"light\.onnx"):
        load("test", tmp_path)
