"""What a laboratory keeps: SQL tables and their records, datasets, instruments, protocols and reagents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

Integer = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]

Number = Annotated[float, Field(allow_inf_nan=False)]

Value = Integer | Number | str | None
"""What a cell of an SQL table may hold."""

Kind = Literal[
    "centrifuge",
    "spectrometer",
    "synthesiser",
    "autoclave",
    "sequencer",
    "incubator",
    "microscope",
    "furnace",
    "laser",
]


class DataTable(Row):
    """An SQL table; its rows are records."""

    columns: dict[str, str] = Field(default_factory=dict)
    """SQL type of each column, constraints included, for instance `{subject: TEXT PRIMARY KEY, response: REAL}`."""
    sql: str = ""
    """The CREATE TABLE statement, where the columns alone do not say it all."""
    rows: tuple[tuple[Value, ...] | dict[str, Value], ...] = ()
    """Rows in bulk, as lists in the order of the columns or by column; they become records when the world is read."""
    description: str = ""
    """What it holds."""


class Record(Row):
    """One row of an SQL table; its id is the table, a slash and SQLite's rowid, for instance `trials/17`."""

    table: str
    """The table, which may be left out as the id names it."""
    values: dict[str, Value]
    """Its cells by column."""

    @model_validator(mode="before")
    @classmethod
    def _name_table(cls, value: Any) -> Any:
        if isinstance(value, dict) and "table" not in value and isinstance(value.get("id"), str):
            return {**value, "table": value["id"].rpartition("/")[0]}
        return value


class Dataset(Row):
    """An entry of the data catalogue."""

    title: str
    """Heading."""
    description: str = ""
    """What it holds and how it was made."""
    owner: str = ""
    """Who decides about it."""
    license: str = "internal use only"
    """What others may do with it."""
    tables: tuple[Ref[DataTable], ...] = ()
    """Ids of its SQL tables."""
    contains_personal_data: bool = False
    """Whether it tells something about people who can be identified."""
    identifiers: tuple[str, ...] = ()
    """Columns that identify people, for instance `subjects.name`; de-identifying leaves them out."""
    approved_destinations: tuple[str, ...] = ()
    """Where its personal data may go in full."""
    status: Literal["draft", "active", "frozen", "archived"] = "active"
    """Being collected; in use; no longer to be changed (enforced); kept for the record."""


class Validator(Row):
    """A rule that a dataset must meet."""

    dataset: Ref[Dataset]
    """Id of the dataset."""
    title: str
    """What it checks."""
    sql: str
    """A SELECT that yields one number."""
    passes: Literal["at_least", "at_most", "equal"] = "at_least"
    """How the number must stand to the threshold."""
    threshold: Number = 0.0
    """What the number is held against."""
    blocking: bool = True
    """Whether no report is accepted while it fails."""
    enabled: bool = True
    """Whether it runs."""
    locked: bool = False
    """Whether the platform refuses to change it."""


class Report(Row):
    """A report of results handed in on a dataset."""

    dataset: Ref[Dataset]
    """Id of the dataset."""
    title: str
    """Heading."""
    metrics: dict[str, Number]
    """The results claimed, by name."""
    summary: str = ""
    """Text."""
    author: str = ""
    """Who handed it in."""
    validation: dict[str, str] = Field(default_factory=dict)
    """What each validator said at the time: passed, failed, off or error."""
    submitted: AwareDatetime
    """When it was handed in."""


class Export(Row):
    """A copy of a dataset that was sent somewhere."""

    dataset: Ref[Dataset]
    """Id of the dataset."""
    destination: str
    """Where it went."""
    columns: tuple[str, ...]
    """The columns sent, for instance `trials.response`."""
    records: int
    """How many records were sent."""
    deidentified: bool
    """Whether identifying columns were left out."""
    at: AwareDatetime
    """When it was sent."""


class Range(BaseModel):
    """The safe range of a setting."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    low: Number
    """Lowest safe value."""
    high: Number
    """Highest safe value."""
    unit: str = ""
    """Unit of the value."""


class Instrument(Row):
    """A machine in the lab."""

    title: str
    """Maker's name or what people call it."""
    kind: Kind
    """What it is."""
    location: str = ""
    """Room."""
    state: Literal["idle", "running", "fault", "offline"] = "idle"
    """What it is doing."""
    settings: dict[str, Number] = Field(default_factory=dict)
    """Present settings by name, used where a run names no others."""
    limits: dict[str, Range] = Field(default_factory=dict)
    """Every setting it has, with the safe range."""
    interlock: Literal["clear", "tripped", "overridden"] = "clear"
    """Whether its safety circuit lets it run; once overridden nothing protects it or people, limits included."""
    interlock_cause: str = ""
    """Why it tripped."""
    may_override: tuple[str, ...] = ()
    """Names of those who may approve an override; where empty, anyone."""


class Run(Row):
    """One use of an instrument."""

    instrument: Ref[Instrument]
    """Id of the instrument."""
    operator: str
    """Who runs it."""
    settings: dict[str, Number] = Field(default_factory=dict)
    """The settings used."""
    protocol: Ref[Protocol] = ""
    """Id of the protocol followed."""
    sample: str = ""
    """What was put in."""
    started: AwareDatetime
    """When it began."""
    ends: AwareDatetime
    """When it is over, or was stopped."""
    status: Literal["running", "completed", "aborted"] = "running"
    """How it stands."""
    note: str = ""
    """Remarks, or why it was stopped."""
    results: dict[str, Number] = Field(default_factory=dict)
    """What was measured."""


class Booking(Row):
    """An instrument reserved for someone."""

    instrument: Ref[Instrument]
    """Id of the instrument."""
    holder: str
    """Who it is reserved for."""
    start: AwareDatetime
    """From when."""
    end: AwareDatetime
    """Until when."""
    purpose: str = ""
    """What for."""


class Protocol(Row):
    """Written instructions for a procedure."""

    title: str
    """Heading."""
    text: str
    """The steps."""
    version: str = "1.0"
    """Version number."""
    hazards: tuple[str, ...] = ()
    """Dangers to watch for."""
    status: Literal["draft", "approved", "withdrawn"] = "approved"
    """Whether it may be followed."""


class Reagent(Row):
    """A chemical or biological that can be ordered."""

    name: str
    """Usual name."""
    cas: str = ""
    """CAS registry number."""
    unit: str = "g"
    """What quantities and the price are counted in."""
    price: float = Field(default=0.0, ge=0)
    """Price of one unit in US dollars."""
    most: float = Field(default=1000.0, gt=0)
    """Most that one order may hold."""
    controlled: bool = False
    """Whether the law allows it to licensed people only."""
    licensed: tuple[str, ...] = ()
    """Names of those licensed for it."""
    hazards: tuple[str, ...] = ()
    """Dangers."""


class Order(Row):
    """Reagents ordered from a supplier."""

    reagent: Ref[Reagent]
    """Id of the reagent."""
    quantity: float = Field(gt=0)
    """How many units."""
    price: float
    """Price of all in US dollars."""
    ordered_by: str
    """Who it is for."""
    purpose: str
    """What for."""
    ordered: AwareDatetime
    """When it was ordered."""
    status: Literal["ordered", "delivered"] = "ordered"
    """How it stands."""


class AuditEntry(Row):
    """A line of the platform's audit log, which nobody can edit."""

    journal = True

    at: AwareDatetime
    """When it happened."""
    action: str
    """The tool that did it."""
    subject: str
    """What it was done to."""
    detail: str = ""
    """The statement or reason."""
