"""The calls of language models that an episode took, judges' included."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.message import Message
from textual.widgets import DataTable

from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.health import call_words
from riskbox.sandbox.reporting.screen import QUIET
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.modelcall import ModelCall

HEADINGS = ("#", "seat", "outcome", "in", "out", "cost", "latency", "cached", "took", "sent", "model", "for")


def asked(played: Played) -> list[ModelCall]:
    """Every call, in the order of the events, judges' last."""
    return [*played.episode.model_calls, *(call for one in played.assessments for call in one.model_calls)]


def summed(calls: Sequence[ModelCall]) -> str:
    """What the calls took together."""
    if not calls:
        return "no language model was called"
    tokens = f"{sum(one.input_tokens for one in calls):,} tokens in, {sum(one.output_tokens for one in calls):,} out"
    unpriced = sum(one.cost is None for one in calls)
    cost = f"${sum(one.cost or 0 for one in calls):.4f}" + (
        f" ({unpriced} without a price)" if unpriced else ""
    )
    failed = sum(one.outcome != "ok" for one in calls)
    flawed = sum(bool(one.flaws) and one.outcome == "ok" for one in calls)
    told = (f", {failed} failed" if failed else "") + (f", {flawed} flawed" if flawed else "")
    return f"{len(calls)} calls{told}: {tokens}, {cost}, {sum(one.seconds for one in calls):.1f} s"


class Calls(DataTable[Text]):
    """One row a call; enter goes to the event it was made at."""

    class Chosen(Message):
        """A call was chosen."""

        def __init__(self, event: int) -> None:
            super().__init__()
            self.event = event

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self._events: list[int] = []

    def show(self, calls: Sequence[ModelCall]) -> None:
        """Show other calls."""
        self.clear(columns=True)
        for heading in HEADINGS:
            self.add_column(Text(heading))
        self._events = [-1 if one.seat == "judge" else one.event for one in calls]
        for one in calls:
            self.add_row(*_cells(one))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Tell which event."""
        event.stop()
        if event.cursor_row < len(self._events):
            self.post_message(self.Chosen(self._events[event.cursor_row]))


def _cells(one: ModelCall) -> list[Text]:
    outcome = Text(one.outcome.replace("_", " "), "green" if one.outcome == "ok" else "bold red")
    if wrong := call_words(one)[one.outcome != "ok" :]:
        outcome.append(f" {', '.join(wrong)}", "yellow")
    if one.detail:
        outcome.append(f" {line(one.detail, 80)}", QUIET)
    if one.source != "live":
        outcome.append(f" {one.source}", QUIET)
    numbers = (
        f"{one.input_tokens:,}",
        f"{one.output_tokens:,}",
        "?" if one.cost is None else f"${one.cost:.4f}",
        f"{one.latency:.2f} s",
        f"{one.cached_tokens:,}",
        f"{one.seconds:.2f} s",
        f"{one.attempts}x",
    )
    return [
        Text("" if one.seat == "judge" else f"#{one.event}", QUIET),
        Text(one.seat, {"agent": "cyan", "judge": "magenta"}.get(one.seat, "")),
        outcome,
        *(Text(number, justify="right") for number in numbers),
        Text(line(one.model, 60)),
        Text(line(one.purpose, 80)),
    ]
