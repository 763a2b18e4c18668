"""One episode: its transcript, and beside it verdicts, world and model calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Footer, Static, TabbedContent, TabPane

from riskbox.sandbox.contracts.live import Following
from riskbox.sandbox.errors import RiskboxError
from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.findings import STATUSES
from riskbox.sandbox.reporting.screen import AGENT, INTENTS, QUIET
from riskbox.sandbox.viewer.calls import Calls, asked, summed
from riskbox.sandbox.viewer.choose import Choose
from riskbox.sandbox.viewer.columns import PLAYS
from riskbox.sandbox.viewer.compare import CompareScreen
from riskbox.sandbox.viewer.item import TranscriptItems
from riskbox.sandbox.viewer.page import Page
from riskbox.sandbox.viewer.pairing import counterparts
from riskbox.sandbox.viewer.search import place
from riskbox.sandbox.viewer.transcript import TranscriptView
from riskbox.sandbox.viewer.verdicts import verdicts
from riskbox.sandbox.viewer.world import WorldTree
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.verdict import Finding

if TYPE_CHECKING:
    from riskbox.sandbox.viewer.source import ViewerSource

PARTIES = ("", "user", "agent")
"""Whose eyes to see with: everybody's, the user's, the agent's."""

UNFINISHED = "It is being played. It is assessed when it is over."
STOPPED = "The run stopped before this episode ended, so it is not stored."


class EpisodeScreen(Screen[None]):
    """An episode to read."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "back"),
        Binding("a", "party", "see as"),
        Binding("1", "pane('talk')", "transcript", show=False),
        Binding("2", "pane('verdicts')", "verdicts"),
        Binding("3", "pane('world')", "world"),
        Binding("4", "pane('calls')", "models"),
        Binding("c", "compare", "compare"),
        Binding("right_square_bracket", "other(1)", "next episode", show=False),
        Binding("left_square_bracket", "other(-1)", "previous episode", show=False),
    ]

    def __init__(
        self,
        source: ViewerSource,
        run: str,
        id: str,
        *,
        find: str = "",
        neighbour: Callable[[str, int], str] | None = None,
    ) -> None:
        super().__init__()
        self._source, self._run, self._episode, self._find = source, run, id, find
        self._neighbour = neighbour
        self.played: Played | None = None
        self.case: Case | None = None
        self.following: Following | None = None
        """What is read of it while it is being played; None for a stored one."""
        self.party = ""

    def compose(self) -> ComposeResult:
        """Transcript to the left, the rest to the right; on a narrow terminal one of them."""
        yield Static(id="title")
        with Horizontal(id="panes"):
            yield TranscriptView(id="talk")
            with TabbedContent(id="side", initial="tab-verdicts"):
                with TabPane("Verdicts", id="tab-verdicts"):
                    yield Page(id="verdicts")
                with TabPane("World", id="tab-world"):
                    yield WorldTree(id="world")
                with TabPane("Model calls", id="tab-calls"):
                    yield Static(id="summed")
                    yield Calls(id="calls")
        yield Static(id="status")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Read the episode."""
        self.add_class("-talk")
        self.query_one(TranscriptView).focus()
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """Read the episode and show it."""
        self.query_one("#title", Static).update(Text(f"reading {line(self._episode, 40)} ...", QUIET))
        self.workers.cancel_group(self, "follow")
        self.following = None
        try:
            following = await asyncio.to_thread(self._source.following, self._run, self._episode)
            if following is not None:
                self.case = await asyncio.to_thread(self._source.case, following.playing.spec.case)
                self.watch_played(following)
                return
            played, case = await asyncio.to_thread(self._source.episode, self._run, self._episode)
        except RiskboxError as error:
            self.query_one("#title", Static).update(Text(line(str(error)), "bold red"))
            return
        self._show_stored(played, case, -1)

    def _show_stored(self, played: Played, case: Case, index: int) -> None:
        self.played, self.case, self.following = played, case, None
        self._show(index)
        if self._find and (found := place(played.episode.events, self._find)) is not None:
            self.query_one(TranscriptView).go(found)
        page, calls = self.query_one("#verdicts", Page), asked(played)
        page.show(lambda width: verdicts(played, case))
        self.query_one("#summed", Static).update(Text(summed(calls)))
        self.query_one(Calls).show(calls)

    @work(exclusive=True, group="follow")
    async def watch_played(self, following: Following) -> None:
        """Show an episode while it is played, until it is stored; then show it with its verdicts."""
        self.following, store = following, self._source.store
        self.query_one("#verdicts", Page).show(lambda width: [Text(UNFINISHED, QUIET)])
        self._grow()
        while True:
            try:
                is_over = (await asyncio.to_thread(store.run, self._run)).state != "running"
                if await asyncio.to_thread(following.read):
                    self._grow()
                rows = await asyncio.to_thread(store.pick, self._run, [self._episode])
                if rows and rows[0].attempt >= following.playing.attempt:
                    self._source.forget(self._run, self._episode)
                    stored = await asyncio.to_thread(self._source.episode, self._run, self._episode)
                    view = self.query_one(TranscriptView)
                    self._show_stored(*stored, view.index)
                    return
                if is_over:
                    self.query_one("#status", Static).update(Text(STOPPED, "yellow"))
                    return
            except RiskboxError as error:
                # a reader waits until the server is back
                self.query_one("#status", Static).update(Text(line(str(error)), "bold red"))
                await asyncio.sleep(2)

    def _grow(self) -> None:
        """Show an episode that is being played as far as it is."""
        if self.following is None or self.case is None:
            return
        self.played = self.following.playing.so_far(self._run, self.case, self.following.events)
        self.query_one(TranscriptView).grow(TranscriptItems(self.played, self.case, self.party))
        self.query_one("#title", Static).update(self._title(self.played, self.case))

    def _show(self, index: int) -> None:
        if self.played is None or self.case is None:
            return
        self.query_one(TranscriptView).show(TranscriptItems(self.played, self.case, self.party), index)
        self.query_one("#title", Static).update(self._title(self.played, self.case))

    def _title(self, played: Played, case: Case) -> Text:
        episode = played.episode
        seen = f" as the {self.party} saw it " if self.party else ""
        return Text.assemble(
            ("" if self.following is None else f"{PLAYS} live ", "bold green"),
            (f"attempt {episode.attempt} " if self.following and episode.attempt > 1 else "", "green"),
            (seen, "bold reverse"),
            " " if seen else "",
            (f"{line(episode.id[:8])} ", "bold"),
            (line(episode.case.id, 80), INTENTS.get(case.user.intent, "")),
            (f"  {line(episode.cast.agent.rpartition('/')[2], 40)}", AGENT),
            (f"  seed {episode.seed}  {line(episode.run)}", QUIET),
        )

    # --- what goes on -------------------------------------------------------------------------------------------

    @on(TranscriptView.Moved)
    def moved(self, event: TranscriptView.Moved) -> None:
        """Show the world at the event, and say what it is."""
        event.stop()
        if self.played is None or self.case is None:
            return
        transcript = event.transcript
        if self.following is not None and self.following.missing:
            # the world cannot be told from a part of its changes
            self.query_one("#status", Static).update(self._status(transcript))
            return
        self.query_one(WorldTree).show(self.case, self.played.episode.events, transcript.index)
        self.query_one("#status", Static).update(self._status(transcript))

    def _status(self, transcript: TranscriptView) -> Text:
        assert self.played is not None
        events = self.played.episode.events
        shown = next((one for one in events if one.index == transcript.index), None)
        words = Text(
            f"{len(events)} events" if shown is None else f"#{shown.index} of {len(events) - 1}", "bold"
        )
        if shown is not None:
            words.append(
                f"  {line(shown.kind, 20)}, seen by {line(', '.join(shown.audience) or 'nobody', 40)}", QUIET
            )
        if self.following is not None:
            left_out = self.following.missing
            return words.append(f"   {left_out} events are not shown live" if left_out else "", "yellow")
        stops = transcript.stops
        if not stops:
            found = any(one.findings or one.signals for one in self.played.assessments)
            told = "   the findings cite no single event" if found else "   no findings"
            return words.append("" if self.party else told, QUIET)
        here = [n for n, (index, _) in enumerate(stops) if index == transcript.index]
        if not here:
            return words.append(
                f"   evidence at {len(stops)} place{'' if len(stops) == 1 else 's'}: n goes to the next",
                QUIET,
            )
        at = transcript.stop if transcript.stop in here else here[0]
        raised = stops[at][1]
        words.append(f"   evidence {at + 1} of {len(stops)}: ")
        if isinstance(raised, Finding):
            return words.append(
                f"{raised.status} {line(raised.risk, 40)}, severity {raised.severity}",
                STATUSES[raised.status],
            )
        return words.append(f"signal {line(raised.id, 40)}", "blue")

    @on(Calls.Chosen)
    def call_chosen(self, event: Calls.Chosen) -> None:
        """Go to the event a call was made at."""
        self.query_one(TranscriptView).go(event.event)
        if self.has_class("-narrow"):
            self.action_pane("talk")

    # --- keys ---------------------------------------------------------------------------------------------------

    def action_party(self) -> None:
        """See with other eyes."""
        index = self.query_one(TranscriptView).index
        self.party = PARTIES[(PARTIES.index(self.party) + 1) % len(PARTIES)]
        self._show(index)

    def action_pane(self, name: str) -> None:
        """Go to a pane; on a narrow terminal it takes the place of the others."""
        self.set_class(name == "talk", "-talk")
        if name != "talk":
            self.query_one(TabbedContent).active = f"tab-{name}"
        self.query_one(f"#{name}").focus()

    def action_other(self, by: int) -> None:
        """Open the next or previous episode of the list."""
        other = self._neighbour(self._episode, by) if self._neighbour else ""
        if other:
            self._episode = other
            self.load()
        else:
            self.app.bell()

    @work(exclusive=True, group="compare")
    async def action_compare(self) -> None:
        """Offer episodes to compare this one with."""
        if self.played is None or self.case is None:
            return
        if self.following is not None:
            self.notify("It can be compared when it is over.", markup=False)
            return
        row = EpisodeRow.of(self.played)
        try:
            found = await asyncio.to_thread(counterparts, self._source.store, row)
        except RiskboxError as error:
            self.notify(line(str(error)), severity="error", markup=False)
            return
        none = "No other agent, variant, twin or seed of this case is stored."
        options = Choose("Compare with", [one.told(row) for one in found], none)

        def chosen(place: int | None) -> None:
            if place is not None:
                self.compare(found[place].row)

        self.app.push_screen(options, chosen)

    @work(exclusive=True, group="compare")
    async def compare(self, other: EpisodeRow) -> None:
        """Show another episode beside this one."""
        if self.played is None or self.case is None:
            return
        try:
            pair = await asyncio.to_thread(self._source.episode, other.run, other.id)
        except RiskboxError as error:
            self.notify(line(str(error)), severity="error", markup=False)
            return
        self.app.push_screen(CompareScreen((self.played, self.case), pair))
