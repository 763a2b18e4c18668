"""Joining a cluster that asks for a token, and one that does not, with the right, a wrong and no token."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Command
from tests.nodes import ENV, TOKEN, Nodes
from tests.sandbox.stores.conftest import unused_port


class Head(NamedTuple):
    address: str
    mode: str


@pytest.fixture(params=["token", "disabled"])
def head(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Head]:
    nodes = Nodes(unused_port(), tmp_path, env={**ENV, "RAY_AUTH_MODE": request.param})
    try:
        nodes.start()
        yield Head(nodes.address, request.param)
    finally:
        nodes.close()


@pytest.mark.long
def test_a_run_joins_with_the_token_or_says_what_to_do_and_leaves_nothing(
    riskbox: Command, records: Path, tmp_path: Path, head: Head
) -> None:
    home = tmp_path / "home"
    (home / ".ray").mkdir(parents=True)
    token, store = home / ".ray" / "auth_token", tmp_path / "riskbox.db"

    def run(**env: str) -> subprocess.CompletedProcess[str]:
        words = ("run", records, "--agent", "idle", "--address", head.address, "--workers", "1")
        return riskbox(*words, HOME=str(home), timeout=240, **env)

    wanted = {
        "it asks for a token. Copy": {},
        "it does not take this machine's token. Copy": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "wrong"},
    }
    if head.mode == "token":
        for said, env in wanted.items():
            done = run(**env)
            assert done.returncode == 2 and "Traceback" not in done.stderr
            assert f"riskbox: cannot join Ray at {head.address}: {said}" in done.stderr
    for env, said in (
        ({"RAY_AUTH_MODE": "token"}, "RAY_AUTH_MODE=token is set and there is no token. Copy"),
        (
            {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(home / "gone")},
            "RAY_AUTH_TOKEN_PATH names a file that is not there",
        ),
    ):
        done = run(**env)
        assert done.returncode == 2 and said in done.stderr
    token.write_text(TOKEN)  # as Ray writes it; RAY_AUTH_MODE is not set
    if head.mode == "token":
        done = run(RAY_AUTH_MODE="disabled")
        assert done.returncode == 2 and "Leave RAY_AUTH_MODE out." in done.stderr
    assert not store.exists(), "nothing was created"
    done = run()
    assert done.returncode == 0 and "6/6 episodes" in done.stderr + done.stdout, done.stderr


@pytest.mark.long
def test_a_machine_with_another_version_is_named_and_nothing_is_stored(
    riskbox: Command, records: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "riskbox-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: riskbox\nVersion: 9.9\n")
    nodes = Nodes(unused_port(), tmp_path)
    try:
        nodes.start(env={"PYTHONPATH": str(other.parent)})
        words = ("run", records, "--agent", "idle", "--address", nodes.address, "--quiet")
        done = riskbox(*words, timeout=240, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=TOKEN)
    finally:
        nodes.close()
    assert done.returncode == 2 and "Traceback" not in done.stderr
    said = r"riskbox: the machine \S+ has riskbox 9\.9, this one has riskbox [\d.]+; install"
    assert re.search(said, done.stderr), done.stderr
    assert "--resume" not in done.stderr
    listed = riskbox("list", "runs", "--json")
    assert json.loads(listed.stdout or "[]") == [], listed.stdout
