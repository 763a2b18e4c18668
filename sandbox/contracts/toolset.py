"""The contract of a toolset: a mock service with tables, and tools that declare what they change.

    class Clinic(Toolset):
        '''Patients and their records.'''

        patients: Table[Patient]

        @tool
        def read_record(self, patient: str) -> Patient:
            '''Read a patient's record.

            Args:
                patient: The patient's id, for instance P-104.
            '''
            return self.patients[patient]

        @tool(writes=True, action="destructive")
        def delete_record(self, patient: str) -> dict[str, str]: ...

The agent sees only the docstring and the signature. An `async def` tool is answered outside the step, for example by a
remote service. It can read the tables but not write them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from random import Random
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    create_model,
)
from pydantic_core import PydanticKnownError, to_jsonable_python

from riskbox.sandbox import budget
from riskbox.sandbox.contracts.reference import RowReference, references
from riskbox.sandbox.contracts.table import Changes, Row, StartRows, Table, ToolError, missing, referred
from riskbox.sandbox.errors import Problem, ScenarioError, ToolFault, did_you_mean, is_interrupt
from riskbox.sandbox.words.size import bounded
from riskbox.sandbox.words.toolspec import ActionClass, Effects, TableSpec, ToolsetSpec, ToolSpec

if TYPE_CHECKING:
    from faker import Faker


def _text(value: Any) -> Any:
    # pydantic would read a number as the seconds since 1970, which the schema that an agent is given rules out
    if isinstance(value, int | float):
        raise PydanticKnownError("string_type")
    return value


Day = Annotated[date, Strict(False), BeforeValidator(_text)]
"""A parameter that takes a date written YYYY-MM-DD."""

Moment = Annotated[datetime, Strict(False), BeforeValidator(_text)]
"""A parameter that takes a date and time in ISO 8601."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A method marked as a tool."""

    name: str
    """Its name within the toolset."""
    method: Callable[..., Any]
    """The method that answers its calls."""
    spec: ToolSpec
    """The tool as plain data."""
    arguments: type[BaseModel]
    """The model that validates its arguments."""

    def validated(self, arguments: Any) -> dict[str, Any]:
        """The arguments in the form that the method takes.

        Raises:
            ToolError: one sentence for all that is wrong with them.
        """
        if not isinstance(arguments, Mapping):
            raise ToolError("malformed_arguments", "The arguments are not a JSON object.")
        try:
            model = self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise ToolError("bad_arguments", _said_plainly(error, self.arguments)) from None
        return {name: getattr(model, name) for name in self.arguments.model_fields}


def _said_plainly(error: ValidationError, model: type[BaseModel]) -> str:
    parts = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            parts.append(f"{where}: unknown argument. {did_you_mean(where, model.model_fields)}")
        elif problem["type"] == "missing":
            parts.append(f"{where}: missing")
        else:
            parts.append(f"{where}: {problem['msg']}")
    return "; ".join(parts)


def _row_problem(problem: Mapping[str, Any], kind: type[BaseModel]) -> str:
    """What is wrong with a row's field, and what to write instead."""
    what, given, where = problem["type"], problem["input"], problem["loc"]
    if what == "extra_forbidden":
        return "unknown field." + (
            f" {did_you_mean(str(where[0]), kind.model_fields)}" if len(where) == 1 else ""
        )
    if what == "missing":
        return "the field is missing."
    found = f" (found {given!r})" if isinstance(given, str | int | float) and len(str(given)) < 80 else ""
    if what.startswith("date_"):
        return f"is not a day{found}; write it 2026-04-14."
    if what.startswith("datetime_"):
        return f"is not a time{found}; write it 2026-04-14T09:00:00Z."
    return f"{problem['msg'][0].lower()}{problem['msg'][1:]}{found}."


F = TypeVar("F", bound=Callable[..., Any])


@overload
def tool(method: F) -> F: ...


@overload
def tool(
    *,
    writes: bool = False,
    action: ActionClass | None = None,
    changes: Iterable[str] | None = None,
    later: Iterable[str] | None = None,
    reads: Iterable[str] | None = None,
    sends: Iterable[str] | None = None,
    disguises: bool = False,
) -> Callable[[F], F]: ...


def tool(
    method: F | None = None,
    *,
    writes: bool = False,
    action: ActionClass | None = None,
    changes: Iterable[str] | None = None,
    later: Iterable[str] | None = None,
    reads: Iterable[str] | None = None,
    sends: Iterable[str] | None = None,
    disguises: bool = False,
) -> F | Callable[[F], F]:
    """Mark a method as a tool.

    A tool that declares none of its effects (`changes`, `later`, `reads`, `sends`) may have any on all tables of its toolset.
    Of one that declares some, the others are none. A place is a table (`locks`), rows added to or removed from it
    (`shares+`, `clips-`), a field (`locks.locked`), or a field that gets a value (`locks.locked=false`).

    Args:
        method: The method, if the decorator is used without arguments.
        writes: Whether it may change the tables. A tool that writes without declaring it is a fault.
        action: How far a call reaches. Defaults to `suggestive` for tools that read and `autonomous` for tools that write.
        changes: The places that it can change.
        later: Places that change because of it after the call, which the world does not show, as a schedule does.
        reads: The tables, or fields of them, whose content its answer, or what it sends, may carry.
        sends: Arguments, or fields of the answer or of a row that it writes, that name recipients.
        disguises: Whether its answer may carry what it reads in any form, as that of a shell does.
    """
    declared = {"changes": changes, "later": later, "reads": reads, "sends": sends}
    effects = Effects(**{key: tuple(given or ()) for key, given in declared.items()}, disguises=disguises)
    is_declared = any(given is not None for given in declared.values())

    def mark(function: F) -> F:
        # a function takes attributes that its type does not know of
        function._tool = (  # type: ignore[attr-defined]
            writes,
            action or ("autonomous" if writes else "suggestive"),
            effects if is_declared else None,
        )
        return function

    return mark(method) if method is not None else mark


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """The outcome of one tool call."""

    result: Any = None
    """The JSON that the agent receives, if the call succeeded."""
    error: dict[str, Any] | None = None
    """The tool's error, if the call failed."""
    patch: tuple[dict[str, Any], ...] = ()
    """What the call changed, as JSON Patch over the world."""
    changes: Mapping[str, Changes] = field(default_factory=dict)
    """The toolset's changed rows by table after the call."""
    permitted: bool = True
    """Whether the arguments were valid and the call reached the tool."""


class Toolset:
    """One mock service. Subclass it: annotate tables, mark tools, and override `generate` if it can make rows.

    During a call, `self.now` is the world's clock and `self.random` is a generator seeded for this call.
    """

    name: ClassVar[str] = ""
    """The toolset's name in scenario files; defaults to the class name in lower case."""

    now: datetime

    # --- override these -------------------------------------------------------------------------------------

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """Generate rows for a world of some size, by table.

        Args:
            fake: A seeded Faker. The same seed must give the same rows. Use `fake.random` for other random values.
            counts: How many rows of each table the scenario asks for.
            now: The world's clock at the start.

        Raises:
            ToolError: the toolset cannot generate such a table.
        """
        raise ToolError("cannot_generate", f"{cls.toolset_name()} has no generator; list its rows instead.")

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Problems between the rows of a world, as sentences: for example an appointment without a patient."""
        return []

    # --- the toolset owns these -----------------------------------------------------------------------------

    def __init__(
        self, bases: Mapping[str, StartRows[Any]], changes: Mapping[str, Changes], now: datetime, seed: int
    ) -> None:
        self.now, self._seed, self._random = now, seed, None
        name = self.toolset_name()
        tables: dict[str, Table[Any]] = {}
        for table, base in bases.items():
            tables[table] = Table(base, changes.get(table, {}), (name, table), tables)
            setattr(self, table, tables[table])

    @property
    def random(self) -> Random:
        """A random generator that depends only on the episode's seed and this call."""
        if self._random is None:
            self._random = Random(self._seed)
        return self._random

    _random: Random | None

    @classmethod
    def toolset_name(cls) -> str:
        """The toolset's name in scenario files."""
        return cls.name or cls.__name__.lower()

    @classmethod
    def row_types(cls) -> Mapping[str, type[Row]]:
        """The declared tables and the classes of their rows."""
        return _row_types(cls)  # type: ignore[arg-type]  # a class is hashable, whatever the stub thinks

    @classmethod
    def tools(cls) -> Mapping[str, Tool]:
        """The toolset's tools by short name, in the order of the file."""
        return _tools(cls)  # type: ignore[arg-type]  # the same

    @classmethod
    def spec(cls) -> ToolsetSpec:
        """The toolset as plain data."""
        tables = {
            name: TableSpec(
                private=kind.private, secret=kind.secret, person=kind.person, journal=kind.journal
            )
            for name, kind in cls.row_types().items()
        }
        about = (inspect.getdoc(cls) or "").strip().split("\n\n")[0]
        tools = {one.spec.name: one.spec for one in cls.tools().values()}
        return ToolsetSpec(name=cls.toolset_name(), description=about, tools=tools, tables=tables)

    @classmethod
    def parse(cls, world: Mapping[str, Any]) -> dict[str, StartRows[Any]]:
        """Validate the world's rows, by table. Tables that it does not mention start empty.

        Raises:
            ScenarioError: lists every invalid row and unknown table, each with its path below the toolset.
        """
        problems, parsed = [], {}
        kinds = cls.row_types()
        for table in world:
            if table not in kinds:
                problems.append(Problem(f"unknown table {table!r}. {did_you_mean(table, kinds)}", path=table))
                if len(problems) > budget.PROBLEMS:
                    break
        for table, kind in kinds.items():
            rows: list[Row] = []
            seen: set[str] = set()
            listed = world.get(table, [])
            if not isinstance(listed, list | tuple):
                problems.append(Problem("expected a list of rows.", path=table))
                continue
            for index, value in enumerate(listed):
                if len(problems) > budget.PROBLEMS:
                    break
                try:
                    row = kind.model_validate(value)
                except ValidationError as error:
                    for one in error.errors(include_url=False, include_context=False):
                        if one["type"] == "default_factory_not_called":
                            continue  # only says that another field of the row is wrong
                        where = "".join(
                            f"[{p}]" if isinstance(p, int) else f".{p}" for p in (index, *one["loc"])
                        )
                        problems.append(Problem(_row_problem(one, kind), path=f"{table}{where}"))
                    continue
                if row.id in seen:
                    problems.append(
                        Problem(
                            f"the id {row.id!r} is already used by an earlier row.",
                            path=f"{table}[{index}].id",
                        )
                    )
                seen.add(row.id)
                rows.append(row)
            parsed[table] = rows
        if not problems:
            problems = [*_dangling(parsed, kinds), *(Problem(sentence) for sentence in cls.prepare(parsed))]
        if problems:
            raise ScenarioError(problems)
        return {table: StartRows(kinds[table], rows) for table, rows in parsed.items()}

    @classmethod
    def call(
        cls,
        tool: str,
        arguments: Any,
        bases: Mapping[str, StartRows[Any]],
        changes: Mapping[str, Changes],
        now: datetime,
        seed: int,
    ) -> ToolOutcome:
        """Answer one call to a tool with synchronous code.

        Raises:
            ToolFault: the toolset's code is broken: it raised another exception, or wrote without declaring it.
        """
        found = cls.tools()[tool]
        try:
            valid = found.validated(arguments)
        except ToolError as error:
            return ToolOutcome(error=error.as_json(), changes=changes, permitted=False)
        service = cls(bases, changes, now, seed)
        try:
            result = found.method(service, **valid)
        except ToolError as error:
            return ToolOutcome(error=error.as_json(), changes=changes)
        except BaseException as error:  # exits and panics too, which would end more than the call
            if is_interrupt(error):
                raise
            raise ToolFault(f"{found.spec.name} raised {type(error).__name__}: {error}") from error
        touched = {name: table for name in bases if (table := getattr(service, name)).patch}
        if touched and not found.spec.writes:
            raise ToolFault(
                f"{found.spec.name} is marked reading but wrote {', '.join(touched)}; say writes=True."
            )
        patch = tuple(operation for table in touched.values() for operation in table.patch)
        after = (
            {**changes, **{name: table.changes for name, table in touched.items()}} if touched else changes
        )
        return ToolOutcome(
            result=bounded(to_jsonable_python(result), found.spec.name), patch=patch, changes=after
        )

    @classmethod
    async def answer(
        cls,
        tool: str,
        arguments: Any,
        bases: Mapping[str, StartRows[Any]],
        changes: Mapping[str, Changes],
        now: datetime,
        seed: int,
    ) -> ToolOutcome:
        """Answer one call to an `async def` tool, outside the step. It has no effect other than its return value."""
        found = cls.tools()[tool]
        service = cls(bases, changes, now, seed)
        try:
            result = await found.method(service, **found.validated(arguments))
        except ToolError as error:
            return ToolOutcome(error=error.as_json())
        except Exception as error:
            raise ToolFault(f"{found.spec.name} raised {type(error).__name__}: {error}") from error
        return ToolOutcome(result=to_jsonable_python(result))


def _dangling(rows: Mapping[str, list[Row]], kinds: Mapping[str, type[Row]]) -> Iterator[Problem]:
    """References that lead nowhere."""
    ids = {table: {row.id for row in listed} for table, listed in rows.items()}
    told: dict[RowReference, str] = {}
    for table, listed in rows.items():
        for index, row in enumerate(listed):
            for one in references(row):
                tables = referred(one, kinds)
                if not tables or any(one.id in ids[other] for other in tables):
                    continue
                if one not in told:
                    near = did_you_mean(one.id, set().union(*(ids[other] for other in tables)))
                    told[one] = f"{missing(one, tables)}. {near}"
                yield Problem(f"{row.id} {told[one]}", path=f"{table}[{index}].{one.path}")


@cache
def _row_types(cls: type[Toolset]) -> dict[str, type[Row]]:
    hints = get_type_hints(cls)
    return {name: get_args(hint)[0] for name, hint in hints.items() if get_origin(hint) is Table}


@cache
def _tools(cls: type[Toolset]) -> dict[str, Tool]:
    methods = {
        name: method
        for owner in reversed(cls.__mro__)
        for name, method in vars(owner).items()
        if hasattr(method, "_tool")
    }
    return {name: _tool(cls, name, methods[name]) for name in dict.fromkeys(_written(cls))}


def _written(cls: type) -> Iterator[str]:
    """The names of a class's tools in the order they are written; those of its bases first, base by base."""
    for parent in cls.__bases__:
        yield from _written(parent)
    yield from (name for name, method in vars(cls).items() if hasattr(method, "_tool"))


def _tool(cls: type[Toolset], name: str, method: Callable[..., Any]) -> Tool:
    import docstring_parser

    about = docstring_parser.parse(inspect.getdoc(method) or "")
    told = {param.arg_name: param.description or "" for param in about.params}
    hints = get_type_hints(method, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (
            hints[parameter.name],
            Field(default, description=told.get(parameter.name) or None),
        )
    config = ConfigDict(extra="forbid", strict=True)
    arguments = create_model(f"{cls.__name__}_{name}", __config__=config, **fields)
    text = "\n\n".join(part for part in (about.short_description, about.long_description) if part)
    if not text:
        raise ToolFault(f"{cls.__name__}.{name} has no docstring; it is what the agent reads.")
    writes, action, effects = method._tool  # type: ignore[attr-defined]  # `tool` has put it there
    spec = ToolSpec(
        name=f"{cls.toolset_name()}.{name}",
        description=text,
        parameters=_plain_schema(arguments.model_json_schema()),
        writes=writes,
        action=action,
        outside=inspect.iscoroutinefunction(method),
        effects=effects,
    )
    return Tool(name, method, spec, arguments)


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without pydantic's invented titles, which only cost the agent tokens."""

    def plain(node: Any, named: bool) -> Any:
        if isinstance(node, dict):
            # below `properties`, `title` may be a parameter's own name
            return {
                k: plain(v, k in ("properties", "$defs")) for k, v in node.items() if named or k != "title"
            }
        return [plain(item, False) for item in node] if isinstance(node, list) else node

    cleaned: dict[str, Any] = plain(schema, False)
    return cleaned
