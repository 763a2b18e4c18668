"""Language models in seats: each call is admitted, sent, tried again where that may help, recorded and accounted for."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from riskbox.sandbox.contracts.model import Ledger, Model, Models, Prompt, Reply
from riskbox.sandbox.errors import BudgetSpent, Halt, InputError, ModelFault
from riskbox.sandbox.models.lease import Permits, Ticket
from riskbox.sandbox.models.limits import Limits
from riskbox.sandbox.models.quota import Bank, Lease, Report
from riskbox.sandbox.models.recording import CUT_OFF, TOO_DEAR, Cassette, Recording, key_of
from riskbox.sandbox.models.transport import Answer, Request, Road, Trouble, encoded, without_secrets
from riskbox.sandbox.rules.state import derived
from riskbox.sandbox.words.modelcall import ModelCall, ModelOutcome, Seating

OWN_SERVER = ("http://", "https://")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before the second try, at most; doubled for each further one."""
PATIENCE = 300.0
"""Seconds that a provider may ask us to wait at most; one that asks for more has no answer for us."""
BUDGET_MAX_TOKENS = 4096
"""`max_tokens` of a call that sets none itself, where a budget must know the worst."""
LIKELY = 300
"""Tokens that an answer is thought to have, where only a rate must be kept."""
OURS = frozenset(
    ("model", "messages", "tools", "response_format", "seed", "stream", "n", "num_retries", "max_retries")
)
"""Settings that are not for anyone to set: what is asked, and how, is decided here."""


@dataclass(frozen=True)
class ModelTerms:
    """How a run asks models."""

    limits: Limits = field(default_factory=Limits)
    """How much."""
    recording: Recording | None = None
    """Where calls are recorded or replayed."""
    retries: int = 5
    """How often a call is sent again."""
    seconds: float = 120.0
    """How long one try may take."""
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """US dollars for a million tokens sent and received, by model, where they are not those of litellm's table."""


class Clients(Models):
    """The models of one process.

    Args:
        terms: How they are asked.
        renew: Asks the bank of the run; without it the process has a bank of its own.
    """

    def __init__(
        self,
        terms: ModelTerms = ModelTerms(),
        renew: Callable[[Report], Awaitable[Lease]] | None = None,  # frozen
    ) -> None:
        self.terms = terms
        self.permits = Permits(terms.limits, renew or _own(Bank(terms.limits)))
        self.cassette = Cassette(terms.recording) if terms.recording else None
        self.stopping = False
        self.pauses: dict[str, float] = {}
        """Until when a model that was too busy is left alone, on the monotonic clock."""
        self._roads: dict[bool, Road] = {}
        self._prices: dict[str, tuple[float, float] | None] = {}

    def model(
        self, name: str, seat: Seating, ledger: Ledger, seed: int, settings: Mapping[str, Any] | None = None
    ) -> Client:
        """A model for one seat of one episode.

        Raises:
            InputError: a setting is not for anyone to set.
        """
        given = dict(settings or {})
        if wrong := OURS & given.keys():
            raise InputError(
                f"{min(wrong)} is no setting of a model: Riskbox decides what is asked, and how."
            )
        return Client(self, name, seat, ledger, seed, given)

    def road(self, name: str) -> Road:
        """How a model is reached."""
        own = name.startswith(OWN_SERVER)
        if own not in self._roads:
            if own:
                from riskbox.sandbox.models.transport_http import Endpoint

                self._roads[own] = Endpoint()
            else:
                from riskbox.sandbox.models.transport_litellm import Litellm

                self._roads[own] = Litellm()
        return self._roads[own]

    def price(self, name: str) -> tuple[float, float] | None:
        """US dollars for one token sent and one received; None where none is known."""
        if name not in self._prices:
            given = self.terms.prices.get(name)
            self._prices[name] = (given[0] / 1e6, given[1] / 1e6) if given else self.road(name).price(name)
        return self._prices[name]

    async def close(self) -> None:
        """Let go of connections and recordings."""
        await self.permits.close()
        for road in self._roads.values():
            await road.close()
        self._roads.clear()
        if self.cassette is not None:
            self.cassette.close()
            self.cassette = None


def _own(bank: Bank) -> Callable[[Report], Awaitable[Lease]]:
    async def renew(report: Report) -> Lease:
        return bank.renew(report)

    return renew


@dataclass
class _Tally:
    """What is measured of one call while it is made."""

    started: float
    attempts: int = 0
    latency: float = 0.0
    key: str = ""
    source: Literal["live", "cache", "replay"] = "live"


class Client(Model):
    """A model in one seat of one episode."""

    def __init__(
        self, clients: Clients, name: str, seat: Seating, ledger: Ledger, seed: int, settings: dict[str, Any]
    ) -> None:
        self.clients, self.name, self.seat, self.ledger, self.seed = clients, name, seat, ledger, seed
        self.limits = limits = clients.terms.limits
        answered = settings.get("max_tokens") or settings.get("max_completion_tokens")
        try:
            self.seconds = float(settings.pop("timeout", clients.terms.seconds))
            self.answered = int(answered or (BUDGET_MAX_TOKENS if limits.budgeted else LIKELY))
        except (TypeError, ValueError) as error:
            raise InputError(f"a setting of {name} must be a number: {error}.") from None
        self.settings = settings
        """Tokens that an answer may have at most."""
        # a budget must know the worst; recordings do not depend on whether there is one
        self.sent = settings if answered or not limits.budgeted else settings | {"max_tokens": self.answered}
        self.counted = limits.budgeted or limits.per_minute(name)[1] is not None
        """Whether the size of a call matters."""
        self.limited = clients.permits.limited(name)

    async def ask(self, prompt: Prompt) -> Reply:
        """Ask once; what may pass is tried again."""
        request = Request(
            self.name,
            prompt.messages,
            prompt.tools,
            prompt.schema,
            derived(self.seed, f"{self.seat}/{prompt.purpose}/{prompt.sample}", prompt.event) >> 33,
            self.settings,
        )
        tally = _Tally(time.monotonic())
        try:
            answer = await (
                self._live(request, tally) if self.clients.cassette is None else self._kept(request, tally)
            )
        except Trouble as trouble:
            self._note(prompt, tally, trouble.outcome, trouble.told)
            if trouble.halts:
                # a key, a name or a setting is the user's to mend; a quota has run out by itself
                raise Halt(trouble.told, 3 if trouble.outcome == "rate_limited" else 2) from None
            raise ModelFault(trouble.told, trouble.outcome) from None
        except asyncio.CancelledError:
            self._note(prompt, tally, "timeout", "ended from outside: by a time limit, or with the run")
            raise
        reply = _reply(answer, prompt)
        self._note(prompt, tally, reply.outcome, reply.detail, answer)
        return reply

    # --- recordings -----------------------------------------------------------------------------------------

    async def _kept(self, request: Request, tally: _Tally) -> Answer:
        """The recorded answer, or the provider's, recorded."""
        cassette = self.clients.cassette
        assert cassette is not None
        tally.key = key = key_of(request)
        if cassette.mode == "replay":
            tally.source = "replay"
            return await cassette.replayed(key, request)
        found = cassette.find(key)
        if found is not None:
            tally.source = "cache"
            return found
        try:
            answer = await self._live(request, tally)
        except BudgetSpent as spent:
            cassette.failed(key, request, TOO_DEAR, str(spent))
            raise
        except Trouble as trouble:
            if not trouble.halts:
                cassette.failed(key, request, trouble.outcome, trouble.told)
            raise
        except asyncio.CancelledError:
            if not self.clients.stopping:
                cassette.failed(key, request, CUT_OFF, "a time limit ended the call")
            raise
        return cassette.keep(key, request, answer)

    # --- sending --------------------------------------------------------------------------------------------

    async def _live(self, request: Request, tally: _Tally) -> Answer:
        """The provider's answer, in one of several tries."""
        if self.sent is not self.settings:
            request = replace(request, settings=self.sent)
        while True:
            ticket = await self._ticket(request) if self.counted else Ticket(self.name)
            await self._pause()
            try:
                if not self.limited:
                    return await self._once(request, ticket, tally)
                async with self.clients.permits.admitted(ticket):
                    return await self._permitted(request, ticket, tally)
            except Trouble as trouble:
                wait = self._wait(trouble, tally.attempts)
                if wait is None:
                    raise
                if trouble.outcome == "rate_limited":
                    # the others would only be told the same
                    pauses = self.clients.pauses
                    pauses[self.name] = max(pauses.get(self.name, 0.0), time.monotonic() + wait)
                else:
                    await asyncio.sleep(wait)

    async def _permitted(self, request: Request, ticket: Ticket, tally: _Tally) -> Answer:
        worst = ticket.tokens, ticket.dollars
        ticket.tokens = ticket.dollars = 0.0  # nothing is spent before it is sent
        await self._pause()  # the model may have become too busy meanwhile
        ticket.tokens, ticket.dollars = worst
        return await self._once(request, ticket, tally)

    async def _once(self, request: Request, ticket: Ticket, tally: _Tally) -> Answer:
        tally.attempts += 1
        begun = time.monotonic()
        try:
            answer = await self.clients.road(self.name).send(request, self.seconds)
        except Trouble as trouble:
            trouble.told = without_secrets(trouble.told)
            # one that was cut off or came back unread may have cost all it could
            if trouble.free:
                ticket.tokens = ticket.dollars = 0.0
            raise
        finally:
            tally.latency = time.monotonic() - begun
        ticket.tokens = answer.input_tokens + answer.output_tokens
        ticket.dollars = self._cost(answer) or 0.0
        return answer

    def _wait(self, trouble: Trouble, attempts: int) -> float | None:
        """Seconds until the next try; None where there is none."""
        if not trouble.again or attempts > self.clients.terms.retries:
            return None
        if trouble.after:
            # a little later than told, so that not everyone comes back in the same moment
            return trouble.after + random.uniform(0, 0.25) if trouble.after <= PATIENCE else None
        return random.uniform(0.5, 1.0) * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempts - 1))

    async def _pause(self) -> None:
        """Wait while the model is left alone; those that wait do not all come back in the same moment."""
        while (left := self.clients.pauses.get(self.name, 0.0) - time.monotonic()) > 0:
            await asyncio.sleep(left + random.uniform(0, 0.25))

    # --- budgets --------------------------------------------------------------------------------------------

    async def _ticket(self, request: Request) -> Ticket:
        """What the call may come to.

        Raises:
            BudgetSpent: more than the episode has left.
            Halt: dollars are budgeted and nobody knows the price.
        """
        # a token is a byte at least, so that this is the most they can come to
        size = len(encoded([request.messages, request.tools, request.schema])) + 16 * len(request.messages)
        tokens, dollars = float(size + self.answered), 0.0
        if self.limits.run_dollars is not None or self.limits.episode_dollars is not None:
            price = await self._price()
            dollars = size * price[0] + self.answered * price[1]
        self._within_episode(tokens, dollars)
        return Ticket(self.name, size / 4 + min(self.answered, LIKELY), tokens, dollars)

    async def _price(self) -> tuple[float, float]:
        price = (
            self.clients.price(self.name)
            if self.name in self.clients._prices or self.name.startswith(OWN_SERVER)
            else await asyncio.to_thread(self.clients.price, self.name)  # it may import litellm
        )
        if price is not None:
            return price
        if self.name.startswith(OWN_SERVER):
            return 0.0, 0.0  # people's own servers send no bill
        raise Halt(
            f"a budget in dollars needs the price of {self.name}, and none is known. Give one for a million tokens sent "
            f"and received: --price {self.name}=0.50/1.50, or use --budget-tokens."
        )

    def _within_episode(self, tokens: float, dollars: float) -> None:
        limits, ledger = self.limits, self.ledger
        if limits.episode_tokens is not None and ledger.tokens + tokens > limits.episode_tokens:
            raise BudgetSpent(
                f"The episode's budget of {limits.episode_tokens:,.0f} tokens has {ledger.tokens:,} spent; the next "
                f"call may take up to {tokens:,.0f}."
            )
        if limits.episode_dollars is not None and ledger.cost + dollars > limits.episode_dollars:
            raise BudgetSpent(
                f"The episode's budget of ${limits.episode_dollars:.4f} has ${ledger.cost:.4f} spent; the next call "
                f"may take up to ${dollars:.4f}."
            )

    # --- the record -----------------------------------------------------------------------------------------

    def _cost(self, answer: Answer) -> float | None:
        given = self.clients.terms.prices.get(self.name)
        if given:
            return (answer.input_tokens * given[0] + answer.output_tokens * given[1]) / 1e6
        return answer.cost

    def _note(
        self, prompt: Prompt, tally: _Tally, outcome: ModelOutcome, detail: str, answer: Answer | None = None
    ) -> None:
        known = answer or Answer()
        live = tally.source == "live"
        self.ledger.calls.append(
            ModelCall.model_construct(
                seat=self.seat,
                purpose=prompt.purpose,
                model=self.name,
                event=prompt.event,
                key=tally.key,
                outcome=outcome,
                detail=detail,
                source=tally.source,
                attempts=tally.attempts,
                seconds=round(time.monotonic() - tally.started, 6),
                latency=round(tally.latency, 6),
                input_tokens=known.input_tokens,
                cached_tokens=known.cached_tokens,
                output_tokens=known.output_tokens,
                cost=self._cost(known) if live and answer else None if live else 0.0,
            )
        )


# --- what an answer is ------------------------------------------------------------------------------------------


def _reply(answer: Answer, prompt: Prompt) -> Reply:
    """What an answer is to the seat that asked."""
    if answer.refusal is not None:
        return Reply("refused", text=answer.refusal, detail=answer.refusal[:200] or "declined without a word")
    if prompt.schema is None:
        cut = "cut off at max_tokens" if answer.finish == "length" else ""
        return Reply("ok", text=answer.text, calls=answer.calls, detail=cut)
    return _valued(answer, prompt.schema)


def _valued(answer: Answer, schema: Mapping[str, Any]) -> Reply:
    try:
        value = json.loads(_unfenced(answer.text), parse_constant=_refused)
    except (ValueError, RecursionError):
        why = "cut off at max_tokens" if answer.finish == "length" else "not JSON"
        return Reply("malformed", text=answer.text, detail=f"{why}: {answer.text[:120]!r}")
    wrong = next(_validator(json.dumps(schema, default=dict)).iter_errors(value), None)
    if wrong is not None:
        where = ".".join(map(str, wrong.absolute_path)) or "the answer"
        return Reply("malformed", text=answer.text, detail=f"{where}: {wrong.message[:300]}")
    return Reply("ok", text=answer.text, value=value)


@lru_cache(maxsize=1000)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # an empty registry: without one, jsonschema fetches what a schema refers to from the network
    return Draft202012Validator(json.loads(schema), registry=Registry())


def _refused(constant: str) -> None:
    """NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(f"{constant} is not JSON")


def _unfenced(text: str) -> str:
    """JSON without the code fence that some models put around it whatever they are told."""
    inner = text.strip()
    if inner.startswith("```") and inner.endswith("```"):
        inner = inner[3:-3].removeprefix("json").strip()
    return inner
