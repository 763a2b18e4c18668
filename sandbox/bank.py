"""What all workers of a run draw on: permits, rates and budgets, granted as leases that expire.

Each worker reports what it uses and wants about once a second and gets back how far it may go. Figures of budgets are
cumulative: a worker may have spent and reserved up to its cap, and the caps of all workers never add up to more than
the budget. So a lost answer, a report that comes twice and a bank that restarts do no harm.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from riskbox.sandbox.limits import Limits

LEASE = 10.0
"""Seconds after its last report in which a worker counts as alive."""
BURST = 2.0
"""Seconds of a rate that may be spent at once."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a worker uses and wants of one model."""

    using: int = 0
    """Requests in flight."""
    waiting: int = 0
    """Requests that wait for a permit."""
    unused: tuple[float, float] = (0.0, 0.0)
    """Requests and tokens of the last grant that were not used."""
    wanted: tuple[float, float] = (0.0, 0.0)
    """Requests and tokens wanted for the next second."""


@dataclass(frozen=True, slots=True)
class Purse:
    """A worker's side of one budget; all figures are cumulative."""

    spent: float = 0.0
    """What its answered calls came to."""
    reserved: float = 0.0
    """The worst that its calls in flight may come to."""
    cap: float = 0.0
    """How far it may go by its last lease."""
    wanted: float = 0.0
    """What the calls that wait may come to at worst."""
    smallest: float = 0.0
    """The smallest of them."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker tells the bank."""

    worker: str
    needs: Mapping[str, Need] = field(default_factory=dict)
    """By model."""
    purses: Mapping[str, Purse] = field(default_factory=dict)
    """By budget: `dollars`, `tokens`."""
    gone: Mapping[str, float] = field(default_factory=dict)
    """What workers that are dead have spent, as the bank last said: a bank that restarted has forgotten."""


@dataclass(frozen=True, slots=True)
class Grant:
    """How far a worker may go with one model."""

    in_flight: float
    requests: float
    tokens: float


@dataclass(frozen=True, slots=True)
class Lease:
    """What the bank answers."""

    grants: Mapping[str, Grant] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)
    """By budget, how far the worker may have spent and reserved."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """By budget, what all workers have spent."""
    exhausted: str = ""
    """The budget that cannot pay even the worker's smallest waiting call, whatever comes of those in flight."""
    gone: Mapping[str, float] = field(default_factory=dict)
    """What dead workers have spent."""


@dataclass
class _Account:
    report: Report
    heard: float
    held: dict[str, float] = field(default_factory=dict)
    """Permits it may be using, by model."""
    caps: dict[str, float] = field(default_factory=dict)


@dataclass
class _Bucket:
    level: float
    filled: float


class Bank:
    """Grants leases to the workers of one run. A plain class: Ray's `BankActor` is a thin shell around it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.budgets = {
            name: total
            for name, total in (("dollars", limits.run_dollars), ("tokens", limits.run_tokens))
            if total is not None
        }
        self._accounts: dict[str, _Account] = {}
        self._buckets: dict[tuple[str, int], _Bucket] = {}
        self._gone: dict[str, float] = {}

    def renew(self, report: Report) -> Lease:
        """Take a worker's report, and say how far it may go until the next."""
        now = time.monotonic()
        self._bury(now)
        account = self._accounts.setdefault(report.worker, _Account(report, now))
        account.report, account.heard = report, now
        for name, spent in report.gone.items():
            self._gone[name] = max(self._gone.get(name, 0.0), spent)
        grants = {model: self._grant(account, model, need, now) for model, need in report.needs.items()}
        caps = {name: self._cap(account, name, purse) for name, purse in report.purses.items()}
        return Lease(
            grants=grants,
            caps=caps,
            spent={name: self._spent(name) for name in self.budgets},
            exhausted=next((name for name, purse in report.purses.items() if self._empty(name, purse)), ""),
            gone=dict(self._gone),
        )

    def _bury(self, now: float) -> None:
        """Free what dead workers held; what they might have spent counts as spent."""
        for worker, account in list(self._accounts.items()):
            if now - account.heard > LEASE:
                for name, purse in account.report.purses.items():
                    lost = max(purse.spent + purse.reserved, account.caps.get(name, 0.0))
                    self._gone[name] = self._gone.get(name, 0.0) + lost
                del self._accounts[worker]

    # --- permits --------------------------------------------------------------------------------------------

    def _grant(self, account: _Account, model: str, need: Need, now: float) -> Grant:
        most = self.limits.at_once(model)
        if most is None:
            permits = float("inf")
        else:
            fair = self._fair(account, model, most)
            others = sum(one.held.get(model, 0.0) for one in self._accounts.values() if one is not account)
            permits = max(0.0, min(fair, most - others))
            # those in flight already are held whatever is granted
            account.held[model] = max(permits, need.using)
        rates = [
            self._drawn((model, place), per_minute, need.unused[place], need.wanted[place], now)
            for place, per_minute in enumerate(self.limits.per_minute(model))
        ]
        return Grant(permits, *rates)

    def _fair(self, account: _Account, model: str, most: float) -> float:
        """The max-min fair share of the permits, what nobody wants divided equally."""
        demands = {
            worker: need.using + need.waiting
            for worker, one in self._accounts.items()
            if (need := one.report.needs.get(model)) is not None
        }
        left, share = most, {}
        for place, (worker, demand) in enumerate(sorted(demands.items(), key=lambda item: item[1])):
            share[worker] = min(float(demand), left // (len(demands) - place))
            left -= share[worker]
        spare = left // len(demands)
        return share[account.report.worker] + spare

    def _drawn(
        self, key: tuple[str, int], per_minute: float | None, unused: float, wanted: float, now: float
    ) -> float:
        """What is drawn from a rate's bucket; a debt (a call that came to more than was thought) is paid first."""
        if per_minute is None:
            return float("inf")
        size = max(per_minute / 60 * BURST, 1.0 if key[1] == 0 else per_minute / 60)
        bucket = self._buckets.setdefault(key, _Bucket(size, now))
        bucket.level = min(size, bucket.level + (now - bucket.filled) * per_minute / 60 + unused)
        bucket.filled = now
        drawn = max(0.0, min(wanted, bucket.level))
        if key[1] == 0:
            drawn = float(int(drawn))  # half a request admits nothing
        bucket.level -= drawn
        return drawn

    # --- budgets --------------------------------------------------------------------------------------------

    def _cap(self, account: _Account, name: str, purse: Purse) -> float:
        others = sum(
            max(one.caps.get(name, 0.0), _committed(one.report, name))
            for one in self._accounts.values()
            if one is not account
        )
        committed = purse.spent + purse.reserved
        free = self.budgets[name] - self._gone.get(name, 0.0) - others - committed
        account.caps[name] = committed + max(0.0, min(purse.wanted, free))
        return account.caps[name]

    def _spent(self, name: str) -> float:
        alive = sum(
            one.report.purses[name].spent for one in self._accounts.values() if name in one.report.purses
        )
        return self._gone.get(name, 0.0) + alive

    def _empty(self, name: str, purse: Purse) -> bool:
        return purse.wanted > 0 and self.budgets[name] - self._spent(name) < purse.smallest


def _committed(report: Report, name: str) -> float:
    purse = report.purses.get(name)
    return purse.spent + purse.reserved if purse else 0.0
