"""What to ask the buyer for, chosen by why nothing could be concluded: an honest person can answer it in a minute."""

from collections.abc import Sequence
from enum import StrEnum


class Why(StrEnum):
    """Why no verdict could be given, the plainest first."""

    SOURCES_DISAGREE = "sources_disagree"
    MARKS_CONFLICT = "marks_conflict"
    UNSIGNED_MARK = "unsigned_mark"
    DELIVERIES_DISAGREE = "deliveries_disagree"
    REGION_STANDS_OUT = "region_stands_out"
    SEEN_BEFORE = "seen_before"
    ORDER_MISMATCH = "order_mismatch"
    NOT_FIRST_HAND = "not_first_hand"
    FILE_CHANGED = "file_changed"
    TOO_SMALL = "too_small"
    UNLIKE_TRAINING = "unlike_training"
    SCORES_BETWEEN = "scores_between"
    NOT_CHECKED = "not_checked"


class Ask(StrEnum):
    """What an honest buyer can give: the codes of its texts."""

    ORIGINAL_FILE = "ASK_ORIGINAL_FILE"
    SECOND_PHOTO = "ASK_SECOND_PHOTO"
    VIDEO = "ASK_VIDEO"


_BY_WHY: dict[Why, tuple[Ask, ...]] = {
    Why.SOURCES_DISAGREE: (Ask.SECOND_PHOTO, Ask.VIDEO),
    Why.MARKS_CONFLICT: (Ask.ORIGINAL_FILE, Ask.SECOND_PHOTO),
    Why.UNSIGNED_MARK: (Ask.SECOND_PHOTO, Ask.ORIGINAL_FILE),
    Why.DELIVERIES_DISAGREE: (Ask.ORIGINAL_FILE, Ask.SECOND_PHOTO),
    Why.REGION_STANDS_OUT: (Ask.VIDEO, Ask.ORIGINAL_FILE),
    Why.SEEN_BEFORE: (Ask.SECOND_PHOTO,),
    Why.ORDER_MISMATCH: (Ask.SECOND_PHOTO,),
    Why.NOT_FIRST_HAND: (Ask.ORIGINAL_FILE, Ask.SECOND_PHOTO),
    Why.FILE_CHANGED: (Ask.ORIGINAL_FILE,),
    Why.TOO_SMALL: (Ask.ORIGINAL_FILE,),
    Why.UNLIKE_TRAINING: (Ask.SECOND_PHOTO,),
    Why.SCORES_BETWEEN: (Ask.ORIGINAL_FILE, Ask.SECOND_PHOTO),
    Why.NOT_CHECKED: (Ask.SECOND_PHOTO,),
}
_BY_VERDICT: dict[str, tuple[Ask, ...]] = {
    "authentic": (),
    "generated": (Ask.SECOND_PHOTO, Ask.VIDEO),
    "edited": (Ask.VIDEO, Ask.ORIGINAL_FILE),
    "unreadable": (Ask.ORIGINAL_FILE,),
}
_LETTERS = "346789ACDEFHJKLMNPRTUVWXY"
"""No two of them look alike in handwriting."""
_CODE_LENGTH = 5


def asks(verdict: str, why: Sequence[Why], *, from_camera: bool, film: bool) -> tuple[Ask, ...]:
    """What to ask for, best first, at most two things. Nobody is asked for an original that is here already, nor for another film of a film."""
    wanted = [ask for reason in why for ask in _BY_WHY[reason]] if verdict == "unsure" else list(_BY_VERDICT[verdict])
    instead = {Ask.ORIGINAL_FILE: Ask.SECOND_PHOTO} if from_camera else {Ask.VIDEO: Ask.SECOND_PHOTO} if film else {}
    return tuple(dict.fromkeys(instead.get(ask, ask) for ask in wanted))[:2]


def handwritten(sha256: str) -> str:
    """The code that the buyer is asked to write: the same for the same file, so that whoever looks later knows it.

    >>> handwritten("00" * 32)
    '33333'
    """
    number = int(sha256, 16)
    letters = []
    for _ in range(_CODE_LENGTH):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)
