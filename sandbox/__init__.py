"""The front door of Riskbox: `run`, `play`, `score`, `check`, `report` and
`compare`, each with an async twin (`run_async`, ...), and the classes from
which you make your own agents, users, toolsets and evaluators.

    from riskbox.sandbox import report, run

    done = run("scenarios", agent="my_agent.py:agent", seeds=4)
    print(report(done))

Names are imported when they are first used, so that `import riskbox.sandbox` and `riskbox --help` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskbox.sandbox.api.archive import archive, archive_async
    from riskbox.sandbox.api.check import Checked, check, check_async
    from riskbox.sandbox.api.compare import Compared, compare, compare_async
    from riskbox.sandbox.api.play import play, play_async
    from riskbox.sandbox.api.report import Report, report, report_async
    from riskbox.sandbox.api.result import Run
    from riskbox.sandbox.api.run import prepare, run, run_async
    from riskbox.sandbox.api.run_plan import RunPlan
    from riskbox.sandbox.api.score import Scores, score, score_async
    from riskbox.sandbox.api.status import status, status_async
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
    from riskbox.sandbox.loading.loader import load, load_all, shipped
    from riskbox.sandbox.operations.status import Status
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
    "Checked",
    "Compared",
    "Episode",
    "Evaluator",
    "Observation",
    "Owner",
    "Participant",
    "Played",
    "PreparedCases",
    "Ref",
    "Report",
    "RiskboxError",
    "Row",
    "Run",
    "RunPlan",
    "Scenario",
    "Scores",
    "Seat",
    "Status",
    "Table",
    "Timeouts",
    "ToolCall",
    "ToolError",
    "Toolbox",
    "Toolset",
    "archive",
    "archive_async",
    "begin",
    "cases",
    "check",
    "check_async",
    "compare",
    "compare_async",
    "fork",
    "load",
    "load_all",
    "make_participants",
    "open_store",
    "play",
    "play_async",
    "prepare",
    "report",
    "report_async",
    "run",
    "run_async",
    "score",
    "score_async",
    "shipped",
    "specs",
    "status",
    "status_async",
    "step",
    "tool",
]

_HOMES = {
    "api.archive": ("archive", "archive_async"),
    "api.check": ("Checked", "check", "check_async"),
    "api.play": ("play", "play_async"),
    "api.score": ("Scores", "score", "score_async"),
    "api.compare": ("Compared", "compare", "compare_async"),
    "api.report": ("Report", "report", "report_async"),
    "api.result": ("Run",),
    "api.status": ("status", "status_async"),
    "operations.status": ("Status",),
    "api.run": ("prepare", "run", "run_async"),
    "api.run_plan": ("RunPlan",),
    "words.action": ("Action", "ToolCall"),
    "words.case": ("Case",),
    "words.episode": ("Cast", "Episode", "Played"),
    "errors": ("RiskboxError",),
    "contracts.evaluator": ("Evaluator",),
    "loading.loader": ("load", "load_all", "shipped"),
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
