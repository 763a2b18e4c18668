"""Which request gets which reply, and what is remembered of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import CallTool, Say, StubReply
from riskbox.sandbox.stub.server import Stub, running

Ask = Callable[..., Any]
Post = Callable[..., httpx.Response]


def test_in_order(stub: Stub, ask: Ask) -> None:
    stub.script("One.", "Two.")
    stub.script("Three.")
    assert [ask("openai").text for _ in range(3)] == ["One.", "Two.", "Three."]


def test_by_predicate(stub: Stub, ask: Ask) -> None:
    stub.script("I judge.", when=lambda request: request.model == "judge", repeat=True)
    stub.script("I act.", "I act again.", when=lambda request: bool(request.tools))
    assert ask("openai", tools=True).text == "I act."
    assert ask("anthropic", model="judge").text == "I judge."
    assert ask("openai", tools=True).text == "I act again."
    assert ask("openai", model="judge").text == "I judge."
    assert ask("openai", "Only me.", model="stub-echo").text == "Only me."


def test_again_and_again(stub: Stub, ask: Ask) -> None:
    stub.script("Tick.", "Tock.", repeat=True)
    assert [ask("openai").text for _ in range(4)] == ["Tick.", "Tock.", "Tick.", "Tock."]


def test_a_function(stub: Stub, ask: Ask) -> None:
    def answers(request: StubRequest) -> StubReply | None:
        if request.model == "stub-silent":
            return None
        return (
            CallTool("weather", {"city": request.said, "days": 1})
            if request.tools
            else Say(f"{request.format}!")
        )

    stub.script(answers, repeat=True)
    assert ask("openai", "Pori", tools=True).calls == [("weather", {"city": "Pori", "days": 1})]
    assert ask("anthropic").text == "anthropic!"
    assert ask("ollama", model="stub-silent").text == ""


def test_a_script_that_ran_out_is_heard_of(stub: Stub, post: Post) -> None:
    stub.script("Only this.")
    assert post("openai").status_code == 200
    over = post("openai")
    assert (over.status_code, over.json()["error"]["code"]) == (400, "stub_script")
    assert "no reply left for this request; it had 1 reply" in over.json()["error"]["message"]
    assert "no reply left" in stub.errors.pop()


def test_a_function_that_raises_is_heard_of(stub: Stub, post: Post) -> None:
    def wrong(request: StubRequest) -> StubReply:
        raise KeyError("mood")

    stub.script(wrong)
    assert post("anthropic").json()["error"]["message"] == "the script raised KeyError: 'mood'"
    assert stub.errors.pop() == "the script raised KeyError: 'mood'"


def test_a_reply_of_the_wrong_kind_is_heard_of(stub: Stub, post: Post) -> None:
    stub.script(lambda request: 7)  # type: ignore[arg-type,return-value]  # what a test may get wrong
    assert post("openai").status_code == 400
    assert "7 is no reply" in stub.errors.pop()


def test_a_script_needs_replies(stub: Stub) -> None:
    with pytest.raises(ValueError, match="at least one reply"):
        stub.script()


def test_reset(stub: Stub, ask: Ask, post: Post) -> None:
    stub.script("One.")
    ask("openai")
    post("openai")
    stub.reset()
    assert (stub.requests, stub.errors) == ([], [])
    assert ask("openai", "Me.", model="stub-echo").text == "Me."


# --- what is remembered -----------------------------------------------------------------------------------------


def test_requests_are_recorded(stub: Stub, post: Post) -> None:
    before = time.time()
    post("openai", "Hi.", tools=True, seed=4, max_tokens=50, model="stub-echo")
    post("anthropic", "Hi.", stream=True)
    first, second = stub.requests
    assert (first.format, first.path, first.model) == ("openai", "/v1/chat/completions", "stub-echo")
    assert first.body["messages"] == [{"role": "user", "content": "Hi."}]
    assert first.headers["content-type"] == "application/json"
    assert before <= first.time <= second.time <= time.time()
    assert (first.asked.seed, first.asked.limit, first.asked.stream) == (4, 50, False)
    assert [tool.name for tool in first.tools] == ["weather"]
    assert (second.path, second.asked.stream) == ("/v1/messages", True)


@pytest.mark.parametrize("header", [{"Authorization": "Bearer sk-secret-1"}, {"x-api-key": "sk-secret-1"}])
def test_keys_are_told_apart_and_not_kept(stub: Stub, post: Post, header: dict[str, str]) -> None:
    post("openai", headers=header)
    post("openai")
    first, second = stub.requests
    assert first.sent("sk-secret-1") and not first.sent("sk-secret-2")
    assert second.sent("") and not second.sent("sk-secret-1")
    assert "sk-secret" not in repr(first)


def test_many_at_once_from_many_threads(stub: Stub, client: httpx.Client) -> None:
    stub.script(*map(str, range(200)))

    def one(place: int) -> str:
        sent = {"model": "stub", "messages": [{"role": "user", "content": str(place)}]}
        text = client.post(f"{stub.url}/v1/chat/completions", json=sent, timeout=30).json()
        return str(text["choices"][0]["message"]["content"])

    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(one, range(200)))
    assert sorted(map(int, got)) == list(range(200))
    assert len(stub.requests) == 200


# --- open and close ---------------------------------------------------------------------------------------------


def test_a_port_in_use(stub: Stub) -> None:
    port = int(stub.url.rpartition(":")[2])
    with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is in use"), running(port=port):
        raise AssertionError("two servers listen on one port")


def test_an_address_of_another_machine() -> None:
    with (
        pytest.raises(InputError, match=r"cannot listen on 192.0.2.1:0: Cannot assign requested address"),
        running(host="192.0.2.1"),
    ):
        raise AssertionError("it listens where it cannot")


def test_closing_breaks_off_what_is_under_way(client: httpx.Client) -> None:
    from riskbox.sandbox.stub.script import Slow

    ended: list[Exception] = []

    def wait(url: str) -> None:
        sent = {"model": "stub", "messages": [{"role": "user", "content": "Hi."}]}
        try:
            client.post(f"{url}/v1/chat/completions", json=sent, timeout=60)
        except httpx.HTTPError as error:
            ended.append(error)

    with running() as stub:
        stub.script(Slow(60, "Never."))
        thread = threading.Thread(target=wait, args=(stub.url,))
        thread.start()
        while not stub.requests:
            time.sleep(0.01)
    thread.join(30)
    assert not thread.is_alive() and len(ended) == 1
    with pytest.raises(httpx.ConnectError):
        client.get(f"{stub.url}/v1/models")
