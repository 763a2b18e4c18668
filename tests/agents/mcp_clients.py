"""MCP clients for tests, as the text of programs, and episodes that they play."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.playing import PreparedCases, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.loading.loader import load, loads
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.sandbox.registry.agents import agent
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import Ended
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

ROOT = Path(__file__).parent.parent.parent
RECORDS = ROOT / "tests" / "sandbox" / "cases" / "records.yaml"
SHIPPED = ROOT / "scenarios" / "healthcare" / "night_line.yaml"
CASE = next(one for one in cases([load(RECORDS)]) if one.id.endswith("/owner"))
PREPARED = PreparedCases({CASE.hash: CASE}).of(CASE.hash)

SDK = """
    import asyncio, json, os, sys
    import httpx2
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters
    from mcp.client.streamable_http import streamable_http_client

    def servers(name):
        return json.load(open(os.environ[name]))["mcpServers"]["riskbox"]

    def transport():
        if os.environ["VIA"] == "stdio":
            one = servers("RISKBOX_MCP_STDIO_CONFIG")
            return StdioServerParameters(command=one["command"], args=one["args"], env=one["env"])
        one = servers("RISKBOX_MCP_CONFIG")
        wire = httpx2.AsyncClient(headers=one["headers"], trust_env=False)
        return streamable_http_client(one["url"], http_client=wire)

    async def reply():
        async with Client(transport(), mode=os.environ["MODE"]) as client:
            tools = {one.name: one for one in (await client.list_tools()).tools}
            found, unknown, wrong = await asyncio.gather(
                client.call_tool("clinic__read_record", {"patient": "P-104"}),
                client.call_tool("clinic__no_such", {}),
                client.call_tool("clinic__read_record", {"who": "P-104"}),
            )
            return json.dumps({
                "tools": len(tools),
                "description": tools["clinic__read_record"].description,
                "schema": tools["clinic__read_record"].input_schema,
                "errors": [found.is_error, unknown.is_error, wrong.is_error],
                "visit": json.loads(found.content[0].text)["next_visit"],
                "unknown": json.loads(unknown.content[0].text),
            })
"""
EACH = "\nprint(asyncio.run(reply()))\n"
LASTING = """
for line in sys.stdin:
    told = json.loads(line)
    if told["type"] == "turn":
        print(json.dumps({"content": asyncio.run(reply())}))
"""

PLAIN = """
    import json, os, sys, threading, time, urllib.error, urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    session = {}

    def post(method, params, url=None, token=None):
        headers = {
            "Authorization": "Bearer " + (token or os.environ["RISKBOX_MCP_TOKEN"]),
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **session,
        }
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        return opener.open(urllib.request.Request(url or os.environ["RISKBOX_MCP_URL"], body, headers))

    def result(answer):
        return next(json.loads(line[6:])["result"] for line in answer if line.startswith(b"data: {"))

    def hello(**where):
        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        answer = post("initialize", about, **where)
        session["Mcp-Session-Id"] = answer.headers["mcp-session-id"]
        result(answer)

    def call(tool, **arguments):
        given = result(post("tools/call", {"name": tool, "arguments": arguments}))
        return given["isError"], given["content"][0]["text"]

    def turns():
        for line in sys.stdin:
            told = json.loads(line)
            if told["type"] == "turn":
                yield told["messages"]

    def say(text, **more):
        print(json.dumps({"content": text, **more}))
"""
"""An MCP client written by hand, which starts quickly."""

WriteClient = Callable[..., str]


def seats(command: str, case: Case, confinement: Confinement = UNCONFINED) -> dict[str, Participant]:
    return {"user": user("scripted", case), "agent": agent(f"mcp:{command}", case, None, confinement)}


async def playing(
    command: str,
    case: Case = CASE,
    patience: Timeouts = Timeouts(turn=60),
    seed: int = 1,
    who: Participant | None = None,
    confinement: Confinement = UNCONFINED,
) -> Played:
    spec = Spec.of(case.hash, Cast(agent=f"mcp:{command}"), seed)
    parties = seats(command, case, confinement)
    if who is not None:
        parties["user"] = who
    return await play_episode(
        "t", spec, PreparedCases({case.hash: case}).of(case.hash), parties, [], patience
    )


def played(command: str, **more: Any) -> Played:
    return asyncio.run(playing(command, **more))


def ended(command: str, **more: Any) -> Ended:
    return played(command, **more).episode.ended


def said(one: Played) -> list[str]:
    return [line.text for line in Trajectory(one.episode.events).said("agent")]


def changed(*changes: tuple[str, str], id: str = "owner") -> Case:
    """A case of the scenario with parts of its text replaced."""
    text = RECORDS.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return next(one for one in cases([loads(text, RECORDS)]) if one.id.endswith(f"/{id}"))
