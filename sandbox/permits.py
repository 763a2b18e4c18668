"""A worker's side of the limits: calls are admitted from a lease, which is renewed about once a second.

Asking an actor before each call would cost more than the rest of the call, so a worker spends what its lease holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from riskbox.sandbox.bank import LEASE, Grant, Lease, Need, Purse, Report
from riskbox.sandbox.errors import Halt
from riskbox.sandbox.limits import Limits

RENEWAL = 1.0
"""Seconds between two renewals of a lease."""
SOONEST = 0.05
"""Seconds between two renewals when calls wait."""
DEAF = 120.0
"""Seconds without an answer of the bank after which a run cannot go on."""


@dataclass(slots=True)
class Ticket:
    """One admitted call: what it may come to, and in the end what it came to."""

    model: str
    likely: float
    """Tokens it will probably come to; rates are spent by it."""
    tokens: float
    """The most tokens it may come to; on leaving, those it came to."""
    dollars: float
    """The most dollars it may come to; on leaving, those it came to."""


class _Line:
    """The calls of one model: those in flight, those that wait, and what the lease still holds for them."""

    def __init__(self, in_flight: float, requests: float, tokens: float) -> None:
        self.using = 0
        self.waiting: deque[tuple[Ticket, asyncio.Future[None]]] = deque()
        self.grant = Grant(in_flight, requests, tokens)
        self.requests, self.tokens = requests, tokens
        self.recent = [0.0, 0.0]
        """Requests and tokens since the last renewal."""

    def fits(self, ticket: Ticket) -> bool:
        # the last part of a rate's lease lets one call through, however large: its debt is paid later
        return self.using < self.grant.in_flight and self.requests >= 1 and self.tokens > 0

    def take(self, ticket: Ticket) -> None:
        self.using += 1
        self.requests -= 1
        self.tokens -= ticket.likely
        self.recent[0] += 1
        self.recent[1] += ticket.likely

    def need(self) -> Need:
        waiting = [ticket.likely for ticket, _ in self.waiting]
        unused = (_finite(self.requests), _finite(self.tokens))
        wanted = (len(waiting) + self.recent[0] + 1, sum(waiting) + self.recent[1] + 1)
        return Need(self.using, len(waiting), unused, wanted)


class Permits:
    """Admits calls within the limits of a run.

    Args:
        limits: What the run may ask.
        renew: Asks the bank.
    """

    def __init__(self, limits: Limits, renew: Callable[[Report], Awaitable[Lease]]) -> None:
        self.limits, self._renew = limits, renew
        self.worker = secrets.token_hex(6)
        self._lines: dict[str, _Line] = {}
        self._spent = {"dollars": 0.0, "tokens": 0.0}
        self._reserved = {"dollars": 0.0, "tokens": 0.0}
        totals = {"dollars": limits.run_dollars, "tokens": limits.run_tokens}
        self._budgets = {name: total for name, total in totals.items() if total is not None}
        self._caps = dict.fromkeys(self._budgets, 0.0)
        self._gone: dict[str, float] = {}
        self._heard = self._asked = time.monotonic()
        self._renewing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    @asynccontextmanager
    async def admitted(self, ticket: Ticket) -> AsyncIterator[Ticket]:
        """Wait for a permit; while it is held, the call may be sent. Set what it came to before leaving.

        Raises:
            Halt: the run's budget cannot pay it.
        """
        line = self._line(ticket.model)
        worst = {"dollars": ticket.dollars, "tokens": ticket.tokens}
        if line.waiting or not self._fits(line, ticket, worst):
            await self._wait(line, ticket)
        else:
            self._take(line, ticket, worst)
        likely = ticket.likely
        try:
            yield ticket
        finally:
            line.using -= 1
            line.tokens += likely - ticket.tokens
            for name, most in worst.items():
                self._reserved[name] -= most
            self._spent["dollars"] += ticket.dollars
            self._spent["tokens"] += ticket.tokens
            self._serve()

    async def close(self) -> None:
        """Tell the bank what was spent, and stop."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None

    # --- admission ------------------------------------------------------------------------------------------

    def _line(self, model: str) -> _Line:
        if model not in self._lines:
            unlimited = float("inf")
            at_once, (requests, tokens) = self.limits.at_once(model), self.limits.per_minute(model)
            self._lines[model] = _Line(
                unlimited if at_once is None else 0.0,
                unlimited if requests is None else 0.0,
                unlimited if tokens is None else 0.0,
            )
        return self._lines[model]

    def _fits(self, line: _Line, ticket: Ticket, worst: dict[str, float]) -> bool:
        if self._leased(line) and time.monotonic() - self._heard > LEASE:
            return False
        within = all(
            self._spent[name] + self._reserved[name] + worst[name] <= cap + 1e-12
            for name, cap in self._caps.items()
        )
        return within and line.fits(ticket)

    def _leased(self, line: _Line) -> bool:
        """Whether anything is limited, so that a lease is needed at all."""
        grant = line.grant
        return bool(self._caps) or float("inf") > min(grant.in_flight, line.requests, line.tokens)

    def _take(self, line: _Line, ticket: Ticket, worst: dict[str, float]) -> None:
        line.take(ticket)
        for name, most in worst.items():
            self._reserved[name] += most
        if self._renewing is None and self._leased(line):
            self._start()

    async def _wait(self, line: _Line, ticket: Ticket) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (ticket, turn)
        line.waiting.append(place)
        self._start()
        self._hurry.set()
        try:
            await turn
        except asyncio.CancelledError:
            with contextlib.suppress(ValueError):
                line.waiting.remove(place)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(line, ticket)
            raise

    def _give_back(self, line: _Line, ticket: Ticket) -> None:
        """Undo an admission whose caller has gone."""
        line.using -= 1
        line.requests += 1
        line.tokens += ticket.likely
        self._reserved["dollars"] -= ticket.dollars
        self._reserved["tokens"] -= ticket.tokens
        self._serve()

    def _serve(self) -> None:
        for line in self._lines.values():
            while line.waiting:
                ticket, turn = line.waiting[0]
                worst = {"dollars": ticket.dollars, "tokens": ticket.tokens}
                if turn.done():
                    line.waiting.popleft()
                elif self._fits(line, ticket, worst):
                    line.waiting.popleft()
                    self._take(line, ticket, worst)
                    turn.set_result(None)
                else:
                    self._hurry.set()
                    break

    # --- the lease ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._keep_renewing())

    async def _keep_renewing(self) -> None:
        """Renew while anything is in flight or waits; the last report tells the bank that nothing is held."""
        self._heard = time.monotonic()
        while True:
            busy = any(line.using or line.waiting for line in self._lines.values())
            await self._once()
            if not busy:
                self._renewing = None
                return
            self._hurry.clear()
            if any(line.waiting for line in self._lines.values()):
                await asyncio.sleep(SOONEST)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), RENEWAL)

    async def _once(self) -> None:
        report = self._report()
        try:
            lease = await self._renew(report)
        except Exception as error:  # the bank may be restarting; its lease lasts a while
            if time.monotonic() - self._heard > DEAF:
                self._refuse(Halt(f"the run's limits cannot be renewed: {type(error).__name__}: {error}"))
            await asyncio.sleep(RENEWAL)
            return
        self._heard = time.monotonic()
        for model, grant in lease.grants.items():
            line = self._lines[model]
            before = report.needs[model].unused
            # what was used while the bank was asked counts against the new lease
            used = (before[0] - _finite(line.requests), before[1] - _finite(line.tokens))
            line.grant = grant
            line.requests, line.tokens = grant.requests - used[0], grant.tokens - used[1]
            line.recent = [0.0, 0.0]
        self._caps.update(lease.caps)
        self._gone = dict(lease.gone)
        self._serve()
        if lease.exhausted:
            self._refuse(_spent_out(lease, self._budgets, self._smallest(lease.exhausted)))

    def _report(self) -> Report:
        waiting = [ticket for line in self._lines.values() for ticket, _ in line.waiting]
        purses = {}
        for name in self._budgets:
            wanted = [getattr(ticket, name) for ticket in waiting]
            # room for the next second besides, so that calls need not wait for a renewal
            ahead = self._reserved[name] or self._budgets[name] / 100
            purses[name] = Purse(
                spent=self._spent[name],
                reserved=self._reserved[name],
                cap=self._caps[name],
                wanted=sum(wanted) + ahead if waiting or self._busy() else 0.0,
                smallest=min(wanted, default=0.0),
            )
        needs = {model: line.need() for model, line in self._lines.items()}
        return Report(self.worker, needs, purses, dict(self._gone))

    def _busy(self) -> bool:
        return any(line.using for line in self._lines.values())

    def _smallest(self, budget: str) -> float:
        waiting = [getattr(ticket, budget) for line in self._lines.values() for ticket, _ in line.waiting]
        return min(waiting, default=0.0)

    def _refuse(self, error: Halt) -> None:
        for line in self._lines.values():
            while line.waiting:
                _, turn = line.waiting.popleft()
                if not turn.done():
                    turn.set_exception(error)


def _spent_out(lease: Lease, budgets: dict[str, float], smallest: float) -> Halt:
    name = lease.exhausted
    if name == "dollars":
        total, spent, most = (f"${one:.2f}" for one in (budgets[name], lease.spent[name], smallest))
        flag = "--budget"
    else:
        total, spent, most = (f"{one:,.0f} tokens" for one in (budgets[name], lease.spent[name], smallest))
        flag = "--budget-tokens"
    return Halt(
        f"the run's budget of {total} is spent: {spent} so far, and the next call may take up to {most}. "
        f"Go on with --resume and a larger {flag}."
    )


def _finite(value: float) -> float:
    return 0.0 if value == float("inf") else value
