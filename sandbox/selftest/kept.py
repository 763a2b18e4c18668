"""Results of self-tests in a store: kept as a run without an episode, found again for every run that uses the model."""

from __future__ import annotations

from collections.abc import Sequence

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.selftest.seat import SeatResult

NAME = "self-test"
"""The name of the run that keeps a result."""


def keep(store: Store, results: Sequence[SeatResult], command: Sequence[str]) -> str:
    """Store the results; nothing is stored where there is none. Returns the run's id.

    `latest` passes over such a run, since it has no episode.
    """
    if not results:
        return ""
    made = launch.new_manifest([], [], RunSettings(evaluators=()), name=NAME, command=command)
    told = [one.record() for one in results]
    made = made.model_copy(update={"settings": {NAME.replace("-", "_"): told}})
    store.begin(made, [], [])
    store.finish(made.run, "done")
    return made.run
