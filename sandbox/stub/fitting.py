"""What the stub's models have in common: values that fit a schema, calls of tools that are offered, lines of a person."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias, TypeVar

from riskbox.sandbox.stub.request import OfferedTool, StubRequest
from riskbox.sandbox.stub.script import CallTool, Fail, SayJson
from riskbox.sandbox.words.pattern import found

T = TypeVar("T")
Seat: TypeAlias = Literal["agent", "user", "tool", "judge"]

ID = re.compile(r"\b[A-Z]{1,4}-\d+\b")
"""What looks like an id: O-1042."""
KEY = re.compile(r"\b[A-Za-z]{1,4}-\d+\b")
"""What may be one where something asks for an id: m-1042, too."""
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
NAMED = re.compile(r"(?<![\w'])(?!(?:Hi|Hello|Dear|Hey)\b)[A-Z][\w-]+ [A-Z][\w'-]+\b")
"""What looks like a person's name."""
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
READS = frozenset(
    ("find", "read", "list", "get", "search", "look", "lookup", "show", "view", "check", "query", "fetch")
)
"""Words in the names of tools that only read."""

PERSON = (
    "Hello, I have a question and hope that this is the right place.",
    "It is about what I have with you. What can you tell me?",
    "I see. And what would you do in my place?",
    "All right, then please go on with it.",
)
"""What a user says, line by line."""
PARTING = "Thanks, that is all. Goodbye."


def seat_of(request: StubRequest) -> Seat:
    """The seat that a request is for, by the form of the answer that it asks for."""
    schema = request.asked.schema
    if schema is None:
        return "agent"
    asked = schema.get("properties", {})
    if "say" in asked and "leave" in asked:
        return "user"
    return "tool" if "error" in asked and "result" in asked else "judge"


def last_role(request: StubRequest) -> str:
    """Who spoke last."""
    return request.messages[-1].role


def one_of(things: Sequence[T], chance: int) -> T:
    """One thing by chance."""
    return things[(chance >> 16) % len(things)]


# --- JSON -------------------------------------------------------------------------------------------------------


def fitting(schema: Mapping[str, Any], chance: int) -> SayJson | Fail:
    """A value that fits a schema; an error where none was found."""
    from riskbox.sandbox.authoring.sample import NoSample

    try:
        return SayJson(json.loads(_sampled(json.dumps(schema or {"type": "object"}), chance >> 8 & 1)))
    except NoSample as error:
        return Fail(400, message=f"The stub found no value that fits the schema: {error}.")


@lru_cache(maxsize=1_000)
def _sampled(schema: str, which: int) -> str:
    from riskbox.sandbox.authoring.sample import sample

    return json.dumps(sample(json.loads(schema), which))


def answered(request: StubRequest, chance: int) -> SayJson | Fail:
    """A value that fits the form asked for; a user speaks as a person does, and leaves after a few lines."""
    if seat_of(request) == "user":
        turn = sum(one.role == "assistant" for one in request.messages)
        gone = turn >= len(PERSON)
        return line(request, PARTING if gone else PERSON[turn], chance, leave=gone)
    return fitting(request.asked.schema or {}, chance)


def line(
    request: StubRequest, words: str, chance: int, *, leave: bool = False, thought: str = ""
) -> SayJson | Fail:
    """A line in the form in which users answer; what it does not need is left empty or false."""
    schema = request.asked.schema or {}
    made = fitting(schema, chance)
    if not isinstance(made, SayJson):
        return made
    value, parts = dict(made.value), schema.get("properties", {})
    # a form may ask why somebody leaves, and `no` then says that nobody does
    stays: tuple[Any, ...] = (False, "no")
    said = words[: parts.get("say", {}).get("maxLength", len(words))]
    given: dict[str, Sequence[Any]] = {"say": [said], "thought": [thought]}
    reasons = [one for one in parts.get("leave", {}).get("enum", ()) if one not in stays]
    given["leave"] = [True, *reasons] if leave else stays
    for name in [one for one in parts if one in value or one in given]:
        candidates = given.get(name, (None, False, ""))
        value[name] = next(
            (one for one in candidates if is_fitting(one, parts[name], schema)), value.get(name)
        )
    return SayJson(value)


def is_fitting(value: Any, schema: Any, root: Any = None) -> bool:
    """Whether a value fits a schema, or a part of `root`; no value fits one whose references lead nowhere."""
    from riskbox.sandbox.authoring.sample import NoSample, fits

    try:
        return fits(value, schema, root)
    except NoSample:
        return False


# --- calls ------------------------------------------------------------------------------------------------------


def words_of(tool: OfferedTool) -> list[str]:
    """The words of a tool's own name, the service's left out: `mail__send_later` is send, later."""
    own = re.split(r"__|\.", tool.name)[-1]
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", own).lower().replace("-", "_").split("_")


def is_reading(tool: OfferedTool) -> bool:
    """Whether its name says that it only reads."""
    return not READS.isdisjoint(words_of(tool))


def call(tool: OfferedTool, chance: int, text: str = "") -> CallTool | Fail:
    """A call with arguments that fit; those of which a text speaks are taken from it."""
    made = fitting(tool.parameters, chance)
    if not isinstance(made, SayJson):
        return made
    return CallTool(tool.name, {**made.value, **_taken(tool, text)} if text else made.value)


def known_call(tool: OfferedTool, text: str) -> CallTool | None:
    """A call whose required arguments all stand in a text; None where one does not."""
    found = _taken(tool, text)
    required = tool.parameters.get("required", [])
    return CallTool(tool.name, found) if all(name in found for name in required) else None


def _taken(tool: OfferedTool, text: str) -> dict[str, Any]:
    """The arguments that stand in a text: ids, addresses, dates, and one of the values that may be chosen."""
    properties = tool.parameters.get("properties", {})
    found = {name: _found(name, part, text) for name, part in properties.items() if isinstance(part, dict)}
    return {name: value for name, value in found.items() if value is not None}


def _found(name: str, part: Mapping[str, Any], text: str) -> Any:
    spoken, kinds = name.lower(), _kinds(part)
    if "enum" in part:
        return next(
            (one for one in part["enum"] if isinstance(one, str) and one.lower() in text.lower()), None
        )
    if "string" not in kinds:
        return None
    # what a result calls by the same name is meant
    if told := re.findall(rf'"{re.escape(name)}": "([^"\\]+)"', text):
        return told[-1]
    if re.search(r"mail|recipient|^(to|cc|bcc)$", spoken):
        return _last(EMAIL.findall(text))
    if re.search(r"date|day|born|birth", spoken):
        return _last(DATE.findall(text))
    about = str(part.get("description", ""))
    if re.search(r"(^|_)(ids?|no|number|ref|reference|code)$", spoken) or re.search(r"\bids?\b", about):
        example, pattern = ID.search(about), part.get("pattern")
        ids = KEY.findall(text)
        if example:
            ids = [one for one in ids if one.partition("-")[0] == example[0].partition("-")[0]]
        return _last([one for one in ids if not pattern or found(pattern, one)])
    return _last(NAMED.findall(text)) if re.search(r"name|query|text|search|who|person", spoken) else None


def _kinds(part: Mapping[str, Any]) -> set[str]:
    """The types that a value may have."""
    told = part.get("type", ())
    inside = [_kinds(one) for one in part.get("anyOf", ()) if isinstance(one, dict)]
    return ({told} if isinstance(told, str) else set(told)).union(*inside)


def _last(found: list[str]) -> str | None:
    return found[-1] if found else None


def looked_up(request: StubRequest, most: int = 3) -> CallTool | None:
    """A reading call with what was named so far, not made before; None where there is none.

    Args:
        request: Who asks, and what it offers.
        most: How many calls there may be after what the user said last.
    """
    said = [one for one in request.messages if one.role in ("user", "tool")]
    since = next((place for place, one in enumerate(reversed(said)) if one.role == "user"), 0)
    if request.asked.choice == "none" or since >= most:
        return None
    made = {name for one in request.messages for name in one.calls}
    text = "\n".join(one.text for one in said)
    free = [one for one in request.asked.tools if is_reading(one) and one.name not in made]
    known = [found for one in free if (found := known_call(one, text)) and found.arguments]
    # what takes an id says more than what only searches
    return min(known, key=lambda one: not KEY.search(str(one.arguments)), default=None)
