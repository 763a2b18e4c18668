"""Episodes that are being played: `riskbox list episodes --playing` and `riskbox show EPISODE --follow`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli.lists.table import ListColumn, dump, intent_text, show_table
from riskbox.sandbox.contracts.live import Following, LiveFeed
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting import screen
from riskbox.sandbox.reporting.findings import FindingNotes, verdicts
from riskbox.sandbox.reporting.lines import EventLines
from riskbox.sandbox.reporting.rows import short
from riskbox.sandbox.reporting.screen import QUIET
from riskbox.sandbox.reporting.transcript import (
    READABLE,
    Margin,
    blocks,
    body,
    card,
    colour,
    ending,
    speaker,
)
from riskbox.sandbox.stores.record import text as record_text
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import Event
from riskbox.sandbox.words.playing import Playing

PATIENCE = 10.0
"""Seconds that an episode of a finished run may take to be stored."""


def feed_of(store: Store) -> LiveFeed:
    """The live feed of a store.

    Raises:
        InputError: it has none.
    """
    feed = store.live()
    if feed is None:
        raise InputError(
            f"{store.url.rpartition('@')[2]} does not show episodes while they are played; a Redis store does. "
            "`riskbox list episodes --follow` prints each when it is stored."
        )
    return feed


def list_playing(url: str, run: str, *, limit: int, as_json: bool) -> int:
    """List the episodes that are being played."""
    with options.open_existing(url) as store:
        id = store.run(run).run
        playing = feed_of(store).playing(id)
        intents = {one: store.case(one).user.intent for one in {one.spec.case for one in playing}}
    if as_json:
        return dump([{"id": one.id, **one.model_dump(mode="json")} for one in playing])
    now = time.time()
    columns: list[ListColumn] = [
        ListColumn("episode", lambda one: screen.text(one.id[:8], "bold")),
        ListColumn("case", lambda one: intent_text(one.case, intents[one.spec.case]), wraps=True),
        ListColumn("agent", lambda one: screen.text(short(one.spec.cast.agent)), wraps=True),
        ListColumn("user", lambda one: screen.text(short(one.spec.cast.user)), wraps=True),
        ListColumn("turn", lambda one: Text(str(one.turn))),
        ListColumn("for", lambda one: Text(lasted(one, now))),
        ListColumn("attempt", lambda one: Text(str(one.attempt))),
        ListColumn("host", lambda one: screen.text(one.host, QUIET)),
    ]
    console = screen.screen()
    console.print(screen.text(f"{len(playing):,} episodes of run {id} are being played", "bold"))
    return show_table(console, playing[: limit or None], columns, len(playing))


def lasted(one: Playing, now: float) -> str:
    """How long an episode has been played; two clocks that differ make it no less than nothing."""
    seconds = max(round(now - one.since), 0)
    return f"{seconds // 60}:{seconds % 60:02}"


def playing_named(store: Store, name: str, run: str = "") -> tuple[str, Playing] | None:
    """The run and the episode being played that a name means; None if no such episode is being played.

    Args:
        store: The store.
        name: The start of its id; `latest` for the one that has been played longest.
        run: Only in this run.

    Raises:
        UnknownName: several fit.
    """
    feed = store.live()
    if feed is None:
        return None
    runs = [store.run(run)] if run else [one for one in store.runs() if one.state == "running"]
    for manifest in runs:
        playing = feed.playing(manifest.run)
        fitting = [one for one in playing if name == "latest" or one.id.startswith(name)]
        if len(fitting) > 1 and name != "latest":
            ids = ", ".join(one.id for one in fitting[:8])
            raise UnknownName(f"{name!r} begins {len(fitting)} episodes that are being played: {ids}.")
        if fitting:
            return manifest.run, fitting[0]
    return None


def follow_episode(url: str, name: str, run: str, *, full: bool, as_json: bool) -> int:
    """Print an episode while it is played, until it is stored; ctrl-C stops looking, not the run."""
    from riskbox.sandbox.cli import show

    with options.open_existing(url) as store:
        feed = feed_of(store)
        found = playing_named(store, name, run)
        if found is None and name == "latest":
            raise InputError("no episode is being played that could be followed.")
        if found is None:
            id, episode = show.found(store, name, run)  # stored already
            played = store.episode(id, episode)
            events: Sequence[Event] = played.episode.events
            printer = _Printer(store.case(played.episode.case.hash), full=full, as_json=as_json)
            printer.head(played)
            printer.more(events, 0)
            printer.tail(played)
            return 0
        id, playing = found
        printer = _Printer(store.case(playing.spec.case), full=full, as_json=as_json)
        return _followed(store, Following(feed, id, playing), printer)


def _followed(store: Store, following: Following, printer: _Printer) -> int:
    run, id, attempt, printed = following.run, following.playing.id, 0, 0
    end = None
    printer.head(following.playing.so_far(run, printer.case, ()))
    while True:
        # the state is read first: what was stored before the run ended must still be shown
        is_over = store.run(run).state != "running"
        following.read()
        if following.attempt > attempt:
            if attempt:
                printer.say(f"Interrupted. Attempt {following.attempt} begins.")
            attempt, printed = following.attempt, 0
        printer.more(following.events, printed)
        printed = len(following.events)
        if (rows := store.pick(run, [id])) and rows[0].attempt >= following.playing.attempt:
            played = store.episode(run, id)
            known = following.events[-1].index if following.events else -1
            events = played.episode.events
            printer.more(events, sum(one.index <= known for one in events))
            printer.tail(played)
            return 0
        end = None if not is_over else end or time.monotonic() + PATIENCE
        if end is not None and time.monotonic() > end:
            printer.say("The run stopped before this episode ended, so it is not stored.")
            return 0


class _Printer:
    """Prints an episode as it goes on, as `riskbox show` prints one that is over."""

    def __init__(self, case: Case, *, full: bool, as_json: bool) -> None:
        self.case, self.full, self.as_json = case, full, as_json
        self.console: Console = screen.screen()
        self.room = min(READABLE, self.console.width)

    def head(self, played: Played) -> None:
        if not self.as_json:
            self.console.print(
                card(played, self.case, min(self.console.width, READABLE + 10), full=self.full)
            )

    def more(self, events: Sequence[Event], start: int) -> None:
        """Print the events from a place on."""
        if self.as_json:
            for event in events[start:]:
                print(record_text(event), flush=True)
            return
        new = {id(event) for event in events[start:]}
        lines = EventLines(self.case, self.room - 10, self.full)
        notes = FindingNotes.of((), len(events))
        for block in blocks(events):
            # those before are read again, since a change is told by what stood there before
            shown = [(event, found) for event in block.events if (found := lines.of(event))]
            fresh = [one for one in shown if id(one[0]) in new]
            if not fresh:
                continue
            if fresh[0] is shown[0]:
                self.console.print()
                self.console.print(
                    speaker(block.party, fresh[0][0].time, self.case, self.room, unmasked=True)
                )
            self.console.print(
                Margin(
                    body(fresh, notes, self.room, self.console.width, beside=False),
                    colour(block.party, self.case, unmasked=True),
                )
            )

    def tail(self, played: Played) -> None:
        """Print how it ended and what was found."""
        if self.as_json:
            return
        self.console.print()
        self.console.print(ending(played.episode, played.episode.events, self.case, self.room))
        self.console.print()
        for part in verdicts(self.case, played.assessments, played.episode.run):
            self.console.print(part)

    def say(self, words: str) -> None:
        print(line(words, 300), file=sys.stderr)
