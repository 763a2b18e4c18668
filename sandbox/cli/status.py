"""`riskbox status`: how a run is going, wherever it is played."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from riskbox.sandbox.cli import options

if TYPE_CHECKING:
    from rich.console import Group

    from riskbox.sandbox.operations.status import RunDriver, Status

ABOUT = (
    "Show how a run is going: how far, how fast, what broke, what it cost, which model is slow, and who plays it. It reads the "
    "store alone, so it works on any machine that reaches the store, and of a run that is being played it reads no episodes."
)
EXAMPLES = """\
  riskbox status                      the latest run that is being played, or the latest of all
  riskbox status 20260302 --follow    a run by the start of its id, again every two seconds until it ends
  riskbox status --json               one JSON object, for a script
  riskbox status --store redis://host:6379/0"""

EVERY = 2.0
"""Seconds between two looks at the store."""


def main(argv: list[str]) -> int:
    """Show the status of a run, once or until it ends."""
    parser = options.Parser("status", ABOUT, EXAMPLES)
    parser.add_argument(
        "run",
        nargs="?",
        default="",
        help="the run: an id, the start of one, a name, or latest (default: the latest that is being played)",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help=f"show it again every {EVERY:g} seconds, until the run ends; with --json, one object a line",
    )
    options.add_store(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)
    from rich.live import Live

    from riskbox.sandbox.api.status import named
    from riskbox.sandbox.operations.status import status_of
    from riskbox.sandbox.reporting.screen import screen

    where = options.same_store(args.store)
    console = screen()
    with (
        options.open_existing(args.store) as store,
        Live(console=console, auto_refresh=False, transient=False) as live,
    ):
        run = named(store, args.run).run
        while True:
            now = status_of(store, store.run(run))
            is_last = not args.follow or now.state != "running"
            if args.json:
                print(now.model_dump_json(), flush=True)
            elif console.is_terminal:
                live.update(shown(now, where), refresh=True)
            elif is_last:
                console.print(shown(now, where), soft_wrap=True)
            else:
                console.print(_progress(now), highlight=False, soft_wrap=True)
            if is_last:
                return 0
            time.sleep(EVERY)


def shown(one: Status, where: str) -> Group:
    """A status as lines for people.

    Args:
        one: The status.
        where: The `--store` option to repeat in a command.
    """
    from rich.console import Group
    from rich.text import Text

    from riskbox.sandbox.escape import line

    lines = [Text(f"Run {line(one.run)}{f' ({line(one.name)})' if one.name else ''}: {one.state}", "bold")]
    if one.driver is not None:
        lines.append(Text(_driver(one.driver)))
    lines.append(Text(f"  {_progress(one)}"))
    labels = ", ".join(f"{name} {count:,}" for name, count in one.labels.items() if count)
    lines += [Text(f"  found: {labels}")] if labels else []
    for kind in one.kinds:
        of = f" (the {kind.culprit})" if kind.culprit else ""
        lines.append(Text(f"  fault: {kind.count:,} × {line(kind.kind)}{of}", "red"))
    lines += [Text(f"    {cause.count:,} × {line(cause.reason)}", "dim") for cause in one.causes[:3]]
    if one.tokens:
        lines.append(Text(f"  cost: ${one.cost:,.4f}, {one.tokens:,} tokens"))
    for model in one.models:
        if model.median is not None and model.slow is not None:
            failed = f", {model.failed:,} failed" if model.failed else ""
            again = f", sent again {model.retries:,} times" if model.retries else ""
            lines.append(
                Text(
                    f"  model {line(model.model)}: half of its answers within {model.median:.3g} s, 95 % within "
                    f"{model.slow:.3g} s; {model.calls:,} calls{failed}{again}"
                )
            )
    lines += [Text(f"  {told}", "bold red" if one.health.broken else "") for told in one.health.lines]
    if one.state in ("dead", "stopped", "failed"):
        lines.append(Text(f"  riskbox run --resume {one.run}{where}    continues the run"))
    elif one.state == "done":
        lines.append(Text(f"  riskbox report {one.run}{where}"))
    else:
        lines.append(Text(f"  riskbox attach {one.run} --stop{where}    stops it"))
    return Group(*lines)


def _driver(one: RunDriver) -> str:
    from riskbox.sandbox.escape import line
    from riskbox.sandbox.reporting.figures import many

    who = f"process {one.pid} on {line(one.host)}"
    log = f", log: {line(one.log)}" if one.log else ""
    if not one.living:
        return f"  {who} played it since {one.since} and is gone; last heard of {one.heard:,.0f} s ago{log}"
    waiting = f", {one.waiting} of them waiting for free cores" if one.waiting else ""
    return f"  {who} plays it since {one.since}; heard of {one.heard:,.0f} s ago; {many(one.workers, 'worker')}{waiting}{log}"


def _progress(one: Status) -> str:
    """How far a run is, in one line."""
    parts = [
        f"{one.stored:,} stored of {one.planned:,} planned",
        f"{one.left:,} left" if one.left else "",
        f"{one.unjudged:,} not judged yet" if one.unjudged else "",
        f"{one.rate:,.1f} episodes/s" if one.state == "running" else "",
        f"{_duration(one.seconds_left)} left" if one.seconds_left else "",
        f"faults {one.faults:,}",
        f"crashes {one.crashes:,}" if one.crashes else "",
        f"void {one.void:,}" if one.void else "",
    ]
    return ", ".join(part for part in parts if part)


def _duration(seconds: float) -> str:
    """Seconds in the two largest units: `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
