"""A store to export from: a run that was played, and one of hostile text, faults and everything a record may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.reporting.rows import Chosen
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import packed, sample_assessment, sample_case, sample_played
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Episode, Played
from riskbox.sandbox.words.event import EVENTS
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.verdict import Assessment, Finding

PLAYED, HOSTILE = "20260302-090000-aaaa", "20260303-090000-bbbb"

TEXTS = (
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "<script>alert(1)</script> ]]> &amp; <![CDATA[",
    "[click](http://evil.example) {0} {name} \\[x]",
    '@SUM(1),"quoted"\r\nnext;\'line',
    "null \x00 bell \x07 delete \x7f not a character \ufffe\uffff",
    "lone \ud83d surrogate \udcff",
    "line\u2028two\x85three\x0bfour\x0cfive\x1csix",
    "=cmd|' /C calc'!A0",
    "x" * 100_000,
)
"""Text that breaks what reads it, if it may."""


@pytest.fixture(scope="package")
def url(
    tmp_path_factory: pytest.TempPathFactory, by_id: dict[str, Case], played: Callable[..., Played]
) -> str:
    """The store's URL."""
    made = f"sqlite:///{tmp_path_factory.mktemp('export') / 'runs.db'}"
    cases = [by_id[name] for name in ("owner", "neighbour", "owner+injection=mail")]
    references = [played(case, f"reference:{place}") for case in cases for place, _ in case.references]
    with open_store(made) as store:
        store_run(store, PLAYED, cases, [moved(one, PLAYED) for one in references], name="nightly")
        case = sample_case()
        store_run(store, HOSTILE, [case], [hostile(case, place, text) for place, text in enumerate(TEXTS)])
    return made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The store."""
    with open_store(url, create=False) as opened:
        yield opened


@pytest.fixture
def source(store: Store) -> Callable[..., ExportSource]:
    """What is exported: `source(HOSTILE, "intent=benign")`."""

    def made(run: str, *where: str, evaluator: str = "") -> ExportSource:
        return ExportSource(store, store.run(run), Chosen.parse(where, evaluator))

    return made


def store_run(store: Store, run: str, cases: list[Case], episodes: list[Played], name: str = "") -> Manifest:
    """Store a run that is done."""
    made = Manifest(
        run=run,
        name=name,
        created=f"{run[:4]}-{run[4:6]}-{run[6:8]}T09:00:00+00:00",
        planned=len(episodes),
        cases={case.id: case.hash for case in cases},
        agents=tuple(dict.fromkeys(one.episode.cast.agent for one in episodes)),
        seeds=tuple(sorted({one.episode.seed for one in episodes})),
        evaluators={"rules": "1"},
        command=("riskbox", "run", "scenarios/"),
    )
    store.begin(made, cases, [])
    store.write(run, [packed(one) for one in episodes])
    store.finish(run, "done")
    return store.run(run)


def moved(played: Played, run: str) -> Played:
    return played.model_copy(update={"episode": played.episode.model_copy(update={"run": run})})


def hostile(case: Case, place: int, text: str) -> Played:
    """An episode in which every text is hostile; every third one ended in a fault."""
    one = sample_played(HOSTILE, case, place + 1, text=text, agent=text[:500]).episode
    fields = one.model_dump(mode="python")
    events: list[dict[str, Any]] = [
        {"kind": "said", "by": "user", "text": text},
        {"kind": "said", "by": "agent", "text": text},
        {"kind": "called", "by": "agent", "call": "c1", "tool": text[:500], "arguments": {text[:500]: text}},
        {"kind": "returned", "by": "agent", "call": "c1", "tool": text[:500], "permitted": False,
         "error": {"class": "validation", "message": text}},
        {"kind": "called", "by": "agent", "call": "c2", "tool": "mail.send", "arguments": text},
        {"kind": "returned", "by": "agent", "call": "c2", "tool": "mail.send", "permitted": True, "result": text},
        {"kind": "of_a_later_release", "what": text},
        {"kind": "ended", "ending": "fault" if place % 3 == 2 else "terminated", "reason": "user_left",
         "detail": text},
    ]  # fmt: skip
    shared = {"time": 0, "audience": ("agent", "user")}
    fields["events"] = EVENTS.validate_python(
        [{"index": index, **shared, **event} for index, event in enumerate(events)]
    )
    call = ModelCall(seat="agent", model=text[:500], outcome="malformed", detail=text, input_tokens=10,
                     cached_tokens=4, output_tokens=5, cost=0.25)  # fmt: skip
    fields["model_calls"] = (call,)
    fields["cast"] = Cast(agent=text[:500], user="a/b")
    found = Finding(
        risk="told_who_called", category=("legal.privacy",), status="realised", severity=8, reason=text,
        evidence=(1,),
    )  # fmt: skip
    value = (-8, None, 0)[place % 3] if place else -8
    first = sample_assessment(value).model_copy(
        update={"findings": (found,) if value else (), "fault": text, "model_calls": (call,)}
    )
    second: Assessment = sample_assessment(-1, evaluator="judge", model=text)
    return Played(episode=Episode.model_validate(fields), assessments=(first, second))
