"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.mail.rows import WRITTEN
from riskbox.tools.mail.stories import STORIES
from riskbox.tools.mail.toolset import Mail
from tests.tools.mail.world import COUNTS, NOW, Box


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
