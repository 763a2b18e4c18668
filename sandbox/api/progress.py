"""Progress of a run: a live display in a terminal or a notebook, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.figures import many
from riskbox.sandbox.reporting.health import HealthReport
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.run import Manifest, Spec
from riskbox.sandbox.words.verdict import DIMENSIONS

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""
SURE = 3
"""How often something must have happened before it is told while a run is played."""


class Display:
    """Shows episodes, in all and by domain, rate, faults and the risk found so far.

    Args:
        run: What is played.
        domains: How many episodes, by domain.
        quiet: Whether to show nothing.
        notes: Sentences that come first.
        console: Where to; standard error by default, so that output can be piped.
    """

    def __init__(
        self,
        run: Manifest,
        domains: Mapping[str, int],
        *,
        quiet: bool = False,
        notes: Sequence[str] = (),
        console: Console | None = None,
    ) -> None:
        self.run, self.domains, self.quiet, self.notes = run, domains, quiet, notes
        self.planned = planned = sum(domains.values())
        # FORCE_COLOR, which pipelines set for their logs, makes rich take any file for a terminal
        self.console = console or Console(
            stderr=True, force_interactive=None if sys.stderr.isatty() else False
        )
        # rich draws in a notebook by widgets, and only warns where they are missing
        is_notebook = self.console.is_jupyter and find_spec("ipywidgets") is not None
        self.live_here = (self.console.is_interactive or is_notebook) and not quiet
        self.bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self.task = self.bar.add_task(run.run, total=planned, rate="")
        # the command line sends elsewhere, and bounds, what the user's code prints
        is_ours = self.console.is_jupyter or sys.stdout.isatty()
        self.live = Live(self.bar, console=self.console, refresh_per_second=8, redirect_stdout=is_ours)
        self.progress = RunProgress(planned=planned)
        self.said = time.monotonic()
        self.said_done = (-1, 0)
        """How many episodes were done, and how many of them not judged, when the last line was printed."""
        self.said_waiting = 0
        """How many workers waited when that was printed last."""

    def __enter__(self) -> Self:
        if self.quiet:
            return self
        for note in self.notes:
            self.console.print(note, markup=False, highlight=False, style="dim")
        agents = ", ".join(self.run.agents[:4]) + (", ..." if len(self.run.agents) > 4 else "")
        planned = many(self.planned, "episode") if self.planned else "Nothing is left to play"
        self.console.print(f"{planned}, agents: {agents}", markup=False, highlight=False)
        if any(Name.parse(agent).kind == "reference" for agent in self.run.agents):
            self.console.print(
                "Reference agents are scripts. They prove the scenarios and say nothing about a model.",
                style="dim",
            )
        if self.live_here:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self.live_here:
            self.live.update(self._shown(), refresh=True)
            self.live.stop()
        elif not self.quiet and (self.progress.done, self.progress.unjudged) != self.said_done:
            self._line()

    def update(self, progress: RunProgress) -> None:
        """Show how far the run is."""
        self.progress = progress
        if self.live_here:
            self.bar.update(
                self.task,
                completed=progress.done,
                total=max(progress.planned, self.planned),
                rate=self._rate(),
            )
            self.live.update(self._shown())
        elif (not self.quiet and progress.waiting[0] != self.said_waiting) or (
            not self.quiet and time.monotonic() - self.said > EVERY
        ):
            self._line()

    def stopping(self) -> None:
        """Say that ctrl-C was heard."""
        if not self.quiet:
            self.console.print(
                "Stopping. Finished episodes are being stored. Press ctrl-C again to stop at once."
            )

    def _rate(self) -> str:
        return f"{self.progress.done / max(self.progress.seconds, 0.001):,.0f}/s"

    def _shown(self) -> Group:
        self.bar.update(self.task, completed=self.progress.done, rate=self._rate())
        harmed = [self._dimensions()] if any(self.progress.realised.values()) else []
        broken = [Text(f"! {one}", "bold red") for one in self._broken()]
        waiting = [Text(one, "dim") for one in self._waiting()]
        return Group(self.bar, self._counts(), *broken, *waiting, *harmed, self._domains())

    def _waiting(self) -> list[str]:
        """That workers wait for a machine, which nobody would see otherwise."""
        waiting, workers = self.progress.waiting
        return [f"{waiting} of {many(workers, 'worker')} wait for free cores"] if waiting else []

    def _broken(self) -> list[str]:
        """What breaks the instrument, as soon as it is more than chance; nobody should wait a night for it."""
        found = HealthReport.of(self.progress.health).broken
        return [f"instrument broken: {line(one.short)}" for one in found if one.many >= SURE]

    def _counts(self) -> str:
        one = self.progress
        parts = [
            f"[red]risky {one.risky}[/]",
            f"[yellow]unknown {one.unknown}[/]",
            f"[green]safe {one.safe}[/]",
            f"{'[bold red]' if one.faults else '[dim]'}faults {one.faults}[/]",
            *([f"[bold red]crashes {one.crashes}[/]"] if one.crashes else []),
            *([f"[dim]not on trial {one.unexposed}[/]"] if one.unexposed else []),
            *([f"[dim]void {one.void}[/]"] if one.void else []),
            *([f"[dim]not judged yet {one.unjudged}[/]"] if one.unjudged else []),
        ]
        asked = [f"[dim]{_asked(one)}[/]"] if one.tokens else []
        return "  ".join([*parts, *asked])

    def _dimensions(self) -> Table:
        """Where harm was done so far."""
        table = Table.grid(padding=(0, 2))
        for dimension in DIMENSIONS:
            count = self.progress.realised.get(dimension, 0)
            share = count / max(self.progress.done, 1)
            bar = "█" * round(20 * share)
            table.add_row(
                f"[dim]{dimension}[/]", str(count or ""), f"[red]{bar}[/]", f"{share:.0%}" if count else ""
            )
        return table

    def _domains(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for domain, planned in sorted(self.domains.items()):
            done, risky = self.progress.by_domain.get(domain, (0, 0))
            table.add_row(
                f"[dim]{domain.replace('_', ' ')}[/]",
                f"{done:,} of {planned:,}",
                f"[dim]{'█' * round(20 * done / planned)}[/]",
                f"[red]{risky} risky[/]" if risky else "",
            )
        return table

    def _line(self) -> None:
        self.said, self.said_done = time.monotonic(), (self.progress.done, self.progress.unjudged)
        one = self.progress
        self.said_waiting = one.waiting[0]
        harmed = ", ".join(f"{name} {one.realised[name]}" for name in DIMENSIONS if one.realised.get(name))
        planned = max(one.planned, self.planned)
        parts = [
            (f"{one.done}/{planned} episodes, {self._rate()}, " if planned else "")
            + f"risky {one.risky}, unknown {one.unknown}, safe {one.safe}, faults {one.faults}"
            + (f", crashes {one.crashes}" if one.crashes else "")
            + (f", not on trial {one.unexposed}" if one.unexposed else "")
            + (f", void {one.void}" if one.void else "")
            + (f", not judged yet {one.unjudged}" if one.unjudged else "")
            + (f", retakes {one.retakes}" if one.retakes else ""),
            f"harm: {harmed}" if harmed else "",
            self._each() if len(self.domains) > 1 else "",
            _asked(one) if one.tokens else "",
            *self._broken(),
            *self._waiting(),
            f"{one.left:,.0f} s left" if one.left and one.done < one.planned else "",
        ]
        self.console.print("; ".join(part for part in parts if part), highlight=False, soft_wrap=True)

    def _each(self) -> str:
        """How far each domain is."""
        return ", ".join(
            f"{domain} {self.progress.by_domain.get(domain, (0, 0))[0]}/{planned}"
            for domain, planned in sorted(self.domains.items())
        )


def domains(cases: Iterable[Case], specs: Iterable[Spec]) -> Counter[str]:
    """How many episodes are planned, by domain."""
    by_hash = {case.hash: case.scenario.domain for case in cases}
    return Counter(by_hash[spec.case] for spec in specs)


def _asked(progress: RunProgress) -> str:
    """What language models have taken so far."""
    guessed = " (estimated)" if HealthReport.of(progress.health).estimated else ""
    if not progress.cost:
        # nothing, or nothing that is known: no price may be known
        return f"{progress.tokens:,} tokens{guessed}"
    return f"{progress.tokens:,} tokens{guessed}, ${progress.cost:,.{2 if progress.cost >= 1 else 4}f}"
