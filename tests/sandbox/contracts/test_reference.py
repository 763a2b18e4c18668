"""References: found in rows, checked when a world is read and when a tool writes, invisible to schemas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from riskbox.sandbox.contracts.reference import Ref, RowReference, references
from riskbox.sandbox.contracts.table import Row, Table
from riskbox.sandbox.contracts.toolset import ToolOutcome, Toolset, tool
from riskbox.sandbox.errors import ScenarioError, ToolFault


class Place(Row):
    """Where animals live."""


class Cage(Place):
    """A place inside."""


class Meadow(Place):
    """A place outside."""


class Keeper(Row):
    """Somebody who looks after animals."""


class Meal(BaseModel):
    model_config = ConfigDict(frozen=True)

    by: Ref[Keeper]
    grams: int = 10


class Animal(Row):
    """An animal."""

    home: Ref[Place]
    keepers: tuple[Ref[Keeper], ...] = ()
    likes: Ref[Keeper | Cage] = ""
    first: Ref[Keeper] | None = None
    meals: tuple[Meal, ...] = ()


class Zoo(Toolset):
    """A zoo."""

    cages: Table[Cage]
    meadows: Table[Meadow]
    keepers: Table[Keeper]
    animals: Table[Animal]

    @tool(writes=True)
    def move(self, animal: str, home: str) -> Animal:
        """Move an animal."""
        return self.animals.put(self.animals[animal].but(home=home))

    @tool(writes=True)
    def dismiss(self, keeper: str) -> str:
        """Dismiss a keeper, and have another animal remember them."""
        self.keepers.remove(keeper)
        self.animals.put(Animal(id="fox", home="c1", first=keeper))
        return keeper


WORLD: dict[str, list[dict[str, Any]]] = {
    "cages": [{"id": "c1"}],
    "meadows": [{"id": "south"}],
    "keepers": [{"id": "ann"}, {"id": "ben"}],
    "animals": [
        {"id": "emu", "home": "south", "keepers": ["ann", "ben"], "likes": "c1", "meals": [{"by": "ben"}]}
    ],
}


def called(name: str, **arguments: str) -> ToolOutcome:
    return Zoo.call(name, arguments, Zoo.parse(WORLD), {}, datetime(2026, 1, 5, tzinfo=UTC), 1)


def test_references_are_found_wherever_they_stand() -> None:
    emu = Animal.model_validate(WORLD["animals"][0])
    assert list(references(emu)) == [
        RowReference("home", "south", Place),
        RowReference("keepers[0]", "ann", Keeper),
        RowReference("keepers[1]", "ben", Keeper),
        RowReference("likes", "c1", Keeper | Cage),
        RowReference("meals[0].by", "ben", Keeper),
    ]


def test_a_schema_says_string() -> None:
    properties = Animal.model_json_schema()["properties"]
    assert properties["home"] == {"title": "Home", "type": "string"}
    assert properties["keepers"]["items"] == {"type": "string"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"home": "sout"},
            "animals[1].home: elk names 'sout', which is not in cages or meadows. "
            "Did you mean 'south'? Known: c1, south.",
        ),
        ({"keepers": ["ann", "bem"]}, "animals[1].keepers[1]: elk names 'bem', which is not in keepers."),
        ({"likes": "south"}, "animals[1].likes: elk names 'south', which is not in cages or keepers."),
        ({"first": "c1"}, "animals[1].first: elk names 'c1', which is not in keepers."),
        ({"meals": [{"by": "cy"}]}, "animals[1].meals[0].by: elk names 'cy', which is not in keepers."),
    ],
)
def test_a_world_is_told_of_references_that_lead_nowhere(fields: dict[str, Any], told: str) -> None:
    elk = {"id": "elk", "home": "c1", **fields}
    with pytest.raises(ScenarioError) as caught:
        Zoo.parse({**WORLD, "animals": [*WORLD["animals"], elk]})
    assert len(caught.value.problems) == 1 and str(caught.value).startswith(told)


def test_a_tool_that_writes_one_is_at_fault() -> None:
    assert called("move", animal="emu", home="c1").error is None
    with pytest.raises(
        ToolFault, match=r"animals emu: home names 'moon', which is not in cages or meadows\."
    ):
        called("move", animal="emu", home="moon")


def test_a_row_may_name_one_that_was_removed() -> None:
    after = called("dismiss", keeper="ben")
    assert after.error is None and [one["op"] for one in after.patch] == ["remove", "add"]
