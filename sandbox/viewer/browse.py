"""A run's episodes: filtered, searched, sorted, followed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.suggester import Suggester
from textual.widgets import Footer, Input, Static

from riskbox.sandbox.contracts.store import Where
from riskbox.sandbox.errors import InputError, RiskboxError
from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.driven import beat_of, state
from riskbox.sandbox.reporting.screen import LABELS, QUIET
from riskbox.sandbox.viewer import query, search
from riskbox.sandbox.viewer.choose import Choose
from riskbox.sandbox.viewer.columns import PLAYS, PlayingRow
from riskbox.sandbox.viewer.episodes import Episodes
from riskbox.sandbox.viewer.overview import OverviewScreen
from riskbox.sandbox.viewer.reading import EpisodeScreen
from riskbox.sandbox.viewer.source import ViewerSource
from riskbox.sandbox.words.facet import FACETS, HARM, Order
from riskbox.sandbox.words.run import Manifest

LARGE = 20_000
"""Episodes from which on some are shown before all are sorted."""
EVERY = 1.0
"""Seconds between two looks at a run that is written."""


class BrowseScreen(Screen[None]):
    """The episodes of one run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "focus('#filter')", "filter"),
        Binding("s", "search", "search"),
        Binding("o", "order", "sort"),
        Binding("O", "turn", "reverse", show=False),
        Binding("v", "overview", "overview"),
        Binding("r", "run", "runs"),
        Binding("l", "live", "follow"),
        Binding("escape", "leave", "back", show=False),
    ]

    def __init__(self, source: ViewerSource) -> None:
        super().__init__()
        self.source = source
        self.where, self.order = Where(), Order(HARM)
        self.sought = ""
        """What transcripts are searched for."""
        self.hits: list[str] | None = None
        """What was found, in a search."""
        self.total = 0
        self.labels: dict[str, int] = {}
        self.is_live = False
        self.played = 0
        """How many episodes are being played."""
        self._progress = ""

    def compose(self) -> ComposeResult:
        """The run, the lines to type in, the list, and what is shown of it."""
        yield Static(id="title")
        yield Input(
            placeholder="filter: domain=healthcare label=risky agent~gpt tokens>1000 refund",
            id="filter",
            suggester=FilterSuggester(self),
            compact=True,
        )
        yield Input(
            placeholder="search transcripts: a text; enter starts, escape stops", id="search", compact=True
        )
        yield Static(id="told")
        yield Episodes(id="episodes")
        yield Static(id="status")
        yield Footer(show_command_palette=False)

    @property
    def shown(self) -> Episodes:
        """The list."""
        return self.query_one(Episodes)

    def on_mount(self) -> None:
        """Show the run from its worst episode on."""
        self.query_one("#search").display = False
        self.query_one("#told").display = False
        self.shown.focus()
        self._begin()

    def _begin(self) -> None:
        self.is_live = self.source.manifest.state == "running"
        self._tell_run()
        self.refill()
        self.tally()
        if self.is_live:
            self.follow()

    # --- the list -----------------------------------------------------------------------------------------------

    @work(exclusive=True, group="refill")
    async def refill(self) -> None:
        """Ask the store which rows fit, and read those of the first page."""
        await self._refill()

    async def _refill(self) -> None:
        store, run, where, order = self.source.store, self.source.run, self.where, self.order
        try:
            self.total = await asyncio.to_thread(store.count, run)
            if not self.shown.known and self.total > LARGE:
                await self._preview()
            ids = await asyncio.to_thread(store.ids, run, where, order)
            if self.hits is not None:
                fitting = set(ids)
                ids = [id for id in self.hits if id in fitting]
            if not self.shown.known:
                self.shown.learn(await asyncio.to_thread(store.pick, run, ids[:100]))
        except RiskboxError as error:
            self._complain(error)
            return
        if self._progress.startswith("sorting"):
            self._progress = ""
            if not self.shown.cursor:
                # nothing was chosen yet, so the worst will be
                self.shown.ids = ()
        self.shown.show(ids, order)
        self._tell_run()
        self._tell_status()

    async def _preview(self) -> None:
        """Show the first rows that were stored until all are sorted."""
        store, run = self.source.store, self.source.run
        rows = await asyncio.to_thread(lambda: list(store.rows(run, limit=100)))
        self._progress = f"sorting {self.total:,} episodes ..."
        self.shown.learn(rows)
        self.shown.show([row.id for row in rows], Order())
        self._tell_run()

    @on(Episodes.Wanted)
    def wanted(self, event: Episodes.Wanted) -> None:
        """Read rows that came into view."""
        event.stop()
        self.fetch(event.ids)

    @work(group="fetch")
    async def fetch(self, ids: list[str]) -> None:
        """Read some rows."""
        try:
            self.shown.learn(await asyncio.to_thread(self.source.store.pick, self.source.run, ids))
        except RiskboxError as error:
            self._complain(error)

    @work(exclusive=True, group="tally")
    async def tally(self) -> None:
        """Count the run's labels."""
        store, run = self.source.store, self.source.run
        try:
            for label in LABELS:
                self.labels[label] = await asyncio.to_thread(store.count, run, Where(label=(label,)))
        except RiskboxError as error:
            self._complain(error)
        self._tell_run()

    def _complain(self, error: Exception) -> None:
        self._tell(Text(line(str(error)), "bold red"))

    def _tell(self, words: Text) -> None:
        told = self.query_one("#told", Static)
        told.update(words)
        told.display = bool(words.plain) or self.query_one("#filter").has_focus

    def _tell_run(self) -> None:
        manifest = self.source.manifest
        words = Text.assemble(
            (line(manifest.run), "bold"), f" {line(manifest.name, 30)}" if manifest.name else ""
        )
        words.append(f"  {self.total:,} of {max(manifest.planned, self.total):,}", QUIET)
        for label, style in LABELS.items():
            if self.labels.get(label):
                words.append(f"  {self.labels[label]:,} {label}", style)
        if self.played:
            words.append(f"  {PLAYS} {self.played:,} playing", "bold green")
        words.append(
            "  live" if self.is_live else f"  {manifest.state}", "bold green" if self.is_live else QUIET
        )
        self.query_one("#title", Static).update(words)

    @on(Episodes.Moved)
    def _tell_status(self) -> None:
        shown = self.shown
        words = Text()
        if shown.ids:
            words.append(f"{shown.cursor + 1:,} of {len(shown.ids):,}", "bold")
        elif self.total:
            words.append("no episode matches", "yellow")
        else:
            words.append("no episode is stored yet", "yellow")
        by = {"": "stored", HARM: "harm"}.get(self.order.by, self.order.by)
        words.append(f"  by {by}{', reversed' if self.order.reverse else ''}", QUIET)
        if self._progress:
            words.append(f"  {self._progress}", "cyan")
        self.query_one("#status", Static).update(words)

    @on(Episodes.Opened)
    def opened(self, event: Episodes.Opened) -> None:
        """Read an episode."""
        event.stop()
        self.app.push_screen(
            EpisodeScreen(
                self.source, self.source.run, event.episode, find=self.sought, neighbour=self._neighbour
            )
        )

    def _neighbour(self, id: str, by: int) -> str:
        ids = self.shown.ids
        place = (ids.index(id) if id in ids else self.shown.cursor) + by
        if not 0 <= place < len(ids):
            return ""
        self.shown.cursor = place
        return ids[place]

    # --- filter and order ---------------------------------------------------------------------------------------

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Say how the line may go on, or what is wrong with it."""
        known = query.known_values(self.source.manifest, self.shown.known)
        told = Text(line(query.hint(event.value, known), 300), QUIET)
        if not told.plain:
            try:
                query.parse(event.value)
            except InputError as error:
                told = Text(line(str(error), 300), "yellow")
        self._tell(told)

    @on(Input.Submitted, "#filter")
    def filter_given(self, event: Input.Submitted) -> None:
        """Show the rows that fit."""
        self.choose(event.value)

    def choose(self, words: str) -> None:
        """Show the rows that a filter line asks for, or say what is wrong with it."""
        try:
            self.where = query.parse(words)
        except InputError as error:
            self._complain(error)
            return
        field = self.query_one("#filter", Input)
        if field.value != words:
            with field.prevent(Input.Changed):
                field.value = words
        self.shown.cursor = 0
        self.shown.focus()
        self._tell(Text())
        self.refill()

    @on(Episodes.Sorted)
    def sorted_by(self, event: Episodes.Sorted) -> None:
        """Sort by a column, or turn its order round."""
        turned = event.by == self.order.by and not self.order.reverse
        self._sort(Order(event.by, turned))

    def _sort(self, order: Order) -> None:
        self.order = order
        self.shown.cursor = 0
        self.refill()

    def action_order(self) -> None:
        """Choose what to sort by."""
        names = [HARM, "", *(name for name, one in FACETS.items() if len(one.paths) == 1)]
        abouts = {HARM: "the worst first", "": "as they were stored"}
        options = [
            Text.assemble(
                (f"{name or 'stored':<14}", "bold"), (abouts.get(name) or FACETS[name].about, QUIET)
            )
            for name in names
        ]

        def chosen(place: int | None) -> None:
            if place is not None:
                self._sort(Order(names[place]))

        self.app.push_screen(Choose("Sort by", options), chosen)

    def action_turn(self) -> None:
        """Turn the order round."""
        self._sort(Order(self.order.by, not self.order.reverse))

    # --- search -------------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Type what to search for."""
        field = self.query_one("#search", Input)
        field.display = True
        field.focus()

    @on(Input.Submitted, "#search")
    def search_given(self, event: Input.Submitted) -> None:
        """Search the transcripts of what is listed."""
        self.sought, self.hits = event.value, None
        self.shown.focus()
        self.seek(event.value)

    @work(exclusive=True, group="seek")
    async def seek(self, text: str) -> None:
        """Search in steps, showing what was found after each."""
        store, run = self.source.store, self.source.run
        self.shown.play([])
        await self._refill()
        ids = self.shown.ids
        if not text:
            return
        self.hits, unread, looked = [], 0, 0
        for start in range(0, len(ids), search.STEP):
            page = ids[start : start + search.STEP]
            hits, missed = await asyncio.to_thread(search.found, store, run, page, text)
            self.hits += hits
            unread, looked = unread + missed, start + len(page)
            self._progress = f"searching {looked:,} of {len(ids):,}, {len(self.hits):,} found; escape stops"
            if hits or not start:
                self.shown.show(list(self.hits), self.order)
            self._tell_status()
            if len(self.hits) >= search.ENOUGH:
                break
        rest = f", {len(ids) - looked:,} not searched" if looked < len(ids) else ""
        lost = f", {unread:,} could not be read" if unread else ""
        self._progress = (
            f"{len(self.hits):,} of {looked:,} contain {line(text, 40)!r}{rest}{lost}; escape shows all"
        )
        self._tell_status()

    # --- other runs, live ---------------------------------------------------------------------------------------

    @work(exclusive=True, group="run")
    async def action_run(self) -> None:
        """Choose another run."""
        try:
            runs = await asyncio.to_thread(self.source.store.runs)
            beats = [await asyncio.to_thread(beat_of, self.source.store, one) for one in runs]
        except RiskboxError as error:
            self._complain(error)
            return
        options = [
            Text.assemble(
                (f"{line(one.run)}  ", "bold"),
                line(one.name, 30),
                (
                    f"  {line(state(one, beat), 60)}, {one.planned:,} planned, {line(', '.join(one.agents), 60)}",
                    QUIET,
                ),
            )
            for one, beat in zip(runs, beats, strict=True)
        ]

        def chosen(place: int | None) -> None:
            if place is not None:
                self._turn_to(runs[place])

        self.app.push_screen(Choose("Runs, latest first", options), chosen)

    def _turn_to(self, run: Manifest) -> None:
        self.source.manifest = run
        self.sought, self.hits, self._progress = "", None, ""
        self.labels, self.where, self.order, self.played = {}, Where(), Order(HARM), 0
        self.query_one("#filter", Input).value = ""
        self.shown.forget()
        for group in ("follow", "seek"):
            self.workers.cancel_group(self, group)
        self._begin()

    def action_live(self) -> None:
        """Follow the run, or stop following."""
        self.is_live = not self.is_live
        self._tell_run()
        if self.is_live:
            self.follow()
        else:
            self.workers.cancel_group(self, "follow")
            self._show_playing([])

    @work(exclusive=True, group="follow")
    async def follow(self) -> None:
        """Look again and again at what was stored, until the run ends."""
        store, run = self.source.store, self.source.run
        try:
            cursor = await asyncio.to_thread(store.cursor, run)
            await self._refill()  # what came before the cursor
            while True:
                # the state is read first: what was stored before the run ended must still be shown
                manifest = await asyncio.to_thread(self.source.reread)
                rows, cursor = await asyncio.to_thread(store.follow, run, cursor)
                playing = await asyncio.to_thread(self.source.playing)
                began = time.monotonic()
                if rows:
                    self.shown.learn([row for row in rows if self.shown.row(row.id)])
                    for row in rows:
                        self.source.forget(run, row.id)
                    await self._refill()
                    self.tally()
                self._show_playing(playing)
                if manifest.state != "running" and not rows:
                    break
                # a long list takes long to sort, and the reader is not the only one at the store
                await asyncio.sleep(max(EVERY, 4 * (time.monotonic() - began)))
        except RiskboxError as error:
            self._complain(error)
        self.is_live = False
        self._show_playing([])

    def _show_playing(self, playing: Sequence[PlayingRow]) -> None:
        """Show what is being played, unless only some episodes are to be shown."""
        self.played = len(playing)
        some = bool(self.where.terms) or self.hits is not None
        if playing and not (some or self.shown.playing or self.shown.cursor):
            # nothing was chosen yet, so the first will be
            self.shown.ids = ()
            self.refill()
        self.shown.play([] if some else playing)
        self._tell_run()

    # --- the rest -----------------------------------------------------------------------------------------------

    def action_overview(self) -> None:
        """Show the run at a glance; a cell of its heatmap becomes the filter."""

        def chosen(words: str | None) -> None:
            if words is not None:
                self.choose(words)

        self.app.push_screen(OverviewScreen(self.source), chosen)

    def action_leave(self) -> None:
        """From a line to the list; stop a search; take back the filter."""
        if isinstance(self.focused, Input):
            self.shown.focus()
        elif self.hits is not None:
            self.workers.cancel_group(self, "seek")
            self.sought, self.hits, self._progress = "", None, ""
            field = self.query_one("#search", Input)
            field.value, field.display = "", False
            self.refill()
        elif self.where.terms:
            self.choose("")

    def on_key(self, event: events.Key) -> None:
        """From a line down to the list."""
        if event.key == "down" and isinstance(self.focused, Input):
            event.stop()
            self.shown.focus()


class FilterSuggester(Suggester):
    """Offers names of fields and their values."""

    def __init__(self, screen: BrowseScreen) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._screen = screen

    async def get_suggestion(self, value: str) -> str | None:
        """The likeliest way for the line to go on."""
        known = query.known_values(self._screen.source.manifest, self._screen.shown.known)
        return next(iter(query.candidates(value, known)), None)
