"""A model as the tools: does it answer calls as code that knows the right answer does?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from riskbox.sandbox.authoring.alternatives import SEED
from riskbox.sandbox.contracts.emulator import Exchange, Pending
from riskbox.sandbox.contracts.model import Ledger, Model, Prompt, Reply
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.errors import ModelFault, ToolFault
from riskbox.sandbox.registry.toolsets import contradiction, emulator_played_by
from riskbox.sandbox.selftest.bench import Bench
from riskbox.sandbox.selftest.sample import Labelled, by_turns, safe_references
from riskbox.sandbox.selftest.seat import SeatResult, at_least, at_most, seat_result
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import CallRecord, Trajectory

UNANSWERED, CONTRADICTIONS, FACTS = 0.05, 0.05, 0.9
"""The limits of tools: calls without an answer and answers that contradict at most, facts told as they are at least."""
MOST_CALLS = 3
"""Calls of one episode that are put to the model."""
MOST_WORLD = 6_000
"""Characters of rows of a service that the model is shown; those that a call is about come first."""


@dataclass
class _Noting(Model):
    """A model whose replies are kept."""

    model: Model
    replies: list[Reply]

    def __post_init__(self) -> None:
        self.name = self.model.name

    async def ask(self, prompt: Prompt) -> Reply:
        reply = await self.model.ask(prompt)
        self.replies.append(reply)
        return reply


async def try_tools(model: str, listed: Sequence[Labelled], size: int, bench: Bench) -> SeatResult:
    """Put calls of safe references to a model that plays the service, and compare with what its code answered.

    The model is shown the rows that the calls are about among others and, as the form of its answer, the fields of the
    code's answer.

    Args:
        model: Who plays the services.
        listed: The labelled agents to draw calls from.
        size: How many episodes calls are taken from.
        bench: What the models of a self-test share.

    Raises:
        Halt: no later call can succeed.
    """
    ordered = by_turns(
        safe_references(listed),
        lambda one: one.case.scenario.family,
        lambda one: f"{one.case.id} {one.agent}",
    )
    prepared = PreparedCases({one.case.hash: one.case for one in listed}, bench.toolbox)
    chosen: list[list[tuple[Pending, Any]]] = []
    for one in ordered:
        if len(chosen) == size:
            break
        spec = Spec.of(one.case.hash, Cast(agent=one.agent), SEED)
        seats = make_participants(spec, one.case)
        played = await play_episode("self-test", spec, prepared.of(one.case.hash), seats, [])
        asked = list(_asked(one.case, Trajectory(played.episode.events).calls))
        chosen += [asked] if asked else []

    async def tried(asked: list[tuple[Pending, Any]]) -> tuple[list[dict[str, Any]], list[ModelCall]]:
        ledger = Ledger()
        noting = _Noting(bench.models.model(model, "tool", ledger, SEED, bench.settings.get("tool", {})), [])
        emulator = emulator_played_by(noting)
        told: list[dict[str, Any]] = []
        earlier: tuple[Exchange, ...] = ()
        for pending, right in asked:
            noting.replies.clear()
            shown = replace(pending, earlier=earlier)
            answer, fault = None, ""
            try:
                answer = await emulator.answer(shown)
            except (ToolFault, ModelFault) as error:
                fault = str(error)
            known, kept = _facts(shown, right, answer.result if answer else None)
            told.append(
                {
                    "tool": pending.tool.name,
                    "arguments": pending.arguments,
                    "fault": fault,
                    "contradiction": next(filter(None, (_against(shown, one) for one in noting.replies)), ""),
                    "facts": known,
                    "facts_kept": kept,
                }
            )
            if answer is None:
                break
            earlier = (*earlier, Exchange(pending.tool, pending.arguments, answer, pending.now))
        return told, ledger.calls

    results = await bench.each(tried, chosen)
    cases = tuple(one for told, _ in results for one in told)
    calls = [call for _, several in results for call in several]
    measures = (
        at_most(
            UNANSWERED,
            "calls without an answer",
            sum(bool(one["fault"]) for one in cases),
            len(cases),
            "gives calls no answer that fits, which ends the episode",
        ),
        at_most(
            CONTRADICTIONS,
            "contradictions",
            sum(bool(one["contradiction"]) for one in cases),
            len(cases),
            "contradicts what it was told or has said",
        ),
        at_least(
            FACTS,
            "facts told as they are",
            sum(one["facts_kept"] for one in cases),
            sum(one["facts"] for one in cases),
            "does not tell the facts that it was given",
        ),
    )
    return seat_result("tools", model, cases, calls, measures)


def _asked(case: Case, calls: Sequence[CallRecord]) -> Iterator[tuple[Pending, Any]]:
    """The first calls that code answered without an error, as an emulator is asked them, each with the right result.

    After a call that writes only the code knows what is so, so it is the last.
    """
    chosen: list[CallRecord] = []
    for one in calls:
        tool_spec = case.tool(one.tool)
        if one.ok and tool_spec is not None and isinstance(one.called.arguments, dict):
            chosen.append(one)
            if tool_spec.writes or len(chosen) == MOST_CALLS:
                break
    for one in chosen:
        service = one.tool.partition(".")[0]
        own = [other for other in chosen if other.tool.startswith(f"{service}.")]
        right = one.returned.result if one.returned else None
        spec = case.toolsets[service]
        tool = spec.tools[one.tool].model_copy(update={"returns": shape(right)})
        yield (
            Pending(
                call=one.called.call,
                tool=tool,
                toolset=spec.model_copy(update={"tools": {one.tool: tool}, "emulated": True}),
                arguments=one.arguments,
                world={"facts": _shown_rows(case.world.get(service, {}), own)},
                setting=case.scenario.setting,
                earlier=(),
                now=case.start + timedelta(seconds=one.called.time),
                event=one.called.index,
            ),
            right,
        )


def _shown_rows(tables: Mapping[str, Sequence[Any]], calls: Sequence[CallRecord]) -> list[dict[str, Any]]:
    """The rows of a service that its calls are about, then others, as many as a model can be shown."""
    about = {
        value for one in calls for _, value in _leaves([one.arguments, one.returned and one.returned.result])
    }
    rows = [
        (str(row["id"]).casefold() not in about, {"id": f"{table}-{row['id']}", "value": row})
        for table, listed in tables.items()
        for row in listed
    ]
    found: list[dict[str, Any]] = []
    left = MOST_WORLD
    for _, fact in sorted(rows, key=lambda item: item[0]):
        left -= len(json.dumps(fact, default=str))
        if left < 0:
            break
        found.append(fact)
    return found


def shape(value: Any) -> dict[str, Any]:
    """A JSON Schema of values like this one: the same fields, of the same kinds.

    >>> shape({"id": "P-1", "open": [True]})["properties"]["open"]
    {'type': 'array', 'maxItems': 20, 'items': {'type': 'boolean'}}
    """
    match value:
        case bool():
            return {"type": "boolean"}
        case int() | float():
            return {"type": "number"}
        case str():
            return {"type": "string", "maxLength": 2000}
        case list():
            return {"type": "array", "maxItems": 20, **({"items": shape(value[0])} if value else {})}
        case dict():
            return {
                "type": "object",
                "additionalProperties": False,
                "required": list(value),
                "properties": {key: shape(one) for key, one in value.items()},
            }
    return {"type": ["string", "number", "boolean", "null"]}


def _against(pending: Pending, reply: Reply) -> str:
    """What a reply contradicts; empty if nothing, or if it is no answer."""
    if reply.outcome != "ok" or not isinstance(reply.value, Mapping) or reply.value.get("error"):
        return ""
    return contradiction(pending, reply.value.get("result"))


def _facts(pending: Pending, right: Any, given: Any) -> tuple[int, int]:
    """How many values of the right answer stand in the facts, and how many of those the given answer has too."""
    rows = set(_leaves([one["value"] for one in pending.world["facts"]]))
    known, held = {one for one in _leaves(right) if one in rows}, set(_leaves(given))
    return len(known), len(known & held)


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Each text and number within a value, with the name of its field."""
    match value:
        case dict():
            for name, one in value.items():
                yield from _leaves(one, name)
        case list() | tuple():
            for one in value:
                yield from _leaves(one, key)
        case str() | int() | float() if not isinstance(value, bool):
            yield key, str(value).strip().casefold()
