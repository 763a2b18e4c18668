"""The quota service of a run: it shares slots, rates and budgets among the workers by leases that expire.

Each worker reports its usage about once a second and gets a lease in return: how many requests it may have in flight,
how many requests and tokens it may draw from each rate, and a cap on what it may spend of each budget.

Budgets are leased as caps on cumulative sums: a lease says "all that you have spent and reserved since you started may
reach 4.20 dollars", never "here are 0.50 dollars more". An amount would have to be delivered exactly once. A cap can be
delivered late, twice or not at all: a worker that missed one goes on under the old cap, and one that hears it again
changes nothing. The service books each worker at the higher of two caps, the one that the worker last reported and the
one that it was sent since. These bookings never add up to more than the budget, so no message that is lost or repeated,
and no worker that dies, can overspend it. A dead worker stays booked at its cap, because its last calls may have been
billed.

A service that restarts has forgotten all this. Workers therefore carry what the last one said about their peers. Until
every lease of its predecessor has expired, the new service leases no more than each worker already holds. It cannot know
of a worker that died in between if no other worker had heard of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from riskbox.sandbox.models.limits import ModelLimits

LEASE = 10.0
"""Seconds that a lease lasts: a worker that has not reported for longer counts as dead."""
BURST = 2.0
"""Seconds' worth of a rate that may be spent at once."""
ROTATION = 1.0
"""Seconds for which a worker keeps a slot that is left over after equal division."""


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """A worker's requests to one model: how many it has, and how many it wants."""

    using: int = 0
    """Requests in flight."""
    waiting: int = 0
    """Requests that wait for a slot."""
    held: float = 0.0
    """Slots it holds, those in use among them."""
    returned: tuple[float, float] = (0.0, 0.0)
    """Requests and tokens of earlier grants that it returns; negative where calls took more than was estimated."""
    wanted: tuple[float, float] = (0.0, 0.0)
    """Requests and tokens wanted for the next second, beyond those it still has."""


@dataclass(frozen=True, slots=True)
class BudgetUsage:
    """A worker's side of one budget, in dollars or tokens. `spent`, `reserved` and `cap` are sums since it started."""

    spent: float = 0.0
    """What its finished calls cost."""
    reserved: float = 0.0
    """The most that its calls in flight may cost."""
    cap: float = 0.0
    """The most that `spent` and `reserved` may add up to, by the last lease that it got."""
    wanted: float = 0.0
    """The most that its waiting calls may cost."""
    smallest: float = 0.0
    """The least that lets one of the waiting calls through."""
    ahead: float = 0.0
    """What it would like on top, so that the next calls need not wait."""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What a worker reports to the quota service."""

    worker: str
    """The worker's id."""
    number: int = 0
    """Counts its reports; the service answers one that it has seen with the same lease."""
    leaving: bool = False
    """Whether nothing is in flight and nothing waits; the worker then holds nothing."""
    models: Mapping[str, ModelUsage] = field(default_factory=dict)
    """By model."""
    budgets: Mapping[str, BudgetUsage] = field(default_factory=dict)
    """By budget: `dollars`, `tokens`."""
    peers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The caps of all workers as the service last told them: a service that restarts has forgotten them."""


@dataclass(frozen=True, slots=True)
class ModelGrant:
    """How many requests and tokens a worker may use of one model."""

    in_flight: float
    """Requests in flight, all together."""
    requests: float
    """Requests beyond those it still has."""
    tokens: float
    """Tokens beyond those it still has."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the quota service answers; it holds for `LEASE` seconds after the report."""

    grants: Mapping[str, ModelGrant] = field(default_factory=dict)
    """By model."""
    caps: Mapping[str, float] = field(default_factory=dict)
    """By budget, the most that the worker may have spent and reserved since it started."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """By budget, what all workers have certainly spent; empty while that is unknown."""
    peers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By worker and budget, the cap of each worker, the dead ones included."""


@dataclass
class _Worker:
    """What the service knows of one worker."""

    report: UsageReport
    """Its last report."""
    heard: float
    """When that came."""
    lease: Lease = field(default_factory=Lease)
    """The lease that it was sent."""
    held: dict[str, float] = field(default_factory=dict)
    """Slots it may be using, by model."""
    caps: dict[str, float] = field(default_factory=dict)
    """What it may have spent at most, by budget."""
    extras: dict[str, float] = field(default_factory=dict)
    """When it was last given one of the slots that are left over after equal division, by model."""

    def usage(self, model: str) -> ModelUsage | None:
        """Its use of a model; None where it has none or is leaving."""
        return None if self.report.leaving else self.report.models.get(model)


@dataclass
class _Bucket:
    """A token bucket, by which a rate is kept."""

    level: float
    """What can be drawn; below 0 while a debt is paid."""
    filled: float
    """When it was last filled."""


class QuotaService:
    """Leases the limits of one run to its workers. A plain class: a Ray actor is a thin shell around it.

    Args:
        limits: What the whole run may use.
        clock: Tells the time, in seconds.
        restarted: Whether workers may hold leases of a predecessor.
    """

    def __init__(
        self, limits: ModelLimits, clock: Callable[[], float] = time.monotonic, *, restarted: bool = False
    ) -> None:
        self.limits, self._clock, self._restarted = limits, clock, restarted
        self.budgets = {
            name: total
            for name, total in (("dollars", limits.run_dollars), ("tokens", limits.run_tokens))
            if total is not None
        }
        """The run's budgets that are set: `dollars`, `tokens`."""
        self._workers: dict[str, _Worker] = {}
        self._buckets: dict[tuple[str, int], _Bucket] = {}
        self._dead: dict[str, Mapping[str, float]] = {}
        """What dead workers may have spent."""
        self._numbers: dict[str, int] = {}
        self._settles = clock() + LEASE if restarted else float("-inf")
        """When every lease of a predecessor has expired."""

    def renew(self, report: UsageReport) -> Lease:
        """Take a worker's report, and return its lease until the next."""
        now = self._clock()
        self._expire(now)
        if report.number <= self._numbers.get(report.worker, -1):
            known = self._workers.get(report.worker)
            return known.lease if known else Lease()
        self._numbers[report.worker] = report.number
        self._remember(report)
        worker = self._workers.setdefault(report.worker, _Worker(report, now))
        worker.report, worker.heard = report, now
        settled = now >= self._settles
        worker.lease = Lease(
            grants={
                model: self._grant(worker, model, usage, now, settled)
                for model, usage in report.models.items()
            },
            caps={name: self._cap(worker, name, usage, settled) for name, usage in report.budgets.items()},
            spent={name: self._spent(name) for name in self.budgets} if settled else {},
            peers=self._peers(),
        )
        return worker.lease

    def _expire(self, now: float) -> None:
        """Free the slots of dead workers; what they might have spent counts as spent."""
        for id, worker in list(self._workers.items()):
            if now - worker.heard > LEASE:
                self._dead[id] = {name: worker.caps.get(name, 0.0) for name in self.budgets}
                del self._workers[id]

    def _remember(self, report: UsageReport) -> None:
        """Learn from a report what a predecessor knew; the reporter is alive, even if it was taken for dead."""
        for id, caps in report.peers.items():
            if id not in self._workers:
                known = self._dead.get(id, {})
                self._dead[id] = {
                    name: max(caps.get(name, 0.0), known.get(name, 0.0)) for name in self.budgets
                }
        self._dead.pop(report.worker, None)

    def _peers(self) -> dict[str, Mapping[str, float]]:
        if not self.budgets:
            return {}
        return {**self._dead, **{id: dict(one.caps) for id, one in self._workers.items()}}

    # --- slots ----------------------------------------------------------------------------------------------

    def _grant(self, worker: _Worker, model: str, usage: ModelUsage, now: float, settled: bool) -> ModelGrant:
        most = self.limits.at_once(model)
        slots = float("inf") if most is None else self._slots(worker, model, usage, most, now, settled)
        drawn = [
            self._drawn(model, place, per_minute, usage, now)
            for place, per_minute in enumerate(self.limits.per_minute(model))
        ]
        return ModelGrant(slots, *drawn)

    def _slots(
        self, worker: _Worker, model: str, usage: ModelUsage, most: float, now: float, settled: bool
    ) -> float:
        if worker.report.leaving:
            worker.held[model] = 0.0
            return 0.0
        share, extra = self._share(worker, model, most, now)
        others = sum(one.held.get(model, 0.0) for one in self._workers.values() if one is not worker)
        slots = max(0.0, min(share, most - others))
        if not settled:
            slots = min(slots, usage.held)
        elif extra and slots == share and now - worker.extras.get(model, float("-inf")) >= ROTATION:
            worker.extras[model] = now
        # until its next report confirms it, a worker that must give some up may still be using them
        worker.held[model] = max(slots, usage.held, usage.using)
        return slots

    def _share(self, worker: _Worker, model: str, most: float, now: float) -> tuple[float, bool]:
        """The max-min fair share of the slots, and whether it has one of those left over after equal division.

        The workers that waited longest for a left-over slot get one. Slots that nobody wants are divided equally.
        """
        usages = [(one, usage) for one in self._workers.values() if (usage := one.usage(model)) is not None]
        left = int(most)
        modest: dict[str, int] = {}
        for one, usage in sorted(usages, key=lambda pair: pair[1].using + pair[1].waiting):
            demand = usage.using + usage.waiting
            if demand > left // (len(usages) - len(modest)):
                break
            modest[one.report.worker] = demand
            left -= demand
        rest = [one for one, _ in usages if one.report.worker not in modest]
        if not rest:
            return float(modest[worker.report.worker] + left // len(usages)), False
        if worker.report.worker in modest:
            return float(modest[worker.report.worker]), False
        level, over = divmod(left, len(rest))

        def due(one: _Worker) -> tuple[bool, float]:
            since = one.extras.get(model, float("-inf"))
            return now - since >= ROTATION, since

        extra = worker in sorted(rest, key=due)[:over]
        return float(level + extra), extra

    # --- rates ----------------------------------------------------------------------------------------------

    def _drawn(
        self, model: str, place: int, per_minute: float | None, usage: ModelUsage, now: float
    ) -> float:
        """What a worker draws from a rate's bucket; a debt (a call that took more than was estimated) is paid first."""
        if per_minute is None:
            return float("inf")
        rate = per_minute / 60
        size = rate * BURST if place else max(rate * BURST, 1.0)
        bucket = self._buckets.setdefault((model, place), _Bucket(0.0 if self._restarted else size, now))
        bucket.level = min(size, bucket.level + (now - bucket.filled) * rate + usage.returned[place])
        bucket.filled = now
        claims = [
            one for one in self._workers.values() if (other := one.usage(model)) is not None and other.waiting
        ]
        if not usage.waiting and claims:
            return 0.0  # nothing ahead while others wait
        share = bucket.level / max(1, len(claims))
        if place == 0:
            share = float(int(max(share, min(bucket.level, 1.0))))  # half a request admits nothing
        drawn = max(0.0, min(usage.wanted[place], share))
        bucket.level -= drawn
        return drawn

    # --- budgets --------------------------------------------------------------------------------------------

    def _cap(self, worker: _Worker, name: str, usage: BudgetUsage, settled: bool) -> float:
        """How much a worker may have spent and reserved since it started."""
        living = [one for one in self._workers.values() if one is not worker]
        others = sum(one.caps.get(name, 0.0) for one in living)
        dead = sum(caps.get(name, 0.0) for caps in self._dead.values())
        committed = usage.spent + usage.reserved
        free = self.budgets[name] - dead - others - committed
        # half of what a call needs admits nothing, and two workers with a half each would wait forever
        extra = min(usage.wanted, free) if free >= usage.smallest else 0.0
        if not any(_waits(one.report, name) for one in living):
            extra = min(extra + usage.ahead, free)
        cap = committed + max(0.0, extra)
        if not settled:
            cap = max(committed, min(cap, usage.cap))
        worker.caps[name] = max(cap, usage.cap, committed)
        return cap

    def _spent(self, name: str) -> float:
        dead = sum(caps.get(name, 0.0) for caps in self._dead.values())
        usages = [one.report.budgets.get(name) for one in self._workers.values()]
        return dead + sum(usage.spent for usage in usages if usage)


def _waits(report: UsageReport, name: str) -> bool:
    usage = report.budgets.get(name)
    return usage is not None and usage.wanted > 0
