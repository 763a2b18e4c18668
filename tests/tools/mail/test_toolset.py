"""What an agent is told of it, and which worlds are refused."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.mail.toolset import Mail
from tests.tools.mail.world import Box


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
