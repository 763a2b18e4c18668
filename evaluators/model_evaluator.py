"""What evaluators that ask models share: their settings, their panel of judges, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from riskbox.evaluators.families import check_excluded, eligible
from riskbox.evaluators.fence import MAX_CHARS, Fence
from riskbox.evaluators.panel import JudgeResponse, Panel, combined, vote
from riskbox.evaluators.questionnaire import Questionnaire, Sheet
from riskbox.evaluators.rubric import Key, Opinion
from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Ledger, Models
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.name import Name


class ModelEvaluator(Evaluator):
    """An evaluator that asks a panel of models.

    Args:
        models: Where the judges are found; None if no model can be called.
        judges: The models that judge.
        repeats: How many times each is asked.
        judge_exclude: Who does not judge: families, vendors or models, `same-family`, or `none`; see `eligible`.
        max_chars: The approximate number of characters of evidence that a judge reads at once, at least 1000; a longer
            record is read in parts that overlap.
        per_question: Whether each question is a call of its own.
        settings: temperature and the like, for the judges.
    """

    asks = True

    def __init__(
        self,
        models: Models | None = None,
        *,
        judges: Sequence[str] = (),
        repeats: int = 1,
        judge_exclude: Sequence[str] = (),
        max_chars: int = MAX_CHARS,
        per_question: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if max_chars < 1000:
            raise InputError(
                f"{max_chars} characters are too few to judge by; --max-chars must be at least 1000."
            )
        given = {
            "repeats": repeats,
            "judge_exclude": list(judge_exclude),
            "max_chars": max_chars,
            "per_question": per_question,
            "settings": dict(settings or {}),
        }
        usual = {
            "repeats": 1,
            "judge_exclude": [],
            "max_chars": MAX_CHARS,
            "per_question": False,
            "settings": {},
        }
        changed = {name: value for name, value in given.items() if value != usual[name]}
        super().__init__(judges=list(judges), **changed)
        self.panel = Panel(models, tuple(judges), repeats, dict(settings or {}))
        check_excluded(judges, judge_exclude)
        self.judge_exclude, self.max_chars = tuple(judge_exclude), max_chars
        self.per_question = per_question

    async def ask_panel(self, sheet: Sheet, fences: Sequence[Fence], episode: Episode) -> PanelResult:
        """Ask the panel about one episode.

        Args:
            sheet: What is asked.
            fences: The evidence, or each part of it.
            episode: What is judged.

        Raises:
            Halt: no later call can succeed.
        """
        bench = eligible(self.panel.judges, self.subjects(episode), self.judge_exclude)
        ledger = Ledger()
        sheets = replace(sheet, apart=self.per_question).prompts(fences, episode, self.panel.repeats)
        responses = (
            await self.panel.ask(sheets, bench.judges, ledger, episode.seed)
            if bench.judges
            else [JudgeResponse(judge, fault=why) for judge, why in bench.out.items()]
        )
        return PanelResult.of(sheets, responses, bench.notes if bench.judges else (), ledger)

    def subjects(self, episode: Episode) -> set[str]:
        """The models whose play is judged: the agent's."""
        return models_of(episode, "agent")


def models_of(episode: Episode, party: Literal["agent", "user"]) -> set[str]:
    """The models that played a party, as far as Riskbox knows them."""
    cast = {"agent": episode.cast.agent, "user": episode.cast.user}
    return {cast[party], *(call.model for call in episode.model_calls if call.seat == party)}


def unplayed(episode: Episode) -> str:
    """Why a user's play cannot be judged; empty if a simulation played it."""
    by = {"scripted": "a script", "human": "a person"}.get(Name.parse(episode.cast.user).kind)
    if by:
        return f"{by} played the user"
    spoke = any(isinstance(one, Said) and one.by == "user" for one in episode.events)
    return "" if spoke else "the user never spoke"


@dataclass(frozen=True, slots=True)
class PanelResult:
    """A panel's opinion on every question, and what an assessment records of it."""

    opinions: Mapping[Key, Opinion]
    """By question."""
    recorded: Mapping[str, Any]
    """Fields of the assessment: notes, fault, calls, panel and windows."""

    @classmethod
    def of(
        cls,
        sheets: Sequence[Sequence[Questionnaire]],
        responses: Sequence[JudgeResponse],
        notes: Iterable[str],
        ledger: Ledger,
    ) -> PanelResult:
        """Combine the judges' responses."""
        parts = sheets[0]
        questions = parts[0].questions
        held = {one.key: combined(one, responses) for one in questions}
        faults = [one.fault for one in responses if one.fault]
        nobody = len(faults) == len(responses)
        several = len(responses) > 1
        votes = [vote(one, responses, held[one.key]) for one in questions] if several else []
        unread = sum(one.left_out for one in parts)
        cut = [f"the judges did not see {unread:,} characters: the middles of long texts were left out"]
        amended = [note for one in responses for note in one.notes]
        recorded = {
            "notes": (
                *notes,
                *(cut if unread else ()),
                *amended,
                *([] if nobody else faults),
            ),
            "fault": "; ".join(faults) if nobody else "",
            "model_calls": tuple(ledger.calls),
            "panel": tuple(votes),
            "windows": len(parts),
            "unread": unread,
        }
        return cls(held, recorded)
