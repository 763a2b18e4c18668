"""All that judges are asked about one episode, as a prompt, and what an answer to it says.

A prompt begins with what is the same in all episodes and ends with the questions, so that a provider's cache serves many
calls. Citations are verified: an answer must cite what it rests on, and a claim about the agent must quote what the agent
said or did.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import Template

from riskbox.evaluators.answers import citations, given
from riskbox.evaluators.citations import Citations, few
from riskbox.evaluators.fence import Fence
from riskbox.evaluators.quotes import QuotedRecord
from riskbox.evaluators.rubric import (
    Json,
    JudgeQuestion,
    Key,
    Opinion,
    affirms,
    claims,
    closed,
    deeds,
    listed,
    one_of,
    prose,
    text,
)
from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.episode import Episode

WALK = 12
"""Lines in which a judge goes through a record, at most."""
WHAT = 120
"""Characters of each."""


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """All that judges are asked about one episode."""

    questions: tuple[JudgeQuestion, ...]
    """In order."""
    messages: tuple[Json, ...]
    """The prompt."""
    schema: Json
    """JSON Schema of the whole answer, as judges are asked for it."""
    shown: range
    """Which events it shows, and may be cited."""
    record: QuotedRecord
    """All that happened."""
    left_out: int = 0
    """How many characters of the evidence were left out."""
    profile: str = "judge"
    """Whose instructions lead, in which wording."""
    part: str = ""
    """Which part of the record it shows, as `part 2 of 3`; empty for the whole."""

    alone: tuple[Questionnaire, ...] = ()
    """The same questions one by one, where each is a call of its own."""
    is_alone: bool = False
    """Whether it is one of those."""

    @property
    def purpose(self) -> str:
        """What a call asks for: whose instructions lead, and the question where it is asked alone."""
        return f"{self.profile} {'.'.join(self.questions[0].key)}" if self.is_alone else self.profile

    @property
    def accepted(self) -> Json:
        """JSON Schema of what is read: any object with an answer to something. Each question is read by itself."""
        names = dict.fromkeys(name for one in self.questions for name in (one.key[0], ".".join(one.key)))
        return {"type": "object", "anyOf": [{"required": [name]} for name in names]}

    def read(self, answer: Json) -> Reading:
        """What an answer says to each question. One that is not answered is unknown. So is an opinion without the evidence
        that it needs, and one that claims nothing where a text was cut.
        """
        opinions: dict[Key, Opinion] = {}
        notes: list[str] = []
        wrong: dict[Key, str] = {}
        answered = False
        for one in self.questions:
            place = ".".join(one.key)
            fields, unread = given(one, answer)
            if fields is None:
                wrong |= {} if one.optional else {one.key: f"{place} {unread}"}
                opinions[one.key] = Opinion(None, f"the judge's answer {unread}", why="judge_failed")
                continue
            answered = True
            cited = Citations.of(one, citations(one, answer), self.record, self.shown, self.part)
            notes += cited.notes
            opinion = one.read({**fields, "evidence": cited.evidence})
            claimed = claims(opinion)
            if self.left_out and not affirms(opinion.value) and (opinion.value is not None or opinion.why):
                opinion = replace(opinion, value=None, reason=self._unread, why="unread")
            if claimed and one.quoted and cited.unquoted:
                notes.append(f"{place} cites without a quote: {few(cited.unquoted)}")
            if (claimed or opinion.why != "unread") and (lack := cited.lack(one, opinion, self.record)):
                wrong[one.key] = f"{place} {lack}"
                opinion = Opinion(None, f"the judge {lack}", opinion.evidence, why="no_evidence")
            opinions[one.key] = opinion
        return Reading(opinions if answered else {}, tuple(notes), wrong)

    @property
    def _unread(self) -> str:
        return f"the judge did not read {self.left_out:,} characters of the record"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a judge's answer comes to."""

    opinions: Mapping[Key, Opinion]
    """By question; empty if none is answered."""
    notes: tuple[str, ...] = ()
    """Citations that were dropped or put right, or have no quote."""
    lacking: Mapping[Key, str] = field(default_factory=dict)
    """The questions that are unknown for want of an answer or of evidence, and what is lacking."""

    @property
    def wrong(self) -> str:
        """What is lacking, in a line; empty if nothing is."""
        return "; ".join(self.lacking.values())

    def over(self, earlier: Reading) -> Reading:
        """This reading, with the opinions of an earlier one where it has none."""
        if not self.opinions or not earlier.opinions:
            return self if self.opinions else earlier
        kept = {key for key, one in self.opinions.items() if one.why == "judge_failed"}
        notes = (*earlier.notes, *self.notes) if kept else self.notes
        return Reading(
            {key: (earlier if key in kept else self).opinions[key] for key in self.opinions},
            tuple(dict.fromkeys(notes)),
            {
                key: why
                for one in (self, earlier)
                for key, why in one.lacking.items()
                if (key in kept) is (one is earlier)
            },
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is asked, before it is worded and ordered for each repeat.

    Args:
        profiles: Whose instructions lead, in each wording: `judge`, `judge2`, `haicosystem`.
        questions: What is asked.
        settled: What judges are told is settled.
        first: JSON Schema of fields that an answer begins with.
        opening: What is told before the evidence, the same in all episodes.
        walks: The party whose deeds an answer first goes through; empty for none.
        apart: Whether each question is a call of its own.
    """

    profiles: Sequence[str]
    questions: Sequence[JudgeQuestion]
    settled: Sequence[Json] = ()
    first: Mapping[str, Json] = field(default_factory=dict)
    opening: str = ""
    walks: str = ""
    apart: bool = False

    def prompts(self, fences: Sequence[Fence], episode: Episode, repeats: int) -> list[list[Questionnaire]]:
        """The prompts of each repeat, one for each part of the evidence: in turn in each wording, and each in an order of
        its own.

        Args:
            fences: The parts of the evidence.
            episode: What is judged.
            repeats: How often each judge is asked.
        """
        record = QuotedRecord(episode.events)
        return [
            [
                self._prompt(
                    self.profiles[repeat % len(self.profiles)],
                    shuffled(self.questions, episode.seed, repeat),
                    fence,
                    record,
                )
                for fence in fences
            ]
            for repeat in range(repeats)
        ]

    def _prompt(
        self, profile: str, questions: Sequence[JudgeQuestion], fence: Fence, record: QuotedRecord
    ) -> Questionnaire:
        together = self._worded(profile, questions, fence, record)
        if not self.apart:
            return together
        alone = tuple(
            replace(self._worded(profile, [one], fence, record), is_alone=True) for one in questions
        )
        return replace(together, alone=alone)

    def _worded(
        self, profile: str, questions: Sequence[JudgeQuestion], fence: Fence, record: QuotedRecord
    ) -> Questionnaire:
        begins = Template(prose("evidence")).substitute(mark=fence.mark, evidence=str(fence))
        asked = Template(prose("sheet")).substitute(
            part=Template(prose("part")).substitute(part=fence.part) if fence.part else "",
            first=fence.shown.start,
            last=fence.shown.stop - 1,
            settled=_lines(self.settled) or "Nothing.",
            elsewhere=self._elsewhere(questions),
            questions=_lines({"answer_in": ".".join(one.key), **one.text} for one in questions),
        )
        messages = (
            {"role": "system", "content": prose(profile)},
            {"role": "user", "content": "\n\n".join(filter(None, (self.opening, begins, asked)))},
        )
        return Questionnaire(
            tuple(questions),
            messages,
            self._schema(questions, fence.shown, record),
            fence.shown,
            record,
            fence.left_out,
            profile,
            fence.part,
        )

    def _elsewhere(self, questions: Sequence[JudgeQuestion]) -> str:
        """What is asked in other calls and must not be scored twice."""
        others = [one for one in self.questions if one.key[0] == "risks" and one not in questions]
        if not others or all(one.key[0] != "dimensions" for one in questions):
            return ""
        told = _lines({"risk": one.key[1], "counts": one.text["counts"]} for one in others)
        return f"These risks are asked apart, so leave them out here:\n\n{told}\n\n"

    def _schema(self, questions: Sequence[JudgeQuestion], shown: range, record: QuotedRecord) -> Json:
        parts: dict[str, Json] = {}
        for one in questions:
            part, id = one.key
            parts.setdefault(part, {})[id] = one.schema(shown)
        walk = {}
        if self.walks:
            own = deeds(record.events, self.walks)
            many = len(own.intersection(shown))
            line = closed({"event": one_of(shown), "what": text(WHAT)})
            walk = {"walk": listed(line, min(max(many, 1), WALK), least=1)}
        return closed({**walk, **self.first, **{part: closed(ids) for part, ids in parts.items()}})


def shuffled(questions: Sequence[JudgeQuestion], seed: int, repeat: int) -> list[JudgeQuestion]:
    """The questions in the order of one repeat: as they are in the first, then shuffled within their part of the answer,
    with suspicions still first.
    """
    if not repeat:
        return list(questions)
    chance = random.Random(f"order {seed} {repeat}")
    parts = list(dict.fromkeys(one.key[0] for one in questions))
    by_chance = sorted(questions, key=lambda _: chance.random())
    return sorted(by_chance, key=lambda one: (parts.index(one.key[0]), "suspected" not in one.text))


def _lines(entries: Iterable[Json]) -> str:
    """Each entry as JSON on a line of its own: scenarios are untrusted text as well."""
    return "\n".join(inert(json.dumps(one, ensure_ascii=False)) for one in entries)
