"""What `Store` promises of heartbeats: one living driver holds a run."""

from __future__ import annotations

import os

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.stores import liveness
from riskbox.sandbox.testing.samples import sample_case, sample_run, sample_specs
from riskbox.sandbox.words.heartbeat import Heartbeat


def sample_heartbeat(driver: str = "one", *, pid: int = 0) -> Heartbeat:
    """The heartbeat of a driver in this process; with a `pid`, in a process of this machine that is gone."""
    return Heartbeat(
        driver=driver,
        host=liveness.host(),
        pid=pid or os.getpid(),
        born="long ago" if pid else liveness.born(os.getpid()),
        boot=liveness.boot(),
        started="2026-03-02T09:00:00+00:00",
    )


def check_heartbeat_read_back(store: Store) -> None:
    """A heartbeat reads as it was written, with the time of the store's clock; the end of the run ends it."""
    run = _begun(store)
    _same(store.heartbeat(run), None, "the heartbeat of a run that nobody plays")
    made = sample_heartbeat().model_copy(update={"done": 3, "log": "\ud800\x1b", "extra": {"a": [1]}})
    before = store.now()
    _same(store.beat(run, made), None, "the first heartbeat")
    found = store.heartbeat(run)
    if found is None or not before <= found.at <= store.now():
        raise AssertionError(f"a heartbeat is dated by the store's clock: found {found}")
    _same(found, made.model_copy(update={"at": found.at, "clock": found.clock}), "a heartbeat")
    _same(store.beat(run, made.model_copy(update={"done": 4})), None, "the next heartbeat")
    store.finish(run, "running")
    again = store.heartbeat(run)
    _same(again and again.done, 4, "the heartbeat of a run that goes on")
    _same(store.run(run).state, "running", "the state of a run whose driver lives")
    store.finish(run, "done")
    _same((store.heartbeat(run), store.run(run).state), (None, "done"), "a run that has ended")
    _same(store.beat(run, sample_heartbeat("next")), None, "the first heartbeat of the next driver")


def check_living_driver_keeps_run(store: Store) -> None:
    """Another driver gets the heartbeat of the one that lives, and a dead one loses its run, whose state is `dead`."""
    run = _begun(store)
    store.beat(run, sample_heartbeat("one"))
    other = store.beat(run, sample_heartbeat("two"))
    _same(other and other.driver, "one", "the driver that holds the run")
    found = store.heartbeat(run)
    _same(found and found.driver, "one", "the driver after another has asked")
    dead = _begun(store)
    store.beat(dead, sample_heartbeat("three", pid=2**22 + 1))
    _same(store.run(dead).state, "dead", "the state of a run whose driver is gone")
    _same(store.runs()[0].state, "dead", "its state among all runs")


def _begun(store: Store) -> str:
    case = sample_case()
    manifest = sample_run([case])
    store.begin(manifest, [case], sample_specs([case]))
    return manifest.run


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: expected {expected!r}, found {found!r}")
