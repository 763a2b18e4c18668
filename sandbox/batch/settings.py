"""How a run is played: one record that the command line or Python fills, and that travels to every worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from riskbox.sandbox.batch.shipping import LIMIT_MB
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.models.client import ModelOptions
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.sandbox.registry.casts import is_own
from riskbox.sandbox.words.name import Name

Placement: TypeAlias = Literal["inline", "actor"]
"""Where a participant plays: in the worker's own process, or in a process of its own."""


@dataclass(frozen=True)
class RunSettings:
    """How a run is played. The same record goes to the runner, to its workers and to the player in each of them."""

    local: bool = False
    """Whether everything plays in this process, without Ray."""
    address: str | None = None
    """The Ray cluster to join; None starts one on this machine."""
    workers: int = 0
    """How many episode actors play; 0 for one a core."""
    concurrency: int = 200
    """How many episodes each worker plays at once."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    """Time limits of a turn and of an episode."""
    places: Mapping[str, Placement] = field(default_factory=dict)
    """Where each role plays. A role left out plays in an actor if it is the user's own code, else inline."""
    toolsets: tuple[str, ...] = ()
    """The user's own toolsets: `file.py:Name`, `module:Name` or `name.yaml`."""
    evaluators: tuple[str, ...] = ("checks",)
    """Who assesses each episode; the first one's findings count unless a report names another."""
    judging: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the evaluators that ask a model: `judges`, `repeats`, `judge_exclude`, `user_judge`,
    `per_question`, `settings`."""
    models: ModelOptions = field(default_factory=ModelOptions)
    """How language models are asked: limits, budgets, retries, recordings."""
    retakes: int = 0
    """How often a void episode is played again, each time with another seed."""
    max_faults: str = ""
    """How many of an agent's episodes may end in faults before it is stopped: `5`, `5%`, `0` for no limit. Empty to stop an
    agent whose first 20 episodes all end in faults of its own."""
    cpus: float = 0.5
    """Cores that Ray reserves for each episode actor."""
    confinement: Confinement = UNCONFINED
    """What each process of the user's own code may use and see. Ray reserves its memory for each participant actor."""
    gpus: float = 0.0
    """GPUs that Ray reserves for each process of the user's own agent."""
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names of agents that hold a secret, by what is stored of them. They reach the workers and are stored nowhere."""
    store_seconds: float = 60.0
    """How long a store that fails is asked again before the run is stopped."""
    working_dir: str | None = None
    """A folder, or a wheel, to ship to the workers of a cluster."""
    working_dir_limit: float = LIMIT_MB
    """The most that it may ship, in MB."""
    log_level: str = ""
    """The level from which on workers keep events for the log of the run; empty without a log."""
    live: str = field(default="", repr=False)
    """The URL of the store in which episodes are shown while they are played, with its password; empty for none. It is
    never stored."""

    @property
    def judges(self) -> list[str]:
        """The models that judge, the agent or the user."""
        return [*self.judging.get("judges", ()), *self.judging.get("user_judge", ())]

    def placement(self, role: str, name: str) -> Placement:
        """Where a role plays. A model runs no code of the user's that could hang, so it always plays inline."""
        if Name.parse(name).models:
            return "inline"
        return self.places.get(role) or ("actor" if is_own(role, name) else "inline")
