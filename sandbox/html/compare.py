"""Two sides compared, as one page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.html import page, plots
from riskbox.sandbox.html.transcripts import PageTranscript, transcript
from riskbox.sandbox.reporting.comparison import MEASURES, Comparison, LabelFlip, instrument
from riskbox.sandbox.stats.shares import ENOUGH, RESAMPLES

LABELS = ("safe", "unknown", "risky")
"""From best to worst."""


@dataclass(frozen=True)
class FlipTranscripts:
    """A pair that changed, with what happened on both sides."""

    flip: LabelFlip
    """The pair."""
    a: PageTranscript
    """The first side's episode."""
    b: PageTranscript
    """The second side's episode."""

    @property
    def anchor(self) -> str:
        """What links lead to."""
        return f"pair-{self.flip.a}-{self.flip.b}"


def comparison(store: Store, found: Comparison, again: Sequence[str], limit: int) -> str:
    """The page of a comparison.

    Args:
        store: Where both runs are kept.
        found: What was found.
        again: The command that writes the page again.
        limit: How many pairs that changed to show in full.

    Raises:
        InputError: the packages that pages need are not installed.
    """
    pairs = [
        FlipTranscripts(one, _transcript(store, found.a.run, one.a), _transcript(store, found.b.run, one.b))
        for one in found.flips[:limit]
    ]
    return page.render(
        "compare",
        title=f"Riskbox comparison: {found.a.agent} and {found.b.agent}",
        found=found,
        manifests=[(name, store.run(run)) for name, run in (("A", found.a.run), ("B", found.b.run))],
        plot=plots.differences(found.changes),
        pairs=pairs,
        shown={(one.flip.a, one.flip.b): one.anchor for one in pairs},
        labels=LABELS,
        measures=MEASURES,
        again=shlex.join(again),
        instrument=instrument(found),
        enough=ENOUGH,
        resamples=RESAMPLES,
    )


def _transcript(store: Store, run: str, id: str) -> PageTranscript:
    played = store.episode(run, id)
    return transcript(played, store.case(played.episode.case.hash))
