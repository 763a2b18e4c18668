"""Measures the CPU time of a few things once, and prints it as JSON; `compare.py` runs it over two versions of the source.

It may use only what both versions have. What one of them cannot do is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.plan import cases, specs
from riskbox.sandbox.batch.player import packed
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.loading.loader import load, loads
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.stores import open_store

HERE = Path(__file__).parent
EPISODES = 60
CALLS = 400
FILES = 60


def steps() -> Iterator[tuple[str, float]]:
    """Milliseconds a step, without a model."""
    case = cases([load(HERE / "twenty_steps.yaml")])[0]
    prepared, listed = PreparedCases({case.hash: case}), specs([case], ["reference:safe"], range(EPISODES))
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/b.db") as store:
        made = launch.new_manifest([case], listed, RunSettings(local=True))
        launch.create(store, made, [case], listed)

        async def played(count: int, *, assessed: bool, stored: bool = False) -> float:
            done, batch, began = 0, [], time.process_time()
            for spec in listed[:count]:
                one = await play_episode(
                    made.run,
                    spec,
                    prepared.of(case.hash),
                    make_participants(spec, case),
                    [evaluator("checks")] if assessed else [],
                )
                done += len(one.episode.inputs)
                if stored:
                    batch.append(packed(one))
            if stored:
                store.write(made.run, batch)
            return (time.process_time() - began) / done * 1e3

        asyncio.run(played(5, assessed=True))
        yield "a step, alone (ms)", asyncio.run(played(EPISODES, assessed=False))
        yield "a step, assessed (ms)", asyncio.run(played(EPISODES, assessed=True))
        yield "a step, assessed and stored (ms)", asyncio.run(played(EPISODES, assessed=True, stored=True))


def loading() -> Iterator[tuple[str, float]]:
    """Milliseconds a scenario file, each different."""
    text, toolbox = (HERE / "example.yaml").read_text(), Toolbox()
    loads(text, HERE / "example.yaml", toolbox)
    texts = [text.replace("Crohn", f"Crohn{place}") for place in range(FILES)]
    began = time.process_time()
    for one in texts:
        loads(one, HERE / "example.yaml", toolbox)
    yield "loading a scenario file (ms)", (time.process_time() - began) / FILES * 1e3


def calls() -> Iterator[tuple[str, float]]:
    """Milliseconds of this process a call of a model; the server is another process."""
    from riskbox.sandbox.contracts.model import Ledger, Prompt
    from riskbox.sandbox.models.client import Clients, ModelOptions

    words = [sys.executable, "-m", "riskbox.sandbox.cli", "stub-server", "--port", "0", "--json"]
    messages = [
        {"role": ("user", "assistant")[place % 2], "content": f"{place} " * 60} for place in range(21)
    ]

    async def asked(url: str) -> float:
        clients = Clients(ModelOptions())
        model = clients.model(f"{url}/v1#stub-silent", "agent", Ledger(), 1)
        try:
            await model.ask(Prompt(messages))
            began = time.process_time()
            for first in range(0, CALLS, 50):
                await asyncio.gather(
                    *(model.ask(Prompt(messages, event=place)) for place in range(first, first + 50))
                )
            return (time.process_time() - began) / CALLS * 1e3
        finally:
            await clients.close()

    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield (
                "a call of a model over HTTP (ms)",
                asyncio.run(asked(json.loads(server.stdout.readline())["url"])),
            )
        finally:
            server.terminate()


def starting() -> Iterator[tuple[str, float]]:
    """Milliseconds of `riskbox --help`."""
    before = _of_children()
    subprocess.run([sys.executable, "-m", "riskbox.sandbox.cli", "--help"], check=True, capture_output=True)
    yield "riskbox --help (ms)", (_of_children() - before) * 1e3


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


MEASURES: tuple[Callable[[], Iterator[tuple[str, float]]], ...] = (starting, steps, loading, calls)

if __name__ == "__main__":
    found: dict[str, float] = {}
    for measure in MEASURES:
        with contextlib.suppress(Exception):  # the other version may not have it
            found.update(measure())
    print(json.dumps(found))
