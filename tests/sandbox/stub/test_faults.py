"""Every fault reaches the client as it would from a provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from riskbox.sandbox.stub.script import CUT, EMPTY, HTML, Drop, Fail, Raw, Say, Slow
from riskbox.sandbox.stub.server import Stub

Ask = Callable[..., Any]
Post = Callable[..., httpx.Response]

FORMATS = ["openai", "anthropic", "ollama", "generate"]


@pytest.mark.parametrize(
    ("format", "fail", "kind", "code"),
    [
        ("openai", Fail(401), "invalid_request_error", "invalid_api_key"),
        ("openai", Fail(404), "invalid_request_error", "model_not_found"),
        ("openai", Fail(429), "requests", "rate_limit_exceeded"),
        ("openai", Fail(429, "insufficient_quota"), "insufficient_quota", "insufficient_quota"),
        ("openai", Fail(500), "server_error", None),
        ("openai", Fail(503), "server_error", "service_unavailable"),
        ("openai", Fail(529), "server_error", None),
        ("anthropic", Fail(401), "authentication_error", None),
        ("anthropic", Fail(404), "not_found_error", None),
        ("anthropic", Fail(429), "rate_limit_error", None),
        ("anthropic", Fail(500), "api_error", None),
        ("anthropic", Fail(529), "overloaded_error", None),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_errors_in_their_form(
    stub: Stub, post: Post, format: str, fail: Fail, kind: str, code: str | None, stream: bool
) -> None:
    stub.script(fail)
    response = post(format, stream=stream)
    told = response.json()["error"]
    assert (response.status_code, told["type"], told.get("code")) == (fail.status, kind, code)
    assert told["message"] and "retry-after" not in response.headers


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
@pytest.mark.parametrize("format", ["ollama", "generate"])
def test_ollama_has_only_a_sentence(stub: Stub, post: Post, format: str, status: int) -> None:
    stub.script(Fail(status), Fail(status, message="Pull it first."))
    response = post(format)
    assert response.status_code == status and response.json()["error"]
    assert post(format).json() == {"error": "Pull it first."}


@pytest.mark.parametrize("format", FORMATS)
def test_retry_after(stub: Stub, post: Post, format: str) -> None:
    date = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
    stub.script(*(Fail(429, retry_after=after) for after in (2, 0.5, date, "soon")))
    seconds, half, dated, odd = (post(format).headers["retry-after"] for _ in range(4))
    assert (seconds, half, odd) == ("2", "0.5", "soon")
    assert dated.endswith("GMT") and parsedate_to_datetime(dated) == date


@pytest.mark.parametrize(
    ("raw", "status", "type"),
    [(CUT, 200, "application/json"), (EMPTY, 200, "application/json"), (HTML, 502, "text/html"),
     (Raw('{"fine": true}', type="text/plain"), 200, "text/plain")],
)  # fmt: skip
@pytest.mark.parametrize("format", FORMATS)
def test_bodies_that_are_no_answer(
    stub: Stub, post: Post, format: str, raw: Raw, status: int, type: str
) -> None:
    stub.script(raw)
    response = post(format)
    assert (response.status_code, response.headers["content-type"], response.text) == (status, type, raw.body)


def test_raw_bytes_and_headers(stub: Stub, post: Post) -> None:
    stub.script(Raw(b"\xff\x00", 418, "application/octet-stream", {"X-Odd": "yes"}))
    response = post("openai")
    assert (response.status_code, response.content, response.headers["x-odd"]) == (418, b"\xff\x00", "yes")


@pytest.mark.parametrize("format", FORMATS)
def test_slow(stub: Stub, ask: Ask, post: Post, format: str) -> None:
    stub.script(Slow(0.2, "At last."), Slow(0.2), Slow(30, "Too late."))
    started = time.monotonic()
    assert ask(format).text == "At last."
    assert time.monotonic() - started >= 0.2
    assert ask(format).text
    with pytest.raises(httpx.ReadTimeout):
        post(format, timeout=0.1)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_slow_all_along(stub: Stub, post: Post, stream: bool) -> None:
    """The first byte is early, so that a limit on the time between two bytes never strikes."""
    stub.script(Slow(0, "One piece after another, none late.", gap=0.02))
    started = time.monotonic()
    assert post("openai", stream=stream, timeout=0.5).status_code == 200
    assert time.monotonic() - started >= 0.06


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("format", FORMATS)
def test_dropped_before_and_in_the_middle(
    stub: Stub, post: Post, ask: Ask, format: str, stream: bool
) -> None:
    stub.script(Drop(), Drop(40, "A text that is cut in the middle."), Drop(40), "Fine.")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as ended:
        post(format, stream=stream)
    assert "disconnected without sending a response" in str(ended.value)
    for _ in range(2):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as ended:
            post(format, stream=stream)
        assert "without sending complete message body" in str(ended.value) or "incomplete chunked" in str(
            ended.value
        )
    assert ask(format, stream=stream).text == "Fine."


def test_so_many_bytes_and_no_more(stub: Stub, client: httpx.Client) -> None:
    stub.script(Drop(7, Raw("0123456789")))
    got = b""
    sent = {"model": "stub", "messages": [{"role": "user", "content": "Hi."}]}
    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("POST", f"{stub.url}/v1/chat/completions", json=sent) as response,
    ):
        for part in response.iter_raw():
            got += part
    assert got == b"0123456"


def test_slow_then_dropped(stub: Stub, post: Post) -> None:
    stub.script(Slow(0.1, Drop(0, Say("Never."))))
    started = time.monotonic()
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        post("openai")
    assert time.monotonic() - started >= 0.1
