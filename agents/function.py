"""An agent that is any Python callable.

Three forms are taken:

    def agent(messages, tools): ...      # chat messages and tools in the OpenAI form; the commonest
    def agent(seen): ...                 # an Observation
    class Agent: def __call__(...)       # one object an episode, in either form; may have an async close()

Each may be async. It answers with text, an `Action`, or an assistant message with `tool_calls`.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections.abc import Callable
from typing import Any

from riskbox.sandbox.contracts.message import action, functions, messages
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import ParticipantFault, PluginError
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.observation import Observation


class FunctionAgent(Participant):
    """Plays by calling a function.

    Args:
        function: The callable, or a class that makes one for each episode.

    Raises:
        PluginError: it cannot be called with what an agent is given.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.session = inspect.isclass(function)
        self.continuity = "session" if self.session else "stateless"
        self.call: Callable[..., Any] = function() if self.session else function
        if not callable(self.call):
            raise PluginError(
                f"objects of the class {type(self.call).__qualname__} cannot be called. Add a __call__ method that takes "
                "(messages, tools) or (observation), or derive the class from Participant."
            )
        self.takes = _takes(self.call)
        target = self.call if inspect.isroutine(self.call) else type(self.call).__call__
        self.is_async = inspect.iscoroutinefunction(target)

    async def act(self, seen: Observation) -> Action:
        """Call the function for the next move; a function that is not async runs in a thread."""
        given = (messages(seen), functions(seen)) if self.takes == 2 else (seen,)
        try:
            answer = self.call(*given) if self.is_async else await _threaded(self.call, *given)
            return action(await answer if inspect.isawaitable(answer) else answer)
        except SystemExit as error:
            # it would end the whole process
            raise ParticipantFault(f"the agent's code called exit({error.code})") from None

    async def close(self) -> None:
        """Closes the object behind it, where it is one an episode."""
        closing = getattr(self.call, "close", None) if self.session else None
        if callable(closing):
            done = closing()
            if inspect.isawaitable(done):
                await done


async def _threaded(call: Callable[..., Any], *given: Any) -> Any:
    """What a call answers in a thread of its own: one that never answers does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def settle(answer: Any, error: BaseException | None) -> None:
        if not answered.done():
            answered.set_result((answer, error))

    def work() -> None:
        answer, raised = None, None
        try:
            answer = call(*given)
        except BaseException as error:  # it is raised again below, where it is waited for
            raised = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, answer, raised)

    threading.Thread(
        target=contextvars.copy_context().run, args=(work,), name="riskbox-agent", daemon=True
    ).start()
    answer, error = await answered
    if error is not None:
        raise error
    return answer


def _takes(call: Callable[..., Any]) -> int:
    """How many things the callable wants: an observation, or messages and tools."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return 1
    needed = [
        p
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    others = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if others or len(needed) not in (1, 2):
        raise PluginError(
            f"an agent takes (messages, tools) or (observation); this one takes {inspect.signature(call)}"
        )
    return len(needed)
