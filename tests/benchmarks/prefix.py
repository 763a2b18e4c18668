"""Measures how many tokens the prompts of all shipped personas begin with in common; prints, asserts nothing.

    python tests/benchmarks/prefix.py

Providers cache the beginning of a prompt and charge a part of its price when another prompt begins the same. Tokens are
counted by the tokenizer that ships inside litellm (cl100k_base).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm

from riskbox.agents.user import role
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.rules.state import PreparedCase
from riskbox.sandbox.words.observation import UserView

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def briefs() -> list[UserView]:
    """What each persona of each shipped scenario is told, without variants."""
    found = []
    for path in sorted(SCENARIOS.glob("*/*.yaml")):
        if ".alternatives" in path.name:
            continue
        for case in cases([load(path)]):
            brief = PreparedCase.of(case, {}).briefs["user"]
            if not case.variant and isinstance(brief, UserView):
                found.append(brief)
    return found


def shared(prompts: Sequence[list[int]]) -> int:
    """How many tokens all prompts begin with in common."""
    lowest, highest = min(prompts), max(prompts)
    return next((at for at, pair in enumerate(zip(lowest, highest, strict=False)) if pair[0] != pair[1]), 0)


def main() -> None:
    """Print the shared tokens over all personas and for each intent."""
    told = [(one.intent, litellm.encode(model="gpt-4", text=role(one))) for one in briefs()]
    table = Table("personas", "prompts", "tokens shared", "tokens of the shortest", "of the longest")
    for intent in ("all", *sorted({one for one, _ in told})):
        prompts = [tokens for one, tokens in told if intent in ("all", one)]
        sizes = sorted(map(len, prompts))
        table.add_row(intent, *map(str, (len(prompts), shared(prompts), sizes[0], sizes[-1])))
    Console().print(table)


if __name__ == "__main__":
    main()
