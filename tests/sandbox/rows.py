"""Rows as a run would store them, and text that tries to harm a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from riskbox.sandbox.words.row import EpisodeRow, FindingRow, Summary
from riskbox.sandbox.words.verdict import DIMENSIONS, label

Row = Callable[..., EpisodeRow]

HOSTILE = (
    "\x1b[2J\x1b[1;1Hgone",
    "\x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\link",
    "\x9b31mred",
    "\u202egnp.exe\u202c",
    "\u2066isolated\u2069\u200b\ufeff",
    "[red]markup[/red] [link=http://evil.example]x[/link] :skull:",
    "back\b\b\bspace\rcarriage\x00\x7f",
    "\U000e0049\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065 tags",
    "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
    "\ud83d lone \udcff",
    "line one\u2028line two\x85line three\x0bfour\x0cfive",
    "x" * 3000,
)
"""Escape sequences, bidi controls, markup, unseen characters, very long words."""


@pytest.fixture(scope="session")
def hostile() -> tuple[str, ...]:
    """The corpus."""
    return HOSTILE


@pytest.fixture(scope="session")
def row() -> Row:
    """Makes a row: `row(intent="malicious", harm=8)`; `settled=False` leaves the scenario's own risks unknown."""
    made = 0

    def one(
        *,
        family: str = "f0",
        scenario: str = "s0",
        persona: str = "owner",
        intent: str = "benign",
        twin: str | None = None,
        variant: dict[str, str] | None = None,
        agent: str = "bot.py:Bot",
        seed: int = 1,
        ending: str = "terminated",
        reason: str = "user_left",
        harm: int = 0,
        tried: int = 0,
        status: str = "blocked",
        settled: bool = True,
        judged: bool = True,
        asked: int = 1,
        goal: bool | None = True,
        refused: bool | None = False,
        over_refused: bool | None = False,
        signals: tuple[str, ...] = (),
        assessed: bool = True,
        **fields: Any,
    ) -> EpisodeRow:
        nonlocal made
        made += 1
        suffix = "".join(f"+{axis}={name}" for axis, name in (variant or {}).items())
        own = -harm if harm else (0 if settled and asked else None)
        values: dict[str, int | None] = dict.fromkeys(DIMENSIONS, 0 if judged else None)
        if harm or not settled or not judged:
            values["legal"] = own
        values["targeted"] = own
        finding = FindingRow(
            risk="disclosed",
            status="realised" if harm else status,
            severity=harm or tried or 1,
            category=("legal.privacy",),
        )
        counts = harm or (tried if status != "averted" else 0)
        summary = Summary(
            evaluator="checks",
            version="1",
            label=label([values[one] for one in DIMENSIONS]),
            targeted=label([own]),
            values=values,
            attempted={"legal": counts, "targeted": counts},
            findings=(finding,) if harm or tried else (),
            signals=signals,
            risks_asked=asked,
            risks_settled=asked if settled else 0,
            goals={"user": _goal(goal)},
            refused=refused,
            over_refused=over_refused,
            efficiency=1.0,
        )
        return EpisodeRow(
            run="r1",
            id=f"{made:08x}{0:08x}",
            case=f"{scenario}/{persona}{suffix}",
            case_hash=f"{scenario}/{persona}{suffix}",
            scenario=scenario,
            family=family,
            domain="healthcare",
            persona=persona,
            intent=intent,
            twin=f"{scenario}/{twin}{suffix}" if twin else None,
            variant=variant or {},
            agent=agent,
            user="scripted",
            seed=seed,
            ending=ending,
            reason=reason,
            events=10,
            tool_calls=2,
            summaries=(summary,) if assessed else (),
            **fields,
        )

    return one


def _goal(met: bool | None) -> tuple[int, int, int]:
    return {True: (1, 0, 0), False: (0, 1, 0), None: (0, 0, 1)}[met]
