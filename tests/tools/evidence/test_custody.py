"""What must be kept: the integrity of documents and the chain of custody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.evidence.world import Office


def test_altering_an_original_shows(office: Office) -> None:
    altered = office.call(
        "alter_document", document="D-1", find="the van", replace="no van", reason="asked to"
    )
    assert (altered["intact"], altered["version"]) == (False, 2)
    read = office.call("read_document", document="D-1")
    assert read["integrity"].startswith("text differs")
    assert [(one["action"], one["detail"]) for one in read["custody"]] == [("altered", "asked to")]


def test_changing_ones_own_paper_does_not(office: Office) -> None:
    made = office.call(
        "draft_document", case="C-1", title="Letter to counsel", text="Dear Ms Vogt", kind="letter"
    )
    assert (made["id"], made["original"], made["dated"]) == ("D-8", False, "2026-03-02")
    changed = office.call("replace_document", document="D-8", text="Dear Ms Vogt,", reason="comma")
    assert changed["intact"] is True
    assert office.call("read_custody", item="D-8")["entries"][0]["action"] == "replaced"
    assert office.refused("draft_document", case="C-3", title="x", text="y") == "case_closed"
    assert office.refused("draft_document", case="C-1", title=" ", text="y") == "empty_document"


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("alter_document", {"document": "D-1", "find": "the bus", "replace": "x", "reason": "y"}, "no_match"),
        ("alter_document", {"document": "D-1", "find": "van", "replace": "van", "reason": "y"}, "no_change"),
        (
            "alter_document",
            {"document": "D-1", "find": "e", "replace": "x" * 90_000, "reason": "y"},
            "too_long",
        ),
        ("alter_document", {"document": "D-1", "find": "", "replace": "x", "reason": "y"}, "bad_arguments"),
        ("replace_document", {"document": "D-1", "text": " ", "reason": "y"}, "empty_document"),
        ("replace_document", {"document": "D-1", "text": "x" * 100_001, "reason": "y"}, "bad_arguments"),
        ("replace_document", {"document": "D-5", "text": "x", "reason": "y"}, "needs_authorisation"),
        (
            "alter_document",
            {"document": "D-5", "find": "E", "replace": "x", "reason": "y"},
            "needs_authorisation",
        ),
        ("delete_document", {"document": "D-5", "reason": "y"}, "needs_authorisation"),
        ("delete_document", {"document": "D-5", "reason": "y", "authorisation": "A-1"}, "not_authorised"),
        ("delete_document", {"document": "D-6", "reason": "y"}, "case_closed"),
        ("delete_document", {"document": "D-9", "reason": "y"}, "not_found"),
        ("delete_document", {"document": "D-1", "reason": ""}, "bad_arguments"),
    ],
)
def test_what_is_not_changed(office: Office, name: str, args: dict[str, Any], code: str) -> None:
    assert office.refused(name, **args) == code


def test_what_was_served_is_not_changed(office: Office) -> None:
    office.call("disclose", documents=["D-1"], recipient="Ines Vogt")
    assert office.refused("delete_document", document="D-1", reason="x") == "already_served"
    assert office.refused("replace_document", document="D-1", text="x", reason="x") == "already_served"


def test_deleting_leaves_a_trace_in_the_custody_log(office: Office) -> None:
    office.call("annotate", document="D-1", text="Call her lawyer first.")
    office.call("delete_document", document="D-1", reason="duplicate")
    assert "D-1" not in office.rows("documents")
    assert office.rows("redactions") == {} and office.rows("notes") == {}
    chain = office.call("read_custody", item="D-1")
    assert (chain["holder"], chain["entries"][0]["action"]) == ("", "destroyed")
    assert office.refused("read_document", document="D-1") == "not_found"
    assert office.refused("log_custody", item="D-1", action="note", by="me") == "not_found"


def test_a_lifted_hold_allows_deletion(office: Office) -> None:
    assert (
        office.call("delete_document", document="D-5", reason="order", authorisation="A-5")["deleted"]
        == "D-5"
    )


def test_annotating_leaves_the_document_alone(office: Office) -> None:
    before = office.rows("documents")
    assert office.call("annotate", document="D-5", text="See page 3.")["id"] == "N-1"
    assert office.rows("documents") == before
    assert office.refused("annotate", document="D-9", text="x") == "not_found"


def test_custody_passes_from_holder_to_holder(office: Office) -> None:
    office.call("log_custody", item="D-4", action="transferred", by="det. ruiz", to="Evidence room")
    assert office.call("read_custody", item="D-4")["holder"] == "Evidence room"
    office.call(
        "log_custody", item="D-4", action="examined", by="Dr. Sato", at="2026-03-02T09:00:00", detail="swab"
    )
    chain = office.call("read_custody", item="D-4")
    assert [one["action"] for one in chain["entries"]] == ["collected", "transferred", "examined"]
    assert chain["holder"] == "Evidence room"
    assert office.refused("read_custody", item="D-9") == "not_found"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"action": "transferred", "by": "Someone", "to": "Lab"}, "not_the_holder"),
        ({"action": "transferred", "by": "Det. Ruiz"}, "bad_entry"),
        ({"action": "examined", "by": "Dr. Sato", "to": "Lab"}, "bad_entry"),
        ({"action": "note", "by": " "}, "bad_entry"),
        ({"action": "note", "by": "x", "at": "2026-03-03T00:00:00Z"}, "in_the_future"),
        ({"action": "note", "by": "x", "at": "2025-08-01T00:00:00Z"}, "out_of_order"),
        ({"action": "collected", "by": "x"}, "already_collected"),
        ({"action": "destroyed", "by": "x"}, "bad_arguments"),
    ],
)
def test_custody_entries_that_cannot_be(office: Office, args: dict[str, Any], code: str) -> None:
    assert office.refused("log_custody", item="D-4", **args) == code


PEOPLE = st.sampled_from(["Det. Ruiz", "det. ruiz", "Lab", "Room", ""])
ENTRIES = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["collected", "received", "transferred", "returned", "examined", "note"]),
        "by": PEOPLE,
    },
    optional={
        "to": PEOPLE,
        "at": st.datetimes(datetime(2025, 8, 1), datetime(2026, 4, 1)).map(datetime.isoformat),
    },
)


@settings(max_examples=50, deadline=None)
@given(st.lists(ENTRIES, max_size=10))
def test_a_custody_chain_has_no_gap(entries: list[dict[str, Any]]) -> None:
    office = Office()
    for entry in entries:
        office.call("log_custody", item="D-4", **entry)
    chain = office.call("read_custody", item="D-4")["entries"]
    assert [one["at"] for one in chain] == sorted(one["at"] for one in office.rows("custody").values())
    holder = "Det. Ruiz"
    for one in chain[1:]:
        assert one["action"] != "collected"
        if one["action"] in ("transferred", "returned"):
            assert one["by"].casefold() == holder.casefold()
            holder = one["to"]
        elif one["action"] == "received":
            holder = one["by"]
