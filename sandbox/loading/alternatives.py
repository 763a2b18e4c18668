"""Files of alternatives to alternatives: every problem of a file at once, each with file, line and column."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from riskbox.sandbox import budget
from riskbox.sandbox.errors import Problem, ScenarioError
from riskbox.sandbox.loading.loader import Loaded, files_below
from riskbox.sandbox.loading.semantics import Found, wrong_alternatives
from riskbox.sandbox.loading.validation import located_in, validated
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.alternative import (
    Alternative,
    Alternatives,
    alternatives_of,
    is_alternatives,
    scenario_of,
)
from riskbox.sandbox.yamlfile import parse, text_of


def load_alternatives(loaded: Loaded, toolbox: Toolbox | None = None) -> tuple[Alternative, ...]:
    """The alternatives in the file beside a scenario's; none where there is no such file.

    Raises:
        ScenarioError: with every problem of the file.
    """
    path = alternatives_of(loaded.path)
    for other in (path.with_suffix(end) for end in (".yaml", ".yml") if end != path.suffix):
        if other.is_file() and not scenario_of(other).is_file():
            raise ScenarioError(
                [Problem(f"is not read beside {loaded.path.name}. Call it {path.name}.", str(other))]
            )
    if not path.is_file():
        if os.path.lexists(path):
            raise ScenarioError([Problem("is no file that can be read.", str(path))])
        return ()
    text, name = text_of(path), str(path)
    found: list[Found] = []
    read = validated(Alternatives, parse(text, name), found)
    if read is not None:
        listed = wrong_alternatives(read.alternatives, loaded.scenario, loaded.variants, toolbox or Toolbox())
        found.extend(islice(listed, budget.PROBLEMS + 1))
    if found or read is None:
        raise ScenarioError(located_in(text, found, name))
    return read.alternatives


def strays(folder: Path) -> list[Problem]:
    """Files of alternatives in a folder and below it that lie beside no scenario's file."""
    return [
        Problem(
            f"there is no {scenario_of(path).name} beside it, so nothing plays these alternatives.", str(path)
        )
        for path in files_below(folder)
        if is_alternatives(path) and not scenario_of(path).is_file()
    ]
