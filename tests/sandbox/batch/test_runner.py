"""The batch: back-pressure, limits, deaths, quarantine, resuming; on real Ray with real processes."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.plan import cases, specs
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt
from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.episode.playing import PreparedCases
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.loading.loader import load, loads
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.run import Spec
from tests.command import environment

Command = Callable[..., subprocess.CompletedProcess[str]]
AGENTS = Path(__file__).parents[1] / "agents_under_test.py"
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/runs.db") as opened:
        yield opened


def poisoned(count: int) -> tuple[list, list]:  # type: ignore[type-arg]
    """Many episodes of a harmless persona and one of a persona who says the poison."""
    text = RECORDS.read_text().replace("say: Hi, I'm a friend", "say: POISON Hi, I'm a friend", 1)
    made = cases([loads(text, RECORDS)])
    owner = next(one for one in made if one.id.endswith("/owner"))
    neighbour = next(one for one in made if one.id.endswith("/neighbour"))
    return [owner, neighbour], [(owner, seed) for seed in range(count - 1)] + [(neighbour, 1)]


def play(store: Store, agent: str, count: int, settings: RunSettings) -> tuple[str, RunProgress]:
    made, pairs = poisoned(count)
    cast = Cast(agent=f"{AGENTS}:{agent}")
    # the poison lies in the middle, so that others are in flight when it works
    listed = [Spec.of(case.hash, cast, seed) for case, seed in pairs]
    listed.insert(len(listed) // 2, listed.pop())
    manifest = launch.new_manifest(made, listed, settings)
    launch.create(store, manifest, made, listed)
    _, progress = asyncio.run(launch.execute(store, manifest.run, made, listed, settings))
    return manifest.run, progress


def endings(store: Store, run: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in store.rows(run):
        key = f"{row.ending}:{row.reason}"
        counts[key] = counts.get(key, 0) + 1
    return counts


# --- in one process ---------------------------------------------------------------------------------------------


def test_results_wait_for_acknowledgement_and_hold_up_new_episodes() -> None:
    case = cases([load(RECORDS)])[0]

    async def go() -> None:
        player = Player("r", {case.hash: case}, RunSettings(concurrency=10))
        await player.add(
            [Attempt(Spec.of(case.hash, Cast(agent="reference:2"), seed)) for seed in range(500)]
        )
        while player._running:
            await asyncio.sleep(0.05)
        assert len(player._finished) == player._most_unacknowledged == 64
        taken = await player.take(500)
        assert len(taken) == 64
        assert await player.take(500) == taken, "nothing new starts before something is acknowledged"
        ids = [one.row.id for one in taken if isinstance(one, Packed)]
        seen = set(ids)
        while len(seen) < 500:
            taken = await player.take(500, ids)
            ids = [one.row.id for one in taken if isinstance(one, Packed)]
            assert not seen & set(ids), "nothing is handed out twice"
            seen |= set(ids)
        await player.stop()

    asyncio.run(go())


def test_local_and_ray_give_the_same_episodes(store: Store, ray_cluster: None) -> None:
    made = cases([load(RECORDS)])
    listed = specs(made, ["reference"], [1, 2])
    bytes_of = []
    for settings in (RunSettings(local=True), RunSettings(workers=1)):
        manifest = launch.new_manifest(made, listed, settings)
        launch.create(store, manifest, made, listed)
        state, progress = asyncio.run(launch.execute(store, manifest.run, made, listed, settings))
        assert (state, progress.done) == ("done", len(listed))
        rows = {row.id: store.episode(manifest.run, row.id) for row in store.rows(manifest.run)}
        bytes_of.append({id: [e.model_dump_json() for e in one.episode.events] for id, one in rows.items()})
    assert bytes_of[0] == bytes_of[1]


# --- agents that misbehave --------------------------------------------------------------------------------------


@pytest.mark.long
def test_one_poison_among_200_leaves_199_results_and_one_fault(store: Store, ray_cluster: None) -> None:
    run, progress = play(store, "lethal", 200, RunSettings(workers=1, concurrency=50))
    assert endings(store, run) == {"terminated:user_left": 199, "fault:agent_crashed": 1}
    assert (progress.faults, progress.crashes) == (0, 1), (
        "its own process died, three times while it was alone"
    )
    (bad,) = [row for row in store.rows(run) if row.ending == "fault"]
    assert "died 3 times while it was playing alone" in store.episode(run, bad.id).episode.ended.detail


@pytest.mark.long
def test_poison_inside_the_episode_actor_itself(store: Store, ray_cluster: None) -> None:
    settings = RunSettings(workers=1, concurrency=50, places={"agent": "inline"})
    run, _ = play(store, "lethal", 60, settings)
    assert endings(store, run) == {"terminated:user_left": 59, "fault:agent_crashed": 1}


@pytest.mark.long
def test_a_death_that_does_not_repeat_costs_nothing(store: Store, tmp_path: Path, ray_cluster: None) -> None:
    mark = tmp_path / "died"
    agent = tmp_path / "once.py"
    agent.write_text(AGENTS.read_text().replace('os.environ["RISKBOX_TEST_MARK"]', repr(str(mark))))
    made, pairs = poisoned(40)
    listed = [Spec.of(case.hash, Cast(agent=f"{agent}:lethal_once"), seed) for case, seed in pairs]
    manifest = launch.new_manifest(made, listed, RunSettings())
    launch.create(store, manifest, made, listed)
    _, progress = asyncio.run(launch.execute(store, manifest.run, made, listed, RunSettings(workers=1)))
    assert mark.exists() and endings(store, manifest.run) == {"terminated:user_left": 40}
    assert any(row.attempt > 1 for row in store.rows(manifest.run))
    assert progress.faults == 0


@pytest.mark.long
def test_a_hanging_agent_is_cut_off_and_harms_nobody_else(store: Store, ray_cluster: None) -> None:
    settings = RunSettings(workers=1, concurrency=20, timeouts=Timeouts(turn=2.0, episode=60.0))
    run, _ = play(store, "hanging", 30, settings)
    assert endings(store, run) == {"terminated:user_left": 29, "truncated:turn_seconds": 1}


def test_an_agent_is_made_ready_where_it_plays(store: Store, ray_cluster: None) -> None:
    run, progress = play(store, "Prepared", 2, RunSettings())
    assert (progress.done, progress.faults) == (2, 0), endings(store, run)


def test_what_an_agent_raises_is_the_episodes_fault(store: Store, ray_cluster: None) -> None:
    run, _ = play(store, "raising", 10, RunSettings(workers=1))
    assert endings(store, run) == {"terminated:user_left": 9, "fault:agent_crashed": 1}
    (bad,) = [row for row in store.rows(run) if row.ending == "fault"]
    assert "RuntimeError: boom" in store.episode(run, bad.id).episode.ended.detail


@pytest.mark.parametrize(
    "local", [pytest.param(True, id="local"), pytest.param(False, id="ray", marks=pytest.mark.long)]
)
@pytest.mark.parametrize(
    ("agent", "said"),
    [("leaving", "exit(3)"), ("leaving_async", "exit(3)"), ("cancelling", "CancelledError")],
)
def test_an_agent_that_tries_to_end_more_than_its_episode(
    store: Store, ray_cluster: None, agent: str, said: str, local: bool
) -> None:
    settings = RunSettings(local=local, workers=1, timeouts=Timeouts(turn=20.0, episode=60.0))
    run, _ = play(store, agent, 10, settings)
    assert endings(store, run) == {"terminated:user_left": 9, "fault:agent_crashed": 1}
    (bad,) = [row for row in store.rows(run) if row.ending == "fault"]
    assert said in store.episode(run, bad.id).episode.ended.detail


def test_an_agent_that_cannot_be_made_is_told_before_anything_is_played(store: Store) -> None:
    with pytest.raises(PluginError, match=r"Unborn cannot be made: SystemExit: 4"):
        play(store, "Unborn", 3, RunSettings(local=True))


def test_the_limit_of_an_episode() -> None:
    from riskbox.sandbox.episode.playing import make_participants
    from riskbox.sandbox.episode.playing import play_episode as play_one

    case = cases([load(RECORDS)])[0]
    spec = Spec.of(case.hash, Cast(agent=f"{AGENTS}:slow"), 1)
    prepared = PreparedCases({case.hash: case}).of(case.hash)
    played = asyncio.run(
        play_one("r", spec, prepared, make_participants(spec, case), [], Timeouts(turn=10, episode=0.08))
    )
    assert (played.episode.ending, played.episode.ended.reason) == ("truncated", "episode_seconds")


# --- real processes, real signals -------------------------------------------------------------------------------


def start_run(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "run", str(RECORDS), *words]
    env = {**environment(), "NO_COLOR": "1"}
    return subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_rows(folder: Path, count: int, seconds: float = 90) -> tuple[str, int]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (folder / "riskbox.db").exists():
            with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
                runs = store.runs()
                if runs and (stored := len(store.done(runs[0].run))) >= count:
                    return runs[0].run, stored
        time.sleep(0.1)
    raise AssertionError("the run stored nothing in time")


def assert_each_once(folder: Path, run: str) -> None:
    with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
        planned = [spec.id for spec in store.specs(run)]
        stored = [row.id for row in store.rows(run)]
        assert sorted(stored) == sorted(planned) and len(set(stored)) == len(stored)
        assert store.run(run).state == "done"


def test_ctrl_c_ends_cleanly_and_resume_goes_on(tmp_path: Path, command: Command) -> None:
    process = start_run(
        tmp_path, "--agent", f"{AGENTS}:slow", "--seeds", "40", "--local", "--concurrency", "8"
    )
    run, _ = wait_for_rows(tmp_path, 5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert f"riskbox run --resume {run}" in out
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert store.run(run).state == "stopped"
        assert 5 <= len(store.done(run)) < 240
    done = command("run", "--resume", run, "--local")
    assert done.returncode == 0, done.stderr
    assert_each_once(tmp_path, run)
    again = command("run", "--resume", run, "--local")
    assert again.returncode == 0 and "is complete: all" in again.stdout


@pytest.mark.long
def test_ctrl_c_while_ray_starts_is_a_stop_like_any_other(tmp_path: Path, command: Command) -> None:
    process = start_run(tmp_path, "--agent", f"{AGENTS}:polite")
    run, _ = wait_for_rows(tmp_path, 0)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert f"riskbox run --resume {run}" in out
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert store.run(run).state == "stopped" and not store.done(run)
    assert command("run", "--resume", run, "--local").returncode == 0
    assert_each_once(tmp_path, run)


@pytest.fixture
def silent_cluster() -> Iterator[str]:
    """The address of something that takes connections and never answers, so that joining it takes very long."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("seconds", [0.2, pytest.param(3.0, marks=pytest.mark.long)])
def test_ctrl_c_does_not_wait_for_ray(tmp_path: Path, silent_cluster: str, seconds: float) -> None:
    process = start_run(tmp_path, "--agent", "idle", "--address", silent_cluster)
    run, _ = wait_for_rows(tmp_path, 0)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=12)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert f"riskbox run --resume {run}" in out
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert store.run(run).state == "stopped"


@pytest.mark.long
def test_cancelling_does_not_wait_for_ray_and_the_event_loop_goes_on(
    tmp_path: Path, silent_cluster: str
) -> None:
    script = """
import asyncio, sys, time
from riskbox.sandbox.api.run import prepare

async def main():
    plan = prepare(sys.argv[1], agent="idle", address=sys.argv[2], store="sqlite:///c.db", progress=False)
    playing = asyncio.ensure_future(plan.execute())
    ticks = 0
    until = time.monotonic() + 4
    while time.monotonic() < until and not playing.done():
        await asyncio.sleep(0.02)
        ticks += 1
    playing.cancel()
    asked = time.monotonic()
    try:
        await playing
    except asyncio.CancelledError:
        print("cancelled", ticks, time.monotonic() - asked, flush=True)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(RECORDS), silent_cluster],
        cwd=tmp_path, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, ticks, took = done.stdout.split()
    assert said == "cancelled" and int(ticks) >= 20 and float(took) < 3


@pytest.mark.long
def test_a_start_of_ray_that_was_cancelled_does_not_harm_the_next(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from riskbox.sandbox import run_async

async def main():
    words = {"agent": "idle", "store": "sqlite:///c.db", "progress": False, "local": False, "workers": 1}
    first = asyncio.ensure_future(run_async(sys.argv[1], **words))
    await asyncio.sleep(1.5)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    print((await run_async(sys.argv[1], **words)).state)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(RECORDS)], cwd=tmp_path, capture_output=True, text=True, timeout=90
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_resuming_a_run_that_died_after_its_last_episode_closes_it(tmp_path: Path, command: Command) -> None:
    assert command("run", RECORDS, "--local", "--quiet").returncode == 0
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        run = store.run().run
        store.finish(run, "running")  # what a kill -9 between the last write and the end leaves
    done = command("run", "--resume", "latest")
    assert done.returncode == 0 and "is complete: all" in done.stdout
    assert_each_once(tmp_path, run)


@pytest.mark.long
def test_the_death_of_an_agent_is_told_as_a_fault_and_not_as_a_page_of_rays(
    tmp_path: Path, riskbox: Command
) -> None:
    (tmp_path / "poison.yaml").write_text(
        RECORDS.read_text().replace("say: Hi, I'm a friend", "say: POISON Hi, I'm a friend", 1)
    )
    agent = f"{AGENTS}:lethal"
    done = riskbox("run", "poison.yaml", "--agent", agent, "--persona", "neighbour", "--variant", "none")
    assert done.returncode == 3, done.stderr
    assert "Every episode broke before it ended" in done.stdout
    assert "raylet" not in done.stdout + done.stderr


@pytest.mark.long
def test_kill_9_of_the_driver_then_resume_plays_every_episode_exactly_once(
    tmp_path: Path, riskbox: Command
) -> None:
    process = start_run(
        tmp_path, "--agent", f"{AGENTS}:slow", "--seeds", "60", "--workers", "2", "--concurrency", "8"
    )
    run, stored = wait_for_rows(tmp_path, 20)
    process.kill()
    process.communicate(timeout=30)
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert stored <= len(store.done(run)) < 360
    done = riskbox("run", "--resume", run, timeout=300)
    assert done.returncode == 0, done.stderr
    assert_each_once(tmp_path, run)


@pytest.mark.long
def test_kill_9_of_a_worker_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    process = start_run(
        tmp_path, "--agent", f"{AGENTS}:slow", "--seeds", "60", "--workers", "2", "--concurrency", "8"
    )
    run, _ = wait_for_rows(tmp_path, 20)
    killed = kill_one_worker(process.pid)
    assert killed, "no episode actor was found"
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert_each_once(tmp_path, run)


def kill_one_worker(driver: int) -> bool:
    """Kill -9 of one episode actor that the driver's Ray started."""
    import psutil

    for process in psutil.process_iter(["cmdline", "name"]):
        title = " ".join(process.info["cmdline"] or [process.info["name"] or ""])
        if "ray::_EpisodeActor" in title and driver in [one.pid for one in process.parents()]:
            process.kill()
            return True
    return False


def test_json_says_how_the_run_went(command: Command) -> None:
    done = command("run", RECORDS, "--local", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["done"] == told["planned"] == 10 and told["faults"] == 0
    assert told["risky"] + told["unknown"] + told["safe"] == 10


def test_only_the_users_own_code_plays_in_a_process_of_its_own() -> None:
    usual = RunSettings()
    assert [usual.placement("user", "scripted"), usual.placement("agent", "reference:3")] == ["inline"] * 2
    assert usual.placement("agent", "mine.py:Bot") == "actor"
    assert RunSettings(places={"agent": "inline"}).placement("agent", "mine.py:Bot") == "inline"
    assert RunSettings(places={"user": "actor"}).placement("user", "scripted") == "actor"


def test_a_player_that_cannot_make_an_episode_ready_says_so_instead_of_waiting() -> None:
    from riskbox.sandbox.errors import UnknownName

    case = cases([load(RECORDS)])[0]
    gone = case.model_copy(update={"toolsets": {**case.toolsets, "gone": case.toolsets["mail"]}})

    async def go() -> None:
        player = Player("r", {case.hash: gone}, RunSettings(concurrency=10))
        await player.add([Attempt(Spec.of(case.hash, Cast(agent="idle"), 1))])
        with pytest.raises(UnknownName, match="unknown toolset 'gone'"):
            await asyncio.wait_for(player.take(5, wait=5.0), 20)

    asyncio.run(go())


def test_a_task_of_an_agents_own_that_ignores_everything_keeps_nobody_waiting(
    riskbox: Command, tmp_path: Path
) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import asyncio\n\n\n"
        "async def agent(messages, tools):\n"
        "    await asyncio.create_task(inner())\n\n\n"
        "async def inner():\n"
        "    while True:\n"
        "        try:\n"
        "            await asyncio.sleep(3600)\n"
        "        except asyncio.CancelledError:\n"
        "            pass\n"
    )
    done = riskbox(
        "run", RECORDS, "--persona", "owner", "--variant", "none", "--agent", "stubborn.py:agent", "--local",
        "--turn-seconds", "1", timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "is left behind" in done.stderr and "Traceback" not in done.stderr
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as opened:
        (row,) = opened.rows(opened.run().run)
    assert (row.ending, row.reason) == ("truncated", "turn_seconds")
