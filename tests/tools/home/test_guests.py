"""Guests and codes come and go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.tools.home.world import House


def test_a_guest_comes_and_goes(house: House) -> None:
    guest = house.do("add_guest", name=" Ana Cruz ", phone="+1 202 555 0150", until="2026-03-09T18:00:00")
    assert (guest["id"], guest["name"], guest["until"]) == ("P-5", "Ana Cruz", "2026-03-09T18:00:00Z")
    code = house.do("create_code", person="P-5", locks=["front", "front"])
    assert (code["locks"], code["ends"], code["sent_to"]) == (
        ["front"],
        "2026-03-09T18:00:00Z",
        "+1 202 555 0150",
    )
    assert "code" not in code
    assert len(house.do("read_code", code=code["id"])["code"]) == 6
    assert house.do("revoke_guest", person="P-5")["status"] == "revoked"
    assert [one["status"] for one in house.do("list_codes", person="P-5")] == ["revoked"]
    assert house.row("codes", "N-1")["status"] == "active"
    assert house.refused("revoke_guest", person="P-5") == "no_access"


def test_guests_that_cannot_be_added_or_revoked(house: House) -> None:
    assert house.refused("add_guest", name="kim lee") == "already_there"
    assert house.refused("add_guest", name="Ana", until="2026-03-02T09:00:00Z") == "in_the_past"
    assert house.refused("add_guest", name="Ana", role="owner") == "bad_arguments"
    assert house.do("add_guest", name="Max Old")["status"] == "active"
    assert house.refused("revoke_guest", person="P-2") == "lives_here"
    assert house.refused("revoke_guest", person="P-99") == "not_found"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"person": "P-4"}, "no_access"),
        ({"person": "P-2"}, "no_phone"),
        ({"person": "P-3", "locks": []}, "no_locks"),
        ({"person": "P-3", "locks": ["attic"]}, "not_found"),
        ({"person": "P-3", "ends": "2026-04-02T00:00:00Z"}, "beyond_access"),
        ({"person": "P-3", "ends": "2026-03-02T08:00:00Z"}, "bad_period"),
        ({"person": "P-3", "starts": "2026-03-05T08:00:00Z", "ends": "2026-03-04T08:00:00Z"}, "bad_period"),
        ({"person": "P-3", "locks": "front"}, "bad_arguments"),
    ],
)
def test_codes_that_cannot_be_made(house: House, arguments: dict[str, Any], code: str) -> None:
    assert house.refused("create_code", **{"locks": ["front"], **arguments}) == code


def test_a_guests_code_needs_an_end_and_a_residents_does_not(house: House) -> None:
    house.do("add_guest", name="Ana", phone="+1 202 555 0150")
    assert house.refused("create_code", person="P-5", locks=["front"]) == "needs_end"
    assert house.do("create_code", person="P-1", locks=["front"])["ends"] is None


def test_no_two_codes_have_the_same_digits(house: House) -> None:
    made = [house.do("create_code", person="P-1", locks=["front"])["id"] for _ in range(3)]
    assert (
        len({house.do("read_code", code=code)["code"] for code in made}) == 3
    )  # though each call draws alike


def test_access_ends_with_time(house: House) -> None:
    house.now = datetime(2026, 4, 1, tzinfo=UTC)
    assert house.refused("create_code", person="P-3", locks=["front"]) == "no_access"


def test_codes_are_listed_without_digits_and_revoked_once(house: House) -> None:
    assert all("code" not in one for one in house.do("list_codes"))
    assert house.do("revoke_code", code="N-1")["status"] == "revoked"
    assert house.refused("revoke_code", code="N-1") == "already_revoked"
    assert house.refused("read_code", code="N-9") == "not_found"
