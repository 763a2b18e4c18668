"""Feeds a pool of workers with the episodes of a run and writes what they finish.

A worker is an `EpisodeActor` on Ray, or one `Player` in this process. The runner acknowledges a result once the store
has it.

An episode is stored when it is played. What asks a model to assess it comes after: its id waits among `to_judge`, it is read
from the store, and any worker judges it, while playing goes on.

When a worker dies, any of its unfinished episodes may have killed it, so all of them go into quarantine: each
is played again alone in a worker of its own. Only a death while alone is a strike, and three strikes make the episode a
fault. Without quarantine, one deadly episode would kill worker after worker and take the harmless ones with it.

Near the end, a worker that has room takes over what others have not started.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from riskbox.sandbox.batch.breaker import STRIKES, Breaker, FaultLimit, kind_of
from riskbox.sandbox.batch.causes import Cause
from riskbox.sandbox.batch.keeper import Keeper
from riskbox.sandbox.batch.player import packed
from riskbox.sandbox.batch.pool import Look, Pool, Slot, StartWorker, Worker, WorkerDied, answered, one_worker
from riskbox.sandbox.batch.progress import RunProgress, ending_of
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import (
    Attempt,
    Interrupted,
    Judged,
    Unstarted,
    Work,
    WorkResult,
    result_key,
)
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.episode.playing import PreparedCases, died_alone, faulted_episode
from riskbox.sandbox.errors import Halt, RiskboxError
from riskbox.sandbox.log import ERROR, WARNING, tell
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.stores.record import unpack
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import WORKER_DIED
from riskbox.sandbox.words.modelcall import figures_of
from riskbox.sandbox.words.run import RunState, Spec

T = TypeVar("T")

POLL = 1.0
TAKE = 500
"""Most results in one batch: one commit of the store."""
SOON = 10.0
"""Seconds for which part of the work is kept for a worker that is starting."""


class Runner:
    """Plays the specs of a run, and has judged what is played.

    Args:
        run: The run's id; its manifest, cases and specs are already in the store.
        specs: What is left to play.
        cases: Its cases by hash.
        keeper: Takes what is finished.
        settings: How it is played.
        start_worker: Starts a worker.
        look: Looks at how many workers may play side by side.
        on_progress: Called after each batch that was stored.
        unjudged: Episodes that were played before, and that are still to be judged.
    """

    def __init__(
        self,
        run: str,
        specs: Sequence[Spec],
        cases: Mapping[str, Case],
        keeper: Keeper,
        settings: RunSettings,
        start_worker: StartWorker,
        look: Look = one_worker,
        on_progress: Callable[[RunProgress], None] = lambda progress: None,
        unjudged: Sequence[Spec] = (),
    ) -> None:
        self.run, self.cases, self.keeper, self.settings = run, cases, keeper, settings
        self.on_progress = on_progress
        self.pool = Pool(start_worker, look)
        limit = FaultLimit.parse(settings.max_faults) if settings.max_faults else None
        self.breaker = Breaker(limit, specs)
        self.progress = RunProgress(planned=len(specs), retakes=sum(spec.retake > 0 for spec in specs))
        self.progress.unjudged = len(unjudged)
        self.specs = {spec.id: spec for spec in (*specs, *unjudged)}
        self.queue: deque[Attempt] = deque(Attempt(spec) for spec in self.breaker.ordered(specs))
        self.quarantine: deque[Attempt] = deque()
        self.to_judge: deque[str] = deque(spec.id for spec in unjudged)
        self.lost_judging: Counter[str] = Counter()
        """By id, how many workers died while they were to judge it."""
        self.strikes: Counter[str] = Counter()
        self.alone: Counter[tuple[str, str]] = Counter()
        """By agent and case, how many episodes have begun to play alone."""
        self.parts: dict[str, Packed] = {}
        """By id, the longest attempt at an episode in quarantine; what was done in it is not forgotten."""
        self.stopping = False
        self.halted: Halt | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="riskbox-store")

    async def play_all(self) -> RunState:
        """Play everything, and return the state in which the run ended.

        Raises:
            StoreError: the store cannot be written; what it has is kept.
            Halt: a model said that no later call can go better; what was finished is stored.
            Fault: no worker can be started, or the cluster does not answer; what was finished is stored.
        """
        try:
            await self.pool.measure()
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self.pool.watch())
                while not self._is_over:
                    news = self.pool.news
                    self._fill_pool(group)
                    self._tell_waiting()
                    await self.pool.wait(news, POLL)
                watching.cancel()
                self.pool.dismiss_starting()
        except* RiskboxError as errors:
            raise _first(errors) from None
        finally:
            self._writer.shutdown()
        self.progress.stopped = [] if self.stopping else self.breaker.stopped
        if self.halted is not None:
            raise self.halted
        return "stopped" if self.stopping or self.progress.stopped else "done"

    def stop(self) -> None:
        """Start nothing more; `play_all` returns once what is finished is stored."""
        self.stopping = True
        self.keeper.hurry.set()
        self.queue.clear()
        self.to_judge.clear()
        self.pool.dismiss_starting()
        self.pool.tell()

    def _halt(self, halt: Halt) -> None:
        self.halted = self.halted or halt
        self.stop()

    @property
    def _is_over(self) -> bool:
        return self.stopping or not (
            self.queue or self.to_judge or self.quarantine or any(slot.holds for slot in self.pool.slots)
        )

    # --- the pool -------------------------------------------------------------------------------------------

    def _fill_pool(self, group: asyncio.TaskGroup) -> None:
        """Have as many workers as there is work and room for."""
        players, backlog = self.pool.of(alone=False), len(self.queue) + len(self.to_judge)
        unstarted = sum(max(0, len(slot.attempts) - self.settings.concurrency) for slot in players)
        up = sum(slot.worker is not None for slot in players)
        wanted = min(self.pool.room.workers, up + backlog + unstarted)
        # one plays what is in quarantine beside the others, and as many as there are workers once the others are done
        held = sum(slot.holds for slot in self.pool.of(alone=True))
        busy = len(players) if backlog else sum(slot.holds for slot in players)
        beside = max(self.pool.room.workers - busy, 1)
        if self.settings.local:
            # two players in one process would each keep the limits of the run
            wanted, beside = wanted * (not held), beside * (not busy)
        self.pool.bring_to(wanted, lambda slot: group.create_task(self._keep_worker_busy(slot)), alone=False)
        self.pool.bring_to(
            min(beside, len(self.quarantine) + held),
            lambda slot: group.create_task(self._play_alone(slot)),
            alone=True,
        )

    def _tell_waiting(self) -> None:
        self.progress.workers = sum(slot.worker is not None for slot in self.pool.slots)
        waiting = (self.pool.waiting, len(self.pool.slots))
        if waiting[0] != self.progress.waiting[0]:
            self.progress.waiting = waiting
            self.on_progress(self.progress)

    async def _keep_worker_busy(self, slot: Slot) -> None:
        """Feed one worker until there is nothing to play or to judge. One that dies is replaced by another slot."""
        try:
            worker = await self.pool.start(slot, self.settings.concurrency)
            if worker is not None:
                await self._feed(worker, slot)
        except WorkerDied as death:
            if not slot.holds:
                self.pool.failed(death, slot)
            for attempt in slot.attempts.values():
                self._queue_again(attempt, self.quarantine)
            self._judge_again(slot.judging)
        except Halt as halt:
            self._halt(halt)
            await _stop(slot.worker)
        finally:
            self.pool.leave(slot)

    def _judge_again(self, ids: Iterable[str]) -> None:
        """Queue again what a worker was to judge when it died. What may have killed several is left for another day."""
        for id in ids:
            self.lost_judging[id] += 1
            if self.lost_judging[id] < STRIKES and not self.stopping:
                self.to_judge.append(id)

    async def _feed(self, worker: Worker, slot: Slot) -> None:
        acknowledged: list[str] = []
        while not self._is_over:
            news = self.pool.news
            more = self._handed_out(slot)
            ids = self._handed_out_to_judge(slot)
            if ids:
                stored = await self._in_store(self.keeper.judging, ids)
                slot.judging.difference_update(set(ids) - {one.id for one in stored})
                more += stored
            if more:
                await answered(worker.add(more))
            await self._ask_back(slot)
            if slot.holds:
                results = await answered(worker.take(TAKE, acknowledged, POLL))
                slot.asked_back = False
                acknowledged = await self._keep(results, slot)
                continue
            if acknowledged:
                await answered(worker.take(0, acknowledged, 0.0))
                acknowledged = []
            if self.quarantine and not self.queue and not self.to_judge:
                break  # its room is wanted
            await self.pool.wait(news, POLL)
        await self._drain(worker, acknowledged, slot)

    def _handed_out(self, slot: Slot) -> list[Work]:
        """The next episodes for a worker to play.

        Twice what it does at once, so that it never waits for us and little is lost when it dies; near the end no more than
        its share, so that no other waits for what it holds.
        """
        players = [one for one in self.pool.of(alone=False) if one.waited < SOON]
        all_left = len(self.queue) + sum(len(one.attempts) for one in players)
        share = -(-all_left // max(1, len(players)))
        if all(one.worker for one in players):
            share = max(share, self.settings.concurrency)
        most = min(2 * self.settings.concurrency, share)
        given: list[Work] = []
        for _ in range(min(len(self.queue), most - len(slot.attempts))):
            attempt = self.queue.popleft()
            slot.attempts[attempt.spec.id] = attempt
            given.append(attempt)
        return given

    def _handed_out_to_judge(self, slot: Slot) -> list[str]:
        most = 2 * self.settings.concurrency - len(slot.judging)
        ids = [self.to_judge.popleft() for _ in range(min(len(self.to_judge), most))]
        slot.judging.update(ids)
        return ids

    async def _ask_back(self, slot: Slot) -> None:
        """Have the worker that has most episodes waiting hand back as many as this one could start now."""
        most = self.settings.concurrency
        others = [one for one in self.pool.of(alone=False) if one is not slot and not one.asked_back]
        richest = max(others, key=lambda one: len(one.attempts), default=slot)
        count = len(richest.attempts) - most
        if not self.queue and count > 0 and len(slot.attempts) < most:
            richest.asked_back = True
            await richest.release(list(richest.attempts), min(count, most - len(slot.attempts)))

    async def _drain(self, worker: Worker, acknowledged: list[str], slot: Slot) -> None:
        """Take what is finished already, and end the rest."""
        if self.stopping and slot.holds:
            with contextlib.suppress(WorkerDied, Halt):
                results = await answered(worker.take(10 * TAKE, acknowledged, 0.05))
                await self._keep(results, slot)
        with contextlib.suppress(WorkerDied):
            await answered(worker.stop())

    # --- results ----------------------------------------------------------------------------------------------

    async def _keep(self, results: Sequence[WorkResult], slot: Slot) -> list[str]:
        """Store results; the keys of those that are safe now. What the slot does not wait for came twice."""
        played = [one for one in results if isinstance(one, Packed) and one.row.id in slot.attempts]
        judged = [one for one in results if isinstance(one, Judged) and one.id in slot.judging]
        if played:
            await self._write(played)
            for result in played:
                slot.attempts.pop(result.row.id, None)
                self.parts.pop(result.row.id, None)
        made = (assessment for one in judged for assessment in one.assessments)
        self.progress.ask(figures_of(call for assessment in made for call in assessment.model_calls))
        for before, after in await self._in_store(self.keeper.judged, judged):
            self.progress.judge(before, after)
            if after.left_out == "void" != before.left_out:
                self._retake(after.id)
        slot.judging.difference_update(one.id for one in judged)
        for one in results:
            if isinstance(one, Unstarted | Interrupted) and one.id in slot.attempts:
                await self._came_back(one, slot)
        if played or judged:
            self.on_progress(self.progress)
        if self._is_over:
            self.pool.tell()
        return [result_key(one) for one in results]

    async def _came_back(self, one: Unstarted | Interrupted, slot: Slot) -> None:
        """Do what is to be done with an episode that has no result."""
        attempt = slot.attempts.pop(one.id)
        if isinstance(one, Unstarted):
            self._queue_again(attempt, self.queue)
            return
        before = self.parts.get(one.id)
        if one.played and (before is None or one.played.row.events >= before.row.events):
            self.parts[one.id] = one.played
        if slot.alone:
            await self._strike(attempt, one.reason)
        elif one.id in self.parts and self.breaker.is_stopped(kind_of(attempt.spec)):
            await self._give_up(attempt)
        else:
            self._queue_again(attempt, self.quarantine)

    async def _write(self, played: Sequence[Packed]) -> None:
        await self._in_store(self.keeper.write, played)
        for result in played:
            agent = self._played(result)
            if agent:
                await self._stop_agent(agent)

    def _played(self, result: Packed) -> str:
        """Count a stored episode; the agent, if it is to be stopped now."""
        row = result.row
        self.progress.add(row, result.calls)
        tell("episode_ended", **ending_of(row))
        if row.unjudged and not self.stopping:
            self.to_judge.append(row.id)
        if row.left_out == "void":
            self._retake(row.id)
        cause = None
        if row.ending == "fault":
            cause = Cause.of(unpack(Played, result.blob).episode.ended)
            self.progress.broke(row, cause)
            tell("episode_fault", WARNING, episode=row.id, culprit=cause.culprit, reason=cause.reason)
        return self.breaker.count(row, cause)

    async def _stop_agent(self, agent: str) -> None:
        """Leave unplayed what an agent has not started; what died while it played is a fault, with what was done in it."""
        tell("agent_stopped", ERROR, agent=agent)
        died = [one for one in self.quarantine if kind_of(one.spec) == agent and one.spec.id in self.parts]
        for waiting in (self.queue, self.quarantine):
            kept = [one for one in waiting if kind_of(one.spec) != agent]
            waiting.clear()
            waiting.extend(kept)
        for slot in self.pool.of(alone=False):
            ids = [id for id, one in slot.attempts.items() if kind_of(one.spec) == agent]
            await slot.release(ids, len(ids))
        for attempt in died:
            await self._give_up(attempt)

    async def _give_up(self, attempt: Attempt) -> None:
        """Store an episode of an agent that was stopped, as far as it was played before its process died."""
        part = self.parts.pop(attempt.spec.id)
        alone = " while it was playing alone" if self.strikes[attempt.spec.id] else ""
        detail = f"Its worker died{alone}, and its agent was stopped for such deaths."
        await self._write([packed(died_alone(unpack(Played, part.blob), detail, attempt.number))])

    def _queue_again(self, attempt: Attempt, queue: deque[Attempt]) -> None:
        """Queue an episode that has to be played again or elsewhere; that of an agent that was stopped stays unplayed."""
        if self.stopping or self.breaker.is_stopped(kind_of(attempt.spec)):
            return
        if queue is self.quarantine:
            attempt = Attempt(attempt.spec, attempt.number + 1)
            tell("episode_played_again", WARNING, episode=attempt.spec.id, attempt=attempt.number)
        queue.append(attempt)
        self.pool.tell()

    async def _in_store(self, work: Callable[..., T], *given: Any) -> T:
        """What work at the store comes to, done in the thread that writes; nothing to do costs no turn of it."""
        if not given[-1]:
            return work(*given)
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, *given)

    def _retake(self, id: str) -> None:
        """Queue another take of a void episode, if there may be one."""
        spec = self.specs[id]
        if self.stopping or spec.retake >= self.settings.retakes or self.breaker.is_stopped(kind_of(spec)):
            return
        again = spec.retaken()
        if again.id not in self.specs:
            self.specs[again.id] = again
            self.queue.append(Attempt(again))
            self.breaker.add(again)
            self.progress.planned += 1
            self.progress.retakes += 1
            tell("episode_retaken", episode=id, by=again.id)
            self.pool.tell()

    # --- quarantine -------------------------------------------------------------------------------------------

    async def _play_alone(self, slot: Slot) -> None:
        """Play quarantined episodes one at a time, each alone in a worker."""
        try:
            worker = await self.pool.start(slot, 1)
            acknowledged: list[str] = []
            while worker is not None and self.quarantine and not self.stopping:
                attempt = self._next_alone()
                slot.attempts[attempt.spec.id] = attempt
                await answered(worker.add([attempt]))
                while slot.attempts and not self.stopping:
                    acknowledged = await self._keep(await answered(worker.take(1, acknowledged, POLL)), slot)
        except WorkerDied as death:
            if not slot.holds:
                self.pool.failed(death, slot)
            for attempt in slot.attempts.values():
                await self._strike(attempt, str(death))
        except Halt as halt:
            self._halt(halt)
            await _stop(slot.worker)
        finally:
            self.pool.leave(slot)

    def _next_alone(self) -> Attempt:
        """The next episode that plays alone, of the case that did so least: one deadly case proves little of an agent."""

        def count(one: Attempt) -> int:
            return self.alone[kind_of(one.spec), one.spec.case]

        attempt = min(self.quarantine, key=count)
        self.quarantine.remove(attempt)
        self.alone[kind_of(attempt.spec), attempt.spec.case] += 1
        return attempt

    async def _strike(self, attempt: Attempt, reason: str) -> None:
        """Count a death against an episode that played alone; enough of them make it a fault."""
        strikes = self.strikes[attempt.spec.id] = self.strikes[attempt.spec.id] + 1
        if strikes < self.breaker.struck(kind_of(attempt.spec)):
            self._queue_again(attempt, self.quarantine)
            return
        times = "once" if strikes == 1 else f"{strikes} times"
        detail = f"Its worker died {times} while it was playing alone: {reason}"
        part = self.parts.pop(attempt.spec.id, None)
        if part is not None:
            played = died_alone(unpack(Played, part.blob), detail, attempt.number)
        else:
            prepared = PreparedCases(self.cases, Toolbox(self.settings.toolsets)).of(attempt.spec.case)
            played = faulted_episode(self.run, attempt.spec, prepared, WORKER_DIED, detail, attempt.number)
        await self._write([packed(played)])
        self.on_progress(self.progress)


async def _stop(worker: Worker | None) -> None:
    """End what a halted worker still plays, and let it close what it holds."""
    if worker is not None:
        with contextlib.suppress(WorkerDied, RiskboxError):
            await answered(worker.stop())


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return errors
