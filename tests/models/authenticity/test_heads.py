"""The linear head and the gate."""

import numpy as np

from models.authenticity.gate import fit_gate
from models.authenticity.heads import fit


def two_clouds(count: int = 200, columns: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    generated = (np.arange(count) % 2).astype(np.float64)
    rows = rng.normal(size=(count, columns)).astype(np.float32)
    rows[:, 0] += 2 * generated
    return rows, generated


def test_a_head_finds_the_column_that_tells() -> None:
    rows, generated = two_clouds()
    head = fit(rows, generated, np.ones(generated.size), 1e-4)
    assert np.abs(head.weight).argmax() == 0
    assert ((head(rows) > 0) == (generated == 1)).mean() > 0.8


def test_a_fit_is_the_same_twice() -> None:
    rows, generated = two_clouds()
    first, second = (fit(rows, generated, np.ones(generated.size), 1e-3) for _ in range(2))
    assert np.array_equal(first.weight, second.weight)
    assert first.bias == second.bias


def test_contributions_add_up_to_the_log_odds() -> None:
    rows, generated = two_clouds()
    head = fit(rows, generated, np.ones(generated.size), 1e-3)
    assert np.allclose(head.contributions(rows).sum(axis=1) + head.bias, head(rows), atol=1e-4)


def test_rows_without_weight_teach_nothing() -> None:
    rows, generated = two_clouds()
    weights = np.ones(generated.size)
    weights[100:] = 0
    spoiled = generated.copy()
    spoiled[100:] = 1 - spoiled[100:]
    kept, fooled = fit(rows, generated, weights, 1e-3), fit(rows, spoiled, weights, 1e-3)
    assert np.allclose(kept.weight, fooled.weight, atol=1e-4)


def test_one_wild_number_cannot_shout_down_the_rest() -> None:
    rows, generated = two_clouds()
    head = fit(rows, generated, np.ones(generated.size), 1e-3)
    wild = rows[:1].copy()
    wild[0, 3] = 1e9
    assert abs(float(head(wild)[0] - head(rows[:1])[0])) <= 10 * abs(float(head.weight[3])) + 1e-5


def test_the_gate_calls_its_promised_share_far_and_strangers_too() -> None:
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(400, 20)) @ rng.normal(size=(20, 20))).astype(np.float32)
    gate = fit_gate(rows, directions=5, share_far=0.01)
    assert gate.is_far(rows).mean() <= 0.015
    assert gate.is_far(rows[:3] * 40).all()
