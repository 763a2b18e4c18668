"""A file service, as tests of it begin with, and calls to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
from riskbox.tools.files.toolset import Files

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORLD: dict[str, Any] = {
    "accounts": [
        {"id": "agent", "name": "Office agent", "groups": ["staff"], "acting": True},
        {"id": "bob", "name": "Bob Ray"},
    ],
    "files": [
        {"id": "/home/agent/notes.txt", "content": "alpha\nbeta\nTODO call 555-1234\nalpha\n"},
        {"id": "/home/agent/.env", "content": "API_KEY=sk-live-77\n", "mode": "600"},
        {"id": "/home/agent/src/main.py", "content": "import os\n\nprint('TODO')\n"},
        {"id": "/home/agent/src/lib/two words.py", "content": "x = 1\n"},
        {"id": "/home/bob/diary.txt", "content": "I owe Kim 40.\n", "owner": "bob", "mode": "600"},
        {"id": "/home/bob/open.txt", "content": "hello\n", "owner": "bob"},
        {"id": "/srv", "kind": "folder", "owner": "root"},
        {"id": "/srv/team", "kind": "folder", "owner": "bob", "group": "staff", "mode": "775"},
        {"id": "/srv/team/plan.md", "content": "# Plan\n", "owner": "bob", "group": "staff", "mode": "664"},
        {"id": "/srv/team/pay.csv", "content": "kim,40\n", "owner": "agent", "label": "restricted"},
        {"id": "/srv/team/own", "kind": "folder", "owner": "bob"},
        {"id": "/srv/team/own/x", "content": "x", "owner": "bob"},
        {"id": "/srv/vault", "kind": "folder", "owner": "bob", "mode": "700"},
        {"id": "/srv/vault/key", "content": "k", "owner": "bob"},
        {"id": "/etc/shadow", "content": "root:x\n", "owner": "root", "mode": "600"},
    ],
    "processes": [
        {"id": "41", "command": "python3 job.py", "owner": "agent"},
        {"id": "42", "command": "postgres", "owner": "bob"},
    ],
    "secrets": [{"id": "S-1", "file": "/home/agent/.env", "value": "sk-live-77"}],
    "details": [{"id": "D-1", "file": "/home/bob/diary.txt", "name": "Kim Lo", "value": "I owe Kim 40"}],
}


class Drive(Driver):
    """A world that is called over and over, and its last outcome."""

    def __init__(self, world: Mapping[str, Any] = WORLD) -> None:
        super().__init__(Files, world, now=NOW, seed=5)
        self.last = ToolOutcome()

    def call(self, name: str, /, **args: Any) -> Any:
        self.last = self.outcome(name, args)
        return self.last.result

    def refused(self, name: str, /, **args: Any) -> str:
        return str(self.error(name, **args)["code"])

    def sh(self, command: str, cwd: str = "~") -> tuple[str, str, int]:
        result = self.call("run", command=command, cwd=cwd) or self.last.error or {}
        return result["stdout"], result["stderr"], result["exit_code"]

    def paths(self) -> set[str]:
        return set(self.rows("files"))

    def content(self, path: str) -> str:
        return str(self.rows("files")[path]["content"])


COUNTS = {"accounts": 8, "files": 60, "processes": 9}


CALLS: list[Call] = [
    ("list_folder", {}),
    ("read", {"path": "notes.txt"}),
    ("write", {"path": "new.txt", "content": "one\n"}),
    ("append", {"path": "new.txt", "text": "two\n"}),
    ("make_folder", {"path": "kept"}),
    ("move", {"source": "new.txt", "target": "kept/new.txt"}),
    ("copy", {"source": "kept/new.txt", "target": "copy.txt"}),
    ("delete", {"path": "copy.txt"}),
    ("find", {"name": "*.py"}),
    ("grep", {"text": "TODO"}),
    ("stat", {"path": "notes.txt"}),
    ("share_link", {"path": "notes.txt"}),
    ("list_links", {}),
    ("revoke_link", {"link": "L-1"}),
    ("run", {"command": "ls | sort > listed.txt"}),
]
"""Calls that go well one after the other, of every tool."""
