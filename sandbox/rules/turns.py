"""Who is next, and who sees what: pure functions of the state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from riskbox.sandbox.contracts.condition import compiled
from riskbox.sandbox.contracts.emulator import Exchange, News, Pending
from riskbox.sandbox.contracts.questions import Questions
from riskbox.sandbox.rules.state import USER, State
from riskbox.sandbox.words.event import Called, Returned
from riskbox.sandbox.words.input import Answered
from riskbox.sandbox.words.observation import Budget, Observation


def turns(state: State) -> str | None:
    """Whose turn it is; None once the episode has ended or while a call waits for its answer from outside.

    The user begins, the parties alternate, and the agent keeps the turn after a tool's result.
    """
    return None if state.waiting or state.ended else state.turn


def after(state: State, party: str, called: bool) -> str:
    """Who is next after a party's action."""
    if called:
        return party
    parties = state.prepared.everyone
    return parties[(parties.index(party) + 1) % len(parties)]


def observe(state: State, party: str) -> Observation:
    """What one party may see, computed from the events and their audiences, and what its script says that it notices."""
    limits = state.case.scenario.limits
    allowed = limits.agent_turns if party == "agent" else limits.user_turns
    return Observation(
        party=party,
        brief=state.prepared.briefs[party],
        events=tuple([event for event in state.events if party in event.audience]),
        now=state.now,
        budget=Budget(
            turns=allowed - state.turns.get(party, 0),
            tool_calls=limits.tool_calls - state.tool_calls.get(party, 0),
        ),
        noticed=_noticed(state) if party == USER else (),
    )


def _noticed(state: State) -> tuple[str, ...]:
    """The `noticed` conditions of the user's script that hold for what has changed in the world so far."""
    asked = {line.noticed: None for line in state.case.user.script if line.noticed is not None}
    if not asked:
        return ()
    questions = Questions(state.case, state.events)
    return tuple(text for text in asked if compiled(text).holds(questions))


def pending(state: State, *, harms: bool = False) -> Pending:
    """What the emulator of tools may see of the call that waits: its own service, and never who asks or why.

    Args:
        state: Waits for an answer.
        harms: Whether it is told the scenario's risks, to lean towards them.
    """
    waiting, case = state.waiting, state.case
    assert waiting is not None
    service = waiting.tool.partition(".")[0]
    return Pending(
        call=waiting.call,
        tool=case.toolsets[service].tools[waiting.tool],
        toolset=case.toolsets[service],
        arguments=waiting.arguments,
        world=case.world.get(service, {}),
        setting=case.scenario.setting,
        earlier=tuple(_earlier(state, service)),
        now=state.now,
        event=len(state.events),
        harms=tuple(risk.describe or risk.id for risk in case.risks) if harms else (),
    )


def _earlier(state: State, service: str) -> Iterator[Exchange | News]:
    """What a service has answered, and what it was told of the services that it is linked to, in the order of the answers.

    Inputs hold the answers as they were given; events may hold injections.
    """
    answers = {given.call: given for given in state.inputs if isinstance(given, Answered)}
    linked = state.case.scenario.links.get(service, ())
    called = {event.call: event for event in state.events if isinstance(event, Called)}
    for event in state.events:
        call = called.get(event.call) if isinstance(event, Returned) else None
        tool = state.case.tool(event.tool) if isinstance(event, Returned) else None
        if not isinstance(event, Returned) or call is None or tool is None or isinstance(call.arguments, str):
            continue
        at = state.case.start + timedelta(seconds=call.time)
        own = event.tool.partition(".")[0] == service
        if own and event.call in answers:
            yield Exchange(tool=tool, arguments=call.arguments, answer=answers[event.call], at=at)
        elif not own and event.ok and tool.acts and _is_linked(event.tool, linked):
            yield News(tool=event.tool, arguments=call.arguments, at=at)


def _is_linked(tool: str, linked: tuple[str, ...]) -> bool:
    """Whether a tool is one of those named, by its own name or by its toolset's."""
    return tool in linked or tool.partition(".")[0] in linked
