"""The transport for OpenAI-compatible servers at a URL, over one pool of connections.

A model is written `http://host:port/v1#name`. This transport uses aiohttp alone, because a client library takes ten
times the CPU of the rest of a call.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic_core import from_json

from riskbox.sandbox.models import failures
from riskbox.sandbox.models.bodies import streamed
from riskbox.sandbox.models.failures import KEY
from riskbox.sandbox.models.reading import read
from riskbox.sandbox.models.transport import (
    Completion,
    ModelRequest,
    TransportError,
    encoded,
    response_format,
)
from riskbox.sandbox.models.window import window

CONNECTING = 10.0
"""Timeout of connecting, in seconds."""
LARGEST = 64 * 2**20
"""The largest answer that is read, in bytes."""


class HttpTransport:
    """Calls OpenAI-compatible servers by URL.

    Args:
        at: The address of one server that answers for every model; empty for that in each model's name.
    """

    def __init__(self, at: str = "") -> None:
        self.at = at
        self._session: aiohttp.ClientSession | None = None
        self._places: dict[str, tuple[str, str]] = {}

    async def ready(self) -> None:
        """Nothing: the session opens with the first call."""

    async def send(self, request: ModelRequest, seconds: float) -> Completion:
        """Send a call once."""
        url, name = self._place(request.model)
        limit = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECTING)
        try:
            # no redirect is followed: the key and the conversation go to the named host alone
            async with self._open().post(
                url, data=_body(request, name), timeout=limit, allow_redirects=False
            ) as response:
                raw = await _read(response)
                if response.status != 200:
                    return refused(response.status, response.headers, raw, request.model)
        except TimeoutError:
            raise TransportError(
                "timeout", f"{url} did not answer within {seconds:g} s", retryable=True
            ) from None
        except aiohttp.InvalidURL:
            raise TransportError("provider_error", f"{url} is not a URL", fatal=True) from None
        except aiohttp.ClientError as error:
            told = f"{url}: {type(error).__name__}: {error}"
            unheard = isinstance(error, aiohttp.ClientConnectorError)
            raise TransportError("provider_error", told, retryable=True, unbilled=unheard) from None
        return read(_parsed(raw, url), request)

    def price(self, model: str) -> tuple[float, float] | None:
        """None: a server of one's own has no price unless `--price` gives one."""
        return None

    def most_tokens(self, model: str) -> int | None:
        """None: no server tells."""
        return None

    def window(self, model: str) -> int | None:
        """What the server tells in its list of models; None where it does not."""
        return window(model)

    def takes_temperature(self, model: str, temperature: float) -> bool:
        """Yes: servers take it."""
        return True

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # what is not compressed cannot grow beyond what was read
            headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
            key = os.environ.get(KEY, "").strip()  # one read from a file ends in a line feed
            if not key.isprintable():
                raise TransportError(
                    "provider_error", f"{KEY} contains a character that keys never contain", fatal=True
                )
            if key:
                headers["Authorization"] = f"Bearer {key}"
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    def _place(self, model: str) -> tuple[str, str]:
        if model not in self._places:
            url, _, name = (f"{self.at}/v1", "", model) if self.at else model.partition("#")
            self._places[model] = (f"{url.rstrip('/')}/chat/completions", name)
        return self._places[model]


def unreachable(model: str) -> str:
    """Why nobody listens at a model's address, in a few words; empty if somebody does."""
    parts = urlsplit(model.partition("#")[0])
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECTING).close()
    except OSError as error:
        return f"{parts.hostname}:{port}: {error.strerror or error}"
    return ""


def _body(request: ModelRequest, name: str) -> bytes:
    fields: dict[str, Any] = {
        "model": name,
        "messages": request.messages,
        **request.settings,
        "seed": request.seed,
    }
    if request.tools:
        fields["tools"] = request.tools
    if request.schema is not None:
        fields["response_format"] = response_format(request.schema)
    return encoded(fields)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    told = response.content_length
    if told is not None and told <= LARGEST:
        return await response.read()
    raw = bytearray()
    while told is None and len(raw) <= LARGEST:
        piece = await response.content.readany()
        if not piece:
            return bytes(raw)
        raw += piece
    raise TransportError("malformed", f"an answer of more than {LARGEST >> 20} MiB")


def _parsed(raw: bytes, url: str) -> Any:
    try:
        try:
            return from_json(raw)
        except ValueError:
            return json.loads(
                raw
            )  # the slower parser accepts lone surrogates, which a model may have produced
    except (ValueError, RecursionError):
        if (found := streamed(raw.decode(errors="replace"))) is not None:
            return found
        told = f"{url} answered what is not JSON: {raw[:120].decode(errors='replace')!r}"
        raise TransportError("malformed", told, retryable=True) from None


def refused(status: int, headers: Mapping[str, str], raw: bytes, model: str, *, key: str = KEY) -> Completion:
    """What an HTTP status other than 200 stands for.

    Args:
        status: The status.
        headers: The headers of the answer.
        raw: Its body.
        model: Who was asked.
        key: What to set where the key was refused; empty if nobody can tell.

    Returns:
        A refusal, where a content filter declined.

    Raises:
        TransportError: in every other case.
    """
    try:
        body = from_json(raw)
    except (ValueError, RecursionError):
        body = raw[:3000].decode(errors="replace")
    error = failures.told(body, status) or failures.Told(status, "")
    if error.moderated:
        return failures.declined()
    raise failures.failure(error, model, after=retry_after(headers), key=key)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `Retry-After` (seconds or a date) or `retry-after-ms`; None if neither is sent."""
    lowered = {key.lower(): value for key, value in headers.items()}
    try:
        if "retry-after-ms" in lowered:
            return max(0.0, float(lowered["retry-after-ms"]) / 1000)
        given = lowered.get("retry-after")
        if given is None:
            return None
        try:
            return max(0.0, float(given))
        except ValueError:
            when = parsedate_to_datetime(given)
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
            return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
