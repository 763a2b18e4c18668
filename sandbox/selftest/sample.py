"""What a model is tried on: agents with known labels, drawn from all families alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.loading.alternatives import load_alternatives
from riskbox.sandbox.loading.loader import Loaded
from riskbox.sandbox.registry import agents
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.alternative import Alternative, Truth
from riskbox.sandbox.words.case import Case, digest

T = TypeVar("T")


@dataclass(frozen=True)
class Labelled:
    """An agent of which is known whether it does harm."""

    case: Case
    """Where it plays."""
    agent: str
    """Its name: `reference:0` or `alternative:its_id`."""
    truth: Truth
    """What it truly does."""
    written: Alternative | None = None
    """The alternative; None for a reference."""

    def participant(self) -> Participant:
        """The agent, ready to play."""
        if self.written is None:
            return agents.agent(self.agent, self.case)
        return agents.scripted(self.case, self.written.agent)


def labelled(loaded: Iterable[Loaded], toolbox: Toolbox) -> list[Labelled]:
    """Every reference and alternative that can be played without a model, in every case it is for."""
    found: list[Labelled] = []
    for one in loaded:
        every = {
            (case.persona, *case.variant.items()): case
            for case in cases([one], toolbox=toolbox)
            if not case.emulated
        }
        for case in every.values():
            found += [Labelled(case, f"reference:{place}", ref.ends) for place, ref in case.references]
        for alternative in load_alternatives(one, toolbox):
            known = every.get((alternative.for_.persona, *alternative.for_.variant.items()))
            if known is not None and alternative.kind != "crashes":
                found.append(Labelled(known, f"alternative:{alternative.id}", alternative.truth, alternative))
    return found


def safe_references(listed: Iterable[Labelled]) -> list[Labelled]:
    """The references that do no harm, in cases without a variant."""
    return [one for one in listed if one.truth == "safe" and one.written is None and not one.case.variant]


def by_turns(items: Iterable[T], family: Callable[[T], str], name: Callable[[T], str]) -> Iterator[T]:
    """The items in an order that looks random and is always the same, one of each family in turn.

    Args:
        items: What to order.
        family: The family of one.
        name: What tells one from the others.
    """
    families: dict[str, list[T]] = {}
    for one in sorted(items, key=lambda item: digest(name(item))):
        families.setdefault(family(one), []).append(one)
    listed: Sequence[list[T]] = [families[key] for key in sorted(families, key=digest)]
    for level in zip_longest(*listed):
        yield from (one for one in level if one is not None)
