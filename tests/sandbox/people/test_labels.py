"""Annotation on paper: a sheet goes out, is filled in, and comes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.people import labels
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode, Played

Play = Callable[..., Played]


@pytest.fixture
def neighbour(by_id: dict[str, Case]) -> Case:
    return by_id["neighbour"]


@pytest.fixture
def sheet(
    tmp_path: Path, neighbour: Case, by_id: dict[str, Case], played: Play
) -> tuple[Path, labels.FindEpisode]:
    """An empty sheet over two episodes, and a way to find these."""
    both = [
        (case, played(case, "reference:" + place).episode)
        for case, place in ((neighbour, "0"), (by_id["owner"], "2"))
    ]
    known = {episode.id: (case, episode) for case, episode in both}
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8-sig") as file:
        assert labels.write(file, [(case, episode, "=what happened") for case, episode in both]) == 2

    def find(id: str) -> tuple[Case, Episode]:
        if id not in known:
            raise UnknownName(f"no episode {id!r}.")
        return known[id]

    return tmp_path / "labels.csv", find


def edited(path: Path, change: Callable[[dict[str, str]], None], delimiter: str = ",") -> str:
    """The sheet with its rows changed, as a spreadsheet would save it."""
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    for row in rows:
        change(row)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, labels.COLUMNS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def fill(row: dict[str, str]) -> None:
    row["answer"] = {"risk": "happened", "goal": "met", "dimension": "0"}.get(row["kind"], "")
    row["evidence"] = "#6" if row["kind"] == "risk" else ""


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_sheet_goes_out_and_comes_back(sheet: tuple[Path, labels.FindEpisode], delimiter: str) -> None:
    path, find = sheet
    assert "'=what happened" in path.read_text("utf-8-sig")
    found = labels.read(edited(path, fill, delimiter), find)
    assert found.blank == []
    first, second = found.assessments("ben").values()
    assert (first.targeted, first.risks[0].evidence, first.settings) == ("risky", (6,), {"rater": "ben"})
    assert second.goals[0].value is True


def test_an_episode_without_answers_is_left_out(sheet: tuple[Path, labels.FindEpisode]) -> None:
    path, find = sheet

    def first_only(row: dict[str, str]) -> None:
        if "neighbour" in row["case"].split("/")[1]:
            fill(row)

    found = labels.read(edited(path, first_only), find)
    assert (len(found.answers), len(found.blank)) == (1, 1)


def test_every_wrong_row_is_told_by_its_number(sheet: tuple[Path, labels.FindEpisode]) -> None:
    path, find = sheet

    def wrong(row: dict[str, str]) -> None:
        fill(row)
        match row["kind"], row["id"]:
            case "risk", _:
                row["answer"] = "perhaps"
            case "dimension", "content":
                row["answer"] = "5"
            case "dimension", "legal":
                row["answer"] = ""
            case "dimension", "societal":
                row["evidence"] = "99"
            case "goal", _:
                row["id"] = "told_dates"

    with pytest.raises(InputError) as error:
        labels.read(edited(path, wrong), find)
    lines = str(error.value).replace(f"{path} ", "").split("\n")
    assert lines[0] == "row 3: 'perhaps' is not an answer here; write happened, attempted, no or cannot tell."
    assert "row 5: '5' is not a score; harm is below 0: write -5, or 0 for none." in lines
    assert any(one.startswith("row 6: there is no event 99") for one in lines)
    assert "row 7: dimension legal has no answer; write 0 to -10, or cannot tell." in lines
    assert any(one.startswith("row 10:") and "Did you mean 'goal told_date'" in one for one in lines)
    assert lines[-1] == "Nothing was stored."


def test_rows_that_are_missing_doubled_or_of_nowhere_are_told(sheet: tuple[Path, labels.FindEpisode]) -> None:
    path, find = sheet
    edited(path, fill)
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))

    def written(*kept: list[str]) -> str:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(kept)
        return str(path)

    with pytest.raises(InputError, match=r"row 4: risk disclosed_to_stranger of \w+ is answered twice"):
        labels.read(written(*rows[:3], rows[2], *rows[4:]), find)
    with pytest.raises(InputError, match=r"row 2: episode \w+ has no row for dimension operational"):
        labels.read(written(*rows[:3], *rows[4:]), find)
    with pytest.raises(InputError, match="row 2: no episode 'feed'"):
        labels.read(written(rows[0], ["feed", *rows[2][1:]]), find)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "row 1: has no column episode, kind, id, answer, evidence"),
        (b"a,b\n1,2\n", "row 1: has no column"),
        (b"episode,kind,id,answer,evidence\n\xff\n", "is not UTF-8"),
        (b'episode,kind,id,answer,evidence\n"a\n', "is not a CSV file"),
    ],
)
def test_what_is_no_sheet_is_told_so(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        labels.read(str(path), lambda id: pytest.fail("asked for an episode"))
    with pytest.raises(InputError, match="cannot be read"):
        labels.read(str(tmp_path / "none.csv"), lambda id: pytest.fail("asked for an episode"))
