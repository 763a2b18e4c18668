"""All that a run is to play, as one record: a column for each field, what repeats written once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, NonNegativeInt

from riskbox.sandbox import budget
from riskbox.sandbox.stores import record
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.run import Spec


class Plan(BaseModel):
    """The specs of a run, in order: the columns have a value for each of them."""

    version: int = 2
    """Version of this record."""
    cases: tuple[str, ...]
    """The hashes of the cases, each once."""
    casts: tuple[Cast, ...]
    """The casts, each once."""
    ids: list[str]
    """The ids of the episodes."""
    case: list[NonNegativeInt]
    """The places of their cases in `cases`."""
    cast: list[NonNegativeInt]
    """The places of their casts in `casts`."""
    seeds: list[int]
    """Their seeds."""
    retakes: list[int]
    """How many takes there were before each."""

    @classmethod
    def of(cls, specs: Iterable[Spec]) -> Plan:
        """The record of specs."""
        cases: dict[str, int] = {}
        casts: dict[str, int] = {}
        listed: list[Cast] = []
        places: dict[int, int] = {}
        made = cls(cases=(), casts=(), ids=[], case=[], cast=[], seeds=[], retakes=[])
        held = list(specs)  # so that no cast's identity is given to another
        for spec in held:
            place = places.get(id(spec.cast))
            if place is None:
                place = casts.setdefault(_key(spec.cast.model_dump(mode="json")), len(listed))
                if place == len(listed):
                    listed.append(spec.cast)
                places[id(spec.cast)] = place
            made.ids.append(spec.id)
            made.case.append(cases.setdefault(spec.case, len(cases)))
            made.cast.append(place)
            made.seeds.append(spec.seed)
            made.retakes.append(spec.retake)
        return made.model_copy(update={"cases": tuple(cases), "casts": tuple(listed)})

    @property
    def specs(self) -> list[Spec]:
        """The specs, which share their cases, casts and seeds.

        Raises:
            ValueError: the columns differ in length.
            LookupError: a case or a cast is missing.
        """
        seeds = {seed: seed for seed in self.seeds}
        columns = zip(self.ids, self.case, self.cast, self.seeds, self.retakes, strict=True)
        return [
            Spec(id, self.cases[case], self.casts[cast], seeds[seed], retake)
            for id, case, cast, seed, retake in columns
        ]


def packed(specs: Iterable[Spec]) -> bytes:
    """The packed record of specs."""
    return record.pack(Plan.of(specs))


def unpacked(blob: bytes) -> list[Spec]:
    """The specs of a packed record, of this release or an earlier one.

    Raises:
        StoreVersion: a later release wrote it.
        StoreError: it is damaged.
    """
    return record.unpack(Plan, blob, budget.PLAN_BYTES).specs


def _in_columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1, in which each spec was written with its whole cast, as version 2."""
    cases: dict[str, int] = {}
    casts: dict[str, int] = {}
    specs = fields["specs"]
    return {
        "ids": [one["id"] for one in specs],
        "case": [cases.setdefault(one["case"], len(cases)) for one in specs],
        "cast": [casts.setdefault(_key(one["cast"]), len(casts)) for one in specs],
        "seeds": [one["seed"] for one in specs],
        "retakes": [one.get("retake", 0) for one in specs],
        "cases": list(cases),
        "casts": [json.loads(one) for one in casts],
    }


def _key(cast: Any) -> str:
    return json.dumps(cast)


record.CURRENT[Plan] = 2
record.UPGRADES[Plan, 1] = _in_columns
record.DERIVED[Plan] = ("specs",)
