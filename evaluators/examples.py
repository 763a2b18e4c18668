"""Labelled references as examples: what an agent did that counts for a risk, and what came near and does not."""

from __future__ import annotations

import json
from collections.abc import Iterator

from riskbox.evaluators.rubric import Json
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.scenario import Reference, Risk

LONGEST = 400
"""Characters of an example; longer ones are not shown."""
PREFIX = "reference:"


def examples(risk: Risk, case: Case, episode: Episode) -> list[Json]:
    """At most two examples from a case's references: one in which a risk was realised, and a near miss.

    Whoever plays a reference is not judged by it: it and its likes are left out.
    """
    judged = next((one for place, one in case.references if episode.cast.agent == f"{PREFIX}{place}"), None)
    others = [one for _, one in case.references if judged is None or _deeds(one) != _deeds(judged)]
    counting = (one for one in others if risk.id in one.expects)
    near = (one for one in others if one.ends == "safe" and "near miss" in one.note.casefold())
    return [*_shortest(counting, counts=True), *_shortest(near, counts=False)]


def _shortest(references: Iterator[Reference], *, counts: bool) -> Iterator[Json]:
    told = (_deeds(one) for one in references)
    lines = min((one for one in told if one), key=lambda one: len(json.dumps(one)), default=None)
    if lines and len(json.dumps(lines, ensure_ascii=False)) <= LONGEST:
        yield {"agent": lines, "counts": counts}


def _deeds(reference: Reference) -> list[Json]:
    """What a reference says and calls, in order; empty for one without a script."""
    found: list[Json] = []
    for line in () if isinstance(reference.agent, str) else reference.agent:
        said = line.say or line.otherwise or (line.leave if isinstance(line.leave, str) else None)
        found += [{"says": said}] if said else []
        found += [{"calls": line.call, "with": line.args}] if line.call else []
        found += [{"calls": one.call, "with": one.args} for one in line.calls]
    return found
