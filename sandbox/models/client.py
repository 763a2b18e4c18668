"""Clients of language models: each call is admitted within the limits, sent, retried, recorded and accounted for."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from riskbox.sandbox.contracts.model import Ledger, Model, Models, Prompt, Reply
from riskbox.sandbox.contracts.unsent import waiting
from riskbox.sandbox.errors import BudgetSpent, Halt, InputError, ModelFault
from riskbox.sandbox.models.lease import Admission, LeaseHolder
from riskbox.sandbox.models.limits import ModelLimits, Price, dollars
from riskbox.sandbox.models.quota import Lease, QuotaService, UsageReport
from riskbox.sandbox.models.reading import refuses_carried, without_carried
from riskbox.sandbox.models.recording import CUT_OFF, OVER_BUDGET, RecordedCalls, Recording, key_of
from riskbox.sandbox.models.structured import replied
from riskbox.sandbox.models.transport import (
    AnswerRoom,
    Completion,
    ModelRequest,
    Transport,
    TransportError,
    encoded,
    told_wait,
    without_secrets,
)
from riskbox.sandbox.rules.state import derived
from riskbox.sandbox.words.modelcall import ModelCall, ModelOutcome, ModelRole
from riskbox.sandbox.words.name import OWN_SERVER
from riskbox.sandbox.words.secrets import redact

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a retry where the provider names none: up to the first, doubled for each further retry up to the last."""
PATIENCE = 300.0
"""The longest wait, in seconds, that a provider may ask for. A call that would have to wait longer fails."""
BUDGET_MAX_TOKENS = 4096
"""`max_tokens` of a call that sets none, where a budget must know the most that it may cost."""
MAX_TOKENS: Mapping[ModelRole, int] = {"agent": 16_384, "user": 4096, "tool": 8192, "judge": 16_384}
"""`max_tokens` of a call that sets none, by seat, thinking included: high enough to stop nothing but a runaway."""
THINKING_MAX_TOKENS = 32_768
"""`max_tokens` of a call that sets none where the settings ask the model to think."""
TEMPERATURE: Mapping[ModelRole, float] = {"tool": 0.0}
"""Temperature of a call that sets none, by seat: a service says the same of the same thing."""
THINKING = frozenset(("thinking", "reasoning", "reasoning_effort"))
"""Settings that ask a model to think."""
CALL_SECONDS = 120.0
"""Timeout of one attempt, in seconds, where nobody sets another."""
LIKELY = 300
"""Tokens that an answer is estimated to have, where only a rate is limited."""
OURS = frozenset(
    ("model", "messages", "tools", "response_format", "seed", "stream", "n", "num_retries", "max_retries")
)
"""Settings that the client makes itself and nobody may pass."""


@dataclass(frozen=True)
class ModelOptions:
    """How a run calls models."""

    limits: ModelLimits = field(default_factory=ModelLimits)
    """Requests at once, rates and budgets."""
    recording: Recording | None = None
    """The file that calls are recorded in or replayed from."""
    retries: int = 5
    """Number of retries of a call that failed and may succeed later."""
    retries_after_timeout: int = 1
    """How many of them may follow a time-out: a model that hangs would else hold an episode up for many minutes."""
    seconds: float = CALL_SECONDS
    """Timeout of one attempt, in seconds; below the limit of a turn, so that a second attempt fits into it."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """US dollars for a million tokens sent, received and, where it is given, sent and cached, by model. Overrides litellm's
    price table."""
    rehearsal: str = ""
    """The address of a server that answers for every model, for nothing; empty where each is asked itself."""


class Clients(Models):
    """The models of one process.

    Args:
        options: How they are called.
        renew: Asks the run's quota service for a lease; by default the process has a quota service of its own.
    """

    def __init__(
        self,
        options: ModelOptions = ModelOptions(),  # frozen, so all may share it
        renew: Callable[[UsageReport], Awaitable[Lease]] | None = None,
    ) -> None:
        self.options = options
        self.lease_holder = LeaseHolder(options.limits, renew or _own(QuotaService(options.limits)))
        self.recorded = RecordedCalls(options.recording) if options.recording else None
        self.stopping = False
        self.pauses: dict[str, float] = {}
        """By model that answered 429, when it may be called again, on the monotonic clock."""
        self.taking_nothing_back: set[str] = set()
        """Models whose server refuses what it sent with earlier answers."""
        self._most_tokens: dict[str, int | None] = {}
        self._takes: dict[tuple[str, float], bool] = {}
        self._transports: dict[bool, Transport] = {}
        self._prices: dict[str, tuple[float, float] | None] = {}

    def model(
        self, name: str, role: ModelRole, ledger: Ledger, seed: int, settings: Mapping[str, Any] | None = None
    ) -> Client:
        """A model for one role of one episode.

        Raises:
            InputError: a setting is one that the client makes itself, or not a number.
        """
        given = dict(settings or {})
        if wrong := OURS & given.keys():
            raise InputError(f"{min(wrong)} cannot be set: Riskbox chooses it for each call.")
        return Client(self, name, role, ledger, seed, given)

    def transport(self, name: str) -> Transport:
        """The transport that reaches a model."""
        own = bool(self.options.rehearsal) or name.startswith(OWN_SERVER)
        if own not in self._transports:
            if own:
                from riskbox.sandbox.models.transport_http import HttpTransport

                self._transports[own] = HttpTransport(self.options.rehearsal)
            else:
                from riskbox.sandbox.models.transport_litellm import LitellmTransport

                self._transports[own] = LitellmTransport()
        return self._transports[own]

    def price(self, name: str) -> tuple[float, float] | None:
        """US dollars for one token sent and for one received; None if no price is known."""
        if self.options.rehearsal:
            return 0.0, 0.0
        if name not in self._prices:
            given = self.options.prices.get(name)
            self._prices[name] = (
                (given[0] / 1e6, given[1] / 1e6) if given else self.transport(name).price(name)
            )
        return self._prices[name]

    def most_tokens(self, name: str) -> int | None:
        """The most tokens that an answer of a model can have; None if that is not known, 0 if it takes no limit."""
        if name not in self._most_tokens:
            self._most_tokens[name] = self.transport(name).most_tokens(name)
        return self._most_tokens[name]

    def takes(self, name: str, temperature: float) -> bool:
        """Whether a model can be asked with a temperature; some that think refuse any but their own."""
        if (name, temperature) not in self._takes:
            self._takes[name, temperature] = self.transport(name).takes_temperature(name, temperature)
        return self._takes[name, temperature]

    def learn_most_tokens(self, name: str, most: int) -> None:
        """Send the later calls of a model with no higher limit of tokens, since its server gives no more."""
        self._most_tokens[name] = most

    async def close(self) -> None:
        """Close connections and recordings."""
        await self.lease_holder.close()
        for transport in self._transports.values():
            await transport.close()
        self._transports.clear()
        if self.recorded is not None:
            self.recorded.close()
            self.recorded = None


def _own(quota: QuotaService) -> Callable[[UsageReport], Awaitable[Lease]]:
    async def renew(report: UsageReport) -> Lease:
        return quota.renew(report)

    return renew


@dataclass
class _CallStats:
    """What is measured of one call while it is in progress."""

    started: float
    longest: int | None = None
    attempts: int = 0
    timeouts: int = 0
    narrowed: bool = False
    latency: float = 0.0
    key: str = ""
    source: Literal["live", "cache", "replay", "rehearsal"] = "live"


class Client(Model):
    """A model in one role of one episode."""

    def __init__(
        self,
        clients: Clients,
        name: str,
        role: ModelRole,
        ledger: Ledger,
        seed: int,
        settings: dict[str, Any],
    ) -> None:
        self.clients, self.name, self.role, self.ledger, self.seed = clients, name, role, ledger, seed
        self.limits = limits = clients.options.limits
        answered = settings.get("max_tokens") or settings.get("max_completion_tokens")
        try:
            self.seconds = float(settings.pop("timeout", clients.options.seconds))
            self.answered = int(answered or (BUDGET_MAX_TOKENS if limits.budgeted else LIKELY))
            """The most tokens that an answer may have, or an estimate where none is set."""
        except (TypeError, ValueError) as error:
            raise InputError(f"a setting of {name} must be a number: {error}.") from None
        self.settings = settings
        self.max_tokens: int | None = None
        """The limit that a call is sent with because its settings have none. No part of a recorded request."""
        if not answered:
            # a budget must know the most a call may cost
            generous = THINKING_MAX_TOKENS if THINKING & settings.keys() else MAX_TOKENS[role]
            self.max_tokens = self.answered if limits.budgeted else generous
        is_free = not {"temperature", "top_p", *THINKING} & settings.keys()
        self.temperature = TEMPERATURE.get(role) if is_free else None
        """What a call is sent with because its settings have none. No part of a recorded request either."""
        self.counted = limits.budgeted or limits.per_minute(name)[1] is not None
        """Whether the size of a call matters."""
        self.limited = clients.lease_holder.limited(name)

    async def ask(self, prompt: Prompt) -> Reply:
        """Ask once; a failure that may pass is retried."""
        request = ModelRequest(
            self.name,
            prompt.messages,
            prompt.tools,
            prompt.asked or prompt.schema,
            derived(self.seed, f"{self.role}/{prompt.purpose}/{prompt.sample}", prompt.event) >> 33,
            self.settings,
            prompt.described,
        )
        stats = _CallStats(time.monotonic(), prompt.max_tokens)
        if self.clients.options.rehearsal:
            stats.source = "rehearsal"
        try:
            answer = await (
                self._live(request, stats) if self.clients.recorded is None else self._kept(request, stats)
            )
        except TransportError as failure:
            self._note(prompt, stats, failure.outcome, failure.message)
            if failure.fatal:
                # the user can fix a key, a name or a setting; a quota has run out by itself
                raise Halt(failure.message, 3 if failure.outcome == "rate_limited" else 2) from None
            raise ModelFault(failure.message, failure.outcome) from None
        except asyncio.CancelledError:
            self._note(prompt, stats, "timeout", "cancelled by a time limit or by the end of the run")
            raise
        reply = replied(answer, prompt.schema)
        self._note(prompt, stats, reply.outcome, reply.detail, answer)
        return reply

    # --- recordings -----------------------------------------------------------------------------------------

    async def _kept(self, request: ModelRequest, stats: _CallStats) -> Completion:
        """The recorded answer, or else the provider's, which is then recorded."""
        recorded = self.clients.recorded
        assert recorded is not None
        stats.key = key = key_of(request)
        if recorded.mode == "replay":
            stats.source = "replay"
            return await recorded.replayed(key, request)
        found = recorded.find(key)
        if found is not None:
            stats.source = "cache"
            return found
        try:
            answer = await self._live(request, stats)
        except BudgetSpent as spent:
            recorded.failed(key, request, OVER_BUDGET, str(spent))
            raise
        except TransportError as failure:
            if not failure.fatal:
                recorded.failed(key, request, failure.outcome, failure.message)
            raise
        except asyncio.CancelledError:
            if not self.clients.stopping:
                recorded.failed(key, request, CUT_OFF, "a time limit cancelled the call")
            raise
        return recorded.keep(key, request, answer)

    # --- sending --------------------------------------------------------------------------------------------

    async def _live(self, request: ModelRequest, stats: _CallStats) -> Completion:
        """The provider's answer, after retries where needed."""
        before = time.monotonic()
        await self.clients.transport(self.name).ready()
        stats.started += time.monotonic() - before  # loading a library is nobody's latency
        request = replace(request, settings=self._sent(stats.longest))
        if self.name in self.clients.taking_nothing_back:
            request = without_carried(request)
        seed = request.seed
        while True:
            admission = await self._admission(request) if self.counted else Admission(self.name)
            try:
                async with AsyncExitStack() as admitted:
                    with waiting():
                        await self._pause()
                        if self.limited:
                            await admitted.enter_async_context(self.clients.lease_holder.admitted(admission))
                            await self._pause_admitted(admission)
                    return await self._once(request, admission, stats)
            except TransportError as failure:
                if refuses_carried(failure, request):
                    self.clients.taking_nothing_back.add(self.name)
                    request = without_carried(request)
                    continue
                if failure.room is not None:
                    request = self._narrowed(request, failure, stats)
                    continue
                wait = told_wait(self.name, failure, stats.attempts, self._wait(failure, stats))
                if wait is None:
                    raise
                if failure.outcome == "rate_limited":
                    # other calls of the model would only get the same answer
                    pauses = self.clients.pauses
                    pauses[self.name] = max(pauses.get(self.name, 0.0), time.monotonic() + wait)
                    continue
                if failure.outcome == "timeout":
                    # a model that got lost in its answer would get lost in the same one again
                    stats.timeouts += 1
                    request = replace(request, seed=derived(seed, "again", stats.timeouts) >> 33)
                with waiting():
                    await asyncio.sleep(wait)

    def _sent(self, longest: int | None) -> Mapping[str, Any]:
        """The settings that a call is sent with: those of its seat, and a limit of tokens and the seat's temperature where
        they have none. What the prompt's answer can need takes the place of what its seat has by default."""
        sent = dict(self.settings)
        most = self.clients.most_tokens(self.name) if self.max_tokens else 0
        if self.max_tokens and most != 0:
            limit = longest if longest and self.max_tokens == MAX_TOKENS[self.role] else self.max_tokens
            sent["max_tokens"] = min(limit, most or limit)
        if self.temperature is not None and self.clients.takes(self.name, self.temperature):
            sent["temperature"] = self.temperature
        return sent

    def _narrowed(self, request: ModelRequest, failure: TransportError, stats: _CallStats) -> ModelRequest:
        """The request once more, for an answer as long as the server gives.

        Raises:
            TransportError: nobody knows how long that is, or the user asked for more.
        """
        room, asked = failure.room or AnswerRoom(), request.settings.get("max_tokens")
        by_us = self.max_tokens is not None and isinstance(asked, int)
        fits, taken = room.fits, room.taken
        is_less = fits is not None and not (isinstance(asked, int) and fits >= asked)
        if fits is None or stats.narrowed or not is_less or not (by_us or taken is not None):
            if fits is not None and taken is not None and taken > fits:
                failure.outcome = "overflow"  # it is the conversation that fills the context
                raise failure
            failure.fatal = True
            many = f"{asked:,}" if isinstance(asked, int) else "so many"
            failure.message += f" An answer of {many} tokens was asked for; set what the server gives: --setting {self.role}.max_tokens=N"
            raise failure
        stats.narrowed = True
        if taken is None:
            self.clients.learn_most_tokens(self.name, fits)
        name = "max_completion_tokens" if "max_completion_tokens" in request.settings else "max_tokens"
        return replace(request, settings={**request.settings, name: fits})

    async def _pause_admitted(self, admission: Admission) -> None:
        """Pause once more: the model may have become too busy while the call waited for its admission."""
        most = admission.tokens, admission.dollars
        admission.tokens = admission.dollars = 0.0  # an unsent call has cost nothing
        await self._pause()
        admission.tokens, admission.dollars = most

    async def _once(self, request: ModelRequest, admission: Admission, stats: _CallStats) -> Completion:
        stats.attempts += 1
        begun = time.monotonic()
        try:
            answer = await self.clients.transport(self.name).send(request, self.seconds)
        except TransportError as failure:
            failure.message = without_secrets(failure.message)
            # a call that was cut off or could not be read may have cost the most it could
            if failure.unbilled:
                admission.tokens = admission.dollars = 0.0
            raise
        finally:
            stats.latency = time.monotonic() - begun
        admission.tokens = answer.input_tokens + answer.output_tokens
        admission.dollars = self._cost(answer) or 0.0
        return answer

    def _wait(self, failure: TransportError, stats: _CallStats) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        options, attempts = self.clients.options, stats.attempts
        if not failure.retryable or attempts > options.retries:
            return None
        if failure.outcome == "timeout" and stats.timeouts >= options.retries_after_timeout:
            return None
        if failure.retry_after:
            # a little later than asked, so that not all calls resume in the same moment
            return failure.retry_after + random.uniform(0, 0.25) if failure.retry_after <= PATIENCE else None
        return random.uniform(0.5, 1.0) * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempts - 1))

    async def _pause(self) -> None:
        """Wait until the model may be called again; the calls that wait do not all resume in the same moment."""
        while (left := self.clients.pauses.get(self.name, 0.0) - time.monotonic()) > 0:
            await asyncio.sleep(left + random.uniform(0, 0.25))

    # --- budgets --------------------------------------------------------------------------------------------

    async def _admission(self, request: ModelRequest) -> Admission:
        """What the call may cost.

        Raises:
            BudgetSpent: it may cost more than the episode has left.
            Halt: the budget is in dollars and the price is unknown.
        """
        # a token has at least one byte, so this is the most there can be
        size = len(encoded([request.messages, request.tools, request.schema])) + 16 * len(request.messages)
        tokens, dollars = float(size + self.answered), 0.0
        if self.limits.run_dollars is not None or self.limits.episode_dollars is not None:
            price = await self._price()
            dollars = size * price[0] + self.answered * price[1]
        self._within_episode(tokens, dollars)
        return Admission(self.name, size / 4 + min(self.answered, LIKELY), tokens, dollars)

    async def _price(self) -> tuple[float, float]:
        price = (
            self.clients.price(self.name)
            if self.name in self.clients._prices or self.name.startswith(OWN_SERVER)
            else await asyncio.to_thread(
                self.clients.price, self.name
            )  # it may import litellm, which takes seconds
        )
        if price is not None:
            return price
        if self.name.startswith(OWN_SERVER):
            return 0.0, 0.0  # people's own servers send no bill
        raise Halt(
            f"a budget in dollars needs the price of {self.name}, and it is unknown. Set it per million input and output "
            f"tokens: --price {self.name}=0.50/1.50, or use --budget-tokens."
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

    def _cost(self, answer: Completion) -> float | None:
        given = self.clients.options.prices.get(self.name)
        if given:
            return dollars(given, answer.input_tokens, answer.cached_tokens, answer.output_tokens)
        if answer.cost is not None and not answer.estimated:
            return answer.cost
        price = self.clients.price(self.name)
        return price and answer.input_tokens * price[0] + answer.output_tokens * price[1]

    def _note(
        self,
        prompt: Prompt,
        stats: _CallStats,
        outcome: ModelOutcome,
        detail: str,
        answer: Completion | None = None,
    ) -> None:
        known = answer or Completion()
        live = stats.source == "live"
        self.ledger.calls.append(
            ModelCall.model_construct(
                seat=self.role,
                purpose=prompt.purpose,
                model=self.name,
                event=prompt.event,
                key=stats.key,
                outcome=outcome,
                detail=redact(detail),
                source=stats.source,
                attempts=stats.attempts,
                seconds=round(time.monotonic() - stats.started, 6),
                latency=round(stats.latency, 6),
                input_tokens=known.input_tokens,
                cached_tokens=known.cached_tokens,
                output_tokens=known.output_tokens,
                cost=self._cost(known) if live and answer else None if live else 0.0,
                finish=answer.finish if answer else "",
                flaws=tuple(known.flaws),
                estimated=known.estimated,
            )
        )
