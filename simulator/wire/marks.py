"""Marks: checksums of payloads, which tell a message from one of another run with the same number."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

__all__ = ["marks"]

Ints = NDArray[np.int64]
WORD = 8
"""Bytes that are looked at together."""
RUN = 4 * WORD
LONGEST = 2048
"""Payloads from a word to this long are summed up all at once; others, of which there are few, one by one."""
# odd, so that no word can change without its product changing
WEIGHTS = np.random.Generator(np.random.Philox(key=LONGEST)).integers(0, 2**63, LONGEST // WORD + 1, np.uint64)
WEIGHTS = WEIGHTS * np.uint64(2) + np.uint64(1)


def marks(data: bytes | NDArray[np.uint8], start: Ints, end: Ints) -> Ints:
    """Return a checksum >= 0 of each payload, ``data[start:end]``, which depends on nothing but its bytes.

    The words of a payload, the last of which overlaps the one before it, are multiplied by weights and summed up modulo
    2**64, and so is its length: multilinear hashing (Lemire and Kaser 2014), with the lowest bit left out.
    """
    found = np.empty(len(start), dtype=np.int64)
    text = np.frombuffer(data, dtype=np.uint8)
    length = end - start
    for width, least, most in ((WORD, WORD, RUN), (RUN, RUN, LONGEST)):
        which = np.flatnonzero((length >= least) & (length < most))
        found[which] = summed(text, start[which], length[which], width)
    for row in np.flatnonzero((length < WORD) | (length >= LONGEST)).tolist():
        found[row] = crc32(text.data[start[row] : end[row]])
    return found


def summed(data: NDArray[np.uint8], start: Ints, length: Ints, width: int) -> Ints:
    """Return the checksums of payloads of ``width`` bytes, which are whole words, to LONGEST."""
    if not len(start):
        return start
    # a run of words begins at every byte, as one item, which is copied at once
    items: NDArray[np.void] = np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))
    total = length.astype(np.uint64) * WEIGHTS[-1]
    last = length - width
    rows = np.arange(len(start))
    for offset in range(0, int(length.max()), width):
        rows = rows[last[rows] > offset - width]
        words = items[start[rows] + np.minimum(offset, last[rows])].view(np.uint64).reshape(-1, width // WORD)
        total[rows] += words @ WEIGHTS[offset // WORD : (offset + width) // WORD]
    checksums: Ints = (total >> np.uint64(1)).astype(np.int64)
    return checksums
