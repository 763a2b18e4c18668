"""Waiting for anyone's code within a time limit that holds even where the code ignores its cancellation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from riskbox.sandbox.contracts.unsent import UNSENT
from riskbox.sandbox.episode.lag import Lag
from riskbox.sandbox.errors import Halt, ParticipantFault

T = TypeVar("T")

GRACE = 6.0
"""Seconds that cancelled code has to clean up before it is cancelled once more, and then as many until it is left
behind. A process of its own is asked for five seconds whether it still answers."""
CANCELS = 2
"""How often code is cancelled before it is left behind."""
SOONEST = 0.05
"""Seconds after which a limit looks again whether a call still waits to be sent."""

left_behind: list[Coroutine[Any, Any, Any]] = []
"""Code that ignored every cancellation and its closing. It is never resumed. It is kept, because deleting it would throw
one more exception into it."""


class ProcessDied(Exception):
    """The process that a participant runs in has died. The episode cannot go on, and may not be to blame.

    Args:
        told: What happened.
        party: Whose process it was.
    """

    def __init__(self, told: str, party: str = "") -> None:
        super().__init__(told)
        self.party = party


class TooLong(TimeoutError):
    """Code took longer than it may."""

    def __init__(self, *, at_end: bool, unsent: bool) -> None:
        super().__init__()
        self.at_end, self.unsent = at_end, unsent
        """Whether the end of the episode came, and not that of the turn; whether a call waited to be sent just then."""


async def limited(
    work: Coroutine[Any, Any, T], seconds: float | None, end: float | None = None
) -> tuple[T, bool]:
    """What code comes to, and whether it had to be waited for.

    At its limit the code is cancelled; what it still answers comes too late. Code that goes on is cancelled again, and
    then closed and left behind.

    Most turns of scripted participants are answered without waiting; they are spared the timer and the measuring,
    which would cost more than the turn.

    Args:
        work: The code.
        seconds: How long it may take. Time in which its model calls wait to be sent, or in which somebody else blocks
            the event loop, is not counted. None for no limit.
        end: When it must be over in any case, on the monotonic clock; None for no limit.

    Raises:
        TooLong: it took longer.
        ProcessDied, Halt: the code raised them, be it too late.
        ParticipantFault: the code raised `GeneratorExit`.
    """
    try:
        first = work.send(None)
    except StopIteration as done:
        return done.value, False
    except GeneratorExit as error:  # nobody closes it: its code raises this
        raise ParticipantFault("GeneratorExit") from error
    return await _Started(work, first, seconds, end), True


class _LeftBehind(Exception):
    """The code ignores its cancellation, and is not waited for any more."""


class _Started:
    """A coroutine that has run to its first wait, to be awaited from there within a limit.

    `limited` runs a coroutine by hand until it first waits. From there it must go on in the same task: it may have
    started timers that will cancel this task, as `asyncio.timeout` does. So `__await__` does what `await` would have
    done, with one difference. What the coroutine waits for (a future of the event loop) is not handed to the loop
    itself; a future of ours is, which wakes this task when the other one is done. Thereby a cancellation reaches this
    task even where what the coroutine waits for is a task that ignores its own. It is handed on: to what is waited for,
    or thrown into the coroutine, so that its `finally` blocks run.
    """

    def __init__(
        self, work: Coroutine[Any, Any, T], waits_for: Any, seconds: float | None, end: float | None
    ) -> None:
        self.work, self.waits_for, self.seconds, self.end = work, waits_for, seconds, end
        self.began = time.monotonic()
        self.unsent = UNSENT.get()
        self.unsent_before = self.unsent.seconds if self.unsent else 0.0
        self.late: TooLong | None = None
        self.cancels = 0
        """How often it was cancelled by the limit."""
        self.leaving = False
        self.own = 0.0
        """For how long it has blocked the event loop itself."""

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        self.task, self.loop = task, asyncio.get_running_loop()
        self.lag = Lag.of(self.loop)
        self.lag.begin()
        self.lag_before = self.lag.seconds
        self.timer: asyncio.TimerHandle | None = None
        self._arm()
        error: BaseException | None = None
        value = None
        try:
            value = yield from self._driven()
        except (Exception, asyncio.CancelledError) as raised:
            error = raised
        finally:
            self.lag.end()
            if self.timer is not None:
                self.timer.cancel()
            for _ in range(self.cancels):
                task.uncancel()
        if self.late is None or isinstance(error, ProcessDied | Halt):
            if error is not None:
                raise error
            return value
        # Whoever else cancels it now is told that it took too long, which ends it as well. Nothing tells such a cancellation
        # from that of a client library's own timer, and some of those take nothing back.
        raise self.late from None

    # --- the limit ------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        left, _ = self._left()
        if left is not None:
            self.timer = self.loop.call_later(max(left, 0.0), self._expire)

    def _left(self) -> tuple[float | None, bool]:
        """Seconds until the limit, and whether it is that of the episode."""
        now = time.monotonic()
        unsent = self.unsent.seconds - self.unsent_before if self.unsent else 0.0
        blocked = max(0.0, self.lag.seconds - self.lag_before - self.own)
        turn = None if self.seconds is None else self.began + self.seconds + unsent + blocked - now
        end = None if self.end is None else self.end - now
        if end is not None and (turn is None or end <= turn):
            return end, True
        return turn, False

    def _expire(self) -> None:
        left, at_end = self._left()
        waits = self.unsent is not None and self.unsent.waits
        if self.late is None and left is not None and (left > 0 or (waits and not at_end)):
            self.timer = self.loop.call_later(max(left, SOONEST), self._expire)
            return
        self.late = self.late or TooLong(at_end=at_end, unsent=waits)
        self.leaving = self.cancels == CANCELS
        self.cancels += 1
        self.task.cancel()
        if not self.leaving:
            self.timer = self.loop.call_later(GRACE, self._expire)

    # --- the code -------------------------------------------------------------------------------------------

    def _driven(self) -> Generator[Any, Any, Any]:
        waits_for = self.waits_for
        while True:
            thrown = yield from self._until(waits_for)
            began = time.monotonic()
            try:
                waits_for = self.work.send(None) if thrown is None else self.work.throw(thrown)
            except StopIteration as done:
                return done.value
            except GeneratorExit as error:
                if thrown is error:
                    raise
                raise ParticipantFault("GeneratorExit") from error
            self.own += time.monotonic() - began

    def _until(self, waits_for: Any) -> Generator[Any, Any, BaseException | None]:
        """Wait for what the coroutine waits for; what is to be thrown into it, if anything."""
        if not asyncio.isfuture(waits_for) or waits_for.get_loop() is not self.loop:
            try:
                yield waits_for  # nothing, for one round of the loop; or a mistake, which the loop tells
            except BaseException as error:
                self._cancelled()
                return error
            return None
        waits_for._asyncio_future_blocking = False  # whoever takes a future out of `await` says that it did
        while not waits_for.done():
            woken = self.loop.create_future()

            def wake(_: Any, woken: asyncio.Future[None] = woken) -> None:
                if not woken.done():
                    woken.set_result(None)

            waits_for.add_done_callback(wake)
            try:
                yield from woken
            except asyncio.CancelledError as error:
                handed_on = waits_for.cancel(*error.args)
                self._cancelled()
                if not handed_on:
                    return error
            finally:
                waits_for.remove_done_callback(wake)
        return None

    def _cancelled(self) -> None:
        """Leave the code behind if this cancellation was the last one."""
        if not self.leaving:
            return
        try:
            self.work.close()  # so that it lets go of what it holds
        except BaseException:  # it ignores even this
            left_behind.append(self.work)
        raise _LeftBehind
