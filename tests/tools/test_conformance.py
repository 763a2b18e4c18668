"""What every built-in toolset promises, whatever it is a mock of; each test file proves the calls of its own."""

from __future__ import annotations

import pytest

from riskbox.sandbox.registry.toolsets import TOOLSETS, Toolbox
from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.toolsets import check_bad_arguments, check_descriptions


@pytest.mark.parametrize("name", TOOLSETS)
def test_an_agent_is_told_what_every_tool_and_parameter_is(name: str) -> None:
    check_descriptions(Toolbox().find(name))


@pytest.mark.parametrize("name", TOOLSETS)
def test_wrong_arguments_are_a_tool_error_and_change_nothing(name: str) -> None:
    kind = Toolbox().find(name)
    driver = Driver(kind, {})
    for tool in kind.tools():
        check_bad_arguments(driver, tool, {})
    assert not any(driver.changes.values())
