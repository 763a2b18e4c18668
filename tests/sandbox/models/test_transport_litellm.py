"""The litellm transport: silent, at home, and late in coming."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from riskbox.sandbox.models.transport import ModelRequest, TransportError
from riskbox.sandbox.models.transport_http import HttpTransport
from riskbox.sandbox.models.transport_litellm import LitellmTransport, check, missing_keys, unlisted
from riskbox.sandbox.stub.script import Fail
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import reached

ASKING = """
import asyncio, socket, sys

def nobody(self, address, real=socket.socket.connect):
    # whoever phones home is heard here
    if address[0] != "127.0.0.1":
        sys.__stdout__.write(f"phones {address}")
    return real(self, address)

def looked_up(host, *rest, real=socket.getaddrinfo):
    if host not in ("127.0.0.1", b"127.0.0.1", "localhost"):
        sys.__stdout__.write(f"looks up {host}")
    return real(host, *rest)

socket.socket.connect = nobody
socket.getaddrinfo = looked_up

from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.errors import ModelFault
from riskbox.sandbox.contracts.model import Ledger, Prompt

async def main():
    clients = Clients(ModelOptions(retries=0))
    for name in ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "ollama_chat/stub", "ollama/stub"):
        model = clients.model(name, "agent", Ledger(), 1)
        for _ in range(2):
            try:
                await model.ask(Prompt([{"role": "user", "content": "Hello."}]))
            except ModelFault:
                pass
    await clients.close()
    assert "litellm" in sys.modules

asyncio.run(main())
"""


@pytest.mark.long
@pytest.mark.parametrize("map", [{}, {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}], ids=["unset", "set"])
def test_a_call_prints_nothing_and_phones_nobody(stub: Stub, map: dict[str, str]) -> None:
    stub.script("Hello.", Fail(500), repeat=True)
    env = {key: value for key, value in os.environ.items() if not key.startswith("LITELLM")}
    done = subprocess.run(
        [sys.executable, "-c", ASKING],
        capture_output=True,
        text=True,
        timeout=120,
        env={**env, **reached(stub.url), **map},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(stub.requests) == 8


def test_a_call_of_an_own_server_imports_no_litellm(stub: Stub) -> None:
    asking = f"""
import asyncio, sys
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.contracts.model import Ledger, Prompt
async def main():
    clients = Clients()
    await clients.model("{stub.url}/v1#stub", "agent", Ledger(), 1).ask(Prompt([{{"role": "user", "content": "x"}}]))
    await clients.close()
asyncio.run(main())
print(sorted({{"litellm", "openai", "ray", "jsonschema"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    "name", ["openai/gpt-5-mini", "anthropic/claude-sonnet-4-5", "ollama_chat/llama3:8b"]
)
def test_a_provider_that_is_known(name: str) -> None:
    assert check(name) == ""


def test_a_provider_that_is_misspelt() -> None:
    told = check("opnai/gpt-5")
    assert told == "no provider of models is called 'opnai'. Did you mean 'openai'?"


@pytest.mark.parametrize(
    "name", ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash"]
)
async def test_a_key_that_is_missing_is_not_waited_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [one for one in os.environ if one.endswith("_API_KEY")]:
        monkeypatch.delenv(variable)
    with pytest.raises(TransportError) as told:
        await LitellmTransport().send(ModelRequest(name, [{"role": "user", "content": "Hello."}]), 30)
    assert told.value.fatal and not told.value.retryable
    assert "key" in told.value.message


def test_only_keys_that_are_needed_for_certain_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [one for one in os.environ if one.endswith(("_API_KEY", "_AUTH_TOKEN"))]:
        monkeypatch.delenv(variable)
    assert missing_keys("anthropic/claude-haiku-4-5") == ("ANTHROPIC_API_KEY",)
    assert missing_keys("mistral/mistral-small-latest") == ("MISTRAL_API_KEY",)
    for elsewhere in ("bedrock/x", "vertex_ai/x", "ollama_chat/llama3:8b", "hosted_vllm/x", "azure/x"):
        assert missing_keys(elsewhere) == ()
    monkeypatch.setenv("MISTRAL_AZURE_API_KEY", "k")  # litellm takes it, although it names another
    assert missing_keys("mistral/mistral-small-latest") == ()


def test_a_model_that_litellm_does_not_list_may_be_misspelt(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    assert unlisted("openai/gpt-5-minni") == (
        "litellm does not list openai/gpt-5-minni. Did you mean 'gpt-5-mini'? If openai does not know it either, a "
        "run stops at its first call."
    )
    listed = (
        "openai/gpt-5-mini",
        "anthropic/claude-haiku-4-5",
        "gemini/gemini-2.5-flash",
        "ollama_chat/mine",
    )
    assert [unlisted(one) for one in listed] == ["", "", "", ""]
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    assert unlisted("openai/stub") == ""


def test_prices_are_those_of_the_table() -> None:
    transport = LitellmTransport()
    assert transport.price("openai/gpt-4o-mini") == (0.15e-6, 0.6e-6)
    assert transport.price("openai/no-such-model") is None


FIRST_CALL = """
import asyncio, importlib.abc, sys, time

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "litellm":
            time.sleep(5)

sys.meta_path.insert(0, Slow())

from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.contracts.model import Ledger, Prompt

async def main():
    clients, ledger = Clients(ModelOptions(seconds=4)), Ledger()
    model = clients.model("openai/gpt-4o-mini", "agent", ledger, 1)
    await model.ask(Prompt([{"role": "user", "content": "Hello."}]))
    await clients.close()
    [call] = ledger.calls
    print(call.outcome, call.latency <= call.seconds < 5)

asyncio.run(main())
"""


@pytest.mark.long
def test_the_first_call_does_not_count_the_import_in_its_latency(stub: Stub) -> None:
    env = {**os.environ, **reached(stub.url)}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL], env=env, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "ok True\n", done.stderr


@pytest.mark.parametrize("name", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"])
async def test_transports_of_one_process_leave_each_other_their_connections(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable, value in reached(stub.url).items():
        monkeypatch.setenv(variable, value)
    stub.script("Hello.", repeat=True)
    request = ModelRequest(name, [{"role": "user", "content": "Hello."}], settings={"max_tokens": 9})
    first, second, later = (LitellmTransport() for _ in range(3))
    for one, closed in ((first, None), (second, first), (second, second), (later, later)):
        assert (await one.send(request, 10)).text == "Hello."
        if closed is not None:
            await closed.close()


BOUNDED = {
    "type": "object",
    "properties": {
        "say": {"type": "string", "maxLength": 9},
        "maxLength": {"type": "string", "minLength": 1},
    },
    "required": ["say", "maxLength"],
    "additionalProperties": False,
}


async def test_lengths_are_left_out_for_providers_that_refuse_them_and_sent_to_servers_that_hold_them(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in reached(stub.url).items():
        monkeypatch.setenv(name, value)
    stub.script("{}", repeat=True)
    asked = [{"role": "user", "content": "Hello."}]
    for transport, name in (
        (LitellmTransport(), "openai/gpt-4o-mini"),
        (HttpTransport(), f"{stub.url}/v1#m"),
    ):
        await transport.send(ModelRequest(name, asked, schema=BOUNDED), 10)
        await transport.close()
    hosted, own = (one.body["response_format"]["json_schema"] for one in stub.requests)
    assert own["schema"] == BOUNDED and not own["strict"]
    assert hosted["schema"]["properties"] == {"say": {"type": "string"}, "maxLength": {"type": "string"}}
    assert hosted["strict"]
