"""The contract of a live feed: episodes are seen while they are played, on any machine that reaches the feed.

A feed is for looking, and may lose what it holds: what counts is the stored episode. A worker publishes what happened under
a name of its own, and whatever a worker that died has left expires after `EXPIRES` seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from riskbox.sandbox.words.event import Event
from riskbox.sandbox.words.playing import Playing

EXPIRES = 120
"""Seconds after which a feed forgets what nobody has renewed."""


@dataclass(frozen=True, slots=True)
class News:
    """What has happened in an episode since it was last published."""

    playing: Playing
    """The episode, as it is now."""
    events: Sequence[Event]
    """The events since then."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader of an episode sees next."""

    attempt: int
    """Which attempt the events are of; a later one than before begins anew. 0 where nothing was read."""
    events: Sequence[Event]
    """Events in order; those known already may come again."""
    after: str
    """From where to read on."""


@dataclass
class Following:
    """One episode as it is read from a feed, piece by piece."""

    feed: LiveFeed
    """The feed."""
    run: str
    """The run."""
    playing: Playing
    """The episode, as it was when it was last found among those that are being played."""
    events: list[Event] = field(default_factory=list)
    """The events that were read, in order. Some may be missing: those that are very large, and the oldest of very many."""
    attempt: int = 0
    """Which attempt they are of."""
    _after: str = ""

    @property
    def missing(self) -> int:
        """How many events before the last one were not read."""
        return self.events[-1].index + 1 - len(self.events) if self.events else 0

    def read(self, wait: float = 1.0) -> bool:
        """Read on; whether anything new has come. A later attempt begins anew.

        Raises:
            StoreError: the feed cannot be reached.
        """
        seen = self.feed.follow(self.run, self.playing.id, self._after, wait)
        self._after = seen.after
        if seen.attempt > self.attempt:
            self.attempt, self.events = seen.attempt, []
            self.playing = self.playing.model_copy(update={"attempt": seen.attempt})
        known = self.events[-1].index if self.events else -1
        new = [one for one in seen.events if one.index > known] if seen.attempt == self.attempt else []
        self.events += new
        return bool(new)


class LiveFeed(ABC):
    """Shows episodes while they are played. Methods raise `StoreError` when the feed cannot be reached."""

    @abstractmethod
    def publish(self, run: str, worker: str, news: Sequence[News]) -> set[str]:
        """Publish what a worker's episodes have come to.

        News of a run that is not running, of an episode that is stored, or of an attempt that a later one has taken the place
        of are ignored.

        Returns:
            The ids of episodes of which the feed lacks earlier events; publish these again from their first event.
        """

    @abstractmethod
    def renew(self, run: str, worker: str, ids: Sequence[str]) -> set[str]:
        """Keep episodes in which nothing has happened for a while. Returns the ids of those that the feed has lost."""

    @abstractmethod
    def drop(self, run: str, worker: str, ids: Collection[str]) -> None:
        """Say that a worker plays these no longer."""

    @abstractmethod
    def leave(self, run: str, worker: str) -> None:
        """Say that a worker plays nothing any more."""

    @abstractmethod
    def playing(self, run: str) -> list[Playing]:
        """The episodes that are being played and not stored yet, those first that began first."""

    @abstractmethod
    def follow(self, run: str, id: str, after: str = "", wait: float = 1.0) -> Seen:
        """The events of an episode that is being played, as far as they were published.

        Args:
            run: The run.
            id: The episode.
            after: Where the last reading ended; empty for the first event.
            wait: Seconds to wait for an event if there is none.
        """

    @abstractmethod
    def ask_stop(self, run: str) -> None:
        """Ask whoever plays a run, on whatever machine, to stop it."""

    @abstractmethod
    def stop_asked(self, run: str) -> bool:
        """Whether somebody has asked the run to stop; what was asked is forgotten then."""

    @abstractmethod
    def close(self) -> None:
        """Close the feed."""
