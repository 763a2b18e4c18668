"""What the quota service grants: fair shares, rates, caps; what it makes of the dead, of idle workers, of the same report twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import ray

from riskbox.sandbox.batch.actors import episodes
from riskbox.sandbox.models.lease import Admission, LeaseHolder
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.quota import (
    LEASE,
    ROTATION,
    BudgetUsage,
    Lease,
    ModelUsage,
    QuotaService,
    UsageReport,
)

MODEL = "provider/model"


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """A worker that reports what it is told to."""

    def __init__(self, service: QuotaService, name: str) -> None:
        self.service, self.name, self.number = service, name, 0
        self.held = 0.0
        self.lease = Lease()

    def renew(
        self,
        using: int = 0,
        waiting: int = 0,
        budget: BudgetUsage | None = None,
        leaving: bool = False,
        **need: object,
    ) -> Lease:
        self.number += 1
        asked = ModelUsage(using, waiting, self.held, **need)  # type: ignore[arg-type]
        budgets = {} if budget is None else {"tokens": budget}
        report = UsageReport(self.name, self.number, leaving, {MODEL: asked}, budgets, self.lease.peers)
        self.lease = self.service.renew(report)
        self.held = self.lease.grants[MODEL].in_flight
        return self.lease


def opened(limits: ModelLimits, count: int = 2, **options: bool) -> tuple[Clock, QuotaService, list[Worker]]:
    clock = Clock()
    service = QuotaService(limits, clock, **options)
    return clock, service, [Worker(service, f"w{place}") for place in range(count)]


# --- slots -----------------------------------------------------------------------------------------------------


def test_one_worker_has_them_all() -> None:
    _, _, (one, _) = opened(ModelLimits(in_flight={"": 10.0}))
    one.renew(waiting=3)
    assert one.held == 10


def test_a_worker_gives_up_what_another_wants_and_only_then_it_is_granted() -> None:
    _, _, (one, two) = opened(ModelLimits(in_flight={"": 10.0}))
    one.renew(waiting=3)
    two.renew(waiting=20)
    assert two.held == 0  # the first may be using all ten
    one.renew(using=3)
    assert one.held == 3
    two.renew(waiting=20)
    assert two.held == 0  # it has not confirmed yet
    one.renew(using=3)
    two.renew(waiting=20)
    assert two.held == 7


def test_an_answer_that_is_lost_frees_nothing() -> None:
    _, service, (one, two) = opened(ModelLimits(in_flight={"": 10.0}))
    one.renew(waiting=10)
    two.renew(waiting=10)
    for number in (2, 3, 4):  # the quota service takes five away, and the first never hears of it
        service.renew(UsageReport("w0", number, models={MODEL: ModelUsage(10, 0, 10.0)}))
    two.renew(waiting=10)
    assert two.held == 0


def test_modest_demands_are_met_and_the_rest_is_shared() -> None:
    _, _, (one, two, three) = opened(ModelLimits(in_flight={"": 10.0}), 3)
    for _ in range(4):
        one.renew(waiting=1)
        two.renew(waiting=50)
        three.renew(waiting=50)
    assert (one.held, sorted([two.held, three.held])) == (1, [4, 5])


def test_a_permit_that_cannot_be_divided_goes_round() -> None:
    clock, _, workers = opened(ModelLimits(in_flight={"": 1.0}), 3)
    had = set()
    for _ in range(40):
        for worker in workers:
            worker.renew(using=int(worker.held), waiting=5)
            if worker.held:
                had.add(worker.name)
                worker.held = 1.0
        assert sum(worker.held for worker in workers) <= 1
        for worker in workers:
            worker.renew(waiting=5)
        clock.now += ROTATION / 2
    assert had == {"w0", "w1", "w2"}


def test_the_dead_free_their_slots() -> None:
    clock, _, (one, two) = opened(ModelLimits(in_flight={"": 10.0}))
    one.renew(using=10)
    clock.now = LEASE - 0.1
    two.renew(waiting=10)
    assert two.held == 0
    clock.now = LEASE + 0.1
    two.renew(waiting=10)
    assert two.held == 10


def test_one_that_leaves_frees_its_slots_at_once() -> None:
    _, _, (one, two) = opened(ModelLimits(in_flight={"": 10.0}))
    one.renew(waiting=10)
    one.held = 0.0
    one.renew(leaving=True)
    assert one.held == 0
    two.renew(waiting=10)
    assert two.held == 10


def test_a_bank_that_restarted_confirms_and_grants_nothing_new() -> None:
    clock, _, (one, two) = opened(ModelLimits(in_flight={"": 10.0}), restarted=True)
    one.held = 4.0
    one.renew(using=4, waiting=10)
    two.renew(waiting=10)
    assert (one.held, two.held) == (4, 0)
    for clock.now in (LEASE - 0.1, LEASE + 0.1):
        one.renew(using=4, waiting=10)
        two.renew(waiting=10)
    assert (one.held, two.held) == (5, 5)


def test_the_same_report_twice_gets_the_same_answer() -> None:
    _, service, _ = opened(ModelLimits(in_flight={"": 10.0}, requests={"": 60.0}, run_tokens=100.0))
    report = UsageReport(
        "w0",
        1,
        False,
        {MODEL: ModelUsage(0, 9, wanted=(2.0, 0.0))},
        {"tokens": BudgetUsage(wanted=60.0, smallest=60.0)},
    )
    first = service.renew(report)
    assert service.renew(report) == first
    assert service.renew(replace(report, number=0)) == first
    assert service.renew(replace(report, worker="w1", number=1)).grants[MODEL].requests == 0


# --- rates ------------------------------------------------------------------------------------------------------


def test_a_rate_is_drawn_from_and_fills_again() -> None:
    clock, _, (one, _) = opened(ModelLimits(requests={"": 60.0}, tokens={"": 6000.0}))
    grant = one.renew(waiting=9, wanted=(9.0, 900.0)).grants[MODEL]
    assert (grant.in_flight, grant.requests, grant.tokens) == (100, 2, 200)
    assert one.renew(waiting=9, wanted=(9.0, 900.0)).grants[MODEL].requests == 0
    clock.now += 1.5
    grant = one.renew(waiting=9, wanted=(9.0, 900.0)).grants[MODEL]
    assert (grant.requests, grant.tokens) == (1, 150)


def test_a_debt_is_paid_before_anything_is_drawn() -> None:
    clock, _, (one, _) = opened(ModelLimits(tokens={"": 6000.0}))
    one.renew(waiting=1, wanted=(1.0, 100.0))
    assert one.renew(waiting=1, wanted=(1.0, 100.0), returned=(0.0, -500.0)).grants[MODEL].tokens == 0
    clock.now += 3.9
    assert one.renew(waiting=1, wanted=(1.0, 100.0)).grants[MODEL].tokens == 0
    clock.now += 0.5
    assert one.renew(waiting=1, wanted=(1.0, 100.0)).grants[MODEL].tokens == pytest.approx(40)


def test_a_rate_below_one_a_second_still_lets_calls_through() -> None:
    clock, _, (one, _) = opened(ModelLimits(requests={"": 0.5}))
    assert one.renew(waiting=5, wanted=(5.0, 0.0)).grants[MODEL].requests == 1
    clock.now += 119
    assert one.renew(waiting=5, wanted=(5.0, 0.0)).grants[MODEL].requests == 0
    clock.now += 2
    assert one.renew(waiting=5, wanted=(5.0, 0.0)).grants[MODEL].requests == 1


def test_workers_that_wait_share_a_rate() -> None:
    clock, _, (one, two) = opened(ModelLimits(requests={"": 600.0}))
    two.renew(waiting=50, wanted=(0.0, 0.0))
    assert one.renew(waiting=50, wanted=(50.0, 0.0)).grants[MODEL].requests == 10
    clock.now += 1
    assert two.renew(waiting=50, wanted=(50.0, 0.0)).grants[MODEL].requests == 10


# --- budgets ----------------------------------------------------------------------------------------------------


def test_caps_never_add_up_to_more_than_the_budget() -> None:
    _, _, (one, two) = opened(ModelLimits(run_tokens=100.0))
    assert one.renew(waiting=1, budget=BudgetUsage(wanted=60.0, smallest=60.0)).caps["tokens"] == 60
    # a part of what it needs would let nothing through, and bind it
    assert two.renew(waiting=1, budget=BudgetUsage(wanted=60.0, smallest=60.0)).caps["tokens"] == 0
    assert two.renew(waiting=1, budget=BudgetUsage(wanted=90.0, smallest=30.0)).caps["tokens"] == 40


def test_nothing_is_lent_ahead_while_others_wait() -> None:
    _, _, (one, two) = opened(ModelLimits(run_tokens=100.0))
    assert one.renew(using=1, budget=BudgetUsage(reserved=20.0, ahead=30.0, cap=20.0)).caps["tokens"] == 50
    two.renew(waiting=1, budget=BudgetUsage(wanted=70.0, smallest=70.0))
    assert one.renew(using=1, budget=BudgetUsage(reserved=20.0, ahead=30.0, cap=50.0)).caps["tokens"] == 20
    one.renew(using=1, budget=BudgetUsage(reserved=20.0, cap=20.0))
    assert two.renew(waiting=1, budget=BudgetUsage(wanted=70.0, smallest=70.0)).caps["tokens"] == 70


def test_what_the_dead_might_have_spent_is_spent() -> None:
    clock, _, (one, two) = opened(ModelLimits(run_tokens=100.0))
    one.renew(waiting=1, budget=BudgetUsage(spent=10.0, wanted=60.0, smallest=60.0, cap=10.0))
    clock.now = LEASE + 1
    lease = two.renew(waiting=1, budget=BudgetUsage(wanted=50.0, smallest=30.0))
    assert (lease.caps["tokens"], lease.spent["tokens"]) == (30, 70)


def test_one_that_was_thought_dead_counts_once() -> None:
    clock, _, (one, two) = opened(ModelLimits(run_tokens=100.0))
    one.renew(budget=BudgetUsage(spent=40.0, cap=40.0), leaving=True)
    clock.now = LEASE + 1
    assert two.renew(budget=BudgetUsage()).spent["tokens"] == 40
    assert one.renew(budget=BudgetUsage(spent=40.0, cap=40.0)).spent["tokens"] == 40
    assert two.renew(budget=BudgetUsage()).spent["tokens"] == 40


def test_a_bank_that_restarted_learns_from_the_living_what_the_dead_spent() -> None:
    clock, _, (one, two) = opened(ModelLimits(run_tokens=100.0))
    one.renew(budget=BudgetUsage(spent=40.0, cap=40.0))
    two.renew(budget=BudgetUsage())
    second = QuotaService(ModelLimits(run_tokens=100.0), clock, restarted=True)
    two.service = second
    lease = two.renew(waiting=1, budget=BudgetUsage(wanted=80.0, smallest=10.0))
    assert (lease.caps["tokens"], lease.spent) == (0, {})  # it does not know everybody yet
    clock.now = LEASE + 1
    lease = two.renew(waiting=1, budget=BudgetUsage(wanted=80.0, smallest=10.0))
    assert (lease.caps["tokens"], lease.spent["tokens"]) == (60, 40)


# --- on Ray -----------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.usefixtures("ray_cluster")
async def test_limits_hold_on_when_the_actor_that_grants_them_dies() -> None:
    limits = ModelLimits(in_flight={"": 2.0}, run_tokens=1000.0)
    service = episodes.shared_quota(limits)
    workers = [LeaseHolder(limits, episodes._renewing(service)) for _ in range(2)]
    inside = most = 0

    async def call(holder: LeaseHolder) -> None:
        nonlocal inside, most
        async with holder.admitted(Admission(MODEL, 1, 40, 0)) as admission:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.05)
            admission.tokens = 40
            inside -= 1

    await asyncio.gather(*(call(holder) for holder in workers for _ in range(4)))
    before = await service.renew.remote(UsageReport("watcher", 1))
    assert before.spent["tokens"] <= 320
    ray.kill(service, no_restart=False)
    async with asyncio.timeout(60):
        await asyncio.gather(*(call(holder) for holder in workers for _ in range(4)))
    assert most <= 2
    for holder in workers:
        await holder.close()
    after = await service.renew.remote(UsageReport("watcher", 2))
    assert after.spent["tokens"] == 16 * 40
    assert after.spent["tokens"] > before.spent["tokens"]
    ray.kill(service)
