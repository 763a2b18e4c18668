"""Chat messages in the OpenAI form: made from an observation, and read into an action."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from riskbox.sandbox.errors import ParticipantFault
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.event import Called, Noted, Returned, Said
from riskbox.sandbox.words.observation import AgentView, Observation

BLOCK = re.compile(r"^```call[ \t\r]*\n(.*?)(?:^```[ \t\r]*$|\Z)", re.DOTALL | re.MULTILINE)
"""A call that a model without native calls writes as text; one that is cut off runs to the end of the text."""


def messages(seen: Observation, model: str = "") -> list[dict[str, Any]]:
    """The conversation from a party's side: its own lines as `assistant`, the other's as `user`.

    The system message never changes and messages are only appended, so that providers can cache the prefix. One thing is
    taken away again: what a model's provider wants back with its tool calls goes back until the other party speaks.

    The arguments of a call are always a JSON object, since servers refuse a whole history for one that is none. Text in
    their place stands as `{"raw": text}`.

    Args:
        seen: What the party sees.
        model: The model that the messages are for; what another model's provider wanted back is left out.
    """
    brief = seen.brief
    told: list[dict[str, Any]] = []
    if isinstance(brief, AgentView):
        told.append({"role": "system", "content": brief.policy})
    last = max(
        (one.index for one in seen.events if isinstance(one, Said) and one.by != seen.party), default=-1
    )
    spoken, home, joined = -2, 0, 0
    carried = _Carried()
    for event in seen.events:
        if isinstance(event, Noted) and event.by == seen.party:
            carried, joined = _Carried.of(event, model), 0
        elif isinstance(event, Said):
            told.append({"role": "assistant" if event.by == seen.party else "user", "content": event.text})
            spoken = event.index if event.by == seen.party else spoken
        elif isinstance(event, Called):
            # the calls of one action are recorded each with its answer, so each becomes a message of its own; only
            # text said by the same action, which stands right before it, carries the call. Where a provider wants
            # something back, the calls that came with it stay one message, as it knows them.
            call = {"id": event.call, "type": "function", "function": _function(event)}
            back = event.index > last and joined < carried.calls
            if not 0 < joined < carried.calls:
                if event.index != spoken + 1:
                    told.append({"role": "assistant", "content": None})
                home = len(told) - 1
                told[home].update(carried.message if back else {})
            told[home].setdefault("tool_calls", []).append(carried.on(call, joined) if back else call)
            joined += 1
        elif isinstance(event, Returned):
            value = event.result if event.ok else {"error": event.error}
            content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            told.append({"role": "tool", "tool_call_id": event.call, "content": content})
    return told


class _Carried(NamedTuple):
    """What a provider wants back with the calls of one action."""

    calls: int = 0
    """How many calls the action has."""
    message: Mapping[str, Any] = {}
    """Fields of the message."""
    each: Sequence[Mapping[str, Any]] = ()
    """Fields of each call."""

    @classmethod
    def of(cls, note: Noted, model: str) -> _Carried:
        """What a note holds; nothing, if it is another model's."""
        kept = note.carried
        if not model or kept.get("model") != model:
            return cls()
        fields = dict(kept.get("message") or {})
        each = fields.pop("tool_calls", ())
        return cls(int(kept.get("calls") or 0), fields, each)

    def on(self, call: dict[str, Any], place: int) -> dict[str, Any]:
        """A call with its own fields."""
        more = self.each[place] if place < len(self.each) else {}
        return {**more, **call, "function": {**more.get("function", {}), **call["function"]}}


def _function(event: Called) -> dict[str, Any]:
    raw = event.arguments
    given = {"raw": raw} if isinstance(raw, str) else raw
    return {"name": _sent_name(event.tool), "arguments": json.dumps(given, ensure_ascii=False)}


def _sent_name(tool: str) -> str:
    """A tool's name in history; servers refuse one with other characters, which a model may have made up."""
    return re.sub(r"[^\w-]", "_", wire_name(tool), flags=re.ASCII)[:64] or "unnamed"


def functions(seen: Observation) -> list[dict[str, Any]]:
    """The tools that a party may call, in the native function-calling format."""
    return [spec.function() for spec in seen.brief.tools] if isinstance(seen.brief, AgentView) else []


def wire_name(tool: str) -> str:
    """A tool's name as function-calling APIs allow it: `clinic.read_record` is `clinic__read_record`."""
    return tool.replace(".", "__", 1)


def tool_name(wire: str) -> str:
    """A tool's name from its function-calling name; one with a dot is none, and stays what it is."""
    return wire if "." in wire else wire.replace("__", ".", 1)


def action(message: Any) -> Action:
    """The action in what an agent's code returned: text, an Action, or an assistant message.

    Raises:
        ParticipantFault: it is none of these.
    """
    if isinstance(message, Action):
        return message
    if message is None:
        return Action()
    if isinstance(message, str):
        return Action(text=message)
    if hasattr(message, "model_dump"):
        message = message.model_dump()
    if not isinstance(message, dict):
        raise ParticipantFault(
            f"answered {type(message).__name__}; return text, an Action, or an assistant message"
        )
    if not {"content", "tool_calls", "leave"} & message.keys():
        raise ParticipantFault(
            f"answered an object with neither content nor tool_calls: {str(message)[:200]}"
        )
    listed = message.get("tool_calls") or ()
    if not isinstance(listed, list | tuple):
        raise ParticipantFault(f"tool_calls is {type(listed).__name__}, not a list")
    return Action(
        text=_text(message.get("content")),
        calls=tuple(map(_call, listed)),
        leave=bool(message.get("leave", False)),
    )


def answered(raw: bytes) -> Action:
    """The action in an answer in JSON.

    Raises:
        ParticipantFault: it is not JSON, or not a value that `action` accepts.
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        shown = raw[:200].decode("utf-8", "replace")
        raise ParticipantFault(f"answered something that is not JSON ({error}): {shown}") from None
    return action(value)


def _text(content: Any) -> str:
    """The text of a message: a string, or the text parts of a list."""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if content is not None and not isinstance(content, str):
        raise ParticipantFault(f"content is {type(content).__name__}, not text")
    return content or ""


def _call(call: Any) -> ToolCall:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise ParticipantFault(f"a tool call without a function name: {str(call)[:200]}")
    return ToolCall(tool=tool_name(function["name"]), arguments=arguments(function.get("arguments", "{}")))


def arguments(raw: Any) -> dict[str, Any] | str:
    """A call's arguments; none, where nothing was sent, be it null or blank. Text that is not a JSON object stays, for the tool to refuse."""
    if isinstance(raw, dict):
        return raw
    if raw is None:
        return {}
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    try:
        value = json.loads(text if text.strip() else "{}", parse_constant=no_constant)
    except (ValueError, RecursionError):  # models may nest too deeply
        return text
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    return value if isinstance(value, dict) else text


def no_constant(constant: str) -> None:
    """Reject NaN and Infinity, which Python reads and JSON does not allow: stored, they would become null.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is not JSON")
