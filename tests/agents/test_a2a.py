"""Agents that speak A2A: real servers made with the protocol's SDK, in a process of their own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.episode.playing import PreparedCases, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.agents import agent, check_agent_name
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Ended, Noted
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

CASE = next(
    one
    for one in cases([load(Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml")])
    if one.id.endswith("/owner")
)

SERVER = r'''
import asyncio, json, socket, uvicorn
from a2a.helpers import new_data_part, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Part, Task, TaskState, TaskStatus
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

listening = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{listening.getsockname()[1]}"
seen = []
turns = {}

class Agent(AgentExecutor):
    def __init__(self, deed):
        self.deed = deed

    async def execute(self, context, queue):
        turns[context.context_id] = turn = turns.get(context.context_id, 0) + 1
        seen.append({
            "deed": self.deed, "text": context.get_user_input(), "context": context.context_id,
            "task": context.current_task.id if context.current_task else "",
            "metadata": dict(context.message.metadata), "token": context.call_context.state.get("headers", {}).get("authorization", ""),
        })
        if self.deed == "message":
            await queue.enqueue_event(new_text_message(f"{turn}: {context.get_user_input()}", context_id=context.context_id))
            return
        if context.current_task is None:
            await queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)))
        update = TaskUpdater(queue, context.task_id, context.context_id)
        words = lambda text: update.new_agent_message([new_text_part(text)])
        await update.start_work(words("Thinking"))
        match self.deed:
            case "task":
                await update.add_artifact([new_text_part("On April 14."), new_data_part({"visit": "2026-04-14"})], artifact_id="a")
                await update.add_artifact([Part(raw=b"123", filename="card.pdf"), Part(url="http://host/file")], artifact_id="b")
                await update.complete(words("Anything else?"))
            case "asks":
                await update.add_artifact([new_text_part("A form.")], artifact_id="form")
                await (update.requires_input(words("Your date of birth?")) if turn == 1 else update.complete(words("Thanks.")))
            case "fails":
                await update.failed(words("no model"))
            case "rejects":
                await update.reject()
            case "auth":
                await update.requires_auth()
            case "raises":
                raise KeyError("boom")

    async def cancel(self, context, queue):
        pass

def made(deed):
    card = AgentCard(
        name=deed, description=deed, version="1", default_input_modes=["text"], default_output_modes=["text"],
        capabilities=AgentCapabilities(streaming=True),
        supported_interfaces=[AgentInterface(protocol_binding="JSONRPC", protocol_version="1.0", url=f"{url}/{deed}/rpc")],
    )
    handler = DefaultRequestHandler(Agent(deed), InMemoryTaskStore(), card)
    return Mount(f"/{deed}", routes=[*create_agent_card_routes(card), *create_jsonrpc_routes(handler, "/rpc")])

looks = []

async def by_hand(request):
    """A server that never waits, and one whose card names another host."""
    deed = request.path_params["deed"]
    if request.method == "GET":
        host = url.replace("127.0.0.1", "localhost") if deed == "elsewhere" else url
        interface = {"url": f"{host}/hand/{deed}/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        return JSONResponse({"name": deed, "version": "1", "capabilities": {}, "supportedInterfaces": [interface]})
    asked = json.loads(await request.body())
    seen.append({"deed": deed, "token": request.headers.get("authorization", "")})
    if deed == "endless":
        async def forever():
            for _ in range(200):
                yield b"x" * 65536
                await asyncio.sleep(0)
        return StreamingResponse(forever())
    if deed == "packed":
        return Response(b"x", headers={"Content-Encoding": "gzip"})
    if deed == "html":
        return Response("<html>")
    if deed == "elsewhere":
        said = {"message": {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "Here."}]}}
        return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": said})
    looks.append(asked["method"])
    state = "TASK_STATE_COMPLETED" if looks.count("GetTask") > 1 else "TASK_STATE_WORKING"
    parts = [{"parts": [{"text": "Done."}], "artifactId": "a"}] if state.endswith("COMPLETED") else []
    task = {"id": "t", "contextId": "c", "status": {"state": state}, "artifacts": parts}
    return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": {"task": task} if asked["method"] == "SendMessage" else task})

async def told(request):
    return JSONResponse(seen)

deeds = ["message", "task", "asks", "fails", "rejects", "auth", "raises"]
app = Starlette(routes=[
    *map(made, deeds), Route("/seen", told),
    Route("/hand/{deed}/.well-known/agent-card.json", by_hand), Route("/hand/{deed}/rpc", by_hand, methods=["POST"]),
])
print(url, flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listening])
'''


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of agents that behave as the path says."""
    running = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield running.stdout.readline().strip()
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def seen(server: str, deed: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server}/seen") as response:
        return [one for one in json.load(response) if one["deed"] == deed]


def played(url: str, case: Case = CASE) -> Played:
    spec = Spec.of(case.hash, Cast(agent=f"a2a:{url}"), 1)
    seats = {"user": user("scripted", case), "agent": agent(f"a2a:{url}", case)}
    prepared = PreparedCases({case.hash: case}).of(case.hash)
    return asyncio.run(play_episode("t", spec, prepared, seats, [], Timeouts(turn=20)))


def ended(url: str) -> Ended:
    return played(url).episode.ended


def said(one: Played) -> list[str]:
    return [line.text for line in Trajectory(one.episode.events).said("agent")]


def test_messages_go_to_and_fro_in_one_context_an_episode(server: str) -> None:
    one = played(f"{server}/message")
    assert said(one) == [
        "1: Hi, Dana Wu here. When is my next visit?",
        "2: It's Dana Wu, born first of June 1987.",
    ]
    assert one.episode.ended.reason == "user_left"
    assert said(played(f"{server}/message"))[0].startswith("1: ")
    contexts = [one["context"] for one in seen(server, "message")]
    assert len(contexts) == 4 and len(set(contexts)) == 2 and contexts[0] == contexts[1]


def test_the_policy_goes_along_and_no_tools(server: str) -> None:
    one = played(f"{server}/message")
    metadata = seen(server, "message")[-1]["metadata"]
    assert metadata["name"] == "Northside front desk" and "Share a record only" in metadata["policy"]
    assert not [event for event in one.episode.events if isinstance(event, Called)]


def test_what_a_task_made_is_said_and_each_message_is_a_task_of_its_own(server: str) -> None:
    one = played(f"{server}/task")
    files = "[file card.pdf, 3 bytes]\nhttp://host/file"
    assert said(one)[0] == f'On April 14.\n{{"visit": "2026-04-14"}}\n{files}\nAnything else?'
    first, second = seen(server, "task")[-2:]
    assert first["context"] == second["context"] and second["task"] == ""


def test_a_task_that_asks_is_answered_and_repeats_nothing(server: str) -> None:
    assert said(played(f"{server}/asks")) == ["A form.\nYour date of birth?", "Thanks."]
    first, second = seen(server, "asks")[-2:]
    assert second["task"] and first["context"] == second["context"]


BROKEN = [
    ("fails", "the task failed. no model"),
    ("auth", "asks to be authenticated"),
    ("raises", "boom"),
    ("hand/endless", "larger than 4,194,304 bytes"),
    ("hand/packed", "compressed"),
    ("hand/html", "JSON"),
    ("nobody", "shows no card of an A2A agent"),
]


@pytest.mark.parametrize(("deed", "told"), BROKEN)
def test_what_breaks_is_a_fault(server: str, deed: str, told: str) -> None:
    ending = ended(f"{server}/{deed}")
    # an agent that never got ready did nothing, and so nothing of it was tested
    reason = "participant" if deed == "nobody" else AGENT_CRASHED
    assert (ending.ending, ending.reason) == ("fault", reason)
    assert told in ending.detail


def test_nobody_there_is_a_fault() -> None:
    ending = ended("http://127.0.0.1:9")
    assert ending.ending == "fault" and "shows no card" in ending.detail


def test_a_rejected_task_is_the_agents_doing_and_noted(server: str) -> None:
    one = played(f"{server}/rejects")
    assert one.episode.ended.ending == "terminated" and said(one) == []
    assert any(isinstance(event, Noted) and "rejected" in event.text for event in one.episode.events)


def test_a_task_that_is_not_waited_for_is_looked_at_until_it_is_done(server: str) -> None:
    assert said(played(f"{server}/hand/lazy"))[0] == "Done."


def test_the_token_goes_to_the_host_that_was_named_only(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKBOX_AGENT_TOKEN", "s3cret")
    one = played(f"{server}/message")
    assert seen(server, "message")[-1]["token"] == "Bearer s3cret"
    assert "s3cret" not in one.episode.model_dump_json()
    assert said(played(f"{server}/hand/elsewhere"))[0] == "Here."
    assert seen(server, "elsewhere")[-1]["token"] == ""


WRONG = [
    ("a2a:localhost:9999", "not an HTTP address"),
    ("a2a:http://host:port", "Port could not be cast"),
    ("a2a:https://me:secret@host", "RISKBOX_AGENT_TOKEN"),
]


@pytest.mark.parametrize(("name", "told"), WRONG)
def test_a_wrong_address_is_told_before_anything_is_played(name: str, told: str) -> None:
    with pytest.raises(PluginError, match=told) as raised:
        check_agent_name(name)
    assert "secret" not in str(raised.value)


def test_the_run_command_takes_it(command: Any, server: str, records: Path) -> None:
    done = command("run", records, "--variant", "none", "--agent", f"a2a:{server}/task", "--local")
    assert done.returncode == 0, done.stderr
    assert "2/2 episodes" in done.stdout + done.stderr and "faults 0" in done.stdout + done.stderr
