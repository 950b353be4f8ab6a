"""An evaluation as a page that a person reads: one HTML file with its pictures inside, and the same pictures as PNG files."""

import base64
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from models.ranker.artifact import Artifact
from models.ranker.evaluate import SHARES, Evaluation
from models.ranker.pictures import SHOWN, in_whole, pictures

SHARE_FIGURES = {
    "honest_approved": "honest requests approved at once",
    "honest_blocked": "honest requests blocked",
    "review_share": "requests sent to a person",
}

NOTES = (
    "Every request was judged by a model trained before it came, on labels known by then; features see only what was known before it.",
    "Intervals draw whole accounts with replacement (percentile bootstrap). They hold the model fixed: training luck is not in them.",
    "Recall at 5% review is the share of all abuse among the 5% highest scores. A team that looks at other requests finds other shares.",
    "On real data only checked requests have an outcome, and checks are not drawn by lot: these figures describe the checked ones.",
    "Money uses the policy's prices. Other prices give other sums; the order of the alternatives matters more than the digits.",
)


def write_report(evaluation: Evaluation, artifact: Artifact | None, folder: Path) -> Path:
    """Write `report.html` and one PNG a picture into the folder; the path of the page comes back."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures(evaluation, artifact)
    for name, content in drawn.items():
        (folder / f"{name}.png").write_bytes(content)
    page = folder / "report.html"
    page.write_text(render(evaluation, artifact, drawn), encoding="utf-8")
    return page


def render(evaluation: Evaluation, artifact: Artifact | None, drawn: Mapping[str, bytes]) -> str:
    """The page as text; it refers to nothing outside itself."""
    figures: Mapping[str, Any] = evaluation.figures
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(files("models.ranker").joinpath("report.html").read_text(encoding="utf-8"))
    minor = in_whole(figures["money"].get("currency"))
    embedded = {name: f"data:image/png;base64,{base64.b64encode(content).decode()}" for name, content in drawn.items()}
    return template.render(
        title="What the ranker is worth",
        subtitle=_subtitle(figures["data"], artifact),
        cards=_cards(figures),
        data=figures["data"],
        currency=figures["money"].get("currency") or "whole units",
        money=_money(figures["money"], minor),
        money_note=figures["money"].get("note", ""),
        ece=_number(figures["ece"]["value"]),
        comparison=_comparison(figures),
        ablation=_ablation(figures["ablation"], minor),
        archetypes=_archetypes(evaluation),
        pictures={name: embedded.get(name, "") for name in ("money", "precision_recall", "reliability", "families", "importance")},
        shown=SHOWN,
        notes=NOTES,
    )


def _subtitle(data: Mapping[str, Any], artifact: Artifact | None) -> str:
    model = f"model {artifact.version}" if artifact is not None else f"{data.get('models', 'several')} models, rolling in time"
    about = f"{data['requests']:,} requests from {data['from'][:10]} to {data['to'][:10]}, {data['abuse']:,} abuse"
    return f"{model} · {about} · outcomes: {data['outcomes']}"


def _cards(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    chosen = [("ROC AUC", figures["auc"]), ("average precision", figures["ap"]), ("recall at 5% review", figures["recall_at"]["0.05"])]
    cards = [{"name": name, "value": _number(leaf["value"]), "range": _range(leaf)} for name, leaf in chosen]
    shares = [("honest approved", "honest_approved"), ("honest blocked", "honest_blocked"), ("sent to a person", "review_share")]
    cards += [{"name": name, "value": _percent(figures[key]["value"]), "range": _range(figures[key], percent=True)} for name, key in shares]
    return cards


def _money(money: Mapping[str, Any], minor: int) -> list[dict[str, str]]:
    rows = [("approving all", money["saved_against_approve_all"]), ("the plain rules", money["saved_against_rules"])]
    rows += [(f"the same model without {family}", leaf) for family, leaf in money.get("saved_against_without", {}).items()]
    return [{"name": name, "value": _units(leaf["value"], minor), "range": _range(leaf, minor=minor)} for name, leaf in rows]


def _comparison(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    rows: list[tuple[str, Any, Any, bool]] = [("ROC AUC", figures["auc"], figures["rules"]["auc"], False)]
    rows.append(("average precision", figures["ap"], figures["rules"]["ap"], False))
    for share in SHARES:
        key = f"{share:.2f}"
        rows.append((f"recall at {share:.0%} review", figures["recall_at"][key], figures["rules"]["recall_at"][key], True))
    rows += [(name, figures[key], figures["rules"][key], True) for key, name in SHARE_FIGURES.items()]
    return [
        {
            "name": name,
            "model": (_percent if percent else _number)(model["value"]),
            "model_range": _range(model, percent=percent),
            "rules": (_percent if percent else _number)(rules["value"]),
            "rules_range": _range(rules, percent=percent),
        }
        for name, model, rules, percent in rows
    ]


def _ablation(ablation: Mapping[str, Any], minor: int) -> list[dict[str, str]]:
    return [
        {
            "family": family,
            "auc": _number(leaf["auc"]["value"]),
            "ap": _number(leaf["ap"]["value"]),
            "lost": _number(leaf["ap_lost"]["value"]),
            "lost_range": _range(leaf["ap_lost"]),
            "saved": _units(leaf["saved"]["value"], minor),
            "saved_range": _range(leaf["saved"], minor=minor),
        }
        for family, leaf in ablation.items()
    ]


def _archetypes(evaluation: Evaluation) -> list[dict[str, Any]]:
    keys = ("share_approve", "share_review", "share_block", "in_top_0.05", "in_top_0.10")
    return [
        {
            "archetype": row["archetype"],
            "cells": [
                f"{row['requests']:,}",
                f"{row['abuse']:,.0f}",
                *(_percent(float(row[key])) for key in keys),
                _number(float(row["ap"])) if "ap" in row else "",
            ],
        }
        for row in evaluation.archetypes
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _units(value: float | None, minor: int) -> str:
    return "-" if value is None else f"{value / minor:,.0f}"


def _range(leaf: Mapping[str, Any], *, percent: bool = False, minor: int | None = None) -> str:
    low, high = leaf["ci"]
    if minor is not None:
        return f"{_units(low, minor)} to {_units(high, minor)}"
    show = _percent if percent else _number
    return f"{show(low)} to {show(high)}"
