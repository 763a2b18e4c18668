"""A completion as a reply; where an answer in JSON was asked for, the one object in what was said, held to a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from riskbox.sandbox.contracts.message import no_constant
from riskbox.sandbox.contracts.model import Reply
from riskbox.sandbox.models.transport import Completion
from riskbox.sandbox.words.pattern import PatternError
from riskbox.sandbox.words.schema import TooManySteps, errors, validator

MOST = 100
"""Braces of one text at which a JSON object is looked for."""
FENCED = re.compile(r"\A```[ \t]*\w*[ \t]*\n?(.*?)\n?[ \t]*```\Z", re.DOTALL)


def replied(answer: Completion, schema: Mapping[str, Any] | None = None) -> Reply:
    """A completion as a reply, with a value where the answer had to be JSON of a schema."""
    if answer.refusal is not None:
        said = "\n\n".join(dict.fromkeys(filter(None, (answer.text, answer.refusal))))
        told = said or "declined without a reason"
        reply = Reply("refused", text=said, calls=answer.calls, detail=told[:200])
    elif schema is None:
        reply = Reply("ok", text=answer.text, calls=answer.calls, detail=_cut(answer))
    else:
        reply = _valued(answer, schema)
    return replace(
        reply, thought=answer.thought, carried=answer.carried, finish=answer.finish, flaws=tuple(answer.flaws)
    )


def _valued(answer: Completion, schema: Mapping[str, Any]) -> Reply:
    """A completion as a reply with a value of a schema. What makes it unusable stands in its detail."""
    try:
        value = _value(answer.text)
    except (ValueError, RecursionError) as error:
        return Reply("malformed", text=answer.text, detail=_why(answer, str(error)))
    try:
        misfits = errors(value, _validator(json.dumps(schema, default=dict)))
    except (TooManySteps, PatternError, RecursionError) as error:
        return Reply("malformed", text=answer.text, detail=str(error))
    if misfits:
        wrong = misfits[0]
        where = ".".join(map(str, wrong.absolute_path)) or "the answer"
        return Reply("malformed", text=answer.text, detail=f"{where}: {wrong.message[:300]}")
    return Reply("ok", text=answer.text, value=value)


def _cut(answer: Completion) -> str:
    """How an answer was cut off, in a few words; empty if it was not."""
    return f"cut off at max_tokens after {answer.output_tokens:,} tokens" if "cut_off" in answer.flaws else ""


def _why(answer: Completion, wrong: str) -> str:
    """Why an answer is no JSON: what cut it off, or that there was none, says more than what is wrong with its form."""
    if was_cut := _cut(answer):
        rest = "" if answer.text.strip() else ", all of them thought" if answer.thought else ", with no words"
        return f"{was_cut}{rest}" + (f": {answer.text[:120]!r}" if answer.text.strip() else "")
    if not answer.text.strip():
        if answer.calls:
            return "it called a tool where an answer in JSON was asked for"
        return "it said nothing after its thought" if answer.thought else "it said nothing"
    return f"{wrong}: {answer.text[:120]!r}"


def _value(text: str) -> Any:
    """The JSON in a text: all of it, or the one object that stands in prose.

    Raises:
        ValueError: there is none, or there are several that differ.
    """
    try:
        return json.loads(unfenced(text), parse_constant=no_constant)
    except (ValueError, RecursionError):
        found = list(_objects(text))
    if not found:
        raise ValueError("not JSON")
    if len({json.dumps(one, sort_keys=True) for one in found}) > 1:
        raise ValueError(f"it holds {len(found)} different JSON objects where one was asked for")
    return found[0]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects that stand in a text one after another.

    Raises:
        ValueError: an object begins that is not whole; what is left of it must not be taken for the answer.
    """
    decoder, at = json.JSONDecoder(parse_constant=no_constant), 0
    for _ in range(MOST):
        at = text.find("{", at)
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            if re.match(r"\{\s*[\"'}]", text[at : at + 20]):
                raise ValueError("not JSON") from None
            at += 1  # a brace in prose
            continue
        if value:
            yield value
        at = end
    raise ValueError("not JSON")


@lru_cache(maxsize=1000)
def _validator(schema: str) -> Any:
    return validator(json.loads(schema))


def unfenced(text: str) -> str:
    """JSON without the code fence that some models put around it."""
    inner = text.strip()
    found = FENCED.match(inner)
    return found[1].strip() if found else inner
