"""How far people and machines agree about the same episodes, question by question.

Whoever assesses is a rater: each person, each evaluator. Two raters are compared over what both were asked. What one of
them cannot tell is counted beside the coefficients, and what only one of them was asked is counted too. Families are
what intervals rest on, as in any report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.people.annotation import EVALUATOR as HUMAN
from riskbox.sandbox.people.ratings import (
    RatedKind,
    RatingKey,
    Ratings,
    RatingTable,
    RatingValue,
    names,
    together,
)
from riskbox.sandbox.stats import coefficients
from riskbox.sandbox.stats.coefficients import MeasurementLevel
from riskbox.sandbox.stats.shares import ENOUGH, RESAMPLES, TAIL, FamilySum, Figure, figure
from riskbox.sandbox.words.frozen import Frozen
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.verdict import DIMENSIONS

if TYPE_CHECKING:
    from numpy import ndarray

SCORES = tuple(range(-10, 1))
"""Every score of a dimension."""
ANSWERS = (False, True)
"""Every answer about a label, a risk or a goal."""
POOLED = "all"
"""The id of all risks, or all goals, taken together."""
_SEED = 20260302


class Coefficient(Frozen):
    """A coefficient of agreement."""

    value: float | None = None
    """None where it is not defined: nothing to compare, or nothing varies."""
    interval: tuple[float, float] | None = None
    """95% of resamplings of families; None under ten of them."""


class PairAgreement(Frozen):
    """One question, or several of a kind, as two raters answer it."""

    kind: RatedKind
    """label, dimension, risk or goal."""
    id: str
    """`risky`, the dimension, `scenario/risk`, or `all` of a kind."""
    units: int
    """Times that both were asked."""
    unknown_first: int
    """Times that only the first cannot tell."""
    unknown_second: int
    """Times that only the second cannot tell."""
    unknown_both: int
    """Times that neither can."""
    only_first: int
    """Times that only the first was asked."""
    only_second: int
    """Times that only the second was asked."""
    known: int
    """Times that both can tell: what coefficients are about."""
    families: int
    """Families these belong to."""
    agreed: float | None = None
    """The share of them that are equal."""
    alpha: Coefficient = Coefficient()
    """Krippendorff's alpha, nominal for yes or no and ordinal for scores."""
    alpha_interval: Coefficient = Coefficient()
    """The same with the distances of scores; scores only."""
    kappa: Coefficient = Coefficient()
    """Cohen's kappa."""
    kappa_weighted: Coefficient = Coefficient()
    """The same with quadratic weights; scores only."""
    pearson: Coefficient = Coefficient()
    """Pearson's correlation; scores only."""
    spearman: Coefficient = Coefficient()
    """Spearman's rank correlation; scores only."""
    sensitivity: Figure | None = None
    """Of what the first calls harm, the share that the second calls harm; not for goals."""
    specificity: Figure | None = None
    """Of what the first calls no harm, the share that the second calls no harm; not for goals."""
    confusion: tuple[tuple[str, str, int], ...] = ()
    """How often the first said this and the second that."""


class RaterPair(Frozen):
    """Two raters."""

    first: str
    """Whose word is taken as the truth where sensitivity is asked for."""
    second: str
    """Who is compared with it."""
    episodes: int
    """Episodes both rated."""
    only_first: int
    """Episodes only the first rated."""
    only_second: int
    """Episodes only the second rated."""
    rows: tuple[PairAgreement, ...]
    """The label first, then dimensions, risks, goals."""


class GroupAgreement(Frozen):
    """One question, or several of a kind, as a group of raters answers it."""

    kind: RatedKind
    """label, dimension, risk or goal."""
    id: str
    """As in `PairAgreement`."""
    units: int
    """Times that it was asked of anybody."""
    shared: int
    """Times that two or more can tell."""
    ratings: int
    """Answers of those who can tell."""
    unknown: int
    """Answers of those who cannot."""
    families: int
    """Families of the shared ones."""
    alpha: Coefficient = Coefficient()
    """Krippendorff's alpha, nominal for yes or no and ordinal for scores."""
    alpha_interval: Coefficient = Coefficient()
    """The same with the distances of scores; scores only."""


class RaterGroup(Frozen):
    """Raters of one sort among themselves."""

    name: str
    """`people`, or whose panel it is."""
    raters: tuple[str, ...]
    """Who."""
    rows: tuple[GroupAgreement, ...]
    """The label first, then dimensions, risks, goals."""


class Agreement(Frozen):
    """How far the raters of a run agree."""

    run: str
    """The run."""
    raters: dict[str, int]
    """How many episodes each rated."""
    groups: tuple[RaterGroup, ...] = ()
    """People among themselves, and the judges of each panel."""
    pairs: tuple[RaterPair, ...] = ()
    """Raters two by two."""

    @classmethod
    def of(
        cls,
        store: Store,
        run: str,
        rows: Iterable[EpisodeRow],
        *,
        people: Sequence[str] = (),
        between: Sequence[str] = (),
    ) -> Agreement:
        """Compare the raters of some rows of a run.

        Args:
            store: Where the assessments are.
            run: Its id.
            rows: Which episodes.
            people: Only these of the people; all without.
            between: Two raters or evaluators to compare, `human` for the people together; without, people with each
                other, and the people together with each evaluator.

        Raises:
            InputError: nobody of that name has rated any of them, or there is nothing to compare.
        """
        table = RatingTable.of(store, rows)
        humans = table.people(people)
        if humans:
            table.raters[HUMAN] = together(humans)
        if between:
            pairs = table.matching(between)
        elif people:
            pairs = list(combinations([one.name for one in humans], 2))
        else:
            pairs = table.usual(humans, run)
        named = {name for pair in pairs for name in pair}
        concerns_people = not named or bool(named & {HUMAN, *names(humans)})
        groups = [("people", humans)] if len(humans) > 1 and concerns_people else []
        groups += [(f"panel of {name}", panel) for name, panel in table.panels.items() if name in named]
        if not pairs and not groups:
            raise InputError(
                f"run {run}: there are no two raters to compare. Rated by: {', '.join(table.raters)}."
            )
        return cls(
            run=run,
            raters={one.name: len(one.episodes) for one in table.raters.values()},
            groups=tuple(group(name, raters, table.families) for name, raters in groups),
            pairs=tuple(pair(table.raters[a], table.raters[b], table.families) for a, b in pairs),
        )


# --- two raters -------------------------------------------------------------------------------------------------


def pair(first: Ratings, second: Ratings, families: Mapping[str, str]) -> RaterPair:
    """Two raters compared."""
    a, b = first.episodes, second.episodes
    both = a & b
    rows = [
        shared(kind, id, [key for key in keys if key.episode in both], first, second, families)
        for kind, id, keys in _questions([first, second])
    ]
    return RaterPair(
        first=first.name,
        second=second.name,
        episodes=len(both),
        only_first=len(a - b),
        only_second=len(b - a),
        rows=tuple(row for row in rows if row.units or row.only_first or row.only_second),
    )


def _questions(raters: Sequence[Ratings]) -> Iterator[tuple[RatedKind, str, list[RatingKey]]]:
    """What anybody was asked, in order, with all risks and all goals taken together before each of them."""
    found: dict[tuple[RatedKind, str], list[RatingKey]] = {}
    for key in sorted({key for one in raters for key in one.values}):
        found.setdefault((key.kind, key.id), []).append(key)
    yield from ((kind, id, keys) for (kind, id), keys in found.items() if kind == "label")
    for one in DIMENSIONS:
        if ("dimension", one) in found:
            yield "dimension", one, found["dimension", one]
    kinds: tuple[RatedKind, ...] = ("risk", "goal")
    for kind in kinds:
        each = [(id, keys) for (of, id), keys in found.items() if of == kind]
        if each:
            yield kind, POOLED, [key for _, keys in each for key in keys]
            yield from ((kind, id, keys) for id, keys in each)


def shared(
    kind: RatedKind,
    id: str,
    keys: Sequence[RatingKey],
    first: Ratings,
    second: Ratings,
    families: Mapping[str, str],
) -> PairAgreement:
    """One question as two raters answer it."""
    both = [key for key in keys if key in first.values and key in second.values]
    said = [(key, first.values[key], second.values[key]) for key in both]
    known = [(key, a, b) for key, a, b in said if a is not None and b is not None]
    by_family = Counter(families[key.episode] for key, _, _ in known)
    unknown = Counter((a is None, b is None) for _, a, b in said)
    scored = kind == "dimension"
    values: tuple[int, ...] = SCORES if scored else ANSWERS
    place = {value: at for at, value in enumerate(values)}
    pairs = {
        family: [(place[a], place[b]) for key, a, b in known if families[key.episode] == family]
        for family in sorted(by_family)
    }
    import numpy as np

    size = len(values)
    crossed = np.array([coefficients.crossed(one, size) for one in pairs.values()]).reshape(-1, size, size)
    symmetric = crossed + crossed.transpose(0, 2, 1)
    counts = Counter((_word(a), _word(b)) for _, a, b in said)
    nothing = Coefficient()
    return PairAgreement(
        kind=kind,
        id=id,
        units=len(said),
        unknown_first=unknown[True, False],
        unknown_second=unknown[False, True],
        unknown_both=unknown[True, True],
        only_first=sum(1 for key in keys if key in first.values and key not in second.values),
        only_second=sum(1 for key in keys if key in second.values and key not in first.values),
        known=len(known),
        families=len(by_family),
        agreed=sum(a == b for _, a, b in known) / len(known) if known else None,
        alpha=_measured(_alpha(values, "ordinal" if scored else "nominal"), symmetric),
        alpha_interval=_measured(_alpha(values, "interval"), symmetric) if scored else nothing,
        kappa=_measured(coefficients.kappa, crossed),
        kappa_weighted=_measured(partial(coefficients.kappa, weights="quadratic"), crossed)
        if scored
        else nothing,
        pearson=_measured(partial(coefficients.pearson, values=values), crossed) if scored else nothing,
        spearman=_measured(coefficients.spearman, crossed) if scored else nothing,
        sensitivity=None if kind == "goal" else _found(said, families, harm=True),
        specificity=None if kind == "goal" else _found(said, families, harm=False),
        confusion=tuple((a, b, many) for (a, b), many in sorted(counts.items())),
    )


def _word(value: RatingValue) -> str:
    if value is None:
        return "unknown"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def is_harm(value: RatingValue) -> bool | None:
    """Whether an answer says that there was harm; None for one that cannot tell."""
    return value if value is None or isinstance(value, bool) else value < 0


def _found(
    said: Iterable[tuple[RatingKey, RatingValue, RatingValue]], families: Mapping[str, str], *, harm: bool
) -> Figure:
    """Of what the first calls harm (or none), the share of which the second says so too; between bounds."""
    outcomes: dict[str, list[tuple[bool, bool, int]]] = {}
    for key, a, b in said:
        if is_harm(a) is harm:
            outcomes.setdefault(families[key.episode], []).append((is_harm(b) is harm, b is None, 1))
    return figure({family: FamilySum.of(listed) for family, listed in outcomes.items()})


# --- several raters ---------------------------------------------------------------------------------------------


def group(name: str, raters: Sequence[Ratings], families: Mapping[str, str]) -> RaterGroup:
    """Raters among themselves."""
    rows = [several(kind, id, keys, raters, families) for kind, id, keys in _questions(raters)]
    return RaterGroup(name=name, raters=tuple(names(raters)), rows=tuple(rows))


def several(
    kind: RatedKind,
    id: str,
    keys: Sequence[RatingKey],
    raters: Sequence[Ratings],
    families: Mapping[str, str],
) -> GroupAgreement:
    """One question as several raters answer it."""
    import numpy as np

    scored = kind == "dimension"
    values: tuple[int, ...] = SCORES if scored else ANSWERS
    place = {value: at for at, value in enumerate(values)}
    units: dict[str, list[list[int]]] = {}
    given = {key: [one.values[key] for one in raters if key in one.values] for key in keys}
    for key, answers in given.items():
        known = [place[one] for one in answers if one is not None]
        if len(known) > 1:
            units.setdefault(families[key.episode], []).append(known)
    size = len(values)
    tables = np.array([coefficients.coincidences(units[one], size) for one in sorted(units)]).reshape(
        -1, size, size
    )
    return GroupAgreement(
        kind=kind,
        id=id,
        units=len(keys),
        shared=sum(map(len, units.values())),
        ratings=sum(one is not None for answers in given.values() for one in answers),
        unknown=sum(one is None for answers in given.values() for one in answers),
        families=len(units),
        alpha=_measured(_alpha(values, "ordinal" if scored else "nominal"), tables),
        alpha_interval=_measured(_alpha(values, "interval"), tables) if scored else Coefficient(),
    )


# --- coefficients with intervals --------------------------------------------------------------------------------

CoefficientOf: TypeAlias = Callable[["ndarray"], "ndarray"]


def _alpha(values: Sequence[int], level: MeasurementLevel) -> CoefficientOf:
    return partial(coefficients.alpha, values=[float(one) for one in values], level=level)


def _measured(measure: CoefficientOf, tables: ndarray) -> Coefficient:
    """A coefficient over the tables of all families, and its interval from drawing families again."""
    import numpy as np

    value = float(measure(tables.sum(0)))
    if np.isnan(value):
        return Coefficient()
    families = len(tables)
    if families < ENOUGH:
        return Coefficient(value=value)
    drawn = measure(np.tensordot(_draws(families), tables, 1))
    defined = drawn[~np.isnan(drawn)]
    if 2 * len(defined) < len(drawn):
        return Coefficient(value=value)
    return Coefficient(
        value=value, interval=(float(np.quantile(defined, TAIL)), float(np.quantile(defined, 1 - TAIL)))
    )


@lru_cache(maxsize=32)
def _draws(families: int) -> ndarray:
    """How often each family occurs in each resampling."""
    import numpy as np

    chances = np.full(families, 1 / families)
    return np.random.default_rng(_SEED).multinomial(families, chances, size=RESAMPLES).astype(float)
