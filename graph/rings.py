"""Candidate rings as of a moment: groups of claimants held together by discounted entities, each scored, named and explained.

Read `uses.py` (what was known), `hubs.py` (what an entity says), `communities.py` (ties and groups), `lineage.py` (names) and then this file.
A ring here is a question to an analyst, not an answer: it becomes one when somebody confirms it (`judgements.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from graph.communities import Ties, communities, ties
from graph.hubs import CERTAIN, discounted, entities_of
from graph.judgements import InForce, Judgement, Verdict, in_force
from graph.lineage import Named, Step, Turn, name_groups
from graph.ring_measures import Held, Measures, measures
from graph.ring_score import score
from graph.uses import Seen, seen_before

LEAST_MEMBERS = 2
"""Two claimants are enough to be looked at when nearly everything speaks for it: a ring is seen earlier than by waiting for its third."""

LISTED_FROM = 0.15
"""Score from which a ring is shown to an analyst: chosen on the markets that the score was fitted on, for speed at seven in ten that are rings."""

LIKELY_FROM = 0.5
"""Score below which a listed ring is an early warning: it is less likely a ring than not."""

SAME_RING = 0.5
"""A refuted ring stays refuted while it shares at least this part of its members (of both together) with those it was judged for."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A candidate ring as of the build's moment.

    score: 0..1, the probability that it is a ring (`ring_score.py`). belonging: 0..1, mean over members of the probability that a tie to the others
    is real. busy_claims: claims in its busiest 30 days. close_claims: claims sent within a day of another member's. amount_minor: claimed in all,
    null when no amount is known. confirmed and cleared: requests of members judged abuse and honest. hubs: entities that members share too, and
    that say nothing because strangers do as well. verdict: of the analyst's judgement in force, null for none.
    """

    ring_id: str
    members: tuple[str, ...]
    entities: tuple[Held, ...]
    hubs: tuple[Held, ...]
    score: float
    belonging: float
    claims: int
    busy_claims: int
    close_claims: int
    span_days: float
    amount_minor: int | None
    confirmed: int
    cleared: int
    first_seen: datetime
    first_claim: datetime
    last_claim: datetime
    listed_since: datetime | None
    verdict: Verdict | None = None

    @property
    def listed(self) -> bool:
        """Whether an analyst should see it: refuted ones are not shown, confirmed ones always."""
        return self.verdict is Verdict.CONFIRMED or (self.verdict is not Verdict.REFUTED and self.score >= LISTED_FROM)

    @property
    def early(self) -> bool:
        """Whether it is listed though it is less likely a ring than not, and nobody confirmed it."""
        return self.listed and self.score < LIKELY_FROM and self.verdict is not Verdict.CONFIRMED


@dataclass(frozen=True, slots=True)
class Build:
    """All rings as of a moment, best first, what became of those of the build before, and the members of rings that have ended."""

    as_of: datetime
    rings: tuple[Ring, ...]
    steps: tuple[Step, ...] = ()
    ended: Mapping[str, tuple[str, ...]] | None = None


def build_rings(tables: Mapping[str, pl.DataFrame], as_of: datetime, judgements: Sequence[Judgement] = (), before: Build | None = None) -> Build:
    """The rings as of a moment from what was known strictly before it; names and `listed_since` go on from the build before.

    Equal arguments give equal builds.
    """
    said = in_force(judgements, as_of)
    return _build(groups_of(tables, as_of, said), as_of, said, before)


def groups_of(tables: Mapping[str, pl.DataFrame], as_of: datetime, said: InForce) -> list[Measures]:
    """Every group of claimants as of a moment, measured; `said` is what analysts' word holds then."""
    seen = without_refuted(seen_before(tables, as_of), said)
    entities = confirmed_entities(discounted(entities_of(seen)), said)
    found = kept_together(ties(seen, entities), said)
    group = communities(found.pairs, len(found.claimants))
    everyone = pl.DataFrame({"buyer": found.claimants, "group": group}).with_columns(size=pl.len().over("group"))
    members = everyone.filter(pl.col("size") >= LEAST_MEMBERS).drop("size").sort("group", "buyer")
    return measures(seen, entities, found, members)


def without_refuted(seen: Seen, said: InForce) -> Seen:
    """What was seen, less the uses that analysts refuted."""
    uses = seen.uses
    for each in (*said.entities, *said.links):
        if each.verdict is Verdict.REFUTED:
            same = (pl.col("entity_type") == str(each.entity_type)) & (pl.col("entity_id") == each.entity_id)
            uses = uses.filter(~(same if each.account_id is None else same & (pl.col("buyer") == each.account_id)))
    return seen._replace(uses=uses)


def confirmed_entities(entities: pl.DataFrame, said: InForce) -> pl.DataFrame:
    """The entities, those that analysts confirmed as tools of a ring with the largest weight."""
    names = [f"{each.entity_type}\x00{each.entity_id}" for each in said.entities if each.verdict is Verdict.CONFIRMED]
    sure = pl.concat_str("entity_type", "entity_id", separator="\x00").is_in(names)
    return entities.with_columns(weight=pl.when(sure).then(CERTAIN).otherwise("weight"))


def kept_together(found: Ties, said: InForce) -> Ties:
    """The ties, and the strongest ones between all members of each confirmed ring."""
    code = {name: number for number, name in enumerate(found.claimants)}
    rows = []
    for each in said.rings:
        if each.verdict is Verdict.CONFIRMED:
            known = sorted(code[name] for name in set(each.members) if name in code)
            rows += [(one, other, CERTAIN) for place, one in enumerate(known) for other in known[place + 1 :]]
    if not rows:
        return found
    more = pl.DataFrame(rows, schema={"a": pl.Int32, "b": pl.Int32, "weight": pl.Float64}, orient="row").with_columns(shared=pl.lit(0, pl.UInt32))
    pairs = pl.concat([found.pairs, more.select(found.pairs.columns)]).group_by("a", "b")
    return found._replace(pairs=pairs.agg(pl.col("shared").max(), pl.col("weight").max()).sort("a", "b"))


def _build(measured: Sequence[Measures], as_of: datetime, said: InForce, before: Build | None) -> Build:
    old = {ring.ring_id: ring for ring in before.rings} if before else {}
    ended = dict(before.ended or {}) if before else {}
    earlier = ended | {ring_id: ring.members for ring_id, ring in old.items()}
    named = name_groups([each.members for each in measured], earlier, as_of)
    rings = [_ring(ring_id, each, as_of, said, old.get(ring_id)) for ring_id, each in zip(named.ring_ids, measured, strict=True)]
    rings.sort(key=lambda ring: (-ring.score, -(ring.amount_minor or 0), ring.ring_id))
    steps = tuple(step for step in named.steps if step.turn is not Turn.ENDED or step.ring_id in old)
    return Build(as_of, tuple(rings), steps, _ended(named, earlier))


def _ended(named: Named, earlier: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The members of rings that have ended, by name, to know them again."""
    return {step.ring_id: tuple(earlier[step.ring_id]) for step in named.steps if step.turn is Turn.ENDED}


def _ring(ring_id: str, each: Measures, as_of: datetime, said: InForce, old: Ring | None) -> Ring:
    ring = Ring(
        ring_id=ring_id,
        members=each.members,
        entities=each.entities,
        hubs=each.hubs,
        score=score(each),
        belonging=each.belonging,
        claims=each.claims,
        busy_claims=each.busy_claims,
        close_claims=each.close_claims,
        span_days=each.span_days,
        amount_minor=each.amount_minor,
        confirmed=each.confirmed,
        cleared=each.cleared,
        first_seen=_moment(each.first_us),
        first_claim=_moment(each.first_claim_us),
        last_claim=_moment(each.last_claim_us),
        listed_since=old.listed_since if old else None,
        verdict=_verdict(ring_id, each.members, said),
    )
    return replace(ring, listed_since=as_of) if ring.listed and ring.listed_since is None else ring


def _verdict(ring_id: str, members: Sequence[str], said: InForce) -> Verdict | None:
    """The verdict on a ring: the one said of its name, or of another ring made of the same people."""
    for each in sorted(said.rings, key=lambda each: (each.ring_id != ring_id, each.at)):
        judged = set(each.members)
        alike = len(judged & set(members)) / len(judged | set(members))
        if alike >= SAME_RING or (each.ring_id == ring_id and each.verdict is not Verdict.REFUTED):
            return each.verdict
    return None


def _moment(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
