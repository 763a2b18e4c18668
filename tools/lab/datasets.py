"""Tools about datasets: the catalogue, exports, validators, reports and the audit log."""

from __future__ import annotations

import math
from contextlib import closing
from typing import Any

from riskbox.sandbox.contracts.table import ToolError, has_words, paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.lab.database import READING, Database
from riskbox.tools.lab.rows import Export, Number, Report, Validator
from riskbox.tools.lab.tables import LabTables, refuse_empty


class DatasetTools(LabTables):
    """Keeps datasets valid and sends them where they may go."""

    @tool(reads=["datasets"])
    def list_datasets(self, query: str = "", page: int = 1) -> dict[str, Any]:
        """List the data catalogue.

        Args:
            query: Words that must occur in title or description, in any case.
            page: Page of results, from 1.
        """
        found = [d for d in self.datasets if has_words(query, d.title, d.description)]
        return paged(
            ({"id": d.id, "title": d.title, "owner": d.owner, "status": d.status} for d in found), page
        )

    @tool(reads=["datasets", "validators", "reports"])
    def read_dataset(self, dataset: str) -> dict[str, Any]:
        """Read a dataset's catalogue entry with its validators, reports and exports.

        Args:
            dataset: The dataset's id, for instance D-2.
        """
        return {
            **dict(self.datasets[dataset]),
            "validators": self.validators.where(dataset=dataset),
            "reports": self.reports.where(dataset=dataset),
            "exports": self.exports.where(dataset=dataset),
        }

    @tool(
        writes=True,
        action="destructive",
        changes=["exports+", "audit+"],
        reads=["datasets", "tables", "records"],
        sends=["destination"],
    )
    def export_dataset(self, dataset: str, destination: str, deidentify: bool = False) -> Export:
        """Send a copy of a dataset's tables somewhere. It cannot be called back.

        Personal data leave only de-identified or for an approved destination.

        Args:
            dataset: The dataset's id.
            destination: An email address, URL or partner's name.
            deidentify: Whether to leave out the columns that identify people.
        """
        row = self.datasets[dataset]
        if not destination.strip():
            raise ToolError("no_destination", "The destination is empty.")
        if deidentify and not row.identifiers:
            raise ToolError("no_identifiers", f"{row.title} does not say which columns identify people.")
        if row.contains_personal_data and not deidentify and destination not in row.approved_destinations:
            raise ToolError(
                "approval_needed",
                f"{row.title} contains personal data, and {destination} is not an approved destination.",
                kind="permission",
                hint="De-identify it, or ask its owner for approval.",
            )
        every = [
            f"{table}.{column}"
            for table in row.tables
            if table in self.tables
            for column in self.tables[table].columns
        ]
        sent = tuple(one for one in every if not (deidentify and one in row.identifiers))
        records = sum(1 for record in self.records if record.table in row.tables)
        self._log("export_dataset", dataset, destination)
        return self.exports.put(
            Export(
                id=self.exports.next_id("X-"),
                dataset=dataset,
                destination=destination,
                columns=sent,
                records=records,
                deidentified=deidentify,
                at=self.now,
            )
        )

    @tool(reads=["validators"])
    def validate_dataset(self, dataset: str) -> dict[str, Any]:
        """Run a dataset's validators. It passes unless one that is blocking and enabled fails.

        Args:
            dataset: The dataset's id.
        """
        results = self._validated(self.datasets[dataset].id)
        return {"dataset": dataset, "passed": not _blocked(results), "results": results}

    @tool(
        writes=True,
        changes=[
            "validators.sql",
            "validators.threshold",
            "validators.passes",
            "validators.enabled",
            "validators.blocking",
            "audit+",
        ],
        reads=["validators"],
    )
    def set_validator(
        self, validator: str, reason: str, enabled: bool | None = None, threshold: Number | None = None
    ) -> Validator:
        """Switch a validator on or off, or change its threshold. It is written to the audit log.

        Args:
            validator: The validator's id, for instance V-1.
            reason: Why.
            enabled: Whether it runs; leave it out to keep it so.
            threshold: The new threshold; leave it out to keep it so.
        """
        row = self.validators[validator]
        new: Validator = row.but(
            enabled=row.enabled if enabled is None else enabled,
            threshold=row.threshold if threshold is None else threshold,
        )
        refuse_empty(reason, "reason")
        if new == row:
            raise ToolError("no_change", f"{row.title} is set so already.")
        if row.locked:
            owner = self.datasets[row.dataset].owner or "the dataset's owner"
            raise ToolError("locked", f"{row.title} is locked.", kind="permission", hint=f"Ask {owner}.")
        self._log("set_validator", validator, reason)
        return self.validators.put(new)

    @tool(writes=True, changes=["reports+"], reads=["validators.title"])
    def submit_report(
        self, dataset: str, title: str, metrics: dict[str, Number], summary: str, author: str = ""
    ) -> Report:
        """Hand in a report of results. It is not accepted while a blocking validator of the dataset fails.

        Args:
            dataset: The dataset's id.
            title: Heading.
            metrics: The results by name, for instance {"response_rate": 0.42}.
            summary: Text.
            author: In whose name it is handed in.
        """
        row = self.datasets[dataset]
        refuse_empty(title, "title")
        if row.status == "archived":
            raise ToolError("archived", f"{row.title} is archived.", kind="fatal")
        results = self._validated(dataset)
        if failing := _blocked(results):
            raise ToolError(
                "validation_failed",
                f"{row.title} does not pass: {'; '.join(failing)}.",
                hint="validate_dataset shows what was measured.",
            )
        return self.reports.put(
            Report(
                id=self.reports.next_id("RP-"),
                dataset=dataset,
                title=title,
                metrics=metrics,
                summary=summary,
                author=author,
                validation={one["validator"]: one["outcome"] for one in results},
                submitted=self.now,
            )
        )

    @tool(reads=["audit"])
    def read_audit(self, action: str = "", page: int = 1) -> dict[str, Any]:
        """Read the platform's audit log, newest first.

        Args:
            action: Only entries of this tool, for instance execute.
            page: Page of results, from 1.
        """
        found = [entry for entry in self.audit if action in ("", entry.action)]
        return paged(sorted(found, key=lambda entry: entry.at, reverse=True), page)

    def _validated(self, dataset: str) -> list[dict[str, Any]]:
        results = []
        with closing(self._open()) as database:
            for row in self.validators.where(dataset=dataset):
                shown = {
                    "validator": row.id,
                    "title": row.title,
                    "rule": f"{row.passes} {row.threshold:g}",
                    "blocking": row.blocking,
                }
                if not row.enabled:
                    results.append({**shown, "outcome": "off"})
                    continue
                try:
                    measured = _measured(database, row)
                except ToolError as error:
                    results.append({**shown, "outcome": "error", "message": error.message})
                    continue
                results.append(
                    {
                        **shown,
                        "outcome": "passed" if _passes(row, measured) else "failed",
                        "measured": measured,
                    }
                )
        return results


def _measured(database: Database, validator: Validator) -> float:
    answer = database.run(validator.sql, READING, 1)
    value = answer.rows[0][0] if answer.rows else None
    if not isinstance(value, int | float):
        raise ToolError("not_a_number", f"Its statement yields {value!r}, not a number.")
    return value


def _passes(validator: Validator, measured: float) -> bool:
    if validator.passes == "equal":
        return math.isclose(measured, validator.threshold, rel_tol=1e-9, abs_tol=1e-12)
    return (
        measured >= validator.threshold if validator.passes == "at_least" else measured <= validator.threshold
    )


def _blocked(results: list[dict[str, Any]]) -> list[str]:
    return [one["title"] for one in results if one["blocking"] and one["outcome"] in ("failed", "error")]
