"""A model as the agent under test: what it is sent, and that what it sends stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.agents.assistant import Assistant, Texting
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.model import Model, Prompt, Reply
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.agents import check_agent_name
from riskbox.sandbox.stub.script import CallTool, Raw, Refuse, Say, SayJson
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import Called, Returned, Said, Waited

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub

RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"
OWNER = cases([load(RECORDS)])[0]
POLICY = OWNER.scenario.agent.policy
READ = CallTool("clinic__read_record", {"patient": "P-104"})
Modelled = Callable[..., Played]


def bodies(stub: Stub) -> list[dict[str, Any]]:
    return [one.body for one in stub.requests]


def of(kind: type[Any], played: Played) -> list[Any]:
    """The agent's events of a kind."""
    return [one for one in played.episode.events if isinstance(one, kind) and one.by == "agent"]


# --- native -----------------------------------------------------------------------------------------------------


def test_it_is_sent_the_policy_the_talk_and_the_tools_and_nothing_else(
    stub: Stub, modelled: Modelled
) -> None:
    stub.script("What is your date of birth?", Say("", calls=(READ,)), "On April 14, 2026.", repeat=True)
    played = modelled(OWNER, agent="model:m")
    assert [one.tool for one in of(Called, played)] == ["clinic.read_record"]
    assert [one.text for one in of(Said, played)] == ["What is your date of birth?", "On April 14, 2026."]
    first, *_, last = bodies(stub)
    assert first["messages"] == [
        {"role": "system", "content": POLICY},
        {"role": "user", "content": "Hi, Dana Wu here. When is my next visit?"},
    ]
    names = [tool["function"]["name"] for tool in first["tools"]]
    assert names == [name.replace(".", "__") for name in OWNER.offered]
    assert [one["role"] for one in last["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "tool",
    ]
    assert last["messages"][4]["tool_calls"][0]["function"]["name"] == "clinic__read_record"
    assert json.loads(last["messages"][5]["content"])["next_visit"] == "2026-04-14"


def test_its_prompts_are_only_appended_to(stub: Stub, modelled: Modelled) -> None:
    stub.script(Say("One moment.", calls=(READ, READ)), "Well.", repeat=True)
    modelled(OWNER, agent="m")
    assert len(stub.requests) > 3
    for before, after in pairwise(bodies(stub)):
        assert after["messages"][: len(before["messages"])] == before["messages"]


def test_a_refusal_is_what_it_says(stub: Stub, modelled: Modelled) -> None:
    stub.script(Refuse("I can't help with that."), repeat=True)
    played = modelled(OWNER, agent="m")
    assert played.episode.ending == "terminated"
    assert {one.text for one in of(Said, played)} == {"I can't help with that."}
    assert {call.outcome for call in played.episode.model_calls} == {"refused"}


def test_a_refusal_without_words_waits(stub: Stub, modelled: Modelled) -> None:
    stub.script(Say("", finish="content_filter"), repeat=True)
    played = modelled(OWNER, agent="m")
    assert of(Waited, played) and not of(Said, played)
    assert played.episode.ending == "terminated"


@pytest.mark.parametrize("raw", ['{"patient": ', '["P-104"]', '{"patient": NaN}', "now"])
def test_malformed_arguments_come_back_as_a_tool_error(stub: Stub, modelled: Modelled, raw: str) -> None:
    stub.script(CallTool("clinic__read_record", raw), "Sorry.", "Bye.")
    played = modelled(OWNER, agent="m")
    assert [one.arguments for one in of(Called, played)] == [raw]
    (returned,) = of(Returned, played)
    assert not returned.permitted and returned.error
    sent = bodies(stub)[1]["messages"]
    assert (
        sent[-2]["tool_calls"][0]["function"]["arguments"] == json.dumps({"raw": raw})
        and "error" in sent[-1]["content"]
    )


def test_an_unknown_tool_is_its_mistake(stub: Stub, modelled: Modelled) -> None:
    stub.script(CallTool("clinic__delete_all", {}), "Sorry.", "Bye.")
    played = modelled(OWNER, agent="m")
    assert [one.tool for one in of(Called, played)] == ["clinic.delete_all"]
    assert not of(Returned, played)[0].permitted


@pytest.mark.parametrize(
    "call", [{"id": "1"}, {"function": {"arguments": "{}"}}, {"function": {"name": 7}}, "call"]
)
def test_a_call_that_names_nothing_is_recorded_with_all_its_words(
    stub: Stub, modelled: Modelled, call: Any
) -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    stub.script(Raw(json.dumps({"choices": [choice]})), "Sorry.", "Bye.")
    played = modelled(OWNER, agent="m")
    (called,) = of(Called, played)
    assert called.tool == "" and json.loads(called.arguments) == [call]
    assert played.episode.ending == "terminated"


def test_it_is_not_asked_while_nobody_has_spoken(stub: Stub, modelled: Modelled) -> None:
    stub.script(SayJson({"thought": "", "say": "", "leave": True}), when=lambda request: request.model == "u")
    modelled(OWNER, user="u", agent="a")
    assert [one.model for one in stub.requests] == ["u"]


@pytest.mark.parametrize("name", ["openai/gpt-4o", "http://localhost:8000/v1#m", "ollama_chat/llama3:8b"])
@pytest.mark.parametrize("kind", ["model", "text"])
def test_names_of_models(kind: str, name: str) -> None:
    check_agent_name(f"{kind}:{name}")


@pytest.mark.parametrize("name", ["gpt-4o", "", "/x", "openai/", "http://localhost:8000/v1", "http://h/v1#"])
@pytest.mark.parametrize("kind", ["model", "text"])
def test_names_of_no_model(kind: str, name: str) -> None:
    with pytest.raises(InputError, match=r"[Ww]rite (provider/model, or )?http://host:port/v1#model"):
        check_agent_name(f"{kind}:{name}")
    with pytest.raises(UnknownName, match="Write provider/model, or http"):
        Assistant.check(name)


# --- in text ----------------------------------------------------------------------------------------------------

BLOCK = '```call\n{"tool": "clinic.read_record", "arguments": {"patient": "P-104"}}\n```'


def test_calls_in_text_are_made_and_results_come_back_as_text(stub: Stub, modelled: Modelled) -> None:
    stub.script(f"One moment.\n{BLOCK}\n{BLOCK}\nThere.", "On April 14, 2026.", "Bye.")
    played = modelled(OWNER, agent="text:m")
    assert [(one.tool, one.arguments) for one in of(Called, played)] == [
        ("clinic.read_record", {"patient": "P-104"})
    ] * 2
    assert [one.text for one in of(Said, played)][:2] == ["One moment.\n\n\nThere.", "On April 14, 2026."]
    first, second, third = bodies(stub)
    assert "tools" not in first
    system = first["messages"][0]["content"]
    assert system.startswith(POLICY.strip()) and '{"name": "clinic.read_record", "description": ' in system
    assert [one["role"] for one in second["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert second["messages"][2]["content"] == f"One moment.\n\n\nThere.\n\n{BLOCK}"
    assert second["messages"][3]["content"].startswith("Result of clinic.read_record:\n{")
    assert third["messages"][: len(second["messages"])] == second["messages"]


WRITTEN: list[tuple[str, list[ToolCall]]] = [
    ("Just words, with ```json\n{}\n``` in them.", []),
    ('```call\n{"tool": "mail.list"}\n```', [ToolCall(tool="mail.list")]),
    ('```call\r\n{"tool": "mail.list"}\r\n```\r\n', [ToolCall(tool="mail.list")]),
    (
        '```call\n{"tool": "mail.send", "arguments": {"to": \n```',
        [ToolCall(tool="mail.send", arguments='{"tool": "mail.send", "arguments": {"to":')],
    ),
    ('```call\n{"tool": "a.b", "arguments": [1]}\n```', [ToolCall(tool="a.b", arguments="[1]")]),
    (
        '```call\n{"tool": "a.b", "arguments": {"x": NaN}}\n```',
        [ToolCall(tool="a.b", arguments='{"tool": "a.b", "arguments": {"x": NaN}}')],
    ),
    ('```call\n{"name": "a.b"}\n```', [ToolCall(tool="", arguments='{"name": "a.b"}')]),
    ('```call\n{"tool": 7}\n```', [ToolCall(tool="", arguments='{"tool": 7}')]),
    ("```call\n[]\n```", [ToolCall(tool="", arguments="[]")]),
    ("```call\nread it\n```", [ToolCall(tool="", arguments="read it")]),
    ('```call\n{"tool": "mail.list"}', [ToolCall(tool="mail.list")]),
    ("```call\n" + "[" * 100_000, [ToolCall(tool="", arguments="[" * 100_000)]),
]


class Unasked(Model):
    """Stands where a model is needed and none is asked."""

    name = "none/none"

    async def ask(self, prompt: Prompt) -> Reply:
        raise AssertionError("it was asked")


@pytest.mark.parametrize(("text", "calls"), WRITTEN, ids=range(len(WRITTEN)))
def test_what_stands_in_a_block_is_a_call_and_nothing_is_repaired(text: str, calls: list[ToolCall]) -> None:
    action = Texting(Unasked()).understood(Reply(text=text))
    assert list(action.calls) == calls
    assert "```call" not in action.text


def test_a_malformed_block_is_shown_back_as_it_was_written(stub: Stub, modelled: Modelled) -> None:
    stub.script('```call\n{"tool": "clinic.read_record", oops}\n```', "Sorry.", "Bye.")
    played = modelled(OWNER, agent="text:m")
    assert not of(Returned, played)[0].permitted
    sent = bodies(stub)[1]["messages"]
    assert sent[-2]["content"] == '```call\n{"tool": "clinic.read_record", oops}\n```'
    assert (
        sent[-1]["content"].startswith("Result of clinic.read_record:\n") and "error" in sent[-1]["content"]
    )


def test_a_refusal_in_text_mode_is_what_it_says(stub: Stub, modelled: Modelled) -> None:
    stub.script(Refuse(BLOCK), repeat=True)
    played = modelled(OWNER, agent="text:m")
    assert not of(Called, played) and of(Said, played)[0].text == BLOCK


@given(
    st.text()
    | st.lists(st.sampled_from(["```call\n", "```\n", '{"tool": "a.b"}\n', "x\n", '"'])).map("".join)
)
def test_any_text_is_an_action(text: str) -> None:
    assert isinstance(Texting(Unasked()).understood(Reply(text=text)), Action)


@given(st.text(), st.lists(st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.dictionaries(
    st.sampled_from(["function", "name", "arguments", "id"]), inner), max_leaves=8), max_size=3))  # fmt: skip
def test_any_calls_are_an_action(text: str, calls: list[Any]) -> None:
    action = Assistant(Unasked()).understood(Reply(text=text, calls=calls))
    assert action.text == text and len(action.calls) == len(calls)
