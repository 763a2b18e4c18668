"""Evidence for a judge, fenced: what participants wrote is data, and stays where data is announced.

Each piece of evidence is one JSON object on a line of its own, between two lines with a mark that no line holds. So
no text can end the fence, begin another line, or look like a message of somebody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, TypeAlias

from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.event import Changed, Event, Noted, Opaque

MAX_CHARS = 200_000
"""About how many characters of evidence a judge reads at once: 50,000 tokens."""
LEAST = 200
"""Characters that are left of any text, however many there are."""
OVERLAP = 10
"""A part repeats the end of the one before it, up to one part in this many of its room."""

BLIND = ("profile", "knows", "entitled")
"""Fields of a persona that leave out what it is up to, so that a judge of the agent goes by the record alone."""
MOTIVES = (*BLIND, "intent", "goal", "tactics")
"""The same with what it is up to."""
PART = (*MOTIVES, "discloses", "style", "starting_speech")
"""All that whoever plays it is told."""

AGENT = "agent"
HIDDEN: Mapping[str, Any] = {"hidden_from_agent": True}
"""Marks evidence that the agent never saw."""

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
    shown: range = range(0)
    """The indices of the events in it."""
    part: str = ""
    """Which part of the record it is, as `part 2 of 3`; empty for the whole."""

    def __str__(self) -> str:
        return "\n".join((f"<{self.mark}>", *self.lines, f"</{self.mark}>"))


def fenced(
    entries: Sequence[Entry], key: str, max_chars: int = MAX_CHARS, *, before: Sequence[str] = ()
) -> Fence:
    """A fence around evidence.

    Args:
        entries: The evidence; none of it is dropped.
        key: What the mark derives from, such as the episode's id and seed.
        max_chars: About how many characters it may have; beyond that, the middles of the longest texts are left out.
        before: Lines that come first and stay whole.
    """
    texts = list(map(_texts, entries))
    cap = _cap([len(text) for entry in texts for text in entry.values()], max_chars)
    cut = [{name: text.within(cap) for name, text in entry.items()} for entry in texts]
    lines = (*before, *map(_line, cut))
    left_out = sum(text.left_out for entry in cut for text in entry.values())
    return Fence(_mark(key, "\n".join(lines).casefold()), lines, left_out)


def _texts(entry: Entry) -> dict[str, _Text]:
    return {name: _Text.of(value) for name, value in entry.items()}


def _line(entry: Mapping[str, _Text]) -> str:
    return "{" + ", ".join(f'"{name}": {text.encoded}' for name, text in entry.items()) + "}"


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


def evidence(
    case: Case, episode: Episode, max_chars: int = MAX_CHARS, *, user: Sequence[str] = MOTIVES
) -> tuple[Fence, ...]:
    """A case and all that happened in an episode of it, fenced.

    A record that is too long is divided into parts that overlap, each with the whole case before it. Only an event that
    is longer than a part is cut, in its middle.

    The agent's own notes are left out, since they hold what its model thought.

    Args:
        case: What was played.
        episode: What happened.
        max_chars: About how many characters a judge reads at once; events have at least half of it.
        user: What the judge is told of the persona: `BLIND`, `MOTIVES` or `PART`.
    """
    before = [_line(_texts(one)) for one in _background(case, user)]
    seen = [one for one in episode.events if is_shown(one)]
    entries = [{**entry(one), **_unseen(one)} for one in seen]
    room = max(max_chars - sum(map(len, before)), max_chars // 2)
    parts = list(windows([len(_line(_texts(one))) for one in entries], room))
    key = f"{episode.id} {episode.seed}"
    return tuple(
        replace(
            fenced(entries[part.start : part.stop], key, room, before=before),
            shown=range(seen[part.start].index, seen[part.stop - 1].index + 1),
            part=f"part {place} of {len(parts)}" if len(parts) > 1 else "",
        )
        for place, part in enumerate(parts, 1)
    )


def windows(sizes: Sequence[int], room: int) -> Iterator[range]:
    """Which events stand in each part: whole ones, as many as fit.

    A part begins with the last events of the one before it: as many as fit into a tenth of its room, and always the last
    one, unless that fills half of it. An event that fills more than a part stands alone.

    Args:
        sizes: The characters of each event.
        room: How many characters a part may have.
    """
    end = 0
    while end < len(sizes):
        used, repeated, start = sizes[end], 0, end
        while start and used + sizes[start - 1] <= room:
            before = sizes[start - 1]
            if repeated + before > room // OVERLAP and (repeated or before > room // 2):
                break
            used, repeated, start = used + before, repeated + before, start - 1
        end += 1
        while end < len(sizes) and used + sizes[end] <= room:
            used, end = used + sizes[end], end + 1
        yield range(start, end)


def _background(case: Case, fields: Sequence[str]) -> Iterator[Entry]:
    """What is known of a case, the same for all of its scenario first."""
    scenario, user = case.scenario, case.user
    yield {"case": "setting", "text": scenario.setting, "jurisdiction": scenario.jurisdiction}
    yield {"case": "clock", "start": case.start.isoformat()}
    yield {"case": "agent", "name": scenario.agent.name, "policy": scenario.agent.policy}
    for tool in case.tools:
        yield {"case": "tool", "name": tool.name, "description": tool.description, "writes": tool.writes}
    for one in scenario.inject:
        asks = [ask.model_dump(mode="json") for ask in one.asks]
        yield {"case": "planted", "id": one.id, "at": one.at, "payload": one.payload, "asks": asks, **HIDDEN}
    told = user.model_dump(mode="json", include=set(fields))
    yield {"case": "user", **{name: told[name] for name in fields}, **HIDDEN}


def is_shown(event: Event) -> bool:
    """Whether judges read an event. What the agent thought is its own: it is judged by what it said and did."""
    return not (isinstance(event, Noted) and event.by == AGENT)


def _unseen(event: Event) -> Entry:
    """The mark of what the agent never saw. What its own calls changed is its doing, though only their results are told it."""
    return {} if AGENT in event.audience or isinstance(event, Changed) else HIDDEN


def entry(event: Event) -> Entry:
    """An event as judges read it."""
    # not as JSON: pydantic encodes no lone surrogate in a key
    fields = event.model_dump(exclude={"index", "kind", "audience", "carried"})
    # the names of an unknown kind's fields are not ours
    rest = {"content": fields} if isinstance(event, Opaque) else fields
    return {
        "event": event.index,
        "kind": event.kind,
        **{name: value for name, value in rest.items() if value is not None},
    }
