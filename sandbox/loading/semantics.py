"""What a schema cannot say about a scenario: names that must exist, conditions that must compile, rows that must fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from riskbox.sandbox import budget
from riskbox.sandbox.contracts.condition import Condition, ConditionError, compiled
from riskbox.sandbox.contracts.functions import NOTICEABLE
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.errors import InputError, ScenarioError, did_you_mean
from riskbox.sandbox.loading.world import RESERVED, over_budget, world_rows
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.alternative import Alternative
from riskbox.sandbox.words.case import started
from riskbox.sandbox.words.scenario import Criterion, Reference, Scenario, Scope, ScriptLine, Sight

Loc: TypeAlias = tuple[str | int, ...]
Found: TypeAlias = tuple[Loc, str]

SIGNALS = (
    "unknown_tool",
    "missing_argument",
    "invented_argument",
    "unconfirmed_destruction",
    "private_to_another",
    "secret_in_argument",
    "repeated_failure",
    "repeated_call",
    "claimed_after_failure",
    "claimed_without_effect",
)
"""The built-in signals; evaluators/signals.py computes them."""


def wrong(
    scenario: Scenario, variants: Mapping[tuple[str, str], Scenario], toolbox: Toolbox, folder: Path
) -> Iterator[Found]:
    """Everything wrong with a scenario that its schema lets pass."""
    worlds = [under for (axis, name), under in variants.items() if "world" in scenario.variants[axis][name]]
    if over := [(("world",), said) for said in over_budget((scenario, *worlds), _cases(scenario), folder)]:
        yield from over
        return
    names = _Names(scenario, variants, toolbox)
    yield from names.problems
    yield from _people(scenario)
    yield from _parts(scenario, names)
    yield from _links(scenario, names)
    yield from _references(scenario, names)
    yield from _world(scenario, names, folder, ())
    for (axis, name), under in variants.items():
        overlay = scenario.variants[axis][name]
        place: Loc = ("variants", axis, name)
        if name == "none":
            yield place, "`none` is the scenario without the axis; choose another name."
        if "world" in overlay:
            yield from _world(under, names, folder, place)
        # a variant's own text is checked where it differs; what it shares was checked above
        if {"risks", "goals"} & set(overlay):
            yield from (((*place, *at), said) for at, said in _parts(under, names))
        if "inject" in overlay or "inject" not in scenario.model_fields_set:
            yield from (((*place, *at), said) for at, said in _injections(under, names))
    yield from _injections(scenario, names)
    for index, extra in enumerate(scenario.cases):
        yield from _scope(
            Scope(persona=extra.persona, variant=dict(extra.variant)), names, ("cases", index), none=False
        )


def _cases(scenario: Scenario) -> int:
    """How many cases a scenario has, those that `cases` lists twice counted twice."""
    people = len(scenario.personas)
    listed = (1 if isinstance(one.persona, str) else len(one.persona) or people for one in scenario.cases)
    return people * (1 + sum(map(len, scenario.variants.values()))) + sum(listed)


def too_many_cases(scenario: Scenario) -> Iterator[Found]:
    """What is wrong with the number of a scenario's cases."""
    if (count := _cases(scenario)) > budget.CASES:
        yield (
            ("variants" if scenario.variants else "personas",),
            f"makes {count:,} cases (personas times variants, and `cases`), and the limit is {budget.CASES:,}; "
            "split it over several files.",
        )


def wrong_alternatives(
    alternatives: Sequence[Alternative],
    scenario: Scenario,
    variants: Mapping[tuple[str, str], Scenario],
    toolbox: Toolbox,
) -> Iterator[Found]:
    """Everything wrong with the alternatives of a scenario that their schema lets pass."""
    names = _Names(scenario, variants, toolbox)
    seen: set[str] = set()
    for index, one in enumerate(alternatives):
        at: Loc = ("alternatives", index)
        if one.id in seen:
            yield (*at, "id"), f"the id {one.id!r} is taken by an earlier one."
        seen.add(one.id)
        scope = Scope(persona=one.for_.persona, variant=dict(one.for_.variant))
        yield from _scope(scope, names, (*at, "for"), none=False)
        yield from _script(one.agent, names, (*at, "agent"))
        for place, line in enumerate(one.agent):
            for call, arguments, where in _calls(line, (*at, "agent", place)):
                if "." in call and call.partition(".")[0] not in names.toolsets:
                    yield from names.tool(call, where)
                for key in arguments:
                    yield from names.arguments(call, [key], (*where[:-1], "args", key))


class _Names:
    """Every name a scenario may use."""

    def __init__(
        self, scenario: Scenario, variants: Mapping[tuple[str, str], Scenario], toolbox: Toolbox
    ) -> None:
        self.problems: list[Found] = []
        self.toolbox = toolbox
        self.personas = set(scenario.personas)
        self.variants = {axis: set(overlays) for axis, overlays in scenario.variants.items()}
        everywhere = (scenario, *variants.values())
        self.risks = {one.id for each in everywhere for one in each.risks}
        self.goals = {one.id for each in everywhere for one in each.goals}
        self.injections = {one.id for each in everywhere for one in each.inject}
        self.secrets = {name for each in everywhere for name in each.secrets}
        self.toolsets: dict[str, type[Toolset]] = {}
        self.offered: set[str] = set()
        self.doubtful: set[str] = set()
        """Toolsets of which something could not be offered."""
        for each, at in ((scenario, ("agent", "tools")),):
            self._offer(each, at)
        for (axis, name), each in variants.items():
            if each.agent.tools != scenario.agent.tools:
                self._offer(each, ("variants", axis, name, "agent", "tools"))
        for name in scenario.world:
            if name not in RESERVED:
                self._toolset(name, scenario, ("world", name))

    def _offer(self, scenario: Scenario, at: Loc) -> None:
        for index, name in enumerate(scenario.agent.tools):
            toolset = self._toolset(name.partition(".")[0], scenario, (*at, index))
            if toolset is None:
                self.doubtful.add(name.partition(".")[0])
                continue
            known = {f"{toolset.toolset_name()}.{short}" for short in toolset.tools()}
            if "." not in name:
                self.offered |= known
            elif name in known:
                self.offered.add(name)
            else:
                self.doubtful.add(toolset.toolset_name())
                self.problems.append(
                    ((*at, index), f"unknown tool {name!r}. {did_you_mean(name, known, listed=30)}")
                )

    def _toolset(self, name: str, scenario: Scenario, at: Loc) -> type[Toolset] | None:
        if name not in self.toolsets:
            try:
                self.toolsets[name] = self.toolbox.find(name, scenario)
            except InputError as error:
                self.problems.append((at, str(error)))
                return None
        return self.toolsets[name]

    def tool(self, name: str, at: Loc, *, pattern: bool = False) -> Iterator[Found]:
        """Problems with a tool's name; with `pattern`, a toolset's name or a wildcard will do."""
        toolset = name.partition(".")[0]
        if name in self.offered or self._spared(toolset):
            return
        if pattern and (name in self.toolsets or ("*" in name and toolset in self.toolsets)):
            return
        yield at, f"unknown tool {name!r}. {did_you_mean(name, self.offered, listed=30)}"

    def _spared(self, toolset: str) -> bool:
        """Whether nothing is said of a toolset's names, since a misspelt one in `agent.tools` may have meant it."""
        offered = {name.partition(".")[0] for name in self.offered} - self.doubtful
        return bool(self.doubtful) and toolset not in offered

    def arguments(self, tool: str, keys: Iterable[str], at: Loc) -> Iterator[Found]:
        """Problems with the names of a tool's arguments."""
        toolset, _, short = tool.partition(".")
        if toolset not in self.toolsets or short not in self.toolsets[toolset].tools():
            return
        known = self.toolsets[toolset].tools()[short].spec.parameters.get("properties", {})
        for key in keys:
            if key not in known:
                yield at, f"{tool} has no argument {key!r}. {did_you_mean(key, known)}"


def _people(scenario: Scenario) -> Iterator[Found]:
    for id, persona in scenario.personas.items():
        at: Loc = ("personas", id)
        if persona.intent in ("malicious", "vulnerable") and persona.twin is None:
            yield (
                at,
                f"a {persona.intent} persona must name its `twin`: someone who asks for nearly the same thing in good faith.",
            )
        if persona.twin is not None:
            if persona.twin not in scenario.personas:
                yield (
                    (*at, "twin"),
                    f"no persona {persona.twin!r}. {did_you_mean(persona.twin, scenario.personas)}",
                )
            elif scenario.personas[persona.twin].intent != "benign":
                yield (
                    (*at, "twin"),
                    f"the twin must be benign; {persona.twin!r} is {scenario.personas[persona.twin].intent}.",
                )


def _parts(scenario: Scenario, names: _Names) -> Iterator[Found]:
    lists: tuple[tuple[str, tuple[Criterion, ...]], ...] = (
        ("risks", scenario.risks),
        ("goals", scenario.goals),
    )
    for key, listed in lists:
        seen: set[str] = set()
        for index, one in enumerate(listed):
            at: Loc = (key, index)
            if one.id in seen:
                yield (*at, "id"), f"the id {one.id!r} is taken by an earlier one."
            seen.add(one.id)
            yield from _scope(one.for_, names, (*at, "for"))
            for name in ("check", "exposed", "averted"):
                text = getattr(one, name, None)
                if text is not None:
                    yield from _condition(text, names, (*at, name))
    for id, persona in scenario.personas.items():
        yield from _script(persona.script, names, ("personas", id, "script"))
        for place, sight in enumerate(persona.sees):
            yield from _sight(sight, names, ("personas", id, "sees", place))
    for index, waiver in enumerate(scenario.waives):
        known = names.risks | names.goals
        if waiver.about and waiver.about not in known:
            yield (
                ("waives", index, "about"),
                f"no risk or goal {waiver.about!r}. {did_you_mean(waiver.about, known)}",
            )


def _links(scenario: Scenario, names: _Names) -> Iterator[Found]:
    """Services that are told of others: both must be there, and code that answers by itself can be told nothing."""
    emulated = {name for name, kind in names.toolsets.items() if kind.spec().emulated}
    for service, tools in scenario.links.items():
        at: Loc = ("links", service)
        if service not in names.toolsets:
            yield at, f"no toolset {service!r}. {did_you_mean(service, names.toolsets)}"
        elif service not in emulated:
            yield (
                at,
                f"{service} is answered by code, which is told nothing. Only emulated toolsets have links.",
            )
        for place, tool in enumerate(tools):
            if tool.partition(".")[0] == service:
                yield (*at, place), f"{service} knows its own calls; name those of another toolset."
            else:
                yield from names.tool(tool, (*at, place), pattern=True)


def _references(scenario: Scenario, names: _Names) -> Iterator[Found]:
    for index, one in enumerate(scenario.references):
        at: Loc = ("references", index)
        yield from _scope(one.for_, names, (*at, "for"))
        yield from _named(one, names, at)
        if not isinstance(one.agent, str):
            yield from _script(one.agent, names, (*at, "agent"))


def _named(one: Reference, names: _Names, at: Loc) -> Iterator[Found]:
    for place, risk in enumerate(one.expects):
        if risk not in names.risks:
            yield (*at, "expects", place), f"no risk {risk!r}. {did_you_mean(risk, names.risks)}"
    for place, goal in enumerate(one.reaches):
        if goal not in names.goals:
            yield (*at, "reaches", place), f"no goal {goal!r}. {did_you_mean(goal, names.goals)}"


def _script(script: tuple[ScriptLine, ...], names: _Names, at: Loc) -> Iterator[Found]:
    for index, beat in enumerate(script):
        here: Loc = (*at, index)
        if beat.when is not None:
            yield from _condition(beat.when, names, (*here, "when"))
        if beat.noticed is not None:
            yield from _noticed(beat.noticed, names, (*here, "noticed"))
        if beat.exposes and at[0] != "personas":
            yield (
                (*here, "exposes"),
                "only the lines of a persona have `exposes`. Move it to one, or give the risk `exposed`.",
            )
        for place, risk in enumerate(beat.exposes):
            if risk not in names.risks:
                yield (*here, "exposes", place), f"no risk {risk!r}. {did_you_mean(risk, names.risks)}"
        # an unsafe reference may well call a tool that does not exist, but it must say a toolset's name right
        for call, _, at_call in _calls(beat, here):
            if "." not in call:
                yield at_call, f"{call!r} is not toolset.tool. {did_you_mean(call, names.offered)}"
            elif call.partition(".")[0] in names.toolsets:
                yield from names.tool(call, at_call)


def _sight(sight: Sight, names: _Names, at: Loc) -> Iterator[Found]:
    """Names that a sight gets wrong: its toolset, its table, its fields."""
    wrong = list(_pointed(sight.rows, names, (*at, "rows")))
    yield from wrong
    _, toolset, table = sight.rows.split("/")
    if wrong or toolset not in names.toolsets:
        return
    known = names.toolsets[toolset].row_types()[table].model_fields
    named: list[tuple[str, Loc]] = [(one, ("fields", place)) for place, one in enumerate(sight.fields)]
    named += [(one, ("where", one)) for one in sight.where]
    for field, place in named:
        outer, dot, _ = field.partition(".")
        if outer not in known:
            yield (*at, *place), f"{sight.rows} has no field {field!r}. {did_you_mean(field, known)}"
        elif dot and known[outer].annotation in (str, int, float, bool):
            yield (
                (*at, *place),
                f"{sight.rows}: {outer!r} holds a single value, so there is no {field!r} in it.",
            )


def _calls(beat: ScriptLine, at: Loc) -> Iterator[tuple[str, dict[str, Any], Loc]]:
    """The calls of a line: tool, arguments, and where it is named."""
    if beat.call is not None:
        yield beat.call, beat.args, (*at, "call")
    for place, one in enumerate(beat.calls):
        yield one.call, one.args, (*at, "calls", place, "call")


def _scope(scope: Scope, names: _Names, at: Loc, *, none: bool = True) -> Iterator[Found]:
    for name in (scope.persona,) if isinstance(scope.persona, str) else scope.persona:
        if name not in names.personas:
            yield (*at, "persona"), f"no persona {name!r}. {did_you_mean(name, names.personas)}"
    for axis, wanted in scope.variant.items():
        if axis not in names.variants:
            yield (*at, "variant", axis), f"no axis {axis!r}. {did_you_mean(axis, names.variants)}"
            continue
        for name in (wanted,) if isinstance(wanted, str) else wanted:
            if name not in names.variants[axis] and not (none and name == "none"):
                known = {*names.variants[axis], *(["none"] if none else [])}
                yield (*at, "variant", axis), f"no variant {name!r}. {did_you_mean(name, known)}"


def _injections(scenario: Scenario, names: _Names) -> Iterator[Found]:
    for index, one in enumerate(scenario.inject):
        at: Loc = ("inject", index)
        yield from names.tool(one.at, (*at, "at"))
        for place, ask in enumerate(one.asks):
            yield from names.tool(ask.call, (*at, "asks", place, "call"))
            yield from names.arguments(ask.call, ask.args, (*at, "asks", place, "args"))
        if one.into == "output" and one.path != "$":
            import jsonpath

            try:
                jsonpath.compile(one.path)
            except jsonpath.JSONPathError as error:
                yield (*at, "path"), f"{one.path!r} is not a JSONPath: {error}. Write for example $.notes."


def _condition(text: str, names: _Names, at: Loc) -> Iterator[Found]:
    try:
        condition = compiled(text)
    except ConditionError as error:
        yield at, str(error)
        return
    yield from _mentioned(condition, names, at)


def _noticed(text: str, names: _Names, at: Loc) -> Iterator[Found]:
    """What is wrong with a condition of what a user notices: only users notice, and only what changed in the world."""
    if at[0] != "personas":
        yield at, "only the lines of a persona have `noticed`. An agent sees its own calls: write `when`."
        return
    yield from _condition(text, names, at)
    for name in _foreign(text):
        yield (
            at,
            f"{name} asks for what nobody beside the agent notices. Ask for the world ({', '.join(NOTICEABLE)}), "
            "and for words in `when`.",
        )


def _foreign(text: str) -> list[str]:
    """Functions of a condition that do not ask for what somebody notices of the world."""
    try:
        mentions = compiled(text).mentions
    except ConditionError:
        return []  # told already
    return [
        one.function.signature
        for one in mentions
        if one.function.name not in NOTICEABLE or one.function.canary
    ]


def _mentioned(condition: Condition, names: _Names, at: Loc) -> Iterator[Found]:
    """Names given to a condition's functions, which CEL takes for mere strings."""
    for mention in condition.mentions:
        tool = ""
        for (_, role), literal in zip(mention.function.takes, mention.literals, strict=True):
            if literal is None:
                continue
            match role:
                case "tool":
                    tool = literal
                    yield from names.tool(literal, at, pattern=True)
                case "argument":
                    yield from names.arguments(tool, [literal], at)
                case "party" if literal not in ("user", "agent"):
                    yield at, f"no party {literal!r}. {did_you_mean(literal, ['user', 'agent'])}"
                case "injection" if literal not in names.injections:
                    yield at, f"no injection {literal!r}. {did_you_mean(literal, names.injections)}"
                case "secret" if literal not in names.secrets:
                    yield at, f"no secret {literal!r} under `secrets`. {did_you_mean(literal, names.secrets)}"
                case "signal" if literal not in SIGNALS:
                    yield at, f"no signal {literal!r}. {did_you_mean(literal, SIGNALS)}"
                case "date" if not _is_day(literal):
                    yield at, f"{literal!r} is not a day; write it 2026-04-14."
                case "pointer":
                    yield from _pointed(literal, names, at)
                case "recipient" if not literal.strip("! "):
                    yield (
                        at,
                        f"{literal!r} names nobody; write an address, `*@example.org`, or `!` and who is meant not.",
                    )
        if mention.keys:
            yield from names.arguments(tool, mention.keys, at)


def _pointed(pointer: str, names: _Names, at: Loc) -> Iterator[Found]:
    toolset, _, rest = pointer.strip("/").partition("/")
    table = rest.partition("/")[0]
    if toolset not in names.toolsets:
        if names.doubtful:
            return
        yield at, f"no toolset {toolset!r} in {pointer!r}. {did_you_mean(toolset, names.toolsets)}"
    elif table not in names.toolsets[toolset].row_types():
        known = names.toolsets[toolset].row_types()
        yield at, f"no table {table!r} in {pointer!r}. {did_you_mean(table, known)}"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _world(scenario: Scenario, names: _Names, folder: Path, where: Loc) -> Iterator[Found]:
    clock = scenario.world.get("clock")
    try:
        if clock is not None:
            datetime.fromisoformat(clock)
            started(scenario.world)
    except (ValueError, TypeError) as error:
        said = str(error) if "years" in str(error) else f"{clock!r} is not a time;"
        yield (*where, "world", "clock"), f'{said} write it "2026-03-02T09:00:00Z".'
        return
    for name in names.toolsets:
        given = scenario.world.get(name)
        if given is None:
            continue
        try:
            names.toolsets[name].parse(world_rows(names.toolsets[name], given, scenario, folder))
        except ScenarioError as error:
            for one in error.problems:
                yield (*where, "world", name, *_loc(one.path)), one.message


def _loc(path: str) -> Loc:
    """`patients[0].born` as a path of keys and places."""
    parts: list[str | int] = []
    for piece in path.replace("]", "").replace("[", ".#").split("."):
        if piece:
            parts.append(int(piece[1:]) if piece.startswith("#") else piece)
    return tuple(parts)
