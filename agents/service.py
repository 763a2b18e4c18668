"""An agent behind an HTTP address: each move is one POST of JSON, answered with JSON.

    POST /act  {"episode": "...", "turn": 1, "messages": [...], "tools": [...]}
    200        {"content": "...", "tool_calls": [...], "leave": false}

`messages` is the whole conversation and `tools` what may be called, both in the OpenAI form, so the service need not
keep anything. `episode` is the same for all requests of an episode, and `turn` counts what the user has said. A request
that failed is retried, so the service may receive it twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp

from riskbox.sandbox.contracts.message import answered, functions, messages
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import ParticipantFault, PluginError
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.secrets import expanded, is_variable, redact
from riskbox.sandbox.words.size import WIRE

TOKEN = "RISKBOX_AGENT_TOKEN"
"""The environment variable whose value is sent as a bearer token; it is stored nowhere."""
ATTEMPTS = 3
"""The most times that a request is sent."""
LONGEST_WAIT = 30.0
"""The longest wait, in seconds, that a service may ask for."""
CONNECT = 10.0
"""Timeout in seconds for connecting; the answer may take the whole turn."""
REDIRECTS = 3
"""The most redirects that a request follows."""
PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Statuses that may be temporary."""


def check_address(url: str, adapter: str, form: str) -> None:
    """Check that an agent's address is an HTTP address and holds no password, which would be stored with it.

    Raises:
        PluginError: it is not, or names a variable that the environment does not hold.
    """
    try:
        written, parts = urlsplit(url), urlsplit(expanded(url, adapter))
        parts.port  # noqa: B018  # raises where it is no number
        login = written.username if written.password is None else written.password
    except ValueError as error:
        raise PluginError(f"{adapter}:{redact(url)}: {error}") from None
    if login is not None and not is_variable(login):
        raise PluginError(
            f"{adapter}: do not put a password into the address; set {TOKEN}, which is not stored, or write ${{NAME}} for "
            "an environment variable"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PluginError(f"{adapter}:{redact(url)} is not an HTTP address; write {form}")


class Service(Participant):
    """Plays by asking an HTTP service.

    Args:
        url: Where it answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        """As it was named, which is what errors show."""
        self._address = expanded(url, "service")
        self.episode = uuid.uuid4().hex
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def check(cls, url: str) -> None:
        """Check the address.

        Raises:
            PluginError: it is not an HTTP address.
        """
        check_address(url, "service", "service:http://host:port/path")

    async def act(self, seen: Observation) -> Action:
        """Ask the service for the next move.

        Raises:
            ParticipantFault: it cannot be reached, it refuses, or its answer cannot be read.
        """
        heard = sum(isinstance(event, Said) and event.by != seen.party for event in seen.events)
        asked = {
            "episode": self.episode,
            "turn": heard,
            "messages": messages(seen),
            "tools": functions(seen),
        }
        return answered(await self._asked(json.dumps(asked).encode()))

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()

    async def _asked(self, body: bytes) -> bytes:
        """The answer to a request, which is retried where that may help."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._sent(body)
            except _Temporary as error:
                if attempt == ATTEMPTS:
                    raise ParticipantFault(f"{self.url} {error}, {ATTEMPTS} times") from None
                wait = error.after if error.after is not None else random.uniform(0.5, 1) * 2 ** (attempt - 1)
            await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _sent(self, body: bytes) -> bytes:
        url = self._address
        for _ in range(REDIRECTS + 1):
            try:
                async with self._open().post(url, data=body, allow_redirects=False) as response:
                    content = await _limited(response, self.url)
            except (aiohttp.ClientError, OSError) as error:
                raise _Temporary(f"cannot be reached ({type(error).__name__}: {error})") from None
            if response.status in (307, 308):
                url = self._followed(url, response.headers.get("Location", ""))
            elif response.status < 300:
                return content
            else:
                raise self._refused(response, content)
        raise ParticipantFault(f"{self.url} redirects in circles")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # what is not asked to be compressed cannot unpack into more than its size
            headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
            if token := os.environ.get(TOKEN):
                headers["Authorization"] = f"Bearer {token}"
            self._session = aiohttp.ClientSession(
                headers=headers,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
            )
        return self._session

    def _followed(self, url: str, location: str) -> str:
        there = urljoin(url, location)
        if _origin(urlsplit(there)) != _origin(urlsplit(url)):
            raise ParticipantFault(
                f"{self.url} redirects to another host, {there}; use that address if it is correct"
            )
        return there

    def _refused(self, response: aiohttp.ClientResponse, content: bytes) -> Exception:
        said = content[:300].decode("utf-8", "replace").strip()
        if token := os.environ.get(TOKEN):
            said = said.replace(token, "***")
        told = f"answered {response.status} {response.reason or ''}".rstrip() + (f": {said}" if said else "")
        if response.status in PASSING:
            return _Temporary(told, _after(response.headers.get("Retry-After", "")))
        hint = f". Its token is read from {TOKEN}" if response.status in (401, 403) else ""
        return ParticipantFault(f"{self.url} {told}{hint}")


class _Temporary(Exception):
    """An error that may be temporary, and how long to wait if the service says so."""

    def __init__(self, told: str, after: float | None = None) -> None:
        super().__init__(told)
        self.after = after


async def _limited(response: aiohttp.ClientResponse, name: str) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_chunked(2**16):
        content += piece
        if len(content) > WIRE:
            raise ParticipantFault(f"{name} answered more than {WIRE:,} bytes")
    return bytes(content)


def _origin(parts: SplitResult) -> tuple[Any, ...]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _after(told: str) -> float | None:
    """The seconds of a Retry-After header, which may be a date."""
    try:
        seconds = float(told) if told.strip().isdigit() else _until(parsedate_to_datetime(told))
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _until(when: datetime) -> float:
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
