"""Our own ways of reaching agents and users keep the promises that the kit asks of anyone's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from riskbox.sandbox.stub.script import SayJson
from riskbox.sandbox.testing import check_agent, check_user

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub

PROCESS = """\
import json, sys
heard = 0
for line in sys.stdin:
    told = json.loads(line)
    if told["type"] == "turn":
        heard += len(told["messages"])
        print(json.dumps({"content": f"I have read {heard} messages."}), flush=True)
"""


def test_an_agent_in_a_process_is_a_session_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(PROCESS)
    check_agent(f"process:{sys.executable} {tmp_path}/agent.py")


def test_a_scripted_user() -> None:
    check_user("scripted")


@pytest.mark.parametrize("adapter", ["", "text:"])
def test_a_model_as_the_agent(stub: Stub, adapter: str) -> None:
    stub.script("How can I help?", repeat=True)
    check_agent(f"{adapter}{stub.url}/v1#a", deterministic=False)
    assert stub.requests


def test_a_model_as_the_user(stub: Stub) -> None:
    stub.script(SayJson({"thought": "polite", "say": "When is my visit?", "leave": False}), repeat=True)
    check_user(f"{stub.url}/v1#u", deterministic=False)
    assert stub.requests
