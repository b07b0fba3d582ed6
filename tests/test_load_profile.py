"""A profile says how many messages are due until when, and each due time is read from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.clock import SECOND_NS, Pace
from simulator.load.profile import Profile, profile_of
from simulator.scenario.load import Load

START_NS = 1_767_225_600 * SECOND_NS
WALL_NS = 5 * SECOND_NS
STAGES: dict[str, tuple[dict[str, Any], float]] = {
    "hold": ({"kind": "hold", "for": "10s", "rate": "100/s"}, 1_000),
    "spike": ({"kind": "spike", "for": "2s", "rate": "1k/s"}, 2_000),
    "ramp": ({"kind": "ramp", "for": "10s", "from": "100/s", "to": "300/s"}, 2_000),
    "step": ({"kind": "step", "for": "10s", "from": "100/s", "to": "500/s", "steps": 5}, 3_000),
    "sine": ({"kind": "sine", "for": "20s", "from": "100/s", "to": "300/s", "period": "10s"}, 4_000),
    "replay": ({"kind": "replay", "for": "6s", "rates": ["100/s", "50/s", "0.2k/s"]}, 700),
}


def profile(*stages: dict[str, Any]) -> Profile:
    return profile_of(Load.model_validate({"stages": stages}).stages)


def pace_of(found: Profile, natural_per_s: float) -> Pace:
    curve = found.curve(natural_per_s, sim_start_ns=START_NS, wall_start_ns=WALL_NS)
    return Pace(START_NS, WALL_NS, 1.0, curve)


@pytest.mark.parametrize("kind", STAGES)
def test_a_stage_sends_the_integral_of_its_rate(kind: str) -> None:
    """As many messages as the rate says over the time, whatever its shape."""
    stage, messages = STAGES[kind]
    assert profile(stage).messages == pytest.approx(messages, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "at_s", "rate"),
    [
        ("hold", 5.0, 100),
        ("ramp", 0.005, 100.1),
        ("ramp", 5.0, 200),
        ("ramp", 9.995, 299.9),
        ("step", 1.0, 100),
        ("step", 5.0, 300),
        ("step", 9.9, 500),
        ("sine", 0.005, 100),
        ("sine", 5.0, 300),
        ("sine", 2.5, 200),
        ("replay", 3.0, 50),
        ("replay", 5.0, 200),
    ],
)
def test_the_rate_at_an_instant(kind: str, at_s: float, rate: float) -> None:
    """As written, to the hundredth of a second that a curve is laid out in."""
    assert profile(STAGES[kind][0]).rate_at(at_s) == pytest.approx(rate, rel=0.005)


def test_stages_follow_one_another_and_have_names() -> None:
    """Without a name they are called by kind and place."""
    found = profile(STAGES["hold"][0] | {"name": "calm"}, STAGES["spike"][0])
    assert [(span.name, span.from_s, span.to_s) for span in found.spans] == [("calm", 0, 10), ("spike-2", 10, 12)]
    assert (found.duration_s, found.messages) == (12, 3_000)
    assert (found.rate_at(9.9), found.rate_at(10.1)) == (100, 1_000)


@given(kinds=st.lists(st.sampled_from(sorted(STAGES)), min_size=1, max_size=4), natural_per_s=st.floats(1, 10_000))
def test_messages_of_the_park_are_due_at_the_rate_of_the_profile(kinds: list[str], natural_per_s: float) -> None:
    """A park that speaks evenly: message i is due when the integral of the rate reaches i, and never before another."""
    found = profile(*(STAGES[kind][0] for kind in kinds))
    number = np.arange(0, int(found.messages), 7)
    sim_ns = START_NS + np.rint(number / natural_per_s * SECOND_NS).astype(np.int64)
    due_s = (pace_of(found, natural_per_s).due_each(sim_ns) - WALL_NS) / SECOND_NS
    assert np.interp(due_s, found.at_s, found.due) == pytest.approx(number, abs=0.05)
    assert (np.diff(due_s) >= 0).all()


def test_one_instant_is_due_as_in_an_array() -> None:
    """And what lies beyond the end goes on at the last rate."""
    pace = pace_of(profile(STAGES["ramp"][0]), 50.0)
    instants = START_NS + np.array([0, 1, 20, 40, 50], dtype=np.int64) * SECOND_NS
    assert [pace.due_ns(int(one)) for one in instants] == pace.due_each(instants).tolist()
    assert pace.due_ns(int(instants[0])) == WALL_NS
    beyond = pace.due_ns(START_NS + 46 * SECOND_NS) - pace.due_ns(START_NS + 40 * SECOND_NS)
    assert beyond / SECOND_NS == pytest.approx(6 * 50 / 300, rel=0.01)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({"kind": "hold", "for": "10s", "rate": "100"}, "is no rate"),
        ({"kind": "hold", "for": "10s", "rate": "0/s"}, "must be from 0.1 to 10,000,000, and is 0"),
        ({"kind": "hold", "for": "10s", "rate": "7 horses"}, "or a number of machines, such as 2000 assets"),
        ({"kind": "hold", "for": "0s", "rate": "1/s"}, "greater than 0"),
        ({"kind": "leap", "for": "10s", "rate": "1/s"}, "'leap'"),
        ({"kind": "ramp", "for": "10s", "from": "1/s"}, "Field required"),
    ],
)
def test_what_is_wrong_is_said(stage: dict[str, Any], said: str) -> None:
    """At its key, before anything is sent."""
    with pytest.raises(ValidationError, match=said):
        profile(stage)


def test_as_much_as_so_many_machines_say() -> None:
    """A machine that says half a message a second, a thousand of them, and a rate beside it."""
    stages = [{"kind": "ramp", "for": "10s", "from": "200 assets", "to": "1000 assets"}, STAGES["hold"][0]]
    found = profile_of(Load.model_validate({"stages": stages}).stages, asset_per_s=0.5)
    assert (found.rate_at(0.001), found.rate_at(9.999)) == (pytest.approx(100, rel=0.01), pytest.approx(500, rel=0.01))
    assert found.rate_at(11.0) == 100


def test_two_stages_of_one_name_are_refused() -> None:
    """A threshold of it would mean two things."""
    with pytest.raises(ValidationError, match="two stages have the name 'calm'"):
        profile(STAGES["hold"][0] | {"name": "calm"}, STAGES["ramp"][0] | {"name": "calm"})
