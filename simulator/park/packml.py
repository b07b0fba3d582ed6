"""PackML (ISA-TR88.00.02): the states of a machine and the ways between them that this park uses."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["NEXT", "State"]


class State(IntEnum):
    """StateCurrent codes, as the OPC UA PackML companion numbers them."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


STOPPABLE = frozenset(State) - {State.STOPPING, State.STOPPED, State.CLEARING, State.ABORTING, State.ABORTED}
ABORTABLE = frozenset(State) - {State.ABORTING, State.ABORTED}

OWN_WAYS: dict[State, set[State]] = {
    State.CLEARING: {State.STOPPED},
    State.STOPPED: {State.RESETTING},
    State.STARTING: {State.EXECUTE},
    State.IDLE: {State.STARTING},
    State.SUSPENDED: {State.UNSUSPENDING},
    State.EXECUTE: {State.HOLDING, State.SUSPENDING, State.COMPLETING},
    State.STOPPING: {State.STOPPED},
    State.ABORTING: {State.ABORTED},
    State.ABORTED: {State.CLEARING},
    State.HOLDING: {State.HELD},
    State.HELD: {State.UNHOLDING},
    State.UNHOLDING: {State.EXECUTE},
    State.SUSPENDING: {State.SUSPENDED},
    State.UNSUSPENDING: {State.EXECUTE},
    State.RESETTING: {State.IDLE},
    State.COMPLETING: {State.COMPLETE},
    State.COMPLETE: {State.RESETTING},
}

NEXT: dict[State, frozenset[State]] = {
    state: frozenset(
        ways | ({State.STOPPING} if state in STOPPABLE else set()) | ({State.ABORTING} if state in ABORTABLE else set())
    )
    for state, ways in OWN_WAYS.items()
}
"""The states that may follow each state: its own ways, and Stop and Abort from wherever they are allowed."""
