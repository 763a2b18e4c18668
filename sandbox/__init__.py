"""The front door of Riskbox. Names are imported when they are first used, so that `riskbox --help` stays quick.

from riskbox.sandbox import cases, load, specs
from riskbox.sandbox.play import play      # modules named like what they do keep it: play, replay, rollout
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskbox.sandbox.action import Action, ToolCall
    from riskbox.sandbox.case import Case
    from riskbox.sandbox.episode import Cast, Episode, Played
    from riskbox.sandbox.errors import RiskboxError
    from riskbox.sandbox.evaluator import Evaluator
    from riskbox.sandbox.loader import load, load_all
    from riskbox.sandbox.observation import Observation
    from riskbox.sandbox.participant import Participant
    from riskbox.sandbox.plan import cases, specs
    from riskbox.sandbox.play import Stages, seated
    from riskbox.sandbox.registry import Toolbox
    from riskbox.sandbox.replay import forked
    from riskbox.sandbox.rollout import Patience
    from riskbox.sandbox.scenario import Scenario
    from riskbox.sandbox.seat import Owner, Seat
    from riskbox.sandbox.stores import open_store
    from riskbox.sandbox.table import Row, Table, ToolError
    from riskbox.sandbox.toolset import Toolset, tool
    from riskbox.sandbox.transition import begin, step

__all__ = [
    "Action",
    "Case",
    "Cast",
    "Episode",
    "Evaluator",
    "Observation",
    "Owner",
    "Participant",
    "Patience",
    "Played",
    "RiskboxError",
    "Row",
    "Scenario",
    "Seat",
    "Stages",
    "Table",
    "ToolCall",
    "ToolError",
    "Toolbox",
    "Toolset",
    "begin",
    "cases",
    "forked",
    "load",
    "load_all",
    "open_store",
    "seated",
    "specs",
    "step",
    "tool",
]

_HOMES = {
    "action": ("Action", "ToolCall"),
    "case": ("Case",),
    "episode": ("Cast", "Episode", "Played"),
    "errors": ("RiskboxError",),
    "evaluator": ("Evaluator",),
    "loader": ("load", "load_all"),
    "observation": ("Observation",),
    "participant": ("Participant",),
    "plan": ("cases", "specs"),
    "play": ("Stages", "seated"),
    "registry": ("Toolbox",),
    "replay": ("forked",),
    "rollout": ("Patience",),
    "scenario": ("Scenario",),
    "seat": ("Owner", "Seat"),
    "stores": ("open_store",),
    "table": ("Row", "Table", "ToolError"),
    "toolset": ("Toolset", "tool"),
    "transition": ("begin", "step"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"riskbox.sandbox.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
