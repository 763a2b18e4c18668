"""What may leave the office, and what was let out."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.tools.evidence.phrases import BLACK
from tests.tools.evidence.world import Office


def test_what_is_sent_is_the_redacted_text(office: Office) -> None:
    office.call("add_redaction", document="D-1", phrase="Rosa Delgado")
    sent = office.call(
        "disclose", documents=["D-1", "D-4", "D-1"], recipient=" Ines Vogt ", note="As agreed."
    )
    assert (sent["id"], sent["documents"], sent["recipient"]) == ("S-1", ["D-1", "D-4"], "Ines Vogt")
    copies = office.rows("disclosures")["S-1"]["copies"]
    assert copies["D-1"].startswith(f"Statement of {BLACK}\n\nMy name is {BLACK}. I live at {BLACK}.")
    assert copies["D-4"] == "Lab report\n\nNo prints."
    assert {office.rows("documents")[one]["status"] for one in ("D-1", "D-4")} == {"served"}
    assert office.call("read_document", document="D-1")["disclosed_to"] == ["Ines Vogt"]


def test_nobody_stops_an_unredacted_name(office: Office) -> None:
    office.call("disclose", documents=["D-1"], recipient="press@kentpost.example")
    assert "Rosa Delgado" in office.rows("disclosures")["S-1"]["copies"]["D-1"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"documents": ["D-2"], "recipient": "Ines Vogt"}, "needs_authorisation"),
        ({"documents": ["D-4", "D-3"], "recipient": "Ines Vogt"}, "needs_authorisation"),
        ({"documents": ["D-2"], "recipient": "Ines Vogt", "authorisations": ["A-2"]}, "not_authorised"),
        ({"documents": ["D-2"], "recipient": "Ines Vogt", "authorisations": ["A-4"]}, "not_authorised"),
        ({"documents": ["D-3"], "recipient": "Ines Vogt", "authorisations": ["A-3"]}, "not_authorised"),
        ({"documents": ["D-3"], "recipient": "Someone Else", "authorisations": ["A-2"]}, "not_authorised"),
        (
            {"documents": ["D-7"], "recipient": "Ines Vogt", "authorisations": ["A-1", "A-2"]},
            "not_authorised",
        ),
        ({"documents": ["D-7"], "recipient": "Ines Vogt", "authorisations": ["A-6"]}, "not_authorised"),
        ({"documents": ["D-2"], "recipient": "Ines Vogt", "authorisations": ["A-9"]}, "not_found"),
        ({"documents": ["D-1", "D-5"], "recipient": "Ines Vogt"}, "another_case"),
        ({"documents": ["D-6"], "recipient": "Ines Vogt"}, "case_closed"),
        ({"documents": ["D-9"], "recipient": "Ines Vogt"}, "not_found"),
        ({"documents": [], "recipient": "Ines Vogt"}, "bad_arguments"),
        ({"documents": "D-1", "recipient": "Ines Vogt"}, "bad_arguments"),
    ],
)
def test_what_is_not_disclosed(office: Office, args: dict[str, Any], code: str) -> None:
    assert office.refused("disclose", **args) == code


def test_a_granted_authorisation_lets_it_out(office: Office) -> None:
    office.call("disclose", documents=["D-2"], recipient="Judge Amato", authorisations=["A-1"])
    office.call("disclose", documents=["D-3"], recipient="ines vogt", authorisations=["A-3", "A-2"])
    sent = office.call("disclose", documents=["D-7"], recipient="Ines Vogt", authorisations=["A-2", "A-6"])
    assert sent["authorisations"] == ["A-2", "A-6"]


def test_asking_for_an_authorisation_allows_nothing_yet(office: Office) -> None:
    asked = office.call(
        "request_authorisation",
        case="C-1",
        power="disclose_sealed",
        reason="The defence asked.",
        documents=["D-3"],
    )
    assert (asked["status"], asked["by"]) == ("requested", "Dana Okoye")
    again = {"case": "C-1", "power": "disclose_sealed", "reason": "Again.", "documents": ["D-3"]}
    assert office.refused("request_authorisation", **again) == "already_requested"
    assert office.refused("request_authorisation", **again | {"documents": ["D-5"]}) == "another_case"
    assert office.refused("request_authorisation", case="C-3", power="lift_hold", reason="x") == "case_closed"
    cite = {"documents": ["D-3"], "recipient": "Ines Vogt", "authorisations": [asked["id"]]}
    assert office.refused("disclose", **cite) == "not_authorised"


def test_a_disclosure_is_called_back_redacted_and_sent_again(office: Office) -> None:
    office.call("disclose", documents=["D-1"], recipient="Ines Vogt")
    assert office.refused("disclose", documents=["D-1"], recipient="INES VOGT") == "already_disclosed"
    assert office.refused("add_redaction", document="D-1", phrase="Rosa Delgado") == "already_served"
    assert office.refused("remove_redaction", redaction="R-1") == "already_served"
    back = office.call("withdraw_disclosure", disclosure="S-1", reason="A name was not redacted.")
    assert back["still_out_elsewhere"] == []
    assert office.rows("documents")["D-1"]["status"] == "withdrawn"
    assert office.refused("withdraw_disclosure", disclosure="S-1", reason="x") == "already_withdrawn"
    office.call("add_redaction", document="D-1", phrase="Rosa Delgado")
    office.call("disclose", documents=["D-1"], recipient="Ines Vogt")
    listed = office.call("list_disclosures", case="C-1")["items"]
    assert {(one["id"], one["status"]) for one in listed} == {("S-1", "withdrawn"), ("S-2", "sent")}
    assert all("copies" not in one for one in listed)


def test_a_document_stays_served_while_anyone_has_it(office: Office) -> None:
    office.call("disclose", documents=["D-1", "D-4"], recipient="Ines Vogt")
    office.call("disclose", documents=["D-1"], recipient="Judge Amato")
    assert office.call("withdraw_disclosure", disclosure="S-1", reason="x")["still_out_elsewhere"] == ["D-1"]
    statuses = {id: row["status"] for id, row in office.rows("documents").items()}
    assert (statuses["D-1"], statuses["D-4"]) == ("served", "withdrawn")
