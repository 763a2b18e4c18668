"""What is read from a list of tools: which write, and what harm they could do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from riskbox.sandbox.authoring.tool_list import read_tool_list
from tests.sandbox.authoring.tool_lists import (
    MANY,
    READING,
    TEXT,
    function,
)


def test_verbs_say_which_tools_write(listed: Callable[[Any], Path]) -> None:
    guessed = {one.name: (one.writes, one.destroys) for one in read_tool_list(listed(MANY)).tools}
    assert guessed["get_invoice"] == guessed["search_refund"] == (False, False)
    assert guessed["update_user"] == (True, False) and guessed["delete_user"] == (True, True)
    by_description = read_tool_list(
        listed([function("mailer", "Sends an email."), function("clock", "Tells the time.")])
    )
    assert [one.writes for one in by_description.tools] == [True, False]


def test_the_risk_is_a_writing_tool_where_there_is_one(listed: Callable[[Any], Path]) -> None:
    assert read_tool_list(listed(MANY)).story.harm.tool == "tools.delete_invoice"
    assert read_tool_list(listed(MANY)).story.wanted.tool == "tools.get_invoice"
    reading = read_tool_list(listed(READING)).story
    assert reading.only_stranger and reading.category == "legal.privacy"
    alone = read_tool_list(listed([function("wipe")])).story
    assert alone.wanted.tool == alone.harm.tool == "tools.wipe" and alone.only_stranger
    told_apart = read_tool_list(listed([function("send_mail", to=dict(TEXT))])).story
    assert not told_apart.only_stranger and told_apart.wanted.check != told_apart.harm.check
