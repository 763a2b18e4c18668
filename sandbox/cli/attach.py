"""`riskbox attach`: the progress of a run that another process plays, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli.run import finished
from riskbox.sandbox.cli.run import parser as run_parser
from riskbox.sandbox.errors import InputError, RiskboxError

if TYPE_CHECKING:
    import argparse

    from riskbox.sandbox.batch.progress import RunProgress
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.gates.decision import GateSet
    from riskbox.sandbox.words.heartbeat import Heartbeat
    from riskbox.sandbox.words.row import EpisodeRow
    from riskbox.sandbox.words.run import Manifest

ABOUT = (
    "Show the progress of a run that another process plays, until it ends, as `riskbox run` shows it. ctrl-C stops looking, "
    "not the run. Of a run that has ended, print its end; the exit code is that of the run."
)
EXAMPLES = """\
  riskbox run --detach                begin a run in a process of its own
  riskbox attach                      show the progress of the run that is being played
  riskbox attach 20260302             of a run by its id, the start of one, or its name
  riskbox attach 20260302 --stop      stop it; finished episodes are stored, and --resume continues it
  riskbox attach --store redis://host:6379/0    from any machine"""

EVERY = 1.0
"""Seconds between two looks at the store."""


def main(argv: list[str]) -> int:
    """Show a run until it ends, or stop it."""
    parser = options.Parser("attach", ABOUT, EXAMPLES)
    parser.add_argument(
        "run",
        nargs="?",
        default="",
        help="the run: an id, the start of one, a name, or latest (default: the latest that is being played)",
    )
    parser.add_argument("--stop", action="store_true", help="stop the run, and wait until it has stopped")
    parser.add_argument("--quiet", action="store_true", help="do not show progress")
    options.add_store(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)
    from riskbox.sandbox.api.status import named

    with options.open_existing(args.store) as store:
        manifest = named(store, args.run)
        if args.stop:
            _stop(store, manifest)
        return _watched(store, manifest, args)


def _stop(store: Store, manifest: Manifest) -> None:
    """Ask whoever plays a run to stop it: its process by a signal, or through the store on another machine.

    Raises:
        InputError: nobody plays it, or nobody can be asked from here.
    """
    beat = store.heartbeat(manifest.run)
    if manifest.state != "running" or beat is None:
        raise InputError(f"run {manifest.run} is not being played: it is {manifest.state}.")
    if _is_here(beat):
        try:
            os.kill(beat.pid, signal.SIGTERM)
            return
        except ProcessLookupError:
            return  # it has just ended
        except PermissionError:
            raise InputError(
                f"run {manifest.run} is played by process {beat.pid}, which belongs to another user."
            ) from None
    feed = store.live()
    if feed is None:
        raise InputError(f"run {manifest.run} is played on {beat.host}. Stop it there.")
    feed.ask_stop(manifest.run)


def _is_here(beat: Heartbeat) -> bool:
    """Whether the process that plays a run is the one of that number on this machine."""
    from riskbox.sandbox.stores import liveness

    return bool(beat.boot) and beat.boot == liveness.boot() and liveness.born(beat.pid) == beat.born


def _watched(store: Store, manifest: Manifest, args: argparse.Namespace) -> int:
    from riskbox.sandbox.api.progress import Display, domains
    from riskbox.sandbox.batch.progress import RunProgress

    run, where = manifest.run, options.same_store(args.store)
    specs = store.specs(run)
    cases = [store.case(hash) for hash in dict.fromkeys(spec.case for spec in specs)]
    progress = RunProgress(planned=manifest.planned)
    count = _counter(progress)
    shown = Display(manifest, domains(cases, specs), quiet=args.quiet or args.json)
    cursor, is_over = 0, False
    try:
        with shown if manifest.state == "running" else contextlib.nullcontext():
            while not is_over:
                # the state is read first: what was stored before the run ended must still be shown
                manifest = store.run(run)
                is_over = manifest.state != "running"
                rows, cursor = store.follow(run, cursor)
                for row in rows:
                    count(row)
                _pace(progress, store.heartbeat(run))
                shown.update(progress)
                if not is_over:
                    time.sleep(EVERY)
    except KeyboardInterrupt:
        print(f"\nDetached. The run goes on: riskbox attach {run}{where}", file=sys.stderr)
        return 0
    if manifest.state == "dead" and (beat := store.heartbeat(run)):
        raise _Dead(
            f"run {run} is dead: its process {beat.pid} on {beat.host} is gone.{_log_of(beat)}", run, where
        )
    if manifest.state == "failed":
        beat = store.heartbeat(run)
        raise _Dead(f"run {run} has failed.{_log_of(beat)}", run, where)
    return _told_end(store, manifest, progress, args)


def _counter(progress: RunProgress) -> Callable[[EpisodeRow], None]:
    """Counts rows as they are stored; one that comes again was judged meanwhile."""
    counted: dict[str, EpisodeRow | None] = {}

    def count(row: EpisodeRow) -> None:
        before = counted.get(row.id)
        if before is not None:
            progress.judge(before, row)
        elif row.id not in counted:
            progress.add(row)
            progress.planned += row.retake > 0
            progress.retakes += row.retake > 0
        # whatever is judged already does not come again
        counted[row.id] = row if row.unjudged else None

    return count


def _pace(progress: RunProgress, beat: Heartbeat | None) -> None:
    """Let rate and time left be those of the process that plays."""
    if beat is not None and beat.rate:
        progress.started = time.monotonic() - progress.done / beat.rate


def _log_of(beat: Heartbeat | None) -> str:
    return f" Its log: {beat.log} (on {beat.host})." if beat is not None and beat.log else ""


def _told_end(store: Store, manifest: Manifest, progress: RunProgress, args: argparse.Namespace) -> int:
    """Say what `riskbox run` says at the end of a run, with the gates that it was given."""
    from riskbox.sandbox.api.result import Run
    from riskbox.sandbox.api.run_plan import RunPlan
    from riskbox.sandbox.batch.settings import RunSettings

    gates = _gates(manifest)
    outcomes = gates.decide(manifest, store.rows(manifest.run), store.count(manifest.run)) if gates else ()
    done = Run.read(store, manifest.run, args.store, seconds=progress.seconds, gates=outcomes)
    plan = RunPlan([], store.specs(manifest.run), RunSettings(), args.store, gates=gates, progress=progress)
    code = finished(args, plan, done)
    return 0 if args.stop and manifest.state == "stopped" else code


def _gates(manifest: Manifest) -> GateSet | None:
    """The gates that the command of a run was given."""
    words = list(manifest.command)
    if words[:2] != ["riskbox", "run"]:
        return None
    try:
        given = run_parser().parse_args(words[2:])
        return options.gate_set_from(given)
    except InputError as error:
        print(f"riskbox: the gates of the run are not decided: {error}", file=sys.stderr)
        return None


class _Dead(RiskboxError):
    """A run that nobody plays any more, and that did not end well."""

    def __init__(self, told: str, run: str, where: str) -> None:
        super().__init__(f"{told}\n  riskbox run --resume {run}{where}    continues the run")
