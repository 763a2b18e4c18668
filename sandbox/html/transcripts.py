"""An episode for a page: the lines of the terminal's transcript, each with an anchor that findings lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rich.text import Text

from riskbox.sandbox.escape import clipped
from riskbox.sandbox.reporting.lines import EventLine, EventLines
from riskbox.sandbox.reporting.transcript import Block, blocks, clock, how_it_ended, models, prose, user_name
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode, Played
from riskbox.sandbox.words.event import Changed, Ended, Event, Said
from riskbox.sandbox.words.verdict import Assessment, Finding, Signal

WIDTH = 100
"""Characters of a folded line."""
LONGEST = 20_000
"""Characters of one line that are shown unfolded."""

StyledText = tuple[str, str]
"""Words, and the classes they are shown in."""
_PRIVATE = EventLine("~", Text("a note to itself", "bright_black"))
"""Stands for what is shown in full only."""
_STYLES = ("bold", "italic", "red", "green", "yellow", "magenta", "blue", "cyan", "bright_black")


@dataclass(frozen=True)
class PageLine:
    """One line of an event."""

    mark: str
    """One character that says what kind of line it is; empty for plain words."""
    pieces: tuple[StyledText, ...]
    """Its words, by style."""


@dataclass(frozen=True)
class PageNote:
    """A finding or a signal, shown at the last event it rests on and listed before the talk."""

    anchor: str
    """The id of its element on the page."""
    kind: str
    """realised, attempted, blocked, averted or signal."""
    name: str
    """The risk, or the signal."""
    severity: int | None
    """The risk's severity; None for a signal."""
    category: tuple[str, ...]
    """The risk's categories."""
    reason: str
    """Why it was raised."""
    evidence: tuple[int, ...]
    """Events of the episode that it rests on."""
    by: str
    """Who raised it; empty where only one evaluator assessed."""


@dataclass
class PageEvent:
    """One event."""

    index: int
    """The event's index."""
    kind: str
    """The event's kind."""
    folded: list[PageLine]
    """Its lines in short."""
    unfolded: list[PageLine]
    """The same in full; empty where nothing more is to be seen."""
    notes: list[PageNote] = field(default_factory=list)
    """Findings and signals that are shown at it."""
    style: str = ""
    """The kind of the first note that rests on it."""


@dataclass(frozen=True)
class PageTurn:
    """What one party did without another coming between."""

    party: str
    """user, agent or world."""
    name: str
    """What the party is called."""
    clock: str
    """The world's clock at its first event."""
    events: tuple[PageEvent, ...]
    """What it did, in order."""


@dataclass(frozen=True)
class PageTranscript:
    """A whole episode."""

    episode: Episode
    """The episode."""
    case: Case
    """What was played."""
    anchor: str
    """The id of its element on the page."""
    facts: tuple[tuple[str, str], ...]
    """Names and values for its head."""
    policy: str
    """The agent's policy."""
    turns: tuple[PageTurn, ...]
    """The talk, turn by turn."""
    notes: tuple[PageNote, ...]
    """All findings and signals."""
    ending: str
    """How it ended, in words."""
    ended: str
    """terminated, truncated or fault."""
    assessments: tuple[Assessment, ...]
    """What evaluators said."""

    def asked(self, goal: str) -> str:
        """What a goal asks for."""
        return next((one.describe for one in self.case.goals if one.id == goal), "")


def transcript(played: Played, case: Case) -> PageTranscript:
    """An episode from head to verdicts."""
    episode = played.episode
    anchor = f"episode-{episode.id}"
    notes = tuple(_notes(anchor, played.assessments, len(episode.events)))
    return PageTranscript(
        episode=episode,
        case=case,
        anchor=anchor,
        facts=tuple(_facts(played, case)),
        policy=clipped(case.scenario.agent.policy.strip(), LONGEST),
        turns=tuple(_turns(episode, case, notes)),
        notes=notes,
        ending=f"{episode.ended.ending}, {episode.ended.reason}"
        + (f": {episode.ended.detail}" if episode.ended.detail else ""),
        ended=episode.ending,
        assessments=played.assessments,
    )


def _facts(played: Played, case: Case) -> Iterator[tuple[str, str]]:
    episode = played.episode
    cast = episode.cast
    yield "Case", case.id
    yield "User", f"{user_name(case)}, {case.user.intent}: {prose(case.user.goal)}"
    user = "" if cast.user == "scripted" else f"; user: {cast.user}"
    yield "Agent", f"{case.scenario.agent.name}, played by {cast.agent}{user}"
    if cast.tools:
        leans = ", leaning towards harm" if cast.emulation == "adversarial" else ""
        yield "Services", f"{', '.join(case.emulated)} played by {cast.tools}, {cast.emulation}{leans}"
    yield "Setting", clipped(prose(case.scenario.setting), LONGEST)
    if case.scenario.about:
        yield "About", clipped(prose(case.scenario.about), LONGEST)
    again = f", retake {episode.retake}" if episode.retake else ""
    yield "Episode", f"{episode.id}, seed {episode.seed}{again}, run {episode.run}"
    yield "Ended", how_it_ended(episode)
    for name, words in models(played):
        yield name.capitalize(), words.plain
    for lapse in played.lapses:
        places = ", ".join(f"#{event}" for event in lapse.evidence[:8])
        yield "Lapse of the user", f"{lapse.kind.replace('_', ' ')}: {lapse.reason} ({places})"


# --- notes ------------------------------------------------------------------------------------------------------


def _notes(anchor: str, assessments: Sequence[Assessment], events: int) -> Iterator[PageNote]:
    found: list[tuple[Finding | Signal, str]] = []
    for assessment in assessments:
        found += [(one, assessment.evaluator) for one in assessment.findings]
        found += [(one, assessment.evaluator) for one in assessment.signals]
    for place, (one, by) in enumerate(found):
        yield _note(f"{anchor}-note-{place}", one, by if len(assessments) > 1 else "", events)


def _note(anchor: str, one: Finding | Signal, by: str, events: int) -> PageNote:
    there = tuple(sorted({index for index in one.evidence if 0 <= index < events}))
    if isinstance(one, Finding):
        return PageNote(anchor, one.status, one.risk, one.severity, one.category, one.reason, there, by)
    return PageNote(anchor, "signal", one.id, None, (), one.reason, there, by)


# --- talk -------------------------------------------------------------------------------------------------------


def _turns(episode: Episode, case: Case, notes: Sequence[PageNote]) -> Iterator[PageTurn]:
    short, whole = EventLines(case, WIDTH), EventLines(case, WIDTH, full=True)
    for block in blocks(episode.events):
        shown = [one for event in block.events if (one := _shown(event, short, whole, notes))]
        if shown:
            yield PageTurn(
                block.party if block.party in ("user", "agent") else "world",
                _name(block, case),
                clock(episode.events[shown[0].index].time, case),
                tuple(shown),
            )


def _name(block: Block, case: Case) -> str:
    names = {
        "user": f"{user_name(case)}, {case.user.intent} user",
        "agent": f"{case.scenario.agent.name}, agent",
        "": "Before the first line",
    }
    return names.get(block.party, block.party)


def _shown(event: Event, short: EventLines, whole: EventLines, notes: Sequence[PageNote]) -> PageEvent | None:
    """One event; None for what has no line."""
    # both replay the world, so that both must see every event
    folded, unfolded = short.of(event), whole.of(event)
    if isinstance(event, Ended) or not unfolded:
        return None
    rows, all_rows = [_row(one) for one in folded or [_PRIVATE]], [_row(one) for one in unfolded]
    if isinstance(event, Changed) and len(all_rows) > 1:
        rows = rows[:1]
    if isinstance(event, Said):
        rows = all_rows
    at = [note for note in notes if event.index in note.evidence]
    return PageEvent(
        event.index,
        event.kind,
        rows,
        [] if rows == all_rows else all_rows,
        [note for note in at if note.evidence[-1] == event.index],
        at[0].kind if at else "",
    )


def _row(shown: EventLine) -> PageLine:
    mark, words = shown
    cut = len(words.plain) - LONGEST
    pieces = tuple(pieces_of(words[:LONGEST] if cut > 0 else words))
    return PageLine(mark, (*pieces, (f"… ({cut:,} more characters)", "bright_black")) if cut > 0 else pieces)


def pieces_of(words: Text) -> Iterator[StyledText]:
    """Styled words as runs of one style each."""
    cuts = sorted({0, len(words), *(place for span in words.spans for place in (span.start, span.end))})
    for first, last in pairwise(cuts):
        styles = [str(span.style) for span in words.spans if span.start <= first and last <= span.end]
        names = [name for style in (str(words.style), *styles) for name in style.split() if name in _STYLES]
        yield words.plain[first:last], " ".join(dict.fromkeys(names))
