"""What servers tell of how much their models read, in their several ways, and what is made of servers that tell nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from riskbox.sandbox.models.window import window

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers every GET with a body, and tells the name of its model `m`."""
    opened: list[ThreadingHTTPServer] = []

    def one(body: Any, status: int = 200, **headers: str) -> str:
        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                seen.append(self.headers.get("Authorization", ""))
                self.send_response(status if self.path == "/v1/models" else 404)
                for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None:
                """Keep quiet."""

        opened.append(ThreadingHTTPServer(("127.0.0.1", 0), Answers))
        threading.Thread(target=opened[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{opened[-1].server_port}/v1#m"

    seen: list[str] = []
    one.seen = seen  # type: ignore[attr-defined]
    yield one
    for each in opened:
        each.shutdown()
        each.server_close()


def listed(**entry: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "other", "max_model_len": 7}, {"id": "m", **entry}]}


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ({"max_model_len": 32_768}, 32_768),  # vLLM
        ({"meta": {"n_ctx_train": 8192, "n_params": 134_515_008}}, 8192),  # llama.cpp
        ({"meta": {"n_ctx_train": 8192, "n_ctx": 4096}}, 4096),  # llama.cpp, started with less
        ({"context_length": 200_000}, 200_000),
        ({"context_window": 131_072}, 131_072),
        ({}, None),
        ({"meta": None, "max_model_len": "many"}, None),
        ({"max_model_len": True, "context_length": -1}, None),
    ],
)
def test_each_in_its_own_way(serve: Serve, entry: dict[str, Any], size: int | None) -> None:
    assert window(serve(listed(**entry))) == size


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, [], {"data": 3}, {"data": [None, 3]}, None])
def test_servers_that_tell_nothing(serve: Serve, body: Any) -> None:
    assert window(serve(body)) is None


def test_no_server_and_no_such_list(serve: Serve) -> None:
    assert window(serve(listed(max_model_len=9), status=401)) is None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert window(f"http://127.0.0.1:{free.getsockname()[1]}/v1#m") is None


def test_the_key_goes_to_the_named_host_alone(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKBOX_API_KEY", "sk-secret\n")
    elsewhere = serve(listed(max_model_len=9)).removesuffix("#m")
    assert window(serve({}, status=302, Location=f"{elsewhere}/models")) is None
    assert serve.seen == ["Bearer sk-secret"]  # type: ignore[attr-defined]
