"""What all workers of a run draw on: permits, rates and budgets, granted as leases that expire.

Each worker reports what it uses and wants about once a second and gets back how far it may go. What a worker holds is
what its own report says, or what it was granted since, whichever is more. So a lost answer, a report that comes twice
and a worker that dies do no harm. A bank that restarts grants nothing new until every lease of its forerunner is
reported or has expired. It cannot know of a worker that has died meanwhile if no other one had heard of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from riskbox.sandbox.models.limits import Limits

LEASE = 10.0
"""Seconds after its last report in which a worker counts as alive."""
BURST = 2.0
"""Seconds of a rate that may be spent at once."""
TURN = 1.0
"""Seconds for which a permit that cannot be divided stays with one worker."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a worker uses and wants of one model."""

    using: int = 0
    """Requests in flight."""
    waiting: int = 0
    """Requests that wait for a permit."""
    held: float = 0.0
    """Permits it holds, those in use among them."""
    returned: tuple[float, float] = (0.0, 0.0)
    """Requests and tokens of earlier grants that it gives back; negative where calls came to more than was thought."""
    wanted: tuple[float, float] = (0.0, 0.0)
    """Requests and tokens wanted for the next second, beyond those it still has."""


@dataclass(frozen=True, slots=True)
class Purse:
    """A worker's side of one budget; all but the wishes are cumulative."""

    spent: float = 0.0
    """What its answered calls came to."""
    reserved: float = 0.0
    """The worst that its calls in flight may come to."""
    cap: float = 0.0
    """How far it may have spent and reserved, as it knows."""
    wanted: float = 0.0
    """What the calls that wait may come to at worst."""
    first: float = 0.0
    """The least that lets one of them through."""
    ahead: float = 0.0
    """What it would like besides, so that the next calls need not wait."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker tells the bank."""

    worker: str
    number: int = 0
    """Counts its reports."""
    leaving: bool = False
    """Whether nothing is in flight and nothing waits; it then holds nothing."""
    needs: Mapping[str, Need] = field(default_factory=dict)
    """By model."""
    purses: Mapping[str, Purse] = field(default_factory=dict)
    """By budget: `dollars`, `tokens`."""
    peers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What the bank last said of all workers: one that restarted has forgotten."""


@dataclass(frozen=True, slots=True)
class Grant:
    """How far a worker may go with one model."""

    in_flight: float
    """Requests in flight, all together."""
    requests: float
    """Requests beyond those it still has."""
    tokens: float
    """Tokens beyond those it still has."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the bank answers."""

    grants: Mapping[str, Grant] = field(default_factory=dict)
    """By model."""
    caps: Mapping[str, float] = field(default_factory=dict)
    """By budget, how far the worker may have spent and reserved."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """By budget, what all workers have spent for certain; empty while that is not known."""
    peers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By worker and budget, how far each may have gone, the dead among them."""


@dataclass
class _Account:
    report: Report
    heard: float
    lease: Lease = field(default_factory=Lease)
    held: dict[str, float] = field(default_factory=dict)
    """Permits it may be using, by model."""
    caps: dict[str, float] = field(default_factory=dict)
    """How far it may have gone, by budget."""
    turns: dict[str, float] = field(default_factory=dict)
    """When it was last given a permit that not all could have, by model."""

    def need(self, model: str) -> Need | None:
        return None if self.report.leaving else self.report.needs.get(model)


@dataclass
class _Bucket:
    level: float
    filled: float


class Bank:
    """Grants leases to the workers of one run. A plain class: Ray's `BankActor` is a thin shell around it.

    Args:
        limits: What the run may ask.
        clock: Tells the time, in seconds.
        restarted: Whether workers may hold leases of a forerunner.
    """

    def __init__(
        self, limits: Limits, clock: Callable[[], float] = time.monotonic, *, restarted: bool = False
    ) -> None:
        self.limits, self._clock, self._restarted = limits, clock, restarted
        self.budgets = {
            name: total
            for name, total in (("dollars", limits.run_dollars), ("tokens", limits.run_tokens))
            if total is not None
        }
        self._accounts: dict[str, _Account] = {}
        self._buckets: dict[tuple[str, int], _Bucket] = {}
        self._gone: dict[str, Mapping[str, float]] = {}
        """What dead workers may have spent."""
        self._numbers: dict[str, int] = {}
        self._settles = clock() + LEASE if restarted else float("-inf")

    def renew(self, report: Report) -> Lease:
        """Take a worker's report, and say how far it may go until the next."""
        now = self._clock()
        self._bury(now)
        if report.number <= self._numbers.get(report.worker, -1):
            known = self._accounts.get(report.worker)
            return known.lease if known else Lease()
        self._numbers[report.worker] = report.number
        self._remember(report)
        account = self._accounts.setdefault(report.worker, _Account(report, now))
        account.report, account.heard = report, now
        settled = now >= self._settles
        account.lease = Lease(
            grants={
                model: self._grant(account, model, need, now, settled) for model, need in report.needs.items()
            },
            caps={name: self._cap(account, name, purse, settled) for name, purse in report.purses.items()},
            spent={name: self._spent(name) for name in self.budgets} if settled else {},
            peers=self._peers(),
        )
        return account.lease

    def _bury(self, now: float) -> None:
        """Free what dead workers held; what they might have spent counts as spent."""
        for worker, account in list(self._accounts.items()):
            if now - account.heard > LEASE:
                self._gone[worker] = {name: account.caps.get(name, 0.0) for name in self.budgets}
                del self._accounts[worker]

    def _remember(self, report: Report) -> None:
        """Learn from a report what a forerunner knew; the reporter itself is not dead, whatever was thought."""
        for worker, caps in report.peers.items():
            if worker not in self._accounts:
                known = self._gone.get(worker, {})
                self._gone[worker] = {
                    name: max(caps.get(name, 0.0), known.get(name, 0.0)) for name in self.budgets
                }
        self._gone.pop(report.worker, None)

    def _peers(self) -> dict[str, Mapping[str, float]]:
        if not self.budgets:
            return {}
        return {**self._gone, **{worker: dict(one.caps) for worker, one in self._accounts.items()}}

    # --- permits --------------------------------------------------------------------------------------------

    def _grant(self, account: _Account, model: str, need: Need, now: float, settled: bool) -> Grant:
        most = self.limits.at_once(model)
        permits = float("inf") if most is None else self._permits(account, model, need, most, now, settled)
        drawn = [
            self._drawn(model, place, per_minute, need, now)
            for place, per_minute in enumerate(self.limits.per_minute(model))
        ]
        return Grant(permits, *drawn)

    def _permits(
        self, account: _Account, model: str, need: Need, most: float, now: float, settled: bool
    ) -> float:
        if account.report.leaving:
            account.held[model] = 0.0
            return 0.0
        share, turn = self._share(account, model, most, now)
        others = sum(one.held.get(model, 0.0) for one in self._accounts.values() if one is not account)
        permits = max(0.0, min(share, most - others))
        if not settled:
            permits = min(permits, need.held)
        elif turn and permits == share and now - account.turns.get(model, float("-inf")) >= TURN:
            account.turns[model] = now
        # until its next report confirms it, a worker that must give some up may still be using them
        account.held[model] = max(permits, need.held, need.using)
        return permits

    def _share(self, account: _Account, model: str, most: float, now: float) -> tuple[float, bool]:
        """The max-min fair share of the permits, and whether one of them is a turn: of what cannot be divided.

        What nobody wants is divided equally.
        """
        needs = [(one, need) for one in self._accounts.values() if (need := one.need(model)) is not None]
        left = int(most)
        modest: dict[str, int] = {}
        for one, need in sorted(needs, key=lambda pair: pair[1].using + pair[1].waiting):
            demand = need.using + need.waiting
            if demand > left // (len(needs) - len(modest)):
                break
            modest[one.report.worker] = demand
            left -= demand
        rest = [one for one, _ in needs if one.report.worker not in modest]
        if not rest:
            return float(modest[account.report.worker] + left // len(needs)), False
        if account.report.worker in modest:
            return float(modest[account.report.worker]), False
        level, over = divmod(left, len(rest))

        def due(one: _Account) -> tuple[bool, float]:
            since = one.turns.get(model, float("-inf"))
            return now - since >= TURN, since

        turn = account in sorted(rest, key=due)[:over]
        return float(level + turn), turn

    # --- rates ----------------------------------------------------------------------------------------------

    def _drawn(self, model: str, place: int, per_minute: float | None, need: Need, now: float) -> float:
        """What is drawn from a rate's bucket; a debt (a call that came to more than was thought) is paid first."""
        if per_minute is None:
            return float("inf")
        rate = per_minute / 60
        size = rate * BURST if place else max(rate * BURST, 1.0)
        bucket = self._buckets.setdefault((model, place), _Bucket(0.0 if self._restarted else size, now))
        bucket.level = min(size, bucket.level + (now - bucket.filled) * rate + need.returned[place])
        bucket.filled = now
        claims = [
            one for one in self._accounts.values() if (other := one.need(model)) is not None and other.waiting
        ]
        if not need.waiting and claims:
            return 0.0  # nothing ahead while others wait
        share = bucket.level / max(1, len(claims))
        if place == 0:
            share = float(int(max(share, min(bucket.level, 1.0))))  # half a request admits nothing
        drawn = max(0.0, min(need.wanted[place], share))
        bucket.level -= drawn
        return drawn

    # --- budgets --------------------------------------------------------------------------------------------

    def _cap(self, account: _Account, name: str, purse: Purse, settled: bool) -> float:
        living = [one for one in self._accounts.values() if one is not account]
        others = sum(one.caps.get(name, 0.0) for one in living)
        dead = sum(caps.get(name, 0.0) for caps in self._gone.values())
        committed = purse.spent + purse.reserved
        free = self.budgets[name] - dead - others - committed
        # half of what a call needs lets nothing through, and two workers with a half each would wait for ever
        extra = min(purse.wanted, free) if free >= purse.first else 0.0
        if not any(_waits(one.report, name) for one in living):
            extra = min(extra + purse.ahead, free)
        cap = committed + max(0.0, extra)
        if not settled:
            cap = max(committed, min(cap, purse.cap))
        account.caps[name] = max(cap, purse.cap, committed)
        return cap

    def _spent(self, name: str) -> float:
        dead = sum(caps.get(name, 0.0) for caps in self._gone.values())
        reports = [one.report.purses.get(name) for one in self._accounts.values()]
        return dead + sum(purse.spent for purse in reports if purse)


def _waits(report: Report, name: str) -> bool:
    purse = report.purses.get(name)
    return purse is not None and purse.wanted > 0
