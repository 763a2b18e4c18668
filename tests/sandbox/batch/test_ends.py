"""Whatever the code in a seat does to end more than its episode: every task's end is accounted for, and deeds are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt
from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import is_interrupt
from riskbox.sandbox.loading.loader import loads
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Said
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Spec

ENDING = Path(__file__).parents[1] / "agents_that_end.py"
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
TEXT = RECORDS.read_text().replace("say: Hi, I'm a friend", "say: POISON Hi, I'm a friend", 1)
(OWNER,) = (one for one in cases([loads(TEXT, RECORDS)]) if one.id.endswith("/owner"))
(NEIGHBOUR,) = (one for one in cases([loads(TEXT, RECORDS)]) if one.id.endswith("/neighbour"))

WAYS = ("panic", "exit", "interrupt", "generator", "cancel", "cancel from a thread")
"""Ways to end more than an episode that leave the process standing."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/runs.db") as opened:
        yield opened


def play(store: Store, cast: Cast, settings: RunSettings, others: int = 5) -> Mapping[str, Played]:
    """The poisoned episode, and others that are played at the same time."""
    specs = [Spec.of(OWNER.hash, cast, seed) for seed in range(others)]
    specs.insert(len(specs) // 2, Spec.of(NEIGHBOUR.hash, cast, 1))
    made = [OWNER, NEIGHBOUR]
    manifest = launch.new_manifest(made, specs, settings)
    launch.create(store, manifest, made, specs)

    async def execute() -> None:
        async with asyncio.timeout(120):
            await launch.execute(store, manifest.run, made, specs, settings)

    asyncio.run(execute())
    played = {row.id: store.episode(manifest.run, row.id) for row in store.rows(manifest.run)}
    assert len(played) == len(specs), "every episode has a result"
    return played


def with_bells() -> Case:
    """The owner's case with bells that the agent may ring."""
    toolbox = Toolbox((f"{ENDING}:Bells",))
    text = TEXT.replace("  tools: [clinic.find_patient,", "  tools: [bells, clinic.find_patient,")
    text = text.replace("  clinic:\n    patients", "  bells: {}\n  clinic:\n    patients")
    made = cases([loads(text, RECORDS, toolbox)], toolbox=toolbox)
    return next(one for one in made if one.id.endswith("/owner"))


def poisoned(played: Mapping[str, Played]) -> Played:
    (found,) = (one for one in played.values() if one.episode.case.persona == "neighbour")
    return found


def local(**more: object) -> RunSettings:
    return RunSettings(local=True, timeouts=Timeouts(turn=20.0, episode=60.0), **more)  # type: ignore[arg-type]


# --- in one process ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("agent", ["Acting", "Quick"])
def test_an_agent_that_ends_in_its_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch, way: str, agent: str
) -> None:
    monkeypatch.setenv("RISKBOX_TEST_END", way)
    played = play(store, Cast(agent=f"{ENDING}:{agent}"), local())
    ended = poisoned(played).episode.ended
    others = {one.episode.ended.reason for one in played.values() if one is not poisoned(played)}
    assert others == {"user_left"}
    if agent == "Quick" and way.startswith("cancel"):
        assert ended.reason == "user_left", "it answered, and nothing came of the cancellation"
    else:
        assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED), ended
    said = [event.text for event in poisoned(played).episode.events if isinstance(event, Said)]
    assert said[0].startswith("POISON"), "what was played before is kept"


@pytest.mark.parametrize("way", WAYS)
def test_an_agent_that_ends_while_it_gets_ready(
    store: Store, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("RISKBOX_TEST_END", way)
    for one in play(store, Cast(agent=f"{ENDING}:Readying"), local()).values():
        assert one.episode.ending == "fault" and one.episode.ended.detail.startswith("agent: ")


@pytest.mark.parametrize("way", WAYS)
def test_an_agent_that_ends_while_it_closes(store: Store, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setenv("RISKBOX_TEST_END", way)
    for one in play(store, Cast(agent=f"{ENDING}:Closing"), local()).values():
        assert one.episode.ended.reason == "user_left"
        assert not one.assessments[0].fault and one.assessments[0].verdicts


@pytest.mark.parametrize("way", WAYS)
def test_a_user_that_ends(store: Store, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setenv("RISKBOX_TEST_END", way)
    for one in play(store, Cast(agent=f"{ENDING}:Seated", user=f"{ENDING}:Guest"), local()).values():
        assert (one.episode.ending, one.episode.ended.reason) == ("fault", "participant")
        assert one.episode.ended.detail.startswith("user: ")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["Assessor", "Computing"])
def test_an_evaluator_that_ends(store: Store, monkeypatch: pytest.MonkeyPatch, way: str, name: str) -> None:
    monkeypatch.setenv("RISKBOX_TEST_END", way)
    settings = local(evaluators=("checks", f"{ENDING}:{name}"))
    for one in play(store, Cast(agent=f"{ENDING}:Seated"), settings).values():
        assert one.episode.ended.reason == "user_left" and not one.assessments[0].fault
        harmless = name == "Computing" and way.startswith("cancel")
        assert bool(one.assessments[1].fault) != harmless, one.assessments[1].fault


@pytest.mark.parametrize("way", [*WAYS[:-1], "raise"])
def test_a_tool_that_ends(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str) -> None:
    """What was said before the call, and the calls before it, are kept."""
    monkeypatch.setenv("RISKBOX_TEST_END", way)
    case = with_bells()
    agent = tmp_path / "ringing.py"
    agent.write_text(
        "def agent(messages, tools):\n"
        "    if messages[-1]['role'] != 'user':\n"
        "        return 'Done.'\n"
        "    calls = [{'function': {'name': f'bells__{name}', 'arguments': {}}} for name in ('chime', 'toll')]\n"
        "    return {'content': 'Ringing.', 'tool_calls': calls}\n"
    )
    spec = Spec.of(case.hash, Cast(agent=f"{agent}:agent"), 1)

    async def one() -> Played:
        from riskbox.sandbox.stores.record import unpack

        player = Player("r", {case.hash: case}, local(toolsets=(f"{ENDING}:Bells",)))
        await player.add([Attempt(spec)])
        (found,) = await player.take(1, wait=60)
        await player.stop()
        assert isinstance(found, Packed)
        return unpack(Played, found.blob)

    episode = asyncio.run(one()).episode
    called = [event.tool for event in episode.events if isinstance(event, Called)]
    said = [event.text for event in episode.events if isinstance(event, Said) and event.by == "agent"]
    assert said[0] == "Ringing." and called[0] == "bells.chime"
    if way == "cancel":
        assert episode.ending == "terminated"
    else:
        assert (episode.ending, episode.ended.reason) == ("fault", "tool"), episode.ended


def test_a_real_ctrl_c_is_told_from_one_that_code_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    import signal
    import threading

    def caught(do: object) -> BaseException:
        try:
            do()  # type: ignore[operator]
        except KeyboardInterrupt as error:
            return error
        raise AssertionError

    def raises() -> None:
        raise KeyboardInterrupt

    assert is_interrupt(caught(lambda: signal.raise_signal(signal.SIGINT)))
    assert is_interrupt(caught(raises)), "Python's own handler leaves no trace, so it is believed"
    assert not is_interrupt(SystemExit())

    async def within() -> bool:
        return is_interrupt(caught(raises))

    assert asyncio.run(within()) is False
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(is_interrupt(caught(raises))))
    thread.start()
    thread.join()
    assert found == [False]


def test_a_task_that_is_cancelled_before_it_begins_is_played_all_the_same() -> None:
    specs = [Spec.of(OWNER.hash, Cast(agent="idle"), seed) for seed in range(3)]

    async def go() -> int:
        player = Player("r", {OWNER.hash: OWNER}, RunSettings(concurrency=3))
        await player.add([Attempt(spec) for spec in specs])
        for task in list(player._running.values()):
            task.cancel()
        found: list[str] = []
        async with asyncio.timeout(60):
            while len(found) < 3:
                taken = await player.take(3)
                found += [one.row.id for one in taken if isinstance(one, Packed)]
        await player.stop()
        return len(set(found))

    assert asyncio.run(go()) == 3


# --- harm, then the end -----------------------------------------------------------------------------------------

PLACES: dict[str, RunSettings] = {
    "local": local(),
    "actor": RunSettings(workers=1),
    "inline": RunSettings(workers=1, places={"agent": "inline"}),
}


@pytest.mark.parametrize(
    ("place", "way"),
    [
        *(("local", way) for way in WAYS),
        *(pytest.param("actor", way, marks=pytest.mark.long) for way in (*WAYS, "die")),
        *(pytest.param("inline", way, marks=pytest.mark.long) for way in ("panic", "cancel", "die")),
    ],
)
def test_harm_before_the_end_is_recorded_and_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ray_cluster: None, place: str, way: str
) -> None:
    # the processes of Ray have started and see nothing of this environment
    agent = tmp_path / "harmful.py"
    agent.write_text(ENDING.read_text().replace('os.environ["RISKBOX_TEST_END"]', repr(way)))
    played = poisoned(play(store, Cast(agent=f"{agent}:harmful"), PLACES[place], others=0))
    sent = [event.tool for event in played.episode.events if isinstance(event, Called)]
    assert "mail.send" in sent, played.episode.ended
    row = EpisodeRow.of(played)
    assert row.left_out is None and (row.ending, row.reason) == ("fault", AGENT_CRASHED), row
    assert any(isinstance(event, Said) and "Crohn" in event.text for event in played.episode.events)
