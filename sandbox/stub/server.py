"""The server: takes a request, finds its reply, sends it in the request's wire format."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import random
import threading
import time
from collections.abc import Awaitable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.web_runner import ServerRunner
from pydantic_core import from_json

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stub import anthropic, generate, ollama, openai
from riskbox.sandbox.stub.models import MODELS, answer
from riskbox.sandbox.stub.request import BadRequest, StubRequest, redacted
from riskbox.sandbox.stub.script import (
    Drop,
    Exhausted,
    Fail,
    Predicate,
    Raw,
    ReplyScript,
    ScriptEntry,
    Slow,
    StubReply,
    spoken,
)
from riskbox.sandbox.stub.weather import Weather
from riskbox.sandbox.stub.wire import Format

PIECE = 16
"""Bytes sent at once of a slow answer."""
LARGEST = 64 * 2**20
"""The largest request, in bytes."""

FORMATS: dict[str, tuple[str, Format]] = {
    "/v1/chat/completions": ("openai", openai),
    "/v1/messages": ("anthropic", anthropic),
    "/api/chat": ("ollama", ollama),
    "/api/generate": ("generate", generate),
}
"""Endpoints that call models: path, name and format."""

LISTS = {
    ("GET", "/v1/models"): openai.models(list(MODELS)),
    ("GET", "/api/tags"): ollama.tags(list(MODELS)),
    ("POST", "/api/show"): ollama.show(),
}
"""The other endpoints, with their constant answers."""


class HttpResponse(NamedTuple):
    """An HTTP response that is ready to be sent."""

    status: int
    """The status code."""
    headers: dict[str, str]
    """The headers."""
    pieces: Iterable[bytes]
    """The body, in pieces."""
    streamed: bool = False
    """Whether each piece is sent as it comes."""


class Stub:
    """A provider of language models that answers what a test scripts.

    `url` is where it listens. `requests` holds the calls of models it received. `errors` holds what a test must hear
    of: a script that ran out, a function of it that raised, a request that no provider would accept.
    """

    def __init__(self, weather: Weather | None = None, seed: int = 0, *, remember: bool = True) -> None:
        """A stub that remembers what it received, or forgets it at once."""
        self.url = ""
        self.requests: list[StubRequest] = []
        self.errors: list[str] = []
        self._remember = remember
        self._weather = weather or Weather()
        self._seed = seed
        self._script = ReplyScript()
        self._chance = random.Random(seed)
        self._runner: ServerRunner | None = None

    def script(self, *replies: ScriptEntry, when: Predicate | None = None, repeat: bool = False) -> None:
        """Say what requests get.

        Args:
            replies: The answers, in order; see `riskbox.sandbox.stub.script`.
            when: Which requests they are for; all if left out. The first rule that fits and has a reply left answers.
            repeat: Begin again when they are used up.
        """
        self._script.add(*replies, when=when, repeat=repeat)

    def reset(self) -> None:
        """Forget scripts, requests and errors."""
        self._script.clear()
        self.requests.clear()
        self.errors.clear()

    # --- open and close -----------------------------------------------------------------------------------------

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one. `url` says where.

        Raises:
            InputError: the address cannot be had.
        """
        # a client that has gone waits for nothing any more
        server = web.Server(
            self._handle, request_factory=_request, handler_cancellation=True, access_log=None
        )
        self._runner = ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, backlog=2048).start()
        except OSError as error:
            await self.close()
            raise InputError(_unheard(host, port, error)) from error
        bound = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.url = f"http://{shown}:{bound[1]}"

    async def close(self) -> None:
        """Listen no more, and break off what is under way."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- one request --------------------------------------------------------------------------------------------

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        name, format = FORMATS.get(http.path, ("", openai))
        if not name or http.method != "POST":
            return _beside(http)
        try:
            request = self._read(name, format, http, await http.read())
        except BadRequest as error:
            return self._wrong(format, str(error), code="")
        if self._remember:
            self.requests.append(request)
        try:
            reply = await self._reply(request)
            return await self._send(http, format, request, reply)
        except Exhausted as error:
            return self._wrong(format, str(error))
        except Exception as error:
            # whatever a test's function raised; the test must see it, and the client must not hang
            return self._wrong(format, f"the script raised {type(error).__name__}: {error}")

    def _read(self, name: str, format: Format, http: web.BaseRequest, raw: bytes) -> StubRequest:
        body = _body(raw)
        headers, key = redacted(http.headers)
        return StubRequest(name, http.path, headers, key, body, format.read(body), time.time())

    async def _reply(self, request: StubRequest) -> StubReply:
        scripted = self._script.reply(request)
        if callable(scripted):
            found = scripted(request)
            scripted = await found if isinstance(found, Awaitable) else found
        return answer(request, self._seed) if scripted is None else scripted

    def _wrong(self, format: Format, told: str, code: str = "stub_script") -> web.Response:
        if self._remember:
            self.errors.append(told)
        return _complete(_failed(format, Fail(400, code, told)))

    async def _send(
        self, http: web.BaseRequest, format: Format, request: StubRequest, reply: StubReply
    ) -> web.StreamResponse:
        gap, most = 0.0, None
        if self._weather:
            # drawn together, so that requests that overlap do not shuffle what a seed gives
            wait, fault = self._weather.draw(self._chance)
            await asyncio.sleep(wait)
            reply = Slow(fault.seconds, reply) if isinstance(fault, Slow) else fault or reply
        while isinstance(reply, Slow | Drop):
            if isinstance(reply, Slow):
                gap = reply.gap
                await asyncio.sleep(reply.seconds)
            else:
                most = reply.after_bytes
            reply = reply.then if reply.then is not None else answer(request, self._seed)
        ready = _ready(format, request, reply)
        if ready.streamed or gap or most is not None:
            return await _in_pieces(http, ready, gap, most)
        return _complete(ready)


@contextmanager
def running(stub: Stub | None = None, host: str = "127.0.0.1", port: int = 0) -> Iterator[Stub]:
    """A stub that listens in a thread of its own.

    Raises:
        InputError: the address cannot be had.
    """
    stub = stub or Stub()
    opened: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(stub, host, port, opened)), name="stub", daemon=True
    )
    thread.start()
    loop, closing = opened.result()
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join()


async def _serve(
    stub: Stub, host: str, port: int, opened: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]
) -> None:
    closing = asyncio.Event()
    try:
        await stub.open(host, port)
    except InputError as error:
        opened.set_exception(error)
        return
    opened.set_result((asyncio.get_running_loop(), closing))
    await closing.wait()
    await stub.close()


# --- HTTP -------------------------------------------------------------------------------------------------------


def _unheard(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another, or 0 for any free one"
    # asyncio wraps the reason in words of its own
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return f"cannot listen on {host}:{port}: {reason}"


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST)


def _body(raw: bytes) -> dict[str, Any]:
    try:
        try:
            body = from_json(raw)
        except ValueError:
            # the slower parser takes lone surrogates, which a model may have said
            body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def _beside(http: web.BaseRequest) -> web.Response:
    found = LISTS.get((http.method, http.path))
    if found is not None:
        return web.Response(body=found, content_type="application/json")
    format: Format = anthropic if "anthropic-version" in http.headers else openai
    paths = [f"POST {path}" for path in FORMATS] + [" ".join(one) for one in LISTS]
    told = f"{http.method} {http.path} is nothing the stub answers. It answers {', '.join(paths)}."
    return _complete(_failed(format, Fail(404, "unknown_url", told)))


def _ready(format: Format, request: StubRequest, reply: StubReply) -> HttpResponse:
    match reply:
        case Raw(body, status, type, headers):
            raw = body.encode() if isinstance(body, str) else body
            return HttpResponse(status, {"Content-Type": type, **headers}, [raw])
        case Fail():
            return _failed(format, reply)
        case Slow() | Drop():
            raise TypeError(f"{reply} is not an answer by itself")
    said = spoken(reply)
    if request.asked.stream:
        return HttpResponse(200, {"Content-Type": format.STREAM}, format.pieces(request, said), streamed=True)
    return HttpResponse(200, {"Content-Type": "application/json"}, [format.whole(request, said)])


def _failed(format: Format, fail: Fail) -> HttpResponse:
    headers = {"Content-Type": "application/json"}
    after = fail.retry_after
    if after is not None:
        headers["Retry-After"] = _said(after)
    return HttpResponse(fail.status, headers, [format.error(fail)])


def _said(after: float | datetime | str) -> str:
    return format_datetime(after.astimezone(UTC), usegmt=True) if isinstance(after, datetime) else str(after)


def _complete(ready: HttpResponse) -> web.Response:
    return web.Response(status=ready.status, headers=ready.headers, body=b"".join(ready.pieces))


async def _in_pieces(
    http: web.BaseRequest, ready: HttpResponse, gap: float, most: int | None
) -> web.StreamResponse:
    """Send an answer piece by piece, with pauses, or up to a number of bytes and then no more."""
    response = web.StreamResponse(status=ready.status, headers=ready.headers)
    pieces = list(ready.pieces)
    if not ready.streamed:
        whole = b"".join(pieces)
        response.content_length = len(whole)
        pieces = [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)] if gap else [whole]
    if most is not None:
        pieces = [b"".join(pieces)[:most]] if most else []
    try:
        if pieces or most is None:
            await response.prepare(http)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(gap)
        if most is None:
            await response.write_eof()
        elif http.transport is not None:
            http.transport.close()
    except ConnectionResetError:
        # the client has gone, for instance because its patience ended
        pass
    return response
