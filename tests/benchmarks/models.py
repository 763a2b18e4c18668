"""Measures what a call of a language model costs us, and how fast many episodes go; prints, asserts nothing.

    python tests/benchmarks/models.py [calls | episodes | admission ...]

The provider is `riskbox stub-server` in a process of its own, so that its CPU time is not ours. A bare aiohttp client
and a bare litellm call stand beside ours in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pydantic_core import from_json, to_json
from rich.console import Console
from rich.table import Table

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt
from riskbox.sandbox.contracts.model import Ledger, Prompt
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.loading.loader import loads
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.models.lease import Admission, LeaseHolder
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.quota import Lease, QuotaService, UsageReport
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.run import Spec

Row = tuple[str, float, float, str]

TURNS = 20
EPISODES = 500
SCENARIO = """
scenario: twenty_turns
family: speed
title: Twenty turns
domain: miscellaneous
realism: today
jurisdiction: us
setting: A chat.
agent: {{name: Helper, policy: Be brief., tools: [mail]}}
personas:
  asker:
    intent: benign
    goal: Ask twenty things.
    script:
{lines}
limits: {{user_turns: 30, agent_turns: 30, tool_calls: 30}}
"""
SAID = "Words that somebody says in the middle of a conversation. " * 4
MESSAGES = [{"role": ("user", "assistant")[place % 2], "content": f"{place} {SAID}"} for place in range(21)]
"""A conversation in its middle."""
BRIEF = [{"role": "user", "content": "Hello."}]


@contextmanager
def provider(*words: str) -> Iterator[str]:
    """The URL of a stub server."""
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "stub-server", "--port", "0", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()


# --- one call ---------------------------------------------------------------------------------------------------


async def spent(call: Callable[[int], Awaitable[Any]], count: int, at_once: int = 50) -> float:
    """Milliseconds of CPU of this process a call."""
    places = iter(range(count))

    async def some() -> None:
        for place in places:
            await call(place)

    await call(count)
    began = time.process_time()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return (time.process_time() - began) / count * 1e3


async def bare_aiohttp(url: str, messages: list[dict[str, str]], count: int) -> float:
    """What nobody can go below: the request written, the answer read and parsed."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(place: int) -> None:
            body = to_json({"model": "stub-silent", "messages": messages, "seed": place})
            async with session.post(f"{url}/v1/chat/completions", data=body) as response:
                from_json(await response.read())

        return await spent(call, count)


async def bare_litellm(url: str, messages: list[dict[str, str]], count: int) -> float:
    """A call of litellm as its manual writes it."""
    os.environ.setdefault(
        "LITELLM_LOCAL_MODEL_COST_MAP", "True"
    )  # it would fetch its prices from the network
    import litellm

    litellm.suppress_debug_info = True

    async def call(place: int) -> None:
        await litellm.acompletion(
            model="openai/stub-silent", messages=messages, api_base=f"{url}/v1", api_key="none", seed=place
        )

    return await spent(call, count)


async def ours(name: str, messages: list[dict[str, str]], count: int, **limits: Any) -> float:
    """A call of a seat."""
    clients = Clients(ModelOptions(limits=ModelLimits(**limits)))
    model = clients.model(name, "agent", Ledger(), 1)
    try:
        return await spent(lambda place: model.ask(Prompt(messages, event=place)), count)
    finally:
        await clients.close()


def calls() -> list[Row]:
    """CPU of one call on both transports, beside the bare clients."""
    rows: list[Row] = []
    with provider() as url:
        os.environ |= {"OPENAI_API_BASE": f"{url}/v1", "OPENAI_API_KEY": "none"}
        own, theirs = f"{url}/v1#stub-silent", "openai/stub-silent"
        for what, messages in (("one line", BRIEF), ("21 turns", MESSAGES)):
            for name, measured, floor in (
                ("bare aiohttp", bare_aiohttp(url, messages, 2000), 0),
                ("the HTTP transport", ours(own, messages, 2000), 0.6),
                (
                    "the HTTP transport, within limits",
                    ours(own, messages, 2000, in_flight={"": 60}, run_tokens=1e12),
                    0.6,
                ),
                ("bare litellm", bare_litellm(url, messages, 300), 0),
                ("the litellm transport", ours(theirs, messages, 300), 0),
            ):
                rows.append((f"CPU of a call of {what}: {name}", asyncio.run(measured), floor, "ms"))
    return rows


# --- many episodes ----------------------------------------------------------------------------------------------


def episodes() -> list[Row]:
    """500 episodes of 20 calls in one process, each answered after 200 ms."""
    lines = (
        "\n".join(f"      - say: Question {place}, please." for place in range(TURNS))
        + "\n      - leave: Bye."
    )
    (case,) = cases([loads(SCENARIO.format(lines=lines), Path("twenty_turns.yaml"))])

    async def play(url: str) -> tuple[float, float, int]:
        settings = RunSettings(concurrency=EPISODES, timeouts=Timeouts(None, None))
        player = Player("bench", {case.hash: case}, settings)
        cast = Cast(agent=f"{url}/v1#stub-silent", user="scripted")
        # the first builds what all share
        wall, cpu, made = 0.0, 0.0, 0
        for seeds in (range(1), range(1, EPISODES + 1)):
            began, used, done = time.monotonic(), time.process_time(), 0
            await player.add([Attempt(Spec.of(case.hash, cast, seed)) for seed in seeds])
            made = 0
            while done < len(seeds):
                taken = await player.take(500, (), 1.0)
                done += len(taken)
                made += sum(one.row.model_calls for one in taken if hasattr(one, "row"))
                await player.take(0, [one.row.id for one in taken if hasattr(one, "row")], 0.0)
            wall, cpu = time.monotonic() - began, time.process_time() - used
        await player.stop()
        return wall, cpu, made

    with provider("--delay", "0.2") as url:
        wall, cpu, made = asyncio.run(play(url))
        yardstick = asyncio.run(_posted(url))
    return [
        (f"{EPISODES} episodes x {TURNS} calls of a server that takes 200 ms", wall, 8, "s"),
        ("yardstick: a bare aiohttp client makes the same calls", yardstick, 0, "s"),
        ("ideal: it does nothing but wait", TURNS * 0.2, 0, "s"),
        ("calls made", made, 0, ""),
        ("CPU a call, the episode's own share included", cpu / max(1, made) * 1e3, 0, "ms"),
    ]


async def _posted(url: str) -> float:
    async def episode(session: aiohttp.ClientSession) -> None:
        for _ in range(TURNS):
            body = to_json({"model": "stub-silent", "messages": MESSAGES})
            async with session.post(f"{url}/v1/chat/completions", data=body) as response:
                from_json(await response.read())

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.monotonic()
        await asyncio.gather(*(episode(session) for _ in range(EPISODES)))
        return time.monotonic() - began


# --- limits -----------------------------------------------------------------------------------------------------


def admission() -> list[Row]:
    """Admission while a lease holds, and a renewal."""

    async def admit() -> float:
        limits = ModelLimits(in_flight={"": 50.0}, run_tokens=1e12, run_dollars=1e9)
        service = QuotaService(limits)

        async def renew(report: UsageReport) -> Lease:
            return service.renew(report)

        gate = LeaseHolder(limits, renew)
        async with gate.admitted(Admission("a/b", 100, 1000, 0.1)):
            began = time.process_time()
            for _ in range(20_000):
                async with gate.admitted(Admission("a/b", 100, 1000, 0.1)) as admission:
                    admission.tokens, admission.dollars = 200.0, 0.01
            took = time.process_time() - began
        await gate.close()
        return took / 20_000 * 1e6

    def renewed() -> float:
        service = QuotaService(ModelLimits(in_flight={"": 50.0}, run_tokens=1e9))
        workers = [LeaseHolder(service.limits, _never) for _ in range(64)]
        for one in workers:
            one._queue("a/b")
        began = time.process_time()
        for _ in range(50):
            for one in workers:
                service.renew(one._report())
        return (time.process_time() - began) / 3200 * 1e6

    return [
        ("admission of a call while the lease holds", asyncio.run(admit()), 0, "µs"),
        ("a renewal at the quota service, of 64 workers", renewed(), 0, "µs"),
    ]


async def _never(report: UsageReport) -> Lease:
    raise ConnectionError


MEASURES: dict[str, Callable[[], list[Row]]] = {"calls": calls, "episodes": episodes, "admission": admission}


def main() -> None:
    """Measure everything, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*MEASURES, []], help="what to measure (default: all)")
    given = parser.parse_args()
    table = Table("what", "measured", "floor", title="Speed with language models", title_justify="left")
    for name in given.only or MEASURES:
        for what, measured, floor, unit in MEASURES[name]():
            table.add_row(what, f"{measured:,.3f} {unit}", f"{floor:g} {unit}" if floor else "")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
