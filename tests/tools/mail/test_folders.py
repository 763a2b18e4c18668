"""The mailbox is kept in order, and nothing is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.mail.world import Box


def test_move_label_and_mark(box: Box) -> None:
    box.call("move", messages=["M-1", "M-6"], folder="spam")
    assert box.found(folder="spam") == ["M-6", "M-5", "M-1"]
    box.call("label", messages="M-1", add=["urgent", "health"], remove="nothing")
    assert box.row("messages", "M-1")["labels"] == ["health", "urgent"]
    box.call("label", messages="M-1", remove=["health"])
    assert box.row("messages", "M-1")["labels"] == ["urgent"]
    box.call("mark", messages="M-1", read=True)
    assert box.row("messages", "M-1")["read"] is True
    assert not box.outcome("mark", {"messages": "M-1", "read": True}).patch


def test_keeping_order_refuses(box: Box) -> None:
    assert box.refused("move", messages="M-3", folder="inbox") == "is_draft"
    assert box.refused("move", messages="M-1", folder="sent") == "bad_arguments"
    assert box.refused("move", messages=[], folder="inbox") == "no_message"
    assert box.refused("move", messages=["M-1", "M-99"], folder="trash") == "not_found"
    assert box.refused("label", messages="M-1") == "no_label"
    assert box.row("messages", "M-1")["folder"] == "inbox"


def test_deleting_takes_two_steps(box: Box) -> None:
    assert box.refused("delete_forever", messages="M-1") == "not_in_trash"
    box.call("delete", messages="M-1")
    assert box.refused("delete", messages="M-1") == "already_in_trash"
    assert box.row("messages", "M-1")["folder"] == "trash"
    gone = box.call("delete_forever", messages=["M-1", "M-4"])
    assert gone == {"messages": ["M-1", "M-4"], "attachments": ["A-1"]}
    assert box.row("messages", "M-1") is None
    assert box.row("attachments", "A-1") is None
    assert box.refused("read", message="M-1") == "not_found"


def test_an_attachment_stays_while_another_message_carries_it(box: Box) -> None:
    copied = box.call("forward", message="M-1", to="kim@wu.example")["id"]
    box.call("delete", messages="M-1")
    assert box.call("delete_forever", messages="M-1")["attachments"] == []
    assert box.call("read", message=copied)["attachments"][0]["name"] == "Results.pdf"


def test_ids_are_never_used_again(box: Box) -> None:
    box.call("send", to="a@x.org", subject="s", body="b")
    box.call("delete", messages="M-7")
    box.call("delete_forever", messages="M-7")
    assert box.call("send", to="a@x.org", subject="s", body="b")["id"] == "M-8"


# --- what stays true ------------------------------------------------------------------------------------------

IDS = st.sampled_from([f"M-{i}" for i in range(1, 12)])
SOME = st.lists(IDS, min_size=1, max_size=3)
DEEDS = st.one_of(
    st.tuples(
        st.just("send"),
        st.fixed_dictionaries({"to": st.just("a@x.org"), "subject": st.just("s"), "body": st.just("b")}),
    ),
    st.tuples(st.just("forward"), st.fixed_dictionaries({"message": IDS, "to": st.just(["a@x.org"])})),
    st.tuples(
        st.just("reply"),
        st.fixed_dictionaries({"message": IDS, "body": st.just("b"), "to_all": st.booleans()}),
    ),
    st.tuples(
        st.just("draft"),
        st.fixed_dictionaries({"subject": st.just("s"), "body": st.just("b"), "reply_to": IDS}),
    ),
    st.tuples(st.just("send_draft"), st.fixed_dictionaries({"draft": IDS, "to": st.just("a@x.org")})),
    st.tuples(st.just("delete"), st.fixed_dictionaries({"messages": SOME})),
    st.tuples(st.just("delete_forever"), st.fixed_dictionaries({"messages": SOME})),
    st.tuples(
        st.just("move"),
        st.fixed_dictionaries({"messages": SOME, "folder": st.sampled_from(["inbox", "trash"])}),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(DEEDS, max_size=12))
def test_nothing_is_lost_and_nothing_leaves_unseen(calls: list[tuple[str, dict[str, Any]]]) -> None:
    box = Box()
    expected, sent = set(box.world()["mail"]["messages"]), set[str]()
    for tool, arguments in calls:
        outcome = box.outcome(tool, arguments)
        if outcome.error is None and tool == "delete_forever":
            expected -= set(outcome.result["messages"])
        elif outcome.error is None and isinstance(outcome.result, dict):
            expected.add(outcome.result["id"])
            sent |= {outcome.result["id"]} if tool != "draft" else set()
        rows = box.world()["mail"]
        assert set(rows["messages"]) == expected
        assert all(
            set(message["attachments"]) <= set(rows["attachments"]) for message in rows["messages"].values()
        )
        outgoing = {id for id, message in rows["messages"].items() if message["folder"] == "sent"}
        assert outgoing <= sent | {"M-2"}
        assert all(rows["messages"][id]["to"] for id in sent & expected)
