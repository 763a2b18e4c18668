"""The step: from a state and an input to the next state and what happened. Pure, synchronous and seeded.

It has no clock, no network and no generator of its own. Whatever an agent sends is recorded as it was sent; what is
wrong with a call is told to the agent as that call's error and never repaired.

One action may hold text and several calls, and not every call can be answered here: a tool that is played by a model or
runs elsewhere is answered by a later input. Such a call interrupts its action. The state then says which call waits
(`waiting`) and what the action still holds (`rest`), nobody is next (`turns` gives None), and the `Answered` input goes
on with the rest as if nothing had come between. That keeps the step pure: it never awaits anything, and a replay takes
the answer from the stored input. The next state is made on a `_Draft`, which copies each field before it writes it, so
that the state before stays as it was for forks and replays.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from riskbox.sandbox.contracts.table import Changes, ToolError
from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.errors import did_you_mean
from riskbox.sandbox.rules.sights import seen_since
from riskbox.sandbox.rules.state import AGENT, USER, PreparedCase, State, Waiting, derived, placed
from riskbox.sandbox.rules.turns import after, turns
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.event import (
    OVER_LIMIT,
    Called,
    Changed,
    Ended,
    Ending,
    Event,
    Injected,
    Left,
    Noted,
    Noticed,
    Returned,
    Said,
    Waited,
)
from riskbox.sandbox.words.input import Acted, Answered, Input, Stopped
from riskbox.sandbox.words.scenario import Injection

SECONDS = {"said": 20, "called": 3, "waited": 10}
"""How far the world's clock moves for each thing a party does."""


class WrongInput(ValueError):
    """An input that does not fit the state: a move out of turn, an answer nobody waits for, anything after the end."""


def begin(prepared: PreparedCase, seed: int) -> State:
    """The state before the first move."""
    draft = _Draft(State(prepared=prepared, seed=seed))
    for one in prepared.case.scenario.inject:
        if one.into == "description" and one.at in prepared.offered:
            draft.happen(Injected, (), injection=one.id, call="")
            draft.injected[one.id] = 1
    return draft.state(None)


def step(state: State, given: Input) -> tuple[State, tuple[Event, ...]]:
    """Answer one input.

    Returns:
        The next state and the events that are new in it.

    Raises:
        WrongInput: the input does not fit the state.
        ToolFault: a toolset's code is broken.
    """
    if state.ended:
        raise WrongInput("the episode has ended")
    draft = _Draft(state)
    match given:
        case Acted():
            given = (
                given
                if _encodable(given.action)
                else given.model_copy(update={"action": _cleaned(given.action)})
            )
            _act(draft, given)
        case Answered():
            _answer(draft, given)
        case Stopped():
            draft.end(given.ending, given.reason, given.detail)
    following = draft.state(given)
    return following, following.events[len(state.events) :]


class _Draft:
    """The next state while it is made; every field is copied before it is written."""

    def __init__(self, state: State) -> None:
        self.before = state
        self.prepared = state.prepared
        self.events: list[Event] = []
        self.first = len(state.events)
        self.clock = state.clock
        self.changes: Mapping[str, Mapping[str, Changes]] = state.changes
        self.waiting = state.waiting
        self.rest = state.rest
        self.turn = state.turn
        self.turns = dict(state.turns)
        self.tool_calls = dict(state.tool_calls)
        self.gone = state.gone
        self.injected = dict(state.injected)
        self.over = False

    @property
    def index(self) -> int:
        return self.first + len(self.events)

    def happen(self, kind: Any, audience: tuple[str, ...], **fields: Any) -> None:
        self.events.append(kind(index=self.index, time=self.clock, audience=audience, **fields))

    def end(self, ending: Ending, reason: str, detail: str = "") -> None:
        if not self.over:
            self.happen(Ended, self.prepared.everyone, ending=ending, reason=reason, detail=detail)
            self.over = True

    def state(self, given: Input | None) -> State:
        return State(
            prepared=self.prepared,
            seed=self.before.seed,
            inputs=(*self.before.inputs, given) if given is not None else self.before.inputs,
            events=(*self.before.events, *self.events),
            changes=self.changes,
            clock=self.clock,
            waiting=None if self.over else self.waiting,
            rest=self.rest,
            turn=self.turn,
            turns=self.turns,
            tool_calls=self.tool_calls,
            gone=self.gone,
            injected=self.injected,
        )


# --- an action --------------------------------------------------------------------------------------------------


def _act(draft: _Draft, given: Acted) -> None:
    party, action = given.by, given.action
    expected = turns(draft.before)
    if party != expected:
        waits = "a tool call waits for its answer" if expected is None else f"it is the turn of {expected!r}"
        raise WrongInput(f"{party!r} cannot act now: {waits}")
    if action.note or action.carried or action.why or action.out_of_part:
        draft.happen(
            Noted,
            (party,),
            by=party,
            text=action.note,
            carried=action.carried,
            why=action.why or "",
            out_of_part=action.out_of_part,
        )
    if action.text:
        draft.clock += SECONDS["said"]
        present = tuple(one for one in draft.prepared.everyone if one not in draft.gone)
        draft.happen(Said, present, by=party, text=action.text)
    if party == USER and action.leave and given.turn_after and not action.calls:
        draft.happen(Left, draft.prepared.everyone, by=party)
        draft.gone = (*draft.gone, party)
        _pass_turn(draft, party, called=False)
        return
    _finish(draft, party, action, called=bool(action.calls))


def _finish(draft: _Draft, party: str, action: Action, *, called: bool) -> None:
    """Make the calls of an action one by one, then leave or pass the turn; a call answered outside interrupts it."""
    for place, call in enumerate(action.calls):
        if draft.tool_calls.get(party, 0) >= draft.prepared.case.scenario.limits.tool_calls:
            _too_many(draft, party, action.calls[place:])
            return
        _call(draft, party, call)
        if draft.waiting is not None:
            draft.rest = Action(calls=action.calls[place + 1 :], leave=action.leave)
            return
    if action.leave:
        draft.happen(Left, draft.prepared.everyone, by=party)
        draft.end("terminated", f"{party}_left")
        return
    if action.waits and not called:
        draft.clock += SECONDS["waited"]
        draft.happen(Waited, (party,), by=party)
    _pass_turn(draft, party, called=called)


def _pass_turn(draft: _Draft, party: str, called: bool) -> None:
    draft.turn = after(draft.before, party, called)
    if draft.turn == party:
        return
    if draft.turn in draft.gone:
        draft.end("terminated", f"{draft.turn}_left")
        return
    draft.turns[party] = draft.turns.get(party, 0) + 1
    limits = draft.prepared.case.scenario.limits
    limit = limits.agent_turns if draft.turn == AGENT else limits.user_turns
    if draft.turns.get(draft.turn, 0) >= limit:
        name = "agent_turns" if draft.turn == AGENT else "user_turns"
        draft.end("truncated", name, f"The limit of {limit} turns was reached.")
        return
    if draft.turn == USER and (sights := draft.prepared.case.user.sees):
        seen = seen_since(USER, sights, (*draft.before.events, *draft.events), draft.changes)
        if seen:
            draft.happen(Noticed, (USER,), by=USER, text=seen)


def _too_many(draft: _Draft, party: str, calls: Sequence[ToolCall]) -> None:
    """Record the calls of an action that are beyond the limit as asked for and not carried out, and end the episode."""
    told = f"The limit of {draft.prepared.case.scenario.limits.tool_calls} tool calls was reached."
    refused = ToolError(OVER_LIMIT, f"{told} The call was not carried out.", kind="fatal").as_json()
    for call in calls:
        id = _asked(draft, party, call)
        _settle(draft, party, id, call.tool, ToolOutcome(error=refused, permitted=False))
    draft.end("truncated", "tool_calls", told)


def _asked(draft: _Draft, party: str, call: ToolCall) -> str:
    """Record that a call was asked for; its id."""
    draft.tool_calls[party] = draft.tool_calls.get(party, 0) + 1
    draft.clock += SECONDS["called"]
    id = f"c{sum(draft.tool_calls.values())}"
    draft.happen(Called, (party,), by=party, call=id, tool=call.tool, arguments=call.arguments)
    return id


def _call(draft: _Draft, party: str, call: ToolCall) -> None:
    id = _asked(draft, party, call)
    seed = derived(draft.before.seed, call.tool, draft.index)
    outcome = _outcome(draft, party, id, call, seed)
    if outcome is not None:
        _settle(draft, party, id, call.tool, outcome)


def _outcome(draft: _Draft, party: str, id: str, call: ToolCall, seed: int) -> ToolOutcome | None:
    """What a call comes to; None where its answer must come from outside."""
    prepared = draft.prepared
    if party != AGENT or call.tool not in prepared.offered:
        hint = did_you_mean(call.tool, prepared.offered if party == AGENT else (), listed=40)
        unknown = ToolError("unknown_tool", f"There is no tool {call.tool!r}. {hint}")
        return ToolOutcome(error=unknown.as_json(), permitted=False)
    toolset, _, name = call.tool.partition(".")
    kind = prepared.toolsets[toolset]
    if prepared.case.toolsets[toolset].tools[call.tool].outside:
        try:
            kind.tools()[name].validated(call.arguments)
        except ToolError as error:
            return ToolOutcome(error=error.as_json(), permitted=False)
        draft.waiting = Waiting(id, call.tool, dict(call.arguments), seed)  # type: ignore[arg-type]  # an object, or not valid
        return None
    changes = draft.changes.get(toolset, {})
    now = prepared.case.start + timedelta(seconds=draft.clock)
    outcome = kind.call(name, call.arguments, prepared.bases[toolset], changes, now, seed)
    if outcome.patch:
        draft.changes = {**draft.changes, toolset: outcome.changes}
    return outcome


def _settle(draft: _Draft, party: str, id: str, tool: str, outcome: ToolOutcome) -> None:
    result, delivered = outcome.result, []
    if outcome.error is None:
        for one in draft.prepared.injections.get(tool, ()):
            if draft.injected.get(one.id, 0) < one.times:
                result, carried = _injected(result, one)
                if carried:
                    delivered.append(one.id)
    draft.happen(
        Returned,
        (party,),
        by=party,
        call=id,
        tool=tool,
        permitted=outcome.permitted,
        result=result,
        error=outcome.error,
    )
    if outcome.patch:
        draft.happen(Changed, (), call=id, patch=outcome.patch)
    for injection in delivered:
        draft.injected[injection] = draft.injected.get(injection, 0) + 1
        draft.happen(Injected, (), injection=injection, call=id)


def _answer(draft: _Draft, given: Answered) -> None:
    waiting = draft.waiting
    if waiting is None or waiting.call != given.call:
        raise WrongInput(f"no call {given.call!r} waits for an answer")
    draft.waiting = None
    service = waiting.tool.partition(".")[0]
    outcome = ToolOutcome(result=given.result, error=given.error)
    if given.error is None and draft.prepared.case.toolsets[service].emulated:
        outcome = _effect(draft, waiting, outcome)
    _settle(draft, draft.turn, waiting.call, waiting.tool, outcome)
    if given.note:
        draft.happen(Noted, (), by=service, text=given.note)
    rest, draft.rest = draft.rest, None
    _finish(draft, draft.turn, rest or Action(), called=True)


def _effect(draft: _Draft, waiting: Waiting, outcome: ToolOutcome) -> ToolOutcome:
    """What an answered call of an emulated tool leaves in the world: its toolset writes it down."""
    service, _, name = waiting.tool.partition(".")
    prepared, changes = draft.prepared, draft.changes.get(service, {})
    now = prepared.case.start + timedelta(seconds=draft.clock)
    made = prepared.toolsets[service].call(
        name, waiting.arguments, prepared.bases[service], changes, now, waiting.seed
    )
    if made.patch:
        draft.changes = {**draft.changes, service: made.changes}
    return replace(outcome, patch=made.patch, changes=made.changes)


# --- injections -------------------------------------------------------------------------------------------------


def _injected(result: Any, injection: Injection) -> tuple[Any, bool]:
    """A tool's result with the payload at the injection's path, and whether the path was there."""
    if injection.path == "$" and isinstance(result, str):
        return placed(result, injection), True
    import jsonpath

    result = copy.deepcopy(result)
    for match in jsonpath.finditer(injection.path, result):
        if isinstance(match.value, str) and match.parent is not None:
            holder: Any = match.parent.obj
            holder[match.parts[-1]] = placed(match.value, injection)
            return result, True
    return result, False


# --- hostile text -----------------------------------------------------------------------------------------------


def _encodable(value: Any) -> bool:
    """Whether a value can be stored: text from models may hold lone surrogates and endless nesting."""
    try:
        to_json(value)
    except (PydanticSerializationError, ValueError, RecursionError):
        return False
    return True


def _cleaned(action: Action) -> Action:
    """The action with lone surrogates replaced, and arguments that cannot be stored as JSON made text."""
    return Action(
        text=_clean(action.text),
        calls=tuple(
            ToolCall(tool=_clean(one.tool), arguments=_storable(one.arguments)) for one in action.calls
        ),
        leave=action.leave,
        why=action.why,
        out_of_part=_clean(action.out_of_part),
        note=_clean(action.note),
        carried=_clean(action.carried),
    )


def _storable(arguments: dict[str, Any] | str) -> dict[str, Any] | str:
    try:
        cleaned: dict[str, Any] | str = _clean(arguments)
        return cleaned if _encodable(cleaned) else "(arguments that are not JSON)"
    except RecursionError:
        return "(arguments nested without end)"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
