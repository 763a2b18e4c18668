"""What limits calls, the same over every transport: time limits from outside, budgets, calls in flight and by the minute."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from riskbox.sandbox.contracts.model import Ledger, Prompt
from riskbox.sandbox.errors import BudgetSpent, Halt
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.stub.script import (
    Drop,
    Fail,
    Say,
    Slow,
    StubReply,
    Usage,
)
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import OPENAI, SOON, Sit

# --- time limits from outside -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply", [Slow(30), Fail(429, retry_after=30), Fail(500, retry_after=30)], ids=["call", "pause", "retry"]
)
@pytest.mark.parametrize("transport", ["http", OPENAI])
async def test_a_time_limit_from_outside_leaves_nothing_behind(
    stub: Stub, sit: Sit, transport: str, reply: StubReply
) -> None:
    await sit(transport).ask()
    stub.script(reply, repeat=True)
    seat = sit(transport, retries=3, limits=ModelLimits(in_flight={"": 3.0}))
    before = len(asyncio.all_tasks())
    asked = [asyncio.create_task(seat.ask()) for _ in range(6)]
    await asyncio.sleep(0.5)
    for task in asked:
        task.cancel()
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in done)
    queue = seat.clients.lease_holder._queue(seat.model.name)
    assert (queue.using, len(queue.waiting)) == (0, 0)
    assert [one.outcome for one in seat.ledger.calls] == ["timeout"] * 6
    await asyncio.sleep(1.5)  # the last renewal tells the quota service
    assert len(asyncio.all_tasks()) <= before
    stub.reset()
    seat.clients.pauses.clear()
    async with asyncio.timeout(10):
        assert (await seat.ask()).outcome == "ok"


# --- budgets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", OPENAI])
async def test_a_run_stops_before_its_tokens_are_exceeded(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Say("Hello.", usage=Usage(400, 100)), repeat=True)
    seat = sit(transport, {"max_tokens": 100}, limits=ModelLimits(run_tokens=2400))
    said = "word " * 80  # its bytes are the most it may come to
    with pytest.raises(
        Halt, match=r"budget of 2,400 tokens is exhausted: 2,000 tokens so far.*--budget-tokens"
    ):
        while len(stub.requests) < 50:
            await seat.ask(said)
    assert len(stub.requests) == 4
    assert len(seat.ledger.calls) == 4


async def test_calls_at_once_never_exceed_a_budget_together(stub: Stub, sit: Sit) -> None:
    stub.script(Slow(0.1, Say("Hello.", usage=Usage(400, 100))), repeat=True)
    seat = sit(settings={"max_tokens": 100}, limits=ModelLimits(run_tokens=2400))
    results = await asyncio.gather(*(seat.ask("word " * 80) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(one, Halt) for one in results) == 16
    assert seat.ledger.tokens == 2000


async def test_a_run_stops_before_its_dollars_are_exceeded(stub: Stub, sit: Sit) -> None:
    stub.script(Say("Hello.", usage=Usage(1000, 1000)), repeat=True)
    name = f"{stub.url}/v1#stub"
    seat = sit(settings={"max_tokens": 1000}, limits=ModelLimits(run_dollars=0.01), prices={name: (1.0, 1.0)})
    with pytest.raises(Halt, match=r"budget of \$0.01 is exhausted: \$0.01 so far.*--budget\."):
        while len(stub.requests) < 50:
            await seat.ask("word " * 180)
    assert 0.006 < seat.ledger.cost <= 0.01
    assert all(call.cost == pytest.approx(0.002) for call in seat.ledger.calls)


async def test_an_unknown_price_halts_before_a_call(stub: Stub, sit: Sit) -> None:
    seat = sit("openai/stub", limits=ModelLimits(run_dollars=1.0))
    with pytest.raises(
        Halt, match=r"needs the price of openai/stub.*--price openai/stub=0.50/1.50"
    ) as caught:
        await seat.ask()
    assert "\n" not in str(caught.value)
    assert stub.requests == []
    assert (
        await sit(
            "openai/stub", limits=ModelLimits(run_dollars=1.0), prices={"openai/stub": (0.5, 1.5)}
        ).ask()
    ).text


async def test_people_s_own_servers_cost_nothing(stub: Stub, sit: Sit) -> None:
    seat = sit(limits=ModelLimits(run_dollars=1e-6, episode_dollars=1e-6))
    assert (await seat.ask()).outcome == "ok"
    assert seat.ledger.cost == 0


@pytest.mark.parametrize("transport", ["http", OPENAI])
async def test_an_episode_stops_before_its_budget_is_exceeded(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Say("Hello.", usage=Usage(400, 100)), repeat=True)
    seat = sit(transport, {"max_tokens": 100}, limits=ModelLimits(episode_tokens=1200))
    for _ in range(2):
        await seat.ask("word " * 80)
    with pytest.raises(
        BudgetSpent, match=r"budget of 1,200 tokens has 1,000 spent; the next call may take up to"
    ):
        await seat.ask("word " * 80)
    assert len(stub.requests) == 2
    # another episode of the run goes on
    other = sit(clients=seat.clients, ledger=Ledger(), transport=transport, settings={"max_tokens": 100})
    assert (await other.ask("word " * 80)).outcome == "ok"


@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
async def test_a_budget_limits_answers_that_nobody_limited(stub: Stub, sit: Sit, given: str) -> None:
    await sit(limits=ModelLimits(run_tokens=1e6)).ask()
    assert stub.requests[-1].body["max_tokens"] == 4096
    await sit(settings={given: 9}, limits=ModelLimits(run_tokens=1e6)).ask()
    body = stub.requests[-1].body
    assert {name: body[name] for name in body if name.startswith("max")} == {given: 9}


async def test_what_is_refused_costs_no_budget_and_what_is_cut_off_may(stub: Stub, sit: Sit) -> None:
    seat = sit(settings={"max_tokens": 100}, retries=1, limits=ModelLimits(run_tokens=1e6))
    stub.script(Fail(500, retry_after=SOON), Say("Hello.", usage=Usage(10, 10)))
    await seat.ask()
    assert seat.clients.lease_holder._spent["tokens"] == 20
    stub.script(Drop(after_bytes=20), Say("Hello.", usage=Usage(10, 10)))
    await seat.ask()
    assert seat.clients.lease_holder._spent["tokens"] > 140


# --- limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", OPENAI])
async def test_no_more_requests_are_in_flight_than_allowed(stub: Stub, sit: Sit, transport: str) -> None:
    inside = most = 0
    held: set[float] = set()

    def enter(request: Any) -> StubReply:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        held.add(seat.clients.lease_holder._queue(seat.model.name).held)
        asyncio.get_running_loop().call_later(0.1, leave)
        return Slow(0.1, "Hello.")

    def leave() -> None:
        nonlocal inside
        inside -= 1

    stub.script(enter, repeat=True)
    seat = sit(transport, limits=ModelLimits(in_flight={"": 3.0}))
    await asyncio.gather(*(seat.ask() for _ in range(12)))
    assert most <= 3
    assert held == {3}  # once nothing is in flight, the last report may have given all back


async def test_requests_by_the_minute(stub: Stub, sit: Sit) -> None:
    seat = sit(limits=ModelLimits(requests={"": 120.0}))
    began = time.monotonic()
    await asyncio.gather(*(seat.ask() for _ in range(8)))
    # two seconds' worth at once, then two a second
    assert time.monotonic() - began >= 1.9


async def test_an_own_server_without_limits_needs_no_admission(stub: Stub, sit: Sit) -> None:
    seat = sit()
    before = asyncio.all_tasks()
    await asyncio.gather(*(seat.ask() for _ in range(20)))
    assert asyncio.all_tasks() == before
    assert seat.clients.lease_holder._renewing is None


def test_terms_of_a_run_open_nothing(stub: Stub) -> None:
    """Making the models of a process neither needs a loop nor connects to anything."""
    model = Clients(ModelOptions()).model(f"{stub.url}/v1#stub", "agent", Ledger(), 1)
    assert asyncio.run(model.ask(Prompt([{"role": "user", "content": "Hello."}]))).outcome == "ok"
