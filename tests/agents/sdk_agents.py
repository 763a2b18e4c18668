"""Agents of three SDKs as people write them, for the tests: each asks the model at RISKBOX_TEST_STUB."""

import json
import os
from typing import Any

from langchain_core.messages import AIMessage, convert_to_openai_messages
from langchain_core.runnables import RunnableConfig
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from openai import AsyncOpenAI, OpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import agents as sdk  # noqa: TID251  # the SDK is called like a folder of ours

WHERE: dict[str, Any] = {
    "base_url": os.environ.get("RISKBOX_TEST_STUB", "http://127.0.0.1:9/v1"),
    "api_key": "none",
    "max_retries": 0,
}
OWN = "You are the front desk of a clinic."

openai_agent = sdk.Agent(
    name="Front desk",
    instructions=OWN,
    model=sdk.OpenAIChatCompletionsModel("openai-agents", openai_client=AsyncOpenAI(**WHERE)),
)

pydantic_agent = Agent(
    OpenAIChatModel("pydantic-ai", provider=OpenAIProvider(openai_client=AsyncOpenAI(**WHERE))),
    instructions=OWN,
)


def _request(messages: Any, tools: Any) -> dict[str, Any]:
    return {
        "model": "langgraph",
        "messages": [{"role": "system", "content": OWN}, *convert_to_openai_messages(messages)],
        "tools": [convert_to_openai_tool(tool) for tool in tools],
    }


def _reply(message: Any) -> dict[str, Any]:
    calls = [
        {"name": one.function.name, "args": json.loads(one.function.arguments), "id": one.id}
        for one in message.tool_calls or ()
    ]
    return {"messages": [AIMessage(message.content or "", tool_calls=calls)]}


def make(tools: Any, policy: str) -> Any:
    """A graph of a model and its tools, made for an episode."""

    async def model(state: MessagesState) -> dict[str, Any]:
        async with AsyncOpenAI(**WHERE) as client:
            asked = _request([("system", policy), *state["messages"]], tools)
            return _reply((await client.chat.completions.create(**asked)).choices[0].message)

    graph = StateGraph(MessagesState)
    graph.add_node("model", model)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile()


def model_of_config(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
    """A node that is not async and finds its tools in its config."""
    with OpenAI(**WHERE) as client:
        asked = _request(state["messages"], config["configurable"]["tools"])
        return _reply(client.chat.completions.create(**asked).choices[0].message)


def tools_of_config(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
    """Calls them in the thread that it runs in."""
    by_name = {tool.name: tool for tool in config["configurable"]["tools"]}
    last = state["messages"][-1]
    assert isinstance(last, AIMessage)
    return {"messages": [by_name[call["name"]].invoke(call) for call in last.tool_calls]}


_ready = StateGraph(MessagesState)
_ready.add_node("model", model_of_config)
_ready.add_node("tools", tools_of_config)
_ready.add_edge(START, "model")
_ready.add_conditional_edges("model", tools_condition)
_ready.add_edge("tools", "model")
uncompiled = _ready
compiled = _ready.compile()
