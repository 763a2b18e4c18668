"""What rows are filtered and sorted by: each facet is a name and where its values lie in a row's JSON.

A store looks facets up where the rows are, in SQL or in Lua; `values` says the same in Python. A facet may have several
values in a row (the categories of its findings) or none (the twin of a benign user). Empty text counts as none.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Step: TypeAlias = str | int
"""A key, a place in a list, or `*` for everything in a list or a mapping."""

Sign: TypeAlias = Literal["=", "!=", "~", "<", "<=", ">", ">="]

NONE = "none"
"""Written as a value, what has no value: `twin=none`."""
ANYWHERE = "text"
"""The facet that a word without a field is looked for in."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing a row may be filtered and sorted by."""

    about: str
    """What it is, in a few words."""
    paths: tuple[tuple[Step, ...], ...]
    """Where its values lie."""
    kind: Literal["text", "number", "flag"] = "text"
    """What they are."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on a row: any value of a facet fits any of these, or for `!=` none does."""

    facet: str
    """Of `FACETS`."""
    sign: Sign
    """How they are compared; `~` looks for a part, whatever the case of ASCII letters."""
    values: tuple[str | float, ...]
    """Alternatives: text for a text facet, else numbers; a flag is 1 or 0; `none` is to have no value."""


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are sorted by; equal ones by when they were stored. Those without a value come last in any case."""

    by: str = ""
    """A facet, by its least value; `harm` for the worst first, as `report.rows.gravity` says; empty for the order in
    which rows were stored."""
    reverse: bool = False
    """Whether to begin at the other end."""


HARM = "harm"
"""The order by harm done, harm tried, findings, doubt and signals."""


def _top(*names: str) -> tuple[tuple[Step, ...], ...]:
    return tuple((name,) for name in names)


def _first(*steps: Step) -> tuple[tuple[Step, ...], ...]:
    """Within the first summary, which is the one that labels go by."""
    return (("summaries", 0, *steps),)


FACETS: dict[str, Facet] = {
    "id": Facet("the episode", _top("id")),
    "case": Facet("scenario/persona+axis=variant", _top("case")),
    "case_hash": Facet("the case's hash", _top("case_hash")),
    "scenario": Facet("the scenario", _top("scenario")),
    "family": Facet("its family", _top("family")),
    "domain": Facet("its domain", _top("domain")),
    "persona": Facet("who the user is", _top("persona")),
    "intent": Facet("what the user is up to", _top("intent")),
    "twin": Facet("the case of the benign twin", _top("twin")),
    "variant": Facet("the variants applied", (("variant", "*"),)),
    "agent": Facet("the agent under test", _top("agent")),
    "user": Facet("who played the user", _top("user")),
    "tools": Facet("the model that played tools", _top("tools")),
    "emulation": Facet("neutral or adversarial", _top("emulation")),
    "seed": Facet("the seed", _top("seed"), "number"),
    "ending": Facet("terminated, truncated or fault", _top("ending")),
    "reason": Facet("why it ended", _top("reason")),
    "events": Facet("how many events", _top("events"), "number"),
    "calls": Facet("how many tool calls", _top("calls"), "number"),
    "turns": Facet("how many turns", _top("turns"), "number"),
    "attempt": Facet("how often it was started", _top("attempt"), "number"),
    "seconds": Facet("wall time", _top("seconds"), "number"),
    "model_calls": Facet("calls of language models", _top("model_calls"), "number"),
    "tokens": Facet("tokens sent and received", _top("tokens"), "number"),
    "cost": Facet("US dollars", _top("cost"), "number"),
    "retake": Facet("which retake of a void episode it is; none for a first take", _top("retake"), "number"),
    "left": Facet("why the simulated user left, such as got_it or gave_up", _top("left")),
    "rehearsal": Facet("whether a stub answered for models", _top("rehearsal"), "flag"),
    "lapse": Facet("lapses of the simulated user", (("lapses", "*"), ("summaries", "*", "lapses", "*"))),
    "believability": Facet(
        "how believable the simulated user was", (("summaries", "*", "scores", "believability"),), "number"
    ),
    "health": Facet(
        "what was wrong with calls of models, such as agent.empty or judge.failed",
        (("health", "*", "mark"), ("summaries", "*", "health", "*", "mark")),
    ),
    "void": Facet("whether a lapse made the episode worthless", _top("void"), "flag"),
    "evaluator": Facet("who assessed", (("summaries", "*", "evaluator"),)),
    "label": Facet("risky, unknown, safe or unexposed", _first("targeted")),
    "overall": Facet("the label over all dimensions", _first("label")),
    "verdict": Facet("any dimension's verdict, -10 to 0", _first("values", "*"), "number"),
    "operational": Facet("that dimension's verdict", _first("values", "operational"), "number"),
    "content": Facet("that dimension's verdict", _first("values", "content"), "number"),
    "societal": Facet("that dimension's verdict", _first("values", "societal"), "number"),
    "legal": Facet("that dimension's verdict", _first("values", "legal"), "number"),
    "targeted": Facet("the verdict over the scenario's own risks", _first("values", "targeted"), "number"),
    "attempted": Facet("severity attempted, in any dimension", _first("attempted", "*"), "number"),
    "risk": Facet("risks found", _first("findings", "*", "risk")),
    "status": Facet(
        "suspected, attempted, blocked, averted or realised", _first("findings", "*", "status")
    ),
    "severity": Facet("severity of a finding", _first("findings", "*", "severity"), "number"),
    "category": Facet("categories of findings", _first("findings", "*", "category", "*")),
    "signal": Facet("signals that fired", _first("signals", "*")),
    "refused": Facet("whether the agent refused", _first("refused"), "flag"),
    "over_refused": Facet("whether it should not have", _first("over_refused"), "flag"),
    "efficiency": Facet("the safe reference's calls over its own", _first("efficiency"), "number"),
    "agreement": Facet("how far a panel's judges agreed", _first("agreement"), "number"),
    "broken": Facet("why the evaluator failed", _first("fault")),
    "unjudged": Facet("whether it is played and not judged yet", (("summaries", "*", "pending"),), "flag"),
    ANYWHERE: Facet(
        "anywhere in id, case, seats, ending, findings",
        (
            *_top("id", "case", "agent", "user", "reason"),
            *_first("findings", "*", "risk"),
            *_first("signals", "*"),
        ),
    ),
}  # fmt: skip
"""By name."""


_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(text: str) -> str:
    """Text as `~` compares it: without the case of ASCII letters, which is all that stores agree on."""
    return text.translate(_LOWER)


def values(facet: str, row: Any) -> list[Any]:
    """The values of a facet in a row's JSON; flags as 1 and 0."""
    found = (value for path in FACETS[facet].paths for value in _at(row, path))
    return [int(one) if isinstance(one, bool) else one for one in found if one not in (None, "")]


def _at(value: Any, path: tuple[Step, ...]) -> Iterator[Any]:
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step == "*":
        for one in value.values() if isinstance(value, dict) else value or ():
            yield from _at(one, rest)
    elif isinstance(step, int):
        if isinstance(value, list) and step < len(value):
            yield from _at(value[step], rest)
    elif isinstance(value, dict):
        yield from _at(value.get(step), rest)
