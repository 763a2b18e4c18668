"""What all stores decide alike: which run a name means, which assessment replaces which, what a filter may name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from pydantic import BaseModel

from riskbox.sandbox.contracts.store import Where
from riskbox.sandbox.errors import (
    InputError,
    StoreError,
    StoreVersion,
    TakenOver,
    UnknownName,
    did_you_mean,
)
from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.liveness import who, with_life
from riskbox.sandbox.words.case import digest
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.facet import FACETS, HARM, Order
from riskbox.sandbox.words.heartbeat import Heartbeat
from riskbox.sandbox.words.lapse import VOIDING
from riskbox.sandbox.words.row import EpisodeRow, Summary
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.verdict import Assessment, Label

FIELDS = ("scenario", "family", "domain", "persona", "intent", "case", "agent", "user", "ending", "reason")
"""The fields of a row that a filter may name."""

Identity: TypeAlias = tuple[str, str, str]
"""Evaluator, version and a digest of the settings: what makes one assessment replace another."""


class Added(BaseModel):
    """An assessment added to a stored episode, as a record: its own `version` is its evaluator's."""

    version: int = 1
    """Version of this record."""
    assessment: Assessment
    """The assessment."""


def identity(one: Assessment | Summary) -> Identity:
    """What makes one assessment replace another."""
    return one.evaluator, one.version, digest(one.settings)


def resummarised(row: EpisodeRow, assessments: Iterable[Assessment]) -> EpisodeRow:
    """A row after more assessments: each replaces its former summary where that stood, or comes last."""
    before = {identity(one): one for one in row.summaries}
    added = {identity(one): Summary.of(one) for one in assessments}
    stands_in = {identity(one): of for one in added.values() if (of := _pending_of(one, before)) is not None}
    made = {of: id for id, of in stands_in.items()}
    summaries = {made.get(id, id): one for id, one in before.items()} | added
    # what judges asked counts in the row as well; what a former assessment asked goes with it
    asked = {
        field: getattr(row, field)
        + sum(getattr(one, field) for one in summaries.values())
        - sum(getattr(one, field) for one in before.values())
        for field in ("model_calls", "tokens", "cost")
    }
    changed = row.model_copy(update={"summaries": tuple(summaries.values()), **asked})
    # a judge of the user may void an episode after it was played, and a later one of the same settings take it back
    return changed.model_copy(update={"void": not VOIDING.isdisjoint(changed.all_lapses)})


def _pending_of(made: Summary, before: Mapping[Identity, Summary]) -> Identity | None:
    """The pending assessment in whose place one comes; another version may have been planned."""
    evaluator, _, settings = identity(made)
    for id, one in before.items():
        if one.pending and (id[0], id[2]) == (evaluator, settings):
            return id
    return None


def is_news(row: EpisodeRow, assessments: Iterable[Assessment]) -> bool:
    """Whether whoever follows a run is to see a row again: an assessment that was pending is made."""
    before = {identity(one): one for one in row.summaries}
    return any(_pending_of(Summary.of(one), before) is not None for one in assessments)


def assessed(played: Played, row: EpisodeRow, later: Sequence[Assessment]) -> Played:
    """An episode as it was played, with the assessments added since, in the order of its row's summaries."""
    if not later:
        return played
    known = {identity(one): one for one in (*played.assessments, *later)}
    order = [identity(one) for one in row.summaries]
    return played.model_copy(update={"assessments": tuple(known[one] for one in order)})


def label(row: EpisodeRow) -> Label | None:
    """What a filter by label looks at; None where nothing was assessed."""
    first = row.summary()
    return first.targeted if first else None


def wanted_facets(where: Where) -> Mapping[str, tuple[str, ...]]:
    """The values a filter allows, by field, `label` among them; fields that allow all are left out.

    Raises:
        InputError: the filter names a field or a facet that rows are not filtered by.
    """
    for name in where.fields:
        if name not in FIELDS:
            raise InputError(f"episodes cannot be filtered by {name!r}. {did_you_mean(name, FIELDS)}")
    for term in where.terms:
        if term.facet not in FACETS:
            hint = did_you_mean(term.facet, FACETS, listed=60)
            raise InputError(f"episodes cannot be filtered by {term.facet!r}. {hint}")
    return {name: wanted for name, wanted in {**where.fields, "label": where.label}.items() if wanted}


def require_facet(order: Order) -> None:
    """Refuse an order by what rows are not sorted by."""
    if order.by not in ("", HARM) and (order.by not in FACETS or len(FACETS[order.by].paths) > 1):
        known = [HARM, *(name for name, one in FACETS.items() if len(one.paths) == 1)]
        raise InputError(
            f"episodes cannot be sorted by {order.by!r}. {did_you_mean(order.by, known, listed=60)}"
        )


def chosen(name: str, runs: Sequence[Manifest], url: str, count: Callable[[str], int]) -> Manifest:
    """The run that a name means.

    `latest` passes over runs that ended without an episode, unless there are no others.

    Args:
        name: An id, the beginning of one, a name, or `latest`.
        runs: All there are, latest first.
        url: The store.
        count: How many episodes a run holds.

    Raises:
        UnknownName: none or several fit.
    """
    if name == "latest" and runs:
        return next((one for one in runs if one.state == "running" or count(one.run)), runs[0])
    named = [one for one in runs if one.name == name != ""]
    for fitting in (
        [one for one in runs if one.run == name],
        named,
        [one for one in runs if one.run.startswith(name)],
    ):
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            ids = ", ".join(one.run for one in fitting[:12]) + (", ..." if len(fitting) > 12 else "")
            raise UnknownName(f"{name!r} means {len(fitting)} runs: {ids}. Write the id of one of them.")
    raise no_run(name, [part for one in runs for part in (one.run, one.name) if part], url)


def no_run(name: str, known: Sequence[str], url: str) -> UnknownName:
    """The error for a run that is not there."""
    if not known:
        return UnknownName(f"{url} has no runs yet. Begin one with `riskbox run`.")
    return UnknownName(f"{url} has no run {name!r}. {did_you_mean(name, known)}")


def no_episode(run: str, id: str) -> UnknownName:
    """The error for an episode that is not there."""
    return UnknownName(f"run {run} has no episode {id!r}.")


def unfinished(run: str) -> InputError:
    """The error for who would move a run away that is not finished."""
    return InputError(
        f"run {run} is not finished. Wait for its end, or finish it: riskbox run --resume {run}"
    )


def manifest(text: str | bytes, state: str, beat: str | bytes | None, now: float) -> Manifest:
    """A stored manifest in the state the run has reached since, by its last heartbeat and the time of the store's clock."""
    made = record.parse(Manifest, text).model_copy(update={"state": state})
    return with_life(made, None if beat is None else record.parse(Heartbeat, beat), now)


def taken_over(run: str, by: Heartbeat | None, now: float) -> TakenOver:
    """The error for a driver that has lost its run, to another or to one that has ended it since."""
    another = who(by, now) if by else "another process, which has ended it"
    return TakenOver(
        f"run {run} was taken over by {another}, so this process stops and writes nothing more to it."
    )


@contextmanager
def located(place: str) -> Iterator[None]:
    """Says in which store, run and episode a damaged record is."""
    try:
        yield
    except (StoreError, StoreVersion) as error:
        raise type(error)(f"{place}: {error}") from None
