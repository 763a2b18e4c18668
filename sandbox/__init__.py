"""The front door of Riskbox. Names are imported when they are first used, so that `riskbox --help` stays quick.

from riskbox.sandbox import cases, load, specs
from riskbox.sandbox.episode.playing import play_episode      # modules named like what they do keep it: play_episode, replay, rollout
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskbox.sandbox.batch.plan import cases, specs
    from riskbox.sandbox.contracts.evaluator import Evaluator
    from riskbox.sandbox.contracts.participant import Participant
    from riskbox.sandbox.contracts.reference import Ref
    from riskbox.sandbox.contracts.seat import Owner, Seat
    from riskbox.sandbox.contracts.table import Row, Table, ToolError
    from riskbox.sandbox.contracts.toolset import Toolset, tool
    from riskbox.sandbox.episode.playing import PreparedCases, make_participants
    from riskbox.sandbox.episode.rollout import Timeouts
    from riskbox.sandbox.errors import RiskboxError
    from riskbox.sandbox.loading.loader import load, load_all
    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.rules.replay import fork
    from riskbox.sandbox.rules.transition import begin, step
    from riskbox.sandbox.stores import open_store
    from riskbox.sandbox.words.action import Action, ToolCall
    from riskbox.sandbox.words.case import Case
    from riskbox.sandbox.words.episode import Cast, Episode, Played
    from riskbox.sandbox.words.observation import Observation
    from riskbox.sandbox.words.scenario import Scenario

__all__ = [
    "Action",
    "Case",
    "Cast",
    "Episode",
    "Evaluator",
    "Observation",
    "Owner",
    "Participant",
    "Played",
    "PreparedCases",
    "Ref",
    "RiskboxError",
    "Row",
    "Scenario",
    "Seat",
    "Table",
    "Timeouts",
    "ToolCall",
    "ToolError",
    "Toolbox",
    "Toolset",
    "begin",
    "cases",
    "fork",
    "load",
    "load_all",
    "make_participants",
    "open_store",
    "specs",
    "step",
    "tool",
]

_HOMES = {
    "words.action": ("Action", "ToolCall"),
    "words.case": ("Case",),
    "words.episode": ("Cast", "Episode", "Played"),
    "errors": ("RiskboxError",),
    "contracts.evaluator": ("Evaluator",),
    "loading.loader": ("load", "load_all"),
    "words.observation": ("Observation",),
    "contracts.participant": ("Participant",),
    "batch.plan": ("cases", "specs"),
    "episode.playing": ("PreparedCases", "make_participants"),
    "registry.toolsets": ("Toolbox",),
    "rules.replay": ("fork",),
    "episode.rollout": ("Timeouts",),
    "words.scenario": ("Scenario",),
    "contracts.reference": ("Ref",),
    "contracts.seat": ("Owner", "Seat"),
    "stores": ("open_store",),
    "contracts.table": ("Row", "Table", "ToolError"),
    "contracts.toolset": ("Toolset", "tool"),
    "rules.transition": ("begin", "step"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"riskbox.sandbox.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
