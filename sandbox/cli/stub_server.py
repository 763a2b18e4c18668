"""`riskbox stub-server`: a provider of language models that costs nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

from riskbox.sandbox.cli.options import Parser, add_json
from riskbox.sandbox.errors import InputError

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub

ABOUT = """\
Run a stub model provider on this machine, so that you can rehearse a run for free. It implements OpenAI's chat
completions, Anthropic's messages, and Ollama's chat and generate.

models:
{models}

`stub` also plays any other name, such as gpt-5 or claude-sonnet-4-5, so that you can estimate costs."""
EXAMPLES = """\
  riskbox stub-server                             listen on 127.0.0.1:8765
  riskbox stub-server --delay 0.2 --jitter 0.1    answer as slowly as a real provider
  riskbox stub-server --fail-rate 0.05 --seed 7   fail one request in twenty: a 429, a 500 or a slow answer
  riskbox stub-server --port 0 --json             listen on a free port and print it as JSON
"""
SHOWN = """\
The stub listens at {url} (press ctrl-C to stop). In another terminal, run one of:
  riskbox run --agent {url}/v1#stub
  OPENAI_API_BASE={url}/v1 OPENAI_API_KEY=none riskbox run --agent openai/stub
  ANTHROPIC_API_BASE={url} ANTHROPIC_API_KEY=none riskbox run --agent anthropic/stub
  OLLAMA_API_BASE={url} riskbox run --agent ollama_chat/stub"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    from riskbox.sandbox.stub.models import MODELS

    wide = max(map(len, MODELS))
    listed = "\n".join(f"  {name.ljust(wide)}  {model.about}" for name, model in MODELS.items())
    made = Parser("stub-server", ABOUT.format(models=listed), EXAMPLES)
    made.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: %(default)s, this machine only)",
    )
    made.add_argument(
        "--port", type=int, default=8765, help="the port; 0 picks a free one (default: %(default)s)"
    )
    made.add_argument(
        "--delay", type=float, default=0.0, metavar="S", help="wait S seconds before each answer (default: 0)"
    )
    made.add_argument(
        "--jitter",
        type=float,
        default=0.0,
        metavar="S",
        help="vary the delay by up to S seconds (default: 0)",
    )
    made.add_argument(
        "--fail-rate",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of requests that get a 429, a 500, or an answer 10 seconds late (default: 0)",
    )
    made.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the seed of answers and failures (default: 0)"
    )
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Listen until ctrl-C."""
    given = parser().parse_args(argv)
    _check(given)

    from riskbox.sandbox.stub.server import Stub
    from riskbox.sandbox.stub.weather import Weather

    weather = Weather(given.delay, given.jitter, given.fail_rate)
    stub = Stub(weather, given.seed, remember=False)
    asyncio.run(_listen(stub, given))
    return 0


def _check(given: argparse.Namespace) -> None:
    for name in ("delay", "jitter"):
        if not 0 <= getattr(given, name) < float("inf"):
            raise InputError(f"stub-server: --{name} must be 0 or more seconds.")
    if not 0 <= given.fail_rate <= 1:
        raise InputError("stub-server: --fail-rate must be a share from 0 to 1.")
    if not 0 <= given.port <= 65535:
        raise InputError("stub-server: --port must be from 0 to 65535.")


async def _listen(stub: Stub, given: argparse.Namespace) -> None:
    try:
        await stub.open(given.host, given.port)
    except InputError as error:
        raise InputError(f"stub-server: {error}.") from error
    try:
        print(json.dumps({"url": stub.url}) if given.json else SHOWN.format(url=stub.url), flush=True)
        await asyncio.Event().wait()
    finally:
        await stub.close()
