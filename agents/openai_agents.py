"""An agent built with the OpenAI Agents SDK, which runs the SDK's own loop.

The agent is played as it is deployed: it keeps its instructions, model, guardrails, handoffs and tools. The scenario's
policy is added to its instructions and the scenario's tools to its tools; one of its own that has the name of a
scenario's tool (`clinic__read_record`) is replaced by it. The agents it hands off to get the same.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from dataclasses import dataclass
from typing import Any

import agents as sdk  # noqa: TID251  # the SDK is called like a folder of ours
from riskbox.sandbox.contracts.message import wire_name
from riskbox.sandbox.contracts.seat import Owner, Seat
from riskbox.sandbox.errors import ParticipantFault, PluginError
from riskbox.sandbox.words.toolspec import ToolSpec

GUARDED = (
    sdk.InputGuardrailTripwireTriggered,
    sdk.OutputGuardrailTripwireTriggered,
    sdk.ToolInputGuardrailTripwireTriggered,
    sdk.ToolOutputGuardrailTripwireTriggered,
)
"""What the SDK raises when a guardrail stops the agent."""


class OpenAIAgent(Owner):
    """Plays by running an `agents.Agent`.

    Args:
        agent: The agent. It is shared by all episodes and never changed; each episode plays a copy.
    """

    def __init__(self, agent: Any) -> None:
        self.agent = agent

    @classmethod
    def check(cls, agent: Any) -> None:
        """Check that it is an agent of the SDK.

        Raises:
            PluginError: it is something else.
        """
        if not isinstance(agent, sdk.Agent):
            raise PluginError(
                f"openai-agents: needs an agents.Agent of the OpenAI Agents SDK, and was given {_kind(agent)}"
            )

    async def play(self, seat: Seat) -> None:
        """Run the agent once for each message of the user; the SDK keeps the history."""
        turn = _Turn(_Troupe(seat).copy(self.agent), [])
        heard = await seat.hear()
        while True:
            turn = await turn.after(heard)
            heard = await seat.say(turn.said, turn.note)


@dataclass(frozen=True)
class _Turn:
    """Where the conversation stands after a run: whose turn it is, all that was said, and what was said last."""

    agent: Any
    history: list[Any]
    said: str = ""
    note: str = ""

    async def after(self, heard: str) -> _Turn:
        """One run of the SDK. A model's refusal is what it says; a guardrail that stops it lets it say nothing.

        Raises:
            ParticipantFault: it waits for somebody to approve a call.
            Exception: whatever the SDK or the agent's code raises.
        """
        asked = [*self.history, {"role": "user", "content": heard}]
        try:
            result = await sdk.Runner.run(self.agent, asked, max_turns=None, run_config=_config())
        except sdk.ModelRefusalError as refused:
            return self._stopped(asked, refused.refusal)
        except GUARDED as stopped:
            return self._stopped(asked, "", f"{type(stopped).__name__}: {stopped}")
        if result.interruptions:
            names = ", ".join(str(one.name) for one in result.interruptions)
            raise ParticipantFault(f"the agent waits for a person to approve {names}, and there is none")
        return _Turn(result.last_agent, result.to_input_list(), _text(result.final_output))

    def _stopped(self, asked: list[Any], said: str, note: str = "") -> _Turn:
        return _Turn(
            self.agent, [*asked, {"role": "assistant", "content": said}] if said else asked, said, note
        )


def _config() -> Any:
    """No traces leave the machine, and a tool that does not exist is the model's mistake, not an error of ours.

    The number of its turns is not limited either: the episode has its own limits.
    """
    return sdk.RunConfig(tracing_disabled=True, tool_not_found_behavior="return_error_to_model")


class _Troupe:
    """Copies of an agent and of those it hands off to, each with the tools and the policy of a seat."""

    def __init__(self, seat: Seat) -> None:
        self.policy = seat.brief.policy
        self.tools: list[Any] = [_tool(seat, spec) for spec in seat.brief.tools]
        self.copies: dict[int, Any] = {}

    def copy(self, agent: Any) -> Any:
        """The copy of an agent, which is made once: agents may hand off in circles."""
        if id(agent) not in self.copies:
            names = {tool.name for tool in self.tools}
            own = [tool for tool in agent.tools if tool.name not in names]
            made = agent.clone(tools=[*own, *self.tools], instructions=_instructed(agent, self.policy))
            self.copies[id(agent)] = self.copies[id(made)] = made
            made.handoffs = [self._handoff(one) for one in agent.handoffs]
        return self.copies[id(agent)]

    def _handoff(self, one: Any) -> Any:
        if isinstance(one, sdk.Agent):
            return self.copy(one)

        async def invoked(run: Any, arguments: str) -> Any:
            return self.copy(await one.on_invoke_handoff(run, arguments))

        return dataclasses.replace(one, on_invoke_handoff=invoked)


def _tool(seat: Seat, spec: ToolSpec) -> Any:
    async def invoked(run: Any, arguments: str) -> str:
        return (await seat.call(spec.name, arguments)).content

    return sdk.FunctionTool(
        name=wire_name(spec.name),
        description=spec.description,
        params_json_schema=spec.parameters,
        on_invoke_tool=invoked,
        strict_json_schema=False,
    )


def _instructed(agent: Any, policy: str) -> Any:
    """The agent's own instructions, which may be a function, and the policy after them."""
    own = agent.instructions
    if not callable(own):
        return _joined(own, policy)

    async def made(run: Any, of: Any) -> str:
        told = own(run, of)
        return _joined(await told if inspect.isawaitable(told) else told, policy)

    return made


def _joined(own: str | None, policy: str) -> str:
    return f"{own}\n\n{policy}" if own else policy


def _text(output: Any) -> str:
    """The agent's output as text; a typed output becomes JSON."""
    if isinstance(output, str):
        return output
    value = output.model_dump(mode="json") if hasattr(output, "model_dump") else output
    return json.dumps(value, ensure_ascii=False, default=str)


def _kind(thing: Any) -> str:
    return f"the class {thing.__name__}" if inspect.isclass(thing) else f"an object of {type(thing).__name__}"
