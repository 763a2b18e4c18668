"""`riskbox mcp-bridge`: an episode's MCP server for clients that only start servers and talk to their stdin and stdout."""

from __future__ import annotations

import argparse
import asyncio
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from riskbox.sandbox.cli.options import Parser
from riskbox.sandbox.errors import InputError, install_hint

if TYPE_CHECKING:
    from mcp import Client
    from mcp.server import Server

ABOUT = """\
Run an MCP server on stdin and stdout that forwards everything to an episode's MCP server. The MCP client of an agent under
test (`--agent "mcp:COMMAND"`) starts it, usually from the configuration file {stdio_config}. It ends when its input ends.

It reads the bearer token from the environment variable RISKBOX_MCP_TOKEN."""
EXAMPLES = """\
  riskbox mcp-bridge "$RISKBOX_MCP_URL"
  riskbox run clinic.yaml --local --agent "mcp:my_client --mcp-config {stdio_config} -- {message}"
"""
TOKEN = "RISKBOX_MCP_TOKEN"


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser("mcp-bridge", ABOUT, EXAMPLES)
    made.add_argument(
        "url", metavar="URL", help="the URL of the episode's MCP server, for example from RISKBOX_MCP_URL"
    )
    return made


def main(argv: list[str]) -> int:
    """Hand on until the input ends."""
    url = parser().parse_args(argv).url
    token = os.environ.get(TOKEN, "")
    _check(url, token)
    asyncio.run(_bridge(url, token))
    return 0


def _check(url: str, token: str) -> None:
    there = urlsplit(url)
    if there.scheme != "http" or there.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise InputError(
            "mcp-bridge: URL must be an episode's server on this machine, http://127.0.0.1:PORT/e/KEY/mcp, as in the "
            "agent's environment variable RISKBOX_MCP_URL."
        )
    if not token:
        raise InputError(
            f"mcp-bridge: the environment variable {TOKEN} contains no token; Riskbox sets it for the agent's command."
        )
    if find_spec("mcp") is None:
        raise InputError(f"mcp-bridge needs a package that is not installed (mcp). {install_hint('mcp')}")


async def _bridge(url: str, token: str) -> None:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.server.stdio import stdio_server

    # a call may last as long as the episode lets it, and a proxy has no business here
    wire = httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {token}"}, timeout=httpx2.Timeout(30, read=None), trust_env=False
    )
    async with wire:
        try:
            reached = await wire.get(url)
        except httpx2.TransportError as error:
            raise InputError(f"mcp-bridge: cannot reach {url}: {error}. The episode may be over.") from None
        if reached.status_code in (401, 404):
            raise InputError(f"mcp-bridge: {url} rejected the token, or the episode is over.")
        async with Client(streamable_http_client(url, http_client=wire)) as client:
            server = _mirror(client)
            async with stdio_server() as (reads, writes):
                await server.run(reads, writes, server.create_initialization_options())


def _mirror(client: Client) -> Server[Any]:
    """A server that has what the client's server has."""
    from mcp.server import Server

    async def list_tools(_request: Any, given: Any) -> Any:
        return await client.list_tools(cursor=given.cursor if given else None)

    async def call_tool(_request: Any, given: Any) -> Any:
        return await client.call_tool(given.name, given.arguments)

    return Server("riskbox", on_list_tools=list_tools, on_call_tool=call_tool)
