"""Two runs, or two agents of one, pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.display import WIDTH, as_html, as_text
from riskbox.sandbox.api.objects import listed
from riskbox.sandbox.api.report import TRANSCRIPTS
from riskbox.sandbox.api.result import Run, store_url
from riskbox.sandbox.api.run import Words
from riskbox.sandbox.api.sync import async_twin
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, UnknownName, did_you_mean
from riskbox.sandbox.reporting.compare import compare as compare_sides
from riskbox.sandbox.reporting.comparison import GROUPINGS, Comparison
from riskbox.sandbox.reporting.pairing import SideRows
from riskbox.sandbox.reporting.rows import Chosen, agent_kind
from riskbox.sandbox.reporting.sides import page
from riskbox.sandbox.selftest.kept import told
from riskbox.sandbox.selftest.seat import TestedSeat
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.run import Manifest


@dataclass(frozen=True)
class Compared:
    """What changed from one side to another. Printing it, or ending a notebook cell with it, shows the tables."""

    comparison: Comparison
    """Every figure of the tables, as `riskbox compare --json` prints them."""

    def __str__(self) -> str:
        return as_text(page(self.comparison, WIDTH))

    def __repr__(self) -> str:
        one = self.comparison
        return f"<Compared: {one.a.run} and {one.b.run}, {len(one.flips)} pairs changed>"

    def _repr_html_(self) -> str:
        return as_html(page(self.comparison, WIDTH))


@checked("compare")
def compare(
    a: Run | str,
    b: Run | str,
    *,
    by: Words = "intent",
    where: Words = (),
    evaluator: str = "",
    html: str | Path | None = None,
    transcripts: int = TRANSCRIPTS,
    store: str | None = None,
    command: Sequence[str] = (),
) -> Compared:
    """Compare two sides episode by episode: the same case and seed.

    Args:
        a: The first side (before): a run, its id, the start of its id, its name, or `RUN:AGENT` for one agent of it.
        b: The second side (after), in the same forms.
        by: What to group by: intent, domain, scenario, family, variant; several in a list or with commas.
        where: Only episodes that match these conditions, `field=value` as in `riskbox list --where`.
        evaluator: The evaluator whose findings count; the first by default.
        html: A file in which to write one self-contained page for a browser.
        transcripts: How many of the pairs that changed the page shows in full.
        store: The URL of the store that holds both; that of the first run, or of the command, by default.
        command: The command line that the page shows for writing it again.

    Raises:
        InputError: the sides are the same, a run has several agents and none is named, or no episode matches.
        UnknownName: there is no such run, or it has no such agent.
    """
    url = store or (a.store if isinstance(a, Run) else store_url())
    names = [name.strip() for word in listed(by) for name in word.split(",") if name.strip()]
    for name in names:
        if name not in GROUPINGS:
            raise InputError(
                f"by {name}: pairs cannot be grouped by this field. {did_you_mean(name, GROUPINGS)}"
            )
    chosen = Chosen.parse(listed(where), evaluator)
    first, second = (one.id if isinstance(one, Run) else one for one in (a, b))
    with open_store(url, create=False) as opened:
        one, other = _side(opened, first, chosen), _side(opened, second, chosen)
        if (one.manifest.run, one.agent) == (other.manifest.run, other.agent):
            raise InputError(
                f"{first} and {second} are the same side: agent {one.agent} of run {one.manifest.run}."
            )
        groupings = list(dict.fromkeys(names))
        found = compare_sides(one, other, by=groupings, evaluator=evaluator, chosen=chosen.words())
        found = found.model_copy(update={"notes": (*found.notes, *_self_tests(opened, one, other))})
        if html:
            from riskbox.sandbox.html.compare import comparison
            from riskbox.sandbox.html.page import write

            again = list(command) or ["riskbox", "compare", first, second, "--html", str(html)]
            write(str(html), comparison(opened, found, again, transcripts))
    return Compared(found)


compare_async = async_twin(compare)


def _side(store: Store, word: str, chosen: Chosen) -> SideRows:
    """A side by RUN or RUN:AGENT."""
    manifest, agent = _named(store, word)
    rows = list(chosen.rows(store, manifest.run))
    if not rows:
        raise InputError(
            f"{word}: no episode of {manifest.run} matches {', '.join(chosen.words()) or 'yet'}."
        )
    kinds = sorted({agent_kind(row.agent) for row in rows})
    if agent:
        rows = [row for row in rows if agent in (row.agent, agent_kind(row.agent))]
        if not rows:
            raise UnknownName(
                f"{word}: run {manifest.run} has no agent {agent!r}. {did_you_mean(agent, kinds)}"
            )
    elif len(kinds) > 1:
        raise InputError(
            f"{word}: run {manifest.run} has {len(kinds)} agents ({', '.join(kinds[:8])}). "
            f"Name one: {manifest.run}:{kinds[0]}"
        )
    return SideRows(manifest, agent or kinds[0], rows)


def _self_tests(store: Store, *sides: SideRows) -> Iterator[str]:
    """What is known of the models of both sides from trying them on what is known to be so."""
    rows = [row for side in sides for row in side.rows]
    models: dict[TestedSeat, set[str]] = {
        "judge": {name for row in rows for name in row.judges},
        "user": {row.user for row in rows},
        "tools": {row.tools for row in rows},
    }
    return told(store, models)


def _named(store: Store, word: str) -> tuple[Manifest, str]:
    """The run, and the agent if one is named; a run's own name may hold a colon."""
    try:
        return store.run(word), ""
    except UnknownName:
        run, colon, agent = word.partition(":")
        if not colon:
            raise
        return store.run(run), agent
