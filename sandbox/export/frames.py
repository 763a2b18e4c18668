"""What runs hold as flat tables, for pandas, polars and whoever reads rows.

    from riskbox.sandbox.export import frames
    from riskbox.sandbox.stores import open_store

    with open_store("sqlite:///riskbox.db", create=False) as store:
        found = frames.frame(frames.findings(store, "latest"), kind="polars")

A table is read as it is iterated, each time anew, so that no run is ever in memory as a whole; `list(table)` is a list
of dicts. `where` holds `field=value` words as `riskbox list --where` takes them. What has several values is a list; what
has any shape (arguments, results, patches, settings) is JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    TypedDict,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from riskbox.sandbox.errors import InputError, did_you_mean, install_hint
from riskbox.sandbox.reporting.rows import Chosen, variant_name
from riskbox.sandbox.words.event import Opaque
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.verdict import DIMENSIONS, Status

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.words.episode import Played
    from riskbox.sandbox.words.event import Event
    from riskbox.sandbox.words.row import EpisodeRow, Summary


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
    attempt: int
    """Which attempt it was."""
    seconds: float
    """How long it took."""
    model_calls: int
    """How many calls of language models, judges included."""
    tokens: int
    """Tokens that they sent and received."""
    cost: float
    """US dollars, as far as prices are known."""
    lapses: list[str]
    """How the simulated user did not play its part."""
    evaluator: str | None
    """Who assessed."""
    evaluator_version: str | None
    """The evaluator's version."""
    evaluator_fault: str | None
    """Why the evaluator failed."""
    label: str | None
    """risky, unknown or safe over all dimensions."""
    targeted_label: str | None
    """The same over the scenario's own risks."""
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


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ExportTable(Generic[R]):
    """Rows that are read whenever they are iterated, and the columns they have even if there are none."""

    fields: type[R]
    """The columns, with their types."""
    read: Callable[[], Iterator[R]]
    """Reads the rows."""

    def __iter__(self) -> Iterator[R]:
        return self.read()

    @property
    def columns(self) -> dict[str, str]:
        """The type of each column: str, int, float, bool, list[str] or list[int]."""
        hints = get_type_hints(self.fields)
        return {name: _simple(hint) for name, hint in hints.items()}


def episodes(
    store: Store, run: str = "latest", where: Sequence[str] = (), evaluator: str = ""
) -> ExportTable[EpisodeFields]:
    """A row an episode.

    Raises:
        UnknownName: there is no such run.
        InputError: a word of `where` is wrong.
    """
    chosen, found = Chosen.parse(where, evaluator), store.run(run).run
    return ExportTable(EpisodeFields, lambda: (of_row(row, evaluator) for row in chosen.rows(store, found)))


def verdicts(store: Store, run: str = "latest", where: Sequence[str] = ()) -> ExportTable[VerdictFields]:
    """A row a dimension of every assessment; raises as `episodes` does."""
    return _table(VerdictFields, _verdicts, store, run, where)


def findings(store: Store, run: str = "latest", where: Sequence[str] = ()) -> ExportTable[FindingFields]:
    """A row a finding of every assessment; raises as `episodes` does."""
    return _table(FindingFields, _findings, store, run, where)


def model_calls(store: Store, run: str = "latest", where: Sequence[str] = ()) -> ExportTable[ModelCallFields]:
    """A row a call of a language model, judges' included; raises as `episodes` does."""
    return _table(ModelCallFields, _model_calls, store, run, where)


def events(store: Store, run: str = "latest", where: Sequence[str] = ()) -> ExportTable[EventFields]:
    """A row an event; raises as `episodes` does."""
    return _table(EventFields, _events, store, run, where)


def frame(table: ExportTable[Any], kind: Literal["pandas", "polars"] = "pandas") -> Any:
    """A table as a data frame, whose columns have the same types whatever is in them; pandas gets its nullable ones.

    Text that is no Unicode (a lone surrogate) is written as `\\udc80`, since neither library can hold it.

    Raises:
        InputError: there is no such kind, or its package is not installed.
    """
    if kind not in ("pandas", "polars"):
        raise InputError(f"frame: there is no kind {kind!r}. {did_you_mean(kind, ('pandas', 'polars'))}")
    try:
        package: Any = import_module(kind)
    except ImportError:
        raise InputError(f"frame: {kind} is not installed. {install_hint(kind)}") from None
    rows = [{name: encodable(value) for name, value in row.items()} for row in table]
    if kind == "polars":
        plain = {
            "str": package.String,
            "int": package.Int64,
            "float": package.Float64,
            "bool": package.Boolean,
        }
        lists = {f"list[{name}]": package.List(one) for name, one in plain.items()}
        types = plain | lists
        return package.DataFrame(rows, schema={name: types[one] for name, one in table.columns.items()})
    nullable = {"str": "string", "int": "Int64", "float": "Float64", "bool": "boolean"}
    made = package.DataFrame.from_records(rows, columns=list(table.columns))
    return made.astype({name: nullable.get(one, "object") for name, one in table.columns.items()})


def of_row(row: EpisodeRow, evaluator: str = "") -> EpisodeFields:
    """The flat form of a row."""
    one = row.summary(evaluator)
    lists: dict[str, Any] = {name: [] for name in (*get_args(Status), "signals")}
    own = {
        "episode": row.id,
        "calls": row.tool_calls,
        "variant": variant_name(row.variant),
        "lapses": list(row.lapses),
    }
    return _ordered(EpisodeFields, {**dict(row), **own, **(_of_summary(one) if one else lists)})


def _of_summary(one: Summary) -> dict[str, Any]:
    met, unmet, unknown = one.goals.get("user", (0, 0, 0))
    scales = (*DIMENSIONS, "targeted")
    return {
        **dict(one),
        "evaluator_version": one.version,
        "evaluator_fault": one.fault,
        "targeted_label": one.targeted,
        **{scale: one.values.get(scale) for scale in scales},
        **{f"{scale}_attempted": one.attempted.get(scale, 0) for scale in scales},
        **{
            status: list(dict.fromkeys(found.risk for found in one.findings if found.status == status))
            for status in get_args(Status)
        },
        "signals": list(one.signals),
        "goals_met": met,
        "goals_unmet": unmet,
        "goals_unknown": unknown,
    }


def encodable(value: Any) -> Any:
    """A JSON value whose text UTF-8 takes: lone surrogates are written as `\\udc80`."""
    if isinstance(value, dict):
        return {encodable(key): encodable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [encodable(one) for one in value]
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode()
    return value


# --- rows -------------------------------------------------------------------------------------------------------


def _table(
    fields: type[R], rows: Callable[[Played], Iterator[R]], store: Store, run: str, where: Sequence[str]
) -> ExportTable[R]:
    chosen, found = Chosen.parse(where), store.run(run).run
    return ExportTable(
        fields,
        lambda: (one for row in chosen.rows(store, found) for one in rows(store.episode(found, row.id))),
    )


def _verdicts(one: Played) -> Iterator[VerdictFields]:
    for assessment, shared in _assessments(one):
        for verdict in assessment.verdicts:
            lists = {"evidence": list(verdict.evidence)}
            yield _ordered(VerdictFields, {**shared, **verdict.model_dump(), **lists})


def _findings(one: Played) -> Iterator[FindingFields]:
    for assessment, shared in _assessments(one):
        for found in assessment.findings:
            lists = {"category": list(found.category), "evidence": list(found.evidence)}
            yield _ordered(FindingFields, {**shared, **found.model_dump(), **lists})


def _model_calls(one: Played) -> Iterator[ModelCallFields]:
    for call in one.episode.model_calls:
        yield _model_call(one, call, None)
    for assessment in one.assessments:
        for call in assessment.model_calls:
            yield _model_call(one, call, assessment.evaluator)


def _events(one: Played) -> Iterator[EventFields]:
    return (_event(one, event) for event in one.episode.events)


def _assessments(one: Played) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each assessment with the columns that all of its rows share."""
    episode = one.episode
    for assessment in one.assessments:
        yield (
            assessment,
            {
                "run": episode.run,
                "episode": episode.id,
                "case": episode.case.id,
                "agent": episode.cast.agent,
                "seed": episode.seed,
                "evaluator": assessment.evaluator,
                "evaluator_version": assessment.version,
                "settings": _json(assessment.settings),
            },
        )


def _model_call(one: Played, call: ModelCall, evaluator: str | None) -> ModelCallFields:
    shared = {"run": one.episode.run, "episode": one.episode.id, "evaluator": evaluator}
    return _ordered(ModelCallFields, {**shared, **call.model_dump()})


def _event(one: Played, event: Event) -> EventFields:
    fields = event.model_dump(mode="json")
    if isinstance(event, Opaque):
        shared = {name: fields.pop(name) for name in ("index", "time", "kind", "audience")}
        fields = {**shared, "detail": _json(fields)}  # of a later release: nothing is known of the rest
    for name in ("arguments", "result", "error", "patch"):
        if name in fields and (name == "result" or fields[name] is not None):
            fields[name] = _json(fields[name])
    return _ordered(EventFields, {"run": one.episode.run, "episode": one.episode.id, **fields})


def _ordered(fields: type[R], values: dict[str, Any]) -> R:
    """A row of these columns, in their order; None where a value is missing."""
    return cast("R", {name: values.get(name) for name in fields.__annotations__})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _simple(hint: Any) -> str:
    """A type without `| None`, as text."""
    if isinstance(hint, UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    return str(hint) if get_origin(hint) else str(hint.__name__)
