"""`riskbox try --self-test`: whether models can play users, tools and the judge."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from riskbox.sandbox.cli.model_options import models_from, settings_from
from riskbox.sandbox.errors import Halt, InputError

if TYPE_CHECKING:
    from riskbox.sandbox.models.client import ModelOptions
    from riskbox.sandbox.selftest.seat import SeatResult

CAP = 5.0
"""The default budget of a self-test in US dollars."""


def run(given: argparse.Namespace, command: Sequence[str]) -> int:
    """Try each model in its seat, print what came of it, and return 0, or 1 where one is not good enough."""
    seats = _seats(given)
    options = _options(given, [model for _, model in seats])
    if given.out and not Path(given.out).resolve().parent.is_dir():
        raise InputError(f"try: there is no folder for --out {given.out}.")
    from riskbox.sandbox.registry.models import check_askable
    from riskbox.sandbox.stores import open_store

    check_askable([model for _, model in seats], options)
    results: list[SeatResult] = []
    stopped = ""
    with open_store(given.store) as store:
        from riskbox.sandbox.selftest.kept import keep

        try:
            asyncio.run(_try(given, seats, options, results))
        except (asyncio.CancelledError, KeyboardInterrupt):
            stopped = "stopped"
            raise KeyboardInterrupt from None
        except Halt as error:
            stopped = str(error)
            raise
        finally:  # the seats that are done are kept, whatever ended the others
            keep(store, results, command)
            if given.out:
                trials = [{**one.record(), "cases": one.cases} for one in results]
                Path(given.out).write_text(
                    json.dumps({"self_test": trials}, indent=1, ensure_ascii=False) + "\n"
                )
            if given.json:
                told = [one.record() for one in results]
                print(json.dumps({"self_test": told, "stopped": stopped or None}))
    return 0 if all(one.good is not False for one in results) else 1


def _seats(given: argparse.Namespace) -> list[tuple[str, str]]:
    """The seats to try and the model of each."""
    from riskbox.sandbox.registry.models import check_model_name

    if given.agent or given.handshake:
        raise InputError("try: --self-test tries no agent; leave --agent and --handshake out.")
    if given.self_test_size < 2:
        raise InputError("try: --self-test-size must be 2 or more.")
    if not 0 <= given.turn_seconds < float("inf"):
        raise InputError("try: --turn-seconds must be a number of seconds, or 0 for no limit.")
    named = [("judge", given.judge), ("user", given.user), ("tools", given.tools_model)]
    seats = [(seat, model) for seat, model in named if model]
    if not seats:
        raise InputError("try: name the models to try with --user, --judge or --tools-model.")
    for _, model in seats:
        check_model_name(model)
    return seats


def _options(given: argparse.Namespace, models: Sequence[str]) -> ModelOptions:
    from riskbox.sandbox.batch.trial import check_prices

    options = models_from(given)
    limits = options.limits
    if limits.run_dollars is None and limits.run_tokens is None:
        options = replace(options, limits=replace(limits, run_dollars=CAP))
    check_prices(options, models)
    return options


async def _try(
    given: argparse.Namespace,
    seats: Sequence[tuple[str, str]],
    options: ModelOptions,
    results: list[SeatResult],
) -> None:
    """Try each seat, add its result to the results and print it."""
    from riskbox.sandbox.episode.rollout import Timeouts
    from riskbox.sandbox.loading.loader import load_all, shipped
    from riskbox.sandbox.models.client import Clients
    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.selftest.bench import Bench
    from riskbox.sandbox.selftest.judging import try_judge
    from riskbox.sandbox.selftest.sample import labelled
    from riskbox.sandbox.selftest.serving import try_tools
    from riskbox.sandbox.selftest.using import try_user

    toolbox = Toolbox(tuple(given.tools))
    listed = labelled(load_all(given.paths or [shipped()], toolbox), toolbox)
    clients = Clients(options)
    bench = Bench(
        clients, toolbox, settings_from(given), Timeouts(turn=given.turn_seconds or None), on_trial=_progress
    )
    half = max(1, given.self_test_size // 2)
    _end_with_sigterm()
    try:
        for seat, model in seats:
            match seat:
                case "judge":
                    results.append(await try_judge(model, listed, given.self_test_size, bench))
                case "user":
                    results.append(await try_user(model, listed, half, bench))
                case _:
                    results.append(await try_tools(model, listed, half, bench))
            if not given.json:
                _print(results[-1])
    finally:
        await clients.close()


def _end_with_sigterm() -> None:
    """From now on a SIGTERM cancels the task that runs, as asyncio lets ctrl-C do. Event loops have no signals on Windows."""
    task = asyncio.current_task()
    if task is not None and sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _progress(done: int, planned: int) -> None:
    """On a terminal, how far a seat is."""
    if sys.stderr.isatty():
        print(
            f"\r{done} of {planned} trials" if done < planned else "\r\x1b[K",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _print(one: SeatResult) -> None:
    from rich.table import Table
    from rich.text import Text

    from riskbox.sandbox.escape import inert, line
    from riskbox.sandbox.reporting.screen import screen
    from riskbox.sandbox.selftest.seat import percent

    console = screen()
    style = {True: "green", False: "bold red", None: "yellow"}[one.good]
    console.print(Text(inert(f"As {one.seat}: {one.model}"), "bold"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "share [95%]", "limit"):
        table.add_column(name)
    for measure in one.measures:
        mark = {True: "", False: "red", None: "yellow"}[measure.kept]
        table.add_row(
            Text(measure.name), Text(percent(measure), mark), f"at {measure.at} {measure.limit:.0%}"
        )
    console.print(table)
    console.print(Text(inert(one.verdict.capitalize()), style))
    if one.failure:
        console.print(Text(f"The first call without an answer: {line(one.failure, 300)}", "yellow"))
    console.print(Text(_cost(one), "dim"))
    console.print()


def _cost(one: SeatResult) -> str:
    of = "calls of tools" if one.seat == "tools" else "episodes"
    each = (one.input_tokens + one.output_tokens) / one.played if one.played else 0
    dollars = f", ${one.dollars:,.4f}" if one.dollars else ""
    return (
        f"{one.played} {of}; {one.calls} calls of the model, {one.input_tokens:,} tokens in, {one.output_tokens:,} "
        f"out, {each:,.0f} each{dollars}."
    )
