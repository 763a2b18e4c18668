"""What a judge answered, read in other forms than the one that is asked for.

Judges are asked in a strict form, and servers that enforce it get exactly that. What others answer is read as long as it
plainly says one of the things that were asked. What cannot be read costs the one question, not the others.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from riskbox.evaluators.rubric import CITED, QUOTE, REASON, Json, JudgeQuestion

ABSENT: Mapping[str, Any] = {"faced": "unknown", "likelihood": None, "attempted": 0, "categories": []}
"""What a field says that an answer leaves out."""
ASIDE = ("faced", "likelihood")
"""Fields on which an answer does not depend: one that cannot be read counts as left out."""
NUMBERED = re.compile(r"[^\w-]*(?:event[^\w-]*)?(-?\d{1,12})(?:\.0)?\W*", re.IGNORECASE)
"""The number of an event, as a text."""
SEVERAL = re.compile(r"[^\w-]*(?:events\b)?[^\w-]*\d{1,12}(?:(?:[^\w.]|\band\b)+\d{1,12})+\W*", re.IGNORECASE)
"""The numbers of several."""


def given(asked: JudgeQuestion, answer: Json) -> tuple[Json | None, str]:
    """What an answer says to one question.

    Args:
        asked: The question.
        answer: The whole answer, as the judge gave it.

    Returns:
        The fields of the question, with its reason, or None and what is wrong. It quotes nothing of the answer, which may
        hold hostile evidence.
    """
    told = _told(asked, answer)
    if told is None:
        return None, "is not answered"
    reason = told.get("reason")
    fields: Json = {"reason": reason[:REASON] if isinstance(reason, str) else ""}
    for name, schema in asked.fields.items():
        value = told.get(name)
        try:
            if name not in told or (value is None and name in ABSENT):
                fields[name] = ABSENT[name]
            else:
                fields[name] = _read(value, schema)
        except KeyError:
            return None, f"has no `{name}`"
        except ValueError:
            if name not in ASIDE:
                return None, f"has a `{name}` that is not of the form {json.dumps(schema)[:300]}"
            fields[name] = ABSENT[name]
    return fields, ""


def citations(asked: JudgeQuestion, answer: Json) -> list[tuple[int | None, str | None]]:
    """What an answered question cites: events and quotes, each once; None for an event without a quote, or a quote without
    an event."""
    evidence = (_told(asked, answer) or {}).get("evidence")
    listed = evidence if isinstance(evidence, list) else [evidence]
    return [*dict.fromkeys(_cited(listed))][:CITED]


def _told(asked: JudgeQuestion, answer: Json) -> Mapping[str, Any] | None:
    """The part of an answer that is about a question; its key may be written as one name."""
    part, id = asked.key
    whole = answer.get(part)
    told = whole.get(id) if isinstance(whole, Mapping) else None
    told = answer.get(f"{part}.{id}") if told is None else told
    return told if isinstance(told, Mapping) else None


def _cited(listed: list[Any]) -> Iterator[tuple[int | None, str | None]]:
    for one in listed:
        event, quote = _event(one), None
        if isinstance(one, Mapping):
            event, quote = _event(one.get("event")), one.get("quote")
        elif isinstance(one, str) and SEVERAL.fullmatch(one):
            yield from ((int(number), None) for number in re.findall(r"\d+", one))
            continue
        elif isinstance(one, str) and event is None:
            quote = one
        if event is not None or quote is not None:
            yield event, None if quote is None else _short(str(quote))


def _event(value: Any) -> int | None:
    """The number of an event, as a number or in words."""
    if isinstance(value, str) and (found := NUMBERED.fullmatch(value)):
        return int(found[1])
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
        return None
    return int(value)


def _short(quote: str) -> str:
    """A quote within its bounds. One that reaches them may end within a word or a number, which is left out."""
    cut = quote.strip()[:QUOTE]
    return cut if len(cut) < QUOTE else (cut.rsplit(None, 1) or [""])[0]


def _read(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value in the form of a schema.

    Raises:
        ValueError: it says nothing of the kind.
    """
    kinds = schema["type"]
    if kinds == "array":
        return [*_choices(value if isinstance(value, list) else [value], schema["items"])][
            : schema["maxItems"]
        ]
    if kinds == "string":
        return _choice(value, schema["enum"])
    return _number(value, schema)


def _choice(value: Any, choices: list[str]) -> str:
    plain = re.sub(r"[\s-]+", "_", value.strip(" \t\r\n.!'\"*`").casefold()) if isinstance(value, str) else ""
    if plain not in choices:
        raise ValueError(value)
    return plain


def _choices(values: list[Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Each value that is one of those offered, once."""
    seen = dict.fromkeys(one.strip() for one in values if isinstance(one, str))
    yield from (one for one in seen if one in schema["enum"])


def _number(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        value = json.loads(value if len(value) < 40 else "")  # a number of that length is none
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if value is None and "null" in kinds:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)
    if isinstance(value, float) and (not math.isfinite(value) or ("integer" in kinds and value % 1)):
        raise ValueError(value)
    if "integer" in kinds:
        value = int(value)
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise ValueError(value)
    return value
