"""The kit lets a good toolset pass, and says of each bad one what is wrong with it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Toolset, tool
from riskbox.sandbox.testing import Driver, check_toolset

WORLD = {"parcels": [{"id": f"PX-{n}", "addressee": "Ines Falk"} for n in range(12)]}
CALLS = [("find", {"addressee": "Falk"}), ("hand_out", {"parcel": "PX-3"}), ("ring", {})]


class Parcel(Row):
    """A parcel."""

    addressee: str
    """Who it is for."""
    collected: bool = False
    """Whether it was fetched."""


class Depot(Toolset):
    """A parcel depot's counter."""

    name = "depot"
    parcels: Table[Parcel]

    @tool
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find parcels by their addressee.

        Args:
            addressee: All or part of the name.
            page: Which page, from 1.
        """
        found = [one for one in self.parcels if addressee.lower() in one.addressee.lower()]
        return paged([{"id": one.id} for one in found], page)

    @tool(writes=True)
    def hand_out(self, parcel: str) -> Parcel:
        """Hand a parcel out.

        Args:
            parcel: The parcel's id.
        """
        row = self.parcels[parcel]
        if row.collected:
            raise ToolError("already_collected", "It was collected before.")
        return self.parcels.put(row.but(collected=True))

    @tool
    async def ring(self) -> dict[str, int]:
        """Ring the bell."""
        return {"rings": self.random.randint(1, 9)}

    @classmethod
    def generate(cls, fake: Any, counts: Any, now: Any) -> dict[str, list[dict[str, Any]]]:
        """Parcels for somebody."""
        return {
            "parcels": [{"id": f"PX-{n}", "addressee": fake.name()} for n in range(counts.get("parcels", 0))]
        }


def test_a_good_toolset_passes() -> None:
    check_toolset(Depot, WORLD, CALLS, counts={"parcels": 3})


def test_the_driver_remembers_what_its_calls_changed() -> None:
    driver = Driver(Depot, WORLD)
    assert driver.ok("hand_out", parcel="PX-3")["collected"] and driver.rows("parcels")["PX-3"]["collected"]
    assert driver.error("hand_out", parcel="PX-3")["code"] == "already_collected"
    assert driver.world()["depot"]["parcels"]["PX-4"] == {
        "id": "PX-4",
        "addressee": "Ines Falk",
        "collected": False,
    }
    with pytest.raises(AssertionError, match=r"was refused: .*already_collected"):
        driver.ok("hand_out", parcel="PX-3")
    with pytest.raises(AssertionError, match="was not refused"):
        driver.error("hand_out", parcel="PX-4")


class Writing(Depot):
    @tool
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find.

        Args:
            addressee: The name.
            page: Which page.
        """
        self.parcels.remove("PX-0")
        return {}


class Drawing(Depot):
    @tool
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find.

        Args:
            addressee: The name.
            page: Which page.
        """
        return {"draw": random.random()}


class Crashing(Depot):
    @tool
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find.

        Args:
            addressee: The name.
            page: Which page.
        """
        return {"first": addressee[0]}


class Sneaking(Depot):
    @tool(writes=True)
    def hand_out(self, parcel: str) -> Parcel:
        """Hand out.

        Args:
            parcel: The parcel.
        """
        row: Parcel = self.parcels[parcel].but(collected=True)
        self.parcels._write(parcel, row)
        self.parcels.patch.append({"op": "test", "path": "/depot/parcels/PX-9/id", "value": "PX-9"})
        return row


class Miscounting(Depot):
    @tool
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find.

        Args:
            addressee: The name.
            page: Which page.
        """
        return {**paged([{"id": one.id} for one in self.parcels], page), "total": 7}


class Endless(Depot):
    @tool
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find.

        Args:
            addressee: The name.
            page: Which page.
        """
        return {"items": [{"id": page}], "page": page, "pages": 2, "total": 2}


class Silent(Depot):
    @tool
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find."""
        return {}


class Constant(Depot):
    @classmethod
    def generate(cls, fake: Any, counts: Any, now: Any) -> dict[str, list[dict[str, Any]]]:
        """The same parcels for every seed."""
        return {"parcels": [{"id": "PX-1", "addressee": "x"}] * counts["parcels"]}


class Varying(Depot):
    @classmethod
    def generate(cls, fake: Any, counts: Any, now: Any) -> dict[str, list[dict[str, Any]]]:
        """Other parcels each time."""
        return {"parcels": [{"id": f"PX-{random.random()}", "addressee": "x"}] * counts["parcels"]}


class Overreaching(Depot):
    @tool(writes=True, changes=["parcels.collected=false"], reads=["parcels"])
    def hand_out(self, parcel: str) -> Parcel:
        """Hand out.

        Args:
            parcel: The parcel.
        """
        return self.parcels.put(self.parcels[parcel].but(collected=True))


class Telling(Depot):
    @tool(writes=True, changes=["parcels.collected"])
    def hand_out(self, parcel: str) -> Parcel:
        """Hand out.

        Args:
            parcel: The parcel.
        """
        return self.parcels.put(self.parcels[parcel].but(collected=True))


class Misdeclaring(Depot):
    @tool(reads=["parcels.adressee"])
    def find(self, addressee: str, page: int = 1) -> dict[str, Any]:
        """Find.

        Args:
            addressee: The name.
            page: Which page.
        """
        return {}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Overreaching, r"changed /depot/parcels/PX-\d+/collected, which depot.hand_out does not declare"),
        (
            Telling,
            r"told /parcels/PX-\d+/addressee, which depot.hand_out does not declare; add 'parcels.addressee'",
        ),
        (Misdeclaring, "depot.find declares reads parcels.adressee, which is no place"),
        (Writing, r"depot.find\(.*marked reading but wrote parcels"),
        (Drawing, r"depot.find\(.*gives another result when it is called again with the same seed"),
        (Crashing, r"depot.find\(\{'addressee': ''\}\): .*IndexError"),
        (Sneaking, r"depot.hand_out\(.*its patch does not give the new world"),
        (Miscounting, "depot.find counts 7 items and lists 12"),
        (Endless, "was not refused"),
        (Silent, "depot.find does not describe 'addressee' under Args"),
        (Constant, "depot generates the same rows for every seed"),
        (Varying, "depot generates other rows for the same seed"),
    ],
)
def test_a_bad_toolset_is_told_what_is_wrong(kind: type[Toolset], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_toolset(kind, WORLD, CALLS, counts={"parcels": 3})


def test_every_tool_must_be_shown_to_work() -> None:
    with pytest.raises(AssertionError, match="no call shows that these tools work: hand_out, ring"):
        check_toolset(Depot, WORLD, CALLS[:1])
    with pytest.raises(AssertionError, match="depot has no tool hand_uot"):
        check_toolset(Depot, WORLD, [("hand_uot", {})])
