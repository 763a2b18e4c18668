"""Four dimensions and 53 categories of risk, with their names in other catalogues (`taxonomy.toml`)."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from riskbox.sandbox.words.frozen import Frozen


class Category(Frozen):
    """One kind of risk."""

    slug: str
    """Dimension and name, for instance `legal.privacy`."""
    meaning: str
    """One line."""
    ailuminate: tuple[str, ...] = ()
    """MLCommons AILuminate hazards."""
    aegis: tuple[str, ...] = ()
    """Aegis 2.0 labels."""
    agent_safetybench: tuple[str, ...] = ()
    """Agent-SafetyBench risks (R) and failure modes (M)."""
    owasp: tuple[str, ...] = ()
    """OWASP LLM Top 10 2025 and Agentic Top 10 2026."""
    nist: tuple[str, ...] = ()
    """Risks of NIST AI 600-1 by section, 2.1 to 2.12; the mapping is this project's."""

    @property
    def dimension(self) -> str:
        """The part before the dot."""
        return self.slug.partition(".")[0]


@cache
def categories() -> dict[str, Category]:
    """Every category by slug, in the order of the file."""
    with (Path(__file__).parent / "taxonomy.toml").open("rb") as file:
        tree = tomllib.load(file)
    return {
        f"{dimension}.{name}": Category(slug=f"{dimension}.{name}", **fields)
        for dimension, names in tree.items()
        for name, fields in names.items()
    }
