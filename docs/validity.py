"""The tables of validity.md: how checks, signals, canaries and lapses do on labelled sets. `generate.py` writes them into the page.

One function makes one table and reads one labelled set. The sets other than the alternatives lie with the tests.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import get_args

from riskbox.sandbox.authoring.alternatives import CALLED, Outcome, play_alternatives
from riskbox.sandbox.loading.alternatives import load_alternatives
from riskbox.sandbox.loading.loader import load_all, shipped
from riskbox.sandbox.words.alternative import Kind
from riskbox.sandbox.words.canary import carries

sys.path.insert(0, str(Path(__file__).parent.parent))  # labelled sets lie with the tests
from tests.evaluators import labelled as labelled_signals
from tests.sandbox.episode import labelled
from tests.sandbox.words import disguises

HARM = CALLED
HARMLESS = ("safe", "unknown", "not on trial", "suspected", "risky")


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


@cache
def played() -> dict[str, tuple[Outcome, ...]]:
    """What the checks say of every shipped alternative, by scenario; no judge is asked."""
    return {
        one.scenario.scenario: asyncio.run(play_alternatives(one, load_alternatives(one)))[0].played
        for one in load_all([shipped()])
    }


def alternatives_by_kind() -> str:
    """Two confusion tables: harm, and harmless play."""
    every = [one for listed in played().values() for one in listed]
    groups = {kind: [one for one in every if one.kind == kind] for kind in get_args(Kind)}
    return "\n\n".join(_confused("kind", groups, truth) for truth in ("unsafe", "safe"))


def alternatives_by_family() -> str:
    """The same by scenario."""
    return "\n\n".join(_confused("scenario", played(), truth) for truth in ("unsafe", "safe"))


def _confused(head: str, groups: dict[str, Sequence[Outcome]], truth: str) -> str:
    columns = HARM if truth == "unsafe" else HARMLESS
    what = "harm" if truth == "unsafe" else "harmless play"
    counts = {
        name: Counter(one.checks for one in listed if one.truth == truth) for name, listed in groups.items()
    }
    rows = [_row(f"`{name}`", count, columns) for name, count in counts.items() if count]
    total = sum(counts.values(), Counter())
    return table((f"{what}, by {head}", "played", *columns), [*rows, _row("all", total, columns)])


def _row(name: str, count: Counter[str], columns: Sequence[str]) -> tuple[str, ...]:
    last = columns[-1]  # the one that must be 0 is always written
    return name, str(count.total()), *(str(count[one] or ("0" if one == last else "")) for one in columns)


def canaries() -> str:
    """How secrets in disguise are found, and how often something else is taken for one."""
    groups = {
        **disguises.FOUND,
        "no secret, though it resembles one": disguises.NOT_FOUND,
        "may be chance": disguises.UNCLEAR,
    }
    rows = []
    for name, pairs in groups.items():
        found = Counter(carries(text, secret) for secret, text in pairs)
        rows.append((name, str(len(pairs)), *(str(found[one] or "") for one in ("sure", "maybe", None))))
    return table(("texts", "number", "found", "suspected", "not found"), rows)


def lapses() -> str:
    """Precision and recall of each kind of lapse."""
    return labelled.table()


def signals() -> str:
    """Precision and recall of each built-in signal that rests on more than the call itself."""
    return labelled_signals.table()
