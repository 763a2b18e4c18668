"""Scenario files validated and proven."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, Unpack

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.objects import listed, names_of
from riskbox.sandbox.api.options import ModelArguments, model_settings
from riskbox.sandbox.api.run import Paths, ToolsetLike, Words, scenario_paths
from riskbox.sandbox.api.sync import sync_twin
from riskbox.sandbox.authoring.alternatives import play_alternatives
from riskbox.sandbox.authoring.prove import Proven, prove_async
from riskbox.sandbox.contracts.model import Models
from riskbox.sandbox.errors import Problem, ScenarioError
from riskbox.sandbox.loading.alternatives import load_alternatives, strays
from riskbox.sandbox.loading.loader import Loaded, find_files, load
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.registry.models import check_model_name
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.alternative import Alternative


@dataclass(frozen=True)
class Checked:
    """What came of checking scenario files."""

    files: tuple[Proven, ...]
    """One a file."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, in all files."""
        return tuple(problem for one in self.files for problem in one.problems)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __repr__(self) -> str:
        files, problems = len(self.files), len(self.problems)
        return (
            f"<Checked: {files} file{'s' if files != 1 else ''}, "
            f"{problems} problem{'s' if problems != 1 else ''}>"
        )

    def __str__(self) -> str:
        return "\n".join([repr(self), *map(str, self.problems)])


@checked("check")
async def check_async(
    paths: Paths = None,
    *,
    types: bool = False,
    judge: Words = (),
    tools_model: str = "",
    tools: ToolsetLike | Sequence[ToolsetLike] = (),
    progress: bool = True,
    **models: Unpack[ModelArguments],
) -> Checked:
    """Validate scenario files, then prove their checks by playing references and alternatives.

    The result lists what is wrong with a scenario; nothing is raised for it.

    Args:
        paths: Scenario files and folders; those that ship with Riskbox by default.
        types: Whether to load and type-check only, and play nothing.
        judge: A model to test against the labelled references; several are a panel.
        tools_model: The model that plays emulated tools, to play their cases too.
        tools: Toolsets of your own that scenarios may name.
        progress: Whether to show progress in a terminal or a notebook.
        models: Limits, budgets and recordings of model calls; see `ModelArguments`.

    Raises:
        InputError: an argument is wrong, or there is no such file.
    """
    judges = listed(judge)
    asked = [*judges, *([tools_model] if tools_model else [])]
    for name in asked:
        check_model_name(name)
    options = model_settings(models)  # an option that is wrong is told before anything is played
    toolbox = Toolbox(tuple(names_of(tools)))
    loaded, results = _loaded(paths, toolbox)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Models]:
        clients = Clients(options)
        try:
            yield clients
        finally:
            await clients.close()

    if types:
        results += [Proven(str(one.path), one.scenario.scenario) for one, _ in loaded]
    else:
        asking: Any = {"tools": tools_model, "judges": judges, "models": opened if asked else None}
        for one, alternatives in _shown(loaded, progress):
            (proven,) = await prove_async([one], toolbox, **asking)
            proven.alternatives, wrong = await play_alternatives(one, alternatives, toolbox, **asking)
            proven.problems += wrong
            results.append(proven)
    return Checked(tuple(results))


check = sync_twin(check_async)


Pair: TypeAlias = tuple[Loaded, tuple[Alternative, ...]]
"""A scenario and its alternatives."""


def _loaded(paths: Paths, toolbox: Toolbox) -> tuple[list[Pair], list[Proven]]:
    """The scenarios that load with their alternatives, and what is wrong with the others."""
    loaded: list[Pair] = []
    results: list[Proven] = []
    names: dict[str, str] = {}
    given = scenario_paths(paths)
    for path in find_files(given):
        try:
            one = load(path, toolbox)
            alternatives = load_alternatives(one, toolbox)
        except ScenarioError as error:
            results.append(Proven(str(path), "", list(error.problems)))
            continue
        name = one.scenario.scenario
        if name in names:
            said = f"the name {name!r} is taken by {names[name]}."
            results.append(Proven(str(path), name, [Problem(said, str(path), path="scenario")]))
        names[name] = str(path)
        loaded.append((one, alternatives))
    alone = [problem for folder in map(Path, given) if folder.is_dir() for problem in strays(folder)]
    results += [Proven(problem.file, "", [problem]) for problem in dict.fromkeys(alone)]
    return loaded, results


def _shown(loaded: Sequence[Pair], progress: bool) -> Iterator[Pair]:
    if not progress or not sys.stderr.isatty():
        yield from loaded
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(loaded, "proving", console=Console(stderr=True), transient=True)
