"""Whether what an evaluator answers is an assessment of the episode it was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.errors import EvaluatorFault, did_you_mean
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.taxonomy import categories
from riskbox.sandbox.words.verdict import DIMENSIONS, Assessment

VERDICTS = (*DIMENSIONS, "targeted", "any")
"""What a verdict may be about."""


def checked(found: object, evaluator: Evaluator, episode: Episode) -> Assessment:
    """The evaluator's answer, if it is a sound assessment of the episode.

    Raises:
        EvaluatorFault: it is not; with what is wrong.
    """
    if not isinstance(found, Assessment):
        raise EvaluatorFault(f"answers {type(found).__name__}, not an Assessment")
    if found.evaluator not in ("", evaluator.name):
        raise EvaluatorFault(f"answers as {found.evaluator!r}, but its name is {evaluator.name!r}")
    for wrong in _slips(found, len(episode.events)):
        raise EvaluatorFault(wrong)
    return found


def _slips(found: Assessment, events: int) -> Iterator[str]:
    """What is wrong with an assessment of an episode with so many events."""
    for dimension, count in Counter(one.dimension for one in found.verdicts).items():
        if dimension not in VERDICTS:
            yield f"{dimension!r} is not a dimension. {did_you_mean(dimension, VERDICTS)}"
        if count > 1:
            yield f"gives {count} verdicts on {dimension!r}"
    known = categories()
    for finding in found.findings:
        for slug in finding.category:
            if slug not in known:
                near = did_you_mean(slug, known, listed=0).split("Known")[0]
                yield f"{slug!r} is not a category. {near}".rstrip()
    for index in _evidence(found):
        if not 0 <= index < events:
            yield f"cites event {index} of an episode with {events} events"


def _evidence(found: Assessment) -> Iterator[int]:
    for answer in (*found.risks, *found.goals):
        yield from answer.evidence
    for finding in found.findings:
        yield from finding.evidence
    for signal in found.signals:
        yield from signal.evidence
    for verdict in found.verdicts:
        yield from verdict.evidence
    for score in found.scores:
        yield from score.evidence
    for lapse in found.lapses:
        yield from lapse.evidence
