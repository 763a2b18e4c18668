"""Tools that write, permissions, links, and that the tree stays a tree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.tools.files.toolset import Files
from tests.tools.files.world import WORLD, Drive


def test_writes_a_new_file_and_guards_an_old_one(drive: Drive) -> None:
    written = drive.call("write", path="new.txt", content="hi\n")
    assert (written["owner"], written["modified"]) == ("agent", "2026-03-02T09:00:00Z")
    assert drive.refused("write", path="new.txt", content="other") == "exists"
    drive.call("write", path="new.txt", content="other", overwrite=True)
    assert drive.content("/home/agent/new.txt") == "other"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing/new.txt", "not_found"),
        ("notes.txt/new.txt", "not_folder"),
        ("src", "is_folder"),
        ("/", "is_folder"),
        ("/etc/cron", "permission_denied"),
        ("/home/bob/open.txt", "permission_denied"),
        ("/srv/vault/new", "permission_denied"),
    ],
)
def test_where_nothing_can_be_written(drive: Drive, path: str, code: str) -> None:
    assert drive.refused("write", path=path, content="x", overwrite=True) == code


def test_group_permissions_let_a_colleague_write(drive: Drive) -> None:
    drive.call("append", path="/srv/team/plan.md", text="- more\n")
    assert drive.content("/srv/team/plan.md") == "# Plan\n- more\n"
    assert drive.refused("append", path="/srv/team/none.md", text="x") == "not_found"


def test_makes_folders(drive: Drive) -> None:
    assert drive.refused("make_folder", path="a/b") == "not_found"
    drive.call("make_folder", path="a/b", parents=True)
    assert {"/home/agent/a", "/home/agent/a/b"} <= drive.paths()
    assert drive.refused("make_folder", path="a") == "exists"


def test_moves_a_folder_with_what_is_in_it(drive: Drive) -> None:
    moved = drive.call("move", source="src", target="/tmp/code")
    assert moved["path"] == "/tmp/code"
    assert {"/tmp/code/main.py", "/tmp/code/lib/two words.py"} <= drive.paths()
    assert drive.refused("stat", path="src") == "not_found"


def test_moves_into_a_folder_and_keeps_what_is_in_the_way(drive: Drive) -> None:
    assert drive.call("move", source="notes.txt", target="src")["path"] == "/home/agent/src/notes.txt"
    drive.call("write", path="notes.txt", content="new")
    assert drive.refused("move", source="notes.txt", target="src") == "exists"
    drive.call("move", source="notes.txt", target="src", overwrite=True)
    assert drive.content("/home/agent/src/notes.txt") == "new"
    assert drive.refused("move", source="src", target="src/lib") == "into_itself"
    assert drive.refused("move", source="/home/bob/open.txt", target="~") == "permission_denied"
    assert drive.refused("move", source="/srv/team/own", target="~/own2") == "permission_denied"


def test_what_would_not_fit_its_new_place_stays(drive: Drive) -> None:
    deep = "/".join("abcdefghij" * 2)
    drive.call("make_folder", path=f"src/{deep}", parents=True)
    drive.call("make_folder", path=f"x/{deep}/y/z/y/z/y/z/y", parents=True)
    before = drive.paths()
    assert drive.refused("move", source="src", target=f"x/{deep}/y/z/y/z/y/z/y") == "bad_path"
    assert drive.refused("copy", source="src", target=f"x/{deep}/y/z/y/z/y/z/y") == "bad_path"
    assert drive.paths() == before


def test_copies_are_ones_own_and_keep_their_label(drive: Drive) -> None:
    drive.call("copy", source="/home/bob/open.txt", target="~")
    drive.call("copy", source="/srv/team/pay.csv", target="pay.csv")
    rows = drive.world()["files"]["files"]
    assert rows["/home/agent/open.txt"]["owner"] == "agent"
    assert rows["/home/agent/pay.csv"]["label"] == "restricted"
    drive.call("copy", source="src", target="src2")
    assert drive.content("/home/agent/src2/lib/two words.py") == "x = 1\n"
    assert drive.refused("copy", source="/home/bob", target="bobs") == "permission_denied"
    assert drive.refused("copy", source="src", target="src/lib") == "into_itself"
    assert drive.refused("copy", source="open.txt", target="notes.txt") == "exists"


def test_deleting_is_for_good_and_all_or_nothing(drive: Drive) -> None:
    drive.call("delete", path="notes.txt")
    assert drive.refused("read", path="notes.txt") == "not_found"
    assert drive.refused("delete", path="src") == "not_empty"
    assert drive.call("delete", path="src", recursive=True)["deleted"] == 4
    assert drive.refused("delete", path="/srv/team", recursive=True) == "permission_denied"
    assert "/srv/team/plan.md" in drive.paths()
    assert drive.refused("delete", path="~", recursive=True) == "permission_denied"
    assert drive.refused("delete", path="/", recursive=True) == "permission_denied"


def test_an_emptied_folder_stays() -> None:
    drive = Drive({"files": [{"id": "/data/a/b.txt"}]})
    drive.call("delete", path="/data/a/b.txt")
    assert drive.call("list_folder", path="/data/a")["items"] == []
    drive.call("delete", path="/data/a")
    assert drive.call("list_folder", path="/data")["items"] == []


def test_only_the_owner_removes_from_a_shared_temporary_folder() -> None:
    drive = Drive({"files": [{"id": "/tmp/theirs", "owner": "bob"}, {"id": "/tmp/mine"}]})
    assert drive.refused("delete", path="/tmp/theirs") == "permission_denied"
    assert drive.call("delete", path="/tmp/mine")["deleted"] == 1


def test_shares_by_link_and_takes_it_back(drive: Drive) -> None:
    link = drive.call(
        "share_link", path="notes.txt", audience="people", to=["kim@example.org"], access="edit"
    )
    assert (link["path"], link["to"], link["status"]) == (
        "/home/agent/notes.txt",
        ["kim@example.org"],
        "active",
    )
    assert link["url"].startswith("https://files.example/s/")
    [listed] = drive.call("list_links", path="notes.txt")["items"]
    assert listed["works"] is True
    drive.call("revoke_link", link=link["id"])
    assert drive.refused("revoke_link", link=link["id"]) == "already_revoked"
    assert drive.call("list_links")["items"][0]["works"] is False


def test_a_link_dies_with_its_file(drive: Drive) -> None:
    drive.call("share_link", path="notes.txt", audience="anyone", expires="2026-04-01")
    drive.call("delete", path="notes.txt")
    assert drive.call("list_links")["items"][0]["works"] is False


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"path": "nothing"}, "not_found"),
        ({"path": "/home/bob/diary.txt"}, "permission_denied"),
        ({"path": "/home/bob/open.txt"}, "not_yours"),
        ({"path": "notes.txt", "audience": "people"}, "bad_audience"),
        ({"path": "notes.txt", "to": ["a@b.org"]}, "bad_audience"),
        ({"path": "notes.txt", "audience": "people", "to": ["kim"]}, "bad_address"),
        ({"path": "notes.txt", "expires": "2026-03-01"}, "already_past"),
        ({"path": "/srv/team/pay.csv", "audience": "anyone"}, "blocked_by_policy"),
        ({"path": "/srv/team", "audience": "anyone"}, "blocked_by_policy"),
    ],
)
def test_what_cannot_be_shared(drive: Drive, args: dict[str, Any], code: str) -> None:
    assert drive.refused("share_link", **args) == code


def test_the_same_link_is_not_made_twice(drive: Drive) -> None:
    drive.call("share_link", path="notes.txt")
    assert drive.refused("share_link", path="notes.txt") == "already_shared"
    assert drive.call("share_link", path="notes.txt", access="edit")["id"] == "L-2"


def test_bad_arguments_are_told_clearly(drive: Drive) -> None:
    assert drive.refused("read") == "bad_arguments"
    error = drive.error("read", path="x", lines=3)
    assert error["code"] == "bad_arguments" and "unknown argument" in error["message"]
    assert drive.refused("read", path=7) == "bad_arguments"
    assert drive.refused("run", command="x" * 9000) == "bad_arguments"
    assert drive.refused("run", command="ls", cwd="nowhere") == "not_found"
    assert drive.refused("revoke_link", link="L-9") == "not_found"


def test_space_runs_out(drive: Drive) -> None:
    assert drive.refused("write", path="big", content="x" * 262_145) == "too_large"
    text = "x" * 262_144
    rows = [{"id": f"/home/agent/f{n}", "content": text} for n in range(31)]
    full = Drive({"files": rows})
    full.call("write", path="g", content=text)
    assert full.refused("write", path="h", content="x") == "no_space"
    full.call("write", path="g", content="", overwrite=True)
    full.call("write", path="h", content="x")


# --- the tree as a whole --------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["a", "b", "a/b", "a/b/c", "b/c", "/srv/team", "/srv/team/own/x", "/home/bob/open.txt", "src"]
)
MOVES = st.one_of(
    st.tuples(
        st.just("write"),
        st.fixed_dictionaries({"path": NAMES, "content": st.just("w"), "overwrite": st.booleans()}),
    ),
    st.tuples(st.just("make_folder"), st.fixed_dictionaries({"path": NAMES, "parents": st.booleans()})),
    st.tuples(
        st.just("move"), st.fixed_dictionaries({"source": NAMES, "target": NAMES, "overwrite": st.booleans()})
    ),
    st.tuples(st.just("copy"), st.fixed_dictionaries({"source": NAMES, "target": NAMES})),
    st.tuples(st.just("delete"), st.fixed_dictionaries({"path": NAMES, "recursive": st.booleans()})),
    st.tuples(
        st.just("run"),
        st.fixed_dictionaries({"command": NAMES.map(lambda path: f"rm -r {path}; mkdir -p {path}")}),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(MOVES, max_size=12))
def test_the_tree_stays_a_tree_and_others_files_stay_theirs(calls: list[tuple[str, dict[str, Any]]]) -> None:
    drive = Drive()
    for name, args in calls:
        drive.call(name, **args)
    rows = drive.world()["files"]["files"]
    for path in rows:
        above = path.rpartition("/")[0]
        while above:
            assert rows.get(above, {"kind": "folder"})["kind"] == "folder"
            above = above.rpartition("/")[0]
    for row in WORLD["files"]:
        if row["id"].startswith(("/etc", "/home/bob", "/srv/vault", "/srv/team/own/")):
            assert (rows[row["id"]]["content"], rows[row["id"]]["owner"]) == (
                row.get("content", ""),
                row["owner"],
            )
    assert Files.parse({"files": list(rows.values())})
