"""The space of actions, and the reading of whatever a caller gives as one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import gymnasium
from gymnasium.error import InvalidAction
from pydantic import ValidationError

from riskbox.sandbox.authoring.sample import NoSample, draw
from riskbox.sandbox.contracts import message
from riskbox.sandbox.errors import ParticipantFault, did_you_mean
from riskbox.sandbox.gym.sentences import sentence
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.toolspec import ToolSpec

DEEPEST = 100
"""How deep the arguments of a call may be nested."""

_OWN = frozenset(Action.model_fields)
_MESSAGE = frozenset({"role", "content", "tool_calls"})


class ActionSpace(gymnasium.Space[Action]):
    """Everything an agent can do at once: words, tool calls in order, leaving, waiting.

    Its members are all actions that can be recorded, whether or not the tools they call exist: an agent may err, and
    is told so by the tool. Two such spaces are therefore equal, and environments of different scenarios make one
    vector. `tools` is only what `sample` calls.

    Args:
        tools: The tools to call in samples.
        seed: Seeds `sample`.
    """

    def __init__(self, tools: Iterable[ToolSpec] = (), seed: int | None = None) -> None:
        self.tools = tuple(tools)
        super().__init__(seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Never: text has no shape."""
        return False

    def contains(self, x: Any) -> bool:
        """Whether it is an `Action` that can be recorded as JSON."""
        return isinstance(x, Action) and not unrecordable(x)

    def sample(self, mask: None = None, probability: None = None) -> Action:
        """Some words, calls of offered tools with arguments that fit their schemas, both, or neither."""
        if mask is not None or probability is not None:
            raise ValueError("words and calls cannot be masked or weighted")
        random = Random(int(self.np_random.integers(2**63)))
        count = random.choice((0, 0, 1, 2)) if self.tools else 0
        calls = tuple([_call(random.choice(self.tools), random) for _ in range(count)])
        text = sentence(random) if random.random() < 0.6 else ""
        return Action(text=text, calls=calls, leave=random.random() < 0.02)

    def to_jsonable(self, sample_n: Iterable[Action]) -> list[Any]:
        """Actions as JSON."""
        return [one.model_dump(mode="json") for one in sample_n]

    def from_jsonable(self, sample_n: list[Any]) -> list[Action]:
        """Actions from JSON."""
        return [Action.model_validate(one) for one in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActionSpace)

    def __repr__(self) -> str:
        return f"ActionSpace({', '.join(spec.name for spec in self.tools)})"


def _call(spec: ToolSpec, random: Random) -> ToolCall:
    """A call with arguments that fit; with none where the schema is beyond us, and the tool will say what is missing."""
    try:
        return ToolCall(tool=spec.name, arguments=draw(spec.parameters, random))
    except NoSample:
        return ToolCall(tool=spec.name)


def read_action(given: Any) -> Action:
    """An action from any of the forms a caller may give.

    Raises:
        InvalidAction: it is none of them; with what to give.
    """
    if hasattr(given, "model_dump") and not isinstance(given, Action):
        given = given.model_dump()
    if given is None:
        raise InvalidAction("None is not an action; an agent that waits does Action().")
    if isinstance(given, Mapping):
        _check_keys(given)
    try:
        if isinstance(given, Mapping) and given.keys() <= _OWN:
            found = Action.model_validate(given)
        else:
            found = message.action(dict(given) if isinstance(given, Mapping) else given)
    except ValidationError as error:
        told = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
        raise InvalidAction(f"Not an action: {'; '.join(told)}.") from None
    except (ParticipantFault, TypeError, AttributeError) as error:
        raise InvalidAction(f"Not an action: {error}.") from None
    if wrong := unrecordable(found):
        raise InvalidAction(wrong)
    return found


def _check_keys(given: Mapping[Any, Any]) -> None:
    keys = set(map(str, given))
    if keys <= _OWN or (keys & _MESSAGE and not keys & (_OWN - {"leave"})):
        return
    if keys & _MESSAGE:
        mixed = ", ".join(sorted(keys & (_OWN | _MESSAGE)))
        raise InvalidAction(
            f"An action has the keys of Action or those of an assistant message, not both: {mixed}."
        )
    unknown = sorted(keys - _OWN)[0]
    raise InvalidAction(f"An action has no key {unknown!r}. {did_you_mean(unknown, _OWN | _MESSAGE)}")


def unrecordable(action: Action) -> str:
    """Why an action cannot be recorded; empty if it can. Actions made without validation may hold anything."""
    words = isinstance(action.text, str) and isinstance(action.note, str) and isinstance(action.leave, bool)
    if not words or not isinstance(action.calls, tuple):
        return "An action contains text, calls, leave and note; one of them has the wrong type."
    for place, call in enumerate(action.calls):
        if not isinstance(call, ToolCall) or not isinstance(call.tool, str):
            return f"calls[{place}] is not a ToolCall."
        if not isinstance(call.arguments, dict | str) or not _is_json(call.arguments):
            return (
                f"calls[{place}].arguments is not JSON: an object of text, finite numbers, true, false, null, lists "
                f"and objects, nested at most {DEEPEST} deep; or the text that an agent sent instead."
            )
    return ""


def _is_json(value: Any, deep: int = 0) -> bool:
    if deep > DEEPEST:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(one, deep + 1) for key, one in value.items())
    if isinstance(value, list):
        return all(_is_json(one, deep + 1) for one in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)
