"""An agent built with Pydantic AI, which runs its own loop.

The agent is played as it is deployed: it keeps its instructions, model, output type and tools. The scenario's policy is
added to its instructions and the scenario's tools to its tools; one of its own that has the name of a scenario's tool
(`clinic__read_record`) is hidden by it.
"""

from __future__ import annotations

import inspect
from typing import Any

from pydantic_ai import Agent, Tool
from pydantic_ai.exceptions import ContentFilterError
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    UserPromptPart,
)
from pydantic_ai.toolsets import FunctionToolset
from pydantic_core import to_json

from riskbox.sandbox.contracts.message import wire_name
from riskbox.sandbox.contracts.seat import Owner, Seat
from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.words.toolspec import ToolSpec


class PydanticAgent(Owner):
    """Plays by running a `pydantic_ai.Agent`.

    Args:
        agent: The agent. It is shared by all episodes and never changed.
    """

    def __init__(self, agent: Any) -> None:
        self.agent = agent

    @classmethod
    def check(cls, agent: Any) -> None:
        """Check that it is an agent of Pydantic AI.

        Raises:
            PluginError: it is something else.
        """
        if not isinstance(agent, Agent):
            kind = (
                f"the class {agent.__name__}"
                if inspect.isclass(agent)
                else f"an object of {type(agent).__name__}"
            )
            raise PluginError(f"pydantic-ai: needs a pydantic_ai.Agent, and was given {kind}")

    async def play(self, seat: Seat) -> None:
        """Run the agent once for each message of the user; Pydantic AI keeps the history."""
        names = {wire_name(spec.name) for spec in seat.brief.tools}
        own = [one.filtered(lambda run, tool: tool.name not in names) for one in self.agent.toolsets]
        ours: FunctionToolset[Any] = FunctionToolset([_tool(seat, spec) for spec in seat.brief.tools])
        history: list[ModelMessage] = []
        heard = await seat.hear()
        # this task has the override for itself: other episodes of the agent run in tasks of their own
        with self.agent.override(toolsets=[*own, ours], tools=[]):
            while True:
                said, history = await self._after(heard, history, seat.brief.policy)
                heard = await seat.say(said)

    async def _after(
        self, heard: str, history: list[ModelMessage], policy: str
    ) -> tuple[str, list[ModelMessage]]:
        """What the agent says, and the new history. A refusal by its provider is what it says."""
        try:
            result = await self.agent.run(heard, message_history=history, instructions=policy)
        except ContentFilterError as refused:
            said = _refusal(refused)
            answer = [ModelResponse([TextPart(said)])] if said else []
            return said, [*history, ModelRequest([UserPromptPart(heard)]), *answer]
        return _text(result.output), result.all_messages()


def _refusal(error: ContentFilterError) -> str:
    """The words of a provider's refusal; empty if there are none."""
    refused = ModelMessagesTypeAdapter.validate_json(error.body or "[]")[-1:]
    details = refused[0].provider_details if refused and isinstance(refused[0], ModelResponse) else None
    return str((details or {}).get("refusal") or "")


def _tool(seat: Seat, spec: ToolSpec) -> Tool[Any]:
    async def invoked(**arguments: Any) -> str:
        return (await seat.call(spec.name, arguments)).content

    return Tool.from_schema(invoked, wire_name(spec.name), spec.description, spec.parameters)


def _text(output: Any) -> str:
    """The agent's output as text; a typed output becomes JSON."""
    return output if isinstance(output, str) else to_json(output).decode()
