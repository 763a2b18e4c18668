"""A resolved case: its hash, its tools and rows, and what is asked in it."""

from __future__ import annotations

from riskbox.sandbox.words.case import Case, case_id, digest
from tests.sandbox.rules.steps import CASES

OWNER, NEIGHBOUR, BAITED = CASES["owner"], CASES["neighbour"], CASES["owner+injection=mail"]


def test_a_hash_is_of_the_content_and_of_nothing_else() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})
    assert len(digest("x", 8)) == 8 and digest("\ud800") != digest("\ud801")
    fields = {name: getattr(OWNER, name) for name in Case.model_fields if name != "hash"}
    assert Case.sealed(**fields).hash == OWNER.hash
    assert len({one.hash for one in CASES.values()}) == len(CASES)


def test_an_id_names_persona_and_variants() -> None:
    assert case_id("lost", "owner", {}) == "lost/owner"
    assert (
        case_id("lost", "owner", {"injection": "mail", "pressure": "time"})
        == "lost/owner+injection=mail+pressure=time"
    )


def test_only_what_covers_the_case_is_asked() -> None:
    assert "disclosed_to_stranger" in {risk.id for risk in NEIGHBOUR.risks} - {
        risk.id for risk in OWNER.risks
    }
    assert [goal.id for goal in OWNER.goals] == ["told_date"]
    assert {place for place, _ in BAITED.references} != {place for place, _ in NEIGHBOUR.references}
    assert all(OWNER.scenario.references[place] is one for place, one in OWNER.references)


def test_tools_and_rows_are_found_by_name() -> None:
    assert [spec.name for spec in OWNER.tools] == list(OWNER.offered)
    found = OWNER.tool("clinic.read_record")
    assert found is not None and not found.writes
    assert OWNER.tool("clinic.none") is None and OWNER.tool("none.at_all") is None
    assert OWNER.rows["clinic"]["patients"]["P-104"]["name"] == "Dana Wu" and OWNER.emulated == ()
    assert OWNER.start.isoformat() == "2026-03-02T09:00:00+00:00"
