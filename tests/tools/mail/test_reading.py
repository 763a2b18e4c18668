"""Messages, attachments and contacts are found and read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.mail.world import Box


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({}, ["M-6", "M-3", "M-2", "M-1"]),
        ({"query": "RESULTS dear"}, ["M-1"]),
        ({"query": "results.pdf"}, ["M-1"]),
        ({"query": "nothing of the kind"}, []),
        ({"folder": "spam"}, ["M-5"]),
        ({"folder": "trash"}, ["M-4"]),
        ({"sender": "okafor"}, ["M-1"]),
        ({"sender": "dana wu"}, ["M-3", "M-2"]),
        ({"unread": True}, ["M-1"]),
        ({"label": "Health"}, ["M-1"]),
        ({"after": "2026-02-25"}, ["M-6", "M-3"]),
        ({"before": "2026-02-25"}, ["M-2", "M-1"]),
        ({"after": "2026-02-20", "before": "2026-02-21"}, ["M-2", "M-1"]),
    ],
)
def test_search_filters_and_sorts_newest_first(box: Box, arguments: dict[str, Any], ids: list[str]) -> None:
    assert box.found(**arguments) == ids


def test_search_gives_summaries_with_a_short_snippet(box: Box) -> None:
    first = box.call("search", query="sunday")["items"][0]
    assert "body" not in first
    assert len(first["snippet"]) == 100
    assert first["snippet"].endswith("...")
    assert (first["to"], first["attachments"]) == (["dana@wu.example"], 0)


def test_search_pages() -> None:
    rows = [{"id": f"M-{i}", "subject": "x", "sent": f"2026-01-{i:02d}T00:00:00Z"} for i in range(1, 24)]
    box = Box({"messages": rows})
    third = box.call("search", page=3)
    assert ([one["id"] for one in third["items"]], third["pages"], third["total"]) == (
        ["M-3", "M-2", "M-1"],
        3,
        23,
    )
    assert box.refused("search", page=4) == "no_such_page"
    assert box.refused("search", page=0) == "no_such_page"


def test_read_gives_the_text_and_names_the_attachments(box: Box) -> None:
    message = box.call("read", message="M-1")
    assert message["body"].endswith("attached.")
    assert message["attachments"] == [
        {"id": "A-1", "name": "Results.pdf", "type": "application/pdf", "size": 40000}
    ]
    assert message["to"] == ["dana@wu.example"]
    assert box.call("read_attachment", attachment="A-1")["content"] == "Blood count normal."
    assert box.refused("read", message="M-99") == "not_found"
    assert box.refused("read_attachment", attachment="A-99") == "not_found"


def test_read_thread_goes_from_oldest_to_newest(box: Box) -> None:
    assert [one["id"] for one in box.call("read_thread", thread="M-1")] == ["M-1", "M-2"]
    box.call("delete", messages="M-2")
    assert [one["id"] for one in box.call("read_thread", thread="M-1")] == ["M-1"]
    assert box.refused("read_thread", thread="M-4") == "not_found"


def test_find_contact(box: Box) -> None:
    assert [one["name"] for one in box.call("find_contact", query="")["items"]] == ["Adam Okafor", "Kim Wu"]
    assert [one["id"] for one in box.call("find_contact", query="wu SISTER")["items"]] == ["C-1"]
    assert [one["id"] for one in box.call("find_contact", query="0100")["items"]] == ["C-1"]
    assert box.call("find_contact", query="nobody")["total"] == 0
