"""Toolsets: what an agent is told of a method, what becomes of its calls, and which code is broken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from riskbox.sandbox.contracts.table import Changes, Row, Table, ToolError
from riskbox.sandbox.contracts.toolset import Day, Moment, ToolOutcome, Toolset, tool
from riskbox.sandbox.errors import ScenarioError, ToolFault

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Task(Row):
    """A task."""

    title: str
    """What is to be done."""
    due: Day | None = None
    """By when."""


class Desk(Toolset):
    """A list of tasks. It belongs to nobody.

    This paragraph is for readers of the code.
    """

    tasks: Table[Task]

    @tool(writes=True)
    def add(self, title: str, due: Day | None = None, starts: Moment | None = None) -> Task:
        """Add a task.

        It is the last of the list.

        Args:
            title: What is to be done.
            due: By when.
            starts: From when.
        """
        if not title:
            raise ToolError("no_title", "A task needs a title.")
        return self.tasks.put(Task(id=self.tasks.next_id("T-"), title=title, due=due))

    @tool
    def toss(self) -> int:
        """Toss a die."""
        return self.random.randint(1, 6)

    @tool
    def sly(self) -> None:
        """Write without saying so."""
        self.tasks.put(Task(id="T-9", title="sly"))

    @tool
    def crash(self) -> None:
        """Crash."""
        raise ZeroDivisionError("CRASHED")

    @tool(writes=True, action="destructive")
    async def ask(self, wait: bool) -> str:
        """Ask elsewhere."""
        if wait:
            raise ToolError("busy", "Nobody answers.", kind="transient")
        return f"asked at {self.now:%H:%M}"


def call(
    name: str, changes: dict[str, Changes] | None = None, seed: int = 1, **arguments: Any
) -> ToolOutcome:
    return Desk.call(name, arguments, Desk.parse({"tasks": []}), changes or {}, NOW, seed)


def test_what_the_agent_is_told_comes_from_the_signature_and_the_docstring() -> None:
    spec = Desk.spec()
    assert (spec.name, spec.description) == ("desk", "A list of tasks. It belongs to nobody.")
    add, toss, ask = spec.tools["desk.add"], spec.tools["desk.toss"], spec.tools["desk.ask"]
    assert add.description == "Add a task.\n\nIt is the last of the list."
    assert add.parameters["properties"]["title"] == {"description": "What is to be done.", "type": "string"}
    assert add.parameters["required"] == ["title"] and add.parameters["additionalProperties"] is False
    assert [(one.writes, one.action, one.outside) for one in (add, toss, ask)] == [
        (True, "autonomous", False),
        (False, "suggestive", False),
        (True, "destructive", True),
    ]


def test_a_write_is_a_patch_and_later_calls_see_it() -> None:
    first = call("add", title="Call Dana", due="2026-04-14")
    assert first.result == {"id": "T-1", "title": "Call Dana", "due": "2026-04-14"}
    assert first.patch == ({"op": "add", "path": "/desk/tasks/T-1", "value": first.result},)
    second = call("add", dict(first.changes), title="Again")
    assert second.result["id"] == "T-2" and second.error is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "title: missing"),
        ({"titel": "x"}, "titel: unknown argument. Did you mean 'title'?"),
        ({"title": 5}, "title: Input should be a valid string"),
        ({"title": "x", "due": "soon"}, "due: "),
        ({"title": "x", "due": 0}, "due: Input should be a valid string"),
        ({"title": "x", "starts": 7}, "starts: Input should be a valid string"),
    ],
)
def test_bad_arguments_never_reach_the_tool(arguments: dict[str, Any], said: str) -> None:
    outcome = call("add", **arguments)
    assert outcome.error is not None and outcome.error["code"] == "bad_arguments" and not outcome.permitted
    assert said in outcome.error["message"] and outcome.patch == ()
    other = Desk.call("add", "no object", Desk.parse({}), {}, NOW, 1)
    assert other.error is not None and other.error["code"] == "malformed_arguments"


def test_a_refusal_reached_the_tool_and_changes_nothing() -> None:
    outcome = call("add", title="")
    assert outcome.permitted and outcome.error is not None and outcome.error["code"] == "no_title"
    assert outcome.patch == () and outcome.changes == {}


def test_draws_depend_on_the_calls_seed() -> None:
    drawn = [call("toss", seed=seed).result for seed in range(30)]
    assert drawn == [call("toss", seed=seed).result for seed in range(30)] and len(set(drawn)) > 3


@pytest.mark.parametrize(
    ("name", "said"),
    [("sly", "is marked reading but wrote tasks"), ("crash", "raised ZeroDivisionError: CRASHED")],
)
def test_broken_code_is_a_fault(name: str, said: str) -> None:
    with pytest.raises(ToolFault, match=f"desk.{name} {said}"):
        call(name)


async def test_a_tool_outside_answers_or_refuses() -> None:
    rows = Desk.parse({})
    assert (await Desk.answer("ask", {"wait": False}, rows, {}, NOW, 1)).result == "asked at 09:00"
    refused = await Desk.answer("ask", {"wait": True}, rows, {}, NOW, 1)
    assert refused.error is not None and refused.error["class"] == "transient"


def test_every_wrong_row_and_table_is_told_with_its_place() -> None:
    rows = [{"id": "T-1", "title": "a"}, {"id": "T-1", "title": "b"}, {"id": "T-2", "titel": "c"}]
    with pytest.raises(ScenarioError) as caught:
        Desk.parse({"tasks": rows, "task": []})
    told = {one.path: one.message for one in caught.value.problems}
    assert "unknown table 'task'. Did you mean 'tasks'" in told["task"]
    assert "by an earlier row" in told["tasks[1].id"]
    assert (
        told["tasks[2].title"] == "the field is missing." and "Did you mean 'title'" in told["tasks[2].titel"]
    )


def test_a_tool_without_a_docstring_is_a_fault() -> None:
    class Silent(Toolset):
        """Says nothing."""

        @tool
        def act(self) -> None: ...

    with pytest.raises(ToolFault, match=r"Silent.act has no docstring; it is what the agent reads"):
        Silent.tools()
