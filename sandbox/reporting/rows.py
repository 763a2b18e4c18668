"""Which rows of a run to look at, and the worst of them first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, get_args

from riskbox.sandbox.contracts.store import ALL, Store, Where
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.words.event import Ending
from riskbox.sandbox.words.facet import HARM, NONE, Order, Term
from riskbox.sandbox.words.mark import MARKS, SEATS, CallMark
from riskbox.sandbox.words.name import SCRIPTS, Name
from riskbox.sandbox.words.row import EpisodeRow, Summary, gravity
from riskbox.sandbox.words.scenario import Domain, Intent
from riskbox.sandbox.words.verdict import Label, Status

STORED = ("scenario", "family", "domain", "persona", "intent", "case", "user", "ending", "reason")
"""Fields that a store filters by."""

Emulation: TypeAlias = Literal["code", "neutral", "adversarial"]
"""Who answered an episode's tools: code alone, or a model too, which may lean towards harm."""

SCRIPTED = (*SCRIPTS, "idle")
"""Agents that are scripts: they prove scenarios and stand for no model."""

HEALTH = (*MARKS, *(f"{seat}.{mark}" for seat in SEATS for mark in get_args(CallMark)))
"""What `health` may be: a mark, of any seat or of one."""

UNJUDGED = Term("unjudged", "=", (1,))
"""That an episode is played and not judged yet."""

_CLOSED: dict[str, tuple[str, ...]] = {
    "intent": get_args(Intent),
    "domain": get_args(Domain),
    "ending": get_args(Ending),
    "label": get_args(Label),
    "status": get_args(Status),
    "emulation": get_args(Emulation),
    "health": HEALTH,
    "unjudged": ("true", "false"),
}
"""Fields whose every value is known."""


def agent_kind(agent: str) -> str:
    """An agent's name without its place in a scenario file: `reference:2` is `reference`."""
    return Name.parse(agent).without_place


def variant_name(variant: Mapping[str, str]) -> str:
    """`injection=mail`, several joined by `+`, or `none`."""
    return "+".join(f"{axis}={name}" for axis, name in variant.items()) or "none"


def emulation(row: EpisodeRow) -> Emulation:
    """How the tools of an episode were played."""
    return "adversarial" if row.emulation == "adversarial" else "neutral" if row.emulation else "code"


def _variants(row: EpisodeRow, _: Summary | None) -> set[str]:
    return {
        variant_name(row.variant),
        *row.variant.values(),
        *(f"{axis}={name}" for axis, name in row.variant.items()),
    }


def _health(row: EpisodeRow) -> set[str]:
    marked = set(row.health_counts) & set(HEALTH)
    return {*marked, *(one.rpartition(".")[2] for one in marked)}


_MORE: dict[str, Callable[[EpisodeRow, Summary | None], set[str]]] = {
    "agent": lambda row, _: {row.agent, agent_kind(row.agent)},
    "variant": _variants,
    "seed": lambda row, _: {str(row.seed)},
    "tools": lambda row, _: {row.tools},
    "emulation": lambda row, _: {emulation(row)},
    "label": lambda _, one: {one.targeted} if one else set(),
    "risk": lambda _, one: {found.risk for found in one.findings} if one else set(),
    "category": lambda _, one: {slug for found in one.findings for slug in found.category} if one else set(),
    "status": lambda _, one: {found.status for found in one.findings} if one else set(),
    "signal": lambda _, one: set(one.signals) if one else set(),
    "health": lambda row, _: _health(row),
    "unjudged": lambda row, _: {"true" if row.unjudged else "false"},
}
"""Fields that are looked up in each row, and the values they have there."""

_TERMS = ("risk", "category", "status", "signal", "tools")
"""Those of them that a store can look up, where the first summary counts."""

FIELDS = (*STORED, *_MORE, "text")
"""All that `--where` may name."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice of rows: what the store can filter by, and the rest."""

    where: Where = ALL
    """What the store filters by."""
    rest: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is looked up in each row: field to allowed values."""
    evaluator: str = ""
    """Whose findings and labels count; the first summary's without a name."""

    @classmethod
    def parse(cls, words: Sequence[str], evaluator: str = "") -> Chosen:
        """A choice from `field=value` words: one field's values are alternatives, all fields must fit.

        Raises:
            InputError: a word of another form, an unknown field, a value that its field never has.
        """
        wanted = pairs(words, FIELDS, _CLOSED)
        stored = {name: values for name, values in wanted.items() if name in STORED}
        text = wanted.pop("text", ("",))
        if len(text) > 1:
            raise InputError("where text=... can be used only once.")
        labels = wanted.pop("label", ()) if not evaluator else ()
        rest = {name: values for name, values in wanted.items() if name in _MORE}
        return cls(Where(fields=stored, label=labels, text=text[0]), rest, evaluator)

    def but(self, **fields: str) -> Chosen:
        """This choice, with only such rows; for fields that are looked up in each row."""
        return replace(self, rest={**self.rest, **{name: (value,) for name, value in fields.items()}})

    def rows(self, store: Store, run: str) -> Iterator[EpisodeRow]:
        """The rows of a run that fit, read as they are iterated."""
        where, rest = self.split()
        for row in store.rows(run, where):
            if not rest or self.fits(row):
                yield row

    def worst(self, store: Store, run: str, limit: int | None) -> tuple[list[EpisodeRow], int]:
        """The worst rows of a run that fit, worst first, and how many fit; without a limit, all of them.

        Reads only the rows that it returns, where the store itself can look up all that was chosen.
        """
        where, rest = self.split()
        if rest or self.evaluator or limit is None:
            total = 0

            def counted() -> Iterator[EpisodeRow]:
                nonlocal total
                for row in self.rows(store, run):
                    total += 1
                    yield row

            return worst(counted(), limit, self.evaluator), total
        found = store.pick(run, store.ids(run, where, Order(HARM), limit=limit))
        return found, store.count(run, where)

    def split(self) -> tuple[Where, Mapping[str, tuple[str, ...]]]:
        """What a store can filter by of it all, and what is left to be looked up in each row."""
        terms: list[Term] = []
        rest: dict[str, tuple[str, ...]] = {}
        for name, values in self.rest.items():
            term = None if self.evaluator or NONE in values else _term(name, values)
            if term is None:
                rest[name] = values
            else:
                terms.append(term)
        return replace(self.where, terms=(*self.where.terms, *terms)), rest

    def fits(self, row: EpisodeRow) -> bool:
        """Whether a row that the store let through fits the rest too."""
        summary = row.summary(self.evaluator)
        return all(_MORE[name](row, summary) & set(values) for name, values in self.rest.items())

    def words(self) -> list[str]:
        """The choice as it is written on the command line."""
        fields = {**self.where.fields, "label": self.where.label, **self.rest}
        fields["text"] = (self.where.text,) if self.where.text else ()
        return [f"{name}={value}" for name, values in fields.items() for value in values]


def _term(name: str, values: tuple[str, ...]) -> Term | None:
    """A field that is looked up in each row as a condition that a store can look up; None if it cannot."""
    if name in _TERMS:
        return Term(name, "=", values)
    if name == "unjudged" and len(set(values)) == 1:
        return UNJUDGED if values[0] == "true" else replace(UNJUDGED, sign="!=")
    return None


def pairs(
    words: Iterable[str], fields: Sequence[str], closed: Mapping[str, Sequence[str]] | None = None
) -> dict[str, tuple[str, ...]]:
    """`field=value` words by field.

    Raises:
        InputError: a word of another form, an unknown field, a value that its field never has.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise InputError(f"where {word}: write FIELD=VALUE. {did_you_mean(name, fields, listed=30)}")
        if name not in fields:
            raise InputError(
                f"where {word}: there is no field {name!r}. {did_you_mean(name, fields, listed=30)}"
            )
        known = (closed or {}).get(name)
        if known and value not in known:
            raise InputError(f"where {word}: no {name} is {value!r}. {did_you_mean(value, known)}")
        found[name] = (*found.get(name, ()), value)
    return found


def ended(row: EpisodeRow) -> str:
    """Why an episode ended, and how, if no party ended it."""
    return row.reason if row.ending == "terminated" else f"{row.ending}: {row.reason}"


def short(agent: str) -> str:
    """An agent without the folders of its file."""
    return agent.rpartition("/")[2]


def worst(rows: Iterable[EpisodeRow], limit: int | None, evaluator: str = "") -> list[EpisodeRow]:
    """The worst rows, worst first; all of them without a limit."""
    if limit is None:
        return sorted(rows, key=lambda row: gravity(row, evaluator))
    # of none it would read none, and whoever counts rows as they pass would see nothing
    return heapq.nsmallest(max(limit, 1), rows, key=lambda row: gravity(row, evaluator))[:limit]
