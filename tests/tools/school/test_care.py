"""The knowledge base, guardians and concerns."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.tools.school.toolset import School
from tests.tools.school.world import WORLD, Episode


def test_articles_are_searched_for_an_audience_titles_first(school: Episode) -> None:
    assert [one["id"] for one in school.ok("search_articles", query="LATE")["items"]] == ["KB-1", "KB-2"]
    assert [one["id"] for one in school.ok("search_articles", query="exam")["items"]] == ["KB-2", "KB-1"]
    assert [one["id"] for one in school.ok("search_articles", query="", audience="guardians")["items"]] == [
        "KB-3"
    ]
    found = school.ok("search_articles", query="late", audience="students")["items"]
    assert [one["id"] for one in found] == ["KB-1"]
    assert "body" not in found[0]
    assert school.ok("read_article", article="KB-3")["body"].startswith("Spring break")
    assert school.refused("read_article", article="KB-9")[0] == "not_found"


def test_an_article_is_written_and_replaced(school: Episode) -> None:
    text = {"title": "Snow days", "body": "Listen to the radio.", "audience": "everyone", "source": "Head"}
    assert school.ok("write_article", **text)["id"] == "KB-4"
    replaced = school.ok("write_article", **{**text, "body": "See the website."}, article="KB-4")
    assert (replaced["body"], replaced["updated"]) == ("See the website.", "2026-03-02T09:00:00Z")
    assert school.refused("write_article", **{**text, "title": "SNOW days"})[0] == "title_taken"
    assert school.refused("write_article", **{**text, "source": ""})[0] == "no_source"
    assert school.refused("write_article", **text, article="KB-9")[0] == "not_found"


def test_a_guardian_is_told_about_their_own_child(school: Episode) -> None:
    sent = school.ok(
        "message_guardian", guardian="G-1", student="S-1", subject="Trip", body="Consent, please."
    )
    assert (sent["id"], sent["sent"]) == ("M-1", "2026-03-02T09:00:00Z")
    assert School.tools()["message_guardian"].spec.action == "destructive"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"guardian": "G-2"}, ("no_contact", "permission")),
        ({"student": "S-2"}, ("not_their_guardian", "permission")),
        ({"guardian": "G-3", "student": "S-2"}, ("no_address", "fatal")),
        ({"body": " "}, ("no_body", "validation")),
        ({"guardian": "G-9"}, ("not_found", "validation")),
    ],
)
def test_a_guardian_is_not_told(school: Episode, change: dict[str, Any], expected: tuple[str, str]) -> None:
    arguments = {"guardian": "G-1", "student": "S-1", "subject": "Trip", "body": "Consent, please.", **change}
    assert school.refused("message_guardian", **arguments) == expected


def test_a_concern_goes_to_the_safeguarding_lead_or_else_the_head(school: Episode) -> None:
    told = {"student": "S-2", "kind": "bullying", "description": "He says they take his lunch."}
    assert school.ok("report_concern", **told, urgency="immediate")["assigned_to"] == "T-5"
    assert school.rows("concerns")["SC-1"]["status"] == "open"
    assert school.refused("report_concern", **{**told, "student": "S-9"})[0] == "not_found"
    assert school.refused("report_concern", **{**told, "description": ""})[0] == "no_description"
    staff = [one for one in WORLD["staff"] if one["role"] != "safeguarding_lead"]
    assert Episode({**WORLD, "staff": staff}).ok("report_concern", **told)["assigned_to"] == "T-3"
    assert (
        Episode({"students": [{**WORLD["students"][2]}]}).ok("report_concern", **{**told, "student": "S-3"})[
            "assigned_to"
        ]
        == ""
    )
