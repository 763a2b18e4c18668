"""`riskbox local-server` as a user runs it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.local_model import served

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "70000"], "--port must be from 0 to 65535"),
        (["--threads", "0"], "--threads must be 1 or more"),
        (["--context", "8"], "--context must be 256 tokens or more"),
        (["--model", "none.gguf"], "local-server: there is no file none.gguf."),
        (["--model", __file__], "is no GGUF file"),
    ],
)
def test_wrong_options(command: Command, words: list[str], told: str) -> None:
    done = command("local-server", *words)
    assert done.returncode == 2 and told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_llama(tmp_path: Path) -> None:
    model = tmp_path / "any.gguf"
    model.write_bytes(b"GGUF")
    code = (
        "import sys\nsys.modules['xllamacpp'] = None\nfrom riskbox.sandbox.cli import main\n"
        f"sys.exit(main(['local-server', '--model', {str(model)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "riskbox: local-server: it needs llama.cpp, which is not installed. Run: pip"
    )
    assert "[local]" in done.stderr and len(done.stderr.splitlines()) == 1


def test_where_llama_does_not_load(tmp_path: Path) -> None:
    model = tmp_path / "any.gguf"
    model.write_bytes(b"GGUF")
    (tmp_path / "xllamacpp.py").write_text(
        "raise ImportError('libgomp.so.1: cannot open shared object file')"
    )
    code = f"import sys\nfrom riskbox.sandbox.cli import main\nsys.exit(main(['local-server', '--model', {str(model)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "does not load: libgomp.so.1" in done.stderr and "libgomp1" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_stopped(ends: signal.Signals) -> None:
    with served() as (url, model, process):
        assert model == f"{url}/v1#smollm2" and url.startswith("http://127.0.0.1:")
        asked = {
            "model": "smollm2",
            "messages": [{"role": "user", "content": "Name a colour."}],
            "seed": 7,
            "max_tokens": 12,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": {"enum": ["red", "green"]}},
            },
        }
        with httpx.Client(verify=False, timeout=60) as client:
            got = client.post(f"{url}/v1/chat/completions", json=asked).json()
            shown = client.get(f"{url}/health", headers={"Origin": "http://elsewhere.example"})
        assert json.loads(got["choices"][0]["message"]["content"]) in ("red", "green")
        timings, usage = got["timings"], got["usage"]
        assert usage["prompt_tokens"] == timings["prompt_n"] + timings["cache_n"] > 0
        assert usage["completion_tokens"] == timings["predicted_n"]
        assert "Access-Control-Allow-Origin" not in shown.headers
        process.send_signal(ends)
        assert process.wait(20) == 130
        assert process.stderr is not None and process.stderr.read() == "riskbox: stopped.\n"


@pytest.mark.long
def test_a_port_in_use(command: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("local-server", "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"riskbox: local-server: port {port} of 127.0.0.1 cannot be used (address already in use); choose another, or 0 "
        "for any free one.\n"
    )


@pytest.mark.long
def test_a_file_that_only_begins_like_a_model(
    command: Command, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and nothing of use")
    done = command("local-server", "--model", str(broken))
    assert done.returncode == 2
    assert done.stderr == (
        f"riskbox: local-server: llama.cpp could not load {broken}; the lines above say what it found.\n"
    )
    assert "GGUF" in capfd.readouterr().err
