"""A run is held by one living driver: whoever loses it writes nothing more."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import TakenOver
from riskbox.sandbox.stores import liveness, open_store
from riskbox.sandbox.testing.held import sample_heartbeat
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)

CASE = sample_case()


def begun(store: Store) -> str:
    manifest = sample_run([CASE])
    store.begin(manifest, [CASE], sample_specs([CASE]))
    return manifest.run


@pytest.mark.parametrize("ended", [False, True], ids=["taken", "taken and ended"])
def test_a_driver_that_has_lost_its_run_writes_nothing_more(store: Store, url: str, *, ended: bool) -> None:
    run, own = begun(store), begun(store)
    played = packed(sample_played(run, CASE))
    for one in (run, own):
        store.beat(one, sample_heartbeat("one"))
    assert store.write(run, [played]) == 1
    with open_store(url) as other:
        assert other.beat(run, sample_heartbeat("two")) == store.heartbeat(run)
        assert other.beat(run, sample_heartbeat("two"), take=True) is None
        if ended:
            other.finish(run, "stopped")
    acts: dict[str, Callable[[], object]] = {
        "write": lambda: store.write(run, [packed(sample_played(run, CASE, 1))]),
        "assess": lambda: store.assess(run, played.row.id, [sample_assessment()]),
        "finish": lambda: store.finish(run, "done"),
        "beat": lambda: store.beat(run, sample_heartbeat("one")),
    }
    for name, act in acts.items():
        with pytest.raises(TakenOver, match=f"run {run} was taken over by .*writes nothing more"):
            act()
            pytest.fail(f"{name} went through")
    assert store.count(run) == 1 and not store.episode(run, played.row.id).assessments
    assert store.run(run).state == ("stopped" if ended else "running")
    assert store.write(own, [packed(sample_played(own, CASE))]) == 1


def test_whoever_took_no_run_writes_to_any(store: Store, url: str) -> None:
    run = begun(store)
    store.beat(run, sample_heartbeat())
    with open_store(url) as importer:
        assert importer.write(run, [packed(sample_played(run, CASE))]) == 1


def test_a_driver_of_another_machine_dies_by_its_silence() -> None:
    away = sample_heartbeat().model_copy(update={"boot": "elsewhere", "at": 1000.0, "every": 10.0})
    assert away.silence == 40.0
    for now, lives in ((1000.0, True), (1039.0, True), (1041.0, False), (970.0, True), (10.0, False)):
        assert liveness.is_living(away, now) is lives


def test_on_its_own_machine_a_clock_that_is_set_kills_nobody() -> None:
    here = liveness.stamped(sample_heartbeat(), 1000.0)
    assert liveness.is_living(here, 9e9) and liveness.is_living(here, 0.0)
    silent = here.model_copy(update={"clock": time.monotonic() - 16})
    assert not liveness.is_living(silent, 1000.0)


def test_a_process_that_has_the_number_of_another_is_not_that_one() -> None:
    here = liveness.stamped(sample_heartbeat(), 1000.0)
    assert not liveness.is_living(here.model_copy(update={"born": "1"}), 1000.0)
