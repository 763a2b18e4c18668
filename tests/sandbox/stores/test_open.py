"""Which store a URL names, and what is said of one that names none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from riskbox.sandbox.errors import InputError, StoreError
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.redis.wrong import masked


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///runs.db", "runs.db"),
        ("SQLite:///runs.db", "runs.db"),
        ("sqlite:///some/where/runs", "some/where/runs"),
        ("sqlite:///odd name?%20#[1].db", "odd name?%20#[1].db"),
        ("runs.db", "runs.db"),
        ("./some/runs.db", "some/runs.db"),
        ("~runs \udcff.db", "~runs \udcff.db"),
    ],
)
def test_a_file_in_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, file: str) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(url).close()
    assert (tmp_path / file).is_file()
    open_store(url, create=False).close()


def test_a_file_anywhere(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/one.db", f"{tmp_path}/two.db"):
        with open_store(url) as store:
            assert store.url == f"sqlite:///{tmp_path}/{'one' if 'one' in url else 'two'}.db"
    assert {file.name for file in tmp_path.iterdir()} == {"one.db", "two.db"}


def test_the_default_is_a_file_in_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store().close()
    assert (tmp_path / "riskbox.db").is_file()


@pytest.mark.parametrize(
    "url", ["postgres://me:secret@host/db", "runs.sqlite", "", "://", "redis:secret@host"]
)
def test_an_unknown_scheme(url: str) -> None:
    with pytest.raises(InputError, match=r"Known: sqlite:///runs\.db.*redis://") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite://runs.db", "sqlite:///", "sqlite:///:memory:", "sqlite:////"]
)
def test_an_sqlite_url_without_a_file(url: str) -> None:
    with pytest.raises(InputError, match="three slashes"):
        open_store(url)


def test_a_file_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no store '.*runs\.db'\. Run `riskbox run` first"):
        open_store(f"{tmp_path}/runs.db", create=False)
    assert not list(tmp_path.iterdir())
    (tmp_path / "empty.db").touch()
    with pytest.raises(InputError, match=r"empty\.db is empty\. Run `riskbox run` first"):
        open_store(f"{tmp_path}/empty.db", create=False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://", "redis://localhost:6379/0"),
        ("redis://host", "redis://host:6379/0"),
        ("redis://:secret@host:7000/3", "redis://:***@host:7000/3"),
        ("rediss://me:se%40cret@host/2", "rediss://me:***@host:6379/2"),
        ("redis://secret@host", "redis://***@host:6379/0"),
        ("redis://me:secret@[::1]:7000", "redis://me:***@[::1]:7000/0"),
        ("redis://host/?password=secret&ssl_keyfile=secret", "redis://host:6379/0"),
    ],
)
def test_a_redis_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://host:port/0",
        "redis://host/name",
        "redis://[host",
        "redis://:secret/1@host",
        "redis://:1/secret@host",
        "redis://:1#secret@host",
        "redis://:1?secret@host",
        "redis://host?secret=1",
        "redis://host?socket_timeout=secret",
    ],
)
def test_a_redis_url_that_is_none(url: str) -> None:
    with pytest.raises(InputError) as refused:
        open_store(url)
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_tls_is_told_by_the_scheme(redis_url: str) -> None:
    with pytest.raises(StoreError, match=r"rediss://:\*\*\*@.*rediss:// only where the server speaks TLS"):
        open_store(redis_url.replace("redis://", "rediss://") + "?socket_timeout=0.2")


def test_redis_is_imported_only_where_it_is_used() -> None:
    script = "import sys, riskbox.sandbox.stores; print({'redis', 'sqlite3'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", script]) == b"set()\n"
