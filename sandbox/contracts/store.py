"""What a store promises: runs, cases and finished episodes, written once and never lost.

A store is chosen by URL (`sqlite:///runs.db`, `redis://host:6379/0`). One writer appends while any number of readers
follow. `write` is all or nothing: when it returns, its episodes survive the death of this process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.facet import Order, Term
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, RunState, Spec
from riskbox.sandbox.words.verdict import Assessment


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over rows; what is left empty matches all."""

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
    """A finished episode on its way to the store, packed by the worker that played it."""

    row: EpisodeRow
    """What lists and reports read of it."""
    blob: bytes
    """`record.pack` of the `Played`."""


class Store(ABC):
    """Where runs live. Methods raise `StoreError` when the store cannot be read or written."""

    url: str
    """The URL that names it, without a password."""

    @abstractmethod
    def begin(self, manifest: Manifest, cases: Iterable[Case], specs: Sequence[Spec]) -> None:
        """Create a run with all it will play."""

    @abstractmethod
    def write(self, run: str, episodes: Sequence[Packed]) -> int:
        """Store finished episodes, all or none.

        An id already stored in this run is left alone, unless the new attempt is higher; then it supersedes.

        Returns:
            How many are new.
        """

    @abstractmethod
    def assess(self, run: str, episode: str, assessments: Sequence[Assessment]) -> None:
        """Add assessments to a stored episode; one of the same evaluator, version and settings replaces the former."""

    @abstractmethod
    def finish(self, run: str, state: RunState) -> None:
        """Say how a run ended, or with `running` that it goes on."""

    @abstractmethod
    def runs(self) -> list[Manifest]:
        """Every run, latest first."""

    @abstractmethod
    def run(self, name: str = "latest") -> Manifest:
        """One run: by id, by the beginning of one, by name, or the latest.

        Raises:
            UnknownName: none or several fit.
        """

    @abstractmethod
    def specs(self, run: str) -> list[Spec]:
        """All that a run was to play, in order."""

    @abstractmethod
    def done(self, run: str) -> set[str]:
        """The ids of the episodes a run has stored."""

    @abstractmethod
    def count(self, run: str, where: Where = ALL) -> int:
        """How many rows fit."""

    @abstractmethod
    def rows(
        self,
        run: str,
        where: Where = ALL,
        *,
        offset: int = 0,
        limit: int | None = None,
    ) -> Iterator[EpisodeRow]:
        """The rows that fit, in the order they were stored, read as they are iterated."""

    @abstractmethod
    def ids(self, run: str, where: Where = ALL, order: Order = AS_STORED) -> list[str]:
        """The ids of the rows that fit, sorted: a long list that is scrolled, whose rows `pick` reads page by page."""

    @abstractmethod
    def pick(self, run: str, ids: Sequence[str]) -> list[EpisodeRow]:
        """The rows of these ids, in this order; ids that the run does not have are left out."""

    @abstractmethod
    def cursor(self, run: str) -> int:
        """From where `follow` sees only what will be stored from now on."""

    @abstractmethod
    def follow(self, run: str, after: int = 0) -> tuple[list[EpisodeRow], int]:
        """The rows stored since a cursor, and the next cursor; begin at 0."""

    @abstractmethod
    def episode(self, run: str, id: str) -> Played:
        """One episode with its assessments.

        Raises:
            UnknownName: the run has no such episode.
        """

    @abstractmethod
    def find(self, id: str) -> list[tuple[str, str]]:
        """(run, id) of every episode whose id begins so, latest run first."""

    @abstractmethod
    def case(self, hash: str) -> Case:
        """A case by its hash.

        Raises:
            UnknownName: no run has played it.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()
