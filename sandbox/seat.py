"""A seat for agents that own their loop: SDK graphs, MCP clients, anything that calls tools when it likes.

    class Mine(Owner):
        async def play(self, seat: Seat) -> None:
            heard = await seat.hear()
            while True:
                found = await seat.call("shop.find_order", {"id": "O-17"})
                heard = await seat.say(f"Your order: {found.content}")

The agent's code runs as a task beside the episode; each call and each line becomes a move of the episode, in turn.
"""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from riskbox.sandbox.action import Action, ToolCall
from riskbox.sandbox.event import Returned, Said
from riskbox.sandbox.observation import AgentView, Observation
from riskbox.sandbox.participant import Participant


class Over(Exception):
    """The episode is over; nothing more can be said or called."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool call came to."""

    ok: bool
    """Whether the tool did what was asked."""
    value: Any
    """What it gave back, or its error."""

    @property
    def content(self) -> str:
        """The result as text for a model; an error is an object with `error`."""
        value = self.value if self.ok else {"error": self.value}
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Seat:
    """What an agent that owns its loop is given in place of turns."""

    def __init__(self, brief: AgentView) -> None:
        self.brief = brief
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._lines: deque[str] = deque()
        self._asked: deque[tuple[ToolCall, asyncio.Future[Result]]] = deque()
        self._open: deque[asyncio.Future[Result]] = deque()
        self._moved = asyncio.Event()
        self._seen = 0

    # --- for the agent --------------------------------------------------------------------------------------

    async def hear(self) -> str:
        """What the user says next."""
        return await self._heard.get()

    async def say(self, text: str) -> str:
        """Say something to the user, and hear what it answers."""
        self._lines.append(text)
        self._moved.set()
        return await self.hear()

    async def call(self, tool: str, arguments: Mapping[str, Any] | str | None = None) -> Result:
        """Call a tool by its full name; calls made side by side become one move."""
        given = arguments if isinstance(arguments, str) else dict(arguments or {})
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._asked.append((ToolCall(tool=tool, arguments=given), answer))
        self._moved.set()
        return await answer

    # --- for the episode ------------------------------------------------------------------------------------

    def show(self, seen: Observation) -> None:
        """Hand on what has happened since the last turn: results to their calls, lines to whoever hears."""
        for event in seen.events[self._seen :]:
            if isinstance(event, Returned) and self._open:
                answer = self._open.popleft()
                if not answer.done():
                    answer.set_result(Result(event.ok, event.result if event.ok else event.error))
            elif isinstance(event, Said) and event.by != seen.party:
                self._heard.put_nowait(event.text)
        self._seen = len(seen.events)

    async def move(self, playing: asyncio.Task[None]) -> Action | None:
        """The agent's next move; None once its code has ended."""
        while not (self._lines or self._asked):
            self._moved.clear()
            waiting = asyncio.ensure_future(self._moved.wait())
            await asyncio.wait((waiting, playing), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if playing.done() and not (self._lines or self._asked):
                playing.result()
                return None
        if not self._lines:
            # one round of the loop, so that calls made side by side are made together
            await asyncio.sleep(0)
        text = self._lines.popleft() if self._lines else ""
        calls = []
        while self._asked and not text:
            call, answer = self._asked.popleft()
            calls.append(call)
            self._open.append(answer)
        return Action(text=text, calls=tuple(calls))

    def end(self) -> None:
        """Nothing more will be answered."""
        for answer in (*self._open, *(one for _, one in self._asked)):
            if not answer.done():
                answer.set_exception(Over())
                answer.exception()  # nobody may be waiting any more


class Owner(Participant):
    """An agent that owns its loop. Override `play`; what it raises is a fault of the agent, returning leaves."""

    continuity: Literal["stateless", "session"] = "session"

    def __init__(self) -> None:
        self._seat: Seat | None = None
        self._playing: asyncio.Task[None] | None = None

    @abstractmethod
    async def play(self, seat: Seat) -> None:
        """Hear, call and say, until the task is cancelled at the end of the episode."""

    async def act(self, seen: Observation) -> Action:
        """The next thing the agent's code calls or says."""
        if self._seat is None or self._playing is None:
            assert isinstance(seen.brief, AgentView)
            self._seat = Seat(seen.brief)
            self._playing = asyncio.create_task(self.play(self._seat))
        self._seat.show(seen)
        moved = await self._seat.move(self._playing)
        return Action(leave=True) if moved is None else moved

    async def close(self) -> None:
        """Ends the agent's code."""
        if self._playing is None or self._seat is None:
            return
        self._seat.end()
        self._playing.cancel()
        await asyncio.gather(self._playing, return_exceptions=True)
