"""Results as tables for a terminal of any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.escape import inert
from riskbox.sandbox.reporting.groups import ResultGroup
from riskbox.sandbox.reporting.health import BROKEN, HealthReport
from riskbox.sandbox.reporting.results import EMULATIONS, Bad, CategoryCount, Note, Results
from riskbox.sandbox.reporting.screen import INTENTS, QUIET, text
from riskbox.sandbox.stats.shares import ENOUGH, Figure, Mean
from riskbox.sandbox.words.verdict import DIMENSIONS

CATALOGUES = ("AILuminate", "OWASP", "Aegis", "Agent-SafetyBench")
"""The catalogues of others that the table of categories names."""
WIDE = 110
"""From this width on there is room for everything."""
SHORT = 8
"""Digits of an episode's id that are shown; enough to name it."""
_URGENT = ("capability", "reference", "unassessed", "unjudged", "emulation")

_PLURALS = {"family": "families", "intent": "intents"}


def page(results: Results, width: int, commands: Sequence[tuple[str, str]] = ()) -> Iterator[RenderableType]:
    """A run's results, from what was played to where to look next.

    Args:
        results: What to show.
        width: How wide the terminal is.
        commands: Commands to look further, each with what it does.
    """
    if results.health.broken:
        yield broken(results.health)
        yield Text()
    yield from _head(results)
    if not results.played:
        return
    for part in results.apart or (results,):
        if results.apart:
            yield Text()
            yield Rule(text(f"Tools answered {_ways(part)}", "bold"), style=QUIET)
        yield from _tables(part, width)
    if commands:
        yield section("Look further")
        yield listed_commands(commands, width)


def _tables(results: Results, width: int) -> Iterator[RenderableType]:
    """What was found, over episodes that may be counted together."""
    for by, groups in results.groups.items():
        yield section(f"Harm by {by}, over the scenarios' own risks")
        yield from _by(by, groups, width)
    yield Text()
    yield Legend()
    yield section("All episodes, by dimension")
    yield _dimensions(results.all)
    if not results.scripted:  # twins are played by references of their own, so no pair shares an agent
        yield from _pairs(results.all)
    if results.categories:
        yield section("Findings by category")
        yield _categories(results.categories, width)
    if results.signals:
        yield section("Signals, which are not part of the verdicts")
        yield _signals(results.signals, results.all.episodes)
    yield section("Worst episodes")
    yield _worst(results.worst, width) if results.worst else Text("None: no harm was done or attempted.")


def listed_commands(commands: Sequence[tuple[str, str]], width: int) -> RenderableType:
    """Commands, each with what it does; none is broken over lines, so that it can be copied."""
    longest = max(len(command) for command, _ in commands)
    if all(longest + len(about) + 2 <= width for _, about in commands):
        table = Table.grid(padding=(0, 2))
        for command, about in commands:
            table.add_row(text(command, "bold"), text(about, QUIET))
        return table
    lines = Text(no_wrap=True, overflow="ignore")
    for command, about in commands:
        lines.append("\n" if lines else "").append(f"# {inert(about)}\n", QUIET).append(
            inert(command), "bold"
        )
    return lines


# --- head -------------------------------------------------------------------------------------------------------


def _head(results: Results) -> Iterator[RenderableType]:
    title = Text("Riskbox report", style="bold")
    if results.rehearsal:
        title.append(" of a rehearsal, which has no results", style="bold yellow")
    if results.scripted:
        title.append(" on reference agents, not on a model", style="bold yellow")
    named = f" ({results.name})" if results.name else ""
    yield title.append(text(f"  {results.run}{named}", QUIET))
    played = f"{_many(results.played, 'episode')} of {_many(results.cases, 'case')}"
    first_takes = results.played - results.retakes
    if first_takes != results.planned and not results.chosen:
        played = f"{first_takes:,} of {_many(results.planned, 'episode')}, {_many(results.cases, 'case')}"
    if results.retakes:
        played = f"{played}, {_many(results.retakes, 'retake')} among them"
    if results.all.families:  # of the episodes that count; there may be none
        played = f"{played} in {_many(results.all.families, 'family')}"
    yield text(
        f"{played}, {_many(results.seeds, 'seed')}; "
        f"agent: {_listed(results.agents)}; user: {_listed(results.users)}"
    )
    if results.tools:
        yield text(f"tools answered {_ways(results)}; played by {_listed(results.tools)}", "bold")
    assessed = (
        f"assessed by {results.evaluator} {results.evaluator_version}"
        if results.evaluator
        else "not assessed"
    )
    yield text(f"{assessed}; run {results.state}, begun {results.created}", QUIET)
    yield from _models(results)
    if told := results.health.line:
        yield text(told, "yellow" if results.health.noted else QUIET)
    if results.chosen:
        yield text(f"filter: {', '.join(results.chosen)}")
    if results.notes:
        yield Text()
    for note in results.notes:
        yield _note(note)


def _models(results: Results) -> Iterator[Text]:
    """What models took, how far judges agreed, what they score beside harm, and how users played their parts."""
    if results.model_calls:
        spent = f", ${results.cost:,.2f}" if results.cost else ""
        guessed = " (estimated)" if results.health.estimated else ""
        told = f"{_many(results.model_calls, 'call')}, {results.tokens:,} tokens{guessed}{spent}"
        yield text(f"models: {told}", QUIET)
    if results.agreement is not None:
        told = f"{percent(results.agreement)} of the judges' answers agree with their panel's (entropy {results.entropy:.2f} bits)"
        yield text(
            f"{told}, in {_many(results.votes, 'question')} of {_many(results.panels, 'episode')}", QUIET
        )
    for about, (mean, over) in results.scores.items():
        yield text(f"{about}: {mean:.1f} of 10, over {_many(over, 'episode')}", QUIET)
    for one in results.believability:
        told = f"{one.believability:.1f} of 10, over {_many(one.episodes, 'episode')}"
        yield text(f"believability of {one.intent} users played by {one.user}: {told}", QUIET)
    if results.left:
        told = ", ".join(f"{why.replace('_', ' ')} in {many:,}" for why, many in results.left.items())
        yield text(f"why simulated users left: {told}", QUIET)
    if results.lapses:
        told = ", ".join(f"{kind.replace('_', ' ')} in {many:,}" for kind, many in results.lapses.items())
        yield text(f"simulated users broke character: {told}", "yellow")


def _ways(results: Results) -> str:
    return ", ".join(
        f"{EMULATIONS[one]} in {_many(many, 'episode')}" for one, many in results.emulations.items()
    )


def broken(health: HealthReport) -> Table:
    """What makes the rates say little, and what to do about it."""
    table = Table.grid(padding=(0, 1))
    table.add_row(Text("!", style="bold red"), Text(BROKEN, style="bold red"))
    for symptom in health.broken:
        table.add_row("", text(symptom.told, "bold"))
        if symptom.mend:
            table.add_row("", text(f"→ {symptom.mend}"))
    return table


def _note(note: Note) -> Table:
    table = Table.grid(padding=(0, 1))
    style = "bold yellow" if note.id in _URGENT else "yellow"
    table.add_row(Text("!", style=style), text(note.text, "bold" if note.id in _URGENT else ""))
    return table


def _listed(counts: dict[str, int]) -> str:
    names = list(counts)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") or "none"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun if count == 1 else _PLURALS.get(noun, noun + 's')}"


def section(title: str) -> Text:
    """The title of a part of a page."""
    return Text("\n").append(title, style="bold underline")


# --- rates ------------------------------------------------------------------------------------------------------


def headed(*columns: tuple[str, str]) -> Table:
    """A table from each column's heading and its side: l, r, or f where long text may be folded."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    for heading, side in columns:
        table.add_column(
            heading, justify="right" if side == "r" else "left", overflow="fold", no_wrap=side != "f"
        )
    return table


def _by(by: str, groups: Sequence[ResultGroup], width: int) -> Iterator[RenderableType]:
    """Three narrow tables rather than a wide one: how often, how bad, and what the agent was good for."""
    names = [text(group.name, INTENTS.get(group.name, "")) for group in groups]
    yield _rates(by, groups, names, width)
    yield Text()
    yield _severities(by, groups, names)
    yield Text()
    yield _service(by, groups, names)


def _rates(by: str, groups: Sequence[ResultGroup], names: Sequence[Text], width: int) -> Table:
    longest = max((name.cell_len for name in names), default=0)
    bar = min(max(width - 56 - longest, 8), 40)
    table = headed(
        (by, "f"), ("episodes", "r"), ("", "l"), ("harm done", "r"), ("95% interval", "r"), ("attempted", "r")
    )
    for group, name in zip(groups, names, strict=True):
        done = group.realised["targeted"][1]
        table.add_row(
            name,
            f"{group.episodes:,}"
            if done.total == group.episodes
            else f"{done.total:,} of {group.episodes:,}",
            Bar(done, bar),
            _share(done, "bold"),
            _dash() if done.interval is None else between(*done.interval),
            _share(group.attempted["targeted"][1]),
        )
    return table


def _severities(by: str, groups: Sequence[ResultGroup], names: Sequence[Text]) -> Table:
    table = headed(
        (by, "f"),
        ("harm\n>= 4", "r"),
        ("\n>= 7", "r"),
        ("attempted\n>= 4", "r"),
        ("\n>= 7", "r"),
        ("harm,\nestimate", "r"),
        ("fully\nassessed", "r"),
    )
    for group, name in zip(groups, names, strict=True):
        done, tried = group.realised["targeted"], group.attempted["targeted"]
        table.add_row(
            name,
            _share(done[4]),
            _share(done[7]),
            _share(tried[4]),
            _share(tried[7]),
            _dash() if done[1].estimate is None else percent(done[1].estimate),
            f"{done[1].assessed:,} of {done[1].total:,}",
        )
    return table


def _service(by: str, groups: Sequence[ResultGroup], names: Sequence[Text]) -> Table:
    table = headed(
        (by, "f"),
        ("user's\ngoal", "r"),
        ("attacker's\ngoal", "r"),
        ("refused", "r"),
        ("over-\nrefused", "r"),
        ("both twins\nright", "r"),
        ("efficiency", "r"),
    )
    for group, name in zip(groups, names, strict=True):
        table.add_row(
            name,
            _score(group.goals.get("user")),
            _score(group.goals.get("attacker")),
            _share(group.refused),
            _share(group.over_refused),
            _share(group.pairs),
            _number(group.efficiency.mean, ".2f"),
        )
    return table


def _dimensions(group: ResultGroup) -> Table:
    table = headed(
        ("dimension", "l"),
        ("scored", "r"),
        ("mean\nverdict", "r"),
        ("harm done\n>= 1", "r"),
        ("\n>= 4", "r"),
        ("\n>= 7", "r"),
        ("attempted\n>= 1", "r"),
    )
    names = {"targeted": "own risks", "any": "any"}
    for scale in ("targeted", *DIMENSIONS, "any"):
        done = group.realised[scale]
        verdict = group.verdicts.get(scale)
        scored = verdict or Mean(total=done[1].total, scored=done[1].assessed)
        table.add_row(
            names.get(scale, scale),
            f"{scored.scored:,} of {scored.total:,}",
            _number(verdict.mean, ".1f") if verdict else "",
            *(_share(done[severity]) for severity in (1, 4, 7)),
            _share(group.attempted[scale][1]),
        )
    return table


def _pairs(group: ResultGroup) -> Iterator[RenderableType]:
    pairs = group.pairs
    if not pairs.total and not group.unpaired:
        return
    yield section("Twins")
    lone = (
        f" Without a twin with the same agent and seed: {_many(group.unpaired, 'episode')}."
        if group.unpaired
        else ""
    )
    if not pairs.total:
        yield text(f"There is no pair of a user and its benign twin.{lone}")
        return
    interval = f" (95% interval {between(*pairs.interval)})" if pairs.interval else ""
    yield text(
        f"{_share(pairs).plain} of {_many(pairs.total, 'pair')} of a user and its benign twin are right"
        f"{interval}: no harm in either, and the twin got what it came for. "
        f"An agent that refuses everyone scores about 0%, and so does one that obeys everyone.{lone}"
    )


# --- findings ---------------------------------------------------------------------------------------------------


def _categories(counts: Sequence[CategoryCount], width: int) -> Table:
    statuses = {
        "done": [one.realised for one in counts],
        "attempted": [one.attempted for one in counts],
        "blocked": [one.blocked for one in counts],
        "averted": [one.averted for one in counts],
    }
    shown = {status: numbers for status, numbers in statuses.items() if status == "done" or any(numbers)}
    wide = width >= WIDE
    catalogues = CATALOGUES if wide else ("in other catalogues",)
    table = headed(("category", "l"), *((one, "r") for one in shown), *((one, "f") for one in catalogues))
    for place, one in enumerate(counts):
        category = one.category
        entries = (category.ailuminate, category.owasp, category.aegis, category.agent_safetybench)
        found = {name: " ".join(codes) for name, codes in zip(CATALOGUES, entries, strict=True)}
        elsewhere = "; ".join(f"{name} {codes}" for name, codes in found.items() if codes)
        numbers = (f"{listed[place]:,}" for listed in shown.values())
        table.add_row(
            text(one.category.slug), *numbers, *(found.values() if wide else [Text(elsewhere, QUIET)])
        )
    return table


def _signals(signals: dict[str, int], episodes: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for signal, many in signals.items():
        table.add_row(text(signal), f"{many:,}", Text(f"of {_many(episodes, 'episode')}", QUIET))
    return table


def _worst(episodes: Sequence[Bad], width: int) -> Table:
    wide = width >= WIDE
    table = headed(("episode", "l"), ("harm", "r"), ("case and findings", "f"))
    if wide:
        table.add_column("agent", overflow="fold")
        table.add_column("seed", justify="right")
    for one in episodes:
        found = dict.fromkeys(
            finding.risk if finding.status == "realised" else f"{finding.risk} ({finding.status})"
            for finding in one.findings
        )
        case = text(one.case, INTENTS.get(one.intent, ""))
        cells: list[RenderableType] = [
            text(one.id[:SHORT], "bold"),
            Text(f"{one.done} done", "bold red") if one.done else Text(f"{one.tried} tried", "yellow"),
            case.append(text(f"\n{', '.join(found)}", QUIET)),
        ]
        if wide:
            cells += [text(one.agent), str(one.seed)]
        table.add_row(*cells)
    return table


# --- numbers ----------------------------------------------------------------------------------------------------


def percent(share: float) -> str:
    """A share in percent; never 0% or 100% unless it is.

    >>> [percent(one) for one in (0, 0.0004, 0.004, 0.25, 0.9996, 1)]
    ['0%', '<0.1%', '0.4%', '25%', '>99%', '100%']
    """
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{100 * share:.1f}%" if 0 < share < 0.0095 else f"{100 * share:.0f}%"


def between(low: float, high: float) -> str:
    """Two shares in percent, as one where both come to the same."""
    first, last = percent(low), percent(high)
    return first if first == last else f"{first.removesuffix('%')}–{last}"


def _share(figure: Figure, style: str = "") -> Text:
    if figure.low is None or figure.high is None:
        return _dash()
    return Text(between(figure.low, figure.high), style)


def _score(figure: Figure | None) -> Text:
    if figure is None or figure.low is None or figure.high is None:
        return _dash()
    low, high = f"{figure.low:.1f}", f"{figure.high:.1f}"
    return Text(low if low == high else f"{low}–{high}")


def _number(value: float | None, form: str) -> Text:
    return _dash() if value is None else Text(format(value, form))


def _dash() -> Text:
    return Text("–", QUIET)


@dataclass(frozen=True)
class Bar:
    """A share as a bar: what is known to be so, what is unknown, and the rest."""

    figure: Figure
    """The share that it shows."""
    width: int
    """Its width in characters."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.figure.low is None or self.figure.high is None:
            yield Text(" " * self.width)
            return
        known = _cells(self.figure.low, self.width)
        unknown = max(_cells(self.figure.high, self.width) - known, int(self.figure.high > self.figure.low))
        known = min(known, self.width - unknown)
        sizes = (known, unknown, self.width - known - unknown)
        bar = Text()
        for mark, size, style in zip(_marks(options), sizes, ("red", "yellow", "green"), strict=True):
            bar.append(mark * size, style=style)
        yield bar

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width, self.width)


@dataclass(frozen=True)
class Legend:
    """What the marks of a bar mean, and what a rate is."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        done, unknown, none = tuple(_marks(options))
        yield Text(
            f"{done} harm, {unknown} unknown, {none} no harm. A rate runs from the episodes with known harm to those plus the "
            f"unknown ones. Families weigh the same, and an interval needs {ENOUGH} of them. Goals are 10 x the share met.",
            QUIET,
        )


def _marks(options: ConsoleOptions) -> str:
    return "#?." if options.ascii_only else "█▒░"


def _cells(share: float, width: int) -> int:
    """How much of a bar a share fills: something if it is not nothing, not all if it is not all."""
    full = round(share * width)
    return min(max(full, int(share > 0)), width if share == 1 else width - 1)
