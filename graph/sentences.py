"""Sentences that several buyers wrote: who copies a script often adds a line of his own, so the text as a whole is nobody else's.

Of each text the rarest long sentence stands for it. The others would tie people who know the same phrases, not each other.
"""

import hashlib

import polars as pl

LEAST_BYTES = 20
"""Letters of a sentence, in bytes of UTF-8, from which it says anything; shorter ones are phrases that everybody writes."""

PREFIX = "snt_"
_ENDS = r"[.!?。！？…\n]+"
_NO_LETTER = r"[\W_]+"


def wordings(requests: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """request_id, buyer, known_us, letters, length, whole: the long sentences of each request in `known`; `whole` is the length of its whole text."""
    said = requests.select("request_id", "text").drop_nulls("text").join(known.select("request_id", "buyer", "known_us"), on="request_id")
    told = pl.col("text").str.to_lowercase()
    whole = told.str.replace_all(_NO_LETTER, "").str.len_bytes()
    split = said.select("request_id", "buyer", "known_us", whole=whole, letters=told.str.replace_all(_ENDS, "\n").str.split("\n")).explode("letters")
    split = split.with_columns(letters=pl.col("letters").str.replace_all(_NO_LETTER, ""))
    return split.with_columns(length=pl.col("letters").str.len_bytes())


def shared_sentences(said: pl.DataFrame) -> pl.DataFrame:
    """request_id, entity_id, known_us, length: the rarest long sentence of each text, where two or more buyers wrote it."""
    long = said.filter(pl.col("length") >= LEAST_BYTES).with_columns(writers=pl.col("buyer").n_unique().over("letters"))
    order = long.sort("request_id", "writers", "length", "letters", descending=[False, False, True, False])
    rarest = order.unique("request_id", keep="first", maintain_order=True).filter(pl.col("writers") > 1)
    names = {letters: f"{PREFIX}{hashlib.sha256(letters.encode()).hexdigest()[:16]}" for letters in rarest["letters"].unique()}
    named = pl.col("letters").replace_strict(names, default=None, return_dtype=pl.String)
    return rarest.select("request_id", "known_us", "length", entity_id=named)
