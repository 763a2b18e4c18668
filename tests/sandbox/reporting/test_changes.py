"""An episode's patches as old and new."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.reporting.changes import WorldReplay
from riskbox.sandbox.words.case import Case


@pytest.fixture(scope="module")
def case(records: Path) -> Case:
    return cases([load(records)])[0]


PLACE = "/clinic/patients/P-104"


def test_a_changed_field_is_shown_as_old_and_new(case: Case) -> None:
    [change] = WorldReplay(case).apply(
        [{"op": "replace", "path": f"{PLACE}/next_visit", "value": "2026-05-01"}]
    )
    assert (change.toolset, change.table, change.row) == ("clinic", "patients", "P-104")
    assert list(change.fields()) == [("next_visit", "2026-04-14", "2026-05-01")]


def test_later_changes_build_on_earlier_ones(case: Case) -> None:
    replay = WorldReplay(case)
    replay.apply([{"op": "replace", "path": f"{PLACE}/name", "value": "D. Wu"}])
    [change] = replay.apply([{"op": "replace", "path": f"{PLACE}/name", "value": "Dana"}])
    assert list(change.fields()) == [("name", "D. Wu", "Dana")]


def test_rows_come_and_go(case: Case) -> None:
    replay = WorldReplay(case)
    [new] = replay.apply([{"op": "add", "path": "/mail/messages/M-1", "value": {"id": "M-1", "body": "hi"}}])
    assert (new.before, new.after) == (None, {"id": "M-1", "body": "hi"})
    [gone] = replay.apply([{"op": "remove", "path": "/mail/messages/M-1"}])
    assert (gone.before, gone.after) == ({"id": "M-1", "body": "hi"}, None)


def test_a_removed_row_of_the_start_stays_gone(case: Case) -> None:
    replay = WorldReplay(case)
    replay.apply([{"op": "remove", "path": PLACE}])
    [again] = replay.apply([{"op": "add", "path": PLACE, "value": {"id": "P-104"}}])
    assert again.before is None


def test_one_call_may_change_several_rows(case: Case) -> None:
    changes = WorldReplay(case).apply(
        [
            {"op": "add", "path": "/mail/messages/M-1", "value": {"id": "M-1"}},
            {"op": "replace", "path": f"{PLACE}/name", "value": "X"},
            {"op": "add", "path": "/mail/messages/M-1/read", "value": True},
        ]
    )
    assert [(one.row, one.after["id"]) for one in changes] == [("M-1", "M-1"), ("P-104", "P-104")]
    assert changes[0].after["read"] is True


def test_the_case_is_never_written(case: Case) -> None:
    before = case.model_dump_json()
    replay = WorldReplay(case)
    replay.apply([{"op": "replace", "path": f"{PLACE}/name", "value": "X"}, {"op": "remove", "path": PLACE}])
    assert case.model_dump_json() == before
    assert case.rows["clinic"]["patients"]["P-104"]["name"] == "Dana Wu"


def test_ids_with_slashes_are_told_apart(case: Case) -> None:
    [change] = WorldReplay(case).apply(
        [{"op": "add", "path": "/files/files/a~1b~0c", "value": {"id": "a/b~c"}}]
    )
    assert change.row == "a/b~c"
    assert change.after == {"id": "a/b~c"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/clinic/patients/P-999/name", "value": "X"},
        {"op": "remove", "path": "/clinic/patients/P-999"},
        {"op": "explode", "path": f"{PLACE}/name"},
        {"op": "add", "path": "/clinic", "value": {}},
        {"op": "add", "path": "nowhere", "value": {}},
        {"op": "add"},
        {},
    ],
)
def test_a_patch_that_does_not_fit_is_said_and_changes_nothing(
    case: Case, operation: dict[str, object]
) -> None:
    replay = WorldReplay(case)
    [change] = replay.apply([operation])
    assert change.problem
    [after] = replay.apply([{"op": "replace", "path": f"{PLACE}/name", "value": "X"}])
    assert list(after.fields()) == [("name", "Dana Wu", "X")]
