"""The store as the viewer reads it: one run at a time, whole episodes kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from riskbox.sandbox.contracts.live import Following
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.viewer.columns import PlayingRow
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.run import Manifest

KEPT = 32
"""Whole episodes kept in memory."""


@dataclass
class ViewerSource:
    """A store, and the run that is looked at. Its methods wait for the store; call them from a thread."""

    store: Store
    """The store."""
    manifest: Manifest
    """The run that is looked at."""
    _kept: OrderedDict[tuple[str, str], tuple[Played, Case]] = field(default_factory=OrderedDict)
    _cases: dict[str, Case] = field(default_factory=dict)

    @property
    def run(self) -> str:
        """The run's id."""
        return self.manifest.run

    def episode(self, run: str, id: str) -> tuple[Played, Case]:
        """An episode with its case.

        Raises:
            UnknownName: the run has no such episode.
            StoreError: it cannot be read.
        """
        key = (run, id)
        if key not in self._kept:
            played = self.store.episode(run, id)
            self._kept[key] = played, self.store.case(played.episode.case.hash)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def playing(self) -> list[PlayingRow]:
        """What is being played of the run; nothing where the store does not show it."""
        feed = self.store.live()
        if feed is None or self.manifest.state != "running":
            return []
        return [PlayingRow(one, self.case(one.spec.case)) for one in feed.playing(self.run)]

    def following(self, run: str, id: str) -> Following | None:
        """An episode to be read while it is played; None if it is not being played."""
        feed = self.store.live()
        found = [one for one in feed.playing(run) if one.id == id] if feed else []
        return Following(feed, run, found[0]) if feed and found else None

    def case(self, hash: str) -> Case:
        """A case by its hash."""
        if hash not in self._cases:
            self._cases[hash] = self.store.case(hash)
        return self._cases[hash]

    def forget(self, run: str, id: str) -> None:
        """Read an episode again when it is next asked for, since a later attempt has taken its place."""
        self._kept.pop((run, id), None)

    def reread(self) -> Manifest:
        """The manifest as it is now."""
        self.manifest = self.store.run(self.run)
        return self.manifest
