"""What every built-in toolset promises, whatever it is a mock of; the folder of each proves what is its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.registry.toolsets import TOOLSETS, Toolbox
from riskbox.sandbox.testing import Driver, check_toolset
from riskbox.sandbox.testing.effects import check_effects
from riskbox.sandbox.testing.toolsets import check_bad_arguments


def world(name: str) -> Any:
    """The world in which a toolset is tested, and calls of all its tools that go well there."""
    return import_module(f"tests.tools.{name}.world")


@pytest.mark.parametrize("name", TOOLSETS)
def test_it_keeps_what_a_toolset_promises(name: str) -> None:
    given = world(name)
    check_toolset(Toolbox().find(name), given.WORLD, given.CALLS, now=given.NOW, counts=given.COUNTS)


@pytest.mark.parametrize("name", TOOLSETS)
def test_each_tool_that_writes_changes_the_world(name: str) -> None:
    given, kind = world(name), Toolbox().find(name)
    driver = Driver(kind, given.WORLD, now=given.NOW)
    writing = {tool for tool, arguments in given.CALLS if driver.outcome(tool, arguments).patch}
    assert writing == {tool for tool, one in kind.tools().items() if one.spec.writes}


@pytest.mark.parametrize("name", TOOLSETS)
def test_each_tool_declares_its_effects(name: str) -> None:
    undeclared = [one.spec.name for one in Toolbox().find(name).tools().values() if one.spec.effects is None]
    assert undeclared == []


@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(2, 10_000))
@pytest.mark.parametrize("name", TOOLSETS)
def test_random_calls_change_and_tell_no_more_than_is_declared(name: str, seed: int) -> None:
    shown = world(name)
    driver = Driver(Toolbox().find(name), shown.WORLD, now=shown.NOW)
    check_effects(driver, shown.CALLS, seed=seed, rounds=60)


@pytest.mark.parametrize("name", TOOLSETS)
def test_a_tool_that_writes_is_more_than_suggestive(name: str) -> None:
    for tool in Toolbox().find(name).tools().values():
        assert tool.spec.writes == (tool.spec.action != "suggestive"), tool.spec.name


@pytest.mark.parametrize("name", TOOLSETS)
def test_wrong_arguments_are_a_tool_error_and_change_nothing_in_an_empty_world(name: str) -> None:
    kind = Toolbox().find(name)
    driver = Driver(kind, {})
    for tool in kind.tools():
        check_bad_arguments(driver, tool, {})
    assert not any(driver.changes.values())
