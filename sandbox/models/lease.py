"""A worker's side of the limits: calls are admitted from a lease, which is renewed about once a second.

Asking an actor before each call would cost more than the rest of the call, so a worker spends what its lease holds.
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
from riskbox.sandbox.models.limits import Limits
from riskbox.sandbox.models.quota import LEASE, Lease, Need, Purse, Report

RENEWAL = 1.0
"""Seconds between two renewals of a lease."""
SOONEST, LATEST = 0.05, 0.25
"""Seconds between two renewals while calls wait, at first and in the end."""
DEAF = 120.0
"""Seconds without an answer of the bank after which a run cannot go on."""
UNLIMITED = float("inf")
ROUNDING = 1e-12


@dataclass(slots=True)
class Ticket:
    """One call to be admitted: what it may come to, and in the end what it came to."""

    model: str
    likely: float = 0.0
    """Tokens it will probably come to; rates are spent by it."""
    tokens: float = 0.0
    """The most tokens it may come to; on leaving, those it came to."""
    dollars: float = 0.0
    """The most dollars it may come to; on leaving, those it came to."""


class _Line:
    """The calls of one model: those in flight, those that wait, and what the lease still holds for them."""

    def __init__(self, limits: Limits, model: str) -> None:
        at_once, (requests, tokens) = limits.at_once(model), limits.per_minute(model)
        self.limited = any(one is not None for one in (at_once, requests, tokens))
        self.held = UNLIMITED if at_once is None else 0.0
        self.requests = UNLIMITED if requests is None else 0.0
        self.tokens = UNLIMITED if tokens is None else 0.0
        self.using = 0
        self.waiting: deque[tuple[Ticket, asyncio.Future[None]]] = deque()
        self.recent = [0.0, 0.0]
        """Requests and tokens since the last renewal."""

    def fits(self) -> bool:
        # the last part of a rate's lease lets one call through, however large: its debt is paid later
        return self.using < self.held and self.requests >= 1 and self.tokens > 0

    def take(self, ticket: Ticket) -> None:
        self.using += 1
        self.requests -= 1
        self.tokens -= ticket.likely
        self.recent[0] += 1
        self.recent[1] += ticket.likely

    def need(self, leaving: bool, elapsed: float) -> Need:
        """What the bank must know; what is not wanted for the next second is given back with it."""
        likely = sum(ticket.likely for ticket, _ in self.waiting)
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
        return Need(self.using, len(self.waiting), _finite(self.held), returned, wanted)


class Permits:
    """Admits calls within the limits of a run.

    Args:
        limits: What the run may ask.
        renew: Asks the bank.
        clock: Tells the time, in seconds.
    """

    def __init__(
        self,
        limits: Limits,
        renew: Callable[[Report], Awaitable[Lease]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits, self._renew, self._clock = limits, renew, clock
        self.worker = secrets.token_hex(6)
        self._lines: dict[str, _Line] = {}
        self._spent = {"dollars": 0.0, "tokens": 0.0}
        self._reserved = {"dollars": 0.0, "tokens": 0.0}
        totals = {"dollars": limits.run_dollars, "tokens": limits.run_tokens}
        self._budgets = {name: total for name, total in totals.items() if total is not None}
        self._caps = dict.fromkeys(self._budgets, 0.0)
        self._peers = Lease().peers
        self._number = 0
        self._asked = self._heard = float("-inf")
        """When the bank was last asked, and when it was asked for the lease that holds."""
        self._deaf: float | None = None
        """Since when it does not answer."""
        self._renewing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def limited(self, model: str) -> bool:
        """Whether anything limits the calls of a model; if not, they need no admission."""
        return bool(self._budgets) or self._line(model).limited

    @asynccontextmanager
    async def admitted(self, ticket: Ticket) -> AsyncIterator[Ticket]:
        """Wait for a permit; while it is held, the call may be sent. Set what it came to before leaving.

        Raises:
            Halt: the run's budget cannot pay it.
        """
        if not self.limited(ticket.model):
            yield ticket
            return
        line = self._line(ticket.model)
        if line.waiting or not self._fits(line, ticket):
            await self._wait(line, ticket)
        else:
            self._take(line, ticket)
        likely, tokens, dollars = ticket.likely, ticket.tokens, ticket.dollars
        try:
            yield ticket
        finally:
            line.using -= 1
            line.tokens += likely - ticket.tokens
            self._reserved["tokens"] -= tokens
            self._reserved["dollars"] -= dollars
            self._spent["tokens"] += ticket.tokens
            self._spent["dollars"] += ticket.dollars
            self._serve()

    async def close(self) -> None:
        """Tell the bank what was spent and that nothing is held, and stop."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None
            with contextlib.suppress(Exception):  # the bank may be gone already, with the run
                async with asyncio.timeout(RENEWAL):
                    await self._renew(self._report())

    # --- admission ------------------------------------------------------------------------------------------

    def _line(self, model: str) -> _Line:
        line = self._lines.get(model)
        if line is None:
            line = self._lines[model] = _Line(self.limits, model)
        return line

    def _fits(self, line: _Line, ticket: Ticket) -> bool:
        if self._clock() - self._heard > LEASE or not line.fits():
            return False
        for name, cap in self._caps.items():
            if self._spent[name] + self._reserved[name] + getattr(ticket, name) > cap + ROUNDING:
                return False
        return True

    def _take(self, line: _Line, ticket: Ticket) -> None:
        line.take(ticket)
        self._reserved["tokens"] += ticket.tokens
        self._reserved["dollars"] += ticket.dollars
        self._start()

    async def _wait(self, line: _Line, ticket: Ticket) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (ticket, turn)
        if not line.waiting:
            self._hurry.set()
        line.waiting.append(place)
        self._start()
        try:
            await turn
        except asyncio.CancelledError:
            with contextlib.suppress(ValueError):
                line.waiting.remove(place)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(line, ticket)
            # whoever is first now may be smaller
            self._serve()
            raise

    def _give_back(self, line: _Line, ticket: Ticket) -> None:
        """Undo an admission whose caller has gone."""
        line.using -= 1
        line.requests += 1
        line.tokens += ticket.likely
        self._reserved["tokens"] -= ticket.tokens
        self._reserved["dollars"] -= ticket.dollars

    def _serve(self) -> int:
        """Admit those that wait, as far as the lease goes; how many it were."""
        served = 0
        for line in self._lines.values():
            while line.waiting:
                ticket, turn = line.waiting[0]
                if not turn.done():
                    if not self._fits(line, ticket):
                        break
                    self._take(line, ticket)
                    turn.set_result(None)
                    served += 1
                line.waiting.popleft()
        return served

    # --- the lease ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._keep_renewing())

    async def _keep_renewing(self) -> None:
        """Renew while anything is in flight or waits; the last report tells the bank that nothing is held.

        Where there is a budget, it goes on: a bank that restarts hears from its workers alone what is spent.
        """
        pause = SOONEST
        while True:
            report = self._report()
            served = await self._once(report)
            if report.leaving and not self._busy() and not self._budgets:
                self._renewing = None
                return
            if not self._waits():
                pause = SOONEST
                await self._rest(RENEWAL)
                continue
            # where asking brings nothing, it is asked less often, and not by all in the same moment
            pause = SOONEST if served else min(2 * pause, LATEST)
            await self._rest(pause * random.uniform(0.75, 1.0))

    async def _rest(self, seconds: float) -> None:
        """Until it is time to renew; a call that begins to wait may make it sooner."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()
        soonest = self._asked + SOONEST - self._clock()
        if soonest > 0:
            await asyncio.sleep(soonest)

    async def _once(self, report: Report) -> int:
        """Renew once; how many calls that let through."""
        try:
            async with asyncio.timeout(LEASE):
                lease = await self._renew(report)
        except Exception as error:  # the bank may be restarting; its lease lasts a while
            self._missed(report, error)
            return 0
        self._heard, self._deaf = self._asked, None
        for model, grant in lease.grants.items():
            line = self._lines[model]
            line.held = grant.in_flight
            line.requests += grant.requests
            line.tokens += grant.tokens
        self._caps.update(lease.caps)
        self._peers = lease.peers
        served = self._serve()
        self._refuse_unpayable(lease)
        return served

    def _missed(self, report: Report, error: Exception) -> None:
        for model, need in report.needs.items():
            # debts are still owed; what was given back may have arrived, so it is not taken again
            self._lines[model].requests += min(0.0, need.returned[0])
            self._lines[model].tokens += min(0.0, need.returned[1])
        self._deaf = self._asked if self._deaf is None else self._deaf
        if self._clock() - self._deaf > DEAF:
            told = f"the run's limits cannot be renewed: {type(error).__name__}: {error}"
            self._refuse(lambda ticket: Halt(told))

    def _report(self) -> Report:
        elapsed, self._asked = self._clock() - self._asked, self._clock()
        self._number += 1
        leaving = not self._busy()
        if self._asked - self._heard > LEASE:
            self._expired()
        purses = {name: self._purse(name, leaving) for name in self._budgets}
        needs = {model: line.need(leaving, elapsed) for model, line in self._lines.items() if line.limited}
        return Report(self.worker, self._number, leaving, needs, purses, self._peers)

    def _expired(self) -> None:
        """The lease has run out: what it held belongs to others by now."""
        for line in self._lines.values():
            line.held = 0.0 if line.held < UNLIMITED else UNLIMITED

    def _purse(self, name: str, leaving: bool) -> Purse:
        waiting = [getattr(ticket, name) for line in self._lines.values() for ticket, _ in line.waiting]
        heads = [getattr(line.waiting[0][0], name) for line in self._lines.values() if line.waiting]
        spent, reserved = self._spent[name], self._reserved[name]
        wanted = sum(waiting)
        # room for the next second besides, so that calls need not wait for a renewal
        ahead = 0.0 if leaving else reserved or self._budgets[name] / 100
        expired = self._asked - self._heard > LEASE
        # what is not wanted is given back with this very report
        kept = spent + reserved + (0.0 if expired else wanted + ahead)
        self._caps[name] = min(self._caps[name], kept)
        return Purse(spent, reserved, self._caps[name], wanted, min(heads, default=0.0), ahead)

    def _busy(self) -> bool:
        return any(line.using or line.waiting for line in self._lines.values())

    def _waits(self) -> bool:
        return any(line.waiting for line in self._lines.values())

    # --- refusing -------------------------------------------------------------------------------------------

    def _refuse_unpayable(self, lease: Lease) -> None:
        """Refuse the calls that the run's budget cannot pay, whatever comes of those in flight."""

        def wrong(ticket: Ticket) -> Halt | None:
            for name, spent in lease.spent.items():
                most = getattr(ticket, name)
                if self._budgets[name] - spent + ROUNDING < most:
                    return _spent_out(name, self._budgets[name], spent, most)
            return None

        self._refuse(wrong)

    def _refuse(self, wrong: Callable[[Ticket], Halt | None]) -> None:
        for line in self._lines.values():
            for place in list(line.waiting):
                ticket, turn = place
                error = None if turn.done() else wrong(ticket)
                if error is not None:
                    line.waiting.remove(place)
                    turn.set_exception(error)
        self._serve()


def _spent_out(name: str, budget: float, spent: float, most: float) -> Halt:
    shown = "${:.2f}" if name == "dollars" else "{:,.0f} tokens"
    flag = "--budget" if name == "dollars" else "--budget-tokens"
    total, gone, next_call = (shown.format(one) for one in (budget, spent, most))
    return Halt(
        f"the run's budget of {total} is spent: {gone} so far, and the next call may take up to {next_call}. "
        f"Go on with --resume and a larger {flag}."
    )


def _finite(value: float) -> float:
    return 0.0 if value == UNLIMITED else value
