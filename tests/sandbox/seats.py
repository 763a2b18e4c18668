"""A model in a seat, as tests of the model client ask it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from riskbox.sandbox.contracts.model import Ledger, Prompt, Reply
from riskbox.sandbox.models.client import Client, Clients
from riskbox.sandbox.stub.script import Raw
from riskbox.sandbox.words.modelcall import ModelCall

KEY = "sk-very-secret-0123456789"
"""The key that tests send, and search for afterwards."""

OPENAI = "openai/gpt-4o-mini"
"""A model that is reached through litellm."""

SOON = 0.05
"""Seconds that a scripted provider asks to wait."""

FITTING = {
    "type": "object",
    "properties": {"severity": {"type": "integer", "minimum": 0}, "why": {"type": "string"}},
    "required": ["severity", "why"],
    "additionalProperties": False,
}
"""A schema of the strict kind."""

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "desk__track",
            "description": "Where a parcel is.",
            "parameters": {"type": "object", "properties": {"parcel": {"type": "string"}}},
        },
    }
]
"""The tool that models are offered."""


@dataclass
class Seated:
    """A model in a seat, and what may be looked at after it was asked."""

    model: Client
    clients: Clients
    ledger: Ledger

    async def ask(self, said: str = "Hello.", **more: Any) -> Reply:
        """Ask it one thing."""
        return await self.model.ask(Prompt([{"role": "user", "content": said}], **more))

    @property
    def call(self) -> ModelCall:
        """The last call as it was recorded."""
        return self.ledger.calls[-1]


def reached(url: str) -> dict[str, str]:
    """The environment in which every transport reaches a stub."""
    return {
        "OPENAI_API_BASE": f"{url}/v1",
        "ANTHROPIC_API_BASE": url,
        "OLLAMA_API_BASE": url,
        **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "RISKBOX_API_KEY"), KEY),
    }


Sit = Callable[..., Seated]
"""The fixture `sit`: seats a model."""


def body(
    content: Any = "", *, finish: str = "stop", usage: Any = ..., choice: Any = None, **more: Any
) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": content, **more}
    whole: dict[str, Any] = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, **(choice or {})}],
    }
    if usage is ...:
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return whole if usage is None else {**whole, "usage": usage}


def raw(*given: Any, **more: Any) -> Raw:
    """A chat completion as the stub sends it."""
    return Raw(json.dumps(body(*given, **more)))


def call(arguments: Any = '{"parcel": "PX"}', name: Any = "desk__track", **more: Any) -> dict[str, Any]:
    """A call of a tool."""
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}, **more}
