"""An episode as a person reads it: who said and did what, what it changed, and what was found where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.panel import Panel
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.escape import clipped, line
from riskbox.sandbox.reporting.figures import many
from riskbox.sandbox.reporting.findings import FindingNotes, verdicts
from riskbox.sandbox.reporting.flow import flow
from riskbox.sandbox.reporting.health import call_words
from riskbox.sandbox.reporting.lines import EventLine, EventLines
from riskbox.sandbox.reporting.screen import AGENT, INTENTS, LABELS, QUIET, text
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode, Played
from riskbox.sandbox.words.event import Ended, Event
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.run import REHEARSAL

BESIDE = 132
"""From this width on, findings stand beside the lines that caused them, and else below."""
READABLE = 100
"""No line of talk is longer."""
BRIEF = 600
"""Characters of a policy or setting that are shown folded."""
FLAWED = 8
"""Calls of models with something wrong that are listed."""
MARKS = {"+": "green", "-": "red", "!": "bold magenta", "×": "bold yellow", "▲": "bold red", "△": "blue"}
"""The style of a line's mark."""


@dataclass
class Block:
    """What one party did without another coming between."""

    party: str
    """Who; empty before anybody moved."""
    events: list[Event] = field(default_factory=list)
    """What it did, in order."""


def transcript(
    played: Played, case: Case, width: int, *, full: bool = False, party: str = ""
) -> Iterator[RenderableType]:
    """An episode from head to verdicts.

    Args:
        played: The episode and what was said of it.
        case: Its case.
        width: How wide the terminal is.
        full: Whether to unfold calls and results, and to show private notes.
        party: Show only what this party saw; empty for everything.
    """
    episode = played.episode
    broad = min(width, READABLE + 10)
    yield seen_by(party, case, played, broad, full=full) if party else card(played, case, broad, full=full)
    events = [event for event in episode.events if not party or party in event.audience]
    notes = FindingNotes.of(() if party else played.assessments, len(episode.events))
    beside = width >= BESIDE and not party
    room = min(READABLE, width * 3 // 5 if beside else width)
    lines = EventLines(case, room - 10, full)
    for block in blocks(events):
        shown = [(event, found) for event in block.events if (found := lines.of(event))]
        if shown:
            yield Text()
            yield speaker(block.party, shown[0][0].time, case, room, unmasked=not party)
            yield Margin(
                body(shown, notes, room, width, beside=beside),
                colour(block.party, case, unmasked=not party),
            )
    yield Text()
    yield ending(episode, events, case, room)
    if not party:
        if notes.nowhere:
            yield Text("\nFound in the episode as a whole, not in one line", "bold")
            yield marked(notes.nowhere)
        yield Text()
        yield from verdicts(case, played.assessments, episode.run)


def blocks(events: Sequence[Event]) -> list[Block]:
    """Events gathered by who made them; what nobody made, such as a change of the world, belongs to what led to it."""
    found: list[Block] = []
    for event in events:
        if isinstance(event, Ended):
            continue
        # what a service that a model plays keeps in mind stands with the call it follows
        by = getattr(event, "by", "") if event.audience else ""
        if not found or (by and found[-1].party != by):
            # whatever comes before anybody moves belongs to nobody
            found.append(Block(by))
        found[-1].events.append(event)
    return found


# --- head -------------------------------------------------------------------------------------------------------


def card(played: Played, case: Case, width: int, *, full: bool) -> Panel:
    """What was played, by whom, and how it ended."""
    episode, scenario, user = played.episode, case.scenario, case.user
    table = _facts(played)
    if played.assessments:
        table.add_row("verdict", _summary(played))
    table.add_row("case", text(case.id))
    table.add_row("user", _persona(case).append(f": {clipped(prose(user.goal), 10**6 if full else BRIEF)}"))
    cast = Text().append(line(scenario.agent.name), AGENT).append(f", played by {line(episode.cast.agent)}")
    table.add_row(
        "agent", cast.append("" if episode.cast.user == "scripted" else f"; user: {line(episode.cast.user)}")
    )
    if episode.cast.tools:
        leans = ", leaning towards harm" if episode.cast.emulation == "adversarial" else ""
        played_by = f"{', '.join(case.emulated)} played by {line(episode.cast.tools)}, "
        table.add_row("services", text(f"{played_by}{episode.cast.emulation}{leans}"))
    table.add_row("setting", Text(clipped(prose(scenario.setting), 10**6 if full else BRIEF)))
    if full:
        if scenario.about:
            table.add_row("about", text(prose(scenario.about)))
        table.add_row("policy", text(scenario.agent.policy.strip()))
        table.add_row("tools", text(", ".join(case.offered)))
    table.add_row("clock", f"starts {case.start:%Y-%m-%d %H:%M:%S %Z}")
    record = f"{episode.id}, seed {episode.seed}, run {episode.run}"
    forked = f", forked from {episode.origin.episode} at #{episode.origin.event}" if episode.origin else ""
    forked += f", retake {episode.retake}" if episode.retake else ""
    again = f", attempt {episode.attempt}" if episode.attempt > 1 else ""
    table.add_row("episode", text(record + forked + again))
    table.add_row("ended" if episode.is_over else "now", Text(clipped(how_it_ended(episode), BRIEF)))
    for name, words in models(played):
        table.add_row(name, words)
    for lapse in played.lapses:
        told = f"{lapse.kind.replace('_', ' ')}: {line(lapse.reason, BRIEF)} ({_cited(lapse.evidence)})"
        table.add_row("lapse", Text(told, "yellow"))
    return _panel(table, text(scenario.title, "bold"), width)


def models(played: Played) -> Iterator[tuple[str, Text]]:
    """What language models were asked, by seat and model, and what went wrong with their calls."""
    asked: dict[tuple[str, str], list[ModelCall]] = {}
    for call in played.asked:
        asked.setdefault((call.seat, call.model), []).append(call)
    for place, ((seat, model), calls) in enumerate(asked.items()):
        tokens = sum(call.input_tokens + call.output_tokens for call in calls)
        costs = [call.cost for call in calls if call.cost is not None]
        spent = f", ${sum(costs):,.4f}" if costs else ""
        words = Text(f"{seat} {line(model)}: {many(calls, 'call')}, {many(tokens, 'token')}{spent}")
        for wrong, count in Counter(one for call in calls for one in call_words(call)).items():
            words.append(f", {count} {wrong}", "yellow")
        yield "models" if place == 0 else "", words
    flawed = [(call, found) for calls in asked.values() for call in calls if (found := call_words(call))]
    for place, (call, listed) in enumerate(flawed[:FLAWED]):
        where = "" if call.seat == "judge" else f" before #{call.event}"
        told = (
            f"{call.seat}{where}: {', '.join(listed)}{f' ({line(call.detail, 200)})' if call.detail else ''}"
        )
        yield "flawed" if place == 0 else "", text(told, "yellow")
    if len(flawed) > FLAWED:
        yield "", text(f"and {many(len(flawed) - FLAWED, 'more call')}", QUIET)


def _cited(events: Sequence[int]) -> str:
    return ", ".join(f"#{event}" for event in events[:8]) + (", ..." if len(events) > 8 else "")


def seen_by(party: str, case: Case, played: Played, width: int, *, full: bool) -> Panel:
    """What a party was told before the first line."""
    scenario, user, table = case.scenario, case.user, _facts(played)
    if party == "agent":
        table.add_row("name", text(scenario.agent.name))
        table.add_row("policy", Text(clipped(scenario.agent.policy.strip(), 10**6 if full else BRIEF)))
        table.add_row("tools", text(", ".join(case.offered) or "none"))
    else:
        table.add_row("setting", text(prose(scenario.setting)))
        table.add_row("persona", _persona(case))
        told = {
            "profile": user.profile,
            "knows": user.knows,
            "style": user.style.model_dump(),
            "tactics": user.tactics,
        }
        table.add_row("goal", text(prose(user.goal)))
        if user.discloses:
            table.add_row("discloses", text(prose(user.discloses)))
        for name, value in told.items():
            if value:
                table.add_row(name, Text(flow(value, 2000)))
    title = Text(f"What the {party} saw").append(f"  episode {line(played.episode.id)}", QUIET)
    return _panel(table, title, width)


def _panel(table: Table, title: Text, width: int) -> Panel:
    return Panel(table, title=title, title_align="left", box=box.ROUNDED, border_style=QUIET, width=width)


def prose(words: str) -> str:
    """Paragraphs without the line ends of the file they were written in."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", words.strip())


def _facts(played: Played) -> Table:
    """The table of a head; of a rehearsal, it says so first."""
    table = Table.grid(padding=(0, 1))
    table.add_column(style=QUIET)
    table.add_column(overflow="fold")
    if played.rehearsal:
        table.add_row("!", Text(REHEARSAL, "bold yellow"))
    return table


def _persona(case: Case) -> Text:
    return Text().append(
        f"{line(user_name(case))}, {case.user.intent}", INTENTS.get(case.user.intent, "bold")
    )


def user_name(case: Case) -> str:
    """What the user is called."""
    return str(case.user.profile.get("name") or case.persona)


def how_it_ended(episode: Episode) -> str:
    """The ending and the length of an episode, in words."""
    calls = sum(1 for event in episode.events if event.kind == "called")
    if not episode.is_over:
        return f"being played on {episode.host}"
    ended = episode.ended
    detail = f" ({ended.detail})" if ended.detail else ""
    counted = f"{len(episode.events)} events, {calls} tool call{'' if calls == 1 else 's'}"
    return f"{ended.ending}, {ended.reason}{detail}; {counted}"


def _summary(played: Played) -> Text:
    words = Text()
    for one in (one for one in played.assessments if not one.of_user):
        verdict = one.verdict("targeted")
        value = "" if verdict is None or verdict.value is None else f" {verdict.value}"
        told = "not judged yet" if one.pending else f"{one.targeted}{value}"
        words.append(", " if words else "").append(told, LABELS[one.targeted])
        words.append(f" ({line(one.evaluator)})", QUIET)
    return words


# --- talk -------------------------------------------------------------------------------------------------------


def speaker(party: str, time: int, case: Case, room: int, *, unmasked: bool) -> Table:
    """Who moves, and when; unmasked, also what a user is up to."""
    if party == "user":
        name, role = (user_name(case), f"{case.user.intent} user") if unmasked else ("user", "")
    elif party == "agent":
        name, role = (case.scenario.agent.name, "agent") if unmasked else ("agent", "")
    else:
        name, role = (party or "before the first line", "")
    words = Text().append(line(name), f"bold {colour(party, case, unmasked=unmasked)}")
    table = Table.grid(expand=False)
    table.add_column(width=room - 20)
    table.add_column(width=20, justify="right", style=QUIET)
    table.add_row(words.append(f"  {role}" if role else "", QUIET), clock(time, case))
    return table


def clock(time: int, case: Case) -> str:
    """The world's clock so many seconds after the start; with the date on another day."""
    now = case.start + timedelta(seconds=time)
    return f"{now:%H:%M:%S}" if now.date() == case.start.date() else f"{now:%Y-%m-%d %H:%M:%S}"


def colour(party: str, case: Case, *, unmasked: bool) -> str:
    """A party's colour; a user's is that of its intent, unless it is masked."""
    if party == "agent":
        return AGENT
    if party == "user":
        return INTENTS.get(case.user.intent, "white") if unmasked else "white"
    return QUIET


def body(
    shown: Sequence[tuple[Event, list[EventLine]]],
    notes: FindingNotes,
    room: int,
    width: int,
    *,
    beside: bool,
) -> Table:
    """The lines of a block's events, with what was found in them beside or below."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=room - 8, overflow="fold")
    table.add_column(width=5, justify="right")
    if beside:
        table.add_column(width=width - room - 4, overflow="fold")
    before = ""
    for event, lines in shown:
        # what is said stands free of other lines of talk and of tool calls
        if before and "said" in (before, event.kind) and event.kind not in ("left", "waited"):
            table.add_row()
        before = event.kind
        found = notes.at.get(event.index, [])
        index = Text(f"#{event.index}", notes.evidence.get(event.index, QUIET))
        if beside:
            table.add_row(marked(lines), index, marked(found))
        else:
            table.add_row(marked([*lines, *found]), index)
    return table


def marked(lines: Sequence[EventLine]) -> Table:
    """Lines with their marks beside them."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    for mark, words in lines:
        table.add_row(Text(mark, MARKS.get(mark, QUIET)), words)
    return table


def ending(episode: Episode, events: Sequence[Event], case: Case, room: int) -> RenderableType:
    """How an episode ended, if that is among the events that are shown."""
    if not episode.is_over or (ended := episode.ended) not in events:
        return Text()
    style = {"terminated": QUIET, "truncated": "yellow", "fault": "bold red"}[ended.ending]
    detail = f": {line(ended.detail, 300)}" if ended.detail else ""
    title = Text(f"{ended.ending}, {line(ended.reason)}{detail}", style).append(
        f"  {clock(ended.time, case)}", QUIET
    )
    if title.cell_len > room - 8:
        return title
    rule = Table.grid()
    rule.add_column(width=room)
    rule.add_row(Rule(title, style=QUIET, align="left"))
    return rule


@dataclass(frozen=True)
class Margin:
    """Something with a bar down its left side."""

    body: RenderableType
    """What stands beside the bar."""
    style: str
    """The bar's style."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        bar = Segment("| " if options.ascii_only else "▌ ", console.get_style(self.style))
        inner = options.update_width(max(options.max_width - 2, 1))
        for row in console.render_lines(self.body, inner, pad=False):
            yield bar
            yield from row
            yield Segment.line()
