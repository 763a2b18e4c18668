"""The doors to episodes' tools: one HTTP server a process that speaks MCP, and in it a path and a token an episode.

    async with opened(seat) as door:
        ...  # door.url and door.token are all that an MCP client needs
        async with door.turn():
            ...  # calls are taken

The server stands from the first door that opens to the last that is shut, on a free port of this machine only.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from riskbox.sandbox.contracts.message import tool_name, wire_name
from riskbox.sandbox.contracts.seat import EpisodeOver, Seat

if TYPE_CHECKING:
    import uvicorn
    from anyio import CancelScope
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp_types import CallToolResult, ListToolsResult

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LARGEST = 2**20
"""Bytes a request may have."""
MOST_REQUESTS = 256
"""Requests to one door at once, open streams among them."""
MOST_SESSIONS = 1000
"""MCP sessions at one door that their clients have not ended."""
GRACE = 1
"""Seconds that connections are given to close in once nobody is behind them."""

OVER = "The episode is over; no tool can be called any more."
NOT_NOW = (
    "It is not your turn, so the tool was not called. Calls are taken from when the user's message reaches you until "
    "you have answered it."
)

_porters: WeakKeyDictionary[asyncio.AbstractEventLoop, McpServer] = WeakKeyDictionary()
"""The server of each event loop that has one."""
_unheard = logging.NullHandler()
"""Without it, Python would print what the packages log, and with it whatever an agent sent, to the terminal."""


@asynccontextmanager
async def opened(seat: Seat) -> AsyncIterator[ToolEndpoint]:
    """A door to an episode's tools. At the end it is shut, and whoever still stands in it is shown out.

    Raises:
        OSError: there is no port to listen on.
    """
    loop = asyncio.get_running_loop()
    porter = _porters.setdefault(loop, McpServer())
    async with porter.working(), porter.door(seat) as door:
        yield door


class ToolEndpoint:
    """Where an MCP client reaches the tools of one episode.

    Args:
        seat: Whose tools they are.
        host: The server's host and port.
    """

    def __init__(self, seat: Seat, host: str) -> None:
        self.key = secrets.token_hex(8)
        """What the path calls the episode."""
        self.url = f"http://{host}/e/{self.key}/mcp"
        """The whole path; no secret."""
        self.token = secrets.token_urlsafe(32)
        """The bearer token; a secret."""
        self.is_shut = False
        """Whether nobody is let in any more."""
        self._seat = seat
        self._server = self._speaking(host)
        self._taking = False
        self._calls = 0
        self._quiet = asyncio.Event()
        self._requests: set[CancelScope] = set()

    def _speaking(self, host: str) -> StreamableHTTPSessionManager:
        from mcp.server import Server
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
        from mcp.server.transport_security import TransportSecuritySettings

        hosts = [host, host.replace("127.0.0.1", "localhost")]
        return StreamableHTTPSessionManager(
            Server("riskbox", on_list_tools=self._listed, on_call_tool=self._called),
            security_settings=TransportSecuritySettings(
                allowed_hosts=hosts, allowed_origins=[f"http://{one}" for one in hosts]
            ),
            max_request_body_size=LARGEST,
            max_sessions=MOST_SESSIONS,
        )

    # --- for the agent's adapter ----------------------------------------------------------------------------

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Within it, calls are taken. It ends once those that were taken are answered."""
        self._taking = True
        try:
            yield
        finally:
            self._taking = False
        while self._calls:
            self._quiet.clear()
            await self._quiet.wait()

    def shut(self) -> None:
        """Let nobody in any more: the token is worth nothing from now on."""
        self.is_shut = True

    # --- for the server -------------------------------------------------------------------------------------

    def admits(self, authorization: bytes) -> bool:
        """Whether this is the header of one who has the token."""
        kind, _, token = authorization.partition(b" ")
        is_right = hmac.compare_digest(token.strip(), self.token.encode())
        return is_right and kind.lower() == b"bearer" and not self.is_shut

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Within it, the door can be gone through; at its end its sessions are ended."""
        failure = None
        async with self._server.run():
            try:
                yield
            except Exception as error:
                failure = error  # raised within, it would come out as a group
            finally:
                self.shut()
                for request in self._requests:
                    request.cancel()
        if failure is not None:
            raise failure

    async def answer(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request of one who has the token."""
        from anyio import CancelScope

        if len(self._requests) >= MOST_REQUESTS:
            await _refuse(send, 503, "too many requests at once")
            return
        reply = _Reply(send)
        with CancelScope() as request:
            self._requests.add(request)
            try:
                await self._server.handle_request(scope, receive, reply)
            except Exception:
                if not self.is_shut:
                    raise
                # its session was ended under it, which is as it should be
            finally:
                self._requests.discard(request)
        if self.is_shut:
            await reply.finish()

    async def _listed(self, _request: Any, _given: Any) -> ListToolsResult:
        from mcp_types import ListToolsResult, Tool

        return ListToolsResult(
            tools=[
                Tool(name=wire_name(one.name), description=one.description, input_schema=one.parameters)
                for one in self._seat.brief.tools
            ]
        )

    async def _called(self, _request: Any, given: Any) -> CallToolResult:
        if self.is_shut or not self._taking:
            return _told(OVER if self.is_shut else NOT_NOW, is_error=True)
        self._calls += 1
        try:
            result = await self._seat.call(tool_name(given.name), _text(given.arguments))
        except EpisodeOver:
            return _told(OVER, is_error=True)
        finally:
            self._calls -= 1
            self._quiet.set()
        return _told(result.content, is_error=not result.ok)


class McpServer:
    """The HTTP server of a process: it finds the door, and lets in who has its token."""

    def __init__(self) -> None:
        self.doors: dict[str, ToolEndpoint] = {}
        """Those that are open, by key."""
        self._needed = 0
        self._listening: asyncio.Task[tuple[uvicorn.Server, socket.socket]] | None = None

    # --- its work -------------------------------------------------------------------------------------------

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, as servers ask it."""
        door = self.doors.get(_key(scope["path"]))
        if door is None:
            await _refuse(send, 404, "there is no such episode, or it is over")
        elif not door.admits(dict(scope["headers"]).get(b"authorization", b"")):
            await _refuse(send, 401, "this is not the episode's bearer token")
        else:
            await door.answer(scope, receive, send)

    @asynccontextmanager
    async def door(self, seat: Seat) -> AsyncIterator[ToolEndpoint]:
        """A door that is open within it."""
        assert self._listening is not None
        _, listener = await self._listening
        door = ToolEndpoint(seat, f"127.0.0.1:{listener.getsockname()[1]}")
        async with door.serving():
            self.doors[door.key] = door
            try:
                yield door
            finally:
                del self.doors[door.key]

    # --- its hours ------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Within it, the server stands; the first to come starts it, the last to leave ends it."""
        self._needed += 1
        try:
            if self._listening is None:
                self._listening = asyncio.create_task(self._start())
            await asyncio.shield(self._listening)
            yield
        finally:
            self._needed -= 1
            if not self._needed:
                # whoever comes now starts another
                del _porters[asyncio.get_running_loop()]
                await self._stop()

    async def _start(self) -> tuple[uvicorn.Server, socket.socket]:
        import uvicorn

        for name in ("mcp", "uvicorn"):
            logging.getLogger(name).addHandler(_unheard)
        config = uvicorn.Config(
            self,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        listener = socket.create_server(("127.0.0.1", 0), backlog=config.backlog)
        try:
            # not `serve`: that would take ctrl-C from the run
            await server.startup(sockets=[listener])
        except BaseException:
            listener.close()
            raise
        return server, listener

    async def _stop(self) -> None:
        listening = self._listening
        if listening is None or listening.cancel() or listening.cancelled() or listening.exception():
            return
        server, listener = listening.result()
        try:
            await server.shutdown(sockets=[listener])
        finally:
            for connection in list(server.server_state.connections):
                connection.transport.abort()


class _Reply:
    """What is sent in answer to one request, so that it can be brought to an end."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = self._has_ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_begun = True
        elif message["type"] == "http.response.body":
            self._has_ended = not message.get("more_body", False)
        await self._send(message)

    async def finish(self) -> None:
        """Send what is missing: the end of a stream, or the whole answer."""
        if not self._has_begun:
            await _refuse(self._send, 404, "the episode is over")
        elif not self._has_ended:
            await self._send({"type": "http.response.body", "body": b""})


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _key(path: str) -> str:
    """The episode's key in a path; empty where it leads nowhere."""
    match path.split("/"):
        case ["", "e", key, "mcp"]:
            return key
        case _:
            return ""


def _told(text: str, *, is_error: bool) -> CallToolResult:
    from mcp_types import CallToolResult, TextContent

    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)


def _text(arguments: dict[str, Any] | None) -> str:
    """Arguments as JSON text: NaN stays as it was sent, for the tool to refuse."""
    try:
        return json.dumps(arguments or {}, ensure_ascii=False)
    except RecursionError:
        return "(arguments nested without end)"
