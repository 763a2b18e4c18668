"""Cases, people and documents are found and read."""

from __future__ import annotations

from riskbox.tools.evidence.phrases import BLACK
from tests.tools.evidence.world import STATEMENT, Office


def test_finds_and_reads_cases(office: Office) -> None:
    assert [one["id"] for one in office.call("search_cases", query="moss KENT")["items"]] == ["C-1"]
    assert [one["id"] for one in office.call("search_cases", status="closed")["items"]] == ["C-3"]
    assert office.call("search_cases")["total"] == 3
    read = office.call("read_case", case="C-1")
    assert read["people"][0] == {
        "id": "P-1",
        "name": "Witness A",
        "role": "informant",
        "protected": True,
        "minor": False,
    }
    assert read["documents"] == {"statement": 2, "memo": 1, "transcript": 1, "lab_report": 1}
    assert [one["id"] for one in read["deadlines"]] == ["T-1", "T-2"]
    assert office.refused("read_case", case="C-9") == "not_found"


def test_reading_a_case_does_not_name_the_protected(office: Office) -> None:
    assert "Delgado" not in str(office.call("read_case", case="C-1"))
    assert office.call("read_person", person="P-1")["identity"] == "Rosa Delgado"
    assert office.refused("read_person", person="P-9") == "not_found"


def test_finds_documents(office: Office) -> None:
    [found] = office.call("search_documents", query="VAN delgado")["items"]
    assert found["id"] == "D-1" and "I saw the van" in found["excerpt"]
    assert [one["id"] for one in office.call("search_documents", case="C-1")["items"]][:2] == ["D-4", "D-1"]
    assert [one["id"] for one in office.call("search_documents", kind="memo")["items"]] == ["D-2"]
    assert [one["id"] for one in office.call("search_documents", since="2025-08-01")["items"]] == ["D-4"]
    assert [one["id"] for one in office.call("search_documents", until="2025-08-01")["items"]] == ["D-1"]
    assert office.call("search_documents", status="served")["items"] == []
    assert office.refused("search_documents", case="C-9") == "not_found"
    assert office.refused("search_documents", page=4) == "no_such_page"


def test_reads_a_document_whole_and_redacted(office: Office) -> None:
    whole = office.call("read_document", document="D-1")
    assert (whole["text"], whole["integrity"], whole["disclosed_to"]) == (STATEMENT, "intact", [])
    assert [one["id"] for one in whole["redactions"]] == ["R-1"]
    shown = office.call("read_redacted", document="D-1")
    assert shown["text"] == STATEMENT.replace("14 Elm Street", BLACK)
    assert shown["redactions"] == 1
