"""Whether a judge's quote stands in the record: a claim rests on words that can be looked up.

Quotes are compared by their words and numbers alone. Line breaks, quotation marks, the punctuation of JSON and the case of
letters make no difference. An ellipsis stands for what is left out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskbox.evaluators.fence import entry, is_shown
from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.event import Event, Said

SHORTEST = 4
"""Letters and digits that a quote must have, unless it is the whole of a text or value."""
OUTSIDE = ("event", "kind", "time", "by", "call", "permitted")
"""Fields of an event that say nothing of what happened; a quote of them alone shows nothing."""
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about all also an and are as at be been but by can do for from had has have he her him his i if in into is it its "
        "just me my no not of on or our so some than that the their them then there these they this those to up us was we were "
        "what when which who will with would you your",
    )
)
"""Words that stand in nearly every text, so that a quote of nothing else shows nothing."""
NOT = (
    r"(?:not|never|cannot|without|neither|nor|[a-z]+n['\u2019]t?|nicht|nie|niemals|kein\w*|pas|jamais|nunca)"
)
NEGATION = re.compile(rf"\b{NOT}(?![^\W_])")
NEGATED = re.compile(rf"(?:\b{NOT}(?!\w)(?!\s+(?:only|just|nur)\b)(?:\s+[\w'\u2019]+){{0,2}}|\bno)\s*$")
"""The end of what stands before words that are negated."""
BEFORE = 200
"""Characters before a quote that are searched for its negation."""
CLAUSE = re.compile(r"[.!?;:,()\n\u2014]|\s(?:and|but|und|aber|et|mais|y|pero)\s")

SPACED = "\u0e00"
"""Scripts before this one put spaces between words."""
WORD = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)*|[^\W_]+")
"""A number with its sign and its decimals, or a run of letters and digits."""
ELLIPSIS = re.compile(r"[\[(]?\.{3,}[\])]?")
DASH = re.compile("[\u2010-\u2015\u2212]")
ESCAPED = re.compile(r"\\[nrt]")


@dataclass(frozen=True, slots=True)
class QuotedRecord:
    """The events of an episode, as quotes of them are looked up."""

    events: Sequence[Event]
    """All that happened."""
    read: dict[int, _Text] = field(default_factory=dict, repr=False, compare=False)
    """The texts that have been looked at, by event."""

    def shows(self, index: int, shown: range) -> bool:
        """Whether judges read an event, and may cite it."""
        return index in shown and is_shown(self.events[index])

    def holds(self, index: int, quote: str) -> bool:
        """Whether a quote stands in an event that judges read."""
        if not is_shown(self.events[index]):
            return False
        if index not in self.read:
            self.read[index] = _Text.of(self.events[index])
        return self.read[index].holds(quote)

    def negates(self, index: int, quote: str) -> bool:
        """Whether a quote of what somebody said leaves out the negation that stands before its words, so that it says the
        opposite: `sent the money` of `I have not sent the money`."""
        event = self.events[index]
        if not isinstance(event, Said):
            return False
        text, words = _plain(event.text), _plain(quote)
        return NEGATION.search(words) is None and any(
            _negated(piece, text) for piece in map(WORD.findall, ELLIPSIS.split(words)) if piece
        )

    def place(self, quote: str, cited: int, shown: range) -> int | None:
        """The event in which a quote stands: the one that is cited, else the nearest to it; None if it stands nowhere.

        Args:
            quote: The words.
            cited: The event that is said to hold them; it need not exist.
            shown: The events that may be cited.
        """
        nearest = sorted(shown, key=lambda index: abs(index - cited))
        return next((index for index in nearest if self.holds(index, quote)), None)


@dataclass(frozen=True, slots=True)
class _Text:
    """What an event says, in the ways in which it can be quoted."""

    words: tuple[str, ...]
    """As it is shown, and without the characters that cannot be seen."""
    values: frozenset[str]
    """Each of its texts and values as a whole."""
    outside: str
    """What says nothing of what happened; empty where there is nothing else."""
    plain: str
    """As it is, for quotes that have neither letters nor digits."""

    @classmethod
    def of(cls, event: Event) -> _Text:
        whole = entry(event)
        inside = {name: value for name, value in whole.items() if name not in OUTSIDE}
        outside = {name: value for name, value in whole.items() if name in OUTSIDE}
        shown, seen = " ".join(_leaves(whole)), " ".join(_leaves(inside or whole))
        return cls(
            words=(wording(inert(shown)), wording(_visible(shown))),
            values=frozenset(wording(inert(one)) for one in _leaves(inside or whole, names=False)),
            outside=wording(" ".join(_leaves(outside))) if inside else "",
            plain=seen,
        )

    def holds(self, quote: str) -> bool:
        plain = unicodedata.normalize("NFKC", _visible(quote))
        pieces = [one for one in map(wording, ELLIPSIS.split(plain)) if one]
        if not pieces:
            return bool(quote.strip()) and not any(map(str.isalnum, quote)) and quote.strip() in self.plain
        whole = " ".join(pieces)
        if whole in self.values:
            return True
        if max(len(one.replace(" ", "")) for one in pieces) < SHORTEST or COMMON.issuperset(whole.split()):
            return False
        return not _stands(pieces, self.outside) and any(_stands(pieces, text) for text in self.words)


def wording(text: str) -> str:
    """The words and numbers of a text, in order, between single spaces."""
    plain = unicodedata.normalize("NFKC", ESCAPED.sub(" ", text)).casefold()
    return " ".join(WORD.findall(DASH.sub("-", plain)))


def _stands(pieces: Sequence[str], text: str) -> bool:
    """Whether the pieces stand in a text in this order, each from the beginning of a word; a number is never part of a
    longer one."""
    start = 0
    for piece in pieces:
        before = r"(?<![\d.\-])" if piece[0].isdigit() else r"(?<![^\W\d_])" if piece[0] < SPACED else ""
        after = r"(?!\.?\d)" if piece[-1].isdigit() else ""
        found = re.compile(before + re.escape(piece) + after).search(text, start)
        if found is None:
            return False
        start = found.end()
    return True


def _negated(piece: Sequence[str], text: str) -> bool:
    """Whether the words of a piece stand in a text, and wherever they do, behind a negation in the same clause."""
    starts = [one.start() for one in re.finditer(r"(?<!\w)" + r"[\W_]+".join(map(re.escape, piece)), text)]
    return bool(starts) and all(
        NEGATED.search(CLAUSE.split(text[max(0, start - BEFORE) : start])[-1]) for start in starts
    )


def _plain(text: str) -> str:
    """A text in small letters, with its punctuation."""
    return unicodedata.normalize("NFKC", _visible(text)).casefold()


def _visible(text: str) -> str:
    """A text without the characters that cannot be seen."""
    return "".join(one for one in text if unicodedata.category(one) != "Cf")


def _leaves(value: Any, *, names: bool = True) -> Iterator[str]:
    """Each text and value, by default with the names of fields, in the order in which they are shown."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from [str(name)] * names
            yield from _leaves(one, names=names)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one, names=names)
    else:
        yield value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
