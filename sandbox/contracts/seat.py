"""A seat for agents that own their loop: SDK graphs, MCP clients, any code that calls tools when it wants to.

    class Mine(Owner):
        async def play(self, seat: Seat) -> None:
            heard = await seat.hear()
            while True:
                found = await seat.call("shop.find_order", {"id": "O-17"})
                heard = await seat.say(f"Your order: {found.content}")

The agent's code runs as a task beside the episode. An episode asks an agent for one move at a time, and this code is not
written in moves, so a seat translates between the two. `call`, `say` and `hear` put what the code wants into a queue and
wait on a future. `Owner.act` takes the next move from the queue, and the next observation resolves the futures. Calls
that the code starts side by side become one move: before it collects them, the seat gives the event loop rounds until no
new call appears. The code may also end, fail, catch its own cancellation or call from a thread; `move`, `end` and
`abandon` say what happens then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Coroutine, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from types import coroutine
from typing import Any, Literal

from riskbox.sandbox.contracts.message import arguments as parsed
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import ParticipantFault, is_interrupt
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.event import Returned, Said
from riskbox.sandbox.words.observation import AgentView, Observation

GRACE = 1.0
"""Seconds that the agent's code has to clean up after it is cancelled."""
CANCELS = 3
"""How many times code that ignores its cancellation is cancelled before it is abandoned."""


class EpisodeOver(Exception):
    """Raised when the episode is over and the agent can no longer speak or call tools."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """The result of a tool call."""

    ok: bool
    """Whether the tool did what was asked."""
    value: Any
    """What the tool returned, or its error."""

    @property
    def content(self) -> str:
        """The result as text for a model; an error is an object with `error`."""
        value = self.value if self.ok else {"error": self.value}
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Seat:
    """How an agent that runs its own loop takes part in an episode.

    When the episode is over, `hear`, `say` and `call` raise `Over`.
    """

    def __init__(self, brief: AgentView) -> None:
        self.brief = brief
        """What the agent is told before the first line: name, policy, tools."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._heard: deque[str] = deque()
        self._ears: deque[asyncio.Future[str]] = deque()
        self._lines: deque[Action] = deque()
        self._asked: deque[tuple[ToolCall, asyncio.Future[CallResult]]] = deque()
        self._open: deque[asyncio.Future[CallResult]] = deque()
        self._moved = asyncio.Event()
        self._seen = 0
        self._listens = self._over = False
        self.abandoned = False
        """Whether its code ignored its cancellation and is left behind."""

    # --- for the agent --------------------------------------------------------------------------------------

    async def hear(self) -> str:
        """Wait for the user's next message."""
        await self._still_on()
        if self._heard:
            return self._heard.popleft()
        ear: asyncio.Future[str] = self._loop.create_future()
        self._ears.append(ear)
        self._listens = True
        self._moved.set()
        return await ear

    async def say(self, text: str, note: str = "") -> str:
        """Say something to the user, and return the user's answer. Empty text waits without speaking.

        Args:
            text: What is said.
            note: A note for the record that no party sees, such as why nothing is said.
        """
        await self._still_on()
        self._lines.append(Action(text=text, note=note))
        self._moved.set()
        return await self.hear()

    async def call(self, tool: str, arguments: Mapping[str, Any] | str | None = None) -> CallResult:
        """Call a tool by its full name; calls that run concurrently become one move.

        Args:
            tool: The full name, for example `clinic.read_record`.
            arguments: An object, or the text that a model wrote, which may not be JSON.
        """
        await self._still_on()
        given = parsed(arguments) if isinstance(arguments, str) else dict(arguments or {})
        answer: asyncio.Future[CallResult] = self._loop.create_future()
        self._asked.append((ToolCall(tool=tool, arguments=given), answer))
        self._moved.set()
        return await answer

    def call_blocking(self, tool: str, arguments: Mapping[str, Any] | str | None = None) -> CallResult:
        """`call` for code that runs in a thread of its own; the thread waits for the result.

        Raises:
            RuntimeError: it is called in the thread of the episode, which would wait forever.
        """
        if threading.get_ident() == self._thread:
            raise RuntimeError("this thread runs the episode; use `await seat.call(...)`")
        if self._over:
            raise EpisodeOver("the episode is over")
        return asyncio.run_coroutine_threadsafe(self.call(tool, arguments), self._loop).result()

    async def _still_on(self) -> None:
        if not self._over:
            return
        await asyncio.sleep(0)  # code that catches everything and retries must not block the event loop
        if self.abandoned:
            await self._loop.create_future()  # nor use the processor forever
        raise EpisodeOver("the episode is over")

    # --- for the episode ------------------------------------------------------------------------------------

    def show(self, seen: Observation) -> None:
        """Deliver what has happened since the last turn: results to their calls, the user's lines to `hear` and `say`."""
        for event in seen.events[self._seen :]:
            if isinstance(event, Returned) and self._open:
                answer = self._open.popleft()
                if not answer.done():
                    answer.set_result(CallResult(event.ok, event.result if event.ok else event.error))
            elif isinstance(event, Said) and event.by != seen.party:
                self._hand_on(event.text)
                self._listens = False
        self._seen = len(seen.events)

    def _hand_on(self, text: str) -> None:
        while self._ears:
            ear = self._ears.popleft()
            if not ear.done():
                ear.set_result(text)
                return
        self._heard.append(text)

    async def move(self, playing: asyncio.Task[None]) -> Action | None:
        """The agent's next move: a line, calls, or nothing where it only listens; None once its code has ended."""
        while True:
            if playing.done() and (playing.cancelled() or playing.exception()):
                return None
            if self._lines:
                return self._lines.popleft()
            if calls := await self._made():
                return Action(calls=calls)
            if playing.done():
                return None
            if self._listens and not self._open:
                return Action()
            self._moved.clear()
            await self._moved.wait()

    async def _made(self) -> tuple[ToolCall, ...]:
        """The calls that were made concurrently, without those whose caller was cancelled."""
        before = 0
        while len(self._asked) > before:
            before = len(self._asked)
            await asyncio.sleep(0)  # one round of the loop, in which others may ask too
        calls = []
        while self._asked:
            call, answer = self._asked.popleft()
            if not answer.done():
                calls.append(call)
                self._open.append(answer)
        return tuple(calls)

    def wake(self, playing: asyncio.Task[None]) -> None:
        """Let `move` return: the agent's code has ended."""
        self._moved.set()

    def end(self) -> None:
        """Raise `EpisodeOver` in everything that still waits, and from now on."""
        self._over = True
        left: list[asyncio.Future[Any]] = [*self._ears, *self._open, *(answer for _, answer in self._asked)]
        for waiting in left:
            if not waiting.done():
                waiting.set_exception(EpisodeOver("the episode is over"))
                waiting.exception()  # without this, asyncio would warn about an exception that nobody retrieved

    def abandon(self) -> None:
        """Let code that ignores its cancellation wait forever at its next call."""
        self.abandoned = True


_left_behind: list[Coroutine[Any, Any, None]] = []
"""Code that ignores its cancellation; deleting it would throw one more exception into it."""


@coroutine
def _driven(code: Coroutine[Any, Any, None], seat: Seat) -> Generator[Any, Any, None]:
    """Await the agent's code as `await` does, until it is abandoned.

    asyncio waits for every task at the end of its loop, and a task whose code ignores cancellation never ends. This
    stands between the task and the code: once the seat is abandoned, a cancellation ends the task and is not passed on.
    """
    advance = partial(code.send, None)
    while True:
        try:
            waiting = advance()
        except StopIteration:
            return
        try:
            yield waiting
        except BaseException as error:
            if seat.abandoned:
                _left_behind.append(code)
                raise
            advance = partial(code.throw, error)
        else:
            advance = partial(code.send, None)


class Owner(Participant):
    """An agent that owns its loop. Override `play`: returning leaves the episode, and an exception is the agent's fault."""

    continuity: Literal["stateless", "session"] = "session"
    _seat: Seat | None = None
    _playing: asyncio.Task[None] | None = None

    @abstractmethod
    async def play(self, seat: Seat) -> None:
        """Hear, call and say, until the task is cancelled at the end of the episode.

        Args:
            seat: The agent's seat in this episode.
        """

    async def act(self, seen: Observation) -> Action:
        """The next thing that the agent's code calls or says.

        Raises:
            ParticipantFault: its code cancelled itself or called `exit`.
            Exception: whatever its code raises.
        """
        if self._seat is None or self._playing is None:
            assert isinstance(seen.brief, AgentView)
            self._seat = Seat(seen.brief)
            self._playing = asyncio.create_task(self._played(self._seat))
            self._playing.add_done_callback(self._seat.wake)
        self._seat.show(seen)
        moved = await self._seat.move(self._playing)
        if moved is not None:
            return moved
        if self._playing.cancelled():
            raise ParticipantFault("the agent's code cancelled itself")
        self._playing.result()
        return Action(leave=True)

    async def _played(self, seat: Seat) -> None:
        try:
            await _driven(self.play(seat), seat)
        except SystemExit as error:
            # it would end the whole process
            raise ParticipantFault(f"the agent's code called exit({error.code})") from None
        except KeyboardInterrupt as error:
            if is_interrupt(error):
                raise
            raise ParticipantFault("the agent's code raised KeyboardInterrupt") from None

    async def close(self) -> None:
        """End the agent's code: cancel it, and raise `EpisodeOver` in what it still waits for."""
        if self._playing is None or self._seat is None:
            return
        self._seat.end()
        for _ in range(CANCELS):
            self._playing.cancel()
            done, _pending = await asyncio.wait((self._playing,), timeout=GRACE)
            if done:
                if not self._playing.cancelled():
                    self._playing.exception()  # too late to be a fault of the episode
                return
        logging.getLogger("riskbox").warning(
            "%s does not stop when it is cancelled; it is abandoned", type(self).__name__
        )
        self._seat.abandon()
        self._playing.cancel()
        await asyncio.wait((self._playing,))
