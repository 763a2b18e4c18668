"""Whether a setting tells the plot: who means ill, what a persona hides, where the difficulty lies.

The simulated user and a model that plays tools read the setting. Who reads there what only another persona should know
plays differently, and an agent's tools do too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from riskbox.sandbox.words.scenario import Persona, Scenario

ALIKE = 6
"""Words that begin with as many equal letters count as one, so that `pretends` and `pretended` do."""
FROM_ABOUT, FROM_PERSONA = 4, 5
"""How many words a setting may not share with `about`, or with what one persona hides: the shipped settings share at
most 2 and 4, and those that told the plot shared 9 and more with it."""

_WORD = re.compile(r"[^\W\d_]{4,}")
_INTENT = re.compile(
    r"\b(?:attack(?:er)?s?|bait|con ?(?:man|artist)s?|crimes?|criminals?|fraudsters?|harm(?:s|ful)?|hostile|impost[eo]rs?|malicious"
    r"|manipulat\w+|phish\w+|pretend\w*|scam\w*|simulat\w+|stalk\w+|swindl\w+|thief|thieves|traps?|tricks?|vulnerable)\b",
    re.IGNORECASE,
)


def tells_plot(scenario: Scenario) -> str:
    """What a setting tells of the plot, in one sentence; empty where it tells nothing."""
    setting, policy = scenario.setting, _words([scenario.agent.policy])
    named = _INTENT.search(setting)
    if named:
        return f"`{named[0]}` tells who plays it what is going on. Say it in `about`, which only people read."
    told = _words([setting]) - policy
    for where, hidden, most in _hidden(scenario):
        shared = told & (_words(hidden) - policy)
        if len(shared) >= most:
            seen = [one for one in dict.fromkeys(_WORD.findall(setting)) if _begin(one) in shared]
            words = ", ".join(seen[:6])
            return f"tells the plot: {words} also stand in {where}. Leave here what everybody knows, and move the rest to `about`."
    return ""


def _hidden(scenario: Scenario) -> Iterator[tuple[str, list[str], int]]:
    """The texts that a setting must not tell, with where they stand and how many words may not be shared."""
    yield "`about`", [scenario.about], FROM_ABOUT
    for id, persona in scenario.personas.items():
        if persona.intent in ("malicious", "vulnerable"):
            yield f"what personas.{id} wants and knows", list(_private(persona)), FROM_PERSONA


def _private(persona: Persona) -> Iterator[str]:
    yield from (persona.goal, persona.discloses, *persona.tactics)
    yield from _texts(persona.knows)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _words(texts: Iterable[str]) -> set[str]:
    return {_begin(word) for text in texts for word in _WORD.findall(text)}


def _begin(word: str) -> str:
    return word.casefold()[:ALIKE]
