"""Codes of names in the order in which they came; a name is kept as its mark, so ten million take 240 MB. Compiled code looks up and enters."""

from typing import NamedTuple

import numpy as np

from data_contracts.machine_code import in_place
from graph.neighbour_state import SLOT, enter_all, roomier, slot_of
from graph.union_find import Ints, Rows


class Register(NamedTuple):
    """Slots by mark, each with its code; `top` holds how many there are."""

    slots: Rows
    top: Ints


def register_of(known: Ints) -> Register:
    """These marks, in their order, with room for as many again."""
    count = len(known)
    found = Register(np.zeros(1 << max(6, (4 * count).bit_length()), SLOT), np.array([count], np.int64))
    enter_all(found.slots, known, np.arange(count, dtype=np.int32))
    return found


def with_names(register: Register, more: int) -> Register:
    """The register with room for so many more names; the same where there is enough."""
    needed = 2 * (int(register.top[0]) + more)
    return register if needed <= len(register.slots) else Register(roomier(register.slots, 2 * needed), register.top)


@in_place
def code_of(register: Register, key: int) -> int:
    """The code of a mark, -1 when it is new."""
    slot = slot_of(register.slots, key)
    return int(register.slots["value"][slot]) if register.slots["key"][slot] else -1


@in_place
def enter(register: Register, key: int) -> int:
    """The code of a mark that is new; it needs room."""
    slot = slot_of(register.slots, key)
    code = int(register.top[0])
    register.slots["key"][slot], register.slots["value"][slot] = key, code
    register.top[0] = code + 1
    return code
