"""`riskbox annotate`: people assess episodes, blind."""

from __future__ import annotations

import argparse
import getpass
import io
import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.escape import inert

if TYPE_CHECKING:
    from rich.console import RenderableType

    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.people.annotation import AnnotationAnswer, AnnotationQuestion
    from riskbox.sandbox.reporting.screen import Screen
    from riskbox.sandbox.words.case import Case
    from riskbox.sandbox.words.episode import Episode, Played
    from riskbox.sandbox.words.row import EpisodeRow

ABOUT = "Assess a run's episodes yourself. Riskbox hides the verdicts of machines and who played."
EXAMPLES = """\
  riskbox annotate latest --rater anna                        continue with what anna has not assessed yet
  riskbox annotate latest --rater anna --sample 40 --seed 1   use the same 40 episodes for every rater
  riskbox annotate 20260302 --where intent=malicious          assess only matching episodes
  riskbox annotate latest --sample 40 --export labels.csv     write an empty sheet
  riskbox annotate latest --rater ben --import labels.csv     read ben's answers from a sheet
  riskbox agreement latest                                    measure how well people and judges agree

You can add the numbers of the events that show an answer, for example: happened 3 5-7. Riskbox stores an annotation
when you answer its last question. Run the same command again to continue."""

HELP = """\
  /back   return to the previous question
  /skip   leave this episode for later
  /show   print the episode again; /full with calls and results in full
  /quit   stop; episodes whose questions are all answered are kept
  Enter   after /back, keep your previous answer"""
COMMANDS = ("/back", "/skip", "/show", "/full", "/quit", "/help")


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.Parser("annotate", ABOUT, EXAMPLES)
    options.add_run(made)
    made.add_argument(
        "--rater",
        default=os.environ.get("RISKBOX_RATER", ""),
        metavar="NAME",
        help="your name (default: RISKBOX_RATER or your login name)",
    )
    options.add_where(made)
    made.add_argument("--sample", type=int, metavar="N", help="draw a random sample of N episodes")
    made.add_argument("--seed", type=int, default=0, help="the seed of the sample and the order (default: 0)")
    made.add_argument("--again", action="store_true", help="include episodes that you have annotated before")
    made.add_argument("--unblind", action="store_true", help="show which agent and models played")
    sheet = made.add_mutually_exclusive_group()
    sheet.add_argument(
        "--export", metavar="FILE", help="write an empty sheet (CSV) instead of asking questions"
    )
    sheet.add_argument("--import", dest="sheet", metavar="FILE", help="read a completed sheet")
    options.add_store(made)
    options.add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Ask, write a sheet, or read one."""
    given = parser().parse_args(argv)
    if given.sample is not None and given.sample < 1:
        raise InputError("annotate: --sample must be at least 1.")
    if given.sheet and not given.rater:
        raise InputError("annotate: name the rater with --rater NAME.")

    from riskbox.sandbox.people.annotation import chosen_rater

    rater = chosen_rater(given.rater or getpass.getuser())
    with options.open_existing(given.store, writes=not given.export) as store:
        run = store.run(given.run).run
        if given.sheet:
            return _imported(given, store, run, rater)
        rows = _rows(given, store, run)
        if given.export:
            return _exported(given, store, run, rows)
        return _asked(given, store, run, rater, rows)


def _rows(given: argparse.Namespace, store: Store, run: str) -> list[EpisodeRow]:
    """The episodes to assess; what broke while it was played cannot be."""
    from riskbox.sandbox.people.annotation import sampled
    from riskbox.sandbox.reporting.rows import Chosen

    fitting = list(Chosen.parse(given.where).rows(store, run))
    whole = [row for row in fitting if row.ending != "fault"]
    if not whole:
        which = f" matches {', '.join(given.where)}" if given.where else " is stored"
        broken = f" ({len(fitting)} ended in a fault)" if fitting else ""
        raise InputError(f"no episode of {run}{which} that people could assess{broken}.")
    return sampled(whole, given.sample, given.seed)


# --- sheets -----------------------------------------------------------------------------------------------------


def _exported(given: argparse.Namespace, store: Store, run: str, rows: Sequence[EpisodeRow]) -> int:
    from riskbox.sandbox.people import labels
    from riskbox.sandbox.reporting.figures import many

    def episodes() -> Iterator[tuple[Case, Episode, str]]:
        for row in rows:
            played, case = _found(store, row)
            yield case, played.episode, _plain(blind(played, case, 96, names=given.unblind))

    try:
        with open(given.export, "w", encoding="utf-8-sig", newline="") as file:
            count = labels.write(file, episodes())
    except OSError as error:
        raise InputError(f"--export {given.export}: cannot be written: {error.strerror or error}.") from None
    if given.json:
        print(json.dumps({"run": run, "file": given.export, "episodes": count}))
    else:
        print(
            f"{given.export}: {many(count, 'episode')} to assess. Fill in the columns `answer` and `evidence`, then:"
        )
        print(
            f"  riskbox annotate {run} --rater NAME --import {shlex.quote(given.export)}{_same_store(given)}"
        )
    return 0


def _imported(given: argparse.Namespace, store: Store, run: str, rater: str) -> int:
    from riskbox.sandbox.people import labels

    def find(id: str) -> tuple[Case, Episode]:
        try:
            episode = store.episode(run, id).episode
        except UnknownName:
            raise UnknownName(f"run {run} has no episode {id!r}.") from None
        return store.case(episode.case.hash), episode

    sheet = labels.read(given.sheet, find)
    for id, one in sheet.assessments(rater).items():
        store.assess(run, id, [one])
    told = {"run": run, "rater": rater, "annotated": len(sheet.answers), "blank": len(sheet.blank)}
    if given.json:
        print(json.dumps(told))
    else:
        blank = f" {len(sheet.blank)} without an answer were skipped." if sheet.blank else ""
        print(f"{len(sheet.answers)} episodes annotated by {rater}.{blank}")
        print(f"  riskbox agreement {run}{_same_store(given)}")
    return 0


# --- asking -----------------------------------------------------------------------------------------------------


def _asked(given: argparse.Namespace, store: Store, run: str, rater: str, rows: Sequence[EpisodeRow]) -> int:
    from riskbox.sandbox.people.annotation import raters, shuffled
    from riskbox.sandbox.reporting.screen import QUIET, screen, text

    if isinstance(sys.stdin, io.TextIOWrapper):
        # bytes that are no text must not end a session
        sys.stdin.reconfigure(errors="replace")
    if sys.stdin.isatty():
        import readline  # noqa: F401  # gives `input` its editing

    own = shuffled(rows, rater, given.seed)
    left = [row for row in own if given.again or rater not in raters(row)]
    session = AnnotationSession(
        store, rater, screen(), done=len(own) - len(left), total=len(own), names=given.unblind
    )
    session.console.print(
        text(
            f"{rater}: {len(left)} of {len(own)} episodes are left. /help lists the commands.",
            QUIET,
        )
    )
    code = session.through(left)
    if given.json:
        told = {"run": run, "rater": rater, "annotated": session.done, "left": session.total - session.done}
        print(json.dumps(told))
        return code
    print(f"{rater} has annotated {session.done} of {session.total} episodes.")
    goes_on = session.done < session.total
    print(f"  riskbox {'annotate' if goes_on else 'agreement'} {run}{_same_store(given)}")
    return code


class Quit(Exception):
    """The rater stops."""


class Skip(Exception):
    """The rater leaves this episode for later."""


class Back(Exception):
    """The rater goes back to the episode before."""


@dataclass
class AnnotationSession:
    """One rater at a terminal."""

    store: Store
    """Where answers are stored."""
    rater: str
    """Who answers."""
    console: Screen
    """Where questions are shown."""
    done: int
    """Episodes annotated, in this session and before."""
    total: int
    """How many episodes there are in all."""
    names: bool = False
    """Whether to say who played."""
    answers: dict[str, dict[AnnotationQuestion, AnnotationAnswer]] = field(default_factory=dict)
    """What was answered in this session, by episode."""
    kept: set[str] = field(default_factory=set)
    """How many episodes were stored."""

    def through(self, rows: Sequence[EpisodeRow]) -> int:
        """Ask about each episode; the exit code is returned."""
        place = 0
        try:
            while place < len(rows):
                try:
                    self._episode(rows[place], place, len(rows))
                except Back:
                    place = max(0, place - 1)
                    continue
                except Skip:
                    pass
                place += 1
        except (Quit, EOFError):
            return 0
        except KeyboardInterrupt:
            print()
            return 130
        return 0

    def _episode(self, row: EpisodeRow, place: int, count: int) -> None:
        from riskbox.sandbox.people.annotation import assessment, questions

        played, case = _found(self.store, row)
        asked, given = questions(case), self.answers.setdefault(row.id, {})
        self._show(played, case)
        # whoever comes back to an episode begins at its last question
        at = len(asked) - 1 if row.id in self.kept else 0
        shown = -1
        while at < len(asked):
            if at != shown:
                where = f"episode {place + 1} of {count} · question {at + 1} of {len(asked)}"
                self._ask(asked[at], given.get(asked[at]), where)
                shown = at
            words = self._typed()
            match words:
                case "/back" if at:
                    at -= 1
                case "/back":
                    raise Back
                case "/show" | "/full":
                    self._show(played, case, full=words == "/full")
                    shown = -1
                case "" if asked[at] in given:
                    at += 1
                case _:
                    try:
                        given[asked[at]] = asked[at].typed(words, len(played.episode.events))
                        at += 1
                    except ValueError as error:
                        self._tell(str(error), "yellow")
        self.store.assess(row.run, row.id, [assessment(case, given, self.rater)])
        if row.id not in self.kept:
            self.kept.add(row.id)
            self.done += self.rater not in _annotated(row)
        self._tell("Kept.", "green")

    def _typed(self) -> str:
        """A line; commands that concern no single question are done with here."""
        from riskbox.sandbox.errors import did_you_mean

        while True:
            words = _line("> ").strip()
            if words == "/quit":
                raise Quit
            if words == "/skip":
                raise Skip
            if words == "/help":
                self._tell(HELP)
            elif words.startswith("/") and words not in COMMANDS:
                self._tell(f"{words} is not a command. {did_you_mean(words, COMMANDS)}", "yellow")
            else:
                return words

    def _show(self, played: Played, case: Case, *, full: bool = False) -> None:
        self.console.print()
        for part in blind(played, case, self.console.width, full=full, names=self.names):
            self.console.print(part)

    def _ask(self, one: AnnotationQuestion, before: AnnotationAnswer | None, where: str) -> None:
        from rich.rule import Rule
        from rich.text import Text

        from riskbox.sandbox.people.annotation import SCALE
        from riskbox.sandbox.reporting.screen import QUIET, text

        self.console.print()
        self.console.print(
            Rule(text(where, QUIET), style=QUIET, align="left"), width=min(self.console.width, 100)
        )
        name = Text() if one.kind == "comment" else text(f"{one.kind} {one.id}").append("  ")
        name.stylize("cyan")
        self.console.print(name.append(text(one.words, "bold")), width=min(self.console.width, 100))
        scale = (SCALE,) if one.kind == "dimension" else ()
        for hint in (*one.hints, *scale):
            self._tell(f"  {hint}", QUIET)
        events = "" if one.kind == "comment" else ", then the events that show it"
        self._tell(f"  {one.expects}{events}" + (f"  [{before}]" if before and str(before) else ""), QUIET)

    def _tell(self, words: str, style: str = "") -> None:
        from riskbox.sandbox.reporting.screen import text

        self.console.print(text(words, style), width=min(self.console.width, 100))


def _line(prompt: str) -> str:
    """What is typed."""
    words = input(prompt)
    if not sys.stdin.isatty():
        # nobody typed it on this screen, and whoever reads the output wants to see it
        print(inert(words))
    return words


def _annotated(row: EpisodeRow) -> list[str]:
    from riskbox.sandbox.people.annotation import raters

    return raters(row)


def _found(store: Store, row: EpisodeRow) -> tuple[Played, Case]:
    return store.episode(row.run, row.id), store.case(row.case_hash)


def blind(
    played: Played, case: Case, width: int, *, full: bool = False, names: bool = False
) -> Iterator[RenderableType]:
    """An episode as a rater sees it: what happened and what the agent was told, and nobody's opinion of it."""
    from rich.text import Text

    from riskbox.sandbox.people.annotation import blinded
    from riskbox.sandbox.reporting import transcript as page
    from riskbox.sandbox.reporting.findings import FindingNotes
    from riskbox.sandbox.reporting.lines import EventLines

    shown = blinded(played, names=names)
    events, room = shown.episode.events, min(width, page.READABLE)
    yield page.card(shown, case, room, full=True)
    nothing, lines = FindingNotes.of((), len(events)), EventLines(case, room - 10, full, unfolds="/full")
    for block in page.blocks(events):
        told = [(event, found) for event in block.events if (found := lines.of(event))]
        if told:
            yield Text()
            yield page.speaker(block.party, told[0][0].time, case, room, unmasked=True)
            bar = page.colour(block.party, case, unmasked=True)
            yield page.Margin(page.body(told, nothing, room, width, beside=False), bar)
    yield Text()
    yield page.ending(shown.episode, events, case, room)


def _plain(parts: Iterable[RenderableType]) -> str:
    from riskbox.sandbox.reporting.screen import screen

    file = io.StringIO()
    console = screen(file=file, width=96)
    for part in parts:
        console.print(part)
    return file.getvalue()


def _same_store(given: argparse.Namespace) -> str:
    """The `--store` option to repeat in a suggested command. Empty for the default, or if it may hold a password."""
    usual = given.store == os.environ.get("RISKBOX_STORE", options.STORE) or "@" in given.store
    return "" if usual else f" --store {shlex.quote(given.store)}"
