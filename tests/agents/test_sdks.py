"""Agents of the OpenAI Agents SDK, LangGraph and Pydantic AI: their own loops, real requests, our tools."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import agents as sdk  # noqa: TID251  # the SDK is called like a folder of ours
from riskbox.agents.langgraph import Graph
from riskbox.agents.openai_agents import OpenAIAgent
from riskbox.agents.pydantic_ai import PydanticAgent
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.playing import PreparedCases, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.agents import check_agent_name
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.stub.script import CallTool, Fail, Refuse, Say, SayJson
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Noted, Returned
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

if TYPE_CHECKING:
    from riskbox.sandbox.stub.request import StubRequest
    from riskbox.sandbox.stub.server import Stub

SDKS = Path(__file__).parent / "sdk_agents.py"
NAMES = {
    "openai-agents": f"openai-agents:{SDKS}:openai_agent",
    "langgraph": f"langgraph:{SDKS}:make",
    "langgraph ready-made": f"langgraph:{SDKS}:compiled",
    "langgraph uncompiled": f"langgraph:{SDKS}:uncompiled",
    "pydantic-ai": f"pydantic-ai:{SDKS}:pydantic_agent",
}
OWN = "You are the front desk of a clinic."
LOOK_UP = CallTool("clinic__read_record", {"patient": "P-104"})
RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"
CASE = next(one for one in cases([load(RECORDS)]) if one.id.endswith("/owner"))


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is there, as where the agents are deployed; nothing may be sent with it but to the stub."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def client(stub: Stub) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{stub.url}/v1", api_key="none", max_retries=0)


def openai_agent(stub: Stub, **more: Any) -> Any:
    return sdk.Agent(
        name="Desk", model=sdk.OpenAIChatCompletionsModel("m", openai_client=client(stub)), **more
    )


def pydantic_agent(stub: Stub, **more: Any) -> Any:
    return Agent(OpenAIChatModel("m", provider=OpenAIProvider(openai_client=client(stub))), **more)


async def playing(agent: Participant, case: Case = CASE) -> Played:
    spec = Spec.of(case.hash, Cast(agent="test:agent"), 1)
    seats = {"user": user("scripted", case), "agent": agent}
    return await play_episode(
        "t", spec, PreparedCases({case.hash: case}).of(case.hash), seats, [], Timeouts(turn=60)
    )


def played(agent: Participant) -> Played:
    async def alone() -> Played:
        one = await playing(agent)
        # the SDKs' own tasks end in a moment; none may wait for anything of the episode
        for _ in range(100):
            left = asyncio.all_tasks() - {asyncio.current_task()}
            if not left:
                return one
            await asyncio.sleep(0.01)
        raise AssertionError(f"left behind: {left}")

    return asyncio.run(alone())


def said(one: Played) -> list[str]:
    return [line.text for line in Trajectory(one.episode.events).said("agent")]


def calls(one: Played) -> list[Called]:
    return [event for event in one.episode.events if isinstance(event, Called)]


# --- all of them ------------------------------------------------------------------------------------------------


Make = Callable[["Stub"], Participant]


def _openai(stub: Stub) -> Participant:
    return OpenAIAgent(openai_agent(stub, instructions=OWN))


def _pydantic(stub: Stub) -> Participant:
    return PydanticAgent(pydantic_agent(stub, instructions=OWN))


def _graphs(stub: Stub) -> Any:
    """The file of agents, as a module of its own that asks this stub."""
    spec = importlib.util.spec_from_file_location("sdk_agents_here", SDKS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.WHERE["base_url"] = f"{stub.url}/v1"
    return module


def _langgraph(stub: Stub) -> Participant:
    return Graph(_graphs(stub).make)


MAKE: dict[str, Make] = {"openai-agents": _openai, "langgraph": _langgraph, "pydantic-ai": _pydantic}
MAKE_MORE: dict[str, Make] = {
    **MAKE,
    "langgraph ready-made": lambda stub: Graph(_graphs(stub).compiled),
    "langgraph uncompiled": lambda stub: Graph(_graphs(stub).uncompiled),
}


@pytest.mark.parametrize("kind", MAKE_MORE)
def test_a_real_loop_plays_with_our_tools_and_keeps_its_history(kind: str, stub: Stub) -> None:
    stub.script(LOOK_UP, "On 2026-04-14.", "Anything else?")
    one = played(MAKE_MORE[kind](stub))
    assert said(one) == ["On 2026-04-14.", "Anything else?"] and one.episode.ended.reason == "user_left"
    assert [(call.tool, call.arguments) for call in calls(one)] == [
        ("clinic.read_record", {"patient": "P-104"})
    ]
    first, second, third = stub.requests
    offered = {tool.name: tool.parameters for tool in first.tools}
    assert "patient" in offered["clinic__read_record"]["properties"]
    assert "You are the front desk" in first.system and "Share a record only" in first.system
    assert told(second) == ["user", "assistant", "tool"]
    assert json.loads(second.messages[-1].text)["name"] == "Dana Wu"
    # nothing is left out of the next turn
    assert told(third) == ["user", "assistant", "tool", "assistant", "user"]


def told(request: StubRequest) -> list[str]:
    return [one.role for one in request.messages if one.role != "system"]


@pytest.fixture(params=MAKE)
def agent(request: pytest.FixtureRequest, stub: Stub) -> Participant:
    return MAKE[request.param](stub)


def test_calls_side_by_side_are_one_move(agent: Participant, stub: Stub) -> None:
    stub.script(Say(calls=(LOOK_UP, CallTool("clinic__find_patient", {"name": "Dana"}))), "Here.", "Bye.")
    one = played(agent)
    assert sorted(call.tool for call in calls(one)) == ["clinic.find_patient", "clinic.read_record"]
    moves = [given.action.calls for given in one.episode.inputs if getattr(given, "by", "") == "agent"]  # type: ignore[union-attr]
    assert len(moves[0]) == 2 and said(one)[0] == "Here."


def test_a_refused_call_is_told_to_the_model(agent: Participant, stub: Stub) -> None:
    stub.script(CallTool("clinic__read_record", {"patient": "P-9"}), "There is none.", "Bye.")
    one = played(agent)
    returned = next(event for event in one.episode.events if isinstance(event, Returned))
    assert not returned.ok
    assert "error" in stub.requests[1].messages[-1].text
    assert said(one)[0] == "There is none."


def test_a_tool_that_does_not_exist_is_told_to_the_model(agent: Participant, stub: Stub) -> None:
    stub.script(CallTool("clinic__burn"), "I cannot.", "Bye.")
    one = played(agent)
    assert said(one)[0] == "I cannot." and one.episode.ended.reason == "user_left"


def test_a_limit_ends_a_loop_that_would_go_on(agent: Participant, stub: Stub) -> None:
    stub.script(LOOK_UP, repeat=True)
    one = played(agent)
    # the call beyond the limit is recorded as it was asked for, and not carried out
    assert len(calls(one)) == CASE.scenario.limits.tool_calls + 1
    assert one.episode.ended.reason == "tool_calls"


def test_a_model_that_cannot_be_reached_is_a_fault(agent: Participant, stub: Stub) -> None:
    stub.script(Fail(400, message="no such model"), repeat=True)
    ended = played(agent).episode.ended
    assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED) and "no such model" in ended.detail


def test_episodes_of_one_agent_play_side_by_side(stub: Stub) -> None:
    stub.script(
        lambda request: LOOK_UP if request.messages[-1].role == "user" else f"I read {request.messages[-1].text}",
        repeat=True,
    )  # fmt: skip
    shared = [openai_agent(stub), pydantic_agent(stub)]
    before = [(one.tools if isinstance(one, sdk.Agent) else one.toolsets) for one in shared]

    async def all_of_them() -> list[Played]:
        made = [OpenAIAgent(shared[0]) for _ in range(5)] + [PydanticAgent(shared[1]) for _ in range(5)]
        return await asyncio.gather(*map(playing, made), playing(_langgraph(stub)))

    for one in asyncio.run(all_of_them()):
        assert len(said(one)) == 2 and all('"Dana Wu"' in line for line in said(one))
        assert [call.tool for call in calls(one)] == ["clinic.read_record"] * 2
    assert [len(one.tools if isinstance(one, sdk.Agent) else one.toolsets) for one in shared] == [
        len(one) for one in before
    ]


COEXIST = """
import sys
import a2a.client, agents, langgraph.graph, litellm, mcp, openai, pydantic_ai, ray
from riskbox.sandbox.registry.agents import ADAPTERS, _adapted
kinds = [_adapted(kind) for kind in ADAPTERS]
assert agents.Agent and pydantic_ai.Agent and "site-packages" in agents.__file__
from riskbox.sandbox.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.long
def test_all_extras_live_in_one_process(stub: Stub, records: Path, tmp_path: Path) -> None:
    stub.script(
        lambda request: LOOK_UP if request.messages[-1].role == "user" else "On 2026-04-14.",
        repeat=True,
    )
    named = [word for name in NAMES.values() for word in ("--agent", name)]
    models = ["--agent", f"{stub.url}/v1#honest"]
    words = [sys.executable, "-c", COEXIST, "run", str(records), "--persona", "owner", "--variant", "none"]
    done = subprocess.run(
        [*words, *named, *models, "--local"],
        cwd=SDKS.parent.parent.parent,  # where folders are called like packages
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **os.environ,
            "RISKBOX_TEST_STUB": f"{stub.url}/v1",
            "OPENAI_API_KEY": "none",
            "RISKBOX_STORE": f"sqlite:///{tmp_path}/runs.db",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6/6 episodes" in done.stdout + done.stderr and "faults 0" in done.stdout + done.stderr
    assert {one.model for one in stub.requests} == {"openai-agents", "langgraph", "pydantic-ai", "honest"}


WRONG = [
    ("openai-agents:{}:pydantic_agent", r"needs an agents\.Agent .* an object of Agent"),
    ("openai-agents:{}:make", "an object of function"),
    ("pydantic-ai:{}:openai_agent", r"needs a pydantic_ai\.Agent"),
    ("pydantic-ai:{}:Agent", "the class Agent"),
    ("langgraph:{}:OWN", "needs a graph, or a function make"),
    ("langgraph:{}:_reply", r"takes \(tools, policy\); this one takes \(message"),
    ("langgraph:{}:nothing", "has no 'nothing'"),
    ("langgraph:{}", "does not have the form|there is no file"),
]


@pytest.mark.parametrize(("name", "told"), WRONG)
def test_what_is_no_agent_is_told_before_anything_is_played(name: str, told: str) -> None:
    with pytest.raises(PluginError, match=told):
        check_agent_name(name.format(SDKS))


# --- the OpenAI Agents SDK ----------------------------------------------------------------------------------------


def test_openai_malformed_arguments_are_recorded_as_they_were_sent(stub: Stub) -> None:
    stub.script(CallTool("clinic__read_record", '{"patient": '), "Sorry.", "Bye.")
    one = played(OpenAIAgent(openai_agent(stub)))
    assert [call.arguments for call in calls(one)] == ['{"patient": '] and said(one)[0] == "Sorry."


def test_openai_own_tools_stay_and_one_of_the_same_name_gives_way(stub: Stub) -> None:
    called: list[str] = []

    @sdk.function_tool
    def opening_hours() -> str:
        called.append("hours")
        return "nine to five"

    @sdk.function_tool
    def clinic__read_record(patient: str) -> str:
        called.append("the real record")
        return "real"

    stub.script(CallTool("opening_hours"), LOOK_UP, "Here.", "Bye.")
    one = played(OpenAIAgent(openai_agent(stub, tools=[opening_hours, clinic__read_record])))
    assert called == ["hours"] and [call.tool for call in calls(one)] == ["clinic.read_record"]


def test_openai_handoffs_take_the_tools_and_the_policy_along_and_last(stub: Stub) -> None:
    def own(run: Any, agent: Any) -> str:
        return f"You are {agent.name}."

    records_desk = openai_agent(stub, instructions=own).clone(name="Records")
    billing = openai_agent(stub, instructions="Bills.").clone(name="Billing")
    front = openai_agent(stub, handoffs=[records_desk, sdk.handoff(billing)])
    records_desk.handoffs = [front]  # in a circle
    stub.script(
        CallTool("transfer_to_records"), LOOK_UP, "On 2026-04-14.",
        CallTool("transfer_to_desk"), CallTool("transfer_to_billing"), LOOK_UP, "Bye.",
    )  # fmt: skip
    one = played(OpenAIAgent(front))
    assert said(one) == ["On 2026-04-14.", "Bye."] and len(calls(one)) == 2
    heard = [request.system for request in stub.requests]
    assert heard[1].startswith("You are Records.\n\nShare a record only")
    assert heard[3].startswith("You are Records.")  # the next turn begins where the last one ended
    assert heard[5].startswith("Bills.\n\nShare a record only")
    assert records_desk.tools == [] and records_desk.handoffs == [front]


def test_openai_a_refusal_is_what_it_says(stub: Stub) -> None:
    stub.script(Refuse("I won't."), "Bye.")
    one = played(OpenAIAgent(openai_agent(stub)))
    assert said(one) == ["I won't.", "Bye."]
    assert stub.requests[1].messages[-2].text == "I won't."


def test_openai_a_guardrail_that_stops_it_is_no_fault(stub: Stub) -> None:
    @sdk.input_guardrail
    async def guard(run: Any, agent: Any, given: Any) -> Any:
        return sdk.GuardrailFunctionOutput(output_info="no", tripwire_triggered="When is" in str(given[-1]))

    stub.script("Anyway.", repeat=True)
    one = played(OpenAIAgent(openai_agent(stub, input_guardrails=[guard])))
    assert said(one) == ["Anyway."] and one.episode.ended.reason == "user_left"
    (note,) = [e.text for e in one.episode.events if isinstance(e, Noted) and e.by == "agent"]
    assert "InputGuardrailTripwireTriggered" in note


def test_openai_a_call_that_a_person_must_approve_is_a_fault_that_says_so(stub: Stub) -> None:
    @sdk.function_tool(needs_approval=True)
    def refund() -> str:
        return "done"

    stub.script(CallTool("refund"))
    ended = played(OpenAIAgent(openai_agent(stub, tools=[refund]))).episode.ended
    assert ended.ending == "fault" and "approve refund" in ended.detail


class Visit(BaseModel):
    """A typed output."""

    day: str


def test_openai_a_typed_output_is_said_as_json(stub: Stub) -> None:
    stub.script(SayJson({"day": "2026-04-14"}), SayJson({"day": "never"}))
    assert said(played(OpenAIAgent(openai_agent(stub, output_type=Visit))))[0] == '{"day": "2026-04-14"}'


# --- Pydantic AI --------------------------------------------------------------------------------------------------


def test_pydantic_own_tools_stay_and_one_of_the_same_name_gives_way(stub: Stub) -> None:
    called: list[str] = []

    def opening_hours() -> str:
        called.append("hours")
        return "nine to five"

    def clinic__read_record(patient: str) -> str:
        called.append("the real record")
        return "real"

    mine = pydantic_agent(stub, tools=[opening_hours, clinic__read_record])
    stub.script(CallTool("opening_hours"), LOOK_UP, "Here.", "Bye.")
    one = played(PydanticAgent(mine))
    assert called == ["hours"] and [call.tool for call in calls(one)] == ["clinic.read_record"]


def test_pydantic_a_refusal_is_what_it_says(stub: Stub) -> None:
    stub.script(Refuse("I won't."), "Bye.")
    one = played(PydanticAgent(pydantic_agent(stub)))
    assert said(one) == ["I won't.", "Bye."]
    assert [message.text for message in stub.requests[1].messages][-2] == "I won't."


def test_pydantic_a_typed_output_is_said_as_json(stub: Stub) -> None:
    stub.script(CallTool("final_result", {"day": "2026-04-14"}), CallTool("final_result", {"day": "never"}))
    assert said(played(PydanticAgent(pydantic_agent(stub, output_type=Visit))))[0] == '{"day":"2026-04-14"}'


# --- LangGraph ----------------------------------------------------------------------------------------------------


def echo(state: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage(f"{len(state['messages'])} messages")]}


def graph_of(node: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    return graph


def test_langgraph_keeps_nothing_in_the_memory_it_is_deployed_with() -> None:
    memory = InMemorySaver()
    graph = graph_of(echo).compile(checkpointer=memory)
    # the policy and the line; then the answer and the next line with them
    assert said(played(Graph(graph))) == ["2 messages", "4 messages"]
    assert said(played(Graph(graph))) == ["2 messages", "4 messages"]
    assert list(memory.list(None)) == [] and graph.checkpointer is memory


def test_langgraph_an_interrupt_asks_the_user() -> None:
    def asks(state: MessagesState) -> dict[str, Any]:
        answer = interrupt({"question": "Born when?"})
        return {"messages": [AIMessage(f"You said: {answer}")]}

    one = played(Graph(graph_of(asks)))
    assert said(one) == ['{"question": "Born when?"}', "You said: It's Dana Wu, born first of June 1987."]


def test_langgraph_a_factory_may_be_async_and_leave_compiling_to_us() -> None:
    async def make(tools: Any, policy: str) -> Any:
        assert {"clinic__read_record"} <= {tool.name for tool in tools} and "Share a record" in policy
        return graph_of(echo)

    Graph.check(make)
    assert said(played(Graph(make))) == ["1 messages", "3 messages"]


def silent(state: MessagesState) -> dict[str, Any]:
    return {"messages": []}


BAD = [
    (lambda tools, policy: "no graph", "made an object of str"),
    (graph_of(silent), "without a message of its own"),
]


@pytest.mark.parametrize(("graph", "told"), BAD, ids=["no graph", "no message"])
def test_langgraph_what_is_no_graph_or_says_nothing_is_a_fault(graph: Any, told: str) -> None:
    ended = played(Graph(graph)).episode.ended
    assert ended.ending == "fault" and told in ended.detail
