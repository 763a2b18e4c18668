"""How many tokens a call took: as its server reports them, or as our estimate where the report cannot be true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from riskbox.sandbox.models.transport import ModelRequest, encoded

BYTES = 4
"""Bytes that a token is estimated to have."""
DENSE = 7
"""Bytes that a token of text has at the most, on average."""
FEW = 40
"""Tools of fewer tokens are not missed: the difference would be within what such a bound can tell."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The tokens of one call."""

    sent: int
    """Tokens sent, cached ones included."""
    cached: int
    """Tokens sent that the provider had cached."""
    received: int
    """Tokens received, those of thoughts included."""
    estimated: bool = False
    """Whether one of them is our estimate."""
    dropped: bool = False
    """Whether the server counted too few tokens for the tools it was sent."""


def counted(usage: Any, request: ModelRequest, answer: bytes) -> TokenCount:
    """What a call took.

    A total beyond the sum of its parts is right, since some servers leave thoughts out of what was received. A number that is
    missing, or zero for something that holds words, is estimated at a token for each four bytes.

    Args:
        usage: The `usage` of a chat completion, whatever it is.
        request: What was sent.
        answer: What was received, without what surrounds it; empty if nothing was said or thought.
    """
    sent = count(usage, "prompt_tokens") or count(usage, "input_tokens")
    received = count(usage, "completion_tokens") or count(usage, "output_tokens")
    total = count(usage, "total_tokens")
    thought = count(usage, "completion_tokens_details", "reasoning_tokens") or count(
        usage, "output_tokens_details", "reasoning_tokens"
    )
    cached = max(
        count(usage, "prompt_tokens_details", "cached_tokens"),
        count(usage, "input_tokens_details", "cached_tokens"),
        count(usage, "prompt_cache_hit_tokens"),
        count(usage, "cached_tokens"),
        count(usage, "cache_read_input_tokens"),
    )
    in_cache = cached + count(usage, "cache_creation_input_tokens")
    if 0 < sent < in_cache:
        sent += in_cache  # some count only what was neither read from the cache nor written to it
    dropped = bool(sent) and tools_missing(request, sent)
    if not received and total > sent > 0:
        received = total - sent
    if not sent and total > received > 0:
        sent = total - received
    estimated = False
    if sent and received:
        received = max(received, total - sent)
    if thought > received:
        received, estimated = received + thought, True
    if not sent:
        sent, estimated = max(1, len(_sent(request)) // BYTES), True
    if not received and answer:
        received, estimated = max(1, len(answer) // BYTES), True
    return TokenCount(sent, min(cached, sent), received, estimated, dropped)


def count(usage: Any, *path: str) -> int:
    """A number of tokens in a report; 0 if it holds none."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    return max(0, int(usage)) if isinstance(usage, int | float) and usage < 1e15 else 0


def tools_missing(request: ModelRequest, sent: int) -> bool:
    """Whether so few tokens were sent that the tools cannot be among them.

    A token of text has seven bytes at the most on average, and only the names and descriptions of tools are counted, so that
    no server's way to write tools is taken for leaving them out.
    """
    tools = _words(list(request.tools)) // DENSE
    said = sum(_words(one.get("content")) for one in request.messages) // DENSE
    return tools >= FEW and sent < said + tools


def _words(value: Any) -> int:
    """The bytes of the texts in a JSON value."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if isinstance(value, dict):
        return sum(map(_words, value.values()))
    return sum(map(_words, value)) if isinstance(value, list | tuple) else 0


def _sent(request: ModelRequest) -> bytes:
    return encoded([request.messages, request.tools, request.schema])
