"""Phrases in texts: found whatever their case and spacing, and blacked out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

BLACK = "█████"
"""What stands in place of a redacted phrase; no phrase may hold its character, so none can appear through it."""


class Folded:
    """A text in which phrases are found whatever their case and the spaces and line breaks between their words."""

    def __init__(self, text: str) -> None:
        kept: list[str] = []
        self._places: list[int] = []
        for place, char in enumerate(text):
            low = " " if char.isspace() else char.lower()
            if low != " " or kept[-1:] != [" "]:
                kept.append(low if len(low) == 1 else char)
                self._places.append(place)
        self.text = "".join(kept)

    def runs(self, phrase: str) -> Iterator[tuple[int, int]]:
        """The stretches of the text that a phrase covers, also where it overlaps itself."""
        wanted = Folded(phrase).text.strip()
        start = self.text.find(wanted) if wanted else -1
        while start >= 0:
            last, end = start, start + len(wanted)
            # the last place that still touches the stretch covers all places before it
            while (later := self.text.rfind(wanted, last + 1, end + len(wanted))) >= 0:
                last, end = later, later + len(wanted)
            yield self._places[start], self._places[end - 1] + 1
            start = self.text.find(wanted, end)

    def count(self, phrase: str, whole: bool = False) -> int:
        """How often a phrase stands in the text, with `whole` only as whole words."""
        wanted = Folded(phrase).text.strip()
        if not wanted or not whole:
            return self.text.count(wanted) if wanted else 0
        return len(re.findall(rf"(?<!\w){re.escape(wanted)}(?!\w)", self.text))


def count(phrase: str, *texts: str) -> int:
    """How often a phrase stands in some texts."""
    return sum(Folded(text).count(phrase) for text in texts)


def redacted(text: str, phrases: Iterable[str]) -> str:
    """The text with every phrase blacked out, also where they overlap.

    >>> redacted("Rosa Delgado\\nof Delgado Street", ["rosa delgado of", "of Delgado Street"])
    '█████'
    """
    folded = Folded(text)
    shown, at = "", 0
    for start, end in sorted(run for phrase in phrases for run in folded.runs(phrase)):
        if start > at or not shown:
            shown += text[at:start] + BLACK
        at = max(at, end)
    return shown + text[at:]
