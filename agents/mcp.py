"""An agent that is an MCP client: its command is run, and the episode's tools are served to it over MCP.

    mcp:python my_agent.py --mcp-config {config} --system {policy} -- {message}     run once for each thing the user says
    mcp:python my_agent.py                                                          started once, speaks lines of JSON

A command with `{message}` in it is run for each message, and what it prints is the answer. One without is started once an
episode and asked as `process:COMMAND` is, but for text alone; see `agents/process.py`.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from riskbox.agents.mcp_server import ToolEndpoint, served
from riskbox.agents.process import ChildProcess, check_command, words
from riskbox.sandbox.contracts.message import answered
from riskbox.sandbox.contracts.seat import Owner, Seat
from riskbox.sandbox.errors import ParticipantFault, PluginError, install_hint
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.sandbox.words.secrets import redact

PLACES = ("message", "policy", "url", "config", "stdio_config")
"""Placeholders that a command may hold in braces."""
OLDEST = (2, 3)
"""The first release of the SDK whose server limits the sessions that a client may open."""
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
_BRACED = re.compile(r"(?<!\$)\{([A-Za-z_]+)\}")


class McpAgent(Owner):
    """Plays by running a command that reaches its tools over MCP.

    Args:
        command: The command line, split as a shell would, but run without one.
        confinement: What the process may use and see.
    """

    def __init__(self, command: str, confinement: Confinement = UNCONFINED) -> None:
        self.command, self.confinement = command, confinement
        self._words = words("mcp", command)
        self._endpoint: ToolEndpoint | None = None
        self._child: ChildProcess | None = None

    @classmethod
    def check(cls, command: str) -> None:
        """Check that the command exists, and that the packages are installed that serve its tools.

        Raises:
            PluginError: they are not.
        """
        check_command("mcp", command)
        for name in _BRACED.findall(command):
            _check_place(command, name)
        for package in ("mcp", "uvicorn"):
            _check_package(package)

    async def play(self, seat: Seat) -> None:
        """Serve the tools, and pass on what the user and the command say.

        Raises:
            ParticipantFault: the command cannot be started, failed, or gave an answer that cannot be read.
        """
        run = self._run_each_turn if any("{message}" in word for word in self._words) else self._run_once
        async with served(seat) as endpoint:
            self._endpoint = endpoint
            with _client_files(endpoint) as files:
                try:
                    await run(seat, endpoint, {"policy": seat.brief.policy, "url": endpoint.url, **files})
                except ParticipantFault as fault:
                    # what it printed may hold its token, and faults are stored
                    raise ParticipantFault(str(fault).replace(endpoint.token, "(the token)")) from None
                finally:
                    await self._end()

    async def close(self) -> None:
        """Revoke the token, end the process and everything that it started, then end the task that spoke with it."""
        if self._endpoint is not None and self._seat is not None:
            self._endpoint.close()
            self._seat.end()
        try:
            await self._end()
        finally:
            await super().close()

    # --- run for each message -------------------------------------------------------------------------------

    async def _run_each_turn(self, seat: Seat, endpoint: ToolEndpoint, told: Mapping[str, str]) -> None:
        heard, turn = await seat.hear(), 0
        while True:
            turn += 1
            async with endpoint.turn():
                child = await self._start(endpoint, {**told, "message": heard}, turn)
                printed = await child.all()
                await self._end()
            heard = await seat.say(printed.decode("utf-8", "replace").strip())

    # --- started once ---------------------------------------------------------------------------------------

    async def _run_once(self, seat: Seat, endpoint: ToolEndpoint, told: Mapping[str, str]) -> None:
        child = await self._start(endpoint, told)
        child.tell({"type": "brief", "name": seat.brief.name, "policy": seat.brief.policy, "tools": []})
        messages = [{"role": "user", "content": await seat.hear()}]
        while True:
            async with endpoint.turn():
                action = answered(await child.ask({"type": "turn", "messages": messages}))
            if action.calls:
                raise ParticipantFault(
                    f"`{redact(self.command)}` answered with tool calls; it must call tools over MCP and answer with text"
                )
            heard = await seat.say(action.text) if action.text or not action.leave else ""
            if action.leave:
                return
            messages = [{"role": "assistant", "content": action.text}, {"role": "user", "content": heard}]

    # --- its process ----------------------------------------------------------------------------------------

    async def _start(self, endpoint: ToolEndpoint, told: Mapping[str, str], turn: int = 0) -> ChildProcess:
        given = [_PLACE.sub(lambda found: _argument(told[found[1]]), word) for word in self._words]
        pipe = asyncio.subprocess.DEVNULL if turn else asyncio.subprocess.PIPE
        self._child = await ChildProcess.started(
            self.command, given, self.confinement, _environment(endpoint, told, turn), pipe
        )
        return self._child

    async def _end(self) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            await child.end()


def _check_place(command: str, name: str) -> None:
    """Refuse a placeholder that is nearly one of ours; commands may hold other braces of their own."""
    if name == "token":
        raise PluginError(
            f"mcp:{redact(command)}: everyone on this machine can read a token on a command line. Take it from the environment "
            "variable RISKBOX_MCP_TOKEN, or give the command {config}, a file that holds it."
        )
    near = difflib.get_close_matches(name, PLACES, n=1, cutoff=0.75)
    if near and name not in PLACES:
        known = ", ".join(f"{{{one}}}" for one in PLACES)
        raise PluginError(
            f"mcp:{redact(command)}: there is no {{{name}}}. Did you mean {{{near[0]}}}? Known: {known}."
        )


def _check_package(name: str) -> None:
    try:
        found = version(name)
    except PackageNotFoundError:
        raise PluginError(
            f"the adapter 'mcp' needs a package that is not installed ({name}). {install_hint('mcp')}"
        ) from None
    if name == "mcp" and tuple(map(int, re.findall(r"\d+", found)[:2])) < OLDEST:
        raise PluginError(
            f"the adapter 'mcp' needs mcp {OLDEST[0]}.{OLDEST[1]} or later, not {found}. Run: pip install -U 'mcp'"
        )


@contextmanager
def _client_files(endpoint: ToolEndpoint) -> Iterator[dict[str, str]]:
    """Write the files that tell an MCP client where the tools are. They hold the token, so only the owner can read them."""
    bridge = [sys.executable, "-m", "riskbox.sandbox.cli", "mcp-bridge", endpoint.url]
    servers: dict[str, dict[str, Any]] = {
        "config": {
            "type": "http",
            "url": endpoint.url,
            "headers": {"Authorization": f"Bearer {endpoint.token}"},
        },
        "stdio_config": {
            "type": "stdio",
            "command": bridge[0],
            "args": bridge[1:],
            "env": {"RISKBOX_MCP_TOKEN": endpoint.token},
        },
    }
    # the folder is the agent's to spoil, which is no fault of the episode
    with TemporaryDirectory(prefix="riskbox-mcp-", ignore_cleanup_errors=True) as folder:
        files = {}
        for name, server in servers.items():
            path = Path(folder, f"{name}.json")
            path.touch(mode=0o600)
            path.write_text(json.dumps({"mcpServers": {"riskbox": server}}, indent=2), "utf-8")
            files[name] = str(path)
        yield files


def _environment(endpoint: ToolEndpoint, told: Mapping[str, str], turn: int) -> dict[str, str]:
    return {
        "RISKBOX_MCP_URL": endpoint.url,
        "RISKBOX_MCP_TOKEN": endpoint.token,
        "RISKBOX_MCP_CONFIG": told["config"],
        "RISKBOX_MCP_STDIO_CONFIG": told["stdio_config"],
        "RISKBOX_POLICY": _argument(told["policy"]),
        "RISKBOX_EPISODE": endpoint.key,
        **({"RISKBOX_TURN": str(turn)} if turn else {}),
    }


def _argument(text: str) -> str:
    """Text for a command line, which would end at the first NUL."""
    return text.replace("\0", "\ufffd")
