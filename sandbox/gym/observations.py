"""The space of observations: chats in the OpenAI form."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any, TypeAlias

import gymnasium

from riskbox.sandbox.gym.sentences import sentence

Chat: TypeAlias = tuple[dict[str, Any], ...]
"""What the agent sees: chat messages in the OpenAI form, the operator's policy first."""


class ChatSpace(gymnasium.Space[Chat]):
    """Everything an agent can see: a system message, then what was said, called and returned.

    Its members go as they are to a chat model: `create(messages=list(chat), tools=info["tools"])`.

    Args:
        seed: Seeds `sample`.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Never: text has no shape."""
        return False

    def contains(self, x: Any) -> bool:
        """Whether it is a tuple of chat messages, of which the first and no other is the system's."""
        return (
            isinstance(x, tuple)
            and len(x) > 0
            and all(
                _is_message(one) and (one["role"] == "system") == (place == 0) for place, one in enumerate(x)
            )
        )

    def sample(self, mask: None = None, probability: None = None) -> Chat:
        """Some words from either side."""
        if mask is not None or probability is not None:
            raise ValueError("words cannot be masked or weighted")
        random = Random(int(self.np_random.integers(2**63)))
        roles = ("system", *(("user", "assistant")[i % 2] for i in range(random.randint(1, 6))))
        return tuple({"role": role, "content": sentence(random)} for role in roles)

    def to_jsonable(self, sample_n: Iterable[Chat]) -> list[Any]:
        """ChatSpace as JSON."""
        return [list(one) for one in sample_n]

    def from_jsonable(self, sample_n: list[Any]) -> list[Chat]:
        """ChatSpace from JSON."""
        return [tuple(one) for one in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChatSpace)

    def __repr__(self) -> str:
        return "ChatSpace()"


def _is_message(one: Any) -> bool:
    if not isinstance(one, dict):
        return False
    content, extra = one.get("content", 0), one.keys() - {"role", "content"}
    match one.get("role"):
        case "system" | "user":
            return isinstance(content, str) and not extra
        case "tool":
            return (
                isinstance(content, str)
                and extra == {"tool_call_id"}
                and isinstance(one["tool_call_id"], str)
            )
        case "assistant" if extra == {"tool_calls"}:
            calls, says = one["tool_calls"], content is None or isinstance(content, str)
            return says and isinstance(calls, list) and len(calls) > 0 and all(map(_is_call, calls))
        case "assistant":
            return isinstance(content, str) and not extra
    return False


def _is_call(one: Any) -> bool:
    match one:
        case {"id": str(), "type": "function", "function": {"name": str(), "arguments": str()} as function}:
            return len(one) == 3 and len(function) == 2
    return False
