"""What `riskbox run --dry-run` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskbox.sandbox.batch.forecast import Forecast
    from riskbox.sandbox.words.modelcall import ModelRole


def show(made: Forecast, *, as_json: bool) -> None:
    """Print an estimate, as tables or as JSON."""
    from riskbox.sandbox.batch.forecast import ESTIMATES

    rows = [_row(made, seat, model) for seat, model in made.usage]
    unpriced = [model for model, price in made.prices.items() if price is None]
    dollars = {one: sum(row[one]["dollars"] or 0.0 for row in rows) for one in ESTIMATES}
    if as_json:
        print(
            json.dumps(
                {"episodes": made.episodes, "models": rows, "dollars": dollars, "unpriced": sorted(unpriced)}
            )
        )
        return
    _page(made.episodes, rows, dollars, sorted(unpriced))


def _row(made: Forecast, seat: ModelRole, model: str) -> dict[str, Any]:
    from riskbox.sandbox.batch.forecast import ESTIMATES

    row: dict[str, Any] = {"seat": seat, "model": model, "window": made.windows.get(model)}
    for estimate in ESTIMATES:
        used = made.usage[seat, model][estimate]
        row[estimate] = {
            "calls": round(used.calls),
            "input_tokens": round(used.input_tokens),
            "output_tokens": round(used.output_tokens),
            "largest_prompt": round(used.largest_prompt),
            "dollars": made.cost(seat, model, estimate),
        }
    return row


def _page(episodes: int, rows: list[dict[str, Any]], dollars: dict[Any, float], unpriced: list[str]) -> None:
    from rich.text import Text

    from riskbox.sandbox.batch import forecast
    from riskbox.sandbox.escape import inert
    from riskbox.sandbox.reporting.screen import QUIET, screen

    console = screen()
    many = "1 episode" if episodes == 1 else f"{episodes:,} episodes"
    console.print(Text(f"This run would play {many}. No model has been called yet."))
    if not rows:
        console.print(Text("Riskbox would call no language model, so the run costs nothing."))
        return
    console.print(_table(rows))
    console.print(Text("\nThe longest prompt, in tokens:"))
    console.print(_prompts(rows))
    for row in rows:
        if told := _too_long(row):
            console.print(Text(told, "yellow"))
    console.print()
    if len(unpriced) < len({row["model"] for row in rows}):
        console.print(
            Text(
                f"About {_dollars(dollars['typical'])}, or {_dollars(dollars['most'])} if every episode reached its limits. "
                "--budget DOLLARS stops a run before it costs more."
            )
        )
    if unpriced:
        console.print(
            Text(
                f"Not counted: {inert(', '.join(unpriced))}, whose price is unknown. Set it per million input and output "
                f"tokens: --price {inert(unpriced[0])}=0.50/1.50"
            )
        )
    console.print(
        Text(
            f"The estimate assumes {forecast.LINE} tokens for a line, {forecast.RESULT} for a tool's result, {forecast.BRIEF} for "
            f"the instructions of a user or tool, {forecast.RULES} for those of a judge, and {forecast.JUDGEMENT} for a judgement. "
            "Reasoning models write "
            "more; providers' caches lower the cost.",
            QUIET,
        )
    )


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    from riskbox.sandbox.escape import inert

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("seat", "model", "calls", "tokens in", "tokens out", "dollars", "at limits"):
        table.add_column(name, justify="left" if name in ("seat", "model") else "right", overflow="fold")
    for row in rows:
        usual = row["typical"]
        table.add_row(
            row["seat"],
            Text(inert(row["model"])),
            f"{usual['calls']:,}",
            f"{usual['input_tokens']:,}",
            f"{usual['output_tokens']:,}",
            _dollars(usual["dollars"]),
            _dollars(row["most"]["dollars"]),
        )
    return table


def _prompts(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    from riskbox.sandbox.escape import inert

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("seat", "model", "usual", "at limits", "model reads"):
        table.add_column(name, justify="left" if name in ("seat", "model") else "right", overflow="fold")
    for row in rows:
        table.add_row(
            row["seat"],
            Text(inert(row["model"])),
            f"{row['typical']['largest_prompt']:,}",
            f"{row['most']['largest_prompt']:,}",
            f"{row['window']:,}" if row["window"] else "unknown",
        )
    return table


def _too_long(row: dict[str, Any]) -> str:
    """What will not fit into what a model reads, in a sentence; empty if all will."""
    from riskbox.sandbox.escape import inert

    window, usual, most = row["window"], row["typical"]["largest_prompt"], row["most"]["largest_prompt"]
    if not window or most <= window:
        return ""
    which = "usual episodes will not fit" if usual > window else "episodes near their limits will not fit"
    return f"{inert(row['model'])} reads {window:,} tokens, so in the seat of the {row['seat']} {which}."


def _dollars(value: float | None) -> str:
    if value is None:
        return "?"
    return "$0" if value == 0 else f"${value:,.2f}" if value >= 0.01 else "< $0.01"
