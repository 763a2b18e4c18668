"""Text that tries to drive the terminal, to hide, or to be huge, in every pane: shown as text, and nothing breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.stores import open_store, record
from riskbox.sandbox.testing.samples import sample_run
from riskbox.sandbox.viewer import query
from riskbox.sandbox.viewer.compare import CompareScreen
from riskbox.sandbox.viewer.page import Page
from riskbox.sandbox.viewer.transcript import TranscriptView
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import CaseRef, Cast, Episode, Played
from riskbox.sandbox.words.event import EVENTS
from riskbox.sandbox.words.lapse import Lapse
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.scenario import Scenario
from riskbox.sandbox.words.toolspec import ToolsetSpec
from riskbox.sandbox.words.verdict import DIMENSIONS, Assessment, Finding, Goal, Score, Signal, Verdict, Vote
from tests.sandbox.rows import HOSTILE
from tests.sandbox.viewer.conftest import LARGE, SMALL, Viewing, press, screen_text

_TEXTS = (
    *HOSTILE,
    "[@click=app.quit]quit[/] [bold $primary]x[/] [/] [[ ]] \\[b]",
    "\x1b_Gf=100;AAAA\x1b\\ \x1bP1$r\x1b\\ \x1b[?1049l\x1b[31m\r\n\x1b]52;c;cm0gLXJm\x07",
    "𝕽 👩‍👩‍👧‍👦 🏳️‍🌈 ｗｉｄｅ \u200d\ufe0f \u0e33 م\u064b",
    "<script>alert(1)</script> {{7*7}} %s {0}",
)
CORPUS = (*("  ".join(_TEXTS[place::5]) for place in range(5)), "a" * 10_000_000)
"""A few of them at a time, since each is shown in many ways."""
NEVER = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def events(text: str) -> tuple[Any, ...]:
    """An episode in which everything that can be text is this text."""
    both, at = ["user", "agent"], {"time": 3}
    whole, text = text, text[:200_000]
    key = _utf8(text[:99])
    called = {"by": "agent", "call": "c1", "tool": "mail.send", "audience": ["agent"], **at}
    patch = [
        {
            "op": "add",
            "path": "/mail/messages/m2",
            "value": {"id": "m2", "body": text, "to": [text, {key: text}]},
        }
    ]
    raw: list[dict[str, Any]] = [
        {"kind": "said", "by": "user", "text": whole, "audience": both, **at},
        {"kind": "noted", "by": "agent", "text": text, "audience": ["agent"], **at},
        {"kind": "called", **called, "tool": text[:200], "arguments": {key: whole}},
        {"kind": "called", **called, "arguments": text},
        {"kind": "injected", "injection": text[:200], "call": "c1", "audience": ["agent"], **at},
        {"kind": "returned", **called, "permitted": True, "result": {"a": [whole, {key: text}]}},
        {"kind": "changed", "call": "c1", "patch": patch, "audience": [], **at},
        {
            "kind": "changed",
            "call": "c1",
            "patch": [{"op": text[:99], "path": text[:99]}],
            "audience": [],
            **at,
        },
        {
            "kind": "returned",
            **called,
            "permitted": False,
            "error": {"message": text, "hint": text, "code": text},
        },
        {"kind": "said", "by": "agent", "text": text, "audience": both, **at},
        {"kind": text[:50], "what": text, "audience": both, **at},
        {"kind": "opaque_thing", "deep": {"er": [text]}, "audience": ["agent"], **at},
        {"kind": "left", "by": "user", "audience": both, **at},
        {"kind": "ended", "ending": "fault", "reason": text[:200], "detail": text, "audience": both, **at},
    ]
    return EVENTS.validate_python([{**one, "index": place} for place, one in enumerate(raw)])


def hostile(text: str) -> tuple[Case, Played]:
    """A case and an episode whose every text is this one."""
    whole, short = text, text[:300]
    text = _utf8(whole[:200_000])
    scenario = Scenario.model_validate(
        {
            "scenario": "hostile",
            "family": "hostile",
            "title": text[:300],
            "domain": "miscellaneous",
            "setting": text,
            "agent": {"name": text[:300], "policy": text},
            "personas": {
                "owner": {
                    "intent": "malicious",
                    "goal": text,
                    "profile": {"name": text[:300], "note": text},
                    "knows": {"it": text},
                }
            },
        }
    )
    text = whole[:200_000]
    case = Case.sealed(
        id="hostile/owner",
        persona="owner",
        scenario=scenario,
        world={"mail": {"messages": [{"id": "m1", "body": text, _utf8(short): {"deep": [text]}}]}},
        toolsets={"mail": ToolsetSpec(name="mail", tables={}, tools={})},
    )
    finding = Finding(
        risk=short,
        category=(short,),
        status="realised",
        severity=9,
        evidence=(0, 2, 5, 99),
        reason=text,
    )
    assessment = Assessment(
        evaluator=short,
        version=short,
        findings=(finding, finding.model_copy(update={"evidence": ()})),
        signals=(Signal(id=short, evidence=(3,), reason=text),),
        verdicts=tuple(Verdict(dimension=one, value=-9, reason=text) for one in (*DIMENSIONS, "targeted")),
        goals=(Goal(id=short, value=None, reason=text, party="user"),),
        scores=(Score(about=short, value=None, reason=text),),
        notes=(text,),
        fault=text,
        panel=(Vote(about=short, values={_utf8(short): True, "b": None}, agreement=0.5),),
        calls=(_call(short, "judge"),),
    )
    cast = Cast(agent=short, user=short, tools=short)
    spec = Spec.of(case.hash, cast, 1)
    episode = Episode(
        id=spec.id,
        run="r",
        case=CaseRef(
            id=case.id,
            hash=case.hash,
            scenario="hostile",
            family="hostile",
            domain="miscellaneous",
            persona="owner",
            intent="malicious",
        ),
        cast=cast,
        seed=1,
        inputs=(),
        events=events(whole),
        model_calls=(_call(short, "agent"),),
        fidelity=(Lapse(kind="loop", evidence=(0,), reason=text),),
        host=short,
    )
    return case, Played(episode=episode, assessments=(assessment,))


def _utf8(text: str) -> str:
    """Text as files of scenarios and keys of JSON hold it: without lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _call(text: str, seat: Any) -> ModelCall:
    return ModelCall(seat=seat, purpose=text, model=text, outcome="malformed", detail=text, event=2)


@pytest.fixture
def stored(tmp_path: object) -> Iterator[tuple[Store, str, list[str]]]:
    """A run with one such episode for each text of the corpus."""
    made = [hostile(text) for text in CORPUS]
    run = sample_run([case for case, _ in made[:1]], name=CORPUS[0])
    with open_store(f"sqlite:///{tmp_path}/hostile.db") as store:
        store.begin(run, [case for case, _ in made], [])
        packed = [
            Packed(
                row=EpisodeRow.of(played).model_copy(
                    update={"run": run.run, "lapses": (CORPUS[place][:300],)}
                ),
                blob=record.pack(played),
            )
            for place, (_, played) in enumerate(made)
        ]
        store.write(run.run, packed)
        store.finish(run.run, "done")
        yield store, run.run, [played.episode.id for _, played in made]


def check(app: Any) -> None:
    """The screen holds nothing that a terminal would act on, and no line is broken."""
    text = screen_text(app)
    assert not (found := NEVER.search(text)), f"{found[0]!r} is on the screen"
    assert "alert(1)" not in text or "<script>" in text


@pytest.mark.long
@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_hostile_text_is_shown_as_text_in_every_pane(
    viewing: Viewing, stored: tuple[Store, str, list[str]], size: tuple[int, int]
) -> None:
    store, run, ids = stored
    async with viewing(run, other=store, size=size) as (app, pilot):
        check(app)
        for key in ("r", "escape", "o", "escape", "v", "tab", "end", "escape"):
            await press(app, pilot, key)
            check(app)
        await press(app, pilot, "s", *"CLICK", "enter")
        check(app)
        await press(app, pilot, "escape")
        await press(app, pilot, "home")
        for _ in ids:
            await press(app, pilot, "enter")
            for key in ("n", "2", "3", "4", "1", "E", "a", "a"):
                await press(app, pilot, key)
                check(app)
                assert not NEVER.search(app.screen.query_one(TranscriptView).text)
                assert not NEVER.search(app.screen.query_one("#verdicts", Page).text)
            await press(app, pilot, "escape", "down")


async def test_hostile_text_is_named_not_obeyed(
    viewing: Viewing, stored: tuple[Store, str, list[str]]
) -> None:
    store, run, ids = stored
    expected = {"\x1b[2J": "␛[2J", "\u202egnp.exe": "<U+202E>gnp.exe", "[red]": "[red]markup[/red]"}
    for text, named in expected.items():
        id = next(id for id, one in zip(ids, CORPUS, strict=True) if text in one)
        async with viewing(run, id, other=store, size=LARGE) as (app, _):
            assert named in app.screen.query_one(TranscriptView).text
    id = next(id for id, one in zip(ids, CORPUS, strict=True) if "@click" in one)
    async with viewing(run, id, other=store, size=LARGE) as (app, _):
        assert "[@click=app.quit]quit[/]" in app.screen.query_one(TranscriptView).text
        assert app.is_running


def test_hostile_values_are_not_offered_to_be_typed(stored: tuple[Store, str, list[str]]) -> None:
    store, run, _ = stored
    manifest = store.run(run).model_copy(update={"agents": (*CORPUS, "harmless")})
    offered = query.known_values(manifest, store.rows(run))
    assert not [one for values in offered.values() for one in values if NEVER.search(one)]
    assert "harmless" in offered["agent"]


@pytest.mark.long
async def test_ten_million_characters_stay_quick_to_fold(
    viewing: Viewing, stored: tuple[Store, str, list[str]]
) -> None:
    store, run, ids = stored
    id = next(id for id, one in zip(ids, CORPUS, strict=True) if len(one) > 10**6)
    async with viewing(run, id, other=store) as (app, pilot):
        talk = app.screen.query_one(TranscriptView)
        assert "(9,996,000 more characters)" in talk.text and len(talk.text) < 200_000
        await press(app, pilot, "E")
        assert (
            "(9,950,000 more characters)" in " ".join(talk.text.replace("▌", "").split())
            and len(talk.text) < 2_000_000
        )


@pytest.mark.long
async def test_hostile_episodes_side_by_side(viewing: Viewing, stored: tuple[Store, str, list[str]]) -> None:
    store, run, ids = stored
    async with viewing(run, other=store, size=LARGE) as (app, pilot):
        opened = [app.source.episode(run, id) for id in ids]
        for left, right in pairwise(opened):
            app.push_screen(CompareScreen(left, right))
            for key in ("d", "end", "tab"):
                await press(app, pilot, key)
                check(app)
            await press(app, pilot, "escape")
