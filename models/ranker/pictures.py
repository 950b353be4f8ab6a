"""The pictures of a report, drawn without a screen: bytes of PNG files."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data_contracts.currency import minor_digits
from models.ranker.artifact import Artifact
from models.ranker.evaluate import FAMILIES, Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, PAPER = "#1d2733", "#8a97a6", "#ffffff"
COLOURS: Mapping[str, str] = {
    "model": "#1f6f8b",
    "rules": "#c98a2b",
    "image": "#7b5ea7",
    "behaviour": "#1f6f8b",
    "mismatch": "#b5493f",
    "links": "#3f8f5f",
    "context": "#8a97a6",
}
"""One colour for each family and each ranking, the same in every picture."""

SHOWN = 20
"""Features in the picture of importances."""

DOTS_PER_INCH = 144


def pictures(evaluation: Evaluation, artifact: Artifact | None) -> dict[str, bytes]:
    """PNG by name: precision_recall, reliability, money, families (when some were left out), importance (when the model is given)."""
    drawn = {"precision_recall": _precision_recall(evaluation), "reliability": _reliability(evaluation), "money": _money(evaluation.figures)}
    if evaluation.figures["ablation"]:
        drawn["families"] = _families(evaluation.figures)
    if artifact is not None:
        drawn["importance"] = _importance(importances(artifact)[:SHOWN])
    return drawn


def importances(artifact: Artifact) -> list[tuple[str, str, float]]:
    """Features with their family and their share of all the loss that the trees took away, largest first."""
    import lightgbm as lgb

    gain = lgb.Booster(model_str=artifact.booster_text).feature_importance("gain")
    total = gain.sum() or 1.0
    shares = [(feature.name, feature.family, float(part / total)) for feature, part in zip(artifact.card.features, gain, strict=True)]
    return sorted(shares, key=lambda item: (-item[2], item[0]))


def in_whole(currency: str | None) -> int:
    """Minor units in one whole unit, as shown to people; 100 when the currency is not known."""
    return int(10 ** minor_digits(currency or ""))


def _canvas(width: float, height: float) -> "tuple[Figure, Axes]":
    """A figure that belongs to no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(visible=True, color="#e6ebf0", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _png(figure: "Figure") -> bytes:
    """The figure as PNG, without the date, so that the same figures give the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def _precision_recall(evaluation: Evaluation) -> bytes:
    figure, axes = _canvas(6.4, 4.2)
    figures: Mapping[str, Any] = evaluation.figures
    for name, leaf in (("model", figures["ap"]), ("rules", figures["rules"]["ap"])):
        recall, precision = evaluation.curves[name]
        axes.step(recall, precision, where="pre", color=COLOURS[name], linewidth=2, label=f"{name}, AP {_short(leaf['value'])}")
    axes.set(xlabel="recall: share of all abuse that is found", ylabel="precision: share of it among the found", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    return _png(figure)


def _reliability(evaluation: Evaluation) -> bytes:
    figure, axes = _canvas(5.2, 4.2)
    said = [point["said"] for point in evaluation.reliability]
    happened = [point["happened"] for point in evaluation.reliability]
    spread = [1.96 * (rate * (1 - rate) / point["requests"]) ** 0.5 for rate, point in zip(happened, evaluation.reliability, strict=True)]
    top = max([*said, *happened, 0.05]) * 1.08
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1, linestyle="--", label="what is said happens")
    axes.errorbar(
        said, happened, yerr=spread, color=COLOURS["model"], marker="o", markersize=5, linewidth=1.2, capsize=2, label="the model, with 95% intervals"
    )
    axes.set(xlabel="probability that the score says", ylabel="share that was abuse", xlim=(0, top), ylim=(0, top))
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return _png(figure)


def _money(figures: Mapping[str, Any]) -> bytes:
    money = figures["money"]
    bars = [("approving all", money["saved_against_approve_all"], COLOURS["model"]), ("plain rules", money["saved_against_rules"], COLOURS["rules"])]
    without = money.get("saved_against_without", {})
    bars += [(f"without {family}", without[family], COLOURS[family]) for family in FAMILIES if family in without]
    currency = money.get("currency")
    return _bars(bars, f"saved against ... ({currency or 'money'}, whole units)", float(in_whole(currency)), ",.0f")


def _families(figures: Mapping[str, Any]) -> bytes:
    bars = [(family, leaf["ap_lost"], COLOURS[family]) for family, leaf in figures["ablation"].items()]
    return _bars(bars, "average precision that is lost without the family", 1.0, ".3g")


def _bars(bars: Sequence[tuple[str, Mapping[str, Any], str]], label: str, scale: float, form: str) -> bytes:
    """Horizontal bars with intervals, the first on top."""
    figure, axes = _canvas(6.4, 0.9 + 0.46 * len(bars))
    for place, (_, leaf, colour) in enumerate(reversed(bars)):
        value = (leaf["value"] or 0.0) / scale
        low, high = ((end if end is not None else leaf["value"] or 0.0) / scale for end in leaf["ci"])
        axes.barh(place, value, color=colour, height=0.62, alpha=0.9)
        axes.errorbar(value, place, xerr=[[max(value - low, 0.0)], [max(high - value, 0.0)]], color=INK, capsize=3, linewidth=1.1)
    axes.set_yticks(range(len(bars)), [name for name, _, _ in reversed(bars)])
    axes.axvline(0, color=QUIET, linewidth=1)
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:{form}}")
    return _png(figure)


def _importance(shares: Sequence[tuple[str, str, float]]) -> bytes:
    figure, axes = _canvas(6.4, 0.8 + 0.27 * max(len(shares), 1))
    axes.barh(
        range(len(shares)), [share for _, _, share in reversed(shares)], color=[COLOURS[family] for _, family, _ in reversed(shares)], height=0.7
    )
    axes.set_yticks(range(len(shares)), [name for name, _, _ in reversed(shares)], fontsize=8)
    axes.set_xlabel("share of the loss that the trees took away; colour: family")
    for family in dict.fromkeys(family for _, family, _ in shares):
        axes.barh([0], [0], color=COLOURS[family], label=family)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return _png(figure)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
