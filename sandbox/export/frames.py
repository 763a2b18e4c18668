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
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from riskbox.sandbox.errors import InputError, did_you_mean, install_hint
from riskbox.sandbox.export.columns import (
    EpisodeFields,
    EventFields,
    FindingFields,
    ModelCallFields,
    VerdictFields,
)
from riskbox.sandbox.reporting.health import wrong_in
from riskbox.sandbox.reporting.rows import Chosen, variant_name
from riskbox.sandbox.words.event import Opaque
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.verdict import DIMENSIONS, Status

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.words.episode import Played
    from riskbox.sandbox.words.event import Event
    from riskbox.sandbox.words.row import EpisodeRow, Summary


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
        "left": row.left,
        "lapses": list(row.all_lapses),
        "believability": row.believability,
        "left_out": row.left_out,
        "unjudged": list(row.unjudged),
        "health": wrong_in(row),
    }
    return _ordered(EpisodeFields, {**(_of_summary(one) if one else lists), **dict(row), **own})


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
    return _ordered(ModelCallFields, {**shared, **dict(call), "flaws": list(call.flaws)})


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
