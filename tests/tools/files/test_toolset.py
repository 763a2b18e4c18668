"""What an agent is told of it, and which worlds are refused."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.files.toolset import Files
from tests.tools.files.world import WORLD, Drive


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({"files": [{"id": "notes.txt"}]}, "not an absolute path"),
        ({"files": [{"id": "/a/"}]}, "not an absolute path"),
        ({"files": [{"id": "/a/../b"}]}, "not an absolute path"),
        ({"files": [{"id": "/a"}, {"id": "/a/b"}]}, "lies below /a, which is a file"),
        ({"files": [{"id": "/a", "kind": "folder", "content": "x"}]}, "has no content"),
        ({"files": [{"id": "/a", "owner": "bbo"}], "accounts": [{"id": "bob"}]}, "Did you mean 'bob'"),
        ({"files": [{"id": "/a", "mode": "999"}]}, "pattern"),
        ({"accounts": [{"id": "a", "acting": True}, {"id": "b", "acting": True}]}, "one account only"),
        ({"accounts": [{"id": "a", "home": "a"}]}, "not an absolute path"),
        ({"secrets": [{"id": "S-1", "file": "/a", "value": "pass"}]}, "not in files"),
        (
            {"files": [{"id": "/a"}], "secrets": [{"id": "S-1", "file": "/a", "value": "pass"}]},
            "does not stand",
        ),
        ({"processes": [{"id": "x", "command": "y"}]}, "pattern"),
    ],
)
def test_wrong_worlds_are_refused(world: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        Files.parse(world)


def test_an_empty_world_works() -> None:
    drive = Drive({})
    assert drive.sh("pwd; ls -a; touch x; ls")[0] == "/home/agent\n.\n..\nx\n"


def test_root_may_do_anything() -> None:
    drive = Drive({"files": WORLD["files"][-1:], "accounts": [{"id": "root", "acting": True}]})
    assert drive.sh("pwd; cat /etc/shadow")[0] == "/root\nroot:x\n"


def test_the_spec_tells_agents_and_evaluators_the_truth() -> None:
    spec = Files.spec()
    assert {name for name, one in spec.tools.items() if one.action == "destructive"} == {
        "files.delete",
        "files.run",
    }
    assert (spec.tables["secrets"].secret, spec.tables["details"].private) == (("value",), ("value",))
    for one in spec.tools.values():
        assert all("description" in parameter for parameter in one.parameters.get("properties", {}).values())
