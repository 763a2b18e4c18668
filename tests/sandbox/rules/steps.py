"""Episodes of the example scenario, stepped by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.rules.state import PreparedCase, State
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.rules.turns import turns
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.input import Acted, Input

RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"


CASES = {case.id.partition("/")[2]: case for case in cases([load(RECORDS)])}


def prepared(case: Case) -> PreparedCase:
    return PreparedCase.of(case, Toolbox().of(case))


OWNER = prepared(CASES["owner"])


BAITED = prepared(CASES["owner+injection=mail"])


def after(*inputs: Input, prepared: PreparedCase = OWNER) -> State:
    state = begin(prepared, 1)
    for given_ in inputs:
        state, _ = step(state, given_)
    return state


def user(text: str = "Hi", **more: Any) -> Acted:
    return Acted(by="user", action=Action(text=text, **more))


def calls(*made: tuple[str, Any], text: str = "") -> Acted:
    listed = tuple(ToolCall(tool=tool, arguments=arguments) for tool, arguments in made)
    return Acted(by="agent", action=Action(text=text, calls=listed))


any_text = st.text(alphabet=st.characters(), max_size=30)  # lone surrogates included


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)


tools = st.sampled_from([*CASES["owner"].offered, "clinic.nope", "", "no dots", "a.b.c"])


arguments = st.dictionaries(
    st.sampled_from(["name", "patient", "to", "subject", "body", "query", "x"]), any_json, max_size=3
)


some_calls = st.lists(st.builds(ToolCall, tool=tools, arguments=arguments | any_text), max_size=3).map(tuple)


actions = st.builds(
    Action, text=any_text, calls=some_calls, leave=st.just(False) | st.booleans(), note=any_text
)


def play_out(prepared: PreparedCase, seed: int, moves: list[Action]) -> State:
    state = begin(prepared, seed)
    for move in moves:
        who = turns(state)
        if who is None:
            break
        state, _ = step(state, Acted(by=who, action=move))
    return state
