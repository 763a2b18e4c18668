"""Any callable is an agent: three forms, sync and async, and whatever they answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from riskbox.agents.function import FunctionAgent
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.episode.playing import PreparedCases, play_episode
from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.agents import participant_from
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Returned
from riskbox.sandbox.words.observation import AgentView, Observation
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"
OWNER = next(one for one in cases([load(RECORDS)]) if one.id.endswith("/owner"))


def played(agent: Any) -> Played:
    spec = Spec.of(OWNER.hash, Cast(agent="test:agent"), 1)
    seats = {"user": user("scripted", OWNER), "agent": participant_from(agent)}
    return asyncio.run(play_episode("t", spec, PreparedCases({OWNER.hash: OWNER}).of(OWNER.hash), seats, []))


def said(agent: Any) -> list[str]:
    return [line.text for line in Trajectory(played(agent).episode.events).said("agent")]


def by_messages(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    return f"{messages[-1]['content']} / {len(tools) > 3}"


async def by_messages_async(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    return by_messages(messages, tools)


def by_observation(seen: Observation) -> str:
    assert isinstance(seen.brief, AgentView)
    latest = Trajectory(seen.events).speech[-1].text
    return by_messages([{"content": latest}], [tool.function() for tool in seen.brief.tools])


async def by_observation_async(seen: Observation) -> str:
    return by_observation(seen)


class Sync:
    def __call__(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        return by_messages(messages, tools)


class Async:
    async def __call__(self, seen: Observation) -> str:
        return by_observation(seen)


FORMS: list[Any] = [
    by_messages,
    by_messages_async,
    by_observation,
    by_observation_async,
    Sync,
    Async,
    Sync(),
    Async(),
]


@pytest.mark.parametrize("agent", FORMS)
def test_every_form_plays_the_same(agent: Any) -> None:
    assert said(agent)[0] == "Hi, Dana Wu here. When is my next visit? / True"


def test_a_sync_function_runs_beside_the_loop_and_may_give_an_awaitable() -> None:
    threads = []

    def agent(seen: Observation) -> Any:
        threads.append(threading.current_thread())
        return by_observation_async(seen)

    assert len(said(agent)) == 2
    assert threading.main_thread() not in threads


def test_defaults_are_not_asked_for() -> None:
    def agent(
        messages: list[Any], tools: list[Any], temperature: float = 0.5, *, model: str = "m", **more: Any
    ) -> str:
        return f"{temperature} {model}"

    assert said(agent)[0] == "0.5 m"


@pytest.mark.parametrize(
    "agent",
    [lambda: "", lambda a, b, c: "", lambda a, *, needed: "", lambda *more: "", type("Nothing", (), {})],
)  # fmt: skip
def test_what_cannot_be_called_is_refused_at_once(agent: Callable[..., Any]) -> None:
    with pytest.raises(PluginError):
        FunctionAgent(agent)


ARGUMENTS: list[tuple[Any, Any]] = [
    ('{"patient": "P-104"}', {"patient": "P-104"}),
    ({"patient": "P-104"}, {"patient": "P-104"}),
    ("", {}),
    ('{"patient": ', '{"patient": '),
    ('["P-104"]', '["P-104"]'),
    ('{"patient": NaN}', '{"patient": NaN}'),
    ("[" * 100_000, "[" * 100_000),
    (7, "7"),
]


@pytest.mark.parametrize(("raw", "kept"), ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_arguments_are_recorded_as_they_were_sent(raw: Any, kept: Any) -> None:
    def agent(messages: list[dict[str, Any]], tools: list[Any]) -> Any:
        if any(one["role"] == "tool" for one in messages):
            return messages[-1]["content"]
        return {"tool_calls": [{"function": {"name": "clinic__read_record", "arguments": raw}}]}

    events = played(agent).episode.events
    call = next(event for event in events if isinstance(event, Called))
    assert (call.tool, call.arguments) == ("clinic.read_record", kept)
    returned = next(event for event in events if isinstance(event, Returned))
    assert returned.permitted is (kept == {"patient": "P-104"})


def test_answers_come_in_several_shapes() -> None:
    answers = iter(
        [
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "In "}, {"type": "text", "text": "parts."}],
            },
            SimpleNamespace(model_dump=lambda: {"content": "Dumped.", "leave": True}),
        ]
    )
    assert said(lambda seen: next(answers)) == ["In parts.", "Dumped."]


def test_none_waits() -> None:
    kinds = [
        event.kind
        for event in played(lambda seen: None).episode.events
        if getattr(event, "by", "") == "agent"
    ]
    assert kinds and set(kinds) == {"waited"}


@pytest.mark.parametrize(
    "answer", [7, ["text"], {"tool_calls": [{"function": {}}]}, {"tool_calls": ["x"]}, b"bytes"]
)
def test_a_malformed_answer_is_the_agents_fault_and_data(answer: Any) -> None:
    ended = played(lambda seen: answer).episode.ended
    assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED)
    assert ended.detail


def test_an_agent_that_raises_is_a_fault_with_its_words() -> None:
    def agent(seen: Observation) -> str:
        raise KeyError("no model")

    ended = played(agent).episode.ended
    assert ended.ending == "fault" and "KeyError" in ended.detail and "no model" in ended.detail


def test_an_agent_that_exits_is_a_fault_and_not_the_end_of_the_process() -> None:
    ended = played(lambda seen: sys.exit(4)).episode.ended
    assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED)
    assert "exit(4)" in ended.detail


def test_an_agent_that_never_answers_does_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text("import time\n\ndef agent(seen):\n    time.sleep(3600)\n", "utf-8")
    command = [
        sys.executable,
        "-m",
        "riskbox.sandbox.cli",
        "run",
        str(RECORDS),
        "--local",
        "--agent",
        "stuck.py:agent",
    ]
    done = subprocess.run(
        [*command, "--turn-seconds", "0.2", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] == 6


class Counting:
    made: ClassVar[list[Counting]] = []

    def __init__(self) -> None:
        self.asked, self.closed = 0, 0
        self.made.append(self)

    def __call__(self, seen: Observation) -> str:
        self.asked += 1
        return f"answer {self.asked}"

    async def close(self) -> None:
        self.closed += 1


def test_a_class_makes_one_object_an_episode_and_each_is_closed() -> None:
    Counting.made.clear()
    assert said(Counting) == said(Counting) == ["answer 1", "answer 2"]
    assert [(one.asked, one.closed) for one in Counting.made] == [(2, 1), (2, 1)]


def test_an_object_of_ones_own_is_shared_and_never_closed() -> None:
    Counting.made.clear()
    shared = Counting()
    assert said(shared)[-1] == "answer 2" and said(shared)[-1] == "answer 4"
    assert shared.closed == 0


def test_messages_are_in_the_openai_form() -> None:
    seen: list[Any] = []

    def agent(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
        seen.append((messages, tools))
        if len(seen) == 1:
            return Action(
                text="One moment.", calls=(ToolCall(tool="clinic.find_patient", arguments={"name": "Dana"}),)
            )
        return "Here."

    played(agent)
    messages, tools = seen[1]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "tool"]
    (call,) = messages[2]["tool_calls"]
    assert messages[2]["content"] == "One moment." and messages[3]["tool_call_id"] == call["id"]
    assert call["function"]["name"] in {one["function"]["name"] for one in tools}
    assert json.loads(call["function"]["arguments"]) == {"name": "Dana"}
    assert seen[1][0][: len(seen[0][0])] == seen[0][0]
