"""Who rated which episodes how: every assessment, whether by a person or an evaluator, question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median_low
from typing import Literal, TypeAlias

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.people.annotation import EVALUATOR as HUMAN
from riskbox.sandbox.reporting.flow import flow
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.verdict import DIMENSIONS, LABELLED, Assessment, label

RatedKind: TypeAlias = Literal["label", "dimension", "risk", "goal"]
"""What a rating is about: whether the episode is risky, a dimension's score, a risk, a goal."""
RatingValue: TypeAlias = bool | int | None
"""Whether it holds, or a dimension's score; None for a rater who cannot tell."""

FEW = 4
"""So many people are compared two by two unless told otherwise."""


@dataclass(frozen=True, slots=True, order=True)
class RatingKey:
    """One question about one episode."""

    kind: RatedKind
    """What is asked."""
    id: str
    """`risky`, the dimension, or `scenario/risk`."""
    episode: str
    """The episode's id."""


@dataclass
class Ratings:
    """All that one rater said."""

    name: str
    """Who: `human:anna`, `checks`, `judge`."""
    values: dict[RatingKey, RatingValue] = field(default_factory=dict)
    """By question."""

    @property
    def episodes(self) -> set[str]:
        """What it rated."""
        return {key.episode for key in self.values}


def names(raters: Iterable[Ratings]) -> list[str]:
    """Who they are."""
    return [one.name for one in raters]


@dataclass
class RatingTable:
    """Everybody's ratings."""

    raters: dict[str, Ratings] = field(default_factory=dict)
    """By name: `human:anna`, `checks`, `judge`."""
    panels: dict[str, list[Ratings]] = field(default_factory=dict)
    """The judges of a panel, by whose panel it is."""
    families: dict[str, str] = field(default_factory=dict)
    """By episode."""
    evaluators: dict[str, str] = field(default_factory=dict)
    """By rater."""

    @classmethod
    def of(cls, store: Store, rows: Iterable[EpisodeRow]) -> RatingTable:
        """The ratings of some rows; what broke while it was played has none."""
        found: dict[tuple[str, str, str], list[tuple[EpisodeRow, Assessment]]] = {}
        made = cls()
        for row in rows:
            if row.left_out or not row.summaries:
                continue
            made.families[row.id] = row.family
            for one in store.episode(row.run, row.id).assessments:
                if one.pending:
                    continue
                found.setdefault(_identity(one), []).append((row, one))
        versions = Counter(evaluator for evaluator, _, _ in found)
        broken: dict[str, set[str]] = {}
        for identity, listed in found.items():
            name = _named(identity, listed[0][1], alone=versions[identity[0]] == 1)
            made.evaluators[name] = identity[0]
            made._add(name, listed)
            broken[name] = {row.id for row, one in listed if one.fault}
        made._failed(broken)
        return made

    def _failed(self, broken: Mapping[str, set[str]]) -> None:
        """An evaluator that failed on an episode was asked all that others were, and cannot tell any of it."""
        asked = {key for one in self.raters.values() for key in one.values}
        for name, episodes in broken.items():
            for key in asked:
                if key.episode in episodes:
                    self.raters[name].values.setdefault(key, None)

    def _add(self, name: str, listed: Iterable[tuple[EpisodeRow, Assessment]]) -> None:
        rater = self.raters.setdefault(name, Ratings(name))
        panel: dict[str, Ratings] = {}
        for row, one in listed:
            rater.values.update(_ratings(row, one))
            for key, judge, value in _votes(row, one):
                panel.setdefault(judge, Ratings(judge)).values[key] = value
        if len(panel) > 1:
            self.panels[name] = list(panel.values())

    def people(self, chosen: Sequence[str]) -> list[Ratings]:
        """The people, or those chosen.

        Raises:
            InputError: one of them has rated nothing.
        """
        known = {
            name.removeprefix(f"{HUMAN}:"): one
            for name, one in self.raters.items()
            if name.startswith(f"{HUMAN}:")
        }
        for name in chosen:
            if name not in known:
                raise InputError(
                    f"--raters {name}: nobody with this name has annotated. {did_you_mean(name, known)}"
                )
        return [one for name, one in sorted(known.items()) if not chosen or name in chosen]

    def matching(self, between: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs of those that two names stand for; an evaluator's name stands for all its versions and settings.

        Raises:
            InputError: a name stands for nobody, or both for the same.
        """
        sides = [self._meant(name) for name in between]
        if len(sides) != 2:
            raise InputError("--between: write two names, for example human,judge.")
        pairs = [(a, b) for a in sides[0] for b in sides[1] if a != b]
        if not pairs:
            raise InputError(f"--between {','.join(between)}: that is one rater; name two.")
        return pairs

    def _meant(self, name: str) -> list[str]:
        if name in self.raters:
            return [name]
        meant = [rater for rater, evaluator in self.evaluators.items() if evaluator == name]
        if not meant:
            told = did_you_mean(name, {*self.raters, *self.evaluators.values()})
            raise InputError(f"--between {name}: nobody with this name has rated these episodes. {told}")
        return meant

    def usual(self, humans: Sequence[Ratings], run: str) -> list[tuple[str, str]]:
        """The pairs that one asks for who names none.

        Raises:
            InputError: no person has annotated.
        """
        if not humans:
            machines = ", ".join(self.raters) or "nobody"
            raise InputError(
                f"run {run}: nobody has annotated these episodes; see `riskbox annotate --help`. "
                f"Rated by: {machines}. Two of them are compared with --between A,B."
            )
        pairs = list(combinations(names(humans), 2)) if len(humans) <= FEW else []
        return pairs + [(HUMAN, name) for name, evaluator in self.evaluators.items() if evaluator != HUMAN]


def _identity(one: Assessment) -> tuple[str, str, str]:
    if one.evaluator == HUMAN:
        # a person is the same person, whichever release asked
        return HUMAN, "", str(one.settings.get("rater", ""))
    return one.evaluator, one.version, flow(one.settings, 300)


def _named(identity: tuple[str, str, str], one: Assessment, *, alone: bool) -> str:
    evaluator, version, settings = identity
    if evaluator == HUMAN:
        return f"{HUMAN}:{settings}"
    return (
        evaluator
        if alone
        else " ".join(word for word in (evaluator, version, flow(one.settings, 120)) if word)
    )


def _ratings(row: EpisodeRow, one: Assessment) -> Iterator[tuple[RatingKey, RatingValue]]:
    """What an assessment says, question by question."""
    yield RatingKey("label", "risky", row.id), LABELLED[one.label]
    for verdict in one.verdicts:
        if verdict.dimension in DIMENSIONS:
            yield RatingKey("dimension", verdict.dimension, row.id), verdict.value
    for risk in one.risks:
        yield RatingKey("risk", f"{row.scenario}/{risk.id}", row.id), risk.value
    for goal in one.goals:
        yield RatingKey("goal", f"{row.scenario}/{goal.id}", row.id), goal.value


def _votes(row: EpisodeRow, one: Assessment) -> Iterator[tuple[RatingKey, str, RatingValue]]:
    """What each judge of a panel says."""
    risks, goals = {risk.id for risk in one.risks}, {goal.id for goal in one.goals}
    for vote in one.panel:
        if vote.about in DIMENSIONS:
            key = RatingKey("dimension", vote.about, row.id)
        elif vote.about in risks or vote.about in goals:
            kind: RatedKind = "risk" if vote.about in risks else "goal"
            key = RatingKey(kind, f"{row.scenario}/{vote.about}", row.id)
        else:
            continue
        for judge, value in vote.values.items():
            yield key, judge, value


def together(raters: Sequence[Ratings]) -> Ratings:
    """What several people hold together: the median of scores, of two the worse, and else what most of them say.

    Whoever cannot tell counts as one who answered: where no answer has a majority, the people cannot tell.
    """
    made = Ratings(HUMAN)
    for key in dict.fromkeys(key for one in raters for key in one.values):
        given = [one.values[key] for one in raters if key in one.values]
        made.values[key] = _median(given) if key.kind == "dimension" else _majority(given)
    for episode in made.episodes:
        scores = [made.values.get(RatingKey("dimension", one, episode)) for one in DIMENSIONS]
        made.values[RatingKey("label", "risky", episode)] = LABELLED[label(scores)]
    return made


def _median(given: Sequence[RatingValue]) -> RatingValue:
    scores = [int(one) for one in given if one is not None]
    return median_low(scores) if 2 * len(scores) > len(given) else None


def _majority(given: Sequence[RatingValue]) -> RatingValue:
    value, many = Counter(given).most_common(1)[0]
    return value if 2 * many > len(given) else None
