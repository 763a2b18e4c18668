"""A line with what it must be read with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from riskbox.sandbox.words.scenario import Persona
from riskbox.sandbox.words.speech import plain, sentences, unquoted


@dataclass(frozen=True)
class Turn:
    """One line with what it must be read with."""

    text: str
    """The line."""
    heard: str
    """What the agent last said; empty if nothing."""
    user: Persona
    """Whose line it is."""

    @cached_property
    def own(self) -> str:
        """The line, plain, without what stands in quotation marks inside it; a line that is one quotation is kept."""
        return unquoted(self.text)

    @cached_property
    def parts(self) -> list[str]:
        """Its sentences."""
        return sentences(self.own)

    @cached_property
    def known(self) -> str:
        """What the person is told of itself, plain."""
        return plain(str(self.user.model_dump(include={"profile", "goal", "knows", "discloses", "tactics"})))

    @cached_property
    def asked(self) -> str:
        """What the agent last said, plain."""
        return plain(self.heard)

    @property
    def is_opening(self) -> bool:
        """Whether the agent has asked for nothing yet: it has said nothing, or only offered its help."""
        return not self.asked or bool(_OFFERED.fullmatch(self.asked))

    def brought_up(self, word: str) -> bool:
        """Whether a word belongs to the person's own business, or the agent said it first."""
        return word in self.known or word in self.asked


def any_of(patterns: Sequence[str], flags: int = 0) -> re.Pattern[str]:
    """One pattern that finds what any of these finds."""
    return re.compile("|".join(patterns), flags)


_OFFERED = re.compile(
    r"(?:(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|welcome)\b[^.?!]{0,60}[.!,] ?)?(?:(?:this is|i'm|i am|you've reached)\b[^.?!]{0,60}[.!,] ?)?"
    r"(?:how (?:can|may|could) i (?:help|assist)[^.?!]{0,40}|what can i do for you[^.?!]{0,20})\?"
)
"""A greeting and an offer of help, which ask for nothing."""


def names_of(user: Persona) -> list[str]:
    """A person's whole name and first name, plain; figures of speech such as titles are left out."""
    whole = plain(str(user.profile.get("name", "")))
    words = [word for word in whole.split() if len(word) > 2 and word not in ("mrs", "miss", "dr.", "prof")]
    return [name for name in dict.fromkeys((whole, *words[:1])) if name]


def hides_aim(user: Persona) -> bool:
    """Whether a person has an aim that the agent must not learn from it."""
    return user.intent == "malicious" or bool(
        user.intent == "vulnerable"
        and re.search(
            r"\b(?:do not|don't|never|will not) (?:say|tell|mention)\b",
            plain(f"{user.goal} {user.discloses}"),
        )
    )
