"""The HTTP transport: what it sends, what it keeps to itself, what a server can do to it."""

from __future__ import annotations

import gzip
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from riskbox.sandbox.errors import Halt, ModelFault
from riskbox.sandbox.models.failures import Told, failure
from riskbox.sandbox.models.transport import ModelRequest, TransportError
from riskbox.sandbox.models.transport_http import LARGEST, HttpTransport, retry_after
from riskbox.sandbox.stub.script import Fail, Raw, Say
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import KEY, Sit


async def send(url: str, **more: Any) -> Any:
    transport = HttpTransport()
    try:
        return await transport.send(ModelRequest(url, [{"role": "user", "content": "Hello."}], **more), 10)
    finally:
        await transport.close()


async def test_what_is_sent(stub: Stub) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüße, 世界 🙂"}]
    transport = HttpTransport()
    await transport.send(
        ModelRequest(f"{stub.url}/v1#org/stub", messages, seed=3, settings={"top_p": 0.5}), 10
    )
    await transport.close()
    body = stub.requests[-1].body
    assert body == {"model": "org/stub", "messages": messages, "seed": 3, "top_p": 0.5}


@pytest.mark.parametrize("slash", ["/v1#stub", "/v1/#stub"])
async def test_a_slash_at_the_end_of_the_url_changes_nothing(stub: Stub, slash: str) -> None:
    assert (await send(stub.url + slash)).finish == "stop"


async def test_the_key_is_sent_as_a_bearer_token(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RISKBOX_API_KEY", raising=False)
    await send(f"{stub.url}/v1#stub")
    assert stub.requests[-1].key == ""
    monkeypatch.setenv("RISKBOX_API_KEY", KEY)
    await send(f"{stub.url}/v1#stub")
    assert stub.requests[-1].sent(KEY)


async def test_a_key_that_was_read_from_a_file(stub: Stub, sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKBOX_API_KEY", f"{KEY}\n")
    stub.script("Hello.", Fail(400, message=f"Not with {KEY}."))
    await sit().ask()
    assert stub.requests[-1].sent(KEY)
    with pytest.raises(ModelFault, match=r"Not with \*\*\*"):
        await sit().ask()
    monkeypatch.setenv("RISKBOX_API_KEY", f"{KEY}\n{KEY}")
    with pytest.raises(Halt, match="RISKBOX_API_KEY contains a character that keys never contain"):
        await sit().ask()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(stub: Stub, sit: Sit, status: int) -> None:
    """Neither the key nor the conversation goes to another host."""
    stub.script(Raw("", status, headers={"Location": f"{stub.url}/v1/chat/completions"}))
    with pytest.raises(ModelFault, match=str(status)):
        await sit().ask()
    assert len(stub.requests) == 1


async def test_cookies_are_not_kept(stub: Stub) -> None:
    answer = '{"choices": [{"message": {"content": "Hello."}}]}'
    stub.script(Raw(answer, headers={"Set-Cookie": "who=me"}), Raw(answer))
    transport = HttpTransport()
    for _ in range(2):
        await transport.send(ModelRequest(f"{stub.url}/v1#stub", [{"role": "user", "content": "Hello."}]), 10)
    await transport.close()
    assert "cookie" not in stub.requests[-1].headers


async def test_connections_are_used_again(stub: Stub) -> None:
    transport = HttpTransport()
    for _ in range(5):
        await transport.send(ModelRequest(f"{stub.url}/v1#stub", [{"role": "user", "content": "Hello."}]), 10)
    assert transport._session is not None
    assert transport._session.connector is not None
    assert len(transport._session.connector._conns) == 1
    await transport.close()


async def test_nobody_listens(sit: Sit) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TransportError) as caught:
        await send(f"http://127.0.0.1:{port}/v1#stub")
    assert (caught.value.outcome, caught.value.retryable, caught.value.unbilled) == (
        "provider_error",
        True,
        True,
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1#stub", "http://#stub", "http:///v1#stub"])
async def test_what_is_no_url_halts(sit: Sit, url: str) -> None:
    with pytest.raises(Halt, match="is not a URL") as caught:
        await sit(url).ask()
    assert caught.value.exit_code == 2


async def test_an_answer_without_end_is_not_read_to_its_end(stub: Stub) -> None:
    stub.script(Raw(b" " * (LARGEST + 1)))
    with pytest.raises(TransportError, match="more than 64 MiB") as caught:
        await send(f"{stub.url}/v1#stub")
    assert (caught.value.outcome, caught.value.retryable) == ("malformed", False)


async def test_nothing_is_unpacked(stub: Stub) -> None:
    """A small answer cannot become a large one."""
    packed = gzip.compress(b" " * (LARGEST + 1))
    stub.script(Raw(packed, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(TransportError, match="not JSON"):
        await send(f"{stub.url}/v1#stub")
    assert stub.requests[-1].headers["accept-encoding"] == "identity"


MESSAGE = {"role": "assistant", "content": "Hello."}


@pytest.mark.parametrize(
    "body",
    [
        "null", "0", '"text"', "{}", '{"choices": null}', '{"choices": []}', '{"choices": {}}', '{"choices": [null]}',
        '{"choices": [{"message": null}]}', '{"choices": [{"message": []}]}', '{"choices": [{"message": "Hello."}]}',
        '{"choices": [{"message": {"content": 3}}]}', '{"choices": [{"message": {"tool_calls": "none"}}]}',
        '{"choices": [{"message": {"tool_calls": {"a": 1}}}]}', "[" * 5000, '{"choices"' + ' ' * 1000,
    ],
)  # fmt: skip
async def test_any_body_is_an_answer_or_malformed(stub: Stub, sit: Sit, body: str) -> None:
    stub.script(Raw(body))
    with pytest.raises(ModelFault) as caught:
        await sit().ask()
    assert caught.value.outcome == "malformed"
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "usage",
    ["[]", '"many"', "3", '{"prompt_tokens": "x"}', '{"prompt_tokens": null, "completion_tokens": -5}',
     '{"prompt_tokens": 1e400}', '{"prompt_tokens": NaN}', '{"prompt_tokens_details": 7}', '{"prompt_tokens": {}}'],
)  # fmt: skip
async def test_strange_usage_is_estimated(stub: Stub, sit: Sit, usage: str) -> None:
    stub.script(Raw(f'{{"choices": [{{"message": {{"content": "Hello."}}}}], "usage": {usage}}}'))
    seat = sit()
    assert (await seat.ask()).text == "Hello."
    assert (seat.call.input_tokens, seat.call.cached_tokens, seat.call.output_tokens) == (11, 0, 1)
    assert seat.call.estimated


@pytest.mark.parametrize(
    ("message", "text", "outcome"),
    [
        ('{"content": "Hello.", "refusal": ""}', "Hello.", "ok"),
        (
            '{"content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}, 3]}',
            "Hello.",
            "ok",
        ),
        ('{"content": null, "tool_calls": null}', "", "ok"),
        ('{"content": null, "refusal": "No."}', "No.", "refused"),
        ('{"content": "half \\ud83d"}', "half \ufffd", "ok"),
        ('{"content": "\\ud83d\\ude42"}', "🙂", "ok"),
    ],
)
async def test_what_servers_say_differently(
    stub: Stub, sit: Sit, message: str, text: str, outcome: str
) -> None:
    stub.script(Raw(f'{{"choices": [{{"message": {message}, "finish_reason": null}}]}}'))
    reply = await sit().ask()
    assert (reply.text, reply.outcome) == (text, outcome)


async def test_control_characters_of_an_error_are_on_one_line(stub: Stub, sit: Sit) -> None:
    stub.script(Raw("one\ntwo\r\nthree", 500, "text/plain"))
    with pytest.raises(ModelFault) as caught:
        await sit().ask()
    assert "one two three" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "nan"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "Fri, 99 Foo"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({}, None),
    ],
)
def test_when_to_come_back(given: dict[str, str], seconds: float | None) -> None:
    assert retry_after(given) == seconds


def test_when_to_come_back_by_date() -> None:
    then = datetime.now(UTC) + timedelta(seconds=60)
    found = retry_after({"Retry-After": format_datetime(then, usegmt=True)})
    assert found is not None
    assert 55 < found <= 60


@pytest.mark.parametrize(
    ("status", "outcome", "again", "halts"),
    [
        (400, "provider_error", False, False),
        (401, "provider_error", False, True),
        (402, "rate_limited", False, True),
        (403, "provider_error", False, True),
        (404, "provider_error", False, True),
        (408, "timeout", True, False),
        (413, "provider_error", False, False),
        (422, "provider_error", False, False),
        (429, "rate_limited", True, False),
        (500, "provider_error", True, False),
        (504, "timeout", True, False),
        (529, "provider_error", True, False),
    ],
)
def test_what_a_status_means(status: int, outcome: str, again: bool, halts: bool) -> None:
    failed = failure(Told(status, "No."), "http://host/v1#m")
    assert (failed.outcome, failed.retryable, failed.fatal) == (outcome, again, halts)
    assert "No." in failed.message


async def test_a_say_that_is_empty_is_an_answer(stub: Stub, sit: Sit) -> None:
    stub.script(Say(""))
    assert (await sit().ask()).outcome == "ok"
