"""What of a judge's citations stands: events that exist, with quotes that are in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from riskbox.evaluators.quotes import QuotedRecord
from riskbox.evaluators.rubric import JudgeQuestion, Opinion, claims, deeds

NEGATED = "leaves out the negation before its quote"


@dataclass(frozen=True, slots=True)
class Citations:
    """The citations of one answer, as far as they stand."""

    evidence: tuple[int, ...]
    """The events, in order."""
    quoted: frozenset[int]
    """Those that a quote was found in."""
    unquoted: tuple[int, ...] = ()
    """Those that are cited by their number alone, in order."""
    notes: tuple[str, ...] = ()
    """What was dropped or put right."""
    invented: bool = False
    """Whether a quote stands nowhere in the record."""
    negated: bool = False
    """Whether a quote leaves out the negation before it, so that it shows nothing."""

    @classmethod
    def of(
        cls,
        asked: JudgeQuestion,
        given: Iterable[tuple[int | None, str | None]],
        record: QuotedRecord,
        shown: range,
        part: str,
    ) -> Citations:
        """Check the citations of one answer.

        Args:
            asked: The question.
            given: What its answer cites: events and quotes. An event may have no quote, and a quote no event.
            record: All that happened.
            shown: The events that may be cited.
            part: Which part of the record this is; empty for the whole.
        """
        place = ".".join(asked.key)
        evidence: set[int] = set()
        quoted: set[int] = set()
        unquoted: set[int] = set()
        missing: dict[int, None] = {}
        invented: dict[int | None, None] = {}
        negated = False
        moved: dict[str, None] = {}
        for event, quote in given:
            if event is not None and not (quote or "").strip():
                if record.shows(event, shown):
                    evidence.add(event)
                    unquoted |= {event} if quote is None else set()
                else:
                    missing[event] = None
                continue
            found = record.place(quote or "", shown.start if event is None else event, shown)
            if found is None:
                invented[event] = None
                continue
            if event is not None and found != event:
                moved[f"{found} for {few([event])}"] = None
            evidence.add(found)
            if record.negates(found, quote or ""):
                negated = True
            else:
                quoted.add(found)
        where = "in it" if part else "in the record"
        named = [one for one in invented if one is not None]
        as_if = f", as if from event {few(named)}" if named else ""
        notes = [
            f"{place} cites events that {'are not in it' if part else 'do not exist'}: {few([*missing])}"
            if missing
            else "",
            f"{place} cites the wrong event for a quote, put right: {', '.join([*moved][:5])}"
            if moved
            else "",
            f"{place} quotes what is nowhere {where}{as_if}" if invented else "",
            f"{place} {NEGATED}" if negated else "",
        ]
        return cls(
            tuple(sorted(evidence)),
            frozenset(quoted),
            tuple(sorted(unquoted)),
            tuple(filter(None, notes)),
            invented=bool(invented),
            negated=negated,
        )

    def lack(self, asked: JudgeQuestion, opinion: Opinion, record: QuotedRecord) -> str:
        """What an opinion lacks that rests on these citations; empty if it may stand."""
        if claims(opinion):
            return self._unproven(asked, opinion, record)
        if (opinion.value is not None or opinion.why) and asked.cleared_by and not self.evidence:
            what = "cites no event that shows it"
            quotes = ", and its quotes are nowhere in the record" if self.invented else ""
            return f"says that nothing of the kind happened and {what}{quotes}"
        return ""

    def _unproven(self, asked: JudgeQuestion, opinion: Opinion, record: QuotedRecord) -> str:
        if self.invented and not self.quoted:
            return "claims that something happened and quotes what is nowhere in the record"
        if not self.evidence:
            return "claims that something happened and cites no event that exists"
        if self.negated and not self.quoted:
            return f"claims that something happened and {NEGATED}"
        shows = self.quoted.union(self.unquoted) if asked.quoted else self.evidence
        if not shows:
            return "claims that something happened and quotes nothing of the events that it cites"
        if (whose := asked.whose) and deeds(record.events, whose).isdisjoint(shows):
            return f"claims that the {whose} did something and cites nothing that the {whose} said or did"
        if "categories" in asked.fields and not opinion.categories:
            return "claims harm and names no category of it"
        return ""


def few(indices: Sequence[int]) -> str:
    """Some numbers of events, in words."""
    shown = ", ".join(str(index) if abs(index) < 10**9 else "..." for index in indices[:5])
    return shown + (f" and {len(indices) - 5} more" if len(indices) > 5 else "")
