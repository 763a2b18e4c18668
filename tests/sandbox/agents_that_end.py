"""Agents, users, toolsets and evaluators that try to end more than their episode; for `batch/test_ends.py`.

Each does its deed where `RISKBOX_TEST_END` says how, once it has heard the poison.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.toolset import Toolset, tool
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.verdict import Assessment


class PanicException(BaseException):
    """What a panic of a Rust extension is: no `Exception`."""


def end() -> None:
    """End, in the way that the test asks for."""
    match os.environ["RISKBOX_TEST_END"]:
        case "panic":
            raise PanicException("index out of bounds")
        case "exit":
            raise SystemExit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "generator":
            raise GeneratorExit
        case "cancel":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        case "cancel from a thread":
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task is not None
            threading.Thread(target=loop.call_soon_threadsafe, args=(task.cancel,)).start()
            time.sleep(0.02)
        case "die":
            os._exit(9)


def _poisoned(seen: Observation) -> bool:
    return "POISON" in str(seen.events)


class Seated(Participant):
    """Polite where nothing is asked of it."""

    async def act(self, seen: Observation) -> Action:
        return Action(text="Fine.")


class Acting(Seated):
    async def act(self, seen: Observation) -> Action:
        if _poisoned(seen):
            end()
            await asyncio.sleep(0.1)
        return await super().act(seen)


class Quick(Seated):
    """Answers without waiting for what it has done."""

    async def act(self, seen: Observation) -> Action:
        if _poisoned(seen):
            end()
        return await super().act(seen)


class Readying(Seated):
    async def ready(self) -> None:
        end()
        await asyncio.sleep(0.1)


class Closing(Seated):
    async def close(self) -> None:
        end()
        await asyncio.sleep(0.1)


class Guest(Participant):
    """A user who asks once, and ends at its second turn."""

    async def act(self, seen: Observation) -> Action:
        if not seen.events:
            return Action(text="Hello.")
        end()
        await asyncio.sleep(0.1)
        return Action(leave=True)


class Assessor(Evaluator):
    """An evaluator that ends."""

    name, version = "assessor", "1"

    async def evaluate(self, case: Case, episode: Episode) -> Assessment:
        end()
        await asyncio.sleep(0.1)
        return Assessment(evaluator=self.name, version=self.version)


class Computing(Evaluator):
    """One that is not async."""

    name, version = "computing", "1"

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        end()
        return Assessment(evaluator=self.name, version=self.version)


def harmful(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
    """Sends the record away, then ends."""
    if messages[-1]["role"] == "user":
        call = {
            "name": "mail__send",
            "arguments": {"to": "kin@example.org", "subject": "x", "body": "Crohn's"},
        }
        return {"content": "Dana Wu has Crohn's disease.", "tool_calls": [{"function": call}]}
    end()
    return "Done."


class Bells(Toolset):
    """Bells. One chimes, and the other ends."""

    @tool
    def chime(self) -> str:
        """Chime."""
        return "Ding."

    @tool
    def toll(self) -> str:
        """Toll."""
        if os.environ["RISKBOX_TEST_END"] == "raise":
            raise RuntimeError("cracked")
        end()
        return "Dong."
