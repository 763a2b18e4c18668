"""`riskbox report`, `show` and `list` on a real store, as a user calls them."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.cli import COMMANDS, main
from riskbox.sandbox.cli.list import LISTS
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.stores import open_store, record
from riskbox.sandbox.testing.stores import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest

Cases = dict[str, Case]
Play = Callable[..., Played]
Riskbox = Callable[..., str]

FIRST, LATEST = "20260302-090000-aaaa", "20260303-090000-bbbb"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, by_id: Cases, played: Play) -> str:
    """Two runs: all references of three cases, then an idle agent and one reference again."""
    url = f"sqlite:///{tmp_path_factory.mktemp('results') / 'runs.db'}"
    cases = [by_id[name] for name in ("owner", "neighbour", "owner+injection=mail")]
    references = [played(case, f"reference:{place}") for case in cases for place, _ in case.references]
    idle = [played(case, "idle", seed) for case in cases for seed in (1, 2)]
    with open_store(url) as made:
        for run, name, agents, episodes in (
            (FIRST, "nightly", ("reference",), references),
            (LATEST, "", ("idle", "reference"), [*idle, *references[:2]]),
        ):
            manifest = Manifest(
                run=run,
                name=name,
                created=f"{run[:4]}-{run[4:6]}-{run[6:8]}T09:00:00Z",
                planned=len(episodes),
                cases={case.id: case.hash for case in cases},
                agents=agents,
                seeds=(1, 2),
                evaluators={"checks": "1"},
            )
            made.begin(manifest, cases, [])
            moved = [renamed(one, run) for one in episodes]
            made.write(run, [Packed(EpisodeRow.of(one), record.pack(one)) for one in moved])
            made.finish(run, "done")
    return url


def renamed(played: Played, run: str) -> Played:
    return played.model_copy(update={"episode": played.episode.model_copy(update={"run": run})})


@pytest.fixture
def riskbox(store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Riskbox:
    """Runs a command on the store in this process; what it prints, or why it refused."""
    monkeypatch.setenv("RISKBOX_STORE", store)

    def run(*words: str, code: int = 0, width: int = 100) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(list(words)) == code
        printed = capsys.readouterr()
        assert bool(printed.err) == bool(code)
        return printed.err if code else printed.out

    return run


def ids(riskbox: Riskbox, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(riskbox("list", "episodes", "--run", run, "--json"))
    return found


# --- report -----------------------------------------------------------------------------------------------------


def test_report_shows_the_latest_run(riskbox: Riskbox) -> None:
    text = riskbox("report")
    assert text.startswith(f"Riskbox report on reference agents, not on a model  {LATEST}")
    assert "8 episodes of 3 cases in 1 family, 2 seeds; agent: idle, reference" in text
    assert "! No judge ran" in text
    assert "riskbox list episodes --where label=unknown" in text


def test_report_names_a_run_by_id_beginning_or_name(riskbox: Riskbox) -> None:
    for name in (FIRST, "20260302", "nightly"):
        assert FIRST in riskbox("report", name).splitlines()[0]


def test_report_leads_to_the_worst_episode_of_its_own_run(riskbox: Riskbox, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'twice.db'}"
    case = sample_case()
    with open_store(url) as store:
        for place, text in ((1, "In the first run."), (2, "In the second run.")):
            made = sample_run([case]).model_copy(update={"run": f"2026030{place}-090000-cccc"})
            store.begin(made, [case], [])
            one = sample_played(made.run, case, text=text, assessments=[sample_assessment(-8)])
            store.write(made.run, [packed(one)])
    for name, said in (("20260301", "In the first run."), ("latest", "In the second run.")):
        page = riskbox("report", name, "--store", url, width=300)
        (line,) = (line for line in page.splitlines() if "riskbox show" in line)
        words = shlex.split(line.partition("  the worst")[0])
        assert said in riskbox(*words[words.index("show") :])


def test_report_in_json_is_what_the_tables_show(riskbox: Riskbox) -> None:
    found = json.loads(riskbox("report", FIRST, "--by", "intent,variant", "--json"))
    groups = {one["name"]: one for one in found["groups"]["intent"]}
    assert set(found["groups"]) == {"intent", "variant"}
    assert found["scripted"] is True
    # of the two references of the neighbour one tells, one does not, and its silence is unknown until judged
    done = groups["malicious"]["realised"]["targeted"]["1"]
    assert (done["low"], done["high"], done["total"]) == (0.5, 1, 2)
    assert groups["benign"]["goals"]["user"]["estimate"] == 10


def test_report_of_some_episodes(riskbox: Riskbox) -> None:
    text = riskbox("report", FIRST, "--where", "intent=malicious", "--where", "agent=reference:0")
    assert "only where intent=malicious, agent=reference:0" in text
    assert "1 episode of 1 case" in text
    assert "--where intent=malicious --where agent=reference:0" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "20250101"], "has no run '20250101'"),
        (["report", "2026030"], "means 2 runs"),
        (["report", "--by", "intend"], "Did you mean 'intent'"),
        (["report", "--where", "intent=evil"], "Known: benign, careless, malicious, vulnerable"),
        (["report", "--where", "persona=nobody"], "no episode of"),
        (["report", "--evaluator", "cheks"], "Did you mean 'checks'"),
        (["report", "--store", "sqlite:///nowhere/runs.db"], "Run `riskbox run` first"),
        (["report", "--svg", "/nowhere/page.svg"], "cannot be written"),
        (["report", "--jsn"], "See `riskbox report --help`"),
        (["show", "zzzz"], "has no episode 'zzzz'"),
        (["show", "zzzz", "--run", "nightly"], f"run {FIRST} has no episode 'zzzz'"),
        (["show", "latest", "--run", "20250101"], "has no run"),
        (["show", "--as", "judge"], "invalid choice"),
        (["list", "episods"], "Did you mean 'episodes'"),
        (["list", "episodes", "--where", "lable=risky"], "Did you mean 'label'"),
        (["list", "tools", "mial"], "Did you mean 'mail'"),
        (["list", "tools", "mail.sned"], "Did you mean 'mail.send'"),
        (["list", "scenarios", "nowhere/"], "there is no such file or folder"),
        (["list", "runs", "something"], "takes no further names"),
        (["list", "--limit", "-1"], "0 is for all"),
        (["list", "categories", "--where", "dim=legal"], "Known: aegis"),
    ],
)
def test_a_wrong_call_says_what_to_write(riskbox: Riskbox, words: list[str], message: str) -> None:
    assert message in riskbox(*words, code=2)


def test_a_store_without_runs(riskbox: Riskbox, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(url).close()
    assert "has no runs yet" in riskbox("report", "--store", url, code=2)
    assert "has no runs yet" in riskbox("show", "--store", url, code=2)
    assert riskbox("list", "--store", url) == "None.\n"


def test_a_run_without_episodes(riskbox: Riskbox, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'begun.db'}"
    with open_store(url) as made:
        made.begin(Manifest(run="r", created="", planned=3, cases={}, agents=("idle",), seeds=(1,)), [], [])
    assert "0 of 3 episodes" in riskbox("report", "--store", url)
    assert "no finished episodes yet" in riskbox("show", "--store", url, code=2)


# --- show -------------------------------------------------------------------------------------------------------


def test_show_latest_is_the_riskiest_of_the_latest_run(riskbox: Riskbox) -> None:
    text = riskbox("show")
    worst = ids(riskbox, LATEST)[0]["id"]
    assert f"{worst}, seed 1, run {LATEST}" in text
    assert text == riskbox("show", "latest")
    assert FIRST in riskbox("show", "latest", "--run", "nightly")


def test_show_finds_an_episode_by_the_beginning_of_its_id(riskbox: Riskbox) -> None:
    for one in ids(riskbox, FIRST):
        assert one["id"] in riskbox("show", one["id"][:8])


def test_an_episode_that_two_runs_played_is_shown_from_the_later_one(riskbox: Riskbox) -> None:
    both = {one["id"] for one in ids(riskbox, FIRST)} & {one["id"] for one in ids(riskbox, LATEST)}
    id = min(both)
    assert f"run {LATEST}" in riskbox("show", id)
    assert f"run {FIRST}" in riskbox("show", id, "--run", FIRST)


def test_an_ambiguous_beginning_lists_what_it_begins(riskbox: Riskbox) -> None:
    every = {one["id"] for run in (FIRST, LATEST) for one in ids(riskbox, run)}
    text = riskbox("show", "", code=2)
    assert f"begins {len(every)} episode ids" in text
    assert "Write more of it" in text


def test_show_in_json_is_the_record(riskbox: Riskbox) -> None:
    found = json.loads(riskbox("show", "--json"))
    assert Played.model_validate(found).episode.run == LATEST


def test_show_as_a_party_keeps_what_it_did_not_see(riskbox: Riskbox) -> None:
    agent = json.loads(riskbox("show", "--as", "agent", "--json"))
    assert agent["brief"]["name"] == "Northside front desk"
    assert {event["kind"] for event in agent["events"]} >= {"said", "called", "returned"}
    assert "malicious" not in json.dumps(agent)
    user = json.loads(riskbox("show", "--as", "user", "--json"))
    assert "called" not in {event["kind"] for event in user["events"]}
    assert user["brief"]["goal"]
    assert {"script", "twin"}.isdisjoint(user["brief"])
    assert "malicious" not in riskbox("show", "--as", "agent")


# --- list -------------------------------------------------------------------------------------------------------


def test_list_runs(riskbox: Riskbox) -> None:
    lines = riskbox("list").splitlines()
    assert [line.split()[0] for line in lines[2:]] == [LATEST, FIRST]
    assert "5 of 5" in lines[3]
    assert [
        one["run"] for one in json.loads(riskbox("list", "runs", "--where", "name=nightly", "--json"))
    ] == [FIRST]


def test_list_episodes_worst_first(riskbox: Riskbox) -> None:
    found = ids(riskbox, FIRST)
    done = [min(value or 0 for value in one["summaries"][0]["values"].values()) for one in found]
    assert done == sorted(done)
    assert done[0] == -8
    assert found[0]["id"][:8] in riskbox("list", "episodes", "--run", FIRST).splitlines()[3]


def test_list_episodes_that_fit(riskbox: Riskbox) -> None:
    found = json.loads(riskbox("list", "episodes", "--where", "agent=idle", "--where", "seed=2", "--json"))
    assert [(one["agent"], one["seed"]) for one in found] == [("idle", 2)] * 3
    risky = json.loads(riskbox("list", "episodes", "--where", "label=risky", "--run", FIRST, "--json"))
    assert all(one["summaries"][0]["targeted"] == "risky" for one in risky)
    assert 0 < len(risky) < 5
    assert (
        json.loads(riskbox("list", "episodes", "--where", "label=safe", "--where", "agent=obeys", "--json"))
        == []
    )


def test_list_is_cut_and_says_so(riskbox: Riskbox) -> None:
    text = riskbox("list", "episodes", "--limit", "3")
    assert "8 episodes of run" in text
    assert "and 5 more (--limit 0 for all)" in text
    assert "more" not in riskbox("list", "episodes", "--limit", "0")
    assert len(json.loads(riskbox("list", "episodes", "--limit", "2", "--json"))) == 2


def test_list_scenarios(riskbox: Riskbox, records: Path) -> None:
    text = riskbox("list", "scenarios", str(records))
    for part in (
        "records_for_a_neighbour",
        "healthcare, family records_access",
        "owner (benign)",
        "injection=mail",
    ):
        assert part in text
    [one] = json.loads(riskbox("list", "scenarios", str(records), "--where", "personas=malicious", "--json"))
    assert one["personas"] == {"owner": "benign", "neighbour": "malicious"}
    assert one["cases"] == 6
    assert (
        json.loads(riskbox("list", "scenarios", str(records), "--where", "domain=education", "--json")) == []
    )


@pytest.mark.parametrize("width", [80, 140])
def test_shipped_scenarios_fit_the_terminal(riskbox: Riskbox, width: int) -> None:
    text = riskbox("list", "scenarios", width=width)
    assert "(malicious)" in text
    assert max(map(len, text.splitlines())) <= width


def test_list_tools(riskbox: Riskbox) -> None:
    mail = riskbox("list", "tools", "mail", width=140)
    assert "mail.send" in mail
    assert "bank." not in mail
    destructive = json.loads(
        riskbox("list", "tools", "--where", "action=destructive", "--where", "toolset=mail", "--json")
    )
    assert "mail.send" in {one["tool"] for one in destructive}
    assert all(one["writes"] for one in destructive)
    one = riskbox("list", "tools", "mail.send")
    assert "mail.send  destructive, writes" in one
    assert '"additionalProperties": false' in one
    assert json.loads(riskbox("list", "tools", "mail.send", "--json"))["parameters"]["required"]


def test_list_categories(riskbox: Riskbox) -> None:
    assert len(json.loads(riskbox("list", "categories", "--json"))) == 53
    legal = json.loads(riskbox("list", "categories", "--where", "dimension=legal", "--json"))
    assert {one["dimension"] for one in legal} == {"legal"}
    assert len(json.loads(riskbox("list", "categories", "--where", "owasp=LLM01", "--json"))) == 1
    assert "AILuminate prv; NIST AI 600-1 2.4; Aegis S9" in " ".join(
        riskbox("list", "categories", width=80).split()
    )
    wide = riskbox("list", "categories", width=160)
    assert "NIST AI 600-1" in wide.splitlines()[0] + wide.splitlines()[1]
    assert "2.4" in next(line for line in wide.splitlines() if line.startswith("legal.privacy "))
    nist = json.loads(riskbox("list", "categories", "--where", "nist=2.4", "--json"))
    assert "legal.privacy" in {one["slug"] for one in nist}


def test_list_evaluators(riskbox: Riskbox) -> None:
    assert "checks" in riskbox("list", "evaluators")


# --- terminals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["report", "show", "list"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"examples:\n  riskbox {command}" in capsys.readouterr().out
    assert command in COMMANDS


@pytest.mark.parametrize(
    "words", [["report"], ["show"], *(["list", what] for what in LISTS if what != "scenarios")]
)
@pytest.mark.parametrize("width", [80, 140])
def test_what_is_piped_is_plain_and_fits(riskbox: Riskbox, words: list[str], width: int) -> None:
    text = riskbox(*words, width=width)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("words", [["report"], ["show"]])
def test_a_picture_may_be_had(riskbox: Riskbox, tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "page.svg"
    plain = riskbox(*words)
    assert riskbox(*words, "--svg", str(path)) == plain
    assert path.read_text().startswith("<svg")


@pytest.mark.parametrize("plain", [False, True])
def test_colours_are_for_terminals_that_want_them(store: str, plain: bool) -> None:
    env = {**os.environ, "RISKBOX_STORE": store, "TERM": "xterm-256color", "COLUMNS": "100"}
    env.pop("NO_COLOR", None)
    if plain:
        env["NO_COLOR"] = "1"
    printed = on_a_terminal([sys.executable, "-m", "riskbox.sandbox.cli", "show"], env)
    assert "Rob Hale" in printed
    assert ("\x1b[" in printed) != plain


def on_a_terminal(command: list[str], env: dict[str, str]) -> str:
    """What a command prints to a terminal."""
    mine, its = pty.openpty()
    process = subprocess.Popen(command, stdout=its, stderr=its, stdin=subprocess.DEVNULL, env=env)
    os.close(its)
    found = b""
    while True:
        try:
            some = os.read(mine, 65536)
        except OSError:  # the other end was closed
            break
        if not some:
            break
        found += some
    os.close(mine)
    assert process.wait(60) == 0
    return found.decode()


def test_a_reader_who_has_seen_enough_is_no_failure(store: str) -> None:
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "list", "categories"]
    env = {**os.environ, "RISKBOX_STORE": store}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) == 0


@pytest.mark.parametrize("words", ["--help", "schema", "list", "list --json", "report", "show", "check"])
def test_output_onto_a_full_disk_is_told_in_one_line(store: str, records: Path, words: str) -> None:
    command = [sys.executable, "-m", "riskbox.sandbox.cli", *words.split()]
    command += [str(records)] if words == "check" else []
    env = {**os.environ, "RISKBOX_STORE": store}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=env, timeout=60)
    assert (done.returncode, done.stderr) == (
        3,
        "riskbox: [Errno 28] No space left on device. Free some space, or write elsewhere.\n",
    )


def test_hostile_agents_harm_no_terminal(
    riskbox: Riskbox, tmp_path: Path, by_id: Cases, played: Play
) -> None:
    one = played(by_id["neighbour"], "reference:0")
    bad = "\x1b]0;owned\x07\x1b[2J\u202e[red]x"
    events = tuple(
        event.model_copy(update={"text": bad}) if event.kind == "said" else event
        for event in one.episode.events
    )
    cast = one.episode.cast.model_copy(update={"agent": bad})
    hostile = one.model_copy(
        update={"episode": one.episode.model_copy(update={"events": events, "cast": cast})}
    )
    url = f"sqlite:///{tmp_path / 'hostile.db'}"
    with open_store(url) as made:
        made.begin(
            Manifest(run="test", name=bad, created=bad, planned=1, cases={}, agents=(bad,), seeds=(1,)),
            [by_id["neighbour"]],
            [],
        )
        made.write("test", [Packed(EpisodeRow.of(hostile), record.pack(hostile))])
    assert not {"\x1b", "\x07", "\u202e"} & set(riskbox("list", "tools", f"mail.{bad}", code=2))
    for words in (
        ["report"],
        ["report", "--by", "agent"],
        ["show"],
        ["show", "--full"],
        ["list"],
        ["list", "episodes"],
    ):
        for more in ([], ["--json"]) if "--full" not in words else ([],):
            text = riskbox(*words, *more, "--store", url)
            assert not {"\x1b", "\x07", "\u202e"} & set(text)
            assert "owned" in text


# --- tools that a model plays -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(store: str, by_id: Cases, played: Play) -> str:
    """A third run, in which the same case was played with tools answered in three ways."""
    case, run = by_id["owner"], "20260304-090000-cccc"
    done = played(case, "idle")
    casts = [("", "neutral"), ("a/b", "neutral"), ("a/b", "adversarial")]
    episodes = [
        done.episode.model_copy(
            update={
                "run": run,
                "id": f"{place:016x}",
                "cast": done.episode.cast.model_copy(update={"tools": tools, "emulation": emulation}),
            }
        )
        for place, (tools, emulation) in enumerate(casts)
    ]
    with open_store(store) as made:
        made.begin(
            Manifest(
                run=run,
                created="2026-03-01T09:00:00Z",
                planned=3,
                cases={case.id: case.hash},
                agents=("idle",),
                seeds=(1,),
            ),
            [case],
            [],
        )
        moved = [done.model_copy(update={"episode": one}) for one in episodes]
        made.write(run, [Packed(EpisodeRow.of(one), record.pack(one)) for one in moved])
        made.finish(run, "done")
    return run


def test_report_keeps_apart_what_was_played_in_different_ways(riskbox: Riskbox, mixed: str) -> None:
    text = riskbox("report", mixed)
    assert "tools answered by code alone in 1 episode, by a model, neutrally in 1 episode" in text
    assert text.count("Harm by intent") == 3 and "Tools were not answered in one way" in text
    told = json.loads(riskbox("report", mixed, "--json"))
    assert [(one["chosen"], one["played"]) for one in told["apart"]] == [
        (["emulation=code"], 1),
        (["emulation=neutral"], 1),
        (["emulation=adversarial"], 1),
    ]
    one = riskbox("report", mixed, "--where", "emulation=adversarial")
    assert one.count("Harm by intent") == 1 and "leaned towards the scenarios' risks" in " ".join(one.split())
    assert "Did you mean 'neutral'" in riskbox("report", mixed, "--where", "emulation=neutrl", code=2)


def test_show_says_who_played_the_services(riskbox: Riskbox, mixed: str) -> None:
    assert "played by a/b, adversarial, leaning towards harm" in riskbox("show", f"{2:016x}", "--run", mixed)
    assert "services" not in riskbox("show", f"{0:016x}", "--run", mixed)
