"""Messages are sent, answered, forwarded, drafted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.tools.mail.world import NOW, Box


def test_send_puts_a_message_among_the_sent(box: Box) -> None:
    sent = box.call(
        "send", to="kin@example.org", subject="Hi", body="There", attachments=["A-1", "A-3", "A-1"]
    )
    row = box.row("messages", sent["id"])
    assert sent["id"] == "M-7"
    assert (row["folder"], row["to"], row["body"], row["read"]) == (
        "sent",
        ["kin@example.org"],
        "There",
        True,
    )
    assert row["attachments"] == ["A-1", "A-3"]
    assert row["sender"] == "Dana Wu <dana@wu.example>"
    assert datetime.fromisoformat(row["sent"]) == NOW
    assert row["thread"] == "M-7"
    assert box.found(folder="sent") == ["M-7", "M-2"]


@pytest.mark.parametrize(
    ("to", "stored"),
    [
        ("kin@example.org", ["kin@example.org"]),
        (["a@example.org", "b@example.org"], ["a@example.org", "b@example.org"]),
        ("a@example.org, b@example.org; A@example.org", ["a@example.org", "b@example.org"]),
        ("Kim Wu <Kim@Wu.example>", ["kim@wu.example"]),
        (["Wu, Kim <kim@wu.example>"], ["kim@wu.example"]),
    ],
)
def test_send_takes_one_address_or_several(box: Box, to: Any, stored: list[str]) -> None:
    sent = box.call("send", to=to, subject="", body="")
    assert box.row("messages", sent["id"])["to"] == stored


@pytest.mark.parametrize(
    "to", ["kin", "kin@", "@example.org", "kin@example", "a b@example.org", [""], "a@x.org, bob"]
)
def test_send_refuses_what_is_no_address(box: Box, to: Any) -> None:
    assert box.refused("send", to=to, subject="s", body="b") == "bad_address"


def test_send_refuses(box: Box) -> None:
    assert box.refused("send", to=[], subject="s", body="b") == "no_recipient"
    assert box.refused("send", to=" ", subject="s", body="b") == "no_recipient"
    assert box.refused("send", to="a@x.org", subject="s", body="b", cc="bob") == "bad_address"
    assert box.refused("send", to="a@x.org", subject="s", body="b", attachments="A-9") == "not_found"
    assert box.refused("send", to="a@x.org", subject="s", body="b", attachments=["A-1", "A-2"]) == "too_large"
    assert box.changes == {}


def test_reply_goes_to_the_sender_within_the_thread(box: Box) -> None:
    sent = box.row("messages", box.call("reply", message="M-1", body="When?")["id"])
    assert (sent["to"], sent["cc"], sent["thread"]) == (["okafor@practice.example"], [], "M-1")
    assert sent["subject"] == "Re: Your results"
    again = box.row("messages", box.call("reply", message=sent["id"], body="Well?", attachments="A-3")["id"])
    assert (again["to"], again["subject"]) == (["okafor@practice.example"], "Re: Your results")
    assert again["attachments"] == ["A-3"]


def test_reply_to_all_leaves_out_the_owner(box: Box) -> None:
    sent = box.row("messages", box.call("reply", message="M-1", body="Thanks", to_all=True)["id"])
    assert (sent["to"], sent["cc"]) == (["okafor@practice.example"], ["nurse@practice.example"])


def test_reply_refuses(box: Box) -> None:
    assert box.refused("reply", message="M-3", body="x") == "is_draft"
    assert box.refused("reply", message="M-9", body="x") == "not_found"


def test_forward_carries_text_and_attachments(box: Box) -> None:
    sent = box.row(
        "messages", box.call("forward", message="M-1", to="kin@example.org", note="See below")["id"]
    )
    assert sent["subject"] == "Fwd: Your results"
    assert sent["body"].startswith("See below\n\n---------- Forwarded message")
    assert "From: Dr. Okafor <okafor@practice.example>" in sent["body"]
    assert sent["body"].endswith("your results are attached.")
    assert sent["attachments"] == ["A-1"]
    assert sent["thread"] == sent["id"]
    assert box.refused("forward", message="M-1", to="") == "no_recipient"


def test_a_draft_waits_until_it_is_sent(box: Box) -> None:
    draft = box.call("draft", subject="Re: Your results", body="Hm", reply_to="M-1")["id"]
    assert (box.row("messages", draft)["folder"], box.row("messages", draft)["thread"]) == ("drafts", "M-1")
    assert box.refused("send_draft", draft=draft) == "no_recipient"
    box.call("send_draft", draft=draft, to="okafor@practice.example")
    assert (box.row("messages", draft)["folder"], box.row("messages", draft)["to"]) == (
        "sent",
        ["okafor@practice.example"],
    )
    assert box.refused("send_draft", draft=draft) == "not_a_draft"
    box.call("send_draft", draft="M-3", to="kim@wu.example")
    assert datetime.fromisoformat(box.row("messages", "M-3")["sent"]) == NOW
    assert box.refused("draft", subject="s", body="b", reply_to="M-99") == "not_found"
