"""Training on a small made-up shelf: nothing of a source judges itself, limits keep their promise."""

from dataclasses import replace

import numpy as np

from models.authenticity.fitting import AS_IS_WAY, Rows, Settings, build, evenly, judge_held_out, limit, specialist_rows, weights
from models.authenticity.manifest import Label, Picture
from models.authenticity.train import WAY_TYPE, family_left_out, held_out_figures, trained_on


def made_up(seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    pictures = []
    for source in ("teenbiscuits", *(f"evidence-{n}" for n in range(4)), *(f"goods-{n}" for n in range(4)), "both"):
        for number in range(30):
            labels = {"evidence": [Label.REAL], "goods": [Label.GENERATED]}.get(source.split("-")[0], [Label.REAL, Label.GENERATED])
            label = labels[number % len(labels)]
            stored = "crop on the grid" if number % 3 == 0 else "whole"
            generator = "OpenAI" if label is Label.GENERATED and number % 2 else ""
            pictures.append(Picture(f"train/{label}/{source}/{number}.jpg", "train", label, generator, source, f"x/{number:03d}.jpg", stored, ""))
    generated = np.array([p.label is Label.GENERATED for p in pictures])
    whole = rng.normal(size=(len(pictures), 8)).astype(np.float32)
    whole[:, 0] += 3 * generated
    traces = rng.normal(size=(len(pictures), 5)).astype(np.float32)
    traces[:, 1] += 3 * (generated & np.array([p.source == "teenbiscuits" for p in pictures]))
    traces[[p.is_whole for p in pictures]] = np.nan
    return Rows(tuple(pictures), whole, traces, generated.astype(np.float64), np.full(len(pictures), AS_IS_WAY, WAY_TYPE))


def twice(rows: Rows, way: str) -> Rows:
    """Every picture again, after a delivery that changed nothing."""
    whole, traces = (np.concatenate([part, part]) for part in (rows.whole, rows.traces))
    ways = np.concatenate([rows.ways, np.full(rows.ways.size, way, WAY_TYPE)])
    return Rows((*rows.pictures, *rows.pictures), whole, traces, np.concatenate([rows.soft, rows.soft]), ways)


def test_a_model_is_built_that_tells_the_made_up_classes_apart() -> None:
    rows = made_up()
    model, seen, _ = build("tower", rows, Settings(gate_directions=3))
    figures = held_out_figures(rows, model, seen)
    assert figures["goods against evidence"] > 0.95
    assert figures["both"] > 0.9
    assert figures["as is"]["real called generated"] <= 0.01
    assert 0 < model.limits.authentic_to < model.limits.generated_from < 1


def test_a_label_of_the_judged_source_changes_nothing_in_its_judgement() -> None:
    rows = made_up()
    before = judge_held_out(rows, Settings())
    own = rows.sources == "both"
    turned = replace(rows, soft=np.where(own, 1 - rows.soft, rows.soft))
    after = judge_held_out(turned, Settings())
    assert np.array_equal(before.whole[own], after.whole[own])
    assert not np.array_equal(before.whole[~own], after.whole[~own])


def test_the_specialist_learns_from_cuts_of_its_generator_and_of_every_real_source() -> None:
    rows = made_up()
    mine = specialist_rows(rows)
    assert set(rows.sources[mine & rows.generated]) == {"teenbiscuits"}
    assert {f"evidence-{n}" for n in range(4)} <= set(rows.sources[mine & ~rows.generated])
    assert rows.has_traces[mine].all()


def test_both_classes_weigh_the_same() -> None:
    rows = made_up()
    weights = evenly(rows)
    assert np.isclose(weights[rows.generated].sum(), weights[~rows.generated].sum())


def test_a_family_is_judged_by_heads_that_never_saw_it() -> None:
    rows = made_up()
    said: list[str] = []
    found = family_left_out(rows, Settings(), said.append)
    assert found["OpenAI"]["pictures"] == int(sum(p.generator == "OpenAI" for p in rows.pictures))
    assert found["OpenAI"]["auc"] is not None
    assert found["OpenAI"]["auc"] > 0.9
    assert found["Flux"] == {"pictures": 0, "auc": None, "low": None, "high": None}


def test_the_card_counts_every_picture() -> None:
    rows = made_up()
    counted = trained_on(rows)
    assert counted["pictures"] == sum(sum(counted[label].values()) for label in ("real", "generated"))
    assert counted["rows by way"] == {"as is": len(rows.pictures)}


def test_a_delivered_cut_counts_for_the_traces_only() -> None:
    rows = twice(made_up(), "saved")
    given = weights(rows, Settings(cut_weight=0.5, delivered_weight=0.25))
    is_whole = np.array([p.is_whole for p in rows.pictures])
    kept = rows.ways == AS_IS_WAY
    assert set(given[is_whole & kept]) == {1.0}
    assert set(given[is_whole & ~kept]) == {0.25}
    assert set(given[~is_whole & kept]) == {0.5}
    assert set(given[~is_whole & ~kept]) == {0.0}


def test_a_way_of_delivery_that_raises_the_scores_of_real_photos_raises_the_limit() -> None:
    rows = twice(made_up(), "screenshot")
    rng = np.random.default_rng(3)
    score = np.where(rows.generated, 0.9, rng.uniform(0, 0.5, len(rows.pictures)))
    calm = limit(rows, score, Settings()).generated_from
    shifted = np.where((rows.ways == "screenshot") & ~rows.generated, score + 0.3, score)
    assert limit(rows, shifted, Settings()).generated_from > calm + 0.2


def test_at_most_the_allowed_share_of_any_way_lies_above_the_limit() -> None:
    rows = twice(made_up(), "cropped")
    score = np.random.default_rng(5).uniform(0, 1, len(rows.pictures))
    bought = limit(rows, score, Settings(false_alarms=0.05)).generated_from
    for way in set(rows.ways):
        own = (rows.ways == way) & ~rows.generated
        assert (score[own] > bought).mean() <= 0.05
