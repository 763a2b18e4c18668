"""Agents behind an HTTP address: a server in a process of its own, well-behaved and not."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.agents import service
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.episode.playing import PreparedCases, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.agents import agent, check_agent_name
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.rules.replay import catch_up, fork
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Ended
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

CASE = next(
    one
    for one in cases([load(Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml")])
    if one.id.endswith("/owner")
)

SERVER = r"""
import gzip, json, sys, time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

seen = []

def looked_up(asked):
    last = asked["messages"][-1]
    if last["role"] == "user":
        function = {"name": "clinic__read_record", "arguments": json.dumps({"patient": "P-104"})}
        return {"content": None, "tool_calls": [{"function": function}]}
    return {"content": f"{asked['turn']}: {json.loads(last['content'])['next_visit']}"}

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def do_GET(self):
        self.send(200, json.dumps(seen).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        before = sum(one["path"] == self.path for one in seen)
        seen.append({"path": self.path, "body": asked, "headers": dict(self.headers)})
        good = json.dumps(looked_up(asked)).encode()
        match self.path:
            case "/act":
                self.send(200, good)
            case "/leave":
                self.send(200, b'{"content": "Good day.", "leave": true}')
            case "/busy" if before == 0:
                self.send(429, b"later", Retry_After="0")
            case "/busy" if before == 1:
                self.send(503, b"later", Retry_After=formatdate(time.time() - 5, usegmt=True))
            case "/busy" | "/here":
                self.send(200, good)
            case "/broken":
                self.send(500, b"Traceback: boom", Retry_After="0")
            case "/drops":
                self.close_connection = True
                self.connection.close()
            case "/refuses":
                self.send(422, b'{"detail": "no field query"}')
            case "/guarded":
                ok = self.headers.get("Authorization") == "Bearer s3cret"
                said = f"who are you? {self.headers.get('Authorization')}".encode()
                self.send(200, good) if ok else self.send(401, said)
            case "/there":
                self.send(307, b"", Location="/here")
            case "/circle":
                self.send(308, b"", Location="/circle")
            case "/away":
                self.send(307, b"", Location="http://127.0.0.2:9/act")
            case "/moved":
                self.send(302, b"", Location="/act")
            case "/page":
                self.send(200, b"<html>hello</html>")
            case "/packed":
                self.send(200, gzip.compress(good), Content_Encoding="gzip")
            case "/endless":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    while True:
                        self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                except OSError:
                    pass
            case "/slow":
                time.sleep(5)
                self.send(200, good)
            case _:
                self.send(404, b"nothing here")

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server that behaves as the path says."""
    running = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(running.stdout.readline())}"
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


Seen = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def seen(server: str) -> Seen:
    """What the server was sent at a path."""
    import urllib.request

    def at(path: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(server) as response:
            return [one for one in json.load(response) if one["path"] == path]

    return at


def played(url: str, patience: Timeouts | None = None, case: Case = CASE) -> Played:
    spec = Spec.of(case.hash, Cast(agent=f"service:{url}"), 1)
    seats = {"user": user("scripted", case), "agent": agent(f"service:{url}", case)}
    prepared = PreparedCases({case.hash: case}).of(case.hash)
    return asyncio.run(play_episode("t", spec, prepared, seats, [], patience or Timeouts(turn=20)))


def ended(url: str, patience: Timeouts | None = None) -> Ended:
    return played(url, patience).episode.ended


def said(one: Played) -> list[str]:
    return [line.text for line in Trajectory(one.episode.events).said("agent")]


def test_it_plays(server: str) -> None:
    one = played(f"{server}/act")
    assert said(one) == ["1: 2026-04-14", "2: 2026-04-14"]
    call = next(event for event in one.episode.events if isinstance(event, Called))
    assert (call.tool, call.arguments) == ("clinic.read_record", {"patient": "P-104"})
    assert one.episode.ended.reason == "user_left"


def test_what_it_is_sent_is_the_documented_form(server: str, seen: Seen) -> None:
    earlier = len(seen("/leave"))
    assert said(played(f"{server}/leave")) == ["Good day."]
    assert ended(f"{server}/leave").reason == "agent_left"
    first, second = (one["body"] for one in seen("/leave")[earlier:])
    assert set(first) == {"episode", "turn", "messages", "tools"}
    assert [one["role"] for one in first["messages"]] == ["system", "user"] and first["turn"] == 1
    assert "clinic__read_record" in [tool["function"]["name"] for tool in first["tools"]]
    assert first["episode"] != second["episode"]
    assert {**first, "episode": ""} == {**second, "episode": ""}


def test_all_requests_of_an_episode_name_it(server: str, seen: Seen) -> None:
    earlier = len(seen("/act"))
    played(f"{server}/act")
    bodies = [one["body"] for one in seen("/act")[earlier:]]
    assert len(bodies) == 4 and len({one["episode"] for one in bodies}) == 1
    assert [one["turn"] for one in bodies] == [1, 1, 2, 2]
    assert bodies[-1]["messages"][: len(bodies[0]["messages"])] == bodies[0]["messages"]


def test_what_passes_is_asked_again(server: str, seen: Seen) -> None:
    assert said(played(f"{server}/busy"))[0] == "1: 2026-04-14"
    bodies = [one["body"] for one in seen("/busy")[:3]]
    assert bodies[0] == bodies[1] == bodies[2]


def test_what_does_not_pass_is_a_fault_after_a_few_times(server: str, seen: Seen) -> None:
    ending = ended(f"{server}/broken")
    assert (ending.ending, ending.reason) == ("fault", AGENT_CRASHED)
    assert "answered 500" in ending.detail and "boom" in ending.detail and "3 times" in ending.detail
    assert len(seen("/broken")) == service.ATTEMPTS


def test_a_connection_that_breaks_is_tried_again(server: str, seen: Seen) -> None:
    ending = ended(f"{server}/drops")
    assert ending.ending == "fault" and "cannot be reached" in ending.detail
    assert len(seen("/drops")) >= service.ATTEMPTS


def test_nobody_there_is_a_fault() -> None:
    ending = ended("http://127.0.0.1:9/act")
    assert ending.ending == "fault" and "cannot be reached" in ending.detail


def test_a_refusal_is_a_fault_at_once(server: str, seen: Seen) -> None:
    ending = ended(f"{server}/refuses")
    assert ending.ending == "fault" and "answered 422" in ending.detail and "no field query" in ending.detail
    assert len(seen("/refuses")) == 1


def test_the_token_comes_from_the_environment_and_is_shown_nowhere(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(service.TOKEN, raising=False)
    ending = ended(f"{server}/guarded")
    assert "answered 401" in ending.detail and service.TOKEN in ending.detail
    monkeypatch.setenv(service.TOKEN, "wr0ng")
    one = played(f"{server}/guarded")
    assert "who are you? Bearer ***" in one.episode.ended.detail
    assert "wr0ng" not in one.episode.model_dump_json()
    monkeypatch.setenv(service.TOKEN, "s3cret")
    assert said(played(f"{server}/guarded"))[0] == "1: 2026-04-14"


def test_redirects_are_followed_on_the_same_host_only(server: str, seen: Seen) -> None:
    assert said(played(f"{server}/there"))[0] == "1: 2026-04-14"
    assert len(seen("/here")) == 4
    assert "another host, http://127.0.0.2:9/act" in ended(f"{server}/away").detail
    assert "in circles" in ended(f"{server}/circle").detail
    assert "answered 302" in ended(f"{server}/moved").detail


ANSWERS = [("/page", "not JSON"), ("/packed", "not JSON"), ("/endless", "more than 4,194,304 bytes")]


@pytest.mark.parametrize(("path", "told"), ANSWERS)
def test_what_is_no_answer_is_a_fault(server: str, path: str, told: str) -> None:
    ending = ended(server + path)
    assert (ending.ending, ending.reason) == ("fault", AGENT_CRASHED)
    assert told in ending.detail and len(ending.detail) < 1000


def test_a_slow_answer_is_the_turns_limit(server: str) -> None:
    assert ended(f"{server}/slow", Timeouts(turn=0.2)).reason == "turn_seconds"


def test_it_keeps_nothing_and_can_be_forked_anywhere(server: str) -> None:
    one = played(f"{server}/act")
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    state, origin = fork(one.episode, prepared, len(one.episode.events) - 3)

    async def again() -> Played:
        seats = {"user": user("scripted", CASE), "agent": agent(f"service:{server}/act", CASE)}
        await catch_up(state, seats)
        spec = Spec.of(CASE.hash, Cast(agent=f"service:{server}/act"), 1, origin)
        return await play_episode("t", spec, prepared, seats, [], start=state)

    assert asyncio.run(again()).episode.events == one.episode.events


def test_the_service_on_the_page_plays(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "agents.md").read_text("utf-8")
    code = page.partition("<!-- file: my_service.py -->\n```python\n")[2].partition("\n```\n")[0]
    assert "def move" in code
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = subprocess.Popen([sys.executable, "-c", code, str(port)], stderr=subprocess.DEVNULL)
    try:
        # it is asked again while it starts
        one = played(f"http://127.0.0.1:{port}/act")
        assert said(one)[0] == "Who is calling?" and one.episode.ended.reason == "user_left"
    finally:
        running.kill()
        running.wait()


WRONG = [
    ("service:", "not an HTTP address"),
    ("service:localhost:8000", "not an HTTP address"),
    ("service:ftp://host/act", "not an HTTP address"),
    ("service:http://host:port/act", "Port could not be cast"),
    ("service:http://[::1/act", "Invalid IPv6"),
    ("service:https://me:secret@host/act", "RISKBOX_AGENT_TOKEN"),
]


@pytest.mark.parametrize(("name", "told"), WRONG)
def test_a_wrong_address_is_told_before_anything_is_played(name: str, told: str) -> None:
    with pytest.raises(PluginError, match=told) as raised:
        check_agent_name(name)
    assert "secret" not in str(raised.value)


def test_the_run_command_takes_it(command: Any, server: str, records: Path) -> None:
    done = command("run", records, "--variant", "none", "--agent", f"service:{server}/act", "--local")
    assert done.returncode == 0, done.stderr
    assert "2/2 episodes" in done.stdout + done.stderr and "faults 0" in done.stdout + done.stderr
