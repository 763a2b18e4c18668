"""A worker's side of the quota: it admits calls by its lease, and renews the lease about once a second.

Asking an actor before each call would cost more than the rest of the call, so a worker spends what its lease holds. A
lease caps the cumulative sum of what the worker has spent and reserved; `quota` says why. The worker counts three sums:
what its finished calls cost, what the calls in flight may cost at most, and the cap. A call is admitted only if spent +
reserved + its own most stays within the cap, so a budget holds even if every call in flight turns out as expensive as it
can. A finished call moves from reserved to spent at its true cost, which frees the difference.

Rates are looser: a call is counted by what it will probably take, and one that takes more leaves a debt, which the next
report returns as a negative amount. A report also gives back what will not be needed within the next second. What it
gives back is deducted before the report is sent: if the answer is lost, the worker has less than it might, and never
more.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from riskbox.sandbox.errors import Halt
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.quota import LEASE, BudgetUsage, Lease, ModelUsage, UsageReport

RENEWAL = 1.0
"""Seconds between two renewals of a lease."""
SOONEST, LATEST = 0.05, 0.25
"""Seconds between two renewals while calls wait: the shortest pause, which doubles up to the longest."""
UNREACHABLE = 120.0
"""Seconds without an answer of the quota service after which the run stops."""
UNLIMITED = float("inf")
ROUNDING = 1e-12


@dataclass(slots=True)
class Admission:
    """One call to be admitted, with what it may cost; after the call, with what it did cost."""

    model: str
    """The model that is called."""
    likely: float = 0.0
    """Tokens it will probably take; rates are charged by it."""
    tokens: float = 0.0
    """The most tokens it may take; on leaving, those it took."""
    dollars: float = 0.0
    """The most dollars it may cost; on leaving, those it cost."""


class _ModelQueue:
    """The calls of one model: those in flight, those that wait, and what the lease still holds for them."""

    def __init__(self, limits: ModelLimits, model: str) -> None:
        at_once, (requests, tokens) = limits.at_once(model), limits.per_minute(model)
        self.limited = any(one is not None for one in (at_once, requests, tokens))
        self.held = UNLIMITED if at_once is None else 0.0
        self.requests = UNLIMITED if requests is None else 0.0
        self.tokens = UNLIMITED if tokens is None else 0.0
        self.using = 0
        self.waiting: deque[tuple[Admission, asyncio.Future[None]]] = deque()
        self.recent = [0.0, 0.0]
        """Requests and tokens since the last renewal."""

    def fits(self) -> bool:
        # the last part of a rate's lease lets one call through, however large: its debt is paid later
        return self.using < self.held and self.requests >= 1 and self.tokens > 0

    def take(self, admission: Admission) -> None:
        self.using += 1
        self.requests -= 1
        self.tokens -= admission.likely
        self.recent[0] += 1
        self.recent[1] += admission.likely

    def usage(self, leaving: bool, elapsed: float) -> ModelUsage:
        """What to report of the model; what is not wanted for the next second is given back with it."""
        likely = sum(admission.likely for admission, _ in self.waiting)
        pace = RENEWAL / min(max(elapsed, SOONEST), RENEWAL)
        wishes = (len(self.waiting) + self.recent[0] * pace + 1, likely + self.recent[1] * pace + 1)
        self.recent = [0.0, 0.0]
        if leaving:
            wishes = (0.0, 0.0)
            self.held = 0.0 if self.held < UNLIMITED else UNLIMITED
        kept = (min(max(0.0, self.requests), wishes[0]), min(max(0.0, self.tokens), wishes[1]))
        returned = (_finite(self.requests - kept[0]), _finite(self.tokens - kept[1]))
        self.requests -= returned[0]
        self.tokens -= returned[1]
        wanted = (wishes[0] - kept[0], wishes[1] - kept[1])
        return ModelUsage(self.using, len(self.waiting), _finite(self.held), returned, wanted)


class LeaseHolder:
    """Admits the calls of one worker within the limits of the run.

    Args:
        limits: What the whole run may use.
        renew: Asks the quota service for a lease.
        clock: Tells the time, in seconds.
    """

    def __init__(
        self,
        limits: ModelLimits,
        renew: Callable[[UsageReport], Awaitable[Lease]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits, self._renew, self._clock = limits, renew, clock
        self.worker = secrets.token_hex(6)
        """The id by which the quota service knows this worker."""
        self._queues: dict[str, _ModelQueue] = {}
        self._spent = {"dollars": 0.0, "tokens": 0.0}
        self._reserved = {"dollars": 0.0, "tokens": 0.0}
        totals = {"dollars": limits.run_dollars, "tokens": limits.run_tokens}
        self._budgets = {name: total for name, total in totals.items() if total is not None}
        self._caps = dict.fromkeys(self._budgets, 0.0)
        self._peers = Lease().peers
        self._number = 0
        self._asked = self._leased = float("-inf")
        """When the quota service was last asked, and when it was asked for the current lease."""
        self._unreachable: float | None = None
        """Since when it does not answer."""
        self._renewing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def limited(self, model: str) -> bool:
        """Whether anything limits the calls of a model; if not, they need no admission."""
        return bool(self._budgets) or self._queue(model).limited

    @asynccontextmanager
    async def admitted(self, admission: Admission) -> AsyncIterator[Admission]:
        """Wait until the call may be sent, and hold its slot. Set what the call did cost before leaving.

        Raises:
            Halt: the run's budget cannot pay for it.
        """
        if not self.limited(admission.model):
            yield admission
            return
        queue = self._queue(admission.model)
        if queue.waiting or not self._fits(queue, admission):
            await self._wait(queue, admission)
        else:
            self._take(queue, admission)
        likely, tokens, dollars = admission.likely, admission.tokens, admission.dollars
        try:
            yield admission
        finally:
            queue.using -= 1
            queue.tokens += likely - admission.tokens
            self._reserved["tokens"] -= tokens
            self._reserved["dollars"] -= dollars
            self._spent["tokens"] += admission.tokens
            self._spent["dollars"] += admission.dollars
            self._admit()

    async def close(self) -> None:
        """Report what was spent and that nothing is held, and stop renewing."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None
            with contextlib.suppress(Exception):  # the quota service may be gone already, with the run
                async with asyncio.timeout(RENEWAL):
                    await self._renew(self._report())

    # --- admission ------------------------------------------------------------------------------------------

    def _queue(self, model: str) -> _ModelQueue:
        queue = self._queues.get(model)
        if queue is None:
            queue = self._queues[model] = _ModelQueue(self.limits, model)
        return queue

    def _fits(self, queue: _ModelQueue, admission: Admission) -> bool:
        if self._clock() - self._leased > LEASE or not queue.fits():
            return False
        for name, cap in self._caps.items():
            if self._spent[name] + self._reserved[name] + getattr(admission, name) > cap + ROUNDING:
                return False
        return True

    def _take(self, queue: _ModelQueue, admission: Admission) -> None:
        queue.take(admission)
        self._reserved["tokens"] += admission.tokens
        self._reserved["dollars"] += admission.dollars
        self._start()

    async def _wait(self, queue: _ModelQueue, admission: Admission) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (admission, ready)
        if not queue.waiting:
            self._hurry.set()
        queue.waiting.append(entry)
        self._start()
        try:
            await ready
        except asyncio.CancelledError:
            with contextlib.suppress(ValueError):
                queue.waiting.remove(entry)
            if ready.done() and not ready.cancelled() and ready.exception() is None:
                self._give_back(queue, admission)
            # the call that is first now may be smaller
            self._admit()
            raise

    def _give_back(self, queue: _ModelQueue, admission: Admission) -> None:
        """Undo an admission whose caller has gone."""
        queue.using -= 1
        queue.requests += 1
        queue.tokens += admission.likely
        self._reserved["tokens"] -= admission.tokens
        self._reserved["dollars"] -= admission.dollars

    def _admit(self) -> int:
        """Admit the calls that wait, as far as the lease goes, and return how many."""
        admitted = 0
        for queue in self._queues.values():
            while queue.waiting:
                admission, ready = queue.waiting[0]
                if not ready.done():
                    if not self._fits(queue, admission):
                        break
                    self._take(queue, admission)
                    ready.set_result(None)
                    admitted += 1
                queue.waiting.popleft()
        return admitted

    # --- the lease ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._keep_renewing())

    async def _keep_renewing(self) -> None:
        """Renew while anything is in flight or waits; the last report says that nothing is held.

        Where there is a budget, renew on and on: only its workers can tell a restarted service what is spent.
        """
        pause = SOONEST
        while True:
            report = self._report()
            admitted = await self._once(report)
            if report.leaving and not self._busy() and not self._budgets:
                self._renewing = None
                return
            if not self._waits():
                pause = SOONEST
                await self._rest(RENEWAL)
                continue
            # while asking brings nothing, ask less often, and not all workers in the same moment
            pause = SOONEST if admitted else min(2 * pause, LATEST)
            await self._rest(pause * random.uniform(0.75, 1.0))

    async def _rest(self, seconds: float) -> None:
        """Sleep until the next renewal; a call that begins to wait ends it sooner."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()
        soonest = self._asked + SOONEST - self._clock()
        if soonest > 0:
            await asyncio.sleep(soonest)

    async def _once(self, report: UsageReport) -> int:
        """Renew once, and return how many calls that admitted."""
        try:
            async with asyncio.timeout(LEASE):
                lease = await self._renew(report)
        except Exception as error:  # the quota service may be restarting; its lease lasts a while
            self._missed(report, error)
            return 0
        self._leased, self._unreachable = self._asked, None
        for model, grant in lease.grants.items():
            queue = self._queues[model]
            queue.held = grant.in_flight
            queue.requests += grant.requests
            queue.tokens += grant.tokens
        self._caps.update(lease.caps)
        self._peers = lease.peers
        admitted = self._admit()
        self._refuse_unpayable(lease)
        return admitted

    def _missed(self, report: UsageReport, error: Exception) -> None:
        for model, usage in report.models.items():
            # debts are still owed; what was given back may have arrived, so it is not taken again
            self._queues[model].requests += min(0.0, usage.returned[0])
            self._queues[model].tokens += min(0.0, usage.returned[1])
        self._unreachable = self._asked if self._unreachable is None else self._unreachable
        if self._clock() - self._unreachable > UNREACHABLE:
            message = f"the lease on the run's limits could not be renewed for {UNREACHABLE:g} s: {type(error).__name__}: {error}"
            self._refuse(lambda admission: Halt(message))

    def _report(self) -> UsageReport:
        elapsed, self._asked = self._clock() - self._asked, self._clock()
        self._number += 1
        leaving = not self._busy()
        if self._asked - self._leased > LEASE:
            self._expire()
        budgets = {name: self._budget_usage(name, leaving) for name in self._budgets}
        models = {
            model: queue.usage(leaving, elapsed) for model, queue in self._queues.items() if queue.limited
        }
        return UsageReport(self.worker, self._number, leaving, models, budgets, self._peers)

    def _expire(self) -> None:
        """Drop the slots of a lease that has run out: they belong to others by now."""
        for queue in self._queues.values():
            queue.held = 0.0 if queue.held < UNLIMITED else UNLIMITED

    def _budget_usage(self, name: str, leaving: bool) -> BudgetUsage:
        waiting = [getattr(one, name) for queue in self._queues.values() for one, _ in queue.waiting]
        heads = [getattr(queue.waiting[0][0], name) for queue in self._queues.values() if queue.waiting]
        spent, reserved = self._spent[name], self._reserved[name]
        wanted = sum(waiting)
        # room for the next second on top, so that calls need not wait for a renewal
        ahead = 0.0 if leaving else reserved or self._budgets[name] / 100
        expired = self._asked - self._leased > LEASE
        # what is not wanted is given back with this very report
        kept = spent + reserved + (0.0 if expired else wanted + ahead)
        self._caps[name] = min(self._caps[name], kept)
        return BudgetUsage(spent, reserved, self._caps[name], wanted, min(heads, default=0.0), ahead)

    def _busy(self) -> bool:
        return any(queue.using or queue.waiting for queue in self._queues.values())

    def _waits(self) -> bool:
        return any(queue.waiting for queue in self._queues.values())

    # --- refusing -------------------------------------------------------------------------------------------

    def _refuse_unpayable(self, lease: Lease) -> None:
        """Refuse the calls that the run's budget cannot pay for, whatever the calls in flight will cost."""

        def wrong(admission: Admission) -> Halt | None:
            for name, spent in lease.spent.items():
                most = getattr(admission, name)
                if self._budgets[name] - spent + ROUNDING < most:
                    return _spent_out(name, self._budgets[name], spent, most)
            return None

        self._refuse(wrong)

    def _refuse(self, wrong: Callable[[Admission], Halt | None]) -> None:
        for queue in self._queues.values():
            for entry in list(queue.waiting):
                admission, ready = entry
                error = None if ready.done() else wrong(admission)
                if error is not None:
                    queue.waiting.remove(entry)
                    ready.set_exception(error)
        self._admit()


def _spent_out(name: str, budget: float, spent: float, most: float) -> Halt:
    shown = "${:.2f}" if name == "dollars" else "{:,.0f} tokens"
    flag = "--budget" if name == "dollars" else "--budget-tokens"
    total, gone, next_call = (shown.format(one) for one in (budget, spent, most))
    return Halt(
        f"the run's budget of {total} is exhausted: {gone} so far, and the next call may use up to {next_call}. "
        f"Continue with --resume and a larger {flag}."
    )


def _finite(value: float) -> float:
    return 0.0 if value == UNLIMITED else value
