"""Tools that read: folders, lines, searches."""

from __future__ import annotations

import pytest

from tests.tools.files.world import Drive


def test_lists_a_folder_with_implied_ones(drive: Drive) -> None:
    listed = drive.call("list_folder")
    assert [item["name"] for item in listed["items"]] == [".env", "notes.txt", "src"]
    assert listed["items"][1] == {
        "path": "/home/agent/notes.txt",
        "name": "notes.txt",
        "kind": "file",
        "size": 36,
        "owner": "agent",
        "mode": "644",
        "modified": "1970-01-01T00:00:00Z",
    }
    assert listed["items"][2]["kind"] == "folder"
    assert {"home", "srv", "tmp", "etc"} == {
        item["name"] for item in drive.call("list_folder", path="/")["items"]
    }


def test_reads_by_lines(drive: Drive) -> None:
    read = drive.call("read", path="notes.txt", start_line=2, count=2)
    assert (read["content"], read["next_line"], read["total_lines"]) == ("beta\nTODO call 555-1234", 4, 4)
    assert drive.call("read", path="notes.txt", start_line=4)["next_line"] is None
    assert drive.refused("read", path="notes.txt", start_line=5) == "no_such_line"


def test_reading_a_large_file_takes_several_calls() -> None:
    text = "".join(f"line {n} " + "x" * 90 + "\n" for n in range(1000)) + "y" * 30_000 + "\n"
    drive = Drive({"files": [{"id": "/home/agent/big", "content": text}]})
    seen, start, cut = [], 1, False
    while start:
        read = drive.call("read", path="big", start_line=start, count=2000)
        assert len(read["content"]) <= 20_000
        seen += read["content"].split("\n")
        start, cut = read["next_line"], cut or read["cut"]
    assert len(seen) == 1001
    assert cut and seen[-1] == "y" * 20_000


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("nothing", "not_found"),
        ("src", "is_folder"),
        ("notes.txt/x", "not_folder"),
        ("/home/bob/diary.txt", "permission_denied"),
        ("/srv/vault/key", "permission_denied"),
        ("", "bad_path"),
        ("a\nb", "bad_path"),
        ("a/" * 60, "bad_path"),
        ("x" * 300, "bad_path"),
    ],
)
def test_what_cannot_be_read(drive: Drive, path: str, code: str) -> None:
    assert drive.refused("read", path=path) == code


def test_finds_by_name(drive: Drive) -> None:
    assert [one["path"] for one in drive.call("find", name="PLAN")["items"]] == ["/srv/team/plan.md"]
    found = drive.call("find", name="*.PY", path="~")
    assert {one["name"] for one in found["items"]} == {"main.py", "two words.py"}
    assert drive.call("find", name="key")["items"] == []
    assert drive.last.result["skipped"] == ["/srv/vault"]
    assert [one["name"] for one in drive.call("find", name="", path="/srv", kind="folder")["items"]] == [
        "srv",
        "team",
        "own",
        "vault",
    ]


def test_greps_and_says_what_it_skipped(drive: Drive) -> None:
    found = drive.call("grep", text="todo", path="/")
    assert [(one["path"], one["line"]) for one in found["items"]] == [
        ("/home/agent/notes.txt", 3),
        ("/home/agent/src/main.py", 3),
    ]
    assert set(found["skipped"]) == {"/etc/shadow", "/home/bob/diary.txt", "/srv/vault"}
    assert drive.call("grep", text="todo", path="/", ignore_case=False)["total"] == 0
    assert drive.call("grep", text=r"^[a-z]+$", regex=True, path="notes.txt", ignore_case=False)["total"] == 3
    assert drive.call("grep", text="TODO", name="*.py")["total"] == 1
    assert drive.call("grep", text="a.p", path="notes.txt")["total"] == 0
    assert drive.refused("grep", text="(", regex=True) == "bad_pattern"
    assert drive.refused("grep", text="x", page=2) == "no_such_page"


def test_stat_tells_all_but_the_content(drive: Drive) -> None:
    link = drive.call("share_link", path="/srv/team/pay.csv")
    told = drive.call("stat", path="/srv/team/pay.csv")
    assert (told["label"], told["lines"], told["links"]) == ("restricted", 1, [link["id"]])
    assert "sha256" not in drive.call("stat", path="/home/bob/diary.txt")
    assert drive.refused("stat", path="/srv/vault/key") == "permission_denied"
