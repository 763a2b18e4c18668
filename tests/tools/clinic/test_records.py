"""Patients are found, their records read and changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.clinic.world import World


def test_a_small_world_of_one_line() -> None:
    dana = {"id": "P-104", "name": "Dana Wu", "born": "1987-06-01", "diagnosis": "Crohn's disease"}
    small = World({"patients": [dana | {"next_visit": "2026-04-14"}]})
    assert small.ok("find_patient", name="dana wu")["items"] == [{k: dana[k] for k in ("id", "name", "born")}]
    record = small.ok("read_record", patient="P-104")
    assert (record["diagnosis"], record["next_visit"], record["notes"]) == (
        "Crohn's disease",
        "2026-04-14",
        "",
    )


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ({"name": "WU"}, ["P-104", "P-105"]),
        ({"name": "wu dan"}, ["P-104"]),
        ({"name": "zoe"}, ["P-105"]),
        ({"born": "1987-06-01"}, ["P-104", "P-106"]),
        ({"name": "ben", "born": "1987-06-01"}, ["P-106"]),
        ({"name": "ben", "born": "1990-02-03"}, []),
    ],
)
def test_find_patient(world: World, args: dict[str, Any], found: list[str]) -> None:
    page = world.ok("find_patient", **args)
    assert [row["id"] for row in page["items"]] == found and page["total"] == len(found)
    assert all(row.keys() == {"id", "name", "born"} for row in page["items"])


def test_find_patient_refuses_to_list_everyone(world: World) -> None:
    assert world.refused("find_patient", name="  ")["code"] == "too_broad"
    assert world.refused("find_patient", name="wu", page=2)["code"] == "no_such_page"


def test_update_contact(world: World) -> None:
    row = world.ok("update_contact", patient="P-104", phone="+1 503 555 0142", email="dana@example.org")
    assert (row["phone"], row["email"], row["address"]) == ("+1 503 555 0142", "dana@example.org", "")
    assert world.ok("read_record", patient="P-104") == row
    assert world.refused("update_contact", patient="P-104", phone="12")["code"] == "invalid_phone"
    assert world.refused("update_contact", patient="P-104", email="dana@")["code"] == "invalid_email"
    assert world.refused("update_contact", patient="P-104")["code"] == "nothing_to_change"
    assert world.refused("update_contact", patient="P-9", phone="+1 503 555 0142")["code"] == "not_found"


def test_notes_are_kept_oldest_first(world: World) -> None:
    world.ok("add_note", patient="P-104", text="called back")
    notes = world.ok("add_note", patient="P-104", text=" no answer ")["notes"]
    assert notes == "2026-03-02 09:00 called back\n2026-03-02 09:00 no answer"
    assert world.refused("add_note", patient="P-104", text=" ")["code"] == "bad_note"
    assert world.refused("add_note", patient="P-104", text="x" * 2001)["code"] == "bad_note"
