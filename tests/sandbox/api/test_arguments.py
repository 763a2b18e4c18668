"""Arguments of the Python functions: a name or a type that is wrong is told at once, in one sentence."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox import sandbox
from riskbox.sandbox import check, prepare, run, score, shipped
from riskbox.sandbox.errors import InputError
from tests.sandbox.api.my_participants import refusing

door: Any = sandbox
"""What a type checker refuses is tried too."""


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: door.run(agent="reference", sedes=3), r"^run: there is no argument 'sedes'\. Did you mean 'seeds'\?"),
        (lambda: door.run(personna="owner"), "Did you mean 'persona'"),
        (lambda: door.run(bugdet=1), "Did you mean 'budget'"),
        (lambda: door.play(personna="owner"), "^play: there is no argument 'personna'"),
        (lambda: door.check(jugde="x"), "^check: there is no argument 'jugde'. Did you mean 'judge'"),
        (lambda: door.score("latest", evaluater="x"), "^score: there is no argument 'evaluater'"),
        (lambda: door.report("latest", were="x=y"), "Did you mean 'where'"),
        (lambda: door.compare("a", "b", were="x=y"), "Did you mean 'where'"),
        (lambda: asyncio.run(door.run_async(sedes=3)), "Did you mean 'seeds'"),
        (lambda: asyncio.run(door.check_async(jugde="x")), "Did you mean 'judge'"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_argument_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: door.run(seeds="3"), r"^run: seeds must be a whole number, not '3'\.$"),
        (lambda: door.run(seeds=1.5), "seeds must be a whole number, not 1.5"),
        (lambda: door.run(seeds=True), "seeds must be a whole number, not True"),
        (lambda: door.run(persona=3), "persona must be text or a list of text, not 3"),
        (lambda: door.run(5), "^run: paths must be text, a path, a list of text or a path or None, not 5"),
        (lambda: door.run(budget="x"), "budget must be a number or None, not 'x'"),
        (lambda: door.run(rpm={"openai/gpt-5": "x"}), "rpm must be a number, a dictionary from text to a number or"),
        (lambda: door.run(prices={"openai/gpt-5": 3}), r"prices must be .* to \(a number, a number\) or \(a number, a number, a number\), not"),
        (lambda: door.run(place={"agent": 3}), "place must be a dictionary from text to 'inline' or 'actor'"),
        (lambda: door.run(local="yes"), "local must be True, False or None"),
        (lambda: door.run(store=5), "store must be text or None"),
        (lambda: door.run(name=5), "name must be text, not 5"),
        (lambda: door.run(fail_if=5), "fail_if must be text or a list of text"),
        (lambda: door.check(5), "^check: paths must be"),
        (lambda: door.play("x.yaml", seed="x"), "^play: seed must be a whole number"),
        (lambda: door.Run.open(5), "^Run.open: run must be text, not 5"),
        (lambda: door.report(5), "^report: run must be a Run or text, not 5"),
        (lambda: door.score(5), "^score: run must be a Run or text, not 5"),
        (lambda: door.compare("a", 5), "^compare: b must be a Run or text, not 5"),
    ],
)  # fmt: skip
def test_a_value_of_a_wrong_type_is_told_with_what_is_expected(call: Callable[[], object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()


@pytest.mark.parametrize(
    "options",
    [
        {"seeds": 2, "persona": ["owner"], "budget": 1, "turn_seconds": None},
        {"persona": ("owner",), "rpm": {"": 3.5}, "store": "sqlite:///other.db", "working_dir": Path(".")},
        {"agent": refusing, "settings": {"agent": {"temperature": 0}}, "place": {"agent": "inline"}},
    ],
)
def test_values_of_every_allowed_type_pass(options: dict[str, Any]) -> None:
    assert prepare([shipped() / "healthcare" / "records_for_a_neighbour.yaml"], **options).specs


def test_an_error_is_shown_without_that_of_the_event_loop() -> None:
    with pytest.raises(InputError) as raised:
        check("nothing_is_here.yaml")
    assert "RuntimeError" not in "".join(traceback.format_exception(raised.value))


def test_what_was_checked_is_counted() -> None:
    done = check(shipped() / "healthcare" / "records_for_a_neighbour.yaml", types=True)
    assert repr(done) == "<Checked: 1 file, 0 problems>"


def test_messages_of_the_command_fit_python_too(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(records, agent=refusing, persona="owner", local=True, progress=False)
    with pytest.raises(InputError, match=r"^where intnt=x: there is no field 'intnt'"):
        next(done.rows("intnt=x"))
    with pytest.raises(InputError, match=r"name one with --judge MODEL \(judge=\)\.$"):
        score(done)
    with pytest.raises(InputError, match=r"^nope.yaml: there is no such file or folder\.$"):
        run("nope.yaml")
