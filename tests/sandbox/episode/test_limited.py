"""A time limit holds whatever the code under it does with its cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from riskbox.sandbox.contracts.unsent import counting, waiting
from riskbox.sandbox.episode import limited as module
from riskbox.sandbox.episode.limited import ProcessDied, TooLong, limited
from riskbox.sandbox.errors import Halt
from riskbox.sandbox.stub.script import Slow
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import OPENAI, Sit

SOON = 0.05


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", SOON)


class Log(list[str]):
    """What a piece of code has lived through."""

    over = False

    async def polite(self) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            self.append("cleaned")
        return "never"

    async def late(self) -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        self.append("answered")
        return "too late"

    async def asks_again(self) -> str:
        while not self.over:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.append("swallowed")
        return "over"

    async def own_timer(self) -> str:
        """What client libraries do: any cancellation is taken for that of their own timer, and they ask again."""
        task = asyncio.current_task()
        assert task is not None
        for _ in range(100):
            timer = asyncio.get_running_loop().call_later(SOON, task.cancel)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.append("timed out")
            finally:
                timer.cancel()
        return "gave up"

    async def ignores_all(self) -> str:
        while True:
            try:
                await asyncio.sleep(60)
            except BaseException:
                self.append("ignored")

    async def inner_task(self) -> str:
        """It waits for a task of its own, which ignores its cancellation."""
        self.inner = asyncio.create_task(self.asks_again())
        return await self.inner

    async def end(self) -> None:
        """End the task of its own, which would keep the event loop from ending."""
        self.over = True
        self.inner.cancel()
        await asyncio.wait([self.inner])


CODE: list[Callable[[Log], Coroutine[Any, Any, str]]] = [
    Log.polite, Log.late, Log.asks_again, Log.own_timer, Log.ignores_all, Log.inner_task
]  # fmt: skip


@pytest.mark.parametrize("code", CODE, ids=lambda code: code.__name__)
async def test_a_limit_holds_whatever_the_code_does(code: Callable[[Log], Coroutine[Any, Any, str]]) -> None:
    log = Log()
    async with asyncio.timeout(10):
        with pytest.raises(TooLong) as caught:
            await limited(code(log), SOON)
    assert not caught.value.at_end
    task = asyncio.current_task()
    assert task is not None and (task.cancelling() == 0 or code is Log.own_timer)
    assert log, "it heard of its cancellation"
    before = len(log)
    await asyncio.sleep(4 * SOON)
    if hasattr(log, "inner"):
        await log.end()
    else:
        assert len(log) == before, "it is not resumed"
    gc.collect()


async def test_the_end_of_the_episode_is_told_apart() -> None:
    end = asyncio.get_running_loop().time() + SOON
    with pytest.raises(TooLong) as caught:
        await limited(Log().polite(), 60, end)
    assert caught.value.at_end


@pytest.mark.parametrize("error", [ProcessDied("gone"), Halt("no key")], ids=["died", "halt"])
async def test_what_ends_more_than_a_turn_is_told_even_too_late(error: Exception) -> None:
    async def found_out() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise error from None

    with pytest.raises(type(error)):
        await limited(found_out(), SOON)


async def test_timers_that_were_started_before_the_first_wait_still_work() -> None:
    async def waits() -> str:
        try:
            async with asyncio.timeout(SOON):
                await asyncio.sleep(60)
        except TimeoutError:
            return "its own"
        return ""

    assert await limited(waits(), 10) == ("its own", True)


async def test_a_time_out_of_the_codes_own_is_its_own() -> None:
    async def raises() -> None:
        await asyncio.sleep(0)
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine") as caught:
        await limited(raises(), 10)
    assert not isinstance(caught.value, TooLong)


async def test_a_cancellation_from_outside_goes_through_it() -> None:
    log = Log()
    task = asyncio.create_task(limited(log.polite(), 60))
    await asyncio.sleep(SOON)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cleaned"]


async def test_a_cancellation_from_outside_ends_it_behind_the_limit_too() -> None:
    log = Log()

    async def slow_to_clean() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("cleaning")
            await asyncio.sleep(60)

    task = asyncio.create_task(limited(slow_to_clean(), SOON))
    while not log:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(TooLong):
        await task


@pytest.mark.parametrize("transport", ["http", OPENAI])
async def test_a_call_whose_own_limit_ends_with_the_turn_does_not_go_on(
    stub: Stub, sit: Sit, transport: str
) -> None:
    await sit(transport).ask()  # litellm imports parts of itself at the first call
    stub.script(Slow(30), repeat=True)
    before = len(stub.requests)

    async def asks() -> None:
        await sit(transport, seconds=0.5, retries=50, retries_after_timeout=50).ask()

    ends = await asyncio.gather(*(limited(asks(), 0.5) for _ in range(8)), return_exceptions=True)
    assert [type(one) for one in ends] == [TooLong] * 8
    assert len(stub.requests) - before < 30


async def test_time_in_which_a_call_waits_to_be_sent_is_not_counted() -> None:
    async def held_back() -> str:
        with waiting():
            await asyncio.sleep(6 * SOON)
        await asyncio.sleep(SOON)
        return "sent and answered"

    with counting():
        assert (await limited(held_back(), 3 * SOON))[0] == "sent and answered"
    with pytest.raises(TooLong):
        await limited(held_back(), 3 * SOON)


async def test_the_end_of_an_episode_does_not_wait_and_says_why() -> None:
    async def held_back() -> None:
        with waiting():
            await asyncio.sleep(60)

    end = asyncio.get_running_loop().time() + SOON
    with counting(), pytest.raises(TooLong) as caught:
        await limited(held_back(), 60, end)
    assert caught.value.at_end and caught.value.unsent


async def test_time_in_which_somebody_else_blocks_the_event_loop_is_not_counted() -> None:
    answer = asyncio.Event()

    async def neighbour() -> None:
        await asyncio.sleep(0.1)
        time.sleep(2)  # as hostile code does
        await asyncio.sleep(0.1)
        answer.set()

    async def waits() -> str:
        await answer.wait()
        return "in time"

    blocking = asyncio.create_task(neighbour())
    assert await limited(waits(), 1.0) == ("in time", True)
    await blocking


async def test_who_blocks_the_event_loop_gains_no_time_by_it() -> None:
    async def blocks() -> str:
        await asyncio.sleep(0)
        time.sleep(1)
        await asyncio.sleep(5)
        return "late"

    with pytest.raises(TooLong):
        await limited(blocks(), 0.5)
