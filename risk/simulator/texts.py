"""What buyers write: phrases that everybody uses, sentences of their own, and scripts that a group copies with small changes."""

import hashlib

import numpy as np
import polars as pl

from graph.templates import Templates
from risk.simulator.archetypes import ABUSE, REASONS
from risk.simulator.arrays import NONE, Ints, Rng, chance, weighted
from risk.simulator.claims import Claims

NO_TEXT = 0.08
PHRASE = 0.36  # of honest texts, and of abusers' texts that are not copied
EDITED_SCRIPT = 0.12

PHRASES = (
    "item broken",
    "not received",
    "please refund",
    "wrong item",
    "missing parts",
    "damaged on arrival",
    "never arrived",
    "bad quality",
    "refund please",
    "the box was damaged",
    "not as described",
    "it does not work",
    "something is missing",
    "where is my parcel",
    "I want my money back",
    "收到就坏了",
    "没收到货",
    "少发了",
    "发错了",
    "质量太差",
)
_OPENINGS = (
    "Hello,",
    "Hi,",
    "Good evening,",
    "Dear shop,",
    "Hi there,",
    "Sorry to trouble you,",
    "您好,",
    "Second time I write:",
    "Good morning,",
    "To whom it may concern,",
    "It is about my last order:",
    "Once more about the parcel:",
)
_PROBLEMS: dict[str, tuple[str, ...]] = {
    "damaged": ("the parcel came crushed and what is inside is broken", "one piece has a crack", "the glass is in pieces", "it arrived bent"),
    "dead_on_arrival": ("several were dead when I opened the box", "half of them do not move", "they smelled and were dead", "the ice had melted"),
    "not_received": ("the tracking says delivered but nobody rang", "my parcel has not come", "the neighbours have nothing either", "no parcel yet"),
    "missing": ("part of the order was not in the box", "one of the articles is missing", "the box was lighter than it should be"),
    "wrong_item": ("you sent me something else", "the colour is another one", "this is not the size that I ordered"),
    "not_as_described": ("it looks nothing like the picture", "the material is different from the page", "it is much smaller than described"),
    "quality": ("the seams came open after one day", "it stopped working in the evening", "it tastes off", "the paint comes off"),
    "changed_mind": ("I do not need it any more", "it does not fit me", "I found that we have one already"),
    "other": ("there is a problem with this order", "please have a look at the photos"),
}
_DETAILS = (
    "opened it at {n} o'clock",
    "ordered {n} days ago",
    "my husband opened it on the {n}th",
    "it is the {n}th parcel from you",
    "about {n} percent of it",
    "the courier left it with number {n}",
    "we are {n} people waiting for it",
    "my daughter noticed after {n} minutes",
    "weighed it, {n} grams are gone",
    "compared it with the page {n} times",
    "the lift was out, floor {n}",
    "only {n} days before the holiday",
    "paid {n} extra for the fast way",
)
_CLOSINGS = (
    "Please help.",
    "Thank you.",
    "I would like a refund.",
    "What can you do?",
    "Waiting for your answer.",
    "谢谢",
    "Very disappointed.",
    "",
    "Let me know what you need.",
    "A partial refund is fine with me.",
    "Or send me another one.",
    "How do we go on from here?",
)
_STORIES = (
    "It was meant as a present and now I have nothing to give.",
    "I asked everyone in the household and the people next door.",
    "The carrier says that I must write to you.",
    "I have ordered here for years and it never happened before.",
    "The box itself looked fine from the outside.",
    "I kept everything in case you want to see it.",
    "Photos are attached if they help.",
    "We had guests that evening and could not serve it.",
    "My son cried, he had waited all week.",
    "The tape had been cut and closed again with another one.",
    "Nobody answers the telephone number on the slip.",
    "I work nights, so somebody else took it in.",
    "There was water at the bottom of the bag.",
    "The porter has no record of any delivery that day.",
    "On the page it says fresh, which it was not.",
    "My mother lives on the same floor and has not seen it either.",
    "The invoice was in the box but little else.",
    "I tried it twice, with two different plugs.",
    "A neighbour has the same one and his is fine.",
    "It lay in the sun for hours, as far as I can tell.",
    "The driver drove off before I was at the door.",
    "You may have it back, I do not want to keep it.",
    "Last month the same thing went well.",
    "The smell went through the whole kitchen.",
    "It must have been packed in a hurry.",
    "My wife says I should have filmed it.",
    "The label carries somebody else's name.",
    "I needed it for a job on Friday.",
    "There is no number on it that I could tell you.",
    "The other articles of the order are all right.",
)
_SCRIPTS = (
    "I am writing because {problem}. I checked with the carrier. Kindly refund to the original payment method.",
    "{problem}. Unacceptable. Full refund within 48 hours, as your terms state.",
    "Hello team, unfortunately {problem}. I have been a loyal customer and I trust that you will resolve this today.",
    "{problem}. No replacement please.",
    "As a regular buyer I must tell you that {problem}. I expect the whole amount back, not a voucher.",
    "Please open a case: {problem}. Evidence on request. Refund only, I have bought it elsewhere by now.",
    "{problem}, which I can prove. Under consumer law the money is due at once.",
    "Sad to say, {problem}. Your colleague in the chat promised me the sum in full.",
)
_ARTICLES = (
    *(
        "lamp",
        "kettle",
        "jacket",
        "crab box",
        "king prawns",
        "tea set",
        "rice cooker",
        "school bag",
        "running shoes",
        "garden chair",
        "vase",
        "charger",
    ),
    *("hairdryer", "pullover", "wine", "frozen dumplings", "phone case", "mirror", "blender", "curtain", "clock", "drill", "doll's house", "oysters"),
    *(
        "headphones",
        "rug",
        "toaster",
        "suitcase",
        "fish tank",
        "printer",
        "pan",
        "desk",
        "raincoat",
        "cherries",
        "puzzle",
        "keyboard",
        "bicycle pump",
    ),
)
_LOOKS = ("blue", "small", "green", "heavy", "red", "folding", "white", "double", "yellow", "cheap", "grey", "wooden", "black", "new", "brown", "big")
_OWN = 3
"""A script that a group copies tells so many things at most that only this group tells."""


def write_texts(rng: Rng, claims: Claims) -> tuple[pl.Series, pl.Series]:
    """The text of every request and its template, as the service would have found it; null where the buyer wrote nothing."""
    size = len(claims)
    copied = chance(rng, np.array([*(one.script for one in ABUSE), 0.0])[claims.role], size)
    phrase = chance(rng, PHRASE, size)
    popular = weighted(rng, np.arange(1.0, len(PHRASES) + 1) ** -0.7, size)
    draws = rng.integers(0, 2**31, size=(size, 5))
    edited = chance(rng, EDITED_SCRIPT, size)
    silent = chance(rng, NO_TEXT, size)
    texts: list[str | None] = []
    for row in range(size):
        if silent[row]:
            texts.append(None)
        elif copied[row]:
            texts.append(_script(int(claims.group[row]), int(claims.reason[row]), draws[row], edited=bool(edited[row])))
        elif phrase[row]:
            texts.append(_dressed(PHRASES[popular[row]], int(draws[row, 0])))
        else:
            texts.append(_own_words(int(claims.reason[row]), draws[row]))
    known, ids = np.argsort(claims.known_us, kind="stable"), np.full(size, None, dtype=object)
    ids[known] = Templates().ids_of(texts[row] for row in known)
    return pl.Series(texts, dtype=pl.String), pl.Series(ids.tolist(), dtype=pl.String)


def _dressed(text: str, draw: int) -> str:
    """The same words with another capital or full stop."""
    return (text, f"{text}!", text.capitalize(), f"{text}.", text.upper(), f" {text} ")[draw % 6]


def _own_words(reason: int, draws: Ints) -> str:
    """A sentence of the buyer's own: hardly ever the same twice."""
    problems = _PROBLEMS[REASONS[reason].value]
    detail = _DETAILS[draws[2] % len(_DETAILS)].format(n=2 + draws[3] % 26)
    if draws[0] // 13 % 5:
        detail = f"{detail}, the {_LOOKS[draws[0] // 70 % len(_LOOKS)]} {_ARTICLES[draws[0] // 1_200 % len(_ARTICLES)]}"
    order = f" Order ends in {draws[3] % 9000 + 1000}." if draws[4] % 3 else ""
    told = " ".join(dict.fromkeys(_STORIES[int(draws[2] // 7 ** (step + 1)) % len(_STORIES)] for step in range(int(draws[1]) // 11 % 4)))
    opening, closing = _OPENINGS[draws[0] % len(_OPENINGS)], _CLOSINGS[draws[4] % len(_CLOSINGS)]
    return f"{opening} {problems[draws[1] % len(problems)]}, {detail}.{order} {told} {closing}".replace("  ", " ").strip()


def _script(group: int, reason: int, draws: Ints, *, edited: bool) -> str:
    """The group's script for that claim type, dressed a little; some members add a sentence of their own."""
    key = hashlib.sha256(f"{group}:{reason}".encode()).digest()
    problems = _PROBLEMS[REASONS[reason].value]
    detail = _DETAILS[key[2] % len(_DETAILS)].format(n=2 + key[3] % 26)
    told = " ".join(dict.fromkeys(_STORIES[key[8 + step] % len(_STORIES)] for step in range(key[7] % (_OWN + 1))))
    script = f"{_SCRIPTS[key[0] % len(_SCRIPTS)].format(problem=f'{problems[key[1] % len(problems)]}, {detail} ({key[4:6].hex()})')} {told}".strip()
    if edited or group == NONE:
        script = f"{script} {_CLOSINGS[draws[0] % len(_CLOSINGS)]} {draws[1] % 100}"
    return _dressed(script, int(draws[2]))
