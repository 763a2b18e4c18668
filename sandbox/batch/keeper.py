"""What a run finishes, kept: in its store, or where that does not take it any more, in a spill file.

A store that fails is asked again for a while, with longer and longer pauses: a server restarts, a disk gets room. Then what is
finished goes to the spill file, the run is stopped, and what its workers still hand over goes there too.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from riskbox.sandbox.batch.work import Judged, Judging
from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.errors import RiskboxError, StoreError, StoreGone, TakenOver, UnknownName
from riskbox.sandbox.log import ERROR, WARNING, tell
from riskbox.sandbox.stores import spill
from riskbox.sandbox.stores.liveness import is_living
from riskbox.sandbox.stores.record import pack
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, RunState, Spec

T = TypeVar("T")

FIRST_PAUSE = 0.2
"""Seconds until a store that failed is asked again."""
LONGEST_PAUSE = 5.0
"""Seconds between two attempts at most."""


class Keeper:
    """Keeps what one run finishes.

    Args:
        store: Where to.
        whole: The run, so that it can be begun anew where it is lost with its store.
        patience: How many seconds a store that fails is asked again.
    """

    def __init__(self, store: Store, whole: spill.Whole, patience: float) -> None:
        self.store, self.run, self.patience = store, whole.manifest.run, patience
        self.spill = spill.Spill(whole, spill.places(store.url))
        self.failed: RiskboxError | None = None
        """Why the store takes no more."""
        self.hurry = threading.Event()
        """Set when the run is to stop: then a store that fails is not waited for."""
        self.on_stored: Callable[[Sequence[Packed]], object] = lambda episodes: None
        """Called with episodes that are kept, from the thread that keeps."""
        self.on_failed: Callable[[], object] = lambda: None
        """Called once when the store is given up, from the thread that keeps."""

    def write(self, episodes: Sequence[Packed]) -> None:
        """Keep finished episodes; when it returns, they survive the death of this process."""
        self._kept(
            lambda: self.store.write(self.run, episodes),
            lambda: self.spill.add(episodes),
        )
        self.on_stored(episodes)

    def judging(self, ids: Sequence[str]) -> list[Judging]:
        """Stored episodes, for whoever judges them, without those that the store forgot; none where it is gone."""
        return self._kept(lambda: [one for id in ids for one in self._read(id)], lambda: [])

    def judged(self, results: Sequence[Judged]) -> list[tuple[EpisodeRow, EpisodeRow]]:
        """Keep assessments; each row as it was and as it is, none of what the spill file got or the store forgot."""
        found: list[tuple[EpisodeRow, EpisodeRow]] = []
        for one in results:
            found += self._kept(lambda one=one: self._assess(one), lambda one=one: self._spilled(one))  # type: ignore[misc]
        return found

    def read(self, work: Callable[[], T]) -> T | None:
        """What reading at the store comes to; None where the store is given up."""
        return self._kept(work, _nothing)

    def finish(self, state: RunState) -> None:
        """Record how the run ended.

        Raises:
            StoreError: the store failed; what was finished since is in a spill file, and the message says where.
        """
        if self.failed is None:
            try:
                self._patiently(lambda: self.store.finish(self.run, state))
                return
            except TakenOver as lost:
                self._give_up(self._set_back(lost))
            except StoreGone as error:
                self._give_up(error)
        if not self.spill.files:
            raise self.failed or StoreError(f"{self.store.url} takes no more.")
        try:
            self.spill.end("stopped" if state == "failed" else state)
        except StoreError as error:
            raise StoreError(f"{self.failed} {error}") from None
        where = " and ".join(map(str, self.spill.files))
        episodes = f"{self.spill.episodes:,} episodes"
        raise StoreError(
            f"{self.failed} The run was stopped. {episodes} of run {self.run} that it does not hold are in {where}, and the next "
            "command that opens the store puts them back: riskbox list"
        )

    def _read(self, id: str) -> list[Judging]:
        try:
            return [Judging(id, pack(self.store.episode(self.run, id)))]
        except UnknownName:
            self.store.run(self.run)  # raises where the run itself is gone
            return []

    def _assess(self, one: Judged) -> list[tuple[EpisodeRow, EpisodeRow]]:
        before = self.store.pick(self.run, [one.id])
        try:
            self.store.assess(self.run, one.id, one.assessments)
        except UnknownName:
            self.store.run(self.run)
            return []
        return list(zip(before, self.store.pick(self.run, [one.id]), strict=False))

    def _spilled(self, one: Judged) -> list[tuple[EpisodeRow, EpisodeRow]]:
        self.spill.assess(one.id, one.assessments)
        return []

    def _kept(self, work: Callable[[], T], instead: Callable[[], T]) -> T:
        """What work at the store comes to; or what is done instead once the store is given up."""
        if self.failed is None:
            try:
                return self._patiently(work)
            except TakenOver as lost:
                self._give_up(self._set_back(lost))
            except RiskboxError as error:
                self._give_up(error)
        return instead()

    def _set_back(self, lost: TakenOver) -> RiskboxError:
        """What to say where nobody plays the run that this process has lost: nobody plays again what it finished last.

        Raises:
            TakenOver: another driver plays it.
        """
        try:
            beat, now = self._patiently(lambda: (self.store.heartbeat(self.run), self.store.now()))
        except RiskboxError as error:
            return error
        if beat is not None and is_living(beat, now):
            raise lost
        return StoreError(
            f"{self.store.url} no longer says that this process plays run {self.run}, and nobody else plays it: the store was "
            "set back to an earlier state, or another process took the run and has ended."
        )

    def _patiently(self, work: Callable[[], T]) -> T:
        end, pause = time.monotonic() + self.patience, FIRST_PAUSE
        while True:
            try:
                return work()
            except StoreGone:
                raise
            except StoreError as error:
                tell("store_failed", WARNING, reason=str(error))
                left = end - time.monotonic()
                if left <= 0 or self.hurry.wait(min(left, pause * random.uniform(0.5, 1.0))):
                    raise
                pause = min(2 * pause, LONGEST_PAUSE)

    def _give_up(self, error: RiskboxError) -> None:
        self.failed = error
        tell("store_given_up", ERROR, reason=str(error))
        self.on_failed()
        if isinstance(error, StoreGone):
            self._rescue()

    def _rescue(self) -> None:
        """Keep what the store that was opened holds of the run: nobody else can open it any more."""
        batch: list[Packed] = []
        try:
            for row in self.store.rows(self.run):
                batch.append(Packed(row, pack(self.store.episode(self.run, row.id))))
                if len(batch) == spill.BATCH:
                    self.spill.add(batch)
                    batch = []
        except RiskboxError:
            pass  # as far as it can be read
        self.spill.add(batch)


def _nothing() -> None:
    """What is done instead where there is nothing to keep."""


def whole_run(
    store: Store, run: str, cases: Mapping[str, Case], specs: Sequence[Spec], *, is_new: bool
) -> spill.Whole:
    """A run with all it consists of, read from the store where what is left of it is not all."""
    manifest: Manifest = store.run(run)
    if not is_new:
        specs = store.specs(run)
        cases = {
            one: cases[one] if one in cases else store.case(one)
            for one in dict.fromkeys(spec.case for spec in specs)
        }
    return spill.Whole(manifest, cases, specs)
