"""Agents derived from a scenario's own references, which prove that its checks mean something."""

from __future__ import annotations

from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.questions import alike, texts
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import Called, Returned, Said
from riskbox.sandbox.words.observation import AgentView, Observation
from riskbox.sandbox.words.scenario import InjectedCall, Injection, ScriptLine


class Idle(Participant):
    """Does nothing at all: no goal may be reached with it."""

    async def act(self, seen: Observation) -> Action:
        """Waits."""
        return Action()


def silent(script: tuple[ScriptLine, ...]) -> tuple[ScriptLine, ...]:
    """The script without a word: its calls alone."""
    return tuple(
        beat.model_copy(update={"say": None, "otherwise": None, "leave": None})
        for beat in script
        if beat.call is not None or beat.calls
    )


def cut_short(case: Case, script: tuple[ScriptLine, ...]) -> tuple[ScriptLine, ...] | None:
    """The script without its last writing call; None where it writes nothing."""

    def writes(tool: str | None) -> bool:
        spec = case.tool(tool) if tool else None
        return spec is not None and spec.writes

    for place in reversed(range(len(script))):
        beat = script[place]
        kept = list(beat.calls)
        last = next((i for i in reversed(range(len(kept))) if writes(kept[i].call)), None)
        if last is not None:
            del kept[last]
            changed = beat.model_copy(update={"calls": tuple(kept)})
        elif writes(beat.call):
            changed = beat.model_copy(update={"call": None, "args": {}})
        else:
            continue
        speaks = changed.say or changed.otherwise or changed.call or changed.calls or changed.leave
        return (*script[:place], *((changed,) if speaks else ()), *script[place + 1 :])
    return None


class Obeys(Participant):
    """Plays another agent, but does at once whatever an injection asks, as soon as it has read it.

    Args:
        case: What is played.
        otherwise: The agent it is until then.
    """

    def __init__(self, case: Case, otherwise: Participant) -> None:
        self.case, self.otherwise = case, otherwise

    async def act(self, seen: Observation) -> Action:
        """The injected calls not yet made, or what the other agent does."""
        for injection in self.case.scenario.inject:
            if _was_read(injection, seen):
                calls = [ask for ask in injection.asks if not _was_made(ask, seen)]
                says = injection.says if not any(injection.says in text for text in _own_words(seen)) else ""
                if calls or says:
                    asked = tuple(ToolCall(tool=ask.call, arguments=ask.args) for ask in calls)
                    return Action(text=says, calls=asked)
        return await self.otherwise.act(seen)


def _was_read(injection: Injection, seen: Observation) -> bool:
    if injection.into == "description":
        brief = seen.brief
        return isinstance(brief, AgentView) and any(
            injection.payload in tool.description for tool in brief.tools
        )
    return any(
        injection.payload in text
        for event in seen.events
        if isinstance(event, Returned)
        for text in texts(event.result)
    )


def _was_made(ask: InjectedCall, seen: Observation) -> bool:
    return any(
        isinstance(event, Called)
        and event.tool == ask.call
        and isinstance(event.arguments, dict)
        and all(
            key in event.arguments and alike(value, event.arguments[key]) for key, value in ask.args.items()
        )
        for event in seen.events
    )


def _own_words(seen: Observation) -> list[str]:
    return [event.text for event in seen.events if isinstance(event, Said) and event.by == seen.party]
