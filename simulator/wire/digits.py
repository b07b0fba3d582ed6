"""Numbers as text, a matrix row each: digits by lookup table, and a mask that tells which bytes count.

A number is ``i / 10**decimals`` with an integer ``i`` of at most 2**53. Its row is laid out in words of four bytes that
are the same for all rows: one that ends with a sign, the whole part with leading zeros, one that ends with a point, the
fraction with zeros at its end. The mask leaves out what is not written; which of its few patterns holds follows from
sign, number of digits, and length of the fraction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXACT", "WORD", "Columns", "Numbers", "words_of"]

Ints = NDArray[np.int64]
Words = NDArray[np.uint32]
Mask = NDArray[np.bool_]

EXACT = 2**53
"""The largest integer up to which float64 holds every one."""
GROUP = 10_000
WORD = 4
"""Digits are looked up by four, the bytes of a word."""
POWERS = 10 ** np.arange(17, dtype=np.int64)


def words_of(text: bytes) -> Words:
    """Return bytes as words, with as many bytes before them as it takes."""
    padded = bytes(-len(text) % WORD) + text
    return np.frombuffer(padded, dtype=np.uint32)


def four_digits() -> Words:
    """Return the four digits of each number below 10,000, as a word."""
    n = np.arange(GROUP)
    digits = np.stack([n // 1000, n // 100 % 10, n // 10 % 10, n % 10], axis=1) + ord("0")
    return digits.astype(np.uint8).view(np.uint32).ravel()


DIGITS = four_digits()
MINUS, POINT = words_of(b"-")[0], words_of(b".")[0]
LENGTH = np.searchsorted(np.array([10, 100, 1000]), np.arange(GROUP), side="right") + 1
"""How many digits a number below 10,000 has; 1 for 0."""
FRACTION = np.array([4 - (n % 10 == 0) - (n % 100 == 0) - (n % 1000 == 0) - (n == 0) for n in range(GROUP)])
"""How many of four digits are left when zeros at the end are dropped."""


class Columns(NamedTuple):
    """How many words of digits the widest whole part and the widest fraction of some numbers take."""

    whole: int
    fraction: int

    @property
    def words(self) -> int:
        """Words of a row."""
        return 1 + self.whole + (1 + self.fraction if self.fraction else 0)


class Patterns(NamedTuple):
    """Which bytes count in each case, void[cases] as long as a row, and how many do, int64[cases]."""

    mask: NDArray[np.void]
    length: Ints


@cache
def patterns(columns: Columns) -> Patterns:
    """Return the mask of each case, and how many bytes it keeps.

    The case of a number: ((is negative) * (digits of the widest whole part + 1) + digits) * (digits of the widest
    fraction + 1) + digits of the fraction.
    """
    wholes, fractions, width = WORD * columns.whole, WORD * columns.fraction, WORD * columns.words
    point = WORD + wholes + WORD - 1
    table = np.zeros((2, wholes + 1, fractions + 1, width), dtype=bool)
    table[1, :, :, WORD - 1] = True
    for digits in range(1, wholes + 1):
        table[:, digits, :, WORD + wholes - digits : WORD + wholes] = True
    for digits in range(1, fractions + 1):
        table[:, :, digits, point : point + 1 + digits] = True
    flat = table.reshape(-1, width)
    return Patterns(flat.view(f"V{width}").ravel(), flat.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of any shape, taken apart, and the columns that the widest of them needs."""

    negative: Mask
    whole: Ints
    fraction: Ints
    """Digits after the point, filled up with zeros to whole words."""
    columns: Columns

    @classmethod
    def of(cls, scaled: Ints, *, decimals: Ints | None = None) -> Numbers:
        """Take ``scaled / 10**decimals`` apart.

        ``scaled``: int64[...] of at most 2**53 either way; ``decimals``: of the last axis, None for integers.
        """
        size = np.abs(scaled)
        words = 0 if decimals is None else -(-int(decimals.max(initial=0)) // WORD)
        whole, fraction = size, size
        if decimals is not None and words:
            power = POWERS.take(decimals)
            # Division of floats is several times faster; it may be off by one, which the rest then tells.
            whole = (size / power).astype(np.int64)
            fraction = size - whole * power
            over = fraction < 0
            if over.any():
                whole, fraction = whole - over, fraction + over * power
            fraction *= POWERS.take(WORD * words - decimals)
        largest = int(whole.max(initial=0))
        groups = 1 + (largest >= GROUP) + (largest >= GROUP**2) + (largest >= GROUP**3)
        return cls(scaled < 0, whole, fraction, Columns(groups, words))

    def write(self, text: Words, mask: Mask) -> Ints:
        """Write into uint32[..., words] and bool[..., 4 * words]; return how many bytes count, int64[...]."""
        wholes, fractions = self.columns
        text[..., 0] = MINUS
        case = write_whole(text[..., 1 : 1 + wholes], self.whole)
        case += self.negative * np.int64(WORD * wholes + 1)
        if fractions:
            text[..., 1 + wholes] = POINT
            case *= WORD * fractions + 1
            case += write_fraction(text[..., 2 + wholes :], self.fraction)
        known = patterns(self.columns)
        mask[...] = known.mask.take(case).view(bool).reshape(mask.shape)
        return known.length.take(case)


def write_whole(text: Words, number: Ints) -> Ints:
    """Write numbers right-aligned over all words; return how many digits each has."""
    digits: Ints = LENGTH.take(number % GROUP if text.shape[-1] > 1 else number)
    rest = number
    for nth in range(text.shape[-1]):
        above = rest // GROUP if nth < text.shape[-1] - 1 else None
        low = rest if above is None else rest - above * GROUP
        text[..., -1 - nth] = DIGITS.take(low)
        if nth:
            digits = np.where(rest > 0, WORD * nth + LENGTH.take(low), digits)
        if above is None:
            break
        rest = above
    return digits


def write_fraction(text: Words, fraction: Ints) -> Ints:
    """Write fractions over all words; return how many digits of them are left without zeros at the end."""
    kept: Ints = np.zeros_like(fraction)
    rest = fraction
    for place in range(text.shape[-1] - 1, -1, -1):
        above = rest // GROUP if place else None
        low = rest if above is None else rest - above * GROUP
        text[..., place] = DIGITS.take(low)
        mine = FRACTION.take(low)
        kept = np.where(kept > 0, kept, np.where(low > 0, WORD * place + mine, 0)) if text.shape[-1] > 1 else mine
        if above is not None:
            rest = above
    return kept
