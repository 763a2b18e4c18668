"""Families of models, and which judges may judge whom: models favour their own kind."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.words.name import Name

SAME_FAMILY, NONE = "same-family", "none"
"""What `--judge-exclude` takes beside names: nobody of the agent's family ever judges; everybody does."""


class Family(NamedTuple):
    """Models of one line of descent."""

    name: str
    """Such as `gpt`."""
    vendor: str
    """Who makes them; models of one vendor are kin."""


@cache
def known() -> dict[str, Family]:
    """The families of families.toml, by what a word of a model's name begins with."""
    table = tomllib.loads((Path(__file__).parent / "families.toml").read_text(encoding="utf-8"))
    return {word: Family(name, one["vendor"]) for name, one in table.items() for word in one["names"]}


def families(model: str) -> frozenset[Family]:
    """The families of a model, by its name, whoever serves it; none if it is not known, or is not a model's name.

    >>> sorted(one.name for one in families("bedrock/us.anthropic.claude-sonnet-4-v1:0"))
    ['claude']
    >>> sorted(one.name for one in families("http://localhost:8000/v1#deepseek-r1-distill-llama-70b"))
    ['deepseek', 'llama']
    """
    return frozenset(known()[word] for word in _words().findall(_served(model)))


@cache
def _words() -> re.Pattern[str]:
    longest_first = sorted(known(), key=len, reverse=True)
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![a-z])")


def _served(model: str) -> str:
    """What a provider calls a model, in lower case; empty where it is not a model's name.

    A tuned model, `ft:gpt-4o:org::id`, is called after the one that was tuned.
    """
    name = next(iter(Name.parse(model).models), "") if model else ""
    if name and Name.parse(name).is_own_server:
        name = name.partition("#")[2]
    tuned = re.search(r"\bft:([^:]+)", name)
    return (tuned[1] if tuned else name).lower()


def are_kin(one: str, other: str) -> bool:
    """Whether two models are of one vendor, or of one name where a vendor is not known."""
    vendors, others = ({family.vendor for family in families(model)} for model in (one, other))
    if vendors and others:
        return not vendors.isdisjoint(others)
    last = _served(one).rpartition("/")[2]
    return bool(last) and last == _served(other).rpartition("/")[2]


def _is_meant(judge: str, excluded: str) -> bool:
    """Whether a judge is of a family or vendor, or kin of a model."""
    if "/" in excluded:
        return are_kin(judge, excluded)
    return any(excluded in family for family in families(judge))


class Bench(NamedTuple):
    """Who judges an episode, and who does not."""

    judges: list[str]
    """Who does."""
    out: dict[str, str]
    """Why each of the others does not, by judge."""
    notes: list[str]
    """What a reader should know."""


def check_excluded(judges: Sequence[str], exclude: Collection[str]) -> None:
    """Refuse exclusions that mean nothing or leave nobody.

    Raises:
        InputError: one names no family, vendor or model, or all judges are excluded whoever the agent is.
    """
    if NONE in exclude and len(exclude) > 1:
        raise InputError("--judge-exclude none keeps every judge, so it stands alone.")
    names = {part for family in known().values() for part in family} | {SAME_FAMILY, NONE}
    for one in exclude:
        if one not in names and "/" not in one:
            raise InputError(
                f"--judge-exclude {one}: there is no such family of models. {did_you_mean(one, sorted(names))} "
                "A model, provider/model, stands for its family."
            )
    if judges and all(any(_is_meant(one, name) for name in exclude) for one in judges):
        raise InputError(
            f"--judge-exclude {' '.join(exclude)} leaves none of the judges: {', '.join(judges)}."
        )


def eligible(judges: Sequence[str], subjects: Collection[str], exclude: Collection[str] = ()) -> Bench:
    """Who judges the play of some models.

    Args:
        judges: Who was named.
        subjects: The models whose play is judged; names of anything else count for nothing.
        exclude: Families, vendors and models whose kin do not judge; `same-family`: nor do the subjects' own kin, even
            if nobody else is left; `none`: everybody judges. By default the subjects' kin do not while others do.
    """
    named = list(dict.fromkeys(judges))
    if NONE in exclude:
        return Bench(named, {}, [])
    out = {
        judge: f"{judge} was left out by --judge-exclude {name}"
        for judge in named
        for name in exclude
        if name != SAME_FAMILY and _is_meant(judge, name)
    }
    others = [one for one in named if one not in out]
    partial = {
        judge: f"{judge} is of the family of {subject}, which is judged, and"
        for judge in others
        for subject in sorted(subjects)
        if are_kin(judge, subject)
    }
    if len(partial) < len(others) or SAME_FAMILY in exclude:
        out |= {judge: f"{told} was left out" for judge, told in partial.items()}
        return Bench([one for one in others if one not in partial], out, list(out.values()))
    warned = [
        f"{told} judges because no other does: read its verdicts with care" for told in partial.values()
    ]
    return Bench(others, out, [*out.values(), *warned])
