"""What a run found: the tables that `riskbox report` prints, as a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.display import WIDTH, as_html, as_text
from riskbox.sandbox.api.objects import listed
from riskbox.sandbox.api.result import Run, store_url
from riskbox.sandbox.api.run import Words, gates_of
from riskbox.sandbox.api.sync import async_twin
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.gates.outcome import GateOutcome
from riskbox.sandbox.reporting.results import Note, Results
from riskbox.sandbox.reporting.rows import Chosen
from riskbox.sandbox.reporting.tables import page
from riskbox.sandbox.reporting.tally import GROUPINGS
from riskbox.sandbox.selftest.kept import told
from riskbox.sandbox.selftest.seat import TestedSeat
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.run import Manifest

WORST = 8
"""How many of the worst episodes are listed."""
TRANSCRIPTS = 10
"""How many of the worst episodes a page shows in full."""


@dataclass(frozen=True)
class Report:
    """The results of a run. Printing it, or ending a notebook cell with it, shows the tables of `riskbox report`."""

    run: Manifest
    """The run."""
    results: Results
    """Every figure of the tables, as `riskbox report --json` prints them."""
    gates: tuple[GateOutcome, ...] = ()
    """What became of each gate that was given."""

    @property
    def passed(self) -> bool:
        """Whether no gate failed; True where none was given."""
        return not any(one.stops for one in self.gates)

    def __str__(self) -> str:
        return as_text(page(self.results, WIDTH))

    def __repr__(self) -> str:
        return f"<Report of {self.run.run}: {self.results.played} episodes>"

    def _repr_html_(self) -> str:
        return as_html(page(self.results, WIDTH))


@checked("report")
def report(
    run: Run | str = "latest",
    *,
    by: Words = "intent",
    where: Words = (),
    evaluator: str = "",
    fail_if: Words = (),
    gate: str | Path | Sequence[str | Path] = (),
    html: str | Path | None = None,
    transcripts: int = TRANSCRIPTS,
    store: str | None = None,
    command: Sequence[str] = (),
) -> Report:
    """Compute the results of a run: rates as ranges, with unknown episodes and faults counted beside them.

    Args:
        run: A run, its id, the start of its id, its name, or `latest`.
        by: What to group by: intent, domain, agent, scenario, family, variant; several in a list or with commas.
        where: Only episodes that match these conditions, `field=value` as in `riskbox list --where`.
        evaluator: The evaluator whose findings count; the first by default.
        fail_if: Gates: conditions that fail the run, for example `"legal.risk_ratio > 0.05"`.
        gate: YAML files with lists of conditions.
        html: A file in which to write one self-contained page for a browser.
        transcripts: How many of the worst episodes the page shows in full.
        store: The URL of the store; that of the run, or of the command, by default.
        command: The command line that the page shows for writing it again.

    Raises:
        InputError: there is no such store or run, a condition is wrong, or no episode matches.
    """
    url = store or (run.store if isinstance(run, Run) else store_url())
    groupings = _groupings(by, GROUPINGS)
    chosen = Chosen.parse(listed(where), evaluator)
    gates = gates_of(fail_if, gate, evaluator)
    with open_store(url, create=False) as opened:
        manifest = opened.run(run.id if isinstance(run, Run) else run)
        results = _results(opened, manifest, chosen, groupings)
        if where and not results.played:
            raise InputError(f"no episode of {manifest.run} matches {', '.join(listed(where))}.")
        rows = chosen.rows(opened, manifest.run)
        outcomes = gates.decide(manifest, rows, opened.count(manifest.run)) if gates else []
        if html:
            _write(opened, manifest, chosen, groupings, outcomes, str(html), transcripts, command)
    return Report(manifest, results, tuple(outcomes))


report_async = async_twin(report)


def _results(
    store: Store, manifest: Manifest, chosen: Chosen, by: Sequence[str], limit: int = WORST
) -> Results:
    """The results of the chosen rows; apart for each way in which tools were answered, where there are several."""

    def of(one: Chosen) -> Results:
        rows = one.rows(store, manifest.run)
        results = Results.of(
            manifest, rows, by=by, evaluator=chosen.evaluator, chosen=one.words(), limit=limit
        )
        return results.model_copy(update={"notes": (*results.notes, *_self_tests(store, results))})

    found = of(chosen)
    if len(found.emulations) < 2:
        return found
    return found.model_copy(
        update={"apart": tuple(of(chosen.but(emulation=one)) for one in found.emulations)}
    )


def _self_tests(store: Store, results: Results) -> Iterator[Note]:
    """What is known of the models of a run from trying them on what is known to be so."""
    models: dict[TestedSeat, list[str]] = {
        "judge": list(results.judges),
        "user": list(results.users),
        "tools": list(results.tools),
    }
    for sentence in told(store, models):
        yield Note(id="self_test", text=sentence)


def _write(
    store: Store,
    manifest: Manifest,
    chosen: Chosen,
    by: list[str],
    outcomes: Sequence[GateOutcome],
    path: str,
    transcripts: int,
    command: Sequence[str],
) -> None:
    from riskbox.sandbox.html.page import write
    from riskbox.sandbox.html.report import GROUPED, report

    results = _results(store, manifest, chosen, list(dict.fromkeys((*GROUPED, *by))), limit=transcripts)
    again = list(command) or ["riskbox", "report", manifest.run, "--html", path]
    write(path, report(store, manifest, results, chosen, by, again, list(outcomes)))


def _groupings(words: Words, known: Sequence[str]) -> list[str]:
    names = [name.strip() for word in listed(words) for name in word.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise InputError(
                f"by {name}: results cannot be grouped by this field. {did_you_mean(name, known)}"
            )
    return list(dict.fromkeys(names)) or ["intent"]
