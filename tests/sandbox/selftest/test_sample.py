"""What models are tried on."""

from __future__ import annotations

from collections.abc import Sequence

from riskbox.sandbox.selftest.sample import Labelled, by_turns


def test_labels_are_references_and_alternatives(agents_of_clinic: Sequence[Labelled]) -> None:
    kinds = {one.agent.partition(":")[0] for one in agents_of_clinic}
    assert kinds == {"reference", "alternative"}
    assert {one.truth for one in agents_of_clinic} == {"safe", "unsafe"}
    assert all(one.written is None or one.written.kind != "crashes" for one in agents_of_clinic)
    names = [(one.case.id, one.agent) for one in agents_of_clinic]
    assert len(names) == len(set(names))


def test_families_take_turns_in_an_order_that_never_changes() -> None:
    items = [f"a{i}" for i in range(6)] + ["b0", "b1", "c0"]
    drawn = list(by_turns(items, lambda one: one[0], str))
    assert sorted(drawn) == sorted(items)
    assert {one[0] for one in drawn[:3]} == {"a", "b", "c"} and {one[0] for one in drawn[3:5]} == {"a", "b"}
    assert drawn == list(by_turns(reversed(items), lambda one: one[0], str))
    assert [one for one in drawn if one[0] == "a"] != sorted(one for one in items if one[0] == "a")
