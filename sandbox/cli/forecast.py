"""What `riskbox run --dry-run` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskbox.sandbox.forecast import Forecast


def show(made: Forecast, *, as_json: bool) -> None:
    """Print an estimate, as a table or as JSON."""
    rows = [_row(made, seat, model) for seat, model in made.shares]
    if as_json:
        print(json.dumps({"episodes": made.episodes, "models": rows}))
        return
    _table(made.episodes, rows)


def _row(made: Forecast, seat: Any, model: str) -> dict[str, Any]:
    row: dict[str, Any] = {"seat": seat, "model": model}
    for reckoning in ("typical", "most"):
        share = made.shares[seat, model][reckoning]
        row[reckoning] = {
            "calls": round(share.calls),
            "input_tokens": round(share.input_tokens),
            "output_tokens": round(share.output_tokens),
            "dollars": made.cost(seat, model, reckoning),
        }
    return row


def _table(episodes: int, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from riskbox.sandbox import forecast
    from riskbox.sandbox.escape import inert

    console = Console(highlight=False)
    console.print(f"{episodes:,} episodes would be played. Nothing has been asked yet.")
    if not rows:
        console.print("No language model plays or judges in them, so they cost nothing.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("seat", "model", "calls", "tokens in", "tokens out", "dollars", "at most"):
        table.add_column(name, justify="left" if name in ("seat", "model") else "right", overflow="fold")
    for row in rows:
        usual, most = row["typical"], row["most"]
        table.add_row(
            row["seat"],
            Text(inert(row["model"])),
            f"{usual['calls']:,}",
            f"{usual['input_tokens']:,}",
            f"{usual['output_tokens']:,}",
            _dollars(usual["dollars"]),
            _dollars(most["dollars"]),
        )
    console.print(table)
    known = [row for row in rows if row["typical"]["dollars"] is not None]
    total, most = (sum(row[which]["dollars"] for row in known) for which in ("typical", "most"))
    unknown = len(rows) - len(known)
    without = f", without {unknown} whose price is unknown (give it with --price)" if unknown else ""
    console.print(
        f"About {_dollars(total)}, at most {_dollars(most)}{without}. --budget DOLLARS stops a run in time."
    )
    console.print(
        Text(
            f"Reckoned with {forecast.LINE} tokens a line, {forecast.RESULT} a tool's result, {forecast.BRIEF} for a "
            f"user's or judge's instructions, {forecast.JUDGEMENT} a judgement; at most: every limit of the scenarios "
            "reached.",
            style="dim",
        )
    )


def _dollars(value: float | None) -> str:
    if value is None:
        return "?"
    return "$0" if value == 0 else f"${value:,.2f}" if value >= 0.01 else "< $0.01"
