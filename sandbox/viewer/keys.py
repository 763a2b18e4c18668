"""The help screen: every key, and the filter line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from riskbox.sandbox.viewer.page import Page
from riskbox.sandbox.viewer.query import described

FILTERS = """\
An episode must match every word: field=value, field!=value, field~part for text, or < <= > >= for numbers.
a,b matches either value, and none matches a missing one. Put a value with spaces in quotes. A word without a
field is searched in id, case, seats, ending and findings. The right arrow key accepts the suggestion."""

KEYS: tuple[tuple[str, Sequence[tuple[str, str]]], ...] = (
    (
        "Everywhere",
        [
            ("?", "this page"),
            ("escape", "back"),
            ("ctrl+p", "commands, themes, a picture of the screen"),
            ("ctrl+q", "quit"),
        ],
    ),
    (
        "Episodes",
        [
            ("enter", "open the episode"),
            ("/", "filter: domain=healthcare label=risky agent~gpt refund"),
            ("s", "search the transcripts of the episodes listed"),
            ("o", "choose what to sort by; a click on a heading does the same"),
            ("O", "reverse the order"),
            ("v", "overview of the run: heatmap and counts"),
            ("r", "choose another run"),
            ("l", "follow the run while it is written, or stop following"),
        ],
    ),
    (
        "Episode",
        [
            ("up down", "go from event to event (also k j, pages, home, end)"),
            ("enter", "unfold an event, or fold it; a second click does the same"),
            ("E", "unfold everything, or fold it"),
            ("n p", "jump to the evidence of the next or previous finding"),
            ("a", "show everything, what the user saw, what the agent saw"),
            ("1 2 3 4", "transcript, verdicts, world, model calls"),
            ("c", "compare with another episode"),
            ("] [", "next or previous episode of the list"),
        ],
    ),
    (
        "Comparison",
        [
            ("d", "go to the first difference"),
            ("tab", "go to the other side"),
        ],
    ),
)


class Help(ModalScreen[None]):
    """Every key with what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "back")]

    def compose(self) -> ComposeResult:
        """One page."""
        with Vertical(classes="dialog tall"):
            yield Page(_page)


def _page(width: int) -> Iterator[RenderableType]:
    for title, keys in KEYS:
        yield Text(title, "bold underline")
        yield _table(keys)
        yield Text()
    yield Text("The filter line", "bold underline")
    yield Text(FILTERS)
    yield Text()
    yield _table(described())


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column()
    for name, about in rows:
        table.add_row(Text(name), Text(about))
    return table
