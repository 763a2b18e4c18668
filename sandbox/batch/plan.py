"""What a run will play: scenarios to cases, cases with agents and seeds to specs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.loading.loader import Loaded
from riskbox.sandbox.loading.world import RESERVED, world_rows
from riskbox.sandbox.registry.casts import cast_code
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.case import Case, case_id, digest
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.scenario import Scenario
from riskbox.sandbox.words.secrets import stored_name


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to play; a field that is left empty lets all through."""

    personas: tuple[str, ...] = ()
    """Persona ids."""
    intents: tuple[str, ...] = ()
    """Intents: benign, careless, vulnerable, malicious."""
    variants: tuple[str, ...] = ()
    """`axis=name`, `name`, or `none` for scenarios without a variant."""
    domains: tuple[str, ...] = ()
    """Domains, such as healthcare."""
    families: tuple[str, ...] = ()
    """Names of families."""
    tags: tuple[str, ...] = ()
    """Tags, any of which fits."""

    def matches(self, scenario: Scenario, persona: str, variant: Mapping[str, str]) -> bool:
        """Whether a case fits."""
        named = {f"{axis}={name}" for axis, name in variant.items()} | set(variant.values()) or {"none"}
        return (
            (not self.personas or persona in self.personas)
            and (not self.intents or scenario.personas[persona].intent in self.intents)
            and (not self.variants or bool(named & set(self.variants)))
            and (not self.domains or scenario.domain in self.domains)
            and (not self.families or scenario.family in self.families)
            and (not self.tags or bool(set(scenario.tags) & set(self.tags)))
        )


def cases(
    loaded: Iterable[Loaded],
    wanted: CaseFilter = CaseFilter(),  # it is frozen
    toolbox: Toolbox | None = None,
) -> list[Case]:
    """The cases of scenarios that fit a filter: each axis varied alone, and whatever `cases:` lists.

    Args:
        loaded: The scenarios.
        wanted: Which of their cases.
        toolbox: Where toolsets come from; the built-in and installed ones by default.

    Raises:
        InputError: no case fits; the message lists what there is.
    """
    toolbox = toolbox or Toolbox()
    listed = list(loaded)
    found: list[Case] = []
    for one in listed:
        rows: dict[str, Any] = {}
        for persona, variant in _combinations(one.scenario):
            if wanted.matches(one.scenario, persona, variant):
                found.append(_case(one, persona, variant, toolbox, rows))
    if not found:
        raise InputError(f"No case matches. {_what_there_is(wanted, listed)}")
    return found


def _combinations(scenario: Scenario) -> Iterator[tuple[str, dict[str, str]]]:
    every = tuple(scenario.personas)
    alone = [{}, *({axis: name} for axis, names in scenario.variants.items() for name in names)]
    pairs: list[tuple[str, dict[str, str]]] = [
        (persona, dict(variant)) for variant in alone for persona in every
    ]
    for extra in scenario.cases:
        personas = (extra.persona,) if isinstance(extra.persona, str) else extra.persona or every
        pairs.extend((persona, dict(extra.variant)) for persona in personas)
    seen = set()
    for persona, variant in pairs:
        if (id := case_id("", persona, variant)) not in seen:
            seen.add(id)
            yield persona, variant


def _case(one: Loaded, persona: str, variant: dict[str, str], toolbox: Toolbox, rows: dict[str, Any]) -> Case:
    scenario = one.under(variant)
    used = dict.fromkeys([name.partition(".")[0] for name in scenario.agent.tools])
    used.update(dict.fromkeys(name for name in scenario.world if name not in RESERVED))
    kinds = {name: toolbox.find(name, scenario) for name in used}
    world = {}
    for name, kind in kinds.items():
        # the personas of a scenario share its world; generating it again for each would be waste
        key = digest([name, scenario.world.get(name), scenario.world.get("clock")])
        if key not in rows:
            bases = kind.parse(world_rows(kind, scenario.world.get(name, {}), scenario, one.path.parent))
            rows[key] = {
                table: [row.model_dump(mode="json") for row in base.rows.values()]
                for table, base in bases.items()
            }
        world[name] = rows[key]
    specs = {name: kind.spec() for name, kind in kinds.items()}
    offered: dict[str, None] = {}
    for name in scenario.agent.tools:
        offered.update(dict.fromkeys([name] if "." in name else specs[name].tools))
    # overlays are applied by now; keeping them would make every case of a scenario look changed when one variant is
    resolved = scenario.model_copy(update={"variants": {}, "cases": ()})
    return Case.sealed(
        id=case_id(scenario.scenario, persona, variant),
        scenario=resolved,
        persona=persona,
        variant=variant,
        world=world,
        toolsets=specs,
        offered=tuple(offered),
        code={name: hashed for name in kinds if (hashed := toolbox.code(name, scenario))},
    )


def specs(
    cases: Sequence[Case],
    agents: Iterable[str],
    seeds: Iterable[int],
    user: str = "scripted",
    *,
    tools: str = "",
    emulation: Literal["neutral", "adversarial"] = "neutral",
    settings: Mapping[str, Any] | None = None,
) -> list[Spec]:
    """Every case with every agent and seed.

    `reference` stands for each of a case's references in turn, `reference:safe` and `reference:unsafe` for those that
    must end so; a case without one is left out. An episode that is asked for twice is planned once.

    Raises:
        InputError: an agent fits no case, or no model is named for a case's emulated tools.
    """
    _everyone_plays(cases, tools)
    found: list[Spec] = []
    listed_seeds = list(seeds)
    casts: dict[tuple[str, str], Cast] = {}  # shared by the specs, all of which a driver holds

    for agent in agents:
        code = cast_code(agent=agent, user=user)
        before = len(found)
        for case in cases:
            for one in _expanded(agent, case):
                emulated = tools if case.emulated else ""
                cast = casts.setdefault(
                    (one, emulated),
                    Cast(
                        agent=stored_name(one),
                        user=user,
                        tools=emulated,
                        emulation=emulation if emulated else "neutral",
                        settings=dict(settings or {}),
                        code=code,
                    ),
                )
                found.extend(Spec.of(case.hash, cast, seed) for seed in listed_seeds)
        if len(found) == before:
            raise InputError(f"None of the selected cases contains what the agent {agent!r} plays.")
    return list({spec.id: spec for spec in found}.values())


def asked_models(specs: Iterable[Spec], judges: Iterable[str] = ()) -> list[str]:
    """The language models that playing specs asks, each once, and those that judge."""
    casts = {(spec.cast.agent, spec.cast.user, spec.cast.tools) for spec in specs}
    asked = [model for cast in casts for name in cast if name for model in Name.parse(name).models]
    return sorted({*asked, *judges})


def _everyone_plays(cases: Sequence[Case], tools: str) -> None:
    missing = [case for case in cases if case.emulated] if not tools else []
    if missing:
        names = ", ".join(dict.fromkeys(name for case in missing for name in case.emulated))
        more = f" and {len(missing) - 1} other cases" if len(missing) > 1 else ""
        raise InputError(
            f"{missing[0].id}{more}: {names} must be played by a model. Name one with --tools-model MODEL (tools_model=)."
        )


def _expanded(agent: str, case: Case) -> list[str]:
    name = Name.parse(agent)
    if name.kind in ("reference", "silent", "cut") and name.target in ("", "safe", "unsafe"):
        scripts = name.kind != "reference"
        return [
            f"{name.kind}:{place}"
            for place, one in case.references
            if (not name.target or one.ends == name.target) and not (scripts and isinstance(one.agent, str))
        ]
    if name.place is not None and name.place not in dict(case.references):
        return []
    return [agent]


def _what_there_is(wanted: CaseFilter, loaded: Sequence[Loaded]) -> str:
    scenarios = [one.scenario for one in loaded]
    known: dict[str, tuple[tuple[str, ...], set[str]]] = {
        "persona": (wanted.personas, {name for one in scenarios for name in one.personas}),
        "intent": (wanted.intents, {p.intent for one in scenarios for p in one.personas.values()}),
        "variant": (
            wanted.variants,
            {"none"} | {n for one in scenarios for names in one.variants.values() for n in names},
        ),
        "domain": (wanted.domains, {one.domain for one in scenarios}),
        "family": (wanted.families, {one.family for one in scenarios}),
        "tag": (wanted.tags, {tag for one in scenarios for tag in one.tags}),
    }
    for kind, (asked, there) in known.items():
        for name in asked:
            short = name.rpartition("=")[2]
            if short not in there:
                return f"No {kind} is called {name!r}. {did_you_mean(short, there, listed=30)}"
    return "Each filter matches some case, but no case matches all of them."
