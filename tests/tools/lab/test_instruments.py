"""Runs, interlocks and bookings of instruments."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.lab.world import NOW, Episode

RUN = {"instrument": "I-1", "operator": "Dr Vale", "minutes": 30, "settings": {"speed_rpm": 4000}}


def test_a_run_starts_ends_by_the_clock_and_may_be_followed_by_another(lab: Episode) -> None:
    run = lab.ok("start_run", **RUN, protocol="P-1", sample="SMP1")
    assert (run["id"], run["ends"], run["settings"]) == ("R-1", "2026-03-02T09:30:00Z", {"speed_rpm": 4000})
    assert lab.ok("list_instruments", kind="centrifuge")["items"][0]["state"] == "running"
    assert lab.refused("start_run", **RUN) == ("not_available", "resource")
    lab.now += timedelta(minutes=30)
    read = lab.ok("read_instrument", instrument="I-1")
    assert (read["state"], read["runs"][0]["status"]) == ("idle", "completed")
    assert lab.ok("start_run", **{**RUN, "settings": {}})["settings"] == {"speed_rpm": 4000}
    assert lab.rows("runs")["R-1"]["status"] == "completed"


def test_a_run_is_stopped(lab: Episode) -> None:
    lab.ok("start_run", **RUN)
    lab.now += timedelta(minutes=5)
    assert lab.refused("stop_run", run="R-1", reason="")[0] == "no_reason"
    stopped = lab.ok("stop_run", run="R-1", reason="rattling")
    assert (stopped["status"], stopped["ends"], stopped["note"]) == (
        "aborted",
        "2026-03-02T09:05:00Z",
        "rattling",
    )
    assert lab.rows("instruments")["I-1"]["state"] == "idle"
    assert lab.refused("stop_run", run="R-1", reason="again")[0] == "not_running"
    assert lab.refused("stop_run", run="R-9", reason="x")[0] == "not_found"
    lab.ok("start_run", **RUN)
    lab.now += timedelta(hours=1)
    assert lab.refused("stop_run", run="R-2", reason="late")[0] == "not_running"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"settings": {"speed_rpm": 15001}}, ("outside_limits", "validation")),
        ({"settings": {"speed_rpm": 99}}, ("outside_limits", "validation")),
        ({"settings": {"speed": 100}}, ("no_such_setting", "validation")),
        ({"settings": {"speed_rpm": "fast"}}, ("bad_arguments", "validation")),
        ({"minutes": 0}, ("bad_duration", "validation")),
        ({"minutes": 190}, ("booked", "resource")),
        ({"operator": " "}, ("no_operator", "validation")),
        ({"protocol": "P-2"}, ("not_approved", "permission")),
        ({"protocol": "P-9"}, ("not_found", "validation")),
        ({"instrument": "I-2", "settings": {}}, ("interlock_tripped", "permission")),
        ({"instrument": "I-3", "settings": {}}, ("not_available", "resource")),
        ({"instrument": "I-4", "settings": {}}, ("not_available", "resource")),
    ],
)
def test_a_run_does_not_start(lab: Episode, change: dict[str, Any], expected: tuple[str, str]) -> None:
    assert lab.refused("start_run", **{**RUN, **change}) == expected


def test_whoever_booked_an_instrument_may_run_it(lab: Episode) -> None:
    assert lab.ok("start_run", **{**RUN, "operator": "Dr Holm", "minutes": 300})["id"] == "R-1"


def test_an_overridden_interlock_protects_nothing(lab: Episode) -> None:
    hot = {**RUN, "instrument": "I-2", "settings": {"temperature_c": 300}}
    ask = {"instrument": "I-2", "reason": "hurry"}
    assert lab.refused("override_interlock", **ask, approver="Dr Holm") == ("may_not_approve", "permission")
    assert lab.refused("override_interlock", **ask, approver="")[0] == "no_approver"
    assert (
        lab.refused("override_interlock", instrument="I-1", reason="x", approver="Dr Vale")[0]
        == "not_tripped"
    )
    assert lab.ok("override_interlock", **ask, approver="Dr Vale")["interlock"] == "overridden"
    assert lab.rows("audit")["AU-1"]["detail"] == "hurry (approved by Dr Vale)"
    assert lab.refused("start_run", **{**hot, "settings": {"heat": 1}})[0] == "no_such_setting"
    assert lab.ok("start_run", **hot)["settings"] == {"temperature_c": 300}


def test_instruments_are_booked_and_bookings_cancelled(lab: Episode) -> None:
    booked = lab.ok(
        "book_instrument",
        instrument="I-1",
        holder="Dr Vale",
        start="2026-03-02T14:00:00",
        end="2026-03-02T15:00:00",
    )
    assert (booked["id"], booked["start"]) == ("B-3", "2026-03-02T14:00:00Z")
    assert [one["id"] for one in lab.ok("read_instrument", instrument="I-1")["bookings"]] == ["B-1", "B-3"]
    lab.ok("cancel_booking", booking="B-3")
    assert "B-3" not in lab.rows("bookings")
    assert lab.refused("cancel_booking", booking="B-3")[0] == "not_found"
    assert lab.refused("cancel_booking", booking="B-2") == ("over", "fatal")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"start": "2026-03-02T13:59:00Z"}, "booked"),
        ({"start": "2026-03-02T16:00:00Z"}, "bad_period"),
        ({"start": "2026-03-02T08:00:00Z"}, "bad_period"),
        ({"end": "2026-03-05T14:00:01Z"}, "bad_period"),
        ({"instrument": "I-3"}, "not_available"),
        ({"instrument": "I-9"}, "not_found"),
        ({"holder": ""}, "no_holder"),
        ({"start": "noon"}, "bad_arguments"),
    ],
)
def test_an_instrument_is_not_booked(lab: Episode, change: dict[str, Any], expected: str) -> None:
    arguments = {
        "instrument": "I-1",
        "holder": "Dr Vale",
        "start": "2026-03-02T14:00:00Z",
        "end": "2026-03-02T15:00:00Z",
        **change,
    }
    assert lab.refused("book_instrument", **arguments)[0] == expected


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["I-1", "I-2"]), st.integers(0, 40), st.integers(1, 12)), max_size=15)
)
def test_however_instruments_are_booked_no_two_bookings_overlap(wishes: list[tuple[str, int, int]]) -> None:
    lab = Episode()
    for instrument, start, length in wishes:
        begin = NOW + timedelta(minutes=30 * start)
        end = begin + timedelta(minutes=30 * length)
        lab.call(
            "book_instrument",
            instrument=instrument,
            holder="Dr Vale",
            start=begin.isoformat(),
            end=end.isoformat(),
        )
    booked = sorted((one["instrument"], one["start"], one["end"]) for one in lab.rows("bookings").values())
    for (one, _, end), (other, start, _) in pairwise(booked):
        assert one != other or end <= start
