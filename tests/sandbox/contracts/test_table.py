"""Tables: one view of shared rows and an episode's changes, each written down as a patch that proves itself."""

from __future__ import annotations

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import Row, StartRows, Table, ToolError, has_words, paged, pointer


class Note(Row):
    """A note."""

    text: str = ""
    """What it says."""


def start(*ids: str) -> StartRows[Note]:
    return StartRows(Note, [Note(id=id, text=f"note {id}") for id in ids])


def table(rows: StartRows[Note]) -> Table[Note]:
    return Table(rows, {}, ("desk", "notes"))


def test_changes_are_seen_through_the_table_and_never_reach_the_shared_rows() -> None:
    rows = start("N-1", "N-2")
    notes = table(rows)
    notes.put(Note(id="N-3", text="new"))
    notes.put(notes["N-1"].but(text="changed"))
    notes.remove("N-2")
    assert [one.id for one in notes] == ["N-1", "N-3"] and len(notes) == 2
    assert "N-2" not in notes and notes.get("N-2") is None and notes["N-1"].text == "changed"
    assert [one.text for one in rows.rows.values()] == ["note N-1", "note N-2"]
    assert notes.where(text="new") == [Note(id="N-3", text="new")]


def test_what_is_not_there_is_a_tool_error_in_the_singular() -> None:
    notes = table(start("N-1"))
    for act in (notes.__getitem__, notes.remove):
        with pytest.raises(ToolError) as refused:
            act("N-9")
        assert refused.value.as_json() == {
            "class": "validation",
            "code": "not_found",
            "message": "No note has the id 'N-9'.",
            "retryable": True,
            "hint": "Search for it first.",
        }


def test_ids_are_new_even_after_a_row_is_gone() -> None:
    notes = table(start("N-1", "N-07", "X-99", "N-x"))
    assert notes.next_id("N-") == "N-8" and notes.next_id("N-", 4) == "N-0008"
    notes.put(Note(id=notes.next_id("N-")))
    notes.remove("N-8")
    assert notes.next_id("N-") == "N-9" and notes.next_id("Q") == "Q1"


ids = st.sampled_from(["N-1", "N-2", "N/3", "N~4"])
writes = st.lists(st.tuples(st.sampled_from(["put", "remove"]), ids, st.text(max_size=5)), max_size=12)


@given(writes)
def test_the_patch_makes_the_rows_after_from_the_rows_before(done: list[tuple[str, str, str]]) -> None:
    rows = start("N-1", "N/3")
    notes = table(rows)
    for what, id, text in done:
        if what == "put":
            notes.put(Note(id=id, text=text))
        elif id in notes:
            notes.remove(id)
    before = {"desk": {"notes": {id: row.model_dump(mode="json") for id, row in rows.rows.items()}}}
    after = jsonpatch.apply_patch(before, notes.patch)
    assert after["desk"]["notes"] == {one.id: one.model_dump(mode="json") for one in notes}


def test_a_row_put_as_it_is_leaves_no_patch() -> None:
    notes = table(start("N-1"))
    notes.put(notes["N-1"])
    assert notes.patch == []


def test_a_pointer_escapes_what_it_must() -> None:
    assert pointer("files", "/srv/a~b") == "/files/~1srv~1a~0b"


def test_pages_are_counted_from_one_and_none_is_beyond_the_last() -> None:
    assert paged(range(23), 3) == {"items": [20, 21, 22], "page": 3, "pages": 3, "total": 23}
    assert paged([]) == {"items": [], "page": 1, "pages": 1, "total": 0}
    for page in (0, 4):
        with pytest.raises(ToolError, match=f"There is no page {page}; the last is 3"):
            paged(range(23), page)


def test_every_word_must_occur_in_one_of_the_texts() -> None:
    assert has_words("Wu DANA", "Dana", "wu") and not has_words("Dana Hale", "Dana", "Wu") and has_words("")
