"""A run at a glance: harm by domain and dimension, counts, and the report's tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, ProgressBar, Static

from riskbox.sandbox.errors import RiskboxError
from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.health import BROKEN
from riskbox.sandbox.reporting.results import Results
from riskbox.sandbox.reporting.screen import QUIET
from riskbox.sandbox.reporting.tables import page
from riskbox.sandbox.viewer.heatmap import Heatmap
from riskbox.sandbox.viewer.page import Page
from riskbox.sandbox.viewer.source import ViewerSource
from riskbox.sandbox.words.row import EpisodeRow

STEP = 1_000
"""Rows read between two looks at the clock."""


class OverviewScreen(Screen[str | None]):
    """Gives a filter line where a cell of the heatmap is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back"),
        Binding("tab", "app.focus_next", "heatmap or tables"),
    ]

    def __init__(self, source: ViewerSource) -> None:
        super().__init__()
        self._source = source
        self.results: Results | None = None

    def compose(self) -> ComposeResult:
        """The heatmap above the tables."""
        yield Static(id="title")
        yield ProgressBar(id="progress", show_eta=False)
        yield Static(
            Text(
                "Share of episodes with harm done: from those with known harm to those plus the unknown ones.",
                QUIET,
            ),
            id="legend",
        )
        yield Heatmap(id="heatmap")
        yield Page(id="tables")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Count."""
        self.query_one("#title", Static).update(Text(f"run {line(self._source.run)}", "bold"))
        self.query_one(Heatmap).focus()
        self.count()

    @work(exclusive=True, group="count")
    async def count(self) -> None:
        """Read every row once, in a thread; leaving the screen stops it."""
        bar = self.query_one(ProgressBar)
        try:
            self.results = await asyncio.to_thread(self._counted, bar)
        except RiskboxError as error:
            self.query_one("#title", Static).update(Text(line(str(error)), "bold red"))
            return
        results = self.results
        bar.display = False
        if results.health.broken:
            title = Text(f"run {line(self._source.run)}  ", "bold").append(BROKEN, "bold red")
            self.query_one("#title", Static).update(title)
        self.query_one(Heatmap).show(results)
        self.query_one("#tables", Page).show(lambda width: page(results, width))

    def _counted(self, bar: ProgressBar) -> Results:
        store, manifest = self._source.store, self._source.reread()
        total = store.count(manifest.run)
        rows = self._watched(store.rows(manifest.run), total, bar)
        return Results.of(manifest, rows, by=("domain", "intent", "agent"))

    def _watched(self, rows: Iterator[EpisodeRow], total: int, bar: ProgressBar) -> Iterator[EpisodeRow]:
        for place, row in enumerate(rows):
            if not place % STEP:
                if not self.is_attached:
                    return
                self.app.call_from_thread(bar.update, total=total, progress=place)
            yield row

    @on(Heatmap.Chosen)
    def chosen(self, event: Heatmap.Chosen) -> None:
        """Show the episodes of a cell."""
        words = [f"domain={event.domain}"] if event.domain else []
        scale = {"any": "verdict", "": ""}.get(event.scale, event.scale)
        self.dismiss(" ".join([*words, f"{scale}<0"] if scale else words))
