"""Results of self-tests in a store: kept as a run without an episode, found again for every run that uses the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.selftest.seat import SeatResult, TestedSeat, percent

NAME = "self-test"
"""The name of the run that keeps a result."""
KEY = "self_test"
"""Where its settings hold it."""
SHOWN = 2
"""How many of a seat's measures a report repeats: the first ones say most."""


def keep(store: Store, results: Sequence[SeatResult], command: Sequence[str]) -> str:
    """Store the results; nothing is stored where there is none. Returns the run's id.

    `latest` passes over such a run, since it has no episode.
    """
    if not results:
        return ""
    made = launch.new_manifest([], [], RunSettings(evaluators=()), name=NAME, command=command)
    told = [one.record() for one in results]
    made = made.model_copy(update={"settings": {KEY: told}})
    store.begin(made, [], [])
    store.finish(made.run, "done")
    return made.run


def told(store: Store, models: Mapping[TestedSeat, Iterable[str]]) -> Iterator[str]:
    """A sentence on each model that was tried in the seat it has: the verdict and the first shares of the latest try.

    Args:
        store: Where self-tests are looked for.
        models: The models by seat.
    """
    wanted = {(seat, model) for seat, several in models.items() for model in several}
    if not wanted:
        return
    for made in store.runs():
        for one in made.settings.get(KEY, ()):
            if (one["seat"], one["model"]) in wanted:
                wanted.remove((one["seat"], one["model"]))
                sentence = _sentence(SeatResult.model_validate(one), made.created[:10])
                yield sentence[0].upper() + sentence[1:]


def _sentence(one: SeatResult, day: str) -> str:
    shares = ", ".join(f"{measure.name} {percent(measure)}" for measure in one.measures[:SHOWN])
    return f"{one.seat} {one.model}, self-test of {day}: {shares}; {one.verdict}"
