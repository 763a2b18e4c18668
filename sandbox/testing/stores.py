"""Checks that plug-ins can call on themselves; our own parts pass them too.

    def test_my_store():
        check_store(MyStore("my://url"))

A check raises `AssertionError` with a sentence. For pytest, parametrize over `STORE_CHECKS` instead, so that
each promise has a name of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from riskbox.sandbox.contracts.store import Packed, Store, Where
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.stores import record
from riskbox.sandbox.testing.filters import conditions, filters, fits, ordered, sifted, various
from riskbox.sandbox.testing.held import check_heartbeat_read_back, check_living_driver_keeps_run
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)
from riskbox.sandbox.words.episode import Episode, Played
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.facet import FACETS, HARM, Order, Term
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, RunState
from riskbox.sandbox.words.verdict import Assessment


def check_store(store: Store) -> None:
    """Everything `Store` promises, on a store that nobody else is writing to.

    Raises:
        AssertionError: it breaks a promise.
    """
    for check in STORE_CHECKS:
        check(store)


def check_run_read_back(store: Store) -> None:
    """A run, its cases and its plan read as they were written."""
    cases = [sample_case(), sample_case(persona="neighbour")]
    begun = sample_run(cases, seeds=3).model_copy(update={"settings": {"odd": "\x00\x1b[31m\u2028😀"}})
    specs = sample_specs(cases, seeds=3)
    store.begin(begun, iter(cases), specs)
    _same(store.run(begun.run), begun, "run")
    _same(store.specs(begun.run), specs, "specs")
    _same([store.case(case.hash) for case in cases], cases, "cases")
    _same(store.runs()[0], begun, "the latest run")
    _same(
        (store.done(begun.run), store.count(begun.run), store.follow(begun.run)),
        (set(), 0, ([], 0)),
        "a new run",
    )


def check_run_is_begun_once(store: Store) -> None:
    """A run's id cannot be taken twice, and cases may be shared."""
    first = _begun(store)
    other = first.model_copy(update={"name": "other", "planned": 99})
    _raises(InputError, lambda: store.begin(other, [], []), "begin with an id that is taken")
    _same(store.run(first.run), first, "the run that was first")
    _same(store.case(sample_case().hash), sample_case(), "a case of several runs")
    _same(_begun(store).cases, first.cases, "a second run of the same case")


def check_run_is_found(store: Store) -> None:
    """A run is found by id, the beginning of one, name, or as the latest; several or none are an error."""
    name = f"night {secrets.token_hex(4)}"
    named, twice, again = _begun(store, name), _begun(store, name + " two"), _begun(store, name + " two")
    for wanted in (named.run, named.run[:-1], name):
        _same(store.run(wanted).run, named.run, f"run({wanted!r})")
    _same((store.run().run, store.run("latest").run), (again.run, again.run), "the latest run")
    _same([one.run for one in store.runs()[:3]], [again.run, twice.run, named.run], "runs, latest first")
    for wanted in (name + " two", named.run[:8], "no such run", "\ud800", ""):
        _raises(UnknownName, partial(store.run, wanted), f"run({wanted!r})")


def check_latest_run_is_not_empty(store: Store) -> None:
    """`latest` passes over a run that ended without an episode, but not over one that has yet to store its first."""
    former, latter = _begun(store), _begun(store)
    store.write(former.run, [packed(sample_played(former.run, sample_case()))])
    _same(store.run().run, latter.run, "the latest run while it goes on")
    ended: tuple[RunState, ...] = ("stopped", "failed", "done")
    for state in ended:
        store.finish(latter.run, state)
        _same(store.run("latest").run, former.run, f"the latest run beside an empty one that is {state}")
    store.write(latter.run, [packed(sample_played(latter.run, sample_case()))])
    _same(store.run("latest").run, latter.run, "the latest run once it holds an episode")


def check_run_ends(store: Store) -> None:
    """`finish` changes a run's state and nothing else."""
    run = _begun(store)
    states: tuple[RunState, ...] = ("done", "stopped", "running", "dead", "failed")
    for state in states:
        store.finish(run.run, state)
        _same(store.run(run.run), run.model_copy(update={"state": state}), f"a run that is {state}")
    _same(store.runs()[0].state, "failed", "its state among all runs")


def check_run_is_removed(store: Store) -> None:
    """A finished run can be removed, and takes nothing of another with it."""
    case, own = sample_case(), sample_case().model_copy(update={"hash": secrets.token_hex(8)})
    other, run = _begun(store).run, sample_run([case, own])
    store.begin(run, [case, own], sample_specs([case, own]))
    for one in (other, run.run):
        store.write(one, [packed(sample_played(one, case, seed)) for seed in (1, 2)])
    first = sample_played(other, case, 1)
    store.assess(run.run, first.episode.id, [sample_assessment()])
    _raises(InputError, lambda: store.remove(run.run), "removing a run that is not finished")
    store.finish(run.run, "done")
    store.remove(run.run)
    _raises(UnknownName, lambda: store.count(run.run), "counting a run that is removed")
    _raises(UnknownName, lambda: store.case(own.hash), "a case that no run has any more")
    _same(run.run in {one.run for one in store.runs()}, False, "whether it is listed")
    _same(
        [place for place, _ in store.find(first.episode.id) if place == run.run], [], "finding its episodes"
    )
    _same((store.episode(other, first.episode.id), store.case(case.hash)), (first, case), "the other run")
    store.begin(run, [case, own], [])
    _same((store.count(run.run), store.specs(run.run)), (0, []), "the run begun anew")
    store.write(run.run, [packed(sample_played(run.run, case, 1))])
    _same(store.episode(run.run, first.episode.id).assessments, (), "its episode played anew")


def check_episode_read_back(store: Store) -> None:
    """Episodes read as they were written, in order; writing one again changes nothing."""
    run = _begun(store).run
    played = [sample_played(run, sample_case(), seed, assessments=[sample_assessment()]) for seed in range(5)]
    _same(store.write(run, [packed(one) for one in played[:3]]), 3, "the count of new episodes")
    _same(store.write(run, [packed(one) for one in played]), 2, "the count of new ones among known ones")
    _same(store.write(run, []), 0, "writing nothing")
    ids = [one.episode.id for one in played]
    _same([store.episode(run, id) for id in ids], played, "episodes")
    _same(list(store.rows(run)), [EpisodeRow.of(one) for one in played], "rows")
    _same((store.count(run), store.done(run)), (5, set(ids)), "count and done")


def check_later_attempt_supersedes(store: Store) -> None:
    """Of one episode the highest attempt stays, in its place; assessments go with what they assessed."""
    run = _begun(store).run
    first, second, third = (
        sample_played(run, sample_case(), 0, attempt=n, text=f"attempt {n}") for n in (1, 2, 3)
    )
    other = sample_played(run, sample_case(), 1)
    store.write(run, [packed(first), packed(other)])
    store.assess(run, first.episode.id, [sample_assessment()])
    _same(store.write(run, [packed(third)]), 0, "the count of new episodes in a later attempt")
    for late in (first, second, third.model_copy(update={"episode": _said(third, "an equal attempt")})):
        _same(store.write(run, [packed(late)]), 0, "the count of new episodes in an earlier attempt")
    _same(store.episode(run, first.episode.id), third, "the highest attempt")
    _same(
        list(store.rows(run)), [EpisodeRow.of(third), EpisodeRow.of(other)], "rows, each in its first place"
    )
    both = [sample_played(run, sample_case(), 2, attempt=n) for n in (2, 1, 3)]
    _same(
        store.write(run, [packed(one) for one in both]),
        1,
        "the count of new episodes, one three times in one batch",
    )
    _same(store.episode(run, both[0].episode.id), both[2], "the highest attempt within a batch")
    _same(store.count(run), 3, "the count after all attempts")


def check_write_is_whole(store: Store) -> None:
    """A batch that cannot be stored leaves nothing behind."""
    run = _begun(store).run
    good = [packed(sample_played(run, sample_case(), seed)) for seed in range(4)]
    store.write(run, good[:1])
    broken: Any = Packed(row=good[2].row, blob=object())  # type: ignore[arg-type]
    _raises(Exception, lambda: store.write(run, [good[1], broken, good[3]]), "writing what is no blob")
    _same(store.done(run), {good[0].row.id}, "the episodes after a batch that failed")
    _same(store.follow(run)[0], [good[0].row], "what a follower sees of it")
    _same(store.write(run, good), 3, "the count of new episodes in the next batch")


def check_rows_are_paged(store: Store) -> None:
    """Any slice of many rows, read as it is iterated."""
    run = _begun(store).run
    rows = [one.row for one in _many(store, run, 1203)]
    _same(list(store.rows(run)), rows, "all rows")
    for offset, limit in ((0, 10), (995, 10), (3, 1000), (1200, 10), (0, 0), (5000, 10), (700, None)):
        stop = None if limit is None else offset + limit
        _same(
            list(store.rows(run, offset=offset, limit=limit)), rows[offset:stop], f"rows {offset} to {stop}"
        )
    odd = Where(fields={"agent": ("odd",)})
    fitting = [row for row in rows if row.agent == "odd"]
    _same(list(store.rows(run, odd)), fitting, "all rows that fit")
    _same(list(store.rows(run, odd, offset=500, limit=50)), fitting[500:550], "a slice of the rows that fit")
    walk = store.rows(run)
    _same([next(walk), next(walk)], rows[:2], "the first rows, one by one")
    _same(len(store.done(run)), 1203, "ids of many episodes")


def check_rows_are_filtered(store: Store) -> None:
    """Filters by field, label and text, alone and together."""
    run = _begun(store).run
    blob = record.pack(sample_played(run, sample_case()))  # filters look at rows only
    stored = [Packed(row=EpisodeRow.of(one), blob=blob) for one in various(run)]
    store.write(run, stored)
    rows = [one.row for one in stored]
    for where in filters(rows):
        fitting = [row for row in rows if fits(row, where)]
        _same(list(store.rows(run, where)), fitting, f"rows with {where}")
        _same(store.count(run, where), len(fitting), f"count with {where}")
    misspelt = Where(fields={"intnet": ("benign",)})
    _raises(InputError, lambda: store.count(run, misspelt), "a filter by a misspelt field")
    _raises(InputError, lambda: list(store.rows(run, misspelt)), "a filter by a misspelt field")


def check_rows_are_sifted(store: Store) -> None:
    """Conditions on any facet, alone and together with filters."""
    run = _begun(store).run
    rows = sifted(store, run)
    for where in conditions(rows):
        fitting = [row for row in rows if fits(row, where)]
        _same(store.ids(run, where), [row.id for row in fitting], f"ids with {where}")
        _same(list(store.rows(run, where, offset=1, limit=3)), fitting[1:4], f"rows with {where}")
        _same(store.count(run, where), len(fitting), f"count with {where}")
    misspelt = Where(terms=(Term("intnet", "=", ("benign",)),))
    _raises(InputError, lambda: store.count(run, misspelt), "a condition on a misspelt facet")
    _raises(InputError, lambda: store.ids(run, misspelt), "a condition on a misspelt facet")


def check_rows_are_sorted(store: Store) -> None:
    """Ids sorted by any facet or by harm, and rows picked by them."""
    run = _begun(store).run
    rows = sifted(store, run)
    for by in ("", HARM, *(name for name, one in FACETS.items() if len(one.paths) == 1)):
        for reverse in (False, True):
            order = Order(by, reverse)
            _same(store.ids(run, Where(), order), ordered(rows, order), f"ids sorted by {order}")
            _same(store.ids(run, Where(), order, limit=3), ordered(rows, order)[:3], f"the first by {order}")
    risky, agents = Where(label=("risky",)), Order("agent", reverse=True)
    few = ordered([row for row in rows if fits(row, risky)], agents)
    _same(store.ids(run, risky, agents), few, "ids of some, sorted")
    by_id = {row.id: row for row in rows}
    _same(store.pick(run, few), [by_id[id] for id in few], "rows picked by id")
    _same(
        store.pick(run, [few[1], "no such id", few[0]]), [by_id[few[1]], by_id[few[0]]], "rows that are there"
    )
    _same(store.pick(run, []), [], "no rows")
    _raises(InputError, lambda: store.ids(run, Where(), Order("intnet")), "an order by a misspelt facet")
    many = _many(store, _begun(store).run, 1203)
    _same(store.ids(many[0].row.run), [one.row.id for one in many], "ids of many rows")
    _same(
        store.pick(many[0].row.run, [one.row.id for one in many[::-1]]),
        [one.row for one in many[::-1]],
        "many rows",
    )


def check_rows_are_followed(store: Store) -> None:
    """A cursor sees every row once, and a later attempt as news."""
    run = _begun(store).run
    first, second = (packed(sample_played(run, sample_case(), seed)) for seed in range(2))
    again = packed(sample_played(run, sample_case(), 0, attempt=2))
    store.write(run, [first])
    rows, cursor = store.follow(run)
    _same(rows, [first.row], "rows from the beginning")
    _same(store.follow(run, cursor), ([], cursor), "rows where there are no new ones")
    store.write(run, [first, second])
    rows, cursor = store.follow(run, cursor)
    _same(rows, [second.row], "the rows since")
    store.write(run, [again])
    rows, last = store.follow(run, cursor)
    _same(rows, [again.row], "a later attempt")
    _same(store.follow(run, last), ([], last), "rows after it")
    _same(store.cursor(run), last, "the cursor after all that is stored")
    _same(store.cursor(_begun(store).run), 0, "the cursor of a new run")
    _same(store.follow(run)[0], [second.row, again.row], "all rows, by when they last changed")
    store.assess(run, first.row.id, [sample_assessment()])
    _same(store.follow(run, last), ([], last), "rows after an assessment, which is no new episode")
    waiting = sample_played(run, sample_case(), 3, assessments=[_pending("1"), sample_assessment(0)])
    store.write(run, [packed(waiting)])
    _, last = store.follow(run)
    store.assess(run, waiting.episode.id, [sample_assessment(-4, evaluator="judge", model="a")])
    rows, last = store.follow(run, last)
    _same(
        [(row.id, row.unjudged) for row in rows], [(waiting.episode.id, ())], "a row that is judged at last"
    )
    many = _many(store, run, 1203)
    _same(store.follow(run, last)[0], [one.row for one in many], "many rows at once")


def check_episode_is_assessed(store: Store) -> None:
    """Assessments add up; one of the same evaluator, version and settings takes the former's place."""
    run = _begun(store).run
    former, judged = sample_assessment(0), sample_assessment(None, evaluator="judge", model="a", also=["b"])
    asked = ModelCall(seat="judge", model="a", outcome="ok", input_tokens=90, output_tokens=10, cost=0.25)
    judged = judged.model_copy(update={"model_calls": (asked, asked)})
    played = sample_played(run, sample_case(), assessments=[former, judged])
    id = played.episode.id
    store.write(run, [packed(played), packed(sample_played(run, sample_case(), 1))])
    newer, strict = sample_assessment(-3, version="2"), sample_assessment(-4, strict=True)
    replaced, judged_again = (
        sample_assessment(-8),
        sample_assessment(-1, evaluator="judge", also=["b"], model="a").model_copy(
            update={"model_calls": (asked,)}
        ),
    )
    for added, expected in (
        ([], [former, judged]),
        ([newer, strict], [former, judged, newer, strict]),
        ([replaced], [replaced, judged, newer, strict]),
        ([judged_again, newer], [replaced, judged_again, newer, strict]),
    ):
        store.assess(run, id, added)
        _same(list(store.episode(run, id).assessments), expected, "assessments")
        row = next(store.rows(run))
        whole = EpisodeRow.of(Played(episode=played.episode, assessments=tuple(expected)))
        _same(row.summaries, whole.summaries, "summaries of the row")
        spent, due = ((one.model_calls, one.tokens, one.cost, one.health_counts) for one in (row, whole))
        _same(spent, due, "what models took, judges among them, and what was wrong with them")
    _same(store.episode(run, id).episode, played.episode, "the episode itself")
    _same([row.id for row in store.rows(run, Where(label=("risky",)))], [id], "the filter by label")
    _same(store.count(run, Where(label=("safe",))), 0, "the filter by its former label")


def check_pending_assessment_is_made(store: Store) -> None:
    """An assessment takes the place of the pending one, also in another version, and of no other's."""
    run = _begun(store).run
    checked = sample_assessment(0)
    played = sample_played(run, sample_case(), assessments=[_pending("0"), checked])
    id = played.episode.id
    store.write(run, [packed(played)])
    _same(store.episode(run, id).assessments, (_pending("0"), checked), "assessments of which one is pending")
    _same(next(store.rows(run)).unjudged, ("judge",), "who is still to judge")
    _same(store.count(run, Where(label=("unknown",))), 1, "the filter by label before it is judged")
    other = sample_assessment(-2, evaluator="judge", model="b")
    store.assess(run, id, [other])
    _same(store.episode(run, id).assessments, (_pending("0"), checked, other), "another judge's beside it")
    made = sample_assessment(-8, evaluator="judge", model="a")
    store.assess(run, id, [made])
    _same(store.episode(run, id).assessments, (made, checked, other), "the one that was pending")
    row = next(store.rows(run))
    _same((row.unjudged, [one.evaluator for one in row.summaries][:2]), ((), ["judge", "rules"]), "the row")
    _same(store.count(run, Where(label=("risky",))), 1, "the filter by label once it is judged")


def check_episode_is_found(store: Store) -> None:
    """Episodes are found by the beginning of their id, in the latest run first."""
    case = sample_case(f"found_{secrets.token_hex(4)}")
    former, latter = (_begun(store).run for _ in range(2))
    played = sample_played(former, case)
    other = sample_played(former, case, seed=1)
    store.write(former, [packed(played), packed(other)])
    store.write(latter, [packed(sample_played(latter, case))])
    id = played.episode.id
    for beginning in (id, id[:12]):
        _same(store.find(beginning), [(latter, id), (former, id)], f"find({beginning!r})")
    _same(store.find(id + "0"), [], "an id that is none")
    everything = store.find("")
    _same({(former, id), (latter, id), (former, other.episode.id)} - set(everything), set(), "every id")


def check_names_are_known(store: Store) -> None:
    """What is not there is an `UnknownName`, never an empty answer."""
    run, none = _begun(store).run, "no-such-run"
    one, said = packed(sample_played(none, sample_case())), sample_assessment()
    asked: dict[str, Callable[[], object]] = {
        "write": lambda: store.write(none, [one]),
        "write nothing": lambda: store.write(none, []),
        "finish": lambda: store.finish(none, "done"),
        "specs": lambda: store.specs(none),
        "done": lambda: store.done(none),
        "count": lambda: store.count(none),
        "rows": lambda: list(store.rows(none)),
        "ids": lambda: store.ids(none),
        "pick": lambda: store.pick(none, [one.row.id]),
        "cursor": lambda: store.cursor(none),
        "follow": lambda: store.follow(none),
        "episode of no run": lambda: store.episode(none, one.row.id),
        "episode": lambda: store.episode(run, one.row.id),
        "assess in no run": lambda: store.assess(none, one.row.id, [said]),
        "assess": lambda: store.assess(run, one.row.id, [said]),
        "case": lambda: store.case("0" * 16),
    }
    for what, ask in asked.items():
        _raises(UnknownName, ask, what)
    _same(none in [begun.run for begun in store.runs()], False, "a run that only failed calls named")


STORE_CHECKS: tuple[Callable[[Store], None], ...] = (
    check_run_read_back,
    check_run_is_begun_once,
    check_run_is_found,
    check_latest_run_is_not_empty,
    check_run_ends,
    check_run_is_removed,
    check_heartbeat_read_back,
    check_living_driver_keeps_run,
    check_episode_read_back,
    check_later_attempt_supersedes,
    check_write_is_whole,
    check_rows_are_paged,
    check_rows_are_filtered,
    check_rows_are_sifted,
    check_rows_are_sorted,
    check_rows_are_followed,
    check_episode_is_assessed,
    check_pending_assessment_is_made,
    check_episode_is_found,
    check_names_are_known,
)
"""Each promise of `Store` by itself; every check begins runs of its own."""


def _begun(store: Store, name: str = "") -> Manifest:
    case = sample_case()
    manifest = sample_run([case], name=name)
    store.begin(manifest, [case], sample_specs([case]))
    return manifest


def _pending(version: str) -> Assessment:
    return Assessment(evaluator="judge", version=version, settings={"model": "a"}, pending=True)


def _said(played: Played, text: str) -> Episode:
    said = Said(index=0, time=0, audience=("agent", "user"), by="user", text=text)
    return played.episode.model_copy(update={"events": (said, *played.episode.events[1:])})


def _many(store: Store, run: str, number: int) -> list[Packed]:
    """That many stored episodes, made quickly: all share one record, and every other row has an odd agent."""
    one = packed(sample_played(run, sample_case()))
    ids = [secrets.token_hex(8) for _ in range(number)]
    rows = [
        one.row.model_copy(update={"id": id, "agent": "odd" if n % 2 else "even"}) for n, id in enumerate(ids)
    ]
    many = [Packed(row=row, blob=one.blob) for row in rows]
    _same(store.write(run, many), number, "the count of many new episodes")
    return many


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: expected {_short(expected)}, found {_short(found)}")


def _raises(kind: type[Exception], act: Callable[[], object], what: str) -> None:
    try:
        found = act()
    except kind:
        return
    raise AssertionError(f"{what}: expected {kind.__name__}, found {_short(found)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:400]} ... {text[-200:]}"
