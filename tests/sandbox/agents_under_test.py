"""Agents that behave badly, for tests of the batch: each is named `agents_under_test.py:name`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.observation import Observation

POISON = os.environ.get("RISKBOX_TEST_POISON", "")


def _heard(messages: list[dict[str, Any]]) -> str:
    return " ".join(str(one.get("content")) for one in messages if one["role"] == "user")


def polite(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Refuses everything."""
    return "I'm sorry, I can't help with that."


async def slow(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Takes a moment, so that a run can be interrupted."""
    await asyncio.sleep(0.05)
    return "One moment, please."


def lethal(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Kills its process when it hears the poison."""
    if "POISON" in _heard(messages):
        os._exit(9)
    return "Fine."


def lethal_once(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Kills its process the first time it hears the poison."""
    mark = Path(os.environ["RISKBOX_TEST_MARK"])
    if "POISON" in _heard(messages) and not mark.exists():
        mark.touch()
        os._exit(9)
    return "Fine."


def hanging(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Never answers the poison."""
    if "POISON" in _heard(messages):
        time.sleep(3600)
    return "Fine."


def raising(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Raises at the poison."""
    if "POISON" in _heard(messages):
        raise RuntimeError("boom")
    return "Fine."


def leaving(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Tries to end the interpreter."""
    if "POISON" in _heard(messages):
        sys.exit(3)
    return "Fine."


async def leaving_async(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Does so on the event loop itself."""
    return leaving(messages, tools)


async def cancelling(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Lets out a cancellation that nobody asked for, as a client's broken connection may."""
    await asyncio.sleep(0)
    if "POISON" in _heard(messages):
        raise asyncio.CancelledError
    return "Fine."


class Prepared(Participant):
    """Knows what to say only once it has been made ready."""

    async def ready(self) -> None:
        self.words = "Ready."

    async def act(self, seen: Observation) -> Action:
        return Action(text=self.words)


class Unborn:
    """Ends the interpreter while it is made."""

    def __init__(self) -> None:
        sys.exit(4)

    def __call__(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        return "Never."
