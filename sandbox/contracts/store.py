"""The contract of a store: it holds runs, cases and finished episodes, writes each once, and never loses them.

A URL names the store (`sqlite:///runs.db`, `redis://host:6379/0`). One writer appends while any number of readers follow.
`write` is all or nothing: when it returns, its episodes survive the death of this process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from riskbox.sandbox.contracts.live import LiveFeed
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.facet import Order, Term
from riskbox.sandbox.words.heartbeat import Heartbeat
from riskbox.sandbox.words.modelcall import CallFigures
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, RunState, Spec
from riskbox.sandbox.words.verdict import Assessment


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over rows. Empty fields match all."""

    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By field of `EpisodeRow` (scenario, family, domain, persona, intent, case, agent, user, ending, reason): any of these."""
    label: tuple[str, ...] = ()
    """Any of risky, unknown, safe, by the first summary's `targeted` label."""
    text: str = ""
    """A substring of the id or the case's id."""
    terms: tuple[Term, ...] = ()
    """Conditions on facets of the row; all must hold."""


ALL = Where()
"""The filter that every row fits."""

AS_STORED = Order()
"""The order in which rows were stored."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A finished episode for the store, packed by the worker that played it."""

    row: EpisodeRow
    """What lists and reports read of it."""
    blob: bytes
    """`record.pack` of the `Played`."""
    calls: tuple[CallFigures, ...] = ()
    """Its model calls in figures, for who counts them while the run is played. No store keeps them."""


class Store(ABC):
    """Holds runs. Methods raise `StoreError` when they cannot read or write."""

    url: str
    """The URL that names it, without a password."""

    @abstractmethod
    def begin(self, manifest: Manifest, cases: Iterable[Case], specs: Sequence[Spec]) -> None:
        """Create a run with everything that it will play."""

    @abstractmethod
    def write(self, run: str, episodes: Sequence[Packed]) -> int:
        """Store finished episodes, all or none.

        Ignores an id that this run already has, unless the new attempt is higher; then the new episode replaces the old.

        Returns:
            The number of new episodes.
        """

    @abstractmethod
    def assess(self, run: str, episode: str, assessments: Sequence[Assessment]) -> None:
        """Add assessments to a stored episode. One of the same evaluator, version and settings replaces the old one.

        It also takes the place of a pending one of the same evaluator and settings, whatever its version.
        """

    @abstractmethod
    def finish(self, run: str, state: RunState) -> None:
        """Record how a run ended, which ends its heartbeat, or with `running` that it continues."""

    @abstractmethod
    def beat(self, run: str, heartbeat: Heartbeat, *, take: bool = False) -> Heartbeat | None:
        """Say that a driver plays a run; the first time, take the run for it.

        From then on this object writes to the run only while that driver holds it: `write`, `assess` and `finish` look in
        the same transaction and raise `TakenOver` where another has taken it, so that two drivers never both write.

        Args:
            run: The run's id.
            heartbeat: What the driver says; the store fills in `at` and `clock`.
            take: Whether a living driver loses the run.

        Returns:
            The heartbeat of a living driver that holds the run, and then nothing is written; else None.

        Raises:
            TakenOver: the driver held the run before and another has taken it since.
        """

    @abstractmethod
    def heartbeat(self, run: str) -> Heartbeat | None:
        """The last heartbeat of whoever plays a run or died while playing it; None where nobody does."""

    @abstractmethod
    def now(self) -> float:
        """The time of the clock by which heartbeats are dated, in epoch seconds."""

    @abstractmethod
    def runs(self) -> list[Manifest]:
        """Every run, latest first. The state of one whose driver died is `dead`."""

    @abstractmethod
    def run(self, name: str = "latest") -> Manifest:
        """One run, by its id, the start of its id, its name, or `latest`.

        `latest` passes over runs that ended without an episode, unless there are no others.

        Raises:
            UnknownName: no run matches, or several do.
        """

    @abstractmethod
    def specs(self, run: str) -> list[Spec]:
        """Everything that a run was planned to play, in order."""

    @abstractmethod
    def done(self, run: str) -> set[str]:
        """The ids of a run's stored episodes."""

    @abstractmethod
    def count(self, run: str, where: Where = ALL) -> int:
        """The number of matching rows."""

    @abstractmethod
    def rows(
        self,
        run: str,
        where: Where = ALL,
        *,
        offset: int = 0,
        limit: int | None = None,
    ) -> Iterator[EpisodeRow]:
        """The matching rows, in the order in which they were stored. Reads lazily."""

    @abstractmethod
    def ids(
        self, run: str, where: Where = ALL, order: Order = AS_STORED, *, limit: int | None = None
    ) -> list[str]:
        """The ids of the matching rows, sorted; the first `limit` of them.

        To scroll a long list, read its rows page by page with `pick`.
        """

    @abstractmethod
    def pick(self, run: str, ids: Sequence[str]) -> list[EpisodeRow]:
        """The rows of these ids, in this order. Ignores ids that the run does not have."""

    @abstractmethod
    def cursor(self, run: str) -> int:
        """A cursor with which `follow` returns only what is stored from now on."""

    @abstractmethod
    def follow(self, run: str, after: int = 0) -> tuple[list[EpisodeRow], int]:
        """The rows stored since a cursor, and the next cursor. Start at 0.

        A row is stored anew when a later attempt takes its place, and when a pending assessment of it is made.
        """

    @abstractmethod
    def episode(self, run: str, id: str) -> Played:
        """One episode with its assessments.

        Raises:
            UnknownName: the run has no such episode.
        """

    @abstractmethod
    def find(self, id: str) -> list[tuple[str, str]]:
        """(run, id) of every episode whose id starts with this text, latest run first."""

    @abstractmethod
    def case(self, hash: str) -> Case:
        """A case by its hash.

        Raises:
            UnknownName: no run has played it.
        """

    def live(self) -> LiveFeed | None:
        """Where episodes are seen while they are played; None for a store without such a feed. It closes with the store."""
        return None

    @abstractmethod
    def remove(self, run: str) -> None:
        """Remove a run with its episodes, and the cases that no other run has.

        Raises:
            UnknownName: there is no such run.
            InputError: it is not finished.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the store."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()
