"""Which worlds are refused, and that the home stays safe."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.home.toolset import Home
from tests.tools.home.world import House, without_broken_doors


def test_the_world_is_checked() -> None:
    bad = {
        "locks": [{"id": "front", "name": "Front", "room": "hall"}],
        "lights": [{"id": "front", "name": "Porch"}],
        "codes": [{"id": "N-1", "holder": "P-1", "code": "1", "locks": ["attic"]}],
        "thermostats": [{"id": "heating", "name": "Heating", "target": 30}],
    }
    with pytest.raises(ScenarioError) as raised:
        Home.parse(bad)
    told = str(raised.value)
    assert "locks[0].room: front names 'hall', which is not in rooms. Known: none." in told
    assert "codes[0].holder: N-1 names 'P-1'" in told and "locks[0]: N-1 names 'attic'" in told
    assert "Two devices share the id front" in told
    assert "target 30.0 is not within 5.0 to 28.0" in told
    with pytest.raises(ScenarioError, match=r"locks\[0\]\.lockd.*Did you mean 'locked'"):
        Home.parse({"locks": [{"id": "front", "name": "Front", "lockd": True}]})


DEED = st.one_of(
    st.tuples(st.sampled_from(["lock", "unlock"]), st.fixed_dictionaries({"lock": st.sampled_from(["front", "study"])})),
    st.tuples(st.just("arm_alarm"), st.fixed_dictionaries({"alarm": st.just("alarm"), "mode": st.sampled_from(["home", "away"])})),
    st.tuples(st.just("disarm_alarm"), st.fixed_dictionaries({"alarm": st.just("alarm"), "code": st.sampled_from(["8642", "1"])})),
    st.tuples(st.just("create_code"), st.fixed_dictionaries({"person": st.sampled_from(["P-1", "P-3"]), "locks": st.just(["front"])})),
    st.tuples(st.just("revoke_guest"), st.fixed_dictionaries({"person": st.just("P-3")})),
    st.tuples(st.just("set_temperature"), st.fixed_dictionaries({"thermostat": st.just("heating"), "target": st.integers(-20, 60).map(float)})),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(DEED, max_size=15))
def test_the_home_stays_safe_whatever_is_asked(deeds: list[tuple[str, dict[str, Any]]]) -> None:
    house = House(without_broken_doors())
    for seed, (tool, arguments) in enumerate(deeds):
        house.seed = seed
        house.call(tool, arguments)
        world = house.world()["home"]
        if world["alarms"]["alarm"]["mode"] == "away":
            assert world["locks"]["front"]["locked"]
        assert 16 <= world["thermostats"]["heating"]["target"] <= 24
        digits = [one["code"] for one in world["codes"].values()]
        assert len(digits) == len(set(digits))
        people = world["people"]
        working = [one for one in world["codes"].values() if one["status"] == "active"]
        assert all(people[one["holder"]]["status"] == "active" for one in working)
