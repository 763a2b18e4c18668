"""The mailbox: every tool, every refusal, and what stays true whatever is done with it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
from riskbox.tools.mail.rows import WRITTEN
from riskbox.tools.mail.stories import STORIES
from riskbox.tools.mail.toolset import Mail

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

WORLD: dict[str, Any] = {
    "accounts": [{"name": "Dana Wu", "email": "dana@wu.example"}],
    "attachments": [
        {"id": "A-1", "name": "Results.pdf", "content": "Blood count normal."},
        {"id": "A-2", "name": "Video.mp4", "type": "video/mp4", "size": 24_980_000},
        {"id": "A-3", "name": "Loose.txt"},
    ],
    "messages": [
        {
            "id": "M-1",
            "sender": "Dr. Okafor <okafor@practice.example>",
            "cc": ["nurse@practice.example", "dana@wu.example"],
            "subject": "Your results",
            "body": "Dear Dana,\n\nyour results are attached.",
            "sent": "2026-02-20T10:00:00Z",
            "attachments": ["A-1"],
            "labels": ["health"],
        },
        {
            "id": "M-2",
            "folder": "sent",
            "to": ["okafor@practice.example"],
            "subject": "Re: Your results",
            "body": "Thank you!",
            "sent": "2026-02-20T12:00:00Z",
            "thread": "M-1",
        },
        {
            "id": "M-3",
            "folder": "drafts",
            "subject": "Party",
            "body": "Come over",
            "sent": "2026-02-25T12:00:00",
        },
        {
            "id": "M-4",
            "folder": "trash",
            "sender": "x@shop.example",
            "subject": "Sale",
            "sent": "2026-02-26T08:00:00Z",
        },
        {
            "id": "M-5",
            "folder": "spam",
            "sender": "win@spam.example",
            "subject": "Prize",
            "sent": "2026-02-27T08:00:00Z",
        },
        {
            "id": "M-6",
            "folder": "archive",
            "read": True,
            "sender": "Kim <kim@wu.example>",
            "subject": "Sunday",
            "body": "word " * 40,
            "sent": "2026-02-28T08:00:00Z",
        },
    ],
    "contacts": [
        {
            "id": "C-1",
            "name": "Kim Wu",
            "email": "kim@wu.example",
            "phone": "+1 555 0100",
            "relation": "sister",
        },
        {"id": "C-2", "name": "Adam Okafor", "email": "okafor@practice.example", "relation": "doctor"},
    ],
}


class Box(Driver):
    """A mailbox, called as an episode calls it."""

    def __init__(self, world: dict[str, Any] | None = None) -> None:
        super().__init__(Mail, WORLD if world is None else world, now=NOW, seed=7)

    call = Driver.ok

    def refused(self, tool: str, **arguments: Any) -> str:
        return str(self.error(tool, **arguments)["code"])

    def row(self, table: str, id: str) -> Any:
        return self.rows(table).get(id)

    def found(self, **arguments: Any) -> list[str]:
        return [one["id"] for one in self.call("search", **arguments)["items"]]


@pytest.fixture
def box() -> Box:
    return Box()


# --- reading --------------------------------------------------------------------------------------------------


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


# --- writing messages -----------------------------------------------------------------------------------------


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


# --- keeping order --------------------------------------------------------------------------------------------


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


# --- address book and rules -----------------------------------------------------------------------------------


def test_save_contact_adds_and_changes(box: Box) -> None:
    new = box.call("save_contact", name="Lee", email="Lee <LEE@example.org>")
    assert (new["id"], new["email"], new["phone"]) == ("C-3", "lee@example.org", "")
    changed = box.call("save_contact", contact="C-1", phone="+1 555 0199", email="kim@wu.example")
    assert (changed["name"], changed["phone"], changed["relation"]) == ("Kim Wu", "+1 555 0199", "sister")
    assert box.call("save_contact", contact="C-1", email="")["email"] == ""


def test_contacts_refuse(box: Box) -> None:
    assert box.refused("save_contact", email="new@example.org") == "no_name"
    assert box.refused("save_contact", contact="C-1", name=" ") == "no_name"
    assert box.refused("save_contact", name="Lee", email="lee") == "bad_address"
    assert box.refused("save_contact", name="Kim", email="KIM@wu.example") == "address_taken"
    assert box.refused("save_contact", contact="C-9", name="Lee") == "not_found"
    box.call("delete_contact", contact="C-1")
    assert box.row("contacts", "C-1") is None
    assert box.refused("delete_contact", contact="C-1") == "not_found"


def test_rules(box: Box) -> None:
    rule = box.call("set_forwarding_rule", forward_to="kin@example.org", subject_contains="invoice")
    assert (rule["id"], rule["forward_to"], rule["keep_copy"]) == ("R-1", "kin@example.org", True)
    assert box.call("list_rules") == [rule]
    again = {"forward_to": "KIN@example.org", "subject_contains": "invoice", "keep_copy": False}
    assert box.refused("set_forwarding_rule", **again) == "rule_exists"
    assert box.refused("set_forwarding_rule", forward_to="Dana@wu.example") == "own_address"
    assert box.refused("set_forwarding_rule", forward_to="somewhere") == "bad_address"
    box.call("delete_rule", rule="R-1")
    assert box.call("list_rules") == []
    assert box.refused("delete_rule", rule="R-1") == "not_found"


def test_an_organisation_may_forbid_forwarding_outside() -> None:
    owner = {"name": "Northside", "email": "desk@north.example", "forwards_outside": False}
    box = Box({"accounts": [owner]})
    error = box.error("set_forwarding_rule", forward_to="kin@example.org")
    assert (error["code"], error["class"]) == ("forwarding_blocked", "permission")
    assert (
        box.call("set_forwarding_rule", forward_to="boss@north.example")["forward_to"] == "boss@north.example"
    )


# --- the contract ---------------------------------------------------------------------------------------------


def test_an_empty_world_can_send() -> None:
    box = Box({})
    assert box.call("search")["total"] == 0
    assert (
        box.call("send", to="kin@example.org", subject="s", body="b")["sender"]
        == "Office <office@example.org>"
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("send", {"subject": "s", "body": "b"}, "to: missing"),
        ("send", {"to": 3, "subject": "s", "body": "b"}, "valid string"),
        ("send", {"to": "a@x.org", "subject": "s", "body": "b", "bcc": "b@x.org"}, "unknown argument"),
        ("search", {"folder": "outbox"}, "folder"),
        ("search", {"after": "soon"}, "after"),
        ("mark", {"messages": "M-1", "read": "yes"}, "read"),
    ],
)
def test_bad_arguments_get_a_clear_error(box: Box, tool: str, arguments: dict[str, Any], says: str) -> None:
    error = box.error(tool, **arguments)
    assert error["code"] == "bad_arguments"
    assert says in error["message"]


def test_each_tool_says_how_far_it_reaches() -> None:
    actions = {name: tool.spec.action for name, tool in Mail.tools().items()}
    lasting = {
        "send",
        "reply",
        "forward",
        "send_draft",
        "delete_forever",
        "delete_contact",
        "set_forwarding_rule",
    }
    assert {name for name, action in actions.items() if action == "destructive"} == lasting
    assert actions["draft"] == "generative"
    for tool in Mail.tools().values():
        assert (tool.spec.action == "suggestive") == (not tool.spec.writes)
        described = tool.spec.parameters.get("properties", {}).values()
        assert all(one.get("description") for one in described), tool.spec.name


def test_a_message_with_an_unknown_attachment_is_reported() -> None:
    with pytest.raises(ScenarioError, match="A-9"):
        Mail.parse({"messages": [{"id": "M-1", "sent": "2026-01-01T00:00:00Z", "attachments": ["A-9"]}]})


# --- made-up mailboxes ----------------------------------------------------------------------------------------


COUNTS = {"accounts": 1, "messages": 300, "contacts": 50, "attachments": 25, "rules": 2}


def made(
    seed: int, counts: dict[str, int] | None = None, locale: str = "en_US"
) -> dict[str, list[dict[str, Any]]]:
    fake = Faker(locale)
    fake.seed_instance(seed)
    return Mail.generate(fake, COUNTS if counts is None else counts, NOW)


def test_made_rows_are_as_many_as_asked_and_parse() -> None:
    rows = made(1)
    assert {table: len(listed) for table, listed in rows.items()} == COUNTS
    bases = Mail.parse(rows)
    for table, listed in rows.items():
        for row in listed:
            parsed = bases[table].rows[row["id"]]
            assert type(parsed).model_validate(parsed.model_dump(mode="json")) == parsed
    assert Box(rows).call("search", folder="inbox")["total"] > 20


def test_the_seed_decides() -> None:
    assert made(1) == made(1)
    assert made(1)["messages"] != made(2)["messages"]


def test_made_mail_reads_like_a_mailbox() -> None:
    rows = made(3)
    messages = Mail.parse(rows)["messages"].rows
    threads: dict[str, list[Any]] = {}
    for message in messages.values():
        assert message.sent < NOW
        assert "{" not in message.body + message.subject
        assert "[" not in message.body
        assert "|" not in message.body
        assert bool(message.sender) != (message.folder in WRITTEN)
        assert not message.labels or message.folder != "spam"
        threads.setdefault(message.thread, []).append(message)
    assert len(threads) > 100
    assert len({message.body for message in messages.values()}) > 250
    assert {message.folder for message in messages.values()} == {
        "inbox",
        "sent",
        "drafts",
        "archive",
        "spam",
        "trash",
    }
    assert min(message.sent for message in messages.values()) < NOW - timedelta(days=2 * 365)
    known = {contact["email"] for contact in rows["contacts"]}
    assert len(known) == 50
    assert sum(any(email in message.sender for email in known) for message in messages.values()) > 50
    for thread, listed in threads.items():
        listed.sort(key=lambda message: message.sent)
        assert listed[0].id == thread
        assert all(message.subject == f"Re: {listed[0].subject}" for message in listed[1:])
        if "work" in listed[0].labels:
            assert listed[0].sent.weekday() < 5
            assert 8 <= listed[0].sent.hour < 18


@pytest.mark.parametrize("seed", range(5))
def test_nobody_answers_a_made_draft(seed: int) -> None:
    last: dict[str, str] = {}
    for message in made(seed, {"messages": 400})["messages"]:
        assert last.get(message["thread"]) != "drafts"
        last[message["thread"]] = message["folder"]


def test_each_made_attachment_hangs_on_one_message() -> None:
    rows = made(4)
    carried = [one for message in rows["messages"] for one in message.get("attachments", ())]
    assert len(carried) == len(set(carried)) == 25
    assert set(carried) == {attachment["id"] for attachment in rows["attachments"]}


def test_linked_choices_of_a_story_have_as_many_options() -> None:
    for story in STORIES:
        linked = [part.split("]")[0].count("|") for part in (story.subject + story.text).split("[*")[1:]]
        assert len(set(linked)) <= 1, story.subject


def test_only_the_tables_asked_for_are_made() -> None:
    assert set(made(1, {"contacts": 3})) == {"contacts"}
    assert made(1, {"messages": 0}) == {"messages": []}
    assert "attachments" not in str(made(1, {"messages": 40}))
    with pytest.raises(ToolError, match="one mailbox"):
        made(1, {"accounts": 2})
    with pytest.raises(ToolError, match="pigeons"):
        made(1, {"pigeons": 2})


@pytest.mark.parametrize("locale", ["de_DE", "ja_JP", "ar_AA"])
def test_other_languages_get_valid_addresses(locale: str) -> None:
    box = Box(made(5, {"contacts": 30, "messages": 30}, locale))
    for contact in box.world()["mail"]["contacts"].values():
        box.call("send", to=contact["email"], subject="s", body="b")


def test_four_hundred_messages_are_made_quickly() -> None:
    fake = Faker()
    begun = time.process_time()
    Mail.generate(fake, {"messages": 400, "contacts": 40, "attachments": 40}, NOW)
    assert time.process_time() - begun < 0.5


# --- what stays true ------------------------------------------------------------------------------------------

IDS = st.sampled_from([f"M-{i}" for i in range(1, 12)])
SOME = st.lists(IDS, min_size=1, max_size=3)
CALLS = st.one_of(
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
@given(st.lists(CALLS, max_size=12))
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
