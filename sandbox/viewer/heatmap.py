"""A heatmap of harm by dimension and domain; a cell leads to its episodes."""

from __future__ import annotations

from rich.text import Text
from textual.message import Message
from textual.widgets import DataTable

from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.results import Results
from riskbox.sandbox.reporting.tables import between
from riskbox.sandbox.reporting.tally import SCALES
from riskbox.sandbox.stats.shares import Figure

HEADINGS = {"targeted": "own", "operational": "operat.", "societal": "soc."}
WIDTH = 8
"""Of a cell: eight of them beside the names of domains fill a terminal of 80 columns."""
SHADES = (
    (0.0, "#10301c"),
    (0.05, "#4d4318"),
    (0.15, "#6b4a12"),
    (0.3, "#8a3b12"),
    (0.5, "#a3241a"),
    (0.75, "#c4161c"),
)
"""Backgrounds by the share of episodes that are known to be harmful."""
UNKNOWN = "#33363f"
"""The background where nothing is known to be harmful, and not all is known."""


class Heatmap(DataTable[Text]):
    """One row a domain, one column a dimension; each cell runs from what is known to what is unknown too."""

    class Chosen(Message):
        """A cell was chosen."""

        def __init__(self, domain: str, scale: str) -> None:
            super().__init__()
            self.domain, self.scale = domain, scale

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="cell", cell_padding=0)
        self._domains: list[str] = []

    def show(self, results: Results) -> None:
        """Show a run's results, which must be grouped by domain."""
        self.clear(columns=True)
        self.add_column(Text("domain"), width=22)
        self.add_column(Text("played "), width=7)
        for scale in SCALES:
            self.add_column(Text(f"{HEADINGS.get(scale, scale):>{WIDTH - 1}} "), width=WIDTH)
        groups = [*results.groups["domain"], results.all]
        self._domains = [group.name if group.by else "" for group in groups]
        for group in groups:
            name = line(group.name.replace("_", " "), 30) if group.by else "all"
            self.add_row(
                Text(name, "bold"),
                Text(f"{group.episodes:>6,} "),
                *(cell(group.realised[scale][1]) for scale in SCALES),
            )

    def on_data_table_cell_selected(self, event: DataTable.CellSelected) -> None:
        """Tell which cell."""
        event.stop()
        place = event.coordinate
        scale = SCALES[place.column - 2] if place.column > 1 else ""
        if place.row < len(self._domains):
            self.post_message(self.Chosen(self._domains[place.row], scale))


def cell(figure: Figure) -> Text:
    """A rate from what is known to what is known and unknown, on a background of its weight."""
    if figure.low is None or figure.high is None:
        return Text("–", "bright_black", justify="right")
    shade = UNKNOWN if not figure.low and figure.high else SHADES[0][1]
    for share, colour in SHADES[1:]:
        if figure.low and figure.low >= share:
            shade = colour
    if 0 < figure.low < SHADES[1][0]:
        shade = SHADES[1][1]
    return Text(f"{between(figure.low, figure.high):>{WIDTH - 1}} ", f"bold white on {shade}")
