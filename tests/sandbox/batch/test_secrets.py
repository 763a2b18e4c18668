"""Secrets of a run: what is stored of them, that ids do not hang on them, and how such a run goes on."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.record import _unpacked
from riskbox.sandbox.words import secrets
from riskbox.sandbox.words.event import Said

Command = Callable[..., subprocess.CompletedProcess[str]]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
ONE = ("--persona", "owner", "--variant", "none", "--local", "--quiet")


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that another test has taught this process."""
    monkeypatch.setattr(secrets, "_names", {})
    monkeypatch.setattr(secrets, "_known", set())


class _Door(BaseHTTPRequestHandler):
    """Answers whoever has the password, and tells it."""

    asked: list[str] = []  # emptied by the fixture

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        known = "key=tulip-quarry" in self.path
        body = json.dumps({"content": "Good day. The password is tulip-quarry."}).encode()
        self.send_response(200 if known else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def door() -> Iterator[str]:
    _Door.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Door) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"service:http://127.0.0.1:{server.server_address[1]}/act"
        server.shutdown()


def everything(store: Path) -> str:
    """All that a store holds, unpacked."""
    found = []
    with sqlite3.connect(store) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"'):
                found += [
                    _unpacked(one, 2**26).decode() if isinstance(one, bytes) else str(one) for one in row
                ]
    return "\n".join(found)


def test_a_name_with_a_literal_secret_is_stored_without_it_and_goes_on_when_it_is_given_again(
    tmp_path: Path, command: Command, door: str
) -> None:
    named = f"{door}?key=tulip-quarry"
    done = command("run", RECORDS, "--agent", named, *ONE, "--seeds", "2")
    assert done.returncode == 0, done.stderr
    kept = everything(tmp_path / "riskbox.db")
    assert f"{door}?key=***" in kept
    assert "tulip-quarry" not in kept and "The password is ***" in kept
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        run = store.runs()[0].run
    _forget_one(tmp_path / "riskbox.db")
    secrets._names.clear()  # a new process remembers nothing
    refused = command("run", "--resume", run, "--local", "--quiet")
    assert refused.returncode == 2 and "held a secret, which is not stored" in refused.stderr
    assert "--agent" in refused.stderr and refused.stderr.count("\n") == 1
    again = command("run", "--resume", run, "--local", "--quiet", "--agent", named)
    assert again.returncode == 0, again.stderr
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert {row.ending for row in store.rows(run)} == {"terminated"} and len(list(store.rows(run))) == 2


def _forget_one(store: Path) -> None:
    """As if the run had been killed before its last episode."""
    with sqlite3.connect(store) as db:
        db.execute("DELETE FROM blobs WHERE place = (SELECT max(place) FROM blobs)")
        db.execute("DELETE FROM episodes WHERE rowid = (SELECT max(rowid) FROM episodes)")


def test_an_agent_that_is_not_secret_is_refused_when_a_run_goes_on(command: Command) -> None:
    done = command("run", "--resume", "latest", "--agent", "idle")
    assert (
        done.returncode == 2
        and "takes no paths, and no agent but one whose name holds a secret" in done.stderr
    )


def test_an_episodes_id_does_not_hang_on_a_password(tmp_path: Path, command: Command, door: str) -> None:
    for secret in ("tulip-quarry", "lime-harbour"):
        command("run", RECORDS, "--agent", f"{door}?key={secret}", *ONE)
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        first, second = ([row.id for row in store.rows(one.run)] for one in store.runs())
    assert first == second
    two = [word for secret in ("a", "b") for word in ("--agent", f"{door}?key={secret}")]
    done = command("run", RECORDS, *two, *ONE)
    assert done.returncode == 2 and "two agents differ only in a secret" in done.stderr


def test_a_variable_of_the_environment_is_filled_in_when_the_agent_starts(
    tmp_path: Path, command: Command, door: str
) -> None:
    named = f"{door}?key=${{DOOR_KEY}}"
    done = command("run", RECORDS, "--agent", named, *ONE, "--seeds", "2", DOOR_KEY="tulip-quarry")
    assert done.returncode == 0, done.stderr
    assert _Door.asked and all(one.endswith("key=tulip-quarry") for one in _Door.asked)
    kept = everything(tmp_path / "riskbox.db")
    assert named in kept and "tulip-quarry" not in kept, (
        "the process's own secrets are taken out of what is said too"
    )
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        run = store.runs()[0].run
        said = [
            one
            for one in store.episode(run, next(iter(store.done(run)))).episode.events
            if isinstance(one, Said)
        ]
        assert any("The password is ***" in one.text for one in said)
    _forget_one(tmp_path / "riskbox.db")
    again = command("run", "--resume", run, "--local", "--quiet", DOOR_KEY="tulip-quarry")
    assert again.returncode == 0, again.stderr
    missing = command("run", RECORDS, "--agent", f"{door}?key=${{NOT_THERE}}", *ONE)
    assert missing.returncode == 2 and "there is no environment variable NOT_THERE" in missing.stderr


@pytest.mark.parametrize("adapter", ["process", "mcp"])
def test_a_command_line_with_a_secret(tmp_path: Path, command: Command, adapter: str) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text("import sys\nsys.exit(f'bad key {sys.argv}')\n")
    named = f"{adapter}:python3 {agent} --api-key tulip-quarry --other ${{MY_PASSWORD}}"
    done = command("run", RECORDS, "--agent", named, *ONE, MY_PASSWORD="lime-harbour")
    kept = everything(tmp_path / "riskbox.db")
    assert "--api-key *** --other ${MY_PASSWORD}" in kept, kept
    assert "bad key" in kept and "lime-harbour" not in kept + done.stderr + done.stdout
    assert "tulip-quarry" not in done.stderr + done.stdout


def test_an_error_on_the_screen_shows_no_secret(command: Command) -> None:
    done = command("run", RECORDS, "--agent", "process:no-such-program --token tulip-quarry", *ONE)
    assert done.returncode == 2 and "--token ***" in done.stderr and "tulip-quarry" not in done.stderr
