"""Routes: offered tools that can bring about what a risk's check watches, and that the check does not see.

A check that names a tool watches what that tool declares to change, to read, or to send where it asks for a recipient. A
check that asks for a place of the world watches that place, and sees every tool that changes it at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from riskbox.sandbox.contracts.condition import Condition, Mention, compiled
from riskbox.sandbox.contracts.effects import WorldPlace
from riskbox.sandbox.contracts.questions import names
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.scenario import Risk
from riskbox.sandbox.words.toolspec import ANY, Place, ToolSpec

Kind: TypeAlias = Literal["changes", "reads", "sends", "later"]

NAMING = ("did", "tried", "count", "total", "calls", "before")
"""Functions that name a tool."""
PLACING = ("changed", "ever", "value")
"""Functions that look at a place of the world."""


@dataclass(frozen=True, slots=True)
class Watched:
    """An effect that a check watches."""

    kind: Kind
    """What sort of effect. `later`: only what the world does not show can escape the check."""
    toolset: str
    """The toolset whose place it is; empty for sending to somebody, which any toolset may do."""
    place: Place
    """The place; of sending, the table that the call writes."""


def unwatched(case: Case, risk: Risk) -> Iterator[str]:
    """What a risk's check does not see, as sentences.

    Args:
        case: Where the risk is asked.
        risk: The risk.
    """
    if risk.check is None:
        return
    condition = compiled(risk.check)
    seen = _seen(case, condition)
    yield from _one_spelling(case, condition)
    watched = list(dict.fromkeys(_watched(case, condition)))
    routes: dict[str, list[str]] = {}
    for tool in case.tools:
        met = next((told for one in watched if (told := _route(case, tool, one))), "")
        if met and tool.name not in seen:
            routes.setdefault(met, []).append(tool.name)
    for told, tools in routes.items():
        yield f"{', '.join(tools)} can also {told}"


def undeclared(case: Case, risk: Risk) -> dict[str, set[str]]:
    """By toolset, the tools of which nobody knows whether they do what a tool does that a risk's check names.

    Neither declares its effects, as tools without code never do.
    """
    if risk.check is None:
        return {}
    condition = compiled(risk.check)
    named = (one for one in condition.mentions if one.function.name in NAMING and not one.negated)
    toolsets = {
        tool.name.partition(".")[0]: tool.acts
        for one in named
        for tool in _tools(case, one)
        if tool.effects is None
    }
    found: dict[str, set[str]] = {}
    for tool in case.tools:
        toolset = tool.name.partition(".")[0]
        acts = toolsets.get(toolset)
        if (
            acts is None
            or tool.effects is not None
            or tool.name in _seen(case, condition)
            or tool.acts != acts
        ):
            continue
        found.setdefault(toolset, set()).add(tool.name)
    return found


def _seen(case: Case, condition: Condition) -> set[str]:
    """The offered tools that a check names, other than to ask that they were not called."""
    return {one.name for one in case.tools if any(names(text, one.name) for text in condition.strings)}


def _watched(case: Case, condition: Condition) -> Iterator[Watched]:
    for mention in condition.mentions:
        if mention.function.name in PLACING and (not mention.negated or mention.function.name == "value"):
            if mention.literals[0] is not None:
                place = WorldPlace.parse(mention.literals[0])
                yield Watched("later", place.toolset, place.declared())
        elif mention.function.name in NAMING and not mention.negated:
            for tool in _tools(case, mention):
                yield from _of_tool(case, tool, mention)


def _tools(case: Case, mention: Mention) -> Iterator[ToolSpec]:
    for tool in case.tools:
        if any(text is not None and names(text, tool.name) for text in mention.literals):
            yield tool


def _of_tool(case: Case, tool: ToolSpec, mention: Mention) -> Iterator[Watched]:
    """What a check watches that names a tool."""
    toolset = tool.name.partition(".")[0]
    tables = case.toolsets[toolset].tables
    if tool.effects is None:
        return
    if _asks_recipient(tool, mention):
        yield Watched("sends", "", Place(""))
    elif not tool.acts:
        kept = [one for place in tool.effects.named("reads") for one in _kept(case, toolset, place)]
        for place in kept or tool.effects.named("reads"):
            yield Watched("reads", toolset, place)
    else:
        changed = tool.effects.named("changes")
        changed = tuple(one for one in changed if not tables[one.table].journal) or changed
        for place in changed:
            sent = Watched("sends", toolset, Place(place.table))
            yield sent if tool.effects.sends else Watched("changes", toolset, place)


def _kept(case: Case, toolset: str, place: Place) -> list[Place]:
    """What is private or secret of a place that is read. The rest is told by many tools, so nobody watches it."""
    spec = case.toolsets[toolset].tables[place.table]
    return [Place(place.table, one) for one in (*spec.private, *spec.secret) if place.field in ("", one)]


def _asks_recipient(tool: ToolSpec, mention: Mention) -> bool:
    sends = tool.effects.named("sends") if tool.effects else ()
    return mention.function.name in ("did", "tried") and any(one.table in mention.keys for one in sends)


def _one_spelling(case: Case, condition: Condition) -> Iterator[str]:
    """Recipients that are asked for as arguments, which have other spellings, and copies beside them."""
    tools = [
        tool.name
        for mention in condition.mentions
        if not mention.negated
        for tool in _tools(case, mention)
        if _asks_recipient(tool, mention)
    ]
    if tools:
        yield (
            f"{', '.join(dict.fromkeys(tools))} can name the recipient in another spelling, or in another argument; the "
            "check does not see it. Use sent_to('...')."
        )


def _route(case: Case, tool: ToolSpec, watched: Watched) -> str:
    """How a tool brings about what is watched, and what to write instead; empty if it cannot."""
    if watched.toolset not in ("", tool.name.partition(".")[0]):
        return ""
    if tool.effects is None:
        can = watched.kind != "later" and (tool.acts or watched.kind == "reads")
        return "do it, since no effects are declared for it; name the tool." if can else ""
    match watched.kind:
        case "sends":
            tables = {one.table for one in tool.effects.named("changes")}
            is_way = watched.toolset == "" or watched.place.table in tables or tool.effects.disguises
            if not tool.effects.sends or not is_way:
                return ""
            return "send something; the check does not see it. Use sent_to('...') or name the tool."
        case "reads":
            met = _meeting(tool.effects.named("reads"), watched.place)
            return _told("read", watched, met) if met else ""
        case "changes":
            met = _meeting(tool.effects.named("changes"), watched.place)
            if met:
                return _told("change", watched, met)
    if watched.kind in ("changes", "later") and (met := _meeting(tool.effects.named("later"), watched.place)):
        where = f"{watched.toolset}.{met}"
        return (
            f"change {where} later, which the world does not show; the check does not see it. Name the tool."
        )
    return ""


def _meeting(declared: Iterable[Place], place: Place) -> Place | None:
    """Where a declared effect meets what is watched, as narrowly as either says; None if nowhere."""
    met = next((one for one in declared if one.meets(place)), None)
    return place if met is not None and met.covers(place) else met


def _told(verb: str, watched: Watched, met: Place) -> str:
    pointer = f"/{watched.toolset}/{met.table}"
    pointer += "" if met.field in ("", "+", "-") else f"/*/{met.field}"
    value = f"'{met.value}'" if isinstance(met.value, str) else json.dumps(met.value, default=str)
    hint = f"changed('{pointer}')" if met.value is ANY else f"ever('{pointer}', {value})"
    hint = f"read('{pointer}')" if verb == "read" else hint
    return f"{verb} {watched.toolset}.{met}; the check does not see it. Use {hint} or name the tool."
