"""A language model as the agent under test, as its operator would deploy it: the policy, the tools, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

from riskbox.sandbox.contracts import message
from riskbox.sandbox.contracts.model import Model, Prompt, Reply
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import UnknownName
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.observation import AgentView, Observation


class Assistant(Participant):
    """Answers with native tool calls; nothing that it sends is repaired.

    Args:
        model: Who is asked.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    @classmethod
    def check(cls, name: str) -> None:
        """Check that a name is a model's.

        Raises:
            UnknownName: it is not.
        """
        provider, sep, rest = name.partition("#" if name.startswith(("http://", "https://")) else "/")
        if not (provider and sep and rest):
            raise UnknownName(
                f"{name!r} is not a model. Write provider/model, or http://host:port/v1#model for a server of your own."
            )

    async def act(self, seen: Observation) -> Action:
        """Ask the model for its next move. A refusal by its provider is its answer. It waits while nobody has spoken."""
        asked = self.messages(seen)
        if asked[-1]["role"] not in ("user", "tool"):
            return Action()
        reply = await self.model.ask(
            Prompt(
                messages=asked,
                tools=self.functions(seen),
                described=self.described(seen),
                event=seen.next_event,
            )
        )
        # a refusal's own words are said; what a content filter let through before it cut in is also done
        declined = reply.outcome == "refused" and "filtered" not in reply.flaws
        done = Action(text=reply.text) if declined else self.understood(reply)
        # a thought is the model's own; what its provider wants back with calls goes back to nobody else
        carried = {"model": self.model.name, "calls": len(done.calls), "message": dict(reply.carried)}
        return done.model_copy(
            update={"note": reply.thought, "carried": carried if reply.carried and done.calls else {}}
        )

    def messages(self, seen: Observation) -> list[dict[str, Any]]:
        """What the model is asked."""
        return message.messages(seen, self.model.name)

    def described(self, seen: Observation) -> list[str]:
        """The names of the tools that the messages describe."""
        return []

    def functions(self, seen: Observation) -> list[dict[str, Any]]:
        """The tools it is offered."""
        return message.functions(seen)

    def understood(self, reply: Reply) -> Action:
        """What a reply does."""
        return message.action({"content": reply.text, "tool_calls": [_named(call) for call in reply.calls]})


def _named(call: Any) -> Any:
    """A call as it was sent; one that names no function keeps its whole text, for the sandbox to refuse."""
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return call
    return {"function": {"name": "", "arguments": json.dumps([call], ensure_ascii=False, default=str)}}


# --- tool calls in text -----------------------------------------------------------------------------------------

NAMED = re.compile(r'"tool"\s*:\s*"([^"\n]*)"')


class Texting(Assistant):
    """The compatibility mode for models without native tool calls: they write each call as a block of JSON."""

    def messages(self, seen: Observation) -> list[dict[str, Any]]:
        """The conversation in plain text; the system message describes the tools."""
        first, *rest = message.messages(seen)
        names = {call["id"]: _tool(call) for one in rest for call in one.get("tool_calls", ())}
        if isinstance(seen.brief, AgentView) and seen.brief.tools:
            tools = [
                spec.model_dump(include={"name", "description", "parameters"}) for spec in seen.brief.tools
            ]
            listed = "\n".join(json.dumps(one, ensure_ascii=False) for one in tools)
            first = {
                "role": "system",
                "content": Template(_prose()).substitute(policy=first["content"].strip(), tools=listed),
            }
        return [first, *_alternating([_in_text(one, names) for one in rest])]

    def functions(self, seen: Observation) -> list[dict[str, Any]]:
        """None: the tools are described in text."""
        return []

    def described(self, seen: Observation) -> list[str]:
        """All its tools."""
        return [spec.name for spec in seen.brief.tools] if isinstance(seen.brief, AgentView) else []

    def understood(self, reply: Reply) -> Action:
        """The text outside the blocks, and the calls in them."""
        return Action(text=message.BLOCK.sub("", reply.text).strip(), calls=tuple(_written(reply.text)))


def _written(text: str) -> Iterator[ToolCall]:
    for raw in message.BLOCK.findall(text):
        try:
            call = json.loads(raw, parse_constant=message.no_constant)
            given = message.arguments(json.dumps(call.get("arguments")))
            yield ToolCall(tool=call["tool"], arguments=given)
        except (ValueError, RecursionError, AttributeError, KeyError):
            # the name is read where it can be, so that the error which comes back is about the rest
            named = NAMED.search(raw)
            yield ToolCall(tool=named[1] if named else "", arguments=raw.strip())


def _tool(call: Mapping[str, Any]) -> str:
    return message.tool_name(call["function"]["name"])


def _in_text(one: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """A message with its calls and results as text."""
    if one["role"] == "tool":
        return {"role": "user", "content": f"Result of {names[one['tool_call_id']]}:\n{one['content']}"}
    said = [one["content"]] if one["content"] else []
    said += [_block(call) for call in one.get("tool_calls", ())]
    return {"role": one["role"], "content": "\n\n".join(said)}


def _block(call: Mapping[str, Any]) -> str:
    """A call as the model wrote it, or would have."""
    given = json.loads(call["function"]["arguments"])
    raw = given.get("raw")
    written = (
        raw
        if given.keys() == {"raw"} and isinstance(raw, str)
        else json.dumps({"tool": _tool(call), "arguments": given}, ensure_ascii=False)
    )
    return f"```call\n{written}\n```"


def _alternating(told: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Messages with adjacent ones of the same role joined: many chat templates require alternating roles."""
    return [
        {"role": role, "content": "\n\n".join(one["content"] for one in group)}
        for role, group in groupby(told, key=lambda one: one["role"])
    ]


@cache
def _prose() -> str:
    return Path(__file__).with_name("text.md").read_text("utf-8")
