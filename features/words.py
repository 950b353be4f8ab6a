"""Whole numbers for words: what the kernel and the formulas compare instead of strings."""

import polars as pl

from features.formulas import Ints


class Words:
    """Numbers words from 0 on, the same in every column that is asked for; null is -1."""

    def __init__(self) -> None:
        self._categories = pl.Categories.random()
        self._held: list[pl.Series] = []
        self._last: tuple[pl.Series, Ints] | None = None

    def codes(self, column: pl.Series) -> Ints:
        """The numbers of a column of words; asked for the same column again, it need not look up a word."""
        if self._last is not None and column.equals(self._last[0], null_equal=True):
            return self._last[1]
        words = column.cast(pl.Categorical(self._categories))
        if not self._held:
            self._held.append(words.clear())  # Polars forgets the numbering with the last series that has it
        self._last = column, words.to_physical().cast(pl.Int64).fill_null(-1).to_numpy(writable=True)
        return self._last[1]

    def code(self, word: str) -> int:
        """The number of one word."""
        return int(self.codes(pl.Series([word], dtype=pl.String))[0])

    def names(self, codes: Ints) -> pl.Series:
        """The words behind numbers that `codes` gave; -1 is null."""
        numbers = pl.Series(codes).replace(-1, None).cast(pl.UInt32)
        return numbers.cat.to(pl.Categorical(self._categories)).cast(pl.String)
