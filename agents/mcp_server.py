"""The MCP server of a process: it serves each episode's tools over HTTP, under a path and a bearer token of their own.

    async with served(seat) as endpoint:
        ...  # endpoint.url and endpoint.token are all that an MCP client needs
        async with endpoint.turn():
            ...  # calls are accepted

The server starts with the first endpoint and stops with the last, on a free port that only this machine can reach.
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
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from riskbox.sandbox.contracts.message import tool_name, wire_name
from riskbox.sandbox.contracts.seat import EpisodeOver, Seat

if TYPE_CHECKING:
    import uvicorn
    from anyio import CancelScope
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp_types import CallToolResult, ListToolsResult

Asgi: TypeAlias = MutableMapping[str, Any]
"""An ASGI scope or event."""
Receive: TypeAlias = Callable[[], Awaitable[Asgi]]
"""Returns the next ASGI event from the client."""
Send: TypeAlias = Callable[[Asgi], Awaitable[None]]
"""Sends an ASGI event to the client."""

LARGEST = 2**20
"""The largest request, in bytes."""
MOST_REQUESTS = 256
"""Requests to one endpoint at once, open streams included."""
MOST_SESSIONS = 1000
"""MCP sessions at one endpoint that their clients have not closed."""
GRACE = 1
"""Seconds that open connections have to close when the server stops."""

OVER = "The episode is over; no tool can be called any more."
NOT_NOW = (
    "It is not your turn, so the tool was not called. Calls are accepted from the moment the user's message reaches you "
    "until you have answered it."
)

_servers: WeakKeyDictionary[asyncio.AbstractEventLoop, McpServer] = WeakKeyDictionary()
"""The server of each event loop that has one."""
_silent = logging.NullHandler()
"""Without a handler, Python would print what the packages log to the terminal, with whatever an agent sent in it."""


@asynccontextmanager
async def served(seat: Seat) -> AsyncIterator[ToolEndpoint]:
    """Serve an episode's tools; on leaving, the endpoint closes and its open requests are cancelled.

    Raises:
        OSError: there is no port to listen on.
    """
    loop = asyncio.get_running_loop()
    server = _servers.setdefault(loop, McpServer())
    async with server.running(), server.endpoint(seat) as endpoint:
        yield endpoint


class ToolEndpoint:
    """Where an MCP client reaches the tools of one episode.

    Args:
        seat: The agent's seat, which makes the calls.
        host: The server's host and port.
    """

    def __init__(self, seat: Seat, host: str) -> None:
        self.key = secrets.token_hex(8)
        """The episode's part of the path."""
        self.url = f"http://{host}/e/{self.key}/mcp"
        """The whole address; not a secret."""
        self.token = secrets.token_urlsafe(32)
        """The bearer token; a secret."""
        self.is_closed = False
        """Whether the token is revoked and requests are refused."""
        self._seat = seat
        self._sessions = self._session_manager(host)
        self._accepting = False
        self._calls = 0
        self._answered = asyncio.Event()
        self._requests: set[CancelScope] = set()

    def _session_manager(self, host: str) -> StreamableHTTPSessionManager:
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
        """Accept calls; on leaving, wait until every accepted call is answered."""
        self._accepting = True
        try:
            yield
        finally:
            self._accepting = False
        while self._calls:
            self._answered.clear()
            await self._answered.wait()

    def close(self) -> None:
        """Revoke the token: every later request is refused."""
        self.is_closed = True

    # --- for the server -------------------------------------------------------------------------------------

    def authorizes(self, authorization: bytes) -> bool:
        """Whether an Authorization header holds the token, and the endpoint is open."""
        kind, _, token = authorization.partition(b" ")
        is_right = hmac.compare_digest(token.strip(), self.token.encode())
        return is_right and kind.lower() == b"bearer" and not self.is_closed

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Accept MCP sessions; on leaving, close the endpoint and end its sessions."""
        failure = None
        async with self._sessions.run():
            try:
                yield
            except Exception as error:
                failure = error  # raised within, it would come out as a group
            finally:
                self.close()
                for request in self._requests:
                    request.cancel()
        if failure is not None:
            raise failure

    async def handle(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Answer one authorized request."""
        from anyio import CancelScope

        if len(self._requests) >= MOST_REQUESTS:
            await _refuse(send, 503, "too many requests at once")
            return
        response = _Response(send)
        with CancelScope() as request:
            self._requests.add(request)
            try:
                await self._sessions.handle_request(scope, receive, response)
            except Exception:
                # a request of a closed endpoint may fail in any way, since its session is gone
                if not self.is_closed:
                    raise
            finally:
                self._requests.discard(request)
        if self.is_closed:
            await response.finish()

    async def _listed(self, _request: Any, _given: Any) -> ListToolsResult:
        from mcp_types import ListToolsResult, Tool

        return ListToolsResult(
            tools=[
                Tool(name=wire_name(one.name), description=one.description, input_schema=one.parameters)
                for one in self._seat.brief.tools
            ]
        )

    async def _called(self, _request: Any, given: Any) -> CallToolResult:
        if self.is_closed or not self._accepting:
            return _result(OVER if self.is_closed else NOT_NOW, is_error=True)
        self._calls += 1
        try:
            result = await self._seat.call(tool_name(given.name), _text(given.arguments))
        except EpisodeOver:
            return _result(OVER, is_error=True)
        finally:
            self._calls -= 1
            self._answered.set()
        return _result(result.content, is_error=not result.ok)


class McpServer:
    """The HTTP server of a process: it routes each request to its endpoint and checks the bearer token."""

    def __init__(self) -> None:
        self.endpoints: dict[str, ToolEndpoint] = {}
        """The open ones, by key."""
        self._users = 0
        self._listening: asyncio.Task[tuple[uvicorn.Server, socket.socket]] | None = None

    # --- requests -------------------------------------------------------------------------------------------

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Answer a request, as an ASGI application."""
        endpoint = self.endpoints.get(_key(scope["path"]))
        if endpoint is None:
            await _refuse(send, 404, "there is no such episode, or it is over")
        elif not endpoint.authorizes(dict(scope["headers"]).get(b"authorization", b"")):
            await _refuse(send, 401, "this is not the episode's bearer token")
        else:
            await endpoint.handle(scope, receive, send)

    @asynccontextmanager
    async def endpoint(self, seat: Seat) -> AsyncIterator[ToolEndpoint]:
        """An endpoint that is open until its context is left."""
        assert self._listening is not None
        _, listener = await self._listening
        endpoint = ToolEndpoint(seat, f"127.0.0.1:{listener.getsockname()[1]}")
        async with endpoint.open():
            self.endpoints[endpoint.key] = endpoint
            try:
                yield endpoint
            finally:
                del self.endpoints[endpoint.key]

    # --- start and stop -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the server running; the first to enter starts it, the last to leave stops it."""
        self._users += 1
        try:
            if self._listening is None:
                self._listening = asyncio.create_task(self._start())
            await asyncio.shield(self._listening)
            yield
        finally:
            self._users -= 1
            if not self._users:
                # the next episode starts another server
                del _servers[asyncio.get_running_loop()]
                await self._stop()

    async def _start(self) -> tuple[uvicorn.Server, socket.socket]:
        import uvicorn

        for name in ("mcp", "uvicorn"):
            logging.getLogger(name).addHandler(_silent)
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
            # `serve` would take ctrl-C from the run
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


class _Response:
    """The response to one request: it knows what was sent of it, so that it can be completed."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = self._has_ended = False

    async def __call__(self, event: Asgi) -> None:
        if event["type"] == "http.response.start":
            self._has_begun = True
        elif event["type"] == "http.response.body":
            self._has_ended = not event.get("more_body", False)
        await self._send(event)

    async def finish(self) -> None:
        """Send what is missing: the end of a stream, or the whole response."""
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
    """The episode's key in a path; empty for any other path."""
    match path.split("/"):
        case ["", "e", key, "mcp"]:
            return key
        case _:
            return ""


def _result(text: str, *, is_error: bool) -> CallToolResult:
    from mcp_types import CallToolResult, TextContent

    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)


def _text(arguments: dict[str, Any] | None) -> str:
    """Arguments as JSON text: NaN stays as it was sent, for the tool to refuse."""
    try:
        return json.dumps(arguments or {}, ensure_ascii=False)
    except RecursionError:
        return "(arguments nested without end)"
