"""`--otel`: finished episodes as OpenTelemetry traces, in the conventions for generative AI.

Spans are made from the record of an episode once it is stored, so playing costs nothing. The record holds how long turns and
calls took, not when they began: they are laid out one after another, up to the moment at which the episode was stored.
"""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.errors import RiskboxError
from riskbox.sandbox.stores.record import unpack
from riskbox.sandbox.words.episode import Episode, Played, TurnTiming
from riskbox.sandbox.words.event import Called, Returned, Said
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.name import Name

WAITING = 1_000
"""Episodes that wait to be sent at most; of more, the traces are left out and counted."""
PATIENCE = 10.0
"""Seconds in which one request, and at the end of a run all that is left, has to be sent."""


class EpisodeSpans:
    """The spans of one episode.

    Args:
        episode: The episode.
        ended: When it ended, in nanoseconds since the epoch.
        content: Whether spans hold what was said and done.
    """

    def __init__(self, episode: Episode, ended: int, *, content: bool) -> None:
        self.episode, self.content = episode, content
        self.trace = int.from_bytes(hashlib.sha256(f"{episode.run}/{episode.id}".encode()).digest()[:16])
        self.resource = Resource({"service.name": "riskbox", "riskbox.run": episode.run})
        spent = max(episode.seconds, sum(one.seconds for one in episode.timings))
        self.ended, self.began = ended, ended - round(spent * 1e9)

    def all(self) -> Iterator[ReadableSpan]:
        """The episode, its turns, and in these the calls of tools and models."""
        one, root = self.episode, self._context("episode")
        told: dict[str, Any] = {
            "gen_ai.conversation.id": one.id,
            "riskbox.run": one.run,
            "riskbox.case": one.case.id,
            "riskbox.seed": one.seed,
            "riskbox.attempt": one.attempt,
            "riskbox.ending": one.ended.ending,
            "riskbox.reason": one.ended.reason,
        }
        error = one.ended.reason if one.ended.ending == "fault" else ""
        yield self._span(f"episode {one.case.id}", root, None, (self.began, self.ended), told, error)
        turns = _turns(one)
        starts, at = [turn.event for turn in turns], self.began
        within: list[tuple[SpanContext, int]] = []
        for number, turn in enumerate(turns):
            context, end = self._context(f"turn {number}"), at + round(turn.seconds * 1e9)
            name, attributes = self._turn(turn.party)
            if self.content:
                last = starts[number + 1] if number + 1 < len(starts) else len(one.events)
                said = [
                    e.text
                    for e in one.events[turn.event : last]
                    if isinstance(e, Said) and e.by == turn.party
                ]
                parts = [{"type": "text", "content": text} for text in said]
                attributes["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "parts": parts}])
            yield self._span(name, context, root, (at, end), attributes)
            within.append((context, at))
            at = end
        yield from self._tools(starts, within, root)
        yield from self._models(starts, within, root)

    def _turn(self, party: str) -> tuple[str, dict[str, Any]]:
        told: dict[str, Any] = {"riskbox.party": party, "gen_ai.conversation.id": self.episode.id}
        if party != "agent":
            return f"turn {party}", told
        agent = self.episode.cast.agent
        return f"invoke_agent {agent}", {
            **told,
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent,
        }

    def _tools(
        self, starts: Sequence[int], within: Sequence[tuple[SpanContext, int]], root: SpanContext
    ) -> Iterator[ReadableSpan]:
        answers = {one.call: one for one in self.episode.events if isinstance(one, Returned)}
        for event in self.episode.events:
            if not isinstance(event, Called):
                continue
            answer = answers.get(event.call)
            place = bisect_right(starts, event.index) - 1
            parent, at = within[place] if place >= 0 else (root, self.began)
            told: dict[str, Any] = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": event.tool,
                "gen_ai.tool.call.id": event.call,
                "gen_ai.tool.type": "function",
                "riskbox.party": event.by,
            }
            if self.content:
                told["gen_ai.tool.call.arguments"] = json.dumps(event.arguments)
                told["gen_ai.tool.call.result"] = json.dumps(
                    answer.error or answer.result if answer else None
                )
            error = str((answer.error or {}).get("code", "error")) if answer and not answer.ok else ""
            context = self._context(f"tool {event.call} {event.index}")
            yield self._span(f"execute_tool {event.tool}", context, parent, (at, at), told, error)

    def _models(
        self, starts: Sequence[int], within: Sequence[tuple[SpanContext, int]], root: SpanContext
    ) -> Iterator[ReadableSpan]:
        spent: dict[int, int] = {}
        for number, call in enumerate(self.episode.model_calls):
            place = bisect_right(starts, call.event) - 1
            parent, at = within[place] if place >= 0 else (root, self.began)
            at = spent.get(place, at)
            spent[place] = end = at + round(call.seconds * 1e9)
            error = "" if call.outcome == "ok" else call.outcome
            yield self._span(
                f"chat {call.model}",
                self._context(f"model {number}"),
                parent,
                (at, end),
                _asked(call),
                error,
                kind=SpanKind.CLIENT,
            )

    def _context(self, of: str) -> SpanContext:
        made = hashlib.sha256(f"{self.trace}/{of}".encode()).digest()
        return SpanContext(self.trace, int.from_bytes(made[:8]), False, TraceFlags(TraceFlags.SAMPLED))

    def _span(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        times: tuple[int, int],
        told: Mapping[str, Any],
        error: str = "",
        *,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> ReadableSpan:
        return ReadableSpan(
            name=name,
            context=context,
            parent=parent,
            resource=self.resource,
            attributes={**told, "error.type": error} if error else told,
            kind=kind,
            status=Status(StatusCode.ERROR, error) if error else Status(StatusCode.UNSET),
            start_time=times[0],
            end_time=times[1],
        )


def _turns(episode: Episode) -> list[TurnTiming]:
    """The turns of an episode in order; those of scripts are not measured, and take no time."""
    turns, last = list(episode.timings), ""
    measured = {turn.party for turn in turns}
    for event in episode.events:
        party = getattr(event, "by", "")
        if party and party != last and party not in measured:
            turns.append(TurnTiming(party=party, event=event.index, seconds=0.0))
        last = party or last
    return sorted(turns, key=lambda turn: turn.event)


def _asked(call: ModelCall) -> dict[str, Any]:
    """What a span of a model call holds."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": Name.parse(call.model).kind or "openai",
        "gen_ai.request.model": call.model,
        "gen_ai.usage.input_tokens": call.input_tokens,
        "gen_ai.usage.output_tokens": call.output_tokens,
        "gen_ai.response.finish_reasons": [call.finish] if call.finish else [],
        "riskbox.seat": call.seat,
        "riskbox.attempts": call.attempts,
    }


class Tracing:
    """Sends the traces of finished episodes from a thread of its own.

    Args:
        endpoint: The collector; empty for that of OTEL_EXPORTER_OTLP_ENDPOINT, or http://localhost:4318.
        content: Whether spans hold what was said and done.
    """

    def __init__(self, endpoint: str, *, content: bool) -> None:
        logging.getLogger("opentelemetry").setLevel(
            logging.CRITICAL
        )  # what goes wrong is told once, at the end
        self.exporter = OTLPSpanExporter(endpoint=endpoint or None, timeout=PATIENCE)
        self.content, self.lost = content, 0
        self._waiting: queue.Queue[tuple[Packed, int] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._send, name="riskbox-otel", daemon=True)
        self._thread.start()

    def stored(self, episodes: Sequence[Packed]) -> None:
        """Take episodes that are stored; it never waits."""
        for one in episodes:
            try:
                self._waiting.put_nowait((one, time.time_ns()))
            except queue.Full:
                self.lost += 1

    def close(self) -> None:
        """Send what is left, for some seconds at most, and tell what was not sent."""
        end = time.monotonic() + PATIENCE
        with suppress(queue.Full):
            self._waiting.put(None, timeout=PATIENCE)
        self._thread.join(max(0.0, end - time.monotonic()))
        self.exporter.shutdown()  # type: ignore[no-untyped-call]
        lost = self.lost + self._waiting.qsize() + self._thread.is_alive()
        if lost:
            print(f"riskbox: otel: the traces of {lost:,} episodes could not be sent.", file=sys.stderr)

    def _send(self) -> None:
        while (one := self._waiting.get()) is not None:
            packed, ended = one
            try:
                episode = unpack(Played, packed.blob).episode
                spans = list(EpisodeSpans(episode, ended, content=self.content).all())
                sent = self.exporter.export(spans) is SpanExportResult.SUCCESS
            except (RiskboxError, ValueError, OSError):
                sent = False
            self.lost += not sent


@contextmanager
def tracing(endpoint: str, *, content: bool) -> Iterator[Tracing]:
    """Within this, send the traces of episodes that are stored.

    Args:
        endpoint: The collector; empty for the usual one.
        content: Whether spans hold what was said and done.
    """
    one = Tracing(endpoint, content=content)
    try:
        yield one
    finally:
        one.close()
