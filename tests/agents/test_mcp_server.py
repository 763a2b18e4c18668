"""The MCP server: who is let in, what it refuses, how it starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from riskbox.agents.mcp_server import ToolEndpoint, served
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.seat import Seat
from riskbox.sandbox.episode.playing import PreparedCases
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.words.observation import AgentView

RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"
CASE = next(one for one in cases([load(RECORDS)]) if one.id.endswith("/owner"))
PREPARED = PreparedCases({CASE.hash: CASE}).of(CASE.hash)

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
SPEAKS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


def seat() -> Seat:
    brief = PREPARED.briefs["agent"]
    assert isinstance(brief, AgentView)
    return Seat(brief)


async def status(url: str, token: str | None, headers: Mapping[str, str] = {}, body: Any = HELLO) -> int:
    held = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, json=body, headers={**SPEAKS, **held, **headers}) as answer,
    ):
        return answer.status


async def test_only_the_episodes_own_token_opens_its_endpoint() -> None:
    async with served(seat()) as one, served(seat()) as other:
        assert one.url.rpartition("/e/")[0] == other.url.rpartition("/e/")[0]
        assert (one.key, one.token) != (other.key, other.token)
        assert await status(one.url, one.token) == 200
        for wrong in (None, "", other.token, one.token[:-1], one.token + "x", "é"):
            assert await status(one.url, wrong) == 401
        assert await status(one.url, None, {"Authorization": f"Basic {one.token}"}) == 401
        assert await status(one.url, None, {"Authorization": one.token}) == 401
        for path in (f"/e/{'0' * 16}/mcp", f"/e/{one.key}", "/mcp", "/", "/e//mcp", f"//e/{one.key}/mcp/"):
            assert await status(one.url.rpartition("/e/")[0] + path, one.token) == 404


async def test_foreign_hosts_and_origins_are_refused() -> None:
    async with served(seat()) as endpoint:
        own = endpoint.url.partition("/e/")[0]
        assert await status(endpoint.url, endpoint.token, {"Origin": own}) == 200
        assert await status(endpoint.url, endpoint.token, {"Origin": "http://evil.example"}) == 403
        assert await status(endpoint.url, endpoint.token, {"Origin": "http://127.0.0.1:1"}) == 403
        assert await status(endpoint.url, endpoint.token, {"Host": "evil.example"}) == 421


async def test_requests_are_no_larger_than_agreed() -> None:
    async with served(seat()) as endpoint:
        assert await status(endpoint.url, endpoint.token, body={"x": "x" * 2**20}) == 413
        assert await status(endpoint.url, endpoint.token) == 200


async def listening(endpoint: ToolEndpoint, http: aiohttp.ClientSession) -> aiohttp.ClientResponse:
    """The stream of a new session, on which the server could speak up."""
    held = {**SPEAKS, "Authorization": f"Bearer {endpoint.token}"}
    async with http.post(endpoint.url, json=HELLO, headers=held) as answer:
        held["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]
    return await http.get(endpoint.url, headers={**held, "Accept": "text/event-stream"})


async def test_a_token_is_worth_nothing_after_the_end_and_open_sessions_are_ended() -> None:
    async with served(seat()) as lasting, aiohttp.ClientSession() as http:
        async with served(seat()) as endpoint:
            stream = await listening(endpoint, http)
            assert stream.status == 200
            endpoint.close()
            assert await status(endpoint.url, endpoint.token) == 401
        async with asyncio.timeout(10):
            assert await stream.content.read() == b""
        assert await status(endpoint.url, endpoint.token) == 404
        assert await status(lasting.url, lasting.token) == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await status(endpoint.url, endpoint.token)


async def test_the_next_episode_finds_a_server_again() -> None:
    for _ in range(3):
        async with served(seat()) as endpoint:
            assert await status(endpoint.url, endpoint.token) == 200


async def test_a_client_that_never_ends_does_not_hold_up_the_end() -> None:
    async with served(seat()) as endpoint:
        port = int(endpoint.url.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /e/x/mcp HTTP/1.1\r\nHost: x\r\nContent-Le")
        await writer.drain()
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_the_bridge_says_why_it_cannot_start(riskbox: Callable[..., Any]) -> None:
    async def bridge(url: str, **env: str) -> str:
        done = await asyncio.to_thread(riskbox, "mcp-bridge", url, **env)
        assert (done.returncode, done.stdout) == (2, "")
        return str(done.stderr)

    assert "RISKBOX_MCP_TOKEN contains no token" in await bridge(
        "http://127.0.0.1:1/e/x/mcp", RISKBOX_MCP_TOKEN=""
    )
    assert "on this machine" in await bridge("https://example.org/mcp", RISKBOX_MCP_TOKEN="x")
    async with served(seat()) as endpoint:
        assert "rejected the token" in await bridge(endpoint.url, RISKBOX_MCP_TOKEN="x")
    assert "cannot reach" in await bridge(endpoint.url, RISKBOX_MCP_TOKEN=endpoint.token)
