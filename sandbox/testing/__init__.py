"""Checks that plug-ins can call on themselves; our own parts pass them too.

from riskbox.sandbox.testing import check_agent, check_evaluator, check_store, check_toolset, check_user
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskbox.sandbox.testing.driver import Driver
    from riskbox.sandbox.testing.episodes import played
    from riskbox.sandbox.testing.evaluators import check_evaluator
    from riskbox.sandbox.testing.participants import check_agent, check_user
    from riskbox.sandbox.testing.stores import check_store
    from riskbox.sandbox.testing.toolsets import check_toolset

__all__ = ["Driver", "check_agent", "check_evaluator", "check_store", "check_toolset", "check_user", "played"]

_HOMES = {
    "played": "episodes",
    "check_evaluator": "evaluators",
    "check_agent": "participants",
    "check_user": "participants",
    "check_store": "stores",
    "Driver": "driver",
    "check_toolset": "toolsets",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"riskbox.sandbox.testing.{_HOMES[name]}"), name)
