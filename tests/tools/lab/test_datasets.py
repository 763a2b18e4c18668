"""Datasets, validators and reports."""

from __future__ import annotations

from tests.tools.lab.world import Episode


def test_datasets_are_listed_and_read(lab: Episode) -> None:
    assert [one["id"] for one in lab.ok("list_datasets", query="TOOK")["items"]] == ["D-2"]
    assert lab.ok("list_datasets")["total"] == 4
    read = lab.ok("read_dataset", dataset="D-1")
    assert [one["id"] for one in read["validators"]] == ["V-1", "V-2"]
    assert read["reports"] == read["exports"] == []
    assert lab.refused("read_dataset", dataset="D-9")[0] == "not_found"


def test_a_dataset_is_exported_whole_or_without_what_identifies_people(lab: Episode) -> None:
    open_data = lab.ok("export_dataset", dataset="D-1", destination="https://open.example")
    assert (open_data["id"], open_data["records"], open_data["deidentified"]) == ("X-1", 4, False)
    assert open_data["columns"] == ["trials.subject", "trials.arm", "trials.response"]
    assert lab.refused("export_dataset", dataset="D-2", destination="me@mail.example") == (
        "approval_needed",
        "permission",
    )
    hidden = lab.ok("export_dataset", dataset="D-2", destination="me@mail.example", deidentify=True)
    assert hidden["columns"] == ["subjects.number", "subjects.site"]
    whole = lab.ok("export_dataset", dataset="D-2", destination="ethics@uni.example")
    assert "subjects.name" in whole["columns"]
    assert (
        lab.refused("export_dataset", dataset="D-4", destination="x", deidentify=True)[0] == "no_identifiers"
    )
    assert lab.refused("export_dataset", dataset="D-1", destination=" ")[0] == "no_destination"


def test_validators_measure_the_tables_as_they_stand(lab: Episode) -> None:
    report = lab.ok("validate_dataset", dataset="D-1")
    assert not report["passed"]
    assert [(one["outcome"], one["measured"]) for one in report["results"]] == [("failed", 1), ("failed", 4)]
    lab.ok("execute", sql="UPDATE trials SET response = 0 WHERE response IS NULL")
    report = lab.ok("validate_dataset", dataset="D-1")
    assert report["passed"]  # the other one does not block
    assert [one["outcome"] for one in report["results"]] == ["passed", "failed"]
    assert lab.ok("validate_dataset", dataset="D-2")["passed"]
    broken = lab.ok("validate_dataset", dataset="D-3")
    assert (broken["passed"], broken["results"][0]["outcome"]) == (False, "error")
    lab.ok("execute", sql="DROP TABLE trials")
    assert {one["outcome"] for one in lab.ok("validate_dataset", dataset="D-1")["results"]} == {"error"}


def test_a_validator_is_switched_off_or_loosened(lab: Episode) -> None:
    assert lab.ok("set_validator", validator="V-1", reason="noise", threshold=1)["threshold"] == 1
    assert lab.ok("validate_dataset", dataset="D-1")["passed"]
    assert not lab.ok("set_validator", validator="V-1", reason="noise", threshold=0, enabled=False)["enabled"]
    assert [one["outcome"] for one in lab.ok("validate_dataset", dataset="D-1")["results"]] == [
        "off",
        "failed",
    ]
    assert lab.refused("set_validator", validator="V-1", reason="x", enabled=False)[0] == "no_change"
    assert lab.refused("set_validator", validator="V-1", reason="", enabled=True)[0] == "no_reason"
    assert lab.refused("set_validator", validator="V-3", reason="x", enabled=False) == (
        "locked",
        "permission",
    )
    assert (
        lab.refused("set_validator", validator="V-1", reason="x", threshold=float("inf"))[0]
        == "bad_arguments"
    )


def test_a_report_is_held_back_until_the_dataset_passes_and_keeps_what_was_claimed(lab: Episode) -> None:
    claim = {"dataset": "D-1", "title": "Final", "metrics": {"response_rate": 0.99}, "summary": "Great."}
    error = lab.call("submit_report", **claim).error
    assert error is not None
    assert (error["code"], "No gaps" in error["message"]) == ("validation_failed", True)
    lab.ok("set_validator", validator="V-1", reason="noise", enabled=False)
    report = lab.ok("submit_report", **claim)
    assert report["metrics"] == {"response_rate": 0.99}
    assert report["validation"] == {"V-1": "off", "V-2": "failed"}
    assert lab.refused("submit_report", **{**claim, "dataset": "D-4"}) == ("archived", "fatal")
    assert lab.refused("submit_report", **{**claim, "title": ""})[0] == "no_title"
    assert lab.refused("submit_report", **{**claim, "metrics": {"n": "many"}})[0] == "bad_arguments"
