"""A request as the stub parsed it, the same for every wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b, sha256
from typing import Any, Literal, NamedTuple

Choice = Literal["auto", "none", "required"]
"""Whether the model may, must not or must call a tool."""

SECRET = frozenset({"authorization", "x-api-key", "api-key", "proxy-authorization", "cookie"})
"""Headers whose values are never kept."""


class BadRequest(Exception):
    """A request that a provider would reject; the message says why."""


class ChatMessage(NamedTuple):
    """One message of the conversation."""

    role: str
    """system, user, assistant or tool."""
    text: str = ""
    """Its text."""
    calls: tuple[str, ...] = ()
    """The names of the tools it calls."""


class OfferedTool(NamedTuple):
    """One tool that is offered."""

    name: str
    """Its name."""
    parameters: dict[str, Any]
    """JSON Schema of its arguments."""


@dataclass(frozen=True)
class Asked:
    """What a body asks for."""

    model: str
    """The model's name."""
    messages: tuple[ChatMessage, ...]
    """The conversation, the system part first."""
    tools: tuple[OfferedTool, ...] = ()
    """The tools offered."""
    choice: Choice = "auto"
    """Whether one must be called."""
    forced: str = ""
    """The one tool that must be called."""
    schema: dict[str, Any] | None = None
    """JSON Schema that the answer must fit; empty for any object."""
    limit: int = 0
    """Tokens the answer may have; 0 for no limit."""
    seed: Any = None
    """The seed, if one was sent."""
    stream: bool = False
    """Whether the answer is streamed."""
    counted: bool = False
    """Whether a stream ends with a usage record."""


@dataclass(frozen=True)
class StubRequest:
    """One request that was received."""

    format: str
    """openai, anthropic, ollama or generate."""
    path: str
    """Its path."""
    headers: Mapping[str, str]
    """Its headers in lower case, secrets blotted out."""
    key: str
    """A fingerprint of the key that was sent; empty for none. See `sent`."""
    body: dict[str, Any]
    """Its parsed JSON body."""
    asked: Asked
    """What that asks for."""
    time: float
    """When it arrived, in seconds since 1970."""

    @property
    def model(self) -> str:
        """The model's name."""
        return self.asked.model

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """The conversation."""
        return self.asked.messages

    @property
    def tools(self) -> tuple[OfferedTool, ...]:
        """The tools offered."""
        return self.asked.tools

    @property
    def said(self) -> str:
        """The last thing the user said."""
        return next((one.text for one in reversed(self.messages) if one.role == "user"), "")

    @property
    def system(self) -> str:
        """The system part."""
        return "\n".join(one.text for one in self.messages if one.role == "system")

    def sent(self, key: str) -> bool:
        """Whether this key was sent with it."""
        return self.key == fingerprint(key)

    @cached_property
    def digest(self) -> int:
        """A hash of the question that does not depend on the wire format."""
        asked = self.asked
        parts = [asked.model, str(asked.seed), asked.choice, asked.forced]
        for message in asked.messages:
            parts += (message.role, message.text, *message.calls)
        parts += (tool.name for tool in asked.tools)
        whole = "\0".join(parts).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(whole, digest_size=8).digest(), "big")

    @cached_property
    def tokens(self) -> int:
        """An estimate of the prompt's tokens: four characters each."""
        length = sum(len(one.text) + 8 for one in self.messages)
        length += sum(len(tool.name) + len(str(tool.parameters)) for tool in self.tools)
        return max(1, length // 4)


def fingerprint(key: str) -> str:
    """What is kept of a key: twelve hex digits of its SHA-256."""
    return sha256(key.encode()).hexdigest()[:12] if key else ""


def redacted(headers: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Headers without secrets, and the fingerprint of the key that they held."""
    kept = {name.lower(): value for name, value in headers.items()}
    key = (
        kept.get("x-api-key") or kept.get("api-key") or kept.get("authorization", "").removeprefix("Bearer ")
    )
    for name in SECRET & kept.keys():
        kept[name] = "***"
    return kept, fingerprint(key)
