"""The table of PackML ways."""

from simulator.park.packml import NEXT, State


def test_every_state_has_its_ways() -> None:
    """All 17 states are in the table, and none is a dead end."""
    assert set(NEXT) == set(State)
    assert all(NEXT[state] for state in State)


def test_a_fault_is_left_through_clearing_alone() -> None:
    """Aborted leads to Clearing, Clearing to Stopped (or back to Aborting), and nothing else."""
    assert NEXT[State.ABORTED] == {State.CLEARING}
    assert NEXT[State.CLEARING] == {State.STOPPED, State.ABORTING}


def test_execute_is_entered_from_three_states() -> None:
    """Parts are made after Starting, Unholding or Unsuspending only."""
    before = {state for state in State if State.EXECUTE in NEXT[state]}
    assert before == {State.STARTING, State.UNHOLDING, State.UNSUSPENDING}
