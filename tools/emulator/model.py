"""A language model that plays the services no code answers for. Its prompts are the prose files beside this one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

from riskbox.sandbox.contracts.declared import misfits
from riskbox.sandbox.contracts.emulator import Emulator, Exchange, News, Pending
from riskbox.sandbox.contracts.model import Model, Prompt, Reply
from riskbox.sandbox.contracts.table import ErrorClass, ToolError
from riskbox.sandbox.errors import ModelFault, ToolFault
from riskbox.sandbox.words.input import Answered
from riskbox.tools.emulator.consistency import contradiction, repeated

LONGEST_RESULT = 16_000
"""Characters of JSON that a result may have."""
LONGEST_STATE = 8_000
"""Characters that the summary of what is so may have."""
NEARLY_FULL = LONGEST_STATE // 2
"""Characters from which on the model is told how much room is left."""
ROOMS = (2_000, 4_000, LONGEST_STATE)
"""Characters of a state that the model is asked for: the least of these that the last state fills to half at most. A model
that repeats itself ends there, and providers see few schemas. Any state up to the longest is accepted. Of the shipped tools
that code answers, 95% of the results fit the first, and all that one tells in an episode fits the last in 99%."""
TEXT, ITEMS, MESSAGE = 2_000, 25, 300
"""The longest text, list and message of an error that the model is asked for where a tool sets no bound. No shipped tool
returns longer lists, and its longest text is a document. What fits the tool's own schema is accepted."""
TOLD = 1_000
"""Characters of what was wrong with an answer that its author is told."""


class EmulatorModel(Emulator):
    """Plays every emulated service of an episode.

    Args:
        model: Who answers.
        adversarial: Whether it is told the scenario's risks and leans towards them.
    """

    def __init__(self, model: Model, adversarial: bool = False) -> None:
        self.model, self.adversarial = model, adversarial

    async def answer(self, pending: Pending) -> Answered:
        """The answer of one call: the earlier one if it can be no other, else the model's.

        An answer that does not fit is told to the model once; nothing repairs it.

        Raises:
            ToolFault: the second answer does not fit either.
            ModelFault: the model declined.
        """
        again = repeated(pending)
        if again is not None:
            return Answered(call=pending.call, result=again.result, error=again.error)
        messages = list(_messages(pending))
        reply = await self._ask(pending, messages)
        wrong = _wrong(pending, reply)
        if wrong:
            messages += _corrected(reply, wrong)
            reply = await self._ask(pending, messages)
            wrong = _wrong(pending, reply)
        if wrong:
            raise ToolFault(
                f"{self.model.name} gave {pending.tool.name} two answers that do not fit; the last: {wrong}"
            )
        return _answered(pending, reply.value)

    async def _ask(self, pending: Pending, messages: Sequence[Mapping[str, Any]]) -> Reply:
        reply = await self.model.ask(
            Prompt(
                tuple(messages),
                schema=(schema := _schema(pending)),
                asked=_asked(schema, _state(pending)),
                purpose=pending.tool.name,
                event=pending.event,
            )
        )
        if reply.outcome == "refused":
            told = reply.text or reply.detail or "without a word"
            raise ModelFault(f"{self.model.name} declined to play {pending.tool.name}: {told}", "refused")
        return reply


# --- what it is asked -------------------------------------------------------------------------------------------


def _messages(pending: Pending) -> Iterator[dict[str, Any]]:
    """The rules and the service, then its calls and answers so far, then the call: each prompt begins with the one before.

    What other services did stands before the first call that came after it.
    """
    yield {"role": "system", "content": _system(pending)}
    news: list[str] = []
    state = ""
    for one in pending.earlier:
        if isinstance(one, News):
            news.append(_news(one))
        elif one.answer.note:  # what was merely said again is no news
            yield _call(one.tool.name, one.arguments, one.at, news, state)
            yield {"role": "assistant", "content": _line(_as_given(one.answer))}
            news, state = [], one.answer.note
    yield _call(pending.tool.name, pending.arguments, pending.now, news, state)


def _state(pending: Pending) -> str:
    """The last summary of what is so; empty before the first answer."""
    told = (one.answer.note for one in reversed(pending.earlier) if isinstance(one, Exchange))
    return next(filter(None, told), "")


def _system(pending: Pending) -> str:
    """What is the same for all services, then the service, then what is so in it in this scenario."""
    service = pending.toolset
    tools = (
        f"## {tool.name}\n\n{tool.description}\n{'It changes' if tool.writes else 'It only reads'} what the service "
        f"holds.\n- arguments: {_line(tool.parameters)}\n- result: {_line(tool.returns)}"
        for tool in service.tools.values()
    )
    parts = [
        _prose("emulated").format(first=f"{ROOMS[0]:,}", state=f"{LONGEST_STATE:,}"),
        f"# The service: {service.name}\n\n{service.description}\n\n{service.notes}".strip(),
        "# Its tools",
        *tools,
    ]
    if pending.harms:
        parts.append(_prose("adversarial").format(harms="\n".join(f"- {one}" for one in pending.harms)))
    parts.append(f"# The situation\n\n{pending.setting.strip()}")
    rows = [f"- {table}: {_line(row)}" for table, listed in pending.world.items() for row in listed]
    parts.append("# What is so at the start\n\n" + ("\n".join(rows) or "Nothing is laid down."))
    return "\n\n".join(parts)


@cache
def _prose(name: str) -> str:
    return Path(__file__).with_name(f"{name}.md").read_text("utf-8").strip()


def _call(
    tool: str, arguments: Mapping[str, Any], at: datetime, news: Sequence[str] = (), state: str = ""
) -> dict[str, Any]:
    """A call as a message, after what other services did since the last one, and with the room that the state has left."""
    parts = [*news, f"{at.isoformat()} {tool}\n{_fenced(arguments)}"]
    if len(state) > NEARLY_FULL:
        left = max(LONGEST_STATE - len(state), 0)
        parts.append(
            f"(Your state has {len(state):,} characters, so {left:,} are left. Put it more briefly.)"
        )
    return {"role": "user", "content": "\n\n".join(parts)}


def _news(one: News) -> str:
    return f"{one.at.isoformat()} Elsewhere, {one.tool} was done\n{_fenced(one.arguments)}"


def _fenced(arguments: Mapping[str, Any]) -> str:
    """Arguments on one line that holds no `<`, so nothing in them can end the fence."""
    inner = _line(arguments).replace("<", "\\u003c")
    return f"<arguments>\n{inner}\n</arguments>"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _corrected(reply: Reply, wrong: str) -> list[dict[str, Any]]:
    """The unfitting answer, and what its author is told of it."""
    given = reply.text or ("" if reply.value is None else json.dumps(reply.value))
    told = f"The service cannot give that answer. {wrong} Give the whole answer again, without this fault."
    return [
        {"role": "assistant", "content": given[:LONGEST_RESULT] or "(nothing)"},
        {"role": "user", "content": told},
    ]


# --- what it may answer -----------------------------------------------------------------------------------------


def _schema(pending: Pending) -> dict[str, Any]:
    """The answer's schema, composed from what the tool returns."""
    returns = _moved(pending.tool.returns or {}, "#/properties/result/anyOf/0")
    definitions = returns.pop("$defs", {})
    error = {
        "type": "object",
        "additionalProperties": False,
        "required": ["class", "code", "message"],
        "properties": {
            "class": {"enum": list(get_args(ErrorClass))},
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64},
            "message": {"type": "string", "minLength": 1, "maxLength": 1000},
        },
    }
    whole = {
        "type": "object",
        "additionalProperties": False,
        "required": ["state", "error", "result"],
        "properties": {
            "state": {"type": "string", "minLength": 1, "maxLength": LONGEST_STATE},
            "error": {"anyOf": [{"type": "null"}, error]},
            "result": {"anyOf": [returns, {"type": "null"}]},
        },
    }
    return whole | ({"$defs": definitions} if definitions else {})


def _asked(schema: Mapping[str, Any], state: str) -> dict[str, Any]:
    """The schema that the model is asked for: narrower than what is accepted, and as wide as the last state needs."""
    asked: dict[str, Any] = _bounded(schema)
    room = next((one for one in ROOMS if len(state) <= one // 2), LONGEST_STATE)
    asked["properties"]["state"]["maxLength"] = room
    asked["properties"]["error"]["anyOf"][1]["properties"]["message"]["maxLength"] = MESSAGE
    return asked


def _bounded(node: Any) -> Any:
    """A schema in which every text and list ends somewhere."""
    if isinstance(node, list):
        return [_bounded(one) for one in node]
    if not isinstance(node, dict):
        return node
    bounded = {key: one if key in LITERAL else _bounded(one) for key, one in node.items()}
    kinds = node.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds and not {"enum", "const", "format", "pattern"} & node.keys():
        bounded.setdefault("maxLength", max(TEXT, node.get("minLength", 0)))
    if "array" in kinds:
        bounded.setdefault("maxItems", max(ITEMS, node.get("minItems", 0)))
    return bounded


LITERAL = frozenset(("enum", "const", "default", "examples", "required"))
"""Keywords whose values are data and no schemas."""


def _moved(node: Any, root: str) -> Any:
    """A schema whose references still lead where they did once it stands at `root` and its `$defs` at the top."""
    if isinstance(node, list):
        return [_moved(item, root) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _moved(item, root) for key, item in node.items()}
    for key in ("$ref", "$dynamicRef"):
        leads = moved.get(key)
        if isinstance(leads, str) and leads.startswith("#") and not leads.startswith("#/$defs/"):
            moved[key] = root + leads.removeprefix("#")
    return moved


def _wrong(pending: Pending, reply: Reply) -> str:
    """Why an answer cannot be the service's, in a sentence; empty if it can."""
    if reply.outcome != "ok":
        return _sentence(f"It is not of the form asked for: {_misform(pending, reply)}")
    result, error = reply.value["result"], reply.value["error"]
    try:
        _line(reply.value).encode("utf-8")
        size = len(_line(result).encode("utf-8"))
    except ValueError:  # NaN, or half of a surrogate pair
        return "It holds a number that is none, or half of a character; JSON has neither."
    if size > LONGEST_RESULT:
        return f"Its result is {size:,} bytes long; keep it below {LONGEST_RESULT:,}."
    if error is not None:
        return "" if result is None else "It has an error, and so its `result` must be null."
    misfit = _misfit(pending, result)
    if misfit:
        return _sentence(f"Its result does not fit what the tool returns: {misfit}")
    against = contradiction(pending, result)
    return _sentence(f"It contradicts an earlier answer: {against}") if against else ""


def _misform(pending: Pending, reply: Reply) -> str:
    """What is wrong with an answer without the form: best said of the result alone, where that is what is wrong."""
    try:
        given = json.loads(reply.text)
    except (ValueError, RecursionError):
        given = None
    of_result = isinstance(given, dict) and "result" in given and not given.get("error")
    misfit = _misfit(pending, given["result"]) if of_result else ""
    return misfit or reply.detail or "no JSON object was found"


def _misfit(pending: Pending, result: Any) -> str:
    return next(misfits(result, pending.tool.returns or {}, "the result"), "")


def _sentence(told: str) -> str:
    told = told.rstrip(".")
    return (told if len(told) <= TOLD else told[: TOLD - 3] + "...") + "."


def _answered(pending: Pending, value: Mapping[str, Any]) -> Answered:
    error = value["error"]
    told = (
        None if error is None else ToolError(error["code"], error["message"], kind=error["class"]).as_json()
    )
    return Answered(call=pending.call, result=value["result"], error=told, note=value["state"])


def _as_given(answer: Answered) -> dict[str, Any]:
    """An answer in the form in which the model gave it."""
    error = answer.error and {key: answer.error[key] for key in ("class", "code", "message")}
    return {"state": answer.note, "error": error, "result": answer.result}
