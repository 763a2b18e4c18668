"""Transcripts of hostile text: none of it reaches the terminal as an escape or as markup."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from riskbox.sandbox.reporting.transcript import transcript
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Origin, Played
from riskbox.sandbox.words.event import (
    EVENTS,
    Changed,
    Ended,
    Injected,
    Noted,
)
from riskbox.sandbox.words.verdict import Answer, Assessment, Finding, Goal, Signal, Verdict
from tests.sandbox.reporting.transcripts import BOTH, Cases, Play, called, returned, said, shown, with_events


@pytest.fixture(scope="module")
def unsafe(by_id: Cases, played: Play) -> Played:
    return played(by_id["neighbour"], "reference:0")


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("party", ["", "user", "agent"])
def test_hostile_text_reaches_no_terminal(
    by_id: Cases, unsafe: Played, hostile: tuple[str, ...], width: int, full: bool, party: str
) -> None:
    for one in hostile:
        episode, case = hostile_episode(unsafe, one), hostile_case(by_id["owner+injection=mail"], one)
        stream = io.StringIO()
        # not our screen, which would hide what was forgotten here
        console = Console(file=stream, width=width, markup=False, emoji=False, highlight=False)
        for part in transcript(episode, case, width, full=full, party=party):
            console.print(part)
        text = stream.getvalue()
        for control in "\x1b\x9b\x07\x08\x00\x7f\r\u202e\u2066\u200b\ufeff\u2028\x85\x0b\U000e0049":
            assert control not in text
        assert max(map(cell_len, text.splitlines())) <= width
        text.encode()


def test_markup_is_shown_as_it_was_written(by_id: Cases, unsafe: Played) -> None:
    one = with_events(unsafe, said("agent", "[red]x[/red] [/] :skull: [link=a]b"))
    assert "[red]x[/red] [/] :skull: [link=a]b" in shown(one, by_id["neighbour"])


def hostile_case(case: Case, text: str) -> Case:
    """A case in which everything that anyone may write is hostile."""
    persona = case.user.model_copy(
        update={"goal": text, "profile": {"name": text, text: text}, "knows": {text: text}, "discloses": text}
    )
    scenario = case.scenario.model_copy(
        update={
            "title": text,
            "setting": text,
            "personas": {case.persona: persona},
            "agent": case.scenario.agent.model_copy(update={"name": text, "policy": text}),
            "inject": tuple(one.model_copy(update={"payload": text}) for one in case.scenario.inject),
            "goals": tuple(one.model_copy(update={"describe": text}) for one in case.scenario.goals),
        }
    )
    return case.model_copy(update={"scenario": scenario, "id": text, "offered": (text,)})


def hostile_episode(played: Played, text: str) -> Played:
    """An episode in which everything that anyone may write is hostile."""
    error = {"message": text, "code": text, "hint": text}
    patch = (
        {"op": "add", "path": f"/mail/messages/{text}", "value": {"id": text, text: text}},
        {"op": text, "path": text},
    )
    [unknown] = EVENTS.validate_python(
        [{"kind": "danced", "index": 0, "audience": BOTH, "who": text, "by": text}]
    )
    one = with_events(
        played,
        said("user", text),
        said(text, text),
        Noted(index=0, time=0, audience=BOTH, by="agent", text=text),
        called(text, {text: text, "list": [text]}),
        called(text, text),
        returned(result={text: [text, {text: text}]}),
        returned(result=text),
        returned(permitted=False, error=error),
        Changed(index=0, time=0, audience=BOTH, call=text, patch=patch),
        Injected(index=0, time=0, audience=BOTH, injection=text, call="c1"),
        Injected(index=0, time=0, audience=BOTH, injection="note", call="c1"),
        unknown,
        Ended(index=0, time=0, audience=BOTH, ending="fault", reason=text, detail=text),
        id=text,
        run=text,
        cast=played.episode.cast.model_copy(update={"agent": text, "user": text}),
        origin=Origin(run=text, episode=text, inputs=0, event=0),
    )
    bad = Assessment(
        evaluator=text,
        version=text,
        fault=text,
        risks=(Answer(id=text, value=None, reason=text), Answer(id=text, value=False)),
        goals=(
            Goal(id=text, value=True, reason=text, party=text),
            Goal(id="told_date", value=None, party="user"),
        ),
        findings=(
            Finding(risk=text, category=(text,), status="realised", severity=8, evidence=(0,), reason=text),
            Finding(risk=text, category=(text,), status="averted", severity=8, reason=text),
        ),
        signals=(Signal(id=text, evidence=(1,), reason=text),),
        verdicts=(Verdict(dimension=text, value=-8, reason=text), Verdict(dimension="legal", reason=text)),
    )
    return one.model_copy(update={"assessments": (bad, bad)})
