"""What has come in with QoS 1 and 2 and is not acknowledged yet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Arrivals
from brokers.frames import PUBACK, PUBCOMP, PUBREC, numbered

__all__ = ["Receipts"]

Ints = NDArray[np.int64]

NONE, RECEIVED, HELD, ACCEPTED, RELEASED = range(5)
"""Of an identifier: nothing; QoS 1, not acknowledged; QoS 2: neither acknowledged nor released by the broker, only
acknowledged, only released. PUBCOMP goes out when both have happened, so that the window bounds QoS 2 too."""


class Receipts:
    """A delivery book with a line for each packet identifier. For one thread at a time."""

    def __init__(self) -> None:
        self._state = np.zeros(1 << 16, np.uint8)

    def connected(self, *, session_present: bool) -> None:
        """Begin a new connection; what came over the old one has been handed over and cannot be acknowledged."""
        held = np.flatnonzero(self._state >= HELD) if session_present else np.zeros(0, np.int64)
        self._state[:] = NONE
        self._state[held] = ACCEPTED

    def arrive(self, arrivals: Arrivals) -> tuple[Arrivals, bytes]:
        """Note arrivals; return those that are not here already, and what is to be answered: PUBRECs."""
        if not arrivals.qos.any():
            return arrivals, b""
        self._state[arrivals.mid[arrivals.qos == 1]] = RECEIVED
        two = arrivals.qos == 2
        if not two.any():
            return arrivals, b""
        new = np.ones(arrivals.number, bool)
        for row in np.flatnonzero(two).tolist():  # one by one, as a number may come twice in a block
            mid = int(arrivals.mid[row])
            if self._state[mid] >= HELD:
                new[row] = False
            else:
                self._state[mid] = HELD
        answer = numbered(PUBREC, arrivals.mid[two])
        return (arrivals if new.all() else arrivals.rows(new)), answer

    def release(self, mids: Ints) -> bytes:
        """Note PUBRELs; return what is to be answered: PUBCOMPs, but for those that are not acknowledged yet."""
        state = self._state[mids]
        waiting = (state == HELD) | (state == RELEASED)
        self._state[mids[~waiting]] = NONE
        self._state[mids[waiting]] = RELEASED
        return numbered(PUBCOMP, mids[~waiting])

    def accept(self, mids: Ints, qos: Ints) -> tuple[bytes, int]:
        """Acknowledge; return what is to be sent, and how many were acknowledged before."""
        open_ = self._state[mids] == np.where(qos == 1, RECEIVED, HELD)
        released = (self._state[mids] == RELEASED) & (qos == 2)
        once = np.zeros(len(mids), bool)
        once[np.unique(mids, return_index=True)[1]] = True
        open_ &= once
        released &= once
        self._state[mids[open_ & (qos == 2)]] = ACCEPTED
        self._state[mids[open_ & (qos == 1)]] = NONE
        self._state[mids[released]] = NONE
        repeated = len(mids) - int(np.count_nonzero(open_ | released))
        return numbered(PUBACK, mids[open_ & (qos == 1)]) + numbered(PUBCOMP, mids[released]), repeated
