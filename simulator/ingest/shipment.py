"""Rows on their way into a store that may refuse some of them: which to send next, and which one is to blame."""

from __future__ import annotations

from simulator.ingest.cargo import Cargo

__all__ = ["Shipment"]

GROWTH = 3
"""Of the writes after a bad row. With 2 a single bad row among 5,000 costs up to 28 writes, with 3 it costs 24; with 4
bad rows that alternate with good ones cost a third more."""


class Shipment:
    """A batch of rows, written from the front.

    As long as nothing is refused all rows go in one write. When a write is refused as a whole, the first bad row in
    it is searched by halving: a front half that goes through leaves the bad row in the back half, which is halved
    again without being tried. A bad row seldom comes alone, so after it writes begin with one row and grow while
    they go through: a single bad row among N costs at most about 2 log2(N) writes, and N bad ones in a row about N.

    ``cap`` bounds the rows of one write. It is learnt: rows that pass one by one but not together were too many.
    """

    def __init__(self, cargo: Cargo, *, cap: int | None = None) -> None:
        self.cap = cap
        self.cargo = cargo
        self._done = 0
        self._suspect: int | None = None
        """The first bad row lies before this index."""
        self._largest = 0
        """The most rows that went through in one write of this search."""
        self._block: int | None = None
        """The most rows to try at once after a bad one; None: as many as there are."""

    @property
    def left(self) -> Cargo:
        """Rows that are neither written nor set aside."""
        return self.cargo.part(self._done, len(self.cargo))

    def next(self) -> Cargo:
        """Return the rows to write now; none: all is done."""
        return self.cargo.part(self._done, self._end())

    def written(self) -> Cargo:
        """Note that ``next()`` went through, and return it."""
        first, self._done = self._done, self._end()
        if self._suspect is not None:
            self._largest = max(self._largest, self._done - first)
            if self._done == self._suspect:
                # Every row of the refused write went through in the end: there were too many of them.
                self.cap = min(self._largest, self.cap or self._largest)
                self._suspect = self._block = None
        elif self._block is not None:
            self._block *= GROWTH
        return self.cargo.part(first, self._done)

    def refused(self) -> int | None:
        """Note that ``next()`` was refused as a whole. If it was a single row set it aside and return its index."""
        end = self._end()
        if end - self._done > 1:
            if self._suspect is None:
                self._largest = 0
            self._suspect = end
            return None
        bad, self._done, self._suspect, self._block = self._done, end, None, 1
        return bad

    def _end(self) -> int:
        if self._suspect is not None:
            return self._done + max(1, (self._suspect - self._done) // 2)
        bounds = (most for most in (self.cap, self._block) if most is not None)
        return min((len(self.cargo), *(self._done + most for most in bounds)))
