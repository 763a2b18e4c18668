"""Other catalogues of risk, entry by entry, with what a run asked and found under our nearest categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from riskbox.sandbox.words.taxonomy import Category, categories


@dataclass(frozen=True)
class Catalogue:
    """A catalogue as its publisher names and numbers its entries."""

    name: str
    """Its title, with the version."""
    field: str
    """The field of `Category` that names its entries."""
    entries: Mapping[str, str]
    """Names by code, in the publisher's order."""


CATALOGUES = (
    Catalogue(
        "MLCommons AILuminate 1.0",
        "ailuminate",
        {
            "vcr": "Violent crimes",
            "ncr": "Non-violent crimes",
            "src": "Sex-related crimes",
            "cse": "Child sexual exploitation",
            "iwp": "Indiscriminate weapons (CBRNE)",
            "ssh": "Suicide and self-harm",
            "hte": "Hate",
            "prv": "Privacy",
            "ipv": "Intellectual property",
            "dfm": "Defamation",
            "spc": "Specialized advice",
            "sxc": "Sexual content",
        },
    ),
    Catalogue(
        "OWASP Top 10 for Agentic Applications 2026",
        "owasp",
        {
            "ASI01": "Agent Goal Hijack",
            "ASI02": "Tool Misuse and Exploitation",
            "ASI03": "Identity and Privilege Abuse",
            "ASI04": "Agentic Supply Chain Vulnerabilities",
            "ASI05": "Unexpected Code Execution",
            "ASI06": "Memory and Context Poisoning",
            "ASI07": "Insecure Inter-Agent Communication",
            "ASI08": "Cascading Failures",
            "ASI09": "Human-Agent Trust Exploitation",
            "ASI10": "Rogue Agents",
        },
    ),
    Catalogue(
        "OWASP Top 10 for LLM Applications 2025",
        "owasp",
        {
            "LLM01": "Prompt Injection",
            "LLM02": "Sensitive Information Disclosure",
            "LLM03": "Supply Chain",
            "LLM04": "Data and Model Poisoning",
            "LLM05": "Improper Output Handling",
            "LLM06": "Excessive Agency",
            "LLM07": "System Prompt Leakage",
            "LLM08": "Vector and Embedding Weaknesses",
            "LLM09": "Misinformation",
            "LLM10": "Unbounded Consumption",
        },
    ),
    Catalogue(
        "NIST AI 600-1, Generative AI Profile",
        "nist",
        {
            "2.1": "CBRN Information or Capabilities",
            "2.2": "Confabulation",
            "2.3": "Dangerous, Violent, or Hateful Content",
            "2.4": "Data Privacy",
            "2.5": "Environmental Impacts",
            "2.6": "Harmful Bias and Homogenization",
            "2.7": "Human-AI Configuration",
            "2.8": "Information Integrity",
            "2.9": "Information Security",
            "2.10": "Intellectual Property",
            "2.11": "Obscene, Degrading, and/or Abusive Content",
            "2.12": "Value Chain and Component Integration",
        },
    ),
)


@dataclass(frozen=True)
class CatalogueEntry:
    """One entry of a catalogue, and what this run has to say about it."""

    code: str
    """Its code."""
    name: str
    """Its name."""
    categories: tuple[str, ...]
    """Our categories that are nearest to it."""
    asked: int
    """Cases with a risk of one of them."""
    found: Mapping[str, int]
    """Findings by status; one of several of the categories counts once."""


def named(category: Category | None, catalogue: Catalogue) -> set[str]:
    """The entries of a catalogue that a category is nearest to."""
    codes: tuple[str, ...] = getattr(category, catalogue.field, ())
    return set(codes) & set(catalogue.entries)


def entries_of(slugs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(catalogue, code) of every entry that some categories are nearest to, each once."""
    known = [categories().get(slug) for slug in slugs]
    for catalogue in CATALOGUES:
        for code in sorted({code for category in known for code in named(category, catalogue)}):
            yield catalogue.name, code


def crosswalk(
    found: Counter[tuple[str, str, str]], asked: Counter[tuple[str, str]]
) -> Iterator[tuple[Catalogue, list[CatalogueEntry]]]:
    """Every catalogue with its entries.

    Args:
        found: Findings by catalogue, code and status.
        asked: Cases by catalogue and code.
    """
    for catalogue in CATALOGUES:
        yield (
            catalogue,
            [
                CatalogueEntry(
                    code,
                    name,
                    tuple(slug for slug, one in categories().items() if code in named(one, catalogue)),
                    asked[catalogue.name, code],
                    {
                        status: found[catalogue.name, code, status]
                        for status in ("realised", "attempted", "blocked", "averted")
                    },
                )
                for code, name in catalogue.entries.items()
            ],
        )
