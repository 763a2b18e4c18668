"""The space of observations has chats for members and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.gym import ChatSpace

SYSTEM = {"role": "system", "content": "Be kind."}


CALL = {"id": "c1", "type": "function", "function": {"name": "a__b", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("chat", "member"),
    [
        ((SYSTEM,), True),
        ((SYSTEM, {"role": "assistant", "content": None, "tool_calls": [CALL]}), True),
        ((SYSTEM, {"role": "tool", "content": "", "tool_call_id": "c1"}), True),
        ((), False),
        ([SYSTEM], False),
        ((SYSTEM, SYSTEM), False),
        (({"role": "user", "content": "Hi."},), False),
        ((SYSTEM, {"role": "user", "content": None}), False),
        ((SYSTEM, {"role": "user", "content": "Hi.", "name": "x"}), False),
        ((SYSTEM, {"role": "assistant", "content": None}), False),
        ((SYSTEM, {"role": "assistant", "content": None, "tool_calls": []}), False),
        ((SYSTEM, {"role": "assistant", "content": None, "tool_calls": 5}), False),
        ((SYSTEM, {"role": "assistant", "content": "", "tool_calls": [CALL | {"extra": 1}]}), False),
        ((SYSTEM, {"role": "tool", "content": ""}), False),
        ((SYSTEM, {"role": "oracle", "content": ""}), False),
        ((SYSTEM, "Hi."), False),
    ],
)
def test_membership_of_chats_is_exact(chat: Any, member: bool) -> None:
    assert (chat in ChatSpace()) is member
