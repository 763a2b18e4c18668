"""Traces of episodes, as a collector on this machine gets them."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import reached

Command = Callable[..., subprocess.CompletedProcess[str]]


class Collector:
    """Reads what is exported to it."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                for one in ExportTraceServiceRequest.FromString(body).resource_spans:
                    outer.spans += [span for scope in one.scope_spans for span in scope.spans]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.server.shutdown()
    one.server.server_close()


def told(span: Any) -> dict[str, Any]:
    """The attributes of a span."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_each_episode_is_one_trace(
    collector: Collector, command: Command, records: Path, stub: Stub, tmp_path: Path
) -> None:
    stub.script("I cannot help with that.", repeat=True)
    model = f"{stub.url}/v1#stub"
    done = command(
        "run", records, "--local", "--quiet", "--agent", model, "--otel", collector.url, **reached(stub.url)
    )
    assert done.returncode == 0, done.stderr
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        run = store.run().run
        rows = list(store.rows(run))
    ids = {hashlib.sha256(f"{run}/{row.id}".encode()).digest()[:16] for row in rows}
    assert {span.trace_id for span in collector.spans} == ids and len(ids) == 6
    spans = {(span.trace_id, span.span_id): span for span in collector.spans}
    assert len(spans) == len(collector.spans)
    chats = [span for span in collector.spans if span.name.startswith("chat ")]
    assert len(chats) == sum(row.model_calls for row in rows) > 5
    for span in chats:
        parent = spans[span.trace_id, span.parent_span_id]
        assert parent.name == f"invoke_agent {model}" and told(span)["gen_ai.operation.name"] == "chat"
        assert told(span)["gen_ai.request.model"] == model and told(span)["gen_ai.usage.input_tokens"] > 0
        assert spans[parent.trace_id, parent.parent_span_id].name.startswith("episode ")
        assert span.start_time_unix_nano <= span.end_time_unix_nano
    assert not any(b"cannot help" in span.SerializeToString() for span in collector.spans)


def test_tools_are_told_and_what_was_said_if_it_is_wanted(
    collector: Collector, command: Command, records: Path, tmp_path: Path
) -> None:
    done = command("run", records, "--local", "--quiet", "--otel", collector.url, "--otel-content")
    assert done.returncode == 0, done.stderr
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        calls = sum(row.tool_calls for row in store.rows(store.run().run))
    tools = [span for span in collector.spans if told(span).get("gen_ai.operation.name") == "execute_tool"]
    assert len(tools) == calls > 0
    assert all(told(span)["gen_ai.tool.name"] and told(span)["gen_ai.tool.call.arguments"] for span in tools)
    assert any('"content": "' in told(span).get("gen_ai.output.messages", "") for span in collector.spans)


@pytest.mark.long
def test_a_collector_that_is_gone_is_one_line(command: Command, records: Path) -> None:
    words = ["run", records, "--local", "--quiet", "--persona", "owner", "--variant", "none"]
    done = command(*words, "--otel", "http://127.0.0.1:9")
    assert done.returncode == 0 and len([one for one in done.stderr.splitlines() if "otel" in one]) == 1
    assert command(*words, "--otel", "collector:4318").returncode == 2
