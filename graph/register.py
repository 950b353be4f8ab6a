"""Codes of names in the order in which they came; a name is kept as its mark, so ten million take 240 MB. Compiled code looks up and enters."""

from typing import NamedTuple

import numpy as np

from data_contracts.machine_code import in_place
from graph.neighbour_state import enter_all, slot_of
from graph.union_find import Codes, Ints


class Register(NamedTuple):
    """Open addressing: the mark in each slot (0: free) and its code; `top` holds how many there are."""

    keys: Ints
    codes: Codes
    top: Ints


def register_of(known: Ints) -> Register:
    """These marks, in their order, with room for as many again."""
    count = len(known)
    slots = 1 << max(6, (4 * count).bit_length())
    found = Register(np.zeros(slots, np.int64), np.zeros(slots, np.int32), np.array([count], np.int64))
    enter_all(found.keys, found.codes, known, np.arange(count, dtype=np.int32))
    return found


def with_names(register: Register, more: int) -> Register:
    """The register with room for so many more names; the same where there is enough."""
    needed = 2 * (int(register.top[0]) + more)
    if needed <= len(register.keys):
        return register
    used = register.keys != 0
    slots = 1 << (2 * needed).bit_length()
    roomy = Register(np.zeros(slots, np.int64), np.zeros(slots, np.int32), register.top)
    enter_all(roomy.keys, roomy.codes, register.keys[used], register.codes[used])
    return roomy


@in_place
def code_of(register: Register, key: int) -> int:
    """The code of a mark, -1 when it is new."""
    slot = slot_of(register.keys, key)
    return int(register.codes[slot]) if register.keys[slot] else -1


@in_place
def enter(register: Register, key: int) -> int:
    """The code of a mark that is new; it needs room."""
    slot = slot_of(register.keys, key)
    code = int(register.top[0])
    register.keys[slot], register.codes[slot] = key, code
    register.top[0] = code + 1
    return code
