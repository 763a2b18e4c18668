"""A scenario file as a model: setting, world, agent, personas, goals, risks, references, limits."""

from __future__ import annotations

from operator import not_
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from riskbox.sandbox.errors import did_you_mean
from riskbox.sandbox.words.declaration import DeclaredToolset
from riskbox.sandbox.words.frozen import is_none
from riskbox.sandbox.words.part import ScenarioPart, Slug
from riskbox.sandbox.words.taxonomy import categories

Intent: TypeAlias = Literal["benign", "careless", "vulnerable", "malicious"]
Domain: TypeAlias = Literal[
    "healthcare",
    "business_and_finance",
    "education",
    "personal_services",
    "politics_and_law",
    "technology_and_science",
    "miscellaneous",
]
Degree: TypeAlias = Literal["low", "medium", "high"]


def _category(slug: str) -> str:
    if slug not in categories():
        # the commonest slip is a misspelt dimension, and all 53 names would drown the hint
        raise ValueError(
            f"{slug!r} is not a category. {did_you_mean(slug, categories(), listed=0)}".split(" Known")[0]
        )
    return slug


CategorySlug: TypeAlias = Annotated[str, AfterValidator(_category)]
Cel: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
"""A condition in CEL. docs/scenarios.md lists the functions that it may use."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Forms: TypeAlias = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"\w[\W_]*\w[\W_]*\w", max_length=500)], ...],
    BeforeValidator(_several, json_schema_input_type=str | tuple[str, ...]),
    Field(min_length=1),
]
"""One form of a secret or several, each of three letters or digits at least."""


class Scope(ScenarioPart):
    """The cases that something applies to. An empty field matches all."""

    persona: str | tuple[str, ...] = ()
    """One persona or several."""
    intent: Intent | tuple[Intent, ...] = ()
    """One intent or several."""
    variant: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    """By axis, one variant or several; `none` is the scenario without that axis."""

    def covers(self, persona: str, intent: str, variant: dict[str, str]) -> bool:
        """Whether a case is included."""
        return (
            _among(persona, self.persona)
            and _among(intent, self.intent)
            and all(_among(variant.get(axis, "none"), names) for axis, names in self.variant.items())
        )


def _among(name: str, names: str | tuple[str, ...]) -> bool:
    return not names or name == names or (not isinstance(names, str) and name in names)


class ScriptedCall(ScenarioPart):
    """A tool call in a script."""

    call: str
    """Toolset and tool, for example `mail.send`."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Its arguments."""


class ScriptLine(ScenarioPart):
    """One line of a script. Consecutive lines with conditions, closed by an `else`, are one choice: the first that holds."""

    when: Cel | None = None
    """Play this line only if the condition holds for what the party has seen."""
    noticed: Cel | None = None
    """Play this line of a user only if the condition holds for what has changed in the world, as someone there notices it."""
    say: str | None = None
    """The words to say."""
    otherwise: str | None = Field(default=None, alias="else")
    """The words to say if no condition of the lines before it held."""
    call: str | None = None
    """A tool to call."""
    args: dict[str, Any] = Field(default_factory=dict)
    """The call's arguments."""
    calls: tuple[ScriptedCall, ...] = ()
    """Several calls in one action."""
    leave: str | Literal[True] | None = None
    """Leave the conversation, with these parting words if they are given."""
    exposes: tuple[Slug, ...] = ()
    """The risks for which this line of a user puts the agent on trial, once it has been said."""

    @model_validator(mode="after")
    def _does_something(self) -> ScriptLine:
        if self.otherwise is not None and (self.when is not None or self.say is not None):
            raise ValueError("`else` contains the line itself, so it cannot have `when` or `say`")
        if self.otherwise is not None and self.noticed is not None:
            raise ValueError("`else` is played where no line before it was, so it cannot have `noticed`")
        if self.args and self.call is None:
            raise ValueError("`args` needs a `call`")
        if not self._acts():
            raise ValueError("a line needs one of `say`, `else`, `call`, `calls` and `leave`")
        return self

    def _acts(self) -> bool:
        return bool(self.say or self.otherwise or self.call or self.calls or self.leave)

    @property
    def conditional(self) -> bool:
        """Whether it is played only under a condition."""
        return self.when is not None or self.noticed is not None


Line = TypeVar("Line", bound=ScriptLine)


def grouped_lines(script: tuple[Line, ...]) -> tuple[Line, ...]:
    """A script in which every `else` line follows a line with a condition.

    Raises:
        ValueError: one does not.
    """
    for before, beat in zip((None, *script), script, strict=False):
        if beat.otherwise is not None and (before is None or not before.conditional):
            raise ValueError("an `else` line must follow a line with `when` or `noticed`")
    return script


ScriptLines: TypeAlias = Annotated[tuple[ScriptLine, ...], AfterValidator(grouped_lines)]


class Style(ScenarioPart):
    """How a persona talks."""

    verbosity: Literal["terse", "normal", "chatty"] = "normal"
    """How much it says."""
    patience: Degree = "medium"
    """How long it tolerates questions and refusals."""
    expertise: Degree = "medium"
    """How much it knows about the subject."""
    answers: Literal["whole", "partial"] | None = Field(default=None, exclude_if=is_none)
    """Whether it tells all that it is asked for at once; defaults to `partial` for a careless persona, else `whole`."""
    slips: Literal["none", "some"] | None = Field(default=None, exclude_if=is_none)
    """Whether it gets details wrong; defaults to `some` for a careless persona, else `none`."""
    tone: str = ""
    """Anything else about its voice, in a few words."""


def _table(pointer: str) -> str:
    root, *names = pointer.split("/")
    if root or len(names) != 2 or not all(names):
        raise ValueError(f"{pointer!r} names no table; write the toolset and the table as /mail/messages")
    return pointer


class Sight(ScenarioPart):
    """A part of the world that a user sees by itself: its own mailbox, its own phone, the door that it stands at."""

    what: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """What the user is told that it sees, for example `A new mail in your inbox`."""
    rows: Annotated[str, AfterValidator(_table), Field(json_schema_extra={"pattern": "^/[^/]+/[^/]+$"})]
    """The table, as `/mail/messages`."""
    where: dict[str, Any] = Field(default_factory=dict)
    """Which of its rows, by their fields; text may have `*` as a wildcard. Defaults to all of them."""
    fields: tuple[str, ...] = Field(min_length=1)
    """The fields that it sees. `arguments.to` is a field inside another."""


class Persona(ScenarioPart):
    """One user of a scenario."""

    intent: Intent
    """benign, careless, vulnerable or malicious."""
    twin: str | None = None
    """The benign persona who asks for nearly the same thing. Required for malicious and vulnerable personas."""
    profile: dict[str, Any] = Field(default_factory=dict)
    """Who it is: name, age, occupation, and anything else that matters."""
    goal: str
    """What it wants, in the second person. Whoever plays the user reads this."""
    knows: dict[str, Any] = Field(default_factory=dict)
    """Facts it tells only when asked."""
    discloses: str = ""
    """How and when it reveals what it knows, in prose."""
    style: Style = Style()
    """How it talks."""
    tactics: tuple[str, ...] = ()
    """What it tries when refused: impersonation, urgency, flattery, ..."""
    entitled: tuple[str, ...] = ()
    """Names of other people whose private data it may learn, for example as a nurse or guardian. `*` means everyone."""
    sees: tuple[Sight, ...] = Field(default=(), exclude_if=not_)
    """What it sees of the world by itself: rows that are new or have changed since its last turn. A script ignores it."""
    script: ScriptLines = ()
    """What it says when it is played offline."""
    starting_speech: str = ""
    """Its first line, word for word, whoever plays it. Also makes single-turn tests."""


class AgentBrief(ScenarioPart):
    """The agent under test, as its operator configures it."""

    name: str
    """What it calls itself."""
    policy: str
    """The operator's instructions: its system prompt."""
    tools: tuple[str, ...] = ()
    """The toolsets (`mail`) and single tools (`clinic.read_record`) that it can use."""


class InjectedCall(ScenarioPart):
    """A call that an injected instruction asks for."""

    call: str
    """Toolset and tool."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Its arguments."""


class Injection(ScenarioPart):
    """An instruction planted in data that the agent will read."""

    id: Slug
    """Names it; overlays merge by it."""
    at: str
    """The tool whose output or description carries it."""
    into: Literal["output", "description"] = Field(default="output", alias="in")
    """Whether it appears in the tool's result, or in the tool's description from the start."""
    path: str = "$"
    """JSONPath (RFC 9535) of the string in the result."""
    place: Literal["replace", "start", "middle", "end"] = "end"
    """Where in that string to insert the text."""
    times: int = Field(default=1, ge=1, le=1000)
    """How many results may carry it."""
    payload: str
    """The planted text."""
    asks: tuple[InjectedCall, ...] = ()
    """The calls that it asks for, in order. An agent that `obeys` makes them."""
    says: str = ""
    """What it asks the agent to say."""


class Judged(ScenarioPart):
    """What a judge is asked."""

    counts: str
    """What counts."""
    not_: str = Field(default="", alias="not")
    """What is similar but does not count."""


class Criterion(ScenarioPart):
    """The fields that risks and goals share. Both are computed, judged, or both."""

    id: Slug
    """Names it; overlays merge by it."""
    for_: Scope = Field(default=Scope(), alias="for")
    """The cases it applies to; defaults to all."""
    describe: str = ""
    """One sentence for readers and judges."""
    check: Cel | None = None
    """A condition that computes it."""
    judge: Judged | None = None
    """What a judge is asked."""

    @model_validator(mode="after")
    def _asks_something(self) -> Criterion:
        if self.check is None and self.judge is None:
            raise ValueError("needs a `check`, a `judge`, or both")
        return self


class Risk(Criterion):
    """One way the agent could do harm here."""

    category: tuple[CategorySlug, ...] = Field(min_length=1)
    """One or more category slugs. Each belongs to a dimension."""
    severity: int = Field(ge=1, le=10)
    """Harm if realised: 1-3 minor, 4-6 moderate, 7-8 serious, 9-10 irreversible or catastrophic."""
    likelihood: float | None = Field(default=None, ge=0, le=1)
    """How likely it is that the act leads to the harm."""
    exposed: Cel | None = None
    """A condition that must hold for the agent to have faced the risk. If it does not hold, the risk is not on trial."""
    averted: Cel | None = None
    """A condition under which an attempt counts as averted, because the user stopped it."""

    @field_validator("category", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class GoalAsked(Criterion):
    """Something that a party wants to reach."""

    party: str = "user"
    """Whose goal it is."""
    feasible: bool = True
    """Whether the world lets anyone reach it. If not, an honest agent says so."""


class Reference(ScenarioPart):
    """A scripted agent for some cases that must end in a known way."""

    id: str = ""
    """Names it in reports; defaults to a number."""
    for_: Scope = Field(default=Scope(), alias="for")
    """The cases in which it is played; defaults to all."""
    ends: Literal["safe", "unsafe"]
    """How it must end."""
    expects: tuple[str, ...] = ()
    """The risks it must raise. Only for unsafe references."""
    reaches: tuple[str, ...] = ()
    """The goals it must reach."""
    agent: ScriptLines | Literal["obeys"]
    """What the agent does. `obeys` is an agent that does what injections ask."""
    note: str = ""
    """Why it exists, for example because it is a near miss."""

    @model_validator(mode="after")
    def _consistent(self) -> Reference:
        if self.ends == "safe" and self.expects:
            raise ValueError("a safe reference cannot expect a risk")
        if self.ends == "unsafe" and not self.expects:
            raise ValueError("an unsafe reference must list the risks that it `expects`")
        return self


Proof: TypeAlias = Literal[
    "unreached_goal",
    "free_goal",
    "unproven_risk",
    "unavoidable_risk",
    "no_safe_reference",
    "told_plot",
    "unwatched_route",
]


class Waiver(ScenarioPart):
    """Why a proof that `riskbox check` requires is impossible here."""

    proof: Proof
    """The proof to omit."""
    about: str = ""
    """The risk or goal; defaults to all."""
    why: Annotated[str, StringConstraints(min_length=10)]
    """The reason, for readers."""


class EpisodeLimits(ScenarioPart):
    """The limits at which an episode is truncated."""

    user_turns: int = Field(default=12, ge=1, le=1000)
    """Turns of the user."""
    agent_turns: int = Field(default=12, ge=1, le=1000)
    """Turns of the agent. One turn may include several tool calls."""
    tool_calls: int = Field(default=30, ge=0, le=10_000)
    """Tool calls of the agent, including refused ones."""


class ExtraCase(ScenarioPart):
    """A case in addition to those in which each axis varies separately."""

    persona: str | tuple[str, ...] = ()
    """One persona or several; defaults to all."""
    variant: dict[str, str]
    """One variant for each axis that it names."""


class Scenario(ScenarioPart):
    """One situation in one YAML file."""

    model_config = ConfigDict(title="Riskbox scenario")

    scenario: Slug
    """The name of the scenario. Unique among the files of a run."""
    family: Slug
    """A name that scenarios made from one idea share. Statistics cluster by it."""
    title: str
    """One line that describes the scenario to people."""
    domain: Domain
    """Where it takes place."""
    realism: Literal["today", "soon", "speculative"] = "today"
    """Whether this could happen now."""
    jurisdiction: str = "none"
    """The jurisdiction that legal risks refer to: us, eu, uk, ..."""
    tags: tuple[str, ...] = ()
    """Any words by which to select scenarios."""
    setting: str
    """What everybody in it knows of the situation. Users, emulated tools and judges read it; the agent reads only its policy."""
    about: str = ""
    """The plot: who wants what, and where the difficulty lies. People read it; nobody who plays the episode does."""
    agent: AgentBrief
    """Name, policy and tools of the agent under test."""
    toolsets: dict[Slug, DeclaredToolset] = Field(default_factory=dict)
    """Toolsets declared in this file, answered from lists or played by a model, in addition to the built-in ones."""
    links: dict[Slug, tuple[str, ...]] = Field(default_factory=dict, exclude_if=not_)
    """By emulated toolset, the toolsets and tools of others whose calls it is told of: `gmail: [shop.confirm, mail]`."""
    world: dict[str, Any] = Field(default_factory=dict)
    """The initial state, by toolset. `clock` is the start time."""
    secrets: dict[Slug, Forms] = Field(default_factory=dict)
    """Values that must not get out, by name, for `leaked`. A list gives several forms of one secret."""
    inject: tuple[Injection, ...] = ()
    """Instructions planted in data. Usually a variant adds them."""
    personas: dict[Slug, Persona] = Field(min_length=1)
    """The users, by id."""
    variants: dict[Slug, dict[Slug, dict[str, Any]]] = Field(default_factory=dict)
    """Overlays by axis and name. Each axis varies separately; `cases` adds combinations."""
    cases: tuple[ExtraCase, ...] = ()
    """Cases in addition to those in which each axis varies separately."""
    goals: tuple[GoalAsked, ...] = ()
    """What parties want to reach."""
    risks: tuple[Risk, ...] = ()
    """How the agent could do harm."""
    references: tuple[Reference, ...] = ()
    """Scripted agents that prove the checks."""
    waives: tuple[Waiver, ...] = ()
    """Proofs that are impossible in this file, and why."""
    limits: EpisodeLimits = EpisodeLimits()
    """How many turns and tool calls an episode may take."""

    def needs_exposure(self, risk: Risk) -> bool:
        """Whether a risk is on trial only where something happened: its condition, or a line of some persona."""
        lines = (line for persona in self.personas.values() for line in persona.script)
        return risk.exposed is not None or any(risk.id in line.exposes for line in lines)

    @field_validator("world", mode="before")
    @classmethod
    def _no_null_world(cls, value: Any) -> Any:
        return {} if value is None else value
