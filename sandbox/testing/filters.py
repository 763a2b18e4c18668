"""Filters and orders to try on a store, and what each must find."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from typing import Any

from riskbox.sandbox.contracts.store import Packed, Store, Where
from riskbox.sandbox.stores import record
from riskbox.sandbox.testing.samples import (
    sample_assessment,
    sample_case,
    sample_played,
)
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.facet import FACETS, HARM, NONE, Order, Term, folded
from riskbox.sandbox.words.facet import values as facet_values
from riskbox.sandbox.words.row import EpisodeRow, FindingRow, Summary, gravity
from riskbox.sandbox.words.verdict import Assessment


def various(run: str) -> list[Played]:
    """Episodes that differ in everything a filter may name."""
    values: tuple[tuple[Assessment, ...], ...] = (
        (),
        (sample_assessment(0),),
        (sample_assessment(-5), sample_assessment(0, evaluator="other")),
        (sample_assessment(None),),
    )
    cases = [
        sample_case(scenario, persona) for scenario in ("one", "two_of") for persona in ("owner", "neighbour")
    ]
    return [
        sample_played(run, case, seed, agent=agent, reason=reason, assessments=values[seed % 4])
        for case in cases
        for agent in ("reference:0", "mine.py:It's 100%_[a]?\x00\ud800")
        for seed, reason in enumerate(("user_left", "agent_turns", "participant", "agent_left"))
    ]


def filters(rows: Sequence[EpisodeRow]) -> list[Where]:
    """Filters by field, label and text, some of which these rows fit."""
    names = ("scenario", "family", "domain", "persona", "intent", "case", "agent", "user", "ending", "reason")
    texts = [
        "",
        "one/",
        "neighbour",
        rows[0].id,
        rows[1].id[3:9],
        "ONE/",
        "%",
        "_",
        "'",
        "no such text",
        "\ud800",
    ]
    chance = random.Random(0)
    mixed = [
        Where(
            fields={
                name: tuple(getattr(row, name) for row in chance.sample(rows, 3))
                for name in chance.sample(names, chance.randint(1, 3))
            },
            label=tuple(chance.sample(("risky", "unknown", "safe"), chance.randint(0, 3))),
            text=chance.choice(texts[:4]),
        )
        for _ in range(20)
    ]
    return [
        Where(),
        *(Where(fields={name: (value,)}) for name in names for value in {getattr(row, name) for row in rows}),
        *(Where(fields={name: ("no such value",)}) for name in names),
        Where(fields={"intent": ()}),
        *(Where(label=labels) for labels in (("risky",), ("unknown",), ("safe",), ("safe", "risky"))),
        *(Where(text=text) for text in texts),
        *mixed,
    ]


def fits(row: EpisodeRow, where: Where) -> bool:
    """Whether a store must find the row."""
    first = row.summary()
    return (
        all(not wanted or getattr(row, name) in wanted for name, wanted in where.fields.items())
        and (not where.label or (first is not None and first.targeted in where.label))
        and (where.text in row.id or where.text in row.case)
        and all(_holds(row, term) for term in where.terms)
    )


def sifted(store: Store, run: str) -> list[EpisodeRow]:
    """Stored rows that differ in everything a facet may name."""
    chance = random.Random(1)
    blob = record.pack(sample_played(run, sample_case()))
    stored = []
    for place, one in enumerate(various(run)):
        row = EpisodeRow.of(one)
        more = {
            "variant": chance.choice([{}, {"injection": "mail"}, {"injection": "note", "pressure": "hurry"}]),
            "twin": chance.choice([None, "one/owner"]),
            "tools": chance.choice(["", "openai/gpt", "anthropic/Claude"]),
            "seed": place,
            "tokens": chance.choice([0, 7, 1500]),
            "cost": chance.choice([0.0, 0.25, 1.5]),
            "lapses": chance.choice([(), ("loop",), ("loop", "goal_leaked")]),
            "summaries": tuple(_found(chance, summary) for summary in row.summaries),
        }
        stored.append(Packed(row=row.model_copy(update=more), blob=blob))
    store.write(run, stored)
    return [one.row for one in stored]


def _found(chance: random.Random, summary: Summary) -> Summary:
    kinds = [
        FindingRow(
            risk="leaked", status="realised", severity=8, category=("legal.privacy", "operational.leak")
        ),
        FindingRow(risk="paid", status="blocked", severity=3, category=()),
    ]
    return summary.model_copy(
        update={
            "findings": tuple(kinds[: chance.randint(0, 2)]),
            "signals": tuple(["unknown_tool"] * chance.randint(0, 2)),
            "attempted": {"legal": chance.choice([0, 3, 8])},
            "refused": chance.choice([None, True, False]),
            "efficiency": chance.choice([None, 0.5, 1.0]),
        }
    )


def conditions(rows: Sequence[EpisodeRow]) -> list[Where]:
    """Conditions on every facet, alone, in pairs and together with filters."""
    chance = random.Random(2)
    found: list[Where] = []
    for name, one in FACETS.items():
        # SQLite holds no lone surrogates in what it extracts from JSON
        known = [
            value
            for row in rows
            for value in facet_values(name, row.model_dump(mode="json"))
            if not isinstance(value, str) or value.isprintable()
        ]
        asked: list[str | float] = (
            chance.sample(known, min(2, len(known))) if known else ["absent" if one.kind == "text" else 3]
        )
        terms = [
            Term(name, sign, tuple(values))
            for sign in ("=", "!=")
            for values in (asked, asked[:1], [NONE], [*asked, NONE])
        ]
        if one.kind == "text":
            part = str(asked[0])[1:7]
            terms += [
                Term(name, "~", (part.upper(),)),
                Term(name, "~", ("no such", part)),
                Term(name, "~", ("%",)),
            ]
        else:
            terms += [Term(name, sign, (asked[0],)) for sign in ("<", "<=", ">", ">=")]
        found += [Where(terms=(term,)) for term in terms]
    mixed = [
        Where(
            fields=chance.choice([{}, {"intent": ("malicious",)}]),
            label=chance.choice([(), ("risky", "unknown")]),
            terms=tuple(term for where in chance.sample(found, 2) for term in where.terms),
        )
        for _ in range(20)
    ]
    return found + mixed


def _holds(row: EpisodeRow, term: Term) -> bool:
    found = facet_values(term.facet, row.model_dump(mode="json"))
    compare: dict[str, Callable[[Any, Any], bool]] = {
        "~": lambda one, wanted: folded(wanted) in folded(one),
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
    holds = compare.get(term.sign, lambda one, wanted: bool(one == wanted))
    wanted = [one for one in term.values if one != NONE]
    any_fits = any(holds(one, other) for one in found for other in wanted) or (
        NONE in term.values and not found
    )
    return any_fits != (term.sign == "!=")


def ordered(rows: Sequence[EpisodeRow], order: Order) -> list[str]:
    """The ids of the rows in the order in which a store must return them."""
    if not order.by:
        ids = [row.id for row in rows]
        return ids[::-1] if order.reverse else ids
    if order.by == HARM:
        ids = [row.id for row in sorted(rows, key=gravity)]
        return ids[::-1] if order.reverse else ids
    found = [(facet_values(order.by, row.model_dump(mode="json")), row.id) for row in rows]
    with_value = sorted(
        ((min(values), id) for values, id in found if values), key=lambda one: _bytewise(one[0])
    )
    ids, last = [id for _, id in with_value], [id for values, id in found if not values]
    return [*ids[::-1], *last[::-1]] if order.reverse else [*ids, *last]


def _bytewise(value: Any) -> Any:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
