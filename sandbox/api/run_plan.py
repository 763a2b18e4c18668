"""Playing a batch: from a plan to a stored run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from riskbox.sandbox.api.announcing import announcement
from riskbox.sandbox.api.progress import Display, domains
from riskbox.sandbox.api.result import Run
from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.driver import driving
from riskbox.sandbox.batch.forecast import Forecast, forecast
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import Halt, InputError, RiskboxError
from riskbox.sandbox.gates.decision import GateSet
from riskbox.sandbox.gates.outcome import GateOutcome
from riskbox.sandbox.operations.operating import Operations, operating
from riskbox.sandbox.operations.webhook import post_all
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.run import Manifest, Spec


@dataclass
class RunPlan:
    """What a run will play, and how; nothing has been asked of anyone yet."""

    cases: Sequence[Case]
    """The cases of its episodes."""
    specs: Sequence[Spec]
    """The episodes to play; none where a run that goes on has nothing left."""
    settings: RunSettings
    """How they are played."""
    store: str
    """The URL of the store."""
    name: str = ""
    """A name for the run."""
    gates: GateSet | None = None
    """What decides the gates that were given."""
    resumed: Manifest | None = None
    """The run that goes on; None for a new one."""
    as_of: int | None = None
    """The store's cursor when it was read what is left of it."""
    take_over: bool = False
    """Whether a living driver of it loses it."""
    unjudged: Sequence[Spec] = ()
    """Episodes of it that are played and still to be judged."""
    command: Sequence[str] = ()
    """The command line that the manifest keeps."""
    notes: Sequence[str] = ()
    """What the caller should know before anything is played, in sentences."""
    rehearse: bool = False
    """Whether a stub on this machine answers for every model."""
    quiet: bool = False
    """Whether to show no progress."""
    log: str = ""
    """The file that holds what this process prints, for those who ask how far the run is."""
    operations: Operations = field(default_factory=Operations)
    """What it tells those who operate it."""
    on_begun: Callable[[str], None] = lambda run: None
    """Called with the run's id once nothing is left that could keep it from being played."""
    progress: RunProgress = field(default_factory=lambda: RunProgress(0))
    """How far `execute` came."""

    def forecast(self) -> Forecast:
        """What playing it would ask of language models: calls, tokens, dollars."""
        return forecast(self.cases, self.specs, self.settings, self.unjudged)

    async def execute(
        self,
        *,
        on_stop: bool = False,
        resume: Callable[[str], str] = lambda run: f"run(resume={run!r})",
    ) -> Run:
        """Play it and store every episode.

        Args:
            on_stop: Whether the first ctrl-C stops the run and returns what there is; else signals are left alone.
            resume: What to write to go on with a run, for the message of a halt.

        Raises:
            InputError: the store is missing or an archive, there is no such cluster, or another process plays the run.
            StoreError: the store cannot be written; what it has is kept.
            TakenOver: another process has taken the run over.
            Halt: no later model call can succeed; finished episodes are stored.
        """
        if self.rehearse and not self.settings.models.rehearsal:
            from riskbox.sandbox.stub.rehearsal import rehearsing

            with rehearsing(self.cases) as url:
                models = replace(self.settings.models, rehearsal=url)
                rehearsed = replace(self, settings=replace(self.settings, models=models))
                done = await rehearsed.execute(on_stop=on_stop, resume=resume)
            self.progress = rehearsed.progress
            return done
        launch.check_models(self.specs, self.settings)
        await launch.check_cluster(self.settings)
        with self._opened() as store:
            manifest = self._begun(store)
            if not self.specs and not self.unjudged:
                return self._result(store, manifest.run)
            with (
                operating(self.operations, manifest) as operated,
                Display(
                    manifest, domains(self.cases, self.specs), quiet=self.quiet, notes=self.notes
                ) as display,
            ):

                def update(progress: RunProgress) -> None:
                    operated.update(progress)
                    display.update(progress)

                problem = "It was cut short."
                try:
                    _, self.progress = await launch.execute(
                        store,
                        manifest.run,
                        self.cases,
                        self.specs,
                        self.settings,
                        update,
                        display.stopping if on_stop else None,
                        self.unjudged,
                        as_of=self.as_of,
                        take_over=self.take_over,
                        log=self.log or self.operations.log.removeprefix("-"),
                        on_begun=lambda: self.on_begun(manifest.run),
                        on_stored=operated.stored,
                    )
                    problem = ""
                except InputError as error:
                    problem = str(error)
                    if self.resumed is None and not store.count(manifest.run):
                        store.remove(manifest.run)  # what was asked for cannot be played, now or later
                        problem = ""  # and nobody waits for a run that never was
                    raise
                except RiskboxError as error:
                    problem = str(error)
                    if not isinstance(error, Halt):
                        raise
                    halt = error
                    stored = store.count(manifest.run, launch.FIRST_TAKES)
                    if not stored:
                        raise
                    left = store.count(manifest.run, launch.UNJUDGED)
                    more = f", {left} of them not judged yet" if left else ""
                    told = f"{stored} of {manifest.planned} episodes are stored{more}. Continue with: {resume(manifest.run)}"
                    raise Halt(f"{halt}\n{told}", halt.exit_code) from None
                finally:
                    if problem and self.operations.webhooks:
                        await self._announce(store, manifest.run, problem)
            done = self._result(store, manifest.run, self.progress.seconds)
            if self.operations.webhooks:
                await self._announce(store, manifest.run, "", done)
            return replace(done, stopped_agents=tuple(self.progress.stopped))

    async def _announce(self, store: Store, run: str, problem: str, done: Run | None = None) -> None:
        """Tell the webhooks how the run has ended; what goes wrong with that is told, and changes nothing."""
        try:
            body = announcement(store, done or self._result(store, run, self.progress.seconds), problem)
        except RiskboxError as error:
            body = {
                "run": run,
                "state": "failed",
                "error": problem or str(error),
                "text": f"Run {run}: {problem or error}",
            }
        await asyncio.to_thread(post_all, self.operations.webhooks, body)

    def _opened(self) -> Store:
        from riskbox.sandbox.stores import open_store

        return open_store(self.store, create=self.resumed is None, writes=True)

    def _begun(self, store: Store) -> Manifest:
        if self.resumed is not None:
            if not self.specs and not self.unjudged:
                # it may have been killed between its last episode and its end
                with driving(store, self.resumed.run, self.progress, take_over=self.take_over):
                    store.finish(self.resumed.run, "done")
            return self.resumed
        made = launch.new_manifest(
            self.cases, self.specs, self.settings, name=self.name, command=self.command
        )
        launch.create(store, made, self.cases, self.specs)
        return made

    def _result(self, store: Store, run: str, seconds: float = 0.0) -> Run:
        outcomes: Sequence[GateOutcome] = ()
        if self.gates is not None:
            # over all that is stored, also what an earlier command played
            outcomes = self.gates.decide(store.run(run), store.rows(run), store.count(run))
        return Run.read(store, run, self.store, seconds=seconds, gates=outcomes)
