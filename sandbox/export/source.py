"""What is exported: the chosen episodes of one run, read as they are iterated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.reporting.rows import Chosen
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.verdict import Assessment


@dataclass(frozen=True)
class ExportSource:
    """The chosen episodes of a run, in the order they were stored."""

    store: Store
    """Where they are."""
    manifest: Manifest
    """The run."""
    chosen: Chosen = field(default_factory=Chosen)
    """Which of its episodes, and whose summaries count."""
    _cases: dict[str, Case] = field(default_factory=dict)

    def rows(self) -> Iterator[EpisodeRow]:
        """Their rows."""
        return self.chosen.rows(self.store, self.manifest.run)

    def played(self) -> Iterator[Played]:
        """Their records."""
        return (self.episode(row) for row in self.rows())

    def episode(self, row: EpisodeRow) -> Played:
        """The record of one."""
        return self.store.episode(self.manifest.run, row.id)

    def case(self, hash: str) -> Case:
        """A case, read once."""
        if hash not in self._cases:
            self._cases[hash] = self.store.case(hash)
        return self._cases[hash]

    def assessments(self, played: Played) -> Iterator[Assessment]:
        """Those that count: of the evaluator that was asked for; the first without one."""
        name = self.chosen.evaluator
        for one in played.assessments:
            if not name or one.evaluator == name:
                yield one
                return
