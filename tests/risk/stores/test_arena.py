"""Timelines in one block of memory are what plain lists would hold, however they grow, move and leave; and what somebody looks at stays as it was."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.link import EntityType
from data_contracts.marks import Shape, Stretches
from data_contracts.timeline import COLUMNS, TIMELINE_LIMIT, Entity, Marks, Stream
from features.glance import Layout, windowed
from features.plan import groups
from features.reach import LOOK_BACK, STREAMS
from features.views.behaviour import BEHAVIOUR
from risk.stores.arena import Arena
from risk.stores.arena_kernel import KNOWN, SPARE, STREAM_PLACES

KINDS = (EntityType.ACCOUNT, EntityType.SELLER, EntityType.DEVICE)
Key = tuple[int, Stream]


def events(first: int, count: int) -> Marks:
    """So many events, known one after the other; their numbers tell them apart."""
    found = np.zeros((count, len(COLUMNS)), np.int64)
    found[:] = np.arange(first, first + count)[:, None]
    return found


@dataclass
class Plain:
    """What an arena should hold: the moments of each timeline's events."""

    arena: Arena = field(default_factory=Arena)
    kinds: dict[int, EntityType] = field(default_factory=dict)
    moments: dict[Key, list[int]] = field(default_factory=dict)
    now: int = 10**16

    def enter(self, kind: EntityType, count: int) -> None:
        place = self.arena.enter(kind)
        assert place not in self.kinds
        self.kinds[place] = kind
        for stream in STREAMS[kind]:
            self.moments[place, stream] = list(range(self.now, self.now + count))
            self.arena.put(place, stream, events(self.now, count), 0)
        self.now += count

    def add(self, times: int) -> None:
        """The same new events on every timeline, as often as asked."""
        for _ in range(times):
            more = events(self.now, 2)
            told = [each for number in range(2) for place, stream in self.moments for each in (place, STREAM_PLACES[stream], number)]
            assert self.arena.add(told, more) == []
            for moments in self.moments.values():
                moments.extend(more[:, KNOWN].tolist())
            self.now += 2

    def leave(self, place: int) -> None:
        self.arena.leave(place)
        for stream in STREAMS[self.kinds.pop(place)]:
            del self.moments[place, stream]

    def seen(self) -> dict[Key, list[int]]:
        places = sorted(self.kinds)
        bounds = self.arena.bounds(places, self.now, ())
        keys = [(place, stream) for place in places for stream in STREAMS[self.kinds[place]]]
        return {key: self.arena.rows[first:end, KNOWN].tolist() for key, (first, end, _) in zip(keys, bounds.tolist(), strict=True)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.tuples(st.sampled_from(KINDS), st.integers(0, 300)), st.integers(1, 40), st.just(None)), max_size=25))
def test_timelines_hold_what_plain_lists_would(steps: list[tuple[EntityType, int] | int | None]) -> None:
    plain, most = Plain(), 0
    for step in steps:
        plain.arena.begin()
        before = (plain.arena.rows, plain.arena.bounds(sorted(plain.kinds), plain.now, ()))
        looked = [before[0][first:end].copy() for first, end, _ in before[1].tolist()]
        if isinstance(step, tuple):
            plain.enter(*step)
        elif isinstance(step, int):
            plain.add(step)
        elif plain.kinds:
            plain.leave(min(plain.kinds))
        if plain.kinds:
            plain.arena.loose(events(0, 1))
        assert plain.seen() == plain.moments
        assert plain.arena.room == plain.arena.spans[:, :, 2].sum() >= sum(map(len, plain.moments.values()))
        most = max(most, plain.arena.room)
        assert len(plain.arena.rows) <= max(4_096, 4 * most)
        assert all(np.array_equal(before[0][first:end], there) for (first, end, _), there in zip(before[1].tolist(), looked, strict=True))


def test_a_timeline_that_grows_without_end_keeps_its_latest_events() -> None:
    plain = Plain()
    plain.enter(EntityType.SELLER, 0)
    plain.add(5 * TIMELINE_LIMIT)
    for key, moments in plain.seen().items():
        assert moments == plain.moments[key][-len(moments) :]
        assert TIMELINE_LIMIT + SPARE <= len(moments) <= 2 * (TIMELINE_LIMIT + SPARE)
    assert plain.arena.room < 4 * len(STREAMS[EntityType.SELLER]) * TIMELINE_LIMIT
    (place,) = plain.kinds
    assert plain.arena.lacking([(place, plain.now)]) == set()
    assert plain.arena.lacking([(place, plain.now - 4 * TIMELINE_LIMIT)]) == {place}


def test_an_event_that_is_not_the_latest_is_refused_and_one_that_nobody_looks_at_is_left_out() -> None:
    arena = Arena()
    place = arena.enter(EntityType.DEVICE)
    assert Stream.ORDER not in STREAMS[EntityType.DEVICE]
    arena.put(place, Stream.LINK, events(10, 3), 0)
    assert arena.add([place, STREAM_PLACES[Stream.ORDER], 0], events(1, 1)) == []
    assert arena.add([place, STREAM_PLACES[Stream.LINK], 0], events(13, 1)) == []
    assert arena.add([place, STREAM_PLACES[Stream.LINK], 0], events(13, 1)) == [place]


def test_a_timeline_is_lacking_where_it_begins_too_late_for_the_question() -> None:
    arena, begins = Arena(), 10**16
    place = arena.enter(EntityType.SELLER)
    for stream in STREAMS[EntityType.SELLER]:
        arena.put(place, stream, events(0, 0), begins)
    back = max(LOOK_BACK[EntityType.SELLER, stream] or begins for stream in STREAMS[EntityType.SELLER])
    assert arena.lacking([(place, begins + back)]) == set()
    assert arena.lacking([(place, begins + back - 1)]) == {place}


@pytest.mark.parametrize("limit", [1, 3, 7, 2_000])
@pytest.mark.parametrize("known", [5, 12, 15, 19, 40])
def test_an_event_that_stands_elsewhere_counts_at_its_place(limit: int, known: int) -> None:
    layout = Layout(groups(BEHAVIOUR))
    key = (Entity(EntityType.ACCOUNT, "a"), Stream.ORDER)
    table = np.concatenate([events(10, 10), events(known, 1)])
    apart = Stretches([key[0]], Shape([(key[0].type, key[1])], [0]), table, np.array([[0, 10, 10]], np.int64))
    together = Stretches.of({key: apart[key]})
    group = layout.groups_of(apart.shape, frozenset(Stream))
    assert apart.events == together.events == len(apart[key]) == 11
    assert np.all(np.diff(together.table[:, KNOWN]) >= 0)
    for as_of_us in (4, 13, 20, 50):
        asked = (as_of_us, "a", limit)
        assert np.array_equal(windowed(layout, apart, group, asked), windowed(layout, together, group, asked), equal_nan=True)


def test_rooms_that_were_left_are_used_again_and_nothing_is_copied() -> None:
    plain = Plain(Arena(1 << 15))
    block = plain.arena.rows
    for turn in range(200):
        plain.arena.begin()
        plain.enter(KINDS[turn % 3], 30 * (turn % 9))
        plain.add(7)
        plain.arena.loose(events(0, 1))
        if len(plain.kinds) > 5:
            plain.leave(next(iter(plain.kinds)))
    assert plain.arena.rows is block
    assert plain.seen() == plain.moments
