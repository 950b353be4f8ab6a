"""Reading the pictures' manifest and keeping apart what must be kept apart."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import ContractError
from models.authenticity.families import family
from models.authenticity.manifest import Label, Picture, chosen, read_manifest
from models.authenticity.splits import held_out

HEADER = "path,part,label,generator,source_repo,original_path,width,height,stored,pair\n"


def a_picture(source: str = "somewhere", number: int = 1, *, generator: str = "", label: Label = Label.REAL, stored: str = "whole") -> Picture:
    path = f"train/{label}/{source}/{number}.jpg"
    return Picture(path, "train", label, generator, source, f"images/pic_{number:04d}.jpg", stored, "")


def test_a_manifest_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(HEADER + "train/real/shop/a.jpg,train,real,,o/r,x/a.jpg,10,10,whole,\n", encoding="utf-8")
    (picture,) = read_manifest(tmp_path)
    assert (picture.source, picture.label, picture.is_whole, picture.group) == ("shop", Label.REAL, True, "shop")


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="manifest"):
        read_manifest(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("path,part\n", encoding="utf-8")
    with pytest.raises(ContractError, match="label"):
        read_manifest(tmp_path)


def test_the_source_split_by_topic_has_a_group_a_topic() -> None:
    groups = {a_picture("teenbiscuits", number).group for number in range(40)}
    assert groups == {"teenbiscuits/0", "teenbiscuits/1"}


def test_a_source_whose_pictures_contradict_its_label_gives_none_of_that_label() -> None:
    pictures = [a_picture("berke", 1, label=Label.GENERATED), a_picture("berke", 2)]
    assert chosen(pictures, part="train", labels=list(Label)) == (pictures[1],)


@pytest.mark.parametrize(
    ("said", "name"),
    [("OpenAI gpt-image (2026 C2PA)", "OpenAI"), ("nano-banana", "Gemini"), ("Z-Image (ComfyUI)", "Z-Image"), ("", "other or unsaid")],
)
def test_a_generator_belongs_to_a_family(said: str, name: str) -> None:
    assert family(a_picture(generator=said)) == name


@given(st.lists(st.sampled_from([f"s{n}" for n in range(12)] + [f"teenbiscuits/{n}" for n in range(6)]), min_size=20, max_size=60), st.integers(0, 3))
def test_no_group_stands_on_both_sides_of_a_split(groups: list[str], seed: int) -> None:
    judged = []
    for learn, judge in held_out(groups, 3, seed):
        names = [{group for group, inside in zip(groups, side, strict=True) if inside} for side in (learn, judge)]
        assert not names[0] & names[1]
        judged.append(judge)
    assert all(sum(bool(judge[place]) for judge in judged) == 1 for place in range(len(groups)))
