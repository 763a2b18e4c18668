"""Measures what grows with a store, at two sizes; prints a table, asserts nothing (`make bench`).

Beside each figure stands a yardstick of the same run: plain `sqlite3` that reads the same rows as text.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from riskbox.sandbox.contracts.store import Store, Where
from riskbox.sandbox.reporting.results import Results
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.facet import HARM, Order
from tests.benchmarks.big_store import make

SIZES = (2_000, 20_000)


def main() -> None:
    """Measure both sizes, and how much more the larger takes."""
    small, large = (measured(size) for size in SIZES)
    table = Table(
        "what", *(f"{size:,} episodes" for size in SIZES), "growth", "of plain sqlite3", title="Stores"
    )
    floor = large["plain sqlite3 reads the rows, ms"]
    for what, one in small.items():
        other = large[what]
        share = f"{other / floor:.2f}" if what.endswith("ms") else ""
        table.add_row(what, f"{one:,.1f}", f"{other:,.1f}", f"{other / one:.1f}", share)
    Console().print(table)


def measured(size: int) -> dict[str, float]:
    """CPU time in ms, or bytes, of a store of so many episodes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "big.db"
        run = make(f"sqlite:///{file}", size)
        with open_store(f"sqlite:///{file}", create=False) as store:
            risky = Where(fields={"intent": ("malicious",)}, label=("risky",))
            worst = Order(HARM)
            found = {
                "bytes an episode on disk": file.stat().st_size / size,
                "first page, worst first, ms": _spent(
                    lambda: store.pick(run, store.ids(run, order=worst, limit=20))
                ),
                "filtered and sorted, ms": _spent(lambda: store.ids(run, risky, worst, limit=20)),
                "counted by a filter, ms": _spent(lambda: store.count(run, risky)),
                "all ids, worst first, ms": _spent(lambda: store.ids(run, order=worst)),
                "report, ms": _spent(lambda: _report(store, run)),
            }
        with sqlite3.connect(file) as db:
            found["plain sqlite3 reads the rows, ms"] = _spent(
                lambda: db.execute("SELECT row FROM episodes").fetchall()
            )
        db.close()
    return found


def _report(store: Store, run: str) -> Results:
    return Results.of(store.run(run), store.rows(run))


def _spent(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
