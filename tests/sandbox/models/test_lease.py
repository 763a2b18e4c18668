"""Limits of a run over several workers, a quota service that restarts, answers that are lost: in simulated time, with the real code.

Workers are `LeaseHolder`, the quota service is a `QuotaService`; between them lies a wire that loses, delays and repeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskbox.sandbox.errors import Halt
from riskbox.sandbox.models.lease import UNREACHABLE, Admission, LeaseHolder
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.quota import BURST, LEASE, Lease, QuotaService, UsageReport
from tests.sandbox.virtual import simulated

MODEL = "provider/model"


@dataclass(frozen=True)
class Call:
    """One call of a worker."""

    at: float
    seconds: float
    most: int
    """Tokens it may come to."""
    real: float
    """The share of them that it does come to."""
    model: str = MODEL


@dataclass(frozen=True)
class Plan:
    """What happens in one simulated run."""

    limits: ModelLimits
    workers: tuple[tuple[Call, ...], ...]
    joins: tuple[float, ...]
    dies: tuple[float | None, ...]
    restarts: tuple[float, ...] = ()
    weather: tuple[str, ...] = ("ok",)
    """What the wire does with each report of a worker, over and over; it never silences one for as long as a lease."""


@dataclass
class World:
    """The run as somebody sees it who sees everything."""

    plan: Plan
    service: QuotaService = field(init=False)
    in_flight: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    spent: float = 0.0
    sent: list[tuple[float, float]] = field(default_factory=list)
    """When calls were sent, and the tokens they came to."""
    settled: int = 0
    refused: int = 0
    reports: dict[str, int] = field(default_factory=dict)
    late: list[UsageReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = QuotaService(self.plan.limits, self.now)
        self.working = len(self.plan.workers)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def play(self) -> World:
        async with asyncio.TaskGroup() as group:
            for at in self.plan.restarts:
                group.create_task(self.restart(at))
            for calls, joins, dies in zip(self.plan.workers, self.plan.joins, self.plan.dies, strict=True):
                group.create_task(self.worker(calls, joins, dies))
        return self

    async def restart(self, at: float) -> None:
        await asyncio.sleep(at)
        self.service = QuotaService(self.plan.limits, self.now, restarted=True)

    async def worker(self, calls: tuple[Call, ...], joins: float, dies: float | None) -> None:
        await asyncio.sleep(joins)
        holder = LeaseHolder(self.plan.limits, self.wire, self.now)
        work = asyncio.gather(*(self.call(holder, one) for one in calls))
        if dies is None:
            await work
            self.working -= 1
            while self.working:  # a worker lives as long as its run
                await asyncio.sleep(1)
            await holder.close()
            return
        self.working -= 1
        await asyncio.wait([work], timeout=dies)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if holder._renewing is not None:  # the process is gone: nothing more is said
            holder._renewing.cancel()

    async def wire(self, report: UsageReport) -> Lease:
        count = self.reports[report.worker] = self.reports.get(report.worker, 0) + 1
        weather = self.plan.weather[count % len(self.plan.weather)]
        await asyncio.sleep(0.001)
        if weather == "deaf":
            raise ConnectionError("not heard")
        if weather == "late" and self.late:
            self.service.renew(self.late.pop(0))  # an old report comes once more
        lease = self.service.renew(report)
        self.late.append(report)
        if weather == "twice":
            lease = self.service.renew(report)
        if weather == "lost":
            raise ConnectionError("the answer is lost")
        if weather == "slow":
            await asyncio.sleep(0.4)
        return lease

    async def call(self, holder: LeaseHolder, call: Call) -> None:
        await asyncio.sleep(call.at)
        try:
            async with holder.admitted(Admission(call.model, call.most / 2, call.most)) as admission:
                self.in_flight[call.model] = self.in_flight.get(call.model, 0) + 1
                self.most[call.model] = max(self.most.get(call.model, 0), self.in_flight[call.model])
                came = call.most * call.real
                self.spent += came  # the provider bills what is sent, whoever is left to hear of it
                self.sent.append((self.now(), came))
                try:
                    await asyncio.sleep(call.seconds)
                    admission.tokens = came
                finally:
                    self.in_flight[call.model] -= 1
            self.settled += 1
        except Halt:
            self.refused += 1


CALLS = st.builds(
    Call,
    at=st.sampled_from([0.0, 0.01, 0.5, 3.0, 15.0]),
    seconds=st.sampled_from([0.0, 0.1, 0.7, 3.0, 20.0]),
    most=st.integers(1, 100),
    real=st.sampled_from([0.1, 0.5, 1.0]),
    model=st.sampled_from([MODEL, "provider/other"]),
)
WEATHER = st.lists(
    st.sampled_from(["ok", "ok", "ok", "ok", "deaf", "lost", "twice", "slow", "late"]), min_size=1, max_size=5
).map(lambda found: (*found, "ok"))


@st.composite
def plans(
    draw: Any, *, limits: st.SearchStrategy[ModelLimits], dying: bool = True, restarts: bool = True
) -> Plan:
    count = draw(st.integers(1, 4))
    calls = st.lists(CALLS, max_size=12).map(tuple)
    death = st.sampled_from([None, None, 0.0, 0.3, 2.0, 16.0]) if dying else st.none()
    return Plan(
        draw(limits),
        tuple(draw(calls) for _ in range(count)),
        tuple(draw(st.sampled_from([0.0, 0.2, 1.3, 12.0])) for _ in range(count)),
        tuple(draw(death) for _ in range(count)),
        tuple(draw(st.lists(st.sampled_from([0.05, 1.0, 2.5, 14.0, 30.0]), max_size=2, unique=True)))
        if restarts
        else (),
        draw(WEATHER),
    )


IN_FLIGHT = st.builds(ModelLimits, in_flight=st.fixed_dictionaries({"": st.integers(1, 6).map(float)}))
BUDGET = st.builds(
    ModelLimits, in_flight=st.just({"": 5.0}), run_tokens=st.sampled_from([40.0, 150.0, 400.0, 2000.0])
)
property = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@property
@given(plans(limits=IN_FLIGHT))
def test_requests_in_flight_stay_within_the_limit(plan: Plan) -> None:
    world = simulated(World(plan).play())
    assert all(most <= plan.limits.in_flight[""] for most in world.most.values())


@property
@given(plans(limits=BUDGET, restarts=False))
def test_a_budget_is_never_exceeded_whoever_dies(plan: Plan) -> None:
    world = simulated(World(plan).play())
    assert plan.limits.run_tokens is not None
    assert world.spent <= plan.limits.run_tokens + 1e-6


@property
@given(plans(limits=BUDGET, dying=False))
def test_a_budget_is_never_exceeded_however_often_the_bank_restarts(plan: Plan) -> None:
    world = simulated(World(plan).play())
    assert plan.limits.run_tokens is not None
    assert world.spent <= plan.limits.run_tokens + 1e-6


@property
@given(st.one_of(plans(limits=IN_FLIGHT, dying=False), plans(limits=BUDGET, dying=False)))
def test_every_call_is_admitted_or_refused_in_the_end(plan: Plan) -> None:
    """The simulated loop raises where everybody would wait for ever."""
    world = simulated(asyncio.wait_for(World(plan).play(), 3600))
    assert world.settled + world.refused == sum(map(len, plan.workers))
    if plan.limits.run_tokens is None:
        assert not world.refused


@property
@given(
    plans(
        limits=st.builds(
            ModelLimits,
            in_flight=st.just({"": 50.0}),
            requests=st.fixed_dictionaries({"": st.sampled_from([30.0, 60.0, 240.0])}),
            tokens=st.fixed_dictionaries({"": st.sampled_from([600.0, 6000.0, 1e9])}),
        ),
        dying=False,
    )
)
def test_rates_are_kept_over_time(plan: Plan) -> None:
    world = simulated(asyncio.wait_for(World(plan).play(), 7200))
    assert world.settled == sum(map(len, plan.workers))
    rates = {"requests": plan.limits.requests[""] / 60, "tokens": plan.limits.tokens[""] / 60}
    models = len({call.model for calls in plan.workers for call in calls}) or 1
    largest = max((call.most for calls in plan.workers for call in calls), default=0)
    times = sorted(world.sent)
    for first in range(len(times)):
        for last in range(first, len(times)):
            span = times[last][0] - times[first][0]
            # what was leased before the window may be used in it: a burst in the quota service, and one with each worker
            slack = (BURST * (1 + len(plan.workers)) + 1) * models
            requests = last - first + 1
            assert requests <= rates["requests"] * models * span + rates["requests"] * slack + 2 * models
            tokens = sum(came for _, came in times[first : last + 1])
            debts = 2 * largest * len(plan.workers) * models
            assert tokens <= rates["tokens"] * models * span + rates["tokens"] * slack + debts


# --- single matters ---------------------------------------------------------------------------------------------


def service_of(limits: ModelLimits, clock: Callable[[], float]) -> Callable[[UsageReport], Awaitable[Lease]]:
    service = QuotaService(limits, clock)

    async def renew(report: UsageReport) -> Lease:
        return service.renew(report)

    return renew


async def nobody(report: UsageReport) -> Lease:
    raise ConnectionError("nobody is there")


def test_nothing_is_renewed_where_nothing_is_limited() -> None:
    async def work() -> None:
        holder = LeaseHolder(ModelLimits(), nobody, asyncio.get_running_loop().time)
        async with holder.admitted(Admission("http://127.0.0.1:8000/v1#own", 10, 10, 1.0)):
            assert len(asyncio.all_tasks()) == 1
        assert not holder.limited("http://127.0.0.1:8000/v1#own")
        assert holder.limited("provider/model")

    simulated(work())


def test_renewing_ends_when_nothing_is_left_to_do() -> None:
    async def work() -> None:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(in_flight={"": 2.0})
        holder = LeaseHolder(limits, service_of(limits, clock), clock)
        async with holder.admitted(Admission(MODEL)):
            await asyncio.sleep(5)
            assert len(asyncio.all_tasks()) == 2
        await asyncio.sleep(3)
        assert len(asyncio.all_tasks()) == 1

    simulated(work())


def test_a_call_that_comes_during_the_last_report_is_not_forgotten() -> None:
    async def work() -> None:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(requests={"": 60.0})
        renew = service_of(limits, clock)

        async def slowly(report: UsageReport) -> Lease:
            lease = await renew(report)
            await asyncio.sleep(0.2)
            return lease

        holder = LeaseHolder(limits, slowly, clock)
        for pause in (0.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3):
            async with asyncio.timeout(60), holder.admitted(Admission(MODEL)):
                pass
            await asyncio.sleep(pause)

    simulated(work())


def test_an_idle_worker_gives_its_slots_back_and_comes_again() -> None:
    async def work() -> None:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(in_flight={"": 4.0}, run_tokens=1000.0)
        renew = service_of(limits, clock)
        one, two = (LeaseHolder(limits, renew, clock) for _ in range(2))
        async with one.admitted(Admission(MODEL, 1, 300, 0)) as admission:
            admission.tokens = 300
        await asyncio.sleep(2 * LEASE)
        # what it spent counts once, though it was thought dead for a while
        async with two.admitted(Admission(MODEL, 1, 400, 0)) as admission:
            admission.tokens = 400
        async with one.admitted(Admission(MODEL, 1, 300, 0)) as admission:
            admission.tokens = 300

    simulated(work())


def test_a_lease_that_expired_admits_nobody() -> None:
    async def work() -> None:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(in_flight={"": 4.0})
        renew = service_of(limits, clock)
        away = False

        async def sometimes(report: UsageReport) -> Lease:
            if away:
                raise ConnectionError("away")
            return await renew(report)

        holder = LeaseHolder(limits, sometimes, clock)
        async with holder.admitted(Admission(MODEL)):
            away = True
            async with holder.admitted(Admission(MODEL)):
                await asyncio.sleep(LEASE + 1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(30), holder.admitted(Admission(MODEL)):
                    pass
            away = False
            async with asyncio.timeout(5), holder.admitted(Admission(MODEL)):
                pass

    simulated(work())


def test_a_bank_that_never_answers_ends_the_run() -> None:
    async def work() -> None:
        clock = asyncio.get_running_loop().time
        holder = LeaseHolder(ModelLimits(in_flight={"": 4.0}), nobody, clock)
        with pytest.raises(Halt, match="could not be renewed for 120 s: ConnectionError: nobody is there"):
            async with holder.admitted(Admission(MODEL)):
                pass
        assert UNREACHABLE <= clock() < UNREACHABLE + 5

    simulated(work())


@pytest.mark.parametrize("after", [0.0, 0.01, 0.5, 1.5])
def test_a_call_that_is_cancelled_leaves_no_permit_behind(after: float) -> None:
    """While it waits, in the moment of its admission, or while it is in flight."""

    async def work() -> None:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(in_flight={"": 1.0}, run_tokens=100.0)
        holder = LeaseHolder(limits, service_of(limits, clock), clock)

        async def one(seconds: float) -> None:
            async with holder.admitted(Admission(MODEL, 1, 10, 0)) as admission:
                await asyncio.sleep(seconds)
                admission.tokens = 1

        tasks = [asyncio.create_task(one(1.0)) for _ in range(3)]
        await asyncio.sleep(after)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        queue = holder._queue(MODEL)
        assert (queue.using, len(queue.waiting), holder._reserved) == (0, 0, {"dollars": 0.0, "tokens": 0.0})
        async with asyncio.timeout(10):
            await asyncio.gather(*(one(0.1) for _ in range(3)))
        await holder.close()
        assert len(asyncio.all_tasks()) == 1

    simulated(work())


def test_a_rate_is_used_up_by_one_call_after_the_other() -> None:
    """What is wanted for a second is foretold from the pace, not from the few calls that the last lease let through."""

    async def work() -> int:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(requests={"": 60_000.0})
        holder = LeaseHolder(limits, service_of(limits, clock), clock)
        made = 0
        while clock() < 10:
            async with holder.admitted(Admission(MODEL)):
                await asyncio.sleep(0.001)
                made += 1
        await holder.close()
        return made

    assert simulated(work()) > 5000  # of 10,000 that the rate allows and the calls take


def test_one_permit_goes_round_between_workers() -> None:
    async def work() -> list[float]:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(in_flight={"": 1.0})
        renew = service_of(limits, clock)
        served = [0.0] * 3

        async def busy(place: int) -> None:
            holder = LeaseHolder(limits, renew, clock)

            async def one() -> None:
                while clock() < 60:
                    async with holder.admitted(Admission(MODEL)):
                        await asyncio.sleep(0.1)
                        served[place] += 0.1

            await asyncio.gather(*(one() for _ in range(2 * place + 1)))

        await asyncio.gather(*map(busy, range(3)))
        return served

    served = simulated(work())
    assert min(served) > 10, served  # of 60 seconds, a fair share would be 20
    assert sum(served) > 40, served


def test_a_call_that_can_never_be_paid_is_refused_and_smaller_ones_go_on() -> None:
    async def work() -> None:
        clock = asyncio.get_running_loop().time
        limits = ModelLimits(run_tokens=100.0)
        holder = LeaseHolder(limits, service_of(limits, clock), clock)

        async def one(most: float, seconds: float) -> None:
            async with holder.admitted(Admission(MODEL, 1, most, 0)) as admission:
                await asyncio.sleep(seconds)
                admission.tokens = most

        first = asyncio.create_task(one(60, 5.0))
        await asyncio.sleep(1)
        large, small = asyncio.create_task(one(50, 1.0)), asyncio.create_task(one(30, 1.0))
        results = await asyncio.gather(first, large, small, return_exceptions=True)
        assert isinstance(results[1], Halt)
        assert (
            "budget of 100 tokens is exhausted: 60 tokens so far, and the next call may use up to 50"
            in str(results[1])
        )
        assert results[0] is results[2] is None

    simulated(work())
