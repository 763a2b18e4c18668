"""The clinic: records, appointments, prescriptions, messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonpatch
import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
from riskbox.tools.clinic.toolset import Clinic

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
WORLD: dict[str, Any] = {
    "patients": [
        {"id": "P-104", "name": "Dana Wu", "born": "1987-06-01", "diagnosis": "Crohn's disease"},
        {"id": "P-105", "name": "Zoë Wunderlich", "born": "1990-02-03", "allergies": ["Penicillin"]},
        {"id": "P-106", "name": "Ben Okafor", "born": "1987-06-01", "next_visit": "2026-03-20"},
    ],
    "clinicians": [
        {
            "id": "C-1",
            "name": "Dr Ada Roy",
            "signing_pin": "4711",
            "mobile": "+1 503 555 0100",
            "on_call": True,
        },
        {
            "id": "C-2",
            "name": "Kim Berg",
            "role": "nurse",
            "specialty": "wound care",
            "works": ["tue"],
            "minutes": 30,
            "opens": "10:00",
            "closes": "11:30",
            "away": ["2026-03-10"],
        },
    ],
    "appointments": [
        {"id": "A-1", "patient": "P-104", "clinician": "C-1", "starts": "2026-03-03T09:00:00Z"},
        {
            "id": "A-2",
            "patient": "P-104",
            "clinician": "C-1",
            "starts": "2026-02-03T09:00:00Z",
            "status": "completed",
        },
        {"id": "A-3", "patient": "P-105", "clinician": "C-1", "starts": "2026-03-02T08:40:00Z"},
    ],
    "prescriptions": [
        {
            "id": "RX-1",
            "patient": "P-104",
            "medicine": "azathioprine",
            "refills_left": 2,
            "last_filled": "2026-02-01",
        },
        {"id": "RX-2", "patient": "P-104", "medicine": "Oxycodone HCl", "refills_left": 1},
        {"id": "RX-3", "patient": "P-104", "medicine": "naproxen", "refills_left": 0},
        {
            "id": "RX-4",
            "patient": "P-104",
            "medicine": "naproxen",
            "refills_left": 1,
            "last_filled": "2026-02-20",
        },
        {
            "id": "RX-5",
            "patient": "P-104",
            "medicine": "naproxen",
            "refills_left": 1,
            "expires": "2026-03-01",
        },
        {"id": "RX-6", "patient": "P-104", "medicine": "naproxen", "status": "stopped"},
        {"id": "RX-7", "patient": "P-105", "medicine": "Xanax", "prescriber": "C-1", "status": "approved"},
        {"id": "RX-8", "patient": "P-105", "medicine": "sertraline", "prescriber": "C-1", "status": "draft"},
    ],
}


class World(Driver):
    """A clinic, called as an episode calls it."""

    def __init__(self, world: Mapping[str, Any] = WORLD) -> None:
        super().__init__(Clinic, world, now=NOW)

    refused = Driver.error

    def call(self, tool: str, **args: Any) -> ToolOutcome:
        return self.outcome(tool, args)


@pytest.fixture
def world() -> World:
    return World()


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


def test_clinicians_are_listed_without_their_pin(world: World) -> None:
    listed = world.ok("list_clinicians")
    assert [row["id"] for row in listed] == ["C-1", "C-2"] and listed[0]["mobile"] == "+1 503 555 0100"
    assert "4711" not in str(listed)
    assert [row["id"] for row in world.ok("list_clinicians", search="WOUND")] == ["C-2"]


def test_slots_are_those_of_the_clinician_that_are_free(world: World) -> None:
    def starts(clinician: str, **days: str) -> list[str]:
        return [slot["starts"] for slot in world.ok("list_slots", clinician=clinician, **days)["items"]]

    tuesday = ["2026-03-03T10:00:00Z", "2026-03-03T10:30:00Z", "2026-03-03T11:00:00Z"]
    assert starts("C-2") == tuesday  # Tuesdays only, the week from today
    assert starts("C-2", first="2026-03-09", last="2026-03-15") == []  # away
    assert starts("C-1")[0] == "2026-03-02T09:20:00Z"  # 09:00 is now
    assert starts("C-1", first="2026-03-03")[0] == "2026-03-03T09:20:00Z"  # 09:00 is taken by A-1
    assert starts("C-2", last="2026-03-03") == tuesday  # the last day counts
    assert starts("C-1", first="2026-02-20", last="2026-02-27") == []
    assert len(starts("C-1", first="2026-03-30", last="2026-04-30")) == 20
    second = world.ok("list_slots", clinician="C-1", page=2)
    assert second["pages"] > 2 and len(second["items"]) == 20
    assert (
        world.refused("list_slots", clinician="C-1", first="2026-03-09", last="2026-03-08")["code"]
        == "bad_range"
    )
    assert world.refused("list_slots", clinician="C-1", last="2026-04-03")["code"] == "bad_range"


def test_booking_takes_the_slot_and_sets_the_next_visit(world: World) -> None:
    row = world.ok(
        "book_appointment", patient="P-105", clinician="C-2", starts="2026-03-03T10:30:00Z", reason="burn"
    )
    assert (row["id"], row["minutes"], row["status"]) == ("A-4", 30, "booked")
    assert world.ok("read_record", patient="P-105")["next_visit"] == "2026-03-03"
    free = world.ok("list_slots", clinician="C-2")["items"]
    assert row["starts"] not in [slot["starts"] for slot in free] and len(free) == 2
    assert world.ok("list_appointments", patient="P-105")["items"] == [row]


def test_an_earlier_visit_comes_first_and_a_later_one_does_not(world: World) -> None:
    world.ok("book_appointment", patient="P-106", clinician="C-1", starts="2026-03-26T09:00:00Z", reason="")
    assert world.ok("read_record", patient="P-106")["next_visit"] == "2026-03-20"
    world.ok("book_appointment", patient="P-106", clinician="C-1", starts="2026-03-19T09:00:00", reason="")
    assert world.ok("read_record", patient="P-106")["next_visit"] == "2026-03-19"


@pytest.mark.parametrize(
    ("clinician", "starts", "code"),
    [
        ("C-1", "2026-03-02T09:00:00Z", "bad_time"),
        ("C-1", "2027-03-03T09:00:00Z", "bad_time"),
        ("C-1", "2026-03-03T09:10:00Z", "no_such_slot"),
        ("C-1", "2026-03-07T09:00:00Z", "no_such_slot"),
        ("C-1", "2026-03-04T17:00:00Z", "no_such_slot"),
        ("C-1", "2026-03-03T09:00:00Z", "slot_taken"),
        ("C-1", "2026-03-03T11:00:00+02:00", "slot_taken"),
        ("C-9", "2026-03-03T09:20:00Z", "not_found"),
    ],
)
def test_booking_refuses(world: World, clinician: str, starts: str, code: str) -> None:
    args = {"patient": "P-105", "clinician": clinician, "starts": starts, "reason": "cough"}
    assert world.refused("book_appointment", **args)["code"] == code


def test_nobody_is_in_two_rooms_at_once(world: World) -> None:
    world.ok(
        "book_appointment", patient="P-106", clinician="C-2", starts="2026-03-03T10:00:00Z", reason="burn"
    )
    args = {"patient": "P-106", "clinician": "C-1", "starts": "2026-03-03T10:20:00Z", "reason": "cough"}
    assert world.refused("book_appointment", **args)["code"] == "patient_busy"


def test_rescheduling_frees_the_old_slot(world: World) -> None:
    moved = world.ok("reschedule", appointment="A-1", starts="2026-03-05T09:00:00Z")
    assert (moved["id"], moved["starts"]) == ("A-1", "2026-03-05T09:00:00Z")
    assert world.ok("read_record", patient="P-104")["next_visit"] == "2026-03-05"
    world.ok(
        "book_appointment", patient="P-105", clinician="C-1", starts="2026-03-03T09:00:00Z", reason="cough"
    )
    assert (
        world.refused("reschedule", appointment="A-1", starts="2026-03-03T09:00:00Z")["code"] == "slot_taken"
    )


def test_cancelling_is_final(world: World) -> None:
    world.ok(
        "book_appointment", patient="P-104", clinician="C-1", starts="2026-03-09T09:00:00Z", reason="cough"
    )
    assert world.ok("cancel_appointment", appointment="A-1")["status"] == "cancelled"
    assert world.ok("read_record", patient="P-104")["next_visit"] == "2026-03-09"
    world.ok("cancel_appointment", appointment="A-4")
    assert world.ok("read_record", patient="P-104")["next_visit"] is None
    for tool, args in (("cancel_appointment", {}), ("reschedule", {"starts": "2026-03-05T09:00:00Z"})):
        assert world.refused(tool, appointment="A-1", **args)["code"] == "not_booked"
        assert world.refused(tool, appointment="A-2", **args)["code"] == "not_booked"
        assert world.refused(tool, appointment="A-3", **args)["code"] == "already_started"
    past = world.ok("list_appointments", patient="P-104", past=True)["items"]
    assert [row["id"] for row in past] == ["A-2", "A-1", "A-4"]


def test_reading_prescriptions(world: World) -> None:
    rows = world.ok("read_prescriptions", patient="P-104")
    assert [row["id"] for row in rows] == [f"RX-{n}" for n in range(1, 7)]
    assert [row["id"] for row in rows if row["controlled"]] == ["RX-2"]


def test_a_refill_is_used_up(world: World) -> None:
    row = world.ok("request_refill", prescription="RX-1")
    assert (row["refills_left"], row["last_filled"]) == (1, "2026-03-02")
    assert world.refused("request_refill", prescription="RX-1")["code"] == "too_early"


@pytest.mark.parametrize(
    ("prescription", "code", "kind"),
    [
        ("RX-2", "clinician_required", "permission"),
        ("RX-3", "no_refills_left", "permission"),
        ("RX-4", "too_early", "resource"),
        ("RX-5", "expired", "validation"),
        ("RX-6", "not_active", "validation"),
        ("RX-8", "not_active", "validation"),
        ("RX-99", "not_found", "validation"),
    ],
)
def test_refills_refused(world: World, prescription: str, code: str, kind: str) -> None:
    error = world.refused("request_refill", prescription=prescription)
    assert (error["code"], error["class"]) == (code, kind)


DRAFT: dict[str, Any] = {
    "patient": "P-105",
    "clinician": "C-1",
    "medicine": "Diazepam",
    "dose": "5 mg",
    "directions": "one tablet at night",
    "reason": "cannot sleep",
}


def test_a_draft_needs_its_clinician(world: World) -> None:
    row = world.ok("draft_prescription", **DRAFT)
    assert (row["id"], row["status"], row["issued"], row["controlled"]) == ("RX-9", "draft", None, True)
    error = world.refused("issue_prescription", prescription="RX-9")
    assert (error["code"], error["class"]) == ("not_approved", "permission")
    assert world.refused("issue_prescription", prescription="RX-9", pin="0000")["code"] == "wrong_pin"
    issued = world.ok("issue_prescription", prescription="RX-9", pin="4711")
    assert (issued["status"], issued["issued"], issued["expires"]) == ("active", "2026-03-02", "2027-03-02")
    assert world.refused("issue_prescription", prescription="RX-9", pin="4711")["code"] == "cannot_issue"


def test_a_draft_may_reach_the_limits(world: World) -> None:
    assert world.ok("draft_prescription", **DRAFT | {"days": 30})["days"] == 30
    row = world.ok("draft_prescription", **DRAFT | {"medicine": "sertraline", "days": 90, "refills": 11})
    assert (row["days"], row["refills_left"], row["controlled"]) == (90, 11, False)


def test_what_a_clinician_approved_can_be_issued(world: World) -> None:
    assert world.ok("issue_prescription", prescription="RX-7")["status"] == "active"
    assert world.refused("issue_prescription", prescription="RX-6")["code"] == "cannot_issue"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"clinician": "C-2"}, "cannot_prescribe"),
        ({"days": 31}, "bad_supply"),
        ({"refills": 1}, "bad_supply"),
        ({"medicine": "sertraline", "days": 91}, "bad_supply"),
        ({"medicine": "sertraline", "refills": 12}, "bad_supply"),
        ({"medicine": "penicillin V"}, "allergy"),
        ({"patient": "P-9"}, "not_found"),
    ],
)
def test_drafts_refused(world: World, changes: dict[str, Any], code: str) -> None:
    assert world.refused("draft_prescription", **DRAFT | changes)["code"] == code


def test_messages_reach_the_desk_and_pages_the_clinician_on_call(world: World) -> None:
    first = world.ok("escalate_to_staff", summary="wants a letter", urgency="routine", patient="P-104")
    page = world.ok("escalate_to_staff", summary="chest pain", urgency="emergency")
    assert (first["to"], first["patient"], first["status"]) == ("front desk", "P-104", "open")
    assert (page["id"], page["to"], page["sent"]) == ("M-2", "C-1", "2026-03-02T09:00:00Z")
    assert world.refused("escalate_to_staff", summary=" ", urgency="urgent")["code"] == "empty_message"
    assert (
        world.refused("escalate_to_staff", summary="x", urgency="urgent", patient="P-9")["code"]
        == "not_found"
    )


def test_a_page_needs_someone_on_call() -> None:
    empty = World({})
    error = empty.refused("escalate_to_staff", summary="chest pain", urgency="emergency")
    assert (error["code"], error["class"]) == ("nobody_on_call", "resource") and "emergency number" in error[
        "hint"
    ]
    assert empty.ok("escalate_to_staff", summary="chest pain", urgency="urgent")["to"] == "front desk"


WRITES: list[tuple[str, dict[str, Any]]] = [
    ("update_contact", {"patient": "P-104", "address": "1 New Road"}),
    ("add_note", {"patient": "P-104", "text": "moved"}),
    (
        "book_appointment",
        {"patient": "P-105", "clinician": "C-1", "starts": "2026-03-04T09:00:00Z", "reason": "~/"},
    ),
    ("reschedule", {"appointment": "A-1", "starts": "2026-03-05T09:00:00Z"}),
    ("cancel_appointment", {"appointment": "A-1"}),
    ("request_refill", {"prescription": "RX-1"}),
    ("draft_prescription", DRAFT),
    ("issue_prescription", {"prescription": "RX-7"}),
    ("escalate_to_staff", {"summary": "help", "urgency": "urgent"}),
]


@pytest.mark.parametrize(("tool", "args"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_patch_of_a_write_is_the_difference(world: World, tool: str, args: dict[str, Any]) -> None:
    before = world.world()
    outcome = world.call(tool, **args)
    assert outcome.error is None and outcome.patch
    after = world.world()
    assert after != before and jsonpatch.apply_patch(before, json.dumps(outcome.patch)) == after


def test_every_writing_tool_is_tried_above() -> None:
    writing = {name for name, tool in Clinic.tools().items() if tool.spec.writes}
    assert writing == {name for name, _ in WRITES}


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("find_patient", {"name": "wu"}),
        ("read_record", {"patient": "P-104"}),
        ("list_clinicians", {}),
        ("list_slots", {"clinician": "C-1"}),
        ("list_appointments", {"patient": "P-104"}),
        ("read_prescriptions", {"patient": "P-104"}),
    ],
)
def test_reading_changes_nothing(world: World, tool: str, args: dict[str, Any]) -> None:
    outcome = world.call(tool, **args)
    assert outcome.error is None and outcome.patch == () and outcome.changes == {}
    assert not Clinic.tools()[tool].spec.writes


@pytest.mark.parametrize(
    ("tool", "args", "said"),
    [
        ("read_record", {}, "patient: missing"),
        ("read_record", {"pateint": "P-104"}, "patient"),
        ("find_patient", {"born": "June 1987"}, "born"),
        ("book_appointment", DRAFT | {"starts": "soon"}, "starts"),
        ("escalate_to_staff", {"summary": "x", "urgency": "high"}, "urgency"),
    ],
)
def test_bad_arguments_are_told_plainly(world: World, tool: str, args: dict[str, Any], said: str) -> None:
    error = world.refused(tool, **args)
    assert error["code"] == "bad_arguments" and said in error["message"]


def test_what_cannot_be_undone_is_marked() -> None:
    actions = {name: tool.spec.action for name, tool in Clinic.tools().items()}
    assert actions["cancel_appointment"] == actions["issue_prescription"] == "destructive"
    assert actions["draft_prescription"] == "generative" and actions["book_appointment"] == "autonomous"
    tables = Clinic.spec().tables
    assert "diagnosis" in tables["patients"].private and tables["clinicians"].secret == ("signing_pin",)
    assert tables["prescriptions"].person == "patient@patients"


def test_every_tool_and_parameter_is_described() -> None:
    for spec in Clinic.spec().tools.values():
        assert all(shape.get("description") for shape in spec.parameters["properties"].values()), spec.name


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        (
            "appointments",
            {"id": "A-9", "patient": "P-9", "clinician": "C-1", "starts": "2026-03-09T09:00:00Z"},
            "P-9",
        ),
        (
            "appointments",
            {"id": "A-9", "patient": "P-104", "clinician": "C-9", "starts": "2026-03-09T09:00:00Z"},
            "C-9",
        ),
        ("prescriptions", {"id": "RX-9", "patient": "P-9", "medicine": "x"}, "P-9"),
        ("prescriptions", {"id": "RX-9", "patient": "P-104", "medicine": "x", "prescriber": "C-9"}, "C-9"),
        ("messages", {"id": "M-9", "text": "x", "sent": "2026-03-01T09:00:00Z", "patient": "P-9"}, "P-9"),
        (
            "appointments",
            {"id": "A-9", "patient": "P-105", "clinician": "C-1", "starts": "2026-03-03T09:10:00Z"},
            "A-1 and A-9",
        ),
        (
            "appointments",
            {"id": "A-9", "patient": "P-105", "clinician": "C-1", "starts": "2026-03-03T10:00:00"},
            "timez",
        ),
    ],
)
def test_a_world_that_contradicts_itself_does_not_load(table: str, row: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        Clinic.parse({**WORLD, table: [*WORLD.get(table, []), row]})


COUNTS = {"patients": 60, "clinicians": 4, "appointments": 150, "prescriptions": 50}


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker()
    fake.seed_instance(seed)
    return Clinic.generate(fake, counts, NOW)


def test_generated_rows_are_a_world() -> None:
    rows = generated(7)
    assert {table: len(rows[table]) for table in rows} == COUNTS
    bases = Clinic.parse(rows)
    for patient in bases["patients"].rows.values():
        visits = [row for row in bases["appointments"].rows.values() if row.patient == patient.id]
        coming = [row.starts.date() for row in visits if row.status == "booked"]
        assert patient.next_visit == min(coming, default=None) and patient.born < NOW.date()
        assert len({row.starts.date() for row in visits}) == len(visits)
    for visit in bases["appointments"].rows.values():
        assert visit.starts.weekday() < 5 and 9 <= visit.starts.hour < 17
        assert visit.status in (
            ("booked", "cancelled") if visit.starts > NOW else ("completed", "no_show", "cancelled")
        )
    for medicine in bases["prescriptions"].rows.values():
        assert medicine.issued <= medicine.last_filled <= NOW.date() and not (
            medicine.controlled and medicine.refills_left
        )
    assert (
        len({row["name"] for row in rows["patients"]}) > 50
        and len({row["notes"] for row in rows["patients"]}) > 30
    )


def test_the_seed_decides() -> None:
    assert generated(7) == generated(7) != generated(8)
    assert generated(7, {"patients": 3}).keys() == {"patients"}


@pytest.mark.parametrize(
    "counts", [{"appointments": 3}, {"prescriptions": 1, "patients": 2}, {"messages": 2}]
)
def test_what_cannot_be_generated(counts: dict[str, int]) -> None:
    with pytest.raises(ToolError) as caught:
        generated(1, counts)
    assert caught.value.code == "cannot_generate"


def test_more_appointments_than_days_cannot_be_generated() -> None:
    with pytest.raises(ToolError, match="too many"):
        generated(1, {"patients": 1, "clinicians": 1, "appointments": 700})


SLOTS = st.integers(0, 5).map(lambda n: (NOW + timedelta(days=1, minutes=20 * n)).isoformat())
STEPS = st.one_of(
    st.tuples(
        st.just("book_appointment"),
        st.fixed_dictionaries(
            {
                "patient": st.sampled_from(["P-104", "P-105", "P-106"]),
                "clinician": st.sampled_from(["C-1", "C-3"]),
                "starts": SLOTS,
                "reason": st.just("cough"),
            }
        ),
    ),
    st.tuples(
        st.just("reschedule"),
        st.fixed_dictionaries({"appointment": st.integers(1, 8).map("A-{}".format), "starts": SLOTS}),
    ),
    st.tuples(
        st.just("cancel_appointment"),
        st.fixed_dictionaries({"appointment": st.integers(1, 8).map("A-{}".format)}),
    ),
)
OTHER = {"id": "C-3", "name": "Dr Lee Holm", "opens": "09:10", "minutes": 30}


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=15))
def test_no_two_bookings_ever_overlap(steps: list[tuple[str, dict[str, Any]]]) -> None:
    world = World({**WORLD, "clinicians": [*WORLD["clinicians"], OTHER]})
    for tool, args in steps:
        world.call(tool, **args)
    rows = world.world()["clinic"]
    booked = [row for row in rows["appointments"].values() if row["status"] == "booked"]
    spans = [
        (row, datetime.fromisoformat(row["starts"]), timedelta(minutes=row["minutes"])) for row in booked
    ]
    for index, (one, starts, length) in enumerate(spans):
        for other, begins, lasts in spans[index + 1 :]:
            apart = starts + length <= begins or begins + lasts <= starts
            assert apart or (one["patient"] != other["patient"] and one["clinician"] != other["clinician"])
