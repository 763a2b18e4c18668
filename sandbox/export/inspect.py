# ruff: noqa: A005  # imports are absolute, so it shadows nothing
"""Inspect AI's `.eval` logs, written by its own writer, so that `inspect view` opens our episodes.

A log is one agent of a run, a sample one episode: its id the case, its epoch the seed, its messages what the agent saw,
its events what happened, its scores the verdicts, unscored where a dimension is unknown. Inspect's writer holds a log in
memory, so that of an agent with many episodes there are several, numbered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from riskbox.sandbox.contracts.message import wire_name
from riskbox.sandbox.errors import InputError, install_hint
from riskbox.sandbox.export.frames import encodable
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.reporting.rows import agent_kind
from riskbox.sandbox.words.case import Case, digest
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import Called, Event, Returned, Said
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.verdict import Verdict

if TYPE_CHECKING:
    from inspect_ai.event import Event as Happened
    from inspect_ai.log import EvalLog, EvalResults, EvalSample, EvalSpec
    from inspect_ai.model import ChatMessage, ModelUsage
    from inspect_ai.scorer import Score

PART = 1000
"""Episodes in one log."""

STATES = {"done": "success", "running": "started", "dead": "error", "stopped": "cancelled", "failed": "error"}
"""How Inspect calls the states of a run."""


def write(source: ExportSource, folder: Path) -> list[Path]:
    """Write the logs of the chosen episodes into a folder; their paths are returned.

    Raises:
        InputError: Inspect is not installed.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError:
        raise InputError(f"export inspect: inspect_ai is not installed. {install_hint('inspect')}") from None
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for agent in sorted({agent_kind(row.agent) for row in source.rows()}):
        rows = (row for row in source.rows() if agent_kind(row.agent) == agent)
        number = 0
        while part := list(islice(rows, PART)):
            number += 1
            log = LogDraft(source, agent, number)
            for row in part:
                log.add(source.episode(row))
            path = folder / f"{log.name}.eval"
            write_eval_log(log.finished(), str(path), format="eval")
            written.append(path)
    return written


@dataclass
class LogDraft:
    """One log, as its samples are added."""

    source: ExportSource
    """What is exported."""
    agent: str
    """The agent that played its episodes."""
    number: int
    """Which of the agent's logs it is, from 1."""
    samples: list[EvalSample] = field(default_factory=list)
    """A sample an episode."""
    scores: dict[tuple[str, str], list[Score]] = field(default_factory=dict)
    """By (name, evaluator)."""
    usage: dict[str, ModelUsage] = field(default_factory=dict)
    """Tokens by model."""
    roles: dict[str, ModelUsage] = field(default_factory=dict)
    """Tokens by role."""
    _taken: set[tuple[str, int]] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The file's name, without its ending."""
        agent = re.sub(r"[^\w.-]+", "-", encodable(self.agent)).strip("-.") or "agent"
        kept = agent if agent == self.agent and len(agent) <= 60 else f"{agent[:60]}-{digest(self.agent, 6)}"
        return f"{self.source.manifest.run}_{kept}{'' if self.number == 1 else f'_{self.number}'}"

    def add(self, played: Played) -> None:
        """Add an episode."""
        one = played.episode
        sample = _sample(played, self.source.case(one.case.hash), self._id(played))
        self.samples.append(sample)
        first = played.assessments[0].evaluator if played.assessments else ""
        for name, score in (sample.scores or {}).items():
            evaluator = (score.metadata or {}).get("evaluator", first)
            self.scores.setdefault((name, evaluator), []).append(score)
        for total, found in ((self.usage, sample.model_usage), (self.roles, sample.role_usage)):
            for key, used in found.items():
                total[key] = total[key] + used if key in total else used

    def _id(self, played: Played) -> str:
        """The case, with what sets the episode apart from others of its case and seed."""
        one = played.episode
        place = one.cast.agent if one.cast.agent != self.agent else ""
        id: str = encodable(f"{one.case.id} {place}".strip())
        if (id, one.seed) in self._taken:
            id = f"{id} {one.id}"
        self._taken.add((id, one.seed))
        return id

    def finished(self) -> EvalLog:
        """The log."""
        from inspect_ai.log import EvalLog, EvalStats

        made = self.source.manifest
        return EvalLog(
            status=STATES[made.state],
            eval=self._spec(),
            results=self._results(),
            stats=EvalStats(
                started_at=made.created,
                completed_at=made.created,
                model_usage=self.usage,
                role_usage=self.roles,
            ),
            samples=self.samples,
        )

    def _spec(self) -> EvalSpec:
        from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec

        made = self.source.manifest
        return EvalSpec(
            created=made.created,
            run_id=made.run,
            eval_id=digest([made.run, self.agent, self.number]),
            task_id=digest([made.run, self.agent]),
            task=encodable(made.name) or "riskbox",
            model=encodable(self.agent),
            dataset=EvalDataset(name="scenarios", samples=len(self.samples), shuffled=False),
            config=EvalConfig(epochs=len({sample.epoch for sample in self.samples}) or None),
            packages={name: version for name, version in made.versions.items() if name != "python"},
            tags=["riskbox"],
            metadata=encodable(
                {"run": made.run, "evaluators": made.evaluators, "command": list(made.command)}
            ),
        )

    def _results(self) -> EvalResults:
        from inspect_ai.log import EvalMetric, EvalResults, EvalScore

        scores = []
        for (name, evaluator), found in self.scores.items():
            numbers = [cast(float, one.value) for one in found]  # ours are numbers, NaN for unknown
            values = [number for number in numbers if not isnan(number)]
            metrics = {"mean": sum(values) / len(values), "min": min(values)} if values else {}
            scores.append(
                EvalScore(
                    name=name,
                    scorer=evaluator,
                    scored_samples=len(values),
                    unscored_samples=len(found) - len(values),
                    metrics={key: EvalMetric(name=key, value=value) for key, value in metrics.items()},
                )
            )
        whole = sum(1 for sample in self.samples if not sample.error)
        return EvalResults(total_samples=len(self.samples), completed_samples=whole, scores=scores)


# --- samples ----------------------------------------------------------------------------------------------------


def _sample(played: Played, case: Case, id: str) -> EvalSample:
    from inspect_ai.log import EvalError, EvalSample, EvalSampleLimit
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput

    one, ended = played.episode, played.episode.ended
    model = encodable(one.cast.agent)
    messages = list(_messages(one.id, case, one.events, model))
    last = next((said for said in reversed(messages) if isinstance(said, ChatMessageAssistant)), None)
    scores = dict(_scores(played))
    limit = float(getattr(case.scenario.limits, ended.reason, 0) or 0)
    told = encodable(f"{ended.reason}: {ended.detail}".rstrip(": "))
    return EvalSample(
        id=id,
        epoch=one.seed,
        input=encodable(case.user.goal or case.scenario.title),
        target="",
        messages=messages,
        output=ModelOutput(model=model, choices=[ChatCompletionChoice(message=last)] if last else []),
        scores=scores,
        metadata=_metadata(played),
        events=list(_events(played, case, messages, scores)),
        model_usage=_usage((call.model, call) for call in one.model_calls),
        role_usage=_usage((call.seat, call) for call in one.model_calls),
        total_time=one.seconds,
        uuid=one.id,
        error=EvalError(message=told, traceback="", traceback_ansi="") if ended.ending == "fault" else None,
        limit=EvalSampleLimit(type="custom", limit=limit, reason=told)
        if ended.ending == "truncated"
        else None,
    )


def _messages(id: str, case: Case, events: Iterable[Event], model: str) -> Iterator[ChatMessage]:
    """The conversation from the agent's side."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageTool, ChatMessageUser
    from inspect_ai.tool import ToolCall, ToolCallError

    yield ChatMessageSystem(id=f"{id}-policy", content=encodable(case.scenario.agent.policy))
    for event in events:
        if "agent" not in event.audience:
            continue
        key = f"{id}-{event.index}"
        match event:
            case Said(by="agent"):
                yield ChatMessageAssistant(id=key, content=encodable(event.text), model=model)
            case Said():
                yield ChatMessageUser(id=key, content=encodable(event.text))
            case Called(by="agent"):
                call = ToolCall(event.call, wire_name(encodable(event.tool)), _arguments(event))
                yield ChatMessageAssistant(id=key, content="", tool_calls=[call], model=model)
            case Returned(by="agent"):
                yield ChatMessageTool(
                    id=key,
                    content=_result(event),
                    tool_call_id=event.call,
                    function=wire_name(encodable(event.tool)),
                    error=None if event.ok else ToolCallError("unknown", _error(event)),
                )


def _scores(played: Played) -> Iterator[tuple[str, Score]]:
    """Each verdict; those of the first evaluator by dimension, of others by evaluator and dimension."""
    named: set[str] = set()
    for assessment in played.assessments:
        who = f"{assessment.evaluator} {assessment.version}"
        for verdict in assessment.verdicts:
            name = (
                verdict.dimension
                if verdict.dimension not in named
                else f"{assessment.evaluator}.{verdict.dimension}"
            )
            name = (
                name if name not in named else f"{name} {digest(assessment.settings, 4)} {assessment.version}"
            )
            named.add(name)
            yield name, _score(verdict, who)


def _score(verdict: Verdict, evaluator: str) -> Score:
    from inspect_ai.scorer import Score

    metadata = {"evaluator": evaluator, "attempted": verdict.attempted, "evidence": list(verdict.evidence)}
    told = encodable(verdict.reason)
    if verdict.value is None:
        return Score.unscored(reason="unknown", explanation=told, metadata=metadata)
    return Score(value=verdict.value, explanation=told, metadata=metadata)


def _metadata(played: Played) -> dict[str, Any]:
    one = played.episode
    made = {
        "episode": one.id,
        "run": one.run,
        **one.case.model_dump(mode="json", exclude={"id"}),
        "cast": one.cast.model_dump(mode="json"),
        "ending": one.ended.ending,
        "reason": one.ended.reason,
        "findings": [
            {"evaluator": by.evaluator, **found.model_dump(mode="json")}
            for by in played.assessments
            for found in by.findings
        ],
    }
    found: dict[str, Any] = encodable(made)
    return found


def _usage(calls: Iterable[tuple[str, ModelCall]]) -> dict[str, ModelUsage]:
    from inspect_ai.model import ModelUsage

    found: dict[str, ModelUsage] = {}
    for key, call in calls:
        used = ModelUsage(
            input_tokens=call.input_tokens - call.cached_tokens,
            input_tokens_cache_read=call.cached_tokens,
            output_tokens=call.output_tokens,
            total_tokens=call.input_tokens + call.output_tokens,
            total_cost=call.cost,
        )
        found[encodable(key)] = found[encodable(key)] + used if encodable(key) in found else used
    return found


# --- events -----------------------------------------------------------------------------------------------------


@dataclass
class EventStamps:
    """What each of Inspect's events has of ours: a stable id, and the world's clock."""

    id: str
    """The episode's id."""
    start: datetime
    """The world's clock at the start."""

    def at(self, event: Event) -> dict[str, Any]:
        """The fields of one event."""
        return {
            "uuid": f"{self.id}-e{event.index}",
            "timestamp": self.start + timedelta(seconds=event.time),
            "working_start": float(event.time),
        }


def _events(
    played: Played, case: Case, messages: list[ChatMessage], scores: dict[str, Score]
) -> Iterator[Happened]:
    """What happened: the agent's words as model events, its calls as tool events, the rest as information."""
    from inspect_ai.event import InfoEvent, ModelEvent, ScoreEvent, ToolEvent
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, GenerateConfig, ModelOutput
    from inspect_ai.tool import ToolCallError

    one = played.episode
    stamps = EventStamps(one.id, case.start)
    model = encodable(one.cast.agent)
    answers = {event.call: event for event in one.events if isinstance(event, Returned)}
    by_id = {message.id: place for place, message in enumerate(messages)}
    told = 0
    for event in one.events:
        place = by_id.get(f"{one.id}-{event.index}")
        said = messages[place] if place is not None else None
        if isinstance(event, Said) and isinstance(said, ChatMessageAssistant) and place is not None:
            output = ModelOutput(model=model, choices=[ChatCompletionChoice(message=said)])
            yield ModelEvent(
                model=model, input=messages[told:place], tools=[], tool_choice="auto", config=GenerateConfig(),
                output=output, **stamps.at(event),
            )  # fmt: skip
            told = place
        elif isinstance(event, Called):
            answer = answers.get(event.call)
            yield ToolEvent(
                id=event.call,
                function=encodable(event.tool),
                arguments=_arguments(event),
                result=_result(answer) if answer and answer.ok else "",
                error=ToolCallError("unknown", _error(answer)) if answer and not answer.ok else None,
                **stamps.at(event),
            )
        elif not isinstance(event, Returned):
            fields = event.model_dump(mode="json", exclude={"index", "time"})
            by = fields.get("by")
            source = by if isinstance(by, str) else "world"
            yield InfoEvent(source=encodable(source), data=encodable(fields), **stamps.at(event))
    last = one.events[-1]
    for name, score in scores.items():
        yield ScoreEvent(
            score=score, scorer=name, **{**stamps.at(last), "uuid": f"{one.id}-s{len(name)}-{name}"}
        )


def _arguments(event: Called) -> dict[str, Any]:
    """A call's arguments; what was no JSON object stands under `raw`."""
    raw = event.arguments
    found: dict[str, Any] = encodable(raw if isinstance(raw, dict) else {"raw": raw})
    return found


def _result(event: Returned) -> str:
    value = event.result if event.ok else {"error": event.error}
    return str(encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _error(event: Returned) -> str:
    return str(encodable(str((event.error or {}).get("message") or json.dumps(event.error))))
