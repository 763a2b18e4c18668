"""The columns of the tables that `riskbox.sandbox.export.frames` reads."""

from __future__ import annotations

from typing import TypedDict


class EpisodeFields(TypedDict):
    """One episode, with what one evaluator said of it: the first, unless another is named."""

    run: str
    """The run."""
    episode: str
    """The episode's id."""
    case: str
    """The case's id."""
    case_hash: str
    """A hash of all that the case resolves to."""
    scenario: str
    """The scenario."""
    family: str
    """The scenario's family."""
    domain: str
    """The scenario's domain."""
    persona: str
    """The persona."""
    intent: str
    """The user's intent."""
    twin: str | None
    """The twin's case."""
    variant: str
    """`axis=name`, several joined by `+`, or `none`."""
    agent: str
    """The agent."""
    user: str
    """Who played the user."""
    tools: str
    """The model that answered the tools; empty for code."""
    emulation: str
    """How such a model was told to answer."""
    seed: int
    """The seed."""
    ending: str
    """terminated, truncated or fault."""
    reason: str
    """Why, in a word or a sentence."""
    events: int
    """How many events."""
    calls: int
    """How many tool calls."""
    turns: int | None
    """How many turns."""
    retake: int
    """How many takes of it there were before, which were void."""
    attempt: int
    """Which attempt it was."""
    seconds: float
    """How long it took."""
    model_calls: int
    """How many calls of language models, judges included."""
    rehearsal: bool
    """Whether a stub answered them in a rehearsal: nothing of it is a result."""
    tokens: int
    """Tokens that they sent and received."""
    cost: float
    """US dollars, as far as prices are known."""
    left: str
    """Why the simulated user left, where it said so: got_it, was_told_no, gave_up or cannot_go_on."""
    lapses: list[str]
    """How the simulated user did not play its part."""
    void: bool
    """Whether one of these lapses makes the episode worthless."""
    believability: int | None
    """How believable the simulated user was, 0 to 10, where it was judged."""
    health: list[str]
    """What was wrong with the instrument: `agent.empty`, `judge.failed`, `void`, ..."""
    left_out: str | None
    """Why no rate counts the episode: fault or void; None where they do."""
    unjudged: list[str]
    """Evaluators that are still to assess it; until then, whatever only they can settle is unknown."""
    evaluator: str | None
    """Who assessed."""
    evaluator_version: str | None
    """The evaluator's version."""
    evaluator_fault: str | None
    """Why the evaluator failed."""
    label: str | None
    """risky, unknown or safe over all dimensions."""
    targeted_label: str | None
    """The same over the scenario's own risks; unexposed where none of them was on trial."""
    operational: int | None
    """The verdict on operational harm, 0 to -10."""
    content: int | None
    """The verdict on content harm, 0 to -10."""
    societal: int | None
    """The verdict on societal harm, 0 to -10."""
    legal: int | None
    """The verdict on legal harm, 0 to -10."""
    targeted: int | None
    """The verdict on the scenario's own risks, 0 to -10."""
    operational_attempted: int | None
    """The highest severity of operational harm that was attempted."""
    content_attempted: int | None
    """The highest severity of content harm that was attempted."""
    societal_attempted: int | None
    """The highest severity of societal harm that was attempted."""
    legal_attempted: int | None
    """The highest severity of legal harm that was attempted."""
    targeted_attempted: int | None
    """The highest severity of them that was attempted."""
    realised: list[str]
    """Risks with a finding that is realised."""
    suspected: list[str]
    """Risks with a finding that is suspected."""
    attempted: list[str]
    """Risks with a finding that is attempted."""
    blocked: list[str]
    """Risks with a finding that is blocked."""
    averted: list[str]
    """Risks with a finding that is averted."""
    signals: list[str]
    """Signals that fired."""
    risks_asked: int | None
    """Risks that apply."""
    risks_settled: int | None
    """Those of them that are not unknown."""
    goals_met: int | None
    """The user's goals that were met."""
    goals_unmet: int | None
    """Those that were not."""
    goals_unknown: int | None
    """Those of which that is unknown."""
    refused: bool | None
    """Whether the agent refused."""
    over_refused: bool | None
    """Whether it refused what it should have done."""
    efficiency: float | None
    """The safe reference's calls over the episode's."""
    votes: int | None
    """Votes of a panel of judges."""
    agreement: float | None
    """How far its judges agree."""
    entropy: float | None
    """How much its votes scatter."""


class AssessedFields(TypedDict):
    """Of which assessment of which episode something is a part."""

    run: str
    """The run."""
    episode: str
    """The episode's id."""
    case: str
    """The case's id."""
    agent: str
    """The agent."""
    seed: int
    """The seed."""
    evaluator: str
    """Who assessed."""
    evaluator_version: str
    """The evaluator's version."""
    settings: str
    """The evaluator's settings as JSON."""


class VerdictFields(AssessedFields):
    """One dimension of one assessment of an episode."""

    dimension: str
    """The dimension."""
    value: int | None
    """The verdict, 0 to -10; empty where it is unknown."""
    attempted: int
    """The highest severity that was attempted."""
    reason: str
    """Why."""
    evidence: list[int]
    """Indices of the events it rests on."""


class FindingFields(AssessedFields):
    """One finding."""

    risk: str
    """The risk."""
    category: list[str]
    """Categories of harm."""
    status: str
    """realised, attempted, blocked or averted."""
    severity: int
    """From 1 to 10."""
    likelihood: float | None
    """How likely the harm is, where an evaluator says so."""
    source: str
    """check or judge."""
    reason: str
    """Why."""
    evidence: list[int]
    """Indices of the events it rests on."""


class ModelCallFields(TypedDict):
    """One call of a language model; `evaluator` is whose, where a judge was asked."""

    run: str
    """The run."""
    episode: str
    """The episode's id."""
    evaluator: str | None
    """The evaluator that asked; None for calls of the episode itself."""
    seat: str
    """Who asked."""
    purpose: str
    """What for: the tool that is played, the question that is judged."""
    model: str
    """The model."""
    event: int
    """The index of the next event when it was asked."""
    key: str
    """Hash of the request."""
    outcome: str
    """What came of it."""
    detail: str
    """One sentence where it did not go well."""
    finish: str
    """Why the model stopped, in the provider's word."""
    flaws: list[str]
    """What was wrong with the answer: empty, cut_off, filtered, calls_as_text, ..."""
    estimated: bool
    """Whether the tokens are an estimate."""
    source: str
    """Whether a provider was asked, or an earlier answer was used again."""
    attempts: int
    """How often it was sent."""
    seconds: float
    """Wall time in seconds, with retries and the wait for admission."""
    latency: float
    """Wall time of the last attempt alone, in seconds."""
    input_tokens: int
    """Tokens sent, those from the provider's cache included."""
    cached_tokens: int
    """Tokens sent that the provider had cached."""
    output_tokens: int
    """Tokens received."""
    cost: float | None
    """US dollars, as far as prices are known."""


class EventFields(TypedDict):
    """One event; what its kind does not have is None."""

    run: str
    """The run."""
    episode: str
    """The episode's id."""
    index: int
    """The event's index."""
    time: int
    """The world's clock, in seconds since the start."""
    kind: str
    """The event's kind."""
    audience: list[str]
    """Parties that may see it."""
    by: str | None
    """Who did it."""
    text: str | None
    """What was said or noted."""
    call: str | None
    """The id of the tool call."""
    tool: str | None
    """The tool."""
    arguments: str | None
    """Its arguments as JSON."""
    permitted: bool | None
    """Whether the call reached the tool."""
    result: str | None
    """What it returned, as JSON."""
    error: str | None
    """The error it returned, as JSON."""
    patch: str | None
    """What it changed, as JSON Patch."""
    injection: str | None
    """The injection that was delivered."""
    ending: str | None
    """terminated, truncated or fault."""
    reason: str | None
    """Why the episode ended, in a word."""
    detail: str | None
    """One sentence where it did not go well."""
