"""Transcripts as text, and events to show in them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from riskbox.sandbox.reporting.screen import screen
from riskbox.sandbox.reporting.transcript import transcript
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import (
    Called,
    Ended,
    Event,
    Returned,
    Said,
)

Play = Callable[..., Played]
Cases = dict[str, Case]
BOTH = ("user", "agent")


def shown(played: Played, case: Case, width: int = 80, **more: Any) -> str:
    stream = io.StringIO()
    console = screen(file=stream, width=width)
    for part in transcript(played, case, width, **more):
        console.print(part)
    return stream.getvalue()


def with_events(played: Played, *events: Event, **more: Any) -> Played:
    """The episode with other events, numbered, and ended if they do not say how."""
    if not isinstance(events[-1], Ended):
        events = (*events, Ended(index=0, time=90, audience=BOTH, ending="terminated", reason="user_left"))
    numbered = tuple(event.model_copy(update={"index": place}) for place, event in enumerate(events))
    episode = played.episode.model_copy(update={"events": numbered, **more})
    return played.model_copy(update={"episode": episode, "assessments": ()})


def called(tool: str, arguments: Any, call: str = "c1") -> Called:
    return Called(index=0, time=3, audience=("agent",), by="agent", call=call, tool=tool, arguments=arguments)


def returned(call: str = "c1", **fields: Any) -> Returned:
    filled = {
        "index": 0,
        "time": 3,
        "audience": ("agent",),
        "by": "agent",
        "tool": "mail.send",
        "permitted": True,
    }
    return Returned(**{**filled, "call": call, **fields})


def said(by: str, text: str, time: int = 20) -> Said:
    return Said(index=0, time=time, audience=BOTH, by=by, text=text)
