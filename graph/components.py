"""Component facts: how large is the group of accounts that this buyer belongs to, how old, and how much abuse was confirmed in it.

The question is the request's account together with the entities that the request itself comes with (its device, its address, ...), so a new
account on a known device is seen as part of the group it joins. Everything else is strictly before as_of. A request whose buyer is not
known is taken as a buyer never seen before. In batch here and live in `live_components.py` the same functions of `union_find.py` work on the same
arrays.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from data_contracts.link import EntityType
from data_contracts.timeline import Entity
from graph.events import Events, Names, Questions, all_events, all_questions, asked, merging_links, name_nodes
from graph.judgements import Judgement
from graph.playing import answer
from graph.refuted import Refuted, refuted
from graph.skipping import EVERYBODY, NONE, masked, switch, turns
from graph.union_find import NO_LINK, Forest, Ints, empty_forest, wind_back

DAY_US = 86_400_000_000

COMPONENT_FEATURES = ("component_accounts", "component_entities", "component_age_days", "component_abuse")


def component_facts(tables: Mapping[str, pl.DataFrame], judgements: Sequence[Judgement] = ()) -> pl.DataFrame:
    """request_id and COMPONENT_FEATURES (Float64), one row a request in the order of `refund_requests`.

    A link or an entity that was judged refuted joins nobody for requests asked while that holds. Null: no links table; the buyer is not known and
    the request comes with no entity; age: no link known by then; abuse: no labels table.
    """
    ids = tables["refund_requests"].select("request_id")
    if "links" not in tables:
        return ids.with_columns(pl.lit(None, pl.Float64).alias(name) for name in COMPONENT_FEATURES)
    names, requests, links = name_nodes(asked(tables), merging_links(tables))
    questions = all_questions(links, requests)
    events = all_events(links, tables.get("labels"), requests, names)
    forest = _forest_for(events, names, len(ids))
    answers = _answers(forest, events, questions, _coded_refuted(refuted(judgements), names))
    known = np.zeros(len(ids), dtype=bool)
    known[questions.row] = (questions.account >= 0) | (np.diff(questions.start) > 0)
    aged = known & (answers[:, 3] != NO_LINK)
    age = np.where(aged, requests["as_of_us"].to_numpy() - answers[:, 3], 0) / DAY_US
    columns = (
        _number(answers[:, 0], known),
        _number(answers[:, 1], known),
        _number(age, aged),
        _number(answers[:, 2], known & ("labels" in tables)),
    )
    return ids.with_columns(column.alias(name) for name, column in zip(COMPONENT_FEATURES, columns, strict=True))


CodedRefuted = list[tuple[Refuted, int, int]]
"""What is refuted, with the codes of its entity and its account (EVERYBODY for the entity as a whole)."""


def _coded_refuted(found: Sequence[Refuted], names: Names) -> CodedRefuted:
    """Those of entities and accounts that there are."""
    if not found:
        return []
    entities = {Entity(EntityType(kind), name): code for code, (kind, name) in enumerate(names.entities.names.iter_rows())}
    accounts = {name: code for code, name in enumerate(names.accounts.names["account_id"])}
    coded_ones = [(each, entities.get(each.entity), EVERYBODY if each.account_id is None else accounts.get(each.account_id)) for each in found]
    return [(each, entity, account) for each, entity, account in coded_ones if entity is not None and account is not None]


def _answers(forest: Forest, events: Events, questions: Questions, said: CodedRefuted) -> Ints:
    """Accounts, entities, abuse and oldest link for each request's row; where another thing is refuted, the links since then are played again."""
    answers = np.zeros((len(questions.row), 4), dtype=np.int64)
    asker = np.repeat(questions.account, np.diff(questions.start))
    roots = np.empty(int(np.diff(questions.start).max(initial=0)) + 1, dtype=np.int64)
    done, skipped = 0, NONE
    for first, last in turns([each for each, *_ in said], questions.as_of_us):
        as_of_us = int(questions.as_of_us[first])
        now = frozenset((entity, account) for each, entity, account in said if each.from_us < as_of_us <= each.until_us)
        changed = switch(events, len(events.kind), skipped, now)
        if changed is not None and changed < done:
            known_us = int(events.known_us[changed])
            wind_back(forest, known_us)
            done = int(np.searchsorted(events.known_us, known_us))
        skipped = now
        asked_now = questions._replace(entity=masked(questions.entity, asker, now)) if now else questions
        done = answer(forest, events, done, asked_now, (first, last), (answers, roots))
    rows = np.empty_like(answers)
    rows[questions.row] = answers
    return rows


def _forest_for(events: Events, names: Names, requests: int) -> Forest:
    """An empty forest with room for these events."""
    labels = int(np.count_nonzero(events.kind))
    return empty_forest(len(names.accounts.first), len(names.entities.first), requests, len(events.kind) - labels, labels)


def _number(values: np.ndarray, known: np.ndarray) -> pl.Series:
    return pl.Series(np.where(known, values, np.nan)).fill_nan(None)
