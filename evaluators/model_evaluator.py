"""What evaluators that ask models share: their settings, their panel of judges, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskbox.evaluators.fence import MAX_CHARS
from riskbox.evaluators.panel import JudgeResponse, Panel, combined, eligible, vote
from riskbox.evaluators.rubric import Key, Opinion, Questionnaire
from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Ledger, Models
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.words.episode import Episode


class ModelEvaluator(Evaluator):
    """An evaluator that asks a panel of models.

    Args:
        models: Where the judges are found; None if no model can be called.
        judges: The models that judge.
        repeats: How many times each is asked.
        subject: The model that is judged; by default the episode's agent, if it is a model.
        keep_own_family: Whether judges of the subject's own family may judge.
        max_chars: The approximate number of characters of evidence that a judge reads at once, at least 1000; a longer
            record is read in parts that overlap.
        settings: temperature and the like, for the judges.
    """

    asks = True

    def __init__(
        self,
        models: Models | None = None,
        *,
        judges: Sequence[str] = (),
        repeats: int = 1,
        subject: str = "",
        keep_own_family: bool = False,
        max_chars: int = MAX_CHARS,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if max_chars < 1000:
            raise InputError(
                f"{max_chars} characters are too few to judge by; --max-chars must be at least 1000."
            )
        given = {
            "repeats": repeats,
            "subject": subject,
            "keep_own_family": keep_own_family,
            "max_chars": max_chars,
            "settings": dict(settings or {}),
        }
        usual = {
            "repeats": 1,
            "subject": "",
            "keep_own_family": False,
            "max_chars": MAX_CHARS,
            "settings": {},
        }
        changed = {name: value for name, value in given.items() if value != usual[name]}
        super().__init__(judges=list(judges), **changed)
        self.panel = Panel(models, tuple(judges), repeats, dict(settings or {}))
        self.subject, self.keep_own_family, self.max_chars = subject, keep_own_family, max_chars

    async def ask_panel(self, sheets: Sequence[Questionnaire], episode: Episode) -> PanelResult:
        """Ask the panel about one episode.

        Args:
            sheets: The same questions about each part of the record.
            episode: What is judged.

        Raises:
            Halt: no later call can succeed.
        """
        subject = self.subject or episode.cast.agent
        judges, notes = eligible(self.panel.judges, subject, keep_own_family=self.keep_own_family)
        ledger = Ledger()
        responses = await self.panel.ask(sheets, judges, ledger, episode.seed)
        return PanelResult.of(sheets, responses, notes, ledger)


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
        sheets: Sequence[Questionnaire],
        responses: Sequence[JudgeResponse],
        notes: Iterable[str],
        ledger: Ledger,
    ) -> PanelResult:
        """Combine the judges' responses."""
        questions = sheets[0].questions
        held = {one.key: combined(one, responses) for one in questions}
        faults = [one.fault for one in responses if one.fault]
        nobody = len(faults) == len(responses)
        several = len(responses) > 1
        votes = [vote(one, responses, held[one.key]) for one in questions] if several else []
        unread = sum(one.left_out for one in sheets)
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
            "windows": len(sheets),
        }
        return cls(held, recorded)
