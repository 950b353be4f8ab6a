"""Rings of a data set: find them, keep their names from build to build, take judgements, draw and export them.

Everything lies in the folder `rings/` of the data set: one file a build under `builds/`, and `judgements.jsonl`, which only ever grows.
"""

import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import ContractError, NotFoundError
from graph.explain import sentences
from graph.export import ring_graph, write
from graph.judgements import FILE, Judgement, Subject, Verdict, append, read
from graph.picture import draw
from graph.rings import Build, Ring, build_rings
from graph.uses import seen_before
from risk.jobs.read_tables import read_tables

_BUILD = TypeAdapter(Build)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RingsReport:
    """What a build found. `rings` are the listed ones, best first, as `told`; `early` and `members` count theirs.

    `turns` counts what became of earlier rings.
    """

    as_of: datetime
    build: str
    found: int
    listed: int
    early: int
    members: int
    turns: dict[str, int]
    rings: list[dict[str, Any]]


def rings(folder: Path, as_of: datetime | None = None) -> RingsReport:
    """Build the rings of a data set as of a moment (default: right after the last thing known) and keep the build.

    ContractError: the data set, an earlier build or a judgement cannot be read, or the folder cannot be written.
    """
    tables = read_tables(folder)
    moment = as_of or last_known(tables) + _MICROSECOND
    build = build_rings(tables, moment, read(folder / FILE), last_build(folder, before=moment))
    path = _write_build(folder, build)
    listed = [ring for ring in build.rings if ring.listed]
    turns: dict[str, int] = {}
    for step in build.steps:
        turns[step.turn] = turns.get(step.turn, 0) + 1
    members = sum(len(ring.members) for ring in listed)
    early = sum(ring.early for ring in listed)
    return RingsReport(moment, str(path), len(build.rings), len(listed), early, members, turns, [told(ring) for ring in listed])


def ring(folder: Path, ring_id: str, png: Path | None = None, export: Path | None = None) -> dict[str, Any]:
    """One ring of the last build, told in full, with its history; drawn to `png` and written to `export` when they are given.

    NotFoundError: no build, or no ring of that name in the last one. ContractError: a file cannot be read or written.
    """
    build = last_build(folder)
    if build is None:
        message = f"{folder} has no rings yet; `refund-risk rings {folder}` finds them"
        raise NotFoundError(message)
    found = next((each for each in build.rings if each.ring_id == ring_id), None)
    if found is None:
        message = f"no ring {ring_id} in the build of {build.as_of.isoformat()}; `refund-risk rings {folder}` lists them"
        raise NotFoundError(message)
    if png is not None or export is not None:
        graph = ring_graph(found, seen_before(read_tables(folder), build.as_of))
        if png is not None:
            draw(found, graph, png)
        if export is not None:
            write(graph, export)
    history = [asdict(step) for step in history_of(folder, ring_id)]
    said = [asdict(each) for each in read(folder / FILE) if each.subject is Subject.RING and each.ring_id == ring_id]
    return told(found) | {"history": history, "judgements": said}


@dataclass(frozen=True, slots=True)
class Said:
    """An analyst's word on a ring; `until` is its end, null for none."""

    verdict: Verdict
    by: str
    why: str
    at: datetime
    until: datetime | None = None


def judge_ring(folder: Path, ring_id: str, said: Said) -> Judgement:
    """Keep a judgement on a ring of the last build; the next build honours it. NotFoundError, ContractError: as `ring`."""
    members = tuple(ring(folder, ring_id)["members"])
    try:
        judgement = Judgement(subject=Subject.RING, **asdict(said), ring_id=ring_id, members=members)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = f"the judgement's {field}: {first['msg']}"
        raise ContractError(message, field=field) from error
    append(folder / FILE, judgement)
    return judgement


def told(each: Ring) -> dict[str, Any]:
    """A ring with its sentences, for a reader or a screen."""
    return asdict(each) | {
        "entities": [held._asdict() for held in each.entities],
        "hubs": [held._asdict() for held in each.hubs],
        "listed": each.listed,
        "early": each.early,
        "sentences": list(sentences(each)),
    }


def last_known(tables: dict[str, pl.DataFrame]) -> datetime:
    """When the last link, request or label became known. ContractError: there is none."""
    moments = [tables[name]["known_at"].max() for name in ("links", "refund_requests", "labels") if name in tables]
    known = [moment for moment in moments if isinstance(moment, datetime)]
    if not known:
        message = "the data set holds no link, request or label; expected at least one to find rings in"
        raise ContractError(message)
    return max(known)


def last_build(folder: Path, before: datetime | None = None) -> Build | None:
    """The latest build, or the latest one strictly before a moment; None when there is none. ContractError: its file is damaged."""
    names = sorted(path for path in (folder / "rings" / "builds").glob("*.json") if before is None or path.stem < _stem(before))
    return _read_build(names[-1]) if names else None


def history_of(folder: Path, ring_id: str) -> list[Any]:
    """Every step of a ring through all builds, in the order of time; steps of others that name it are among them."""
    builds = [_read_build(path) for path in sorted((folder / "rings" / "builds").glob("*.json"))]
    return [step for build in builds for step in build.steps if ring_id in (step.ring_id, step.other_id)]


def _stem(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S.%f}Z"


def _read_build(path: Path) -> Build:
    try:
        return _BUILD.validate_json(path.read_bytes())
    except ValidationError as error:
        message = f"{path} is no build of rings ({error.errors()[0]['msg']}); remove it, and `refund-risk rings` makes it again"
        raise ContractError(message) from error


def _write_build(folder: Path, build: Build) -> Path:
    """Write the build beside its place, then put it there in one step."""
    path = folder / "rings" / "builds" / f"{_stem(build.as_of)}.json"
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(_BUILD.dump_json(build))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror or error}); expected a folder with room that you may write to"
        raise ContractError(message) from error
    return path
