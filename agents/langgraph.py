"""An agent that is a LangGraph graph, which runs its own loop.

    def make(tools, policy):                       # the scenario's tools and policy, for each episode
        return create_agent(model, tools, system_prompt=policy)

A graph takes `messages` and answers with `messages`. One that is given ready-made cannot be given other tools: it finds
the scenario's in its config, as `config["configurable"]["tools"]`, and is told the policy as a system message at the
beginning. A factory is better.
"""

from __future__ import annotations

import inspect
import json
import uuid
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from langgraph.types import Command

from riskbox.sandbox.contracts.message import wire_name
from riskbox.sandbox.contracts.seat import Owner, Seat
from riskbox.sandbox.errors import ParticipantFault, PluginError
from riskbox.sandbox.words.toolspec import ToolSpec


class Graph(Owner):
    """Plays by running a graph.

    Args:
        graph: A graph, compiled or not, or a function of tools and policy that makes one, async or not.
    """

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    @classmethod
    def check(cls, graph: Any) -> None:
        """Make sure that it is a graph, or a function that takes what makes one.

        Raises:
            PluginError: it is something else.
        """
        if isinstance(graph, StateGraph | Pregel):
            return
        if not callable(graph) or inspect.isclass(graph):
            raise PluginError(
                f"langgraph: needs a graph, or a function make(tools, policy) that returns one, and was given {graph!r}"
            )
        try:
            inspect.signature(graph).bind((), "")
        except TypeError:
            raise PluginError(
                f"langgraph: a function that makes a graph takes (tools, policy); this one takes "
                f"{inspect.signature(graph)}"
            ) from None

    async def play(self, seat: Seat) -> None:
        """Run the graph once for each message of the user; an in-memory checkpointer keeps the history."""
        tools = [_tool(seat, spec) for spec in seat.brief.tools]
        is_made = not isinstance(self.graph, StateGraph | Pregel)
        graph = _ready(await self._made(tools, seat.brief.policy) if is_made else self.graph)
        config: Any = {
            "configurable": {"thread_id": uuid.uuid4().hex, "tools": tools, "policy": seat.brief.policy}
        }
        first = [] if is_made else [SystemMessage(seat.brief.policy)]
        given: Any = {"messages": [*first, HumanMessage(await seat.hear())]}
        while True:
            state = await graph.ainvoke(given, config)
            paused = state.get("__interrupt__") if isinstance(state, dict) else None
            heard = await seat.say(_shown(paused[0].value) if paused else _text(state))
            given = Command(resume=heard) if paused else {"messages": [HumanMessage(heard)]}

    async def _made(self, tools: list[StructuredTool], policy: str) -> Any:
        made = self.graph(tools, policy)
        return await made if inspect.isawaitable(made) else made


def _ready(graph: Any) -> Any:
    """The graph with a memory of this episode alone, never the memory that it is deployed with."""
    memory = InMemorySaver()
    if isinstance(graph, StateGraph):
        return graph.compile(checkpointer=memory)
    if isinstance(graph, Pregel):
        return graph.copy({"checkpointer": memory})
    raise ParticipantFault(f"the function that makes a graph made an object of {type(graph).__name__}")


def _tool(seat: Seat, spec: ToolSpec) -> StructuredTool:
    async def invoked(**arguments: Any) -> str:
        return (await seat.call(spec.name, arguments)).content

    def invoked_in_a_thread(**arguments: Any) -> str:
        return seat.call_blocking(spec.name, arguments).content

    return StructuredTool(
        name=wire_name(spec.name),
        description=spec.description,
        args_schema=spec.parameters,
        func=invoked_in_a_thread,
        coroutine=invoked,
    )


def _text(state: Any) -> str:
    """What the graph said last."""
    told = state.get("messages") if isinstance(state, dict) else None
    if not told or not isinstance(told[-1], AIMessage):
        raise ParticipantFault("the graph ended without a message of its own at the end of `messages`")
    return str(told[-1].text)


def _shown(value: Any) -> str:
    """What an interrupt asks."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
