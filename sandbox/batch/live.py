"""Shows a worker's episodes while they are played, in the live feed of the run's store.

Playing only notes the latest state of each episode. A thread looks at the notes twice a second and publishes what is new. It
keeps no queue: where the feed is slow or away, the notes stay as they are and all is published later. Nothing that
goes wrong here disturbs the playing. An episode that lasts less than that half second is never seen.
"""

from __future__ import annotations

import logging
import platform
import secrets
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

from riskbox.sandbox.contracts.live import EXPIRES, LiveFeed, News
from riskbox.sandbox.episode.rollout import OnStep
from riskbox.sandbox.errors import RiskboxError
from riskbox.sandbox.rules.state import State
from riskbox.sandbox.stores import open_feed
from riskbox.sandbox.words.playing import Playing
from riskbox.sandbox.words.run import Spec

EVERY = 0.5
"""Seconds between two publications."""
SHARE = 0.05
"""The share of a core that publishing may take; beyond that it is done less often."""
AWAY = 10.0
"""Seconds until a feed that could not be reached is tried again."""
CLOSING = 3.0
"""Seconds that the last publication may take."""


@dataclass(slots=True)
class _Note:
    """What is known of one episode."""

    spec: Spec
    attempt: int
    since: float
    state: State
    sent: int = -1
    """How many of its events are published; -1 where nobody knows of it yet."""


class LivePublisher:
    """Publishes the episodes of one worker.

    Args:
        run: The run's id.
        url: The store's URL, with its password.
    """

    def __init__(self, run: str, url: str) -> None:
        self.run, self.worker, self.host = run, secrets.token_hex(6), platform.node()
        self.complaint = ""
        """Why the feed could not be reached; empty as long as it could."""
        self._url = url
        self._notes: dict[str, _Note] = {}
        self._gone: set[str] = set()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def watcher(self, spec: Spec, attempt: int) -> OnStep:
        """What an episode calls after each step."""
        since = time.time()

        def step(state: State) -> None:
            note = self._notes.get(spec.id)
            if note is not None and note.attempt == attempt:
                note.state = state
                return
            self._notes[spec.id] = _Note(spec, attempt, since, state)
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="riskbox-live", daemon=True)
                self._thread.start()

        return step

    def over(self, ids: Collection[str]) -> None:
        """Say that these are played, and stored if they are to be."""
        for id in ids:
            note = self._notes.pop(id, None)
            if note is not None and note.sent >= 0:
                self._gone.add(id)

    def close(self) -> None:
        """Publish no more; waits a few seconds at most."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(CLOSING)

    # --- the thread ---------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        renewed, pause = time.monotonic(), EVERY
        try:
            feed = open_feed(self._url)
        except RiskboxError as error:
            self._complain(error)
            return
        while not self._closing.wait(pause):
            began = time.thread_time()
            try:
                self._publish(feed)
                if time.monotonic() - renewed > EXPIRES / 4:
                    self._renew(feed)
                    renewed = time.monotonic()
                pause = max(EVERY, (time.thread_time() - began) / SHARE)
            except Exception as error:  # whatever it is, the episodes matter more
                self._complain(error)
                pause = AWAY
        if not self.complaint:
            try:
                feed.leave(self.run, self.worker)
            except Exception as error:
                self._complain(error)
        feed.close()

    def _publish(self, feed: LiveFeed) -> None:
        gone = set(self._gone)
        if gone:
            feed.drop(self.run, self.worker, gone)
            self._gone -= gone
        news: list[tuple[_Note, int, News]] = []
        for note in list(self._notes.values()):
            state = note.state
            if len(state.events) > note.sent and (note.sent >= 0 or not state.ended):
                news.append((note, len(state.events), self._news(note, state)))
        missing = feed.publish(self.run, self.worker, [one for *_, one in news]) if news else ()
        for note, until, _ in news:
            note.sent = -1 if note.spec.id in missing else until
        self.complaint = ""

    def _news(self, note: _Note, state: State) -> News:
        playing = Playing(
            spec=note.spec,
            case=state.case.id,
            attempt=note.attempt,
            turn=sum(state.turns.values()),
            since=note.since,
            host=self.host,
        )
        return News(playing, state.events[max(note.sent, 0) :])

    def _renew(self, feed: LiveFeed) -> None:
        notes = {note.spec.id: note for note in list(self._notes.values()) if note.sent >= 0}
        for id in feed.renew(self.run, self.worker, list(notes)):
            notes[id].sent = -1

    def _complain(self, error: Exception) -> None:
        if not self.complaint:
            logging.getLogger("riskbox").warning(
                "episodes cannot be shown while they are played, which disturbs nothing else: %s", error
            )
        self.complaint = str(error)
