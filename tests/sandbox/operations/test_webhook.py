"""The end of a run is told to a server on this machine: signed, again after a failure, without any effect on the run."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from riskbox.sandbox.operations import webhook
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.script import Fail
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import reached

Command = Callable[..., subprocess.CompletedProcess[str]]


class Receiver:
    """A server that keeps what it gets, and answers with the given codes in turn, then 200."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((dict(self.headers), body))
                self.send_response(outer.codes.pop(0) if outer.codes else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T000/very-secret-path"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def test_the_end_of_a_run_is_posted_and_signed(
    receiver: Receiver, command: Command, records: Path, tmp_path: Path
) -> None:
    words = ["run", records, "--local", "--json", "--name", "nightly", "--fail-if", "faults > 0.5"]
    done = command(*words, "--webhook", receiver.url, RISKBOX_WEBHOOK_SECRET="a-key-of-ours")
    assert done.returncode == 0, done.stderr
    ((headers, data),) = receiver.got
    signed = hmac.new(b"a-key-of-ours", data, hashlib.sha256).hexdigest()
    assert headers["X-Riskbox-Signature"] == f"sha256={signed}"
    body, said = json.loads(data), json.loads(done.stdout)
    assert body["run"] == said["run"] and body["state"] == "done" and body["stored"] == said["planned"] > 0
    assert (
        body["labels"]["risky"] == said["risky"]
        and body["passed"]
        and body["gates"][0]["name"] == "faults > 0.5"
    )
    assert body["health"] == {"broken": False, "lines": []} and body["results"]["episodes"] == said["planned"]
    assert "nightly" in body["text"] and "all gates passed" in body["text"]
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        assert "very-secret-path" not in store.run().model_dump_json()
        assert "--webhook" in store.run().command


@pytest.mark.parametrize("codes, tries", [([503, 429], 3), ([500, 500, 500], 3), ([404], 1)])
def test_one_that_fails_is_one_line_and_changes_nothing(
    codes: list[int],
    tries: int,
    receiver: Receiver,
    command: Command,
    records: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "PAUSES", (0.0, 0.0))
    receiver.codes = list(codes)
    done = command("run", records, "--local", "--quiet", "--webhook", receiver.url)
    assert done.returncode == 0 and len(receiver.got) == tries
    told = [line for line in done.stderr.splitlines() if "webhook" in line]
    assert len(told) == (len(codes) == tries) and "very-secret-path" not in done.stderr


def test_a_run_that_halts_is_told_with_its_reason(
    receiver: Receiver, command: Command, records: Path, stub: Stub
) -> None:
    stub.script(Fail(401), repeat=True)
    words = ["run", records, "--local", "--quiet", "--agent", f"{stub.url}/v1#stub"]
    done = command(*words, "--webhook", receiver.url, **reached(stub.url))
    assert done.returncode != 0
    ((_, data),) = receiver.got
    body = json.loads(data)
    assert body["state"] == "stopped" and "401" in body["error"] and body["error"] in body["text"]


def test_what_is_no_url_is_refused(command: Command, records: Path) -> None:
    done = command("run", records, "--local", "--webhook", "hooks.example/x")
    assert done.returncode == 2 and "webhook" in done.stderr
