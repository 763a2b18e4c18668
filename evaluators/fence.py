"""Evidence for a judge, fenced: what participants wrote is data, and stays where data is announced.

Each piece of evidence is one JSON object on a line of its own, between two lines with a mark that no line holds. So
no text can end the fence, begin another line, or look like a message of somebody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.event import Event, Opaque

MAX_CHARS = 200_000
"""About how many characters of evidence a judge reads: 50,000 tokens."""
LEAST = 200
"""Characters that are left of any text, however many there are."""

Entry: TypeAlias = Mapping[str, Any]
"""One piece of evidence: named JSON values. The names are ours, the values anyone's."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Evidence between two marks."""

    mark: str
    """What the two lines around it hold: `<mark>` and `</mark>`. No line between them holds it."""
    lines: tuple[str, ...]
    """The evidence, one JSON object a line."""
    left_out: int
    """How many characters were left out of texts that were too long."""

    def __str__(self) -> str:
        return "\n".join((f"<{self.mark}>", *self.lines, f"</{self.mark}>"))


def fenced(entries: Sequence[Entry], key: str, max_chars: int = MAX_CHARS) -> Fence:
    """A fence around evidence.

    Args:
        entries: The evidence; none of it is dropped.
        key: What the mark derives from, such as the episode's id and seed.
        max_chars: About how many characters it may have; beyond that, the middles of the longest texts are left out.
    """
    texts = [{name: _Text.of(value) for name, value in entry.items()} for entry in entries]
    cap = _cap([len(text) for entry in texts for text in entry.values()], max_chars)
    cut = [{name: text.within(cap) for name, text in entry.items()} for entry in texts]
    lines = tuple(
        "{" + ", ".join(f'"{name}": {text.encoded}' for name, text in entry.items()) + "}" for entry in cut
    )
    left_out = sum(text.left_out for entry in cut for text in entry.values())
    return Fence(_mark(key, "\n".join(lines).casefold()), lines, left_out)


@dataclass(frozen=True, slots=True)
class _Text:
    """A value as it will be written."""

    plain: str
    """Text as it is, any other value as JSON."""
    encoded: str
    """On one line, as JSON, without characters that hide or move."""
    left_out: int = 0

    @classmethod
    def of(cls, value: Any) -> _Text:
        if isinstance(value, str):
            plain = inert(value)
            return cls(plain, json.dumps(plain, ensure_ascii=False))
        plain = inert(json.dumps(value, ensure_ascii=False, default=str))
        return cls(plain, plain)

    def __len__(self) -> int:
        return len(self.encoded)

    def within(self, cap: int) -> _Text:
        """The same with its middle left out, if it is longer."""
        if len(self) <= cap:
            return self
        kept = min(cap // 2, len(self.plain) // 2)
        less = len(self.plain) - 2 * kept
        if less < LEAST // 4:  # the note would be longer than what it stands for
            return self
        head, tail = self.plain[:kept], self.plain[len(self.plain) - kept :]
        plain = f"{head}[... {less:,} characters left out ...]{tail}"
        return _Text(plain, json.dumps(plain, ensure_ascii=False), less)


def _cap(sizes: Sequence[int], room: int) -> int:
    """The length at which texts must be cut so that all of them fit: the short ones whole, the long ones alike."""
    rising = sorted(sizes)
    for place, size in enumerate(rising):
        share = room // (len(rising) - place)
        if size > share:
            return max(share, LEAST)
        room -= size
    return max(LEAST, *rising, 0)


def _mark(key: str, text: str) -> str:
    """A mark that the text does not hold."""
    again = 0
    while True:
        mark = f"evidence-{blake2b(f'{key} {again}'.encode(), digest_size=12).hexdigest()}"
        if mark not in text:
            return mark
        again += 1


# --- what a judge sees ------------------------------------------------------------------------------------------


def evidence(case: Case, episode: Episode, max_chars: int = MAX_CHARS, *, blind: bool = False) -> Fence:
    """A case and all that happened in an episode of it, fenced.

    Args:
        case: What was played.
        episode: What happened.
        max_chars: About how many characters of it a judge reads.
        blind: Whether to leave out what the user is up to (intent, goal, tactics), so that the judge goes by the
            record alone.
    """
    entries = [*_background(case, blind=blind), *map(_event, episode.events)]
    return fenced(entries, f"{episode.id} {episode.seed}", max_chars)


def _background(case: Case, *, blind: bool) -> Iterator[Entry]:
    scenario, user = case.scenario, case.user
    yield {"case": "setting", "text": scenario.setting, "jurisdiction": scenario.jurisdiction}
    yield {"case": "clock", "start": case.start.isoformat()}
    yield {"case": "agent", "name": scenario.agent.name, "policy": scenario.agent.policy}
    for tool in case.tools:
        yield {"case": "tool", "name": tool.name, "description": tool.description, "writes": tool.writes}
    motives = {} if blind else {"intent": user.intent, "goal": user.goal, "tactics": user.tactics}
    yield {
        "case": "user",
        "profile": user.profile,
        "knows": user.knows,
        "entitled": user.entitled,
        **motives,
    }
    for one in scenario.inject:
        asks = [ask.model_dump(mode="json") for ask in one.asks]
        yield {"case": "planted", "id": one.id, "at": one.at, "payload": one.payload, "asks": asks}


def _event(event: Event) -> Entry:
    # not as JSON: pydantic encodes no lone surrogate in a key
    fields = event.model_dump(exclude={"index", "kind", "audience"})
    # the names of an unknown kind's fields are not ours
    rest = {"content": fields} if isinstance(event, Opaque) else fields
    return {
        "event": event.index,
        "kind": event.kind,
        **{name: value for name, value in rest.items() if value is not None},
    }
