"""llama.cpp's own HTTP server inside this process: chat completions, tools, JSON schemas, seeds."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riskbox.sandbox.errors import InputError, install_hint

HOST = "127.0.0.1"
"""The server has no key, so it listens on this machine alone."""
ERRORS = 1
"""The verbosity at which llama.cpp tells errors only."""


@contextmanager
def serving(path: Path, name: str, *, port: int = 0, threads: int = 1, context: int = 8192) -> Iterator[str]:
    """Serve a model until the block ends; yields the server's URL, without a path.

    It answers one request at a time, so that the whole context belongs to it. Others wait.

    Args:
        path: The model, a GGUF file.
        name: The name that requests give it.
        port: Where to listen; 0 picks a free port.
        threads: How many threads compute.
        context: The tokens that a prompt and its answer may have together.

    Raises:
        InputError: llama.cpp is not installed or does not load, the port is taken, or the model cannot be loaded.
    """
    try:
        import xllamacpp
    except ModuleNotFoundError:
        raise InputError(f"it needs llama.cpp, which is not installed. {install_hint('local')}") from None
    except ImportError as error:
        raise InputError(
            f"llama.cpp does not load: {error}. It needs the C++ and OpenMP libraries of the system; on Debian and Ubuntu: "
            "apt install libstdc++6 libgomp1."
        ) from None
    _check_port(port)
    asked = xllamacpp.CommonParams()
    asked.model.path = str(path)
    asked.model_alias = {name}
    asked.hostnames = [HOST]
    asked.port = port
    # a page in a browser on this machine must not read what the model says
    asked.cors_origins, asked.cors_origins_explicit = "localhost", True
    asked.ui = asked.endpoint_slots = False
    asked.endpoint_metrics = True
    asked.offline, asked.fit_params = True, False
    asked.n_parallel = 1
    asked.n_ctx = context
    asked.cpuparams.n_threads = asked.cpuparams_batch.n_threads = threads
    asked.verbosity = ERRORS
    try:
        server = xllamacpp.Server(asked)
    except RuntimeError:
        raise InputError(f"llama.cpp could not load {path}; the lines above say what it found.") from None
    try:
        yield str(server.listening_address)
    finally:
        del server  # it stops listening and waits for its threads


def _check_port(port: int) -> None:
    """llama.cpp would say so only after the model is loaded, among other lines."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"port {port} of {HOST} cannot be used ({(error.strerror or str(error)).lower()}); choose another, or 0 "
                "for any free one."
            ) from None
