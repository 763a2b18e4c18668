"""What is done to a run: each harm is done at a moment that a seed chose, and heals before it returns."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import psutil

from tests.chaos.scene import FAKETIME, Scene

Harm = Callable[[Scene, random.Random], None]


def kill_driver(scene: Scene, chance: random.Random) -> None:
    """Kill -9 of the command."""
    assert scene.process is not None
    scene.process.kill()
    scene.process.wait()


def stop_driver(scene: Scene, chance: random.Random) -> None:
    """SIGTERM or ctrl-C, once or twice."""
    assert scene.process is not None
    for _ in range(chance.choice([1, 1, 2])):
        scene.process.send_signal(chance.choice([signal.SIGTERM, signal.SIGINT]))
        time.sleep(chance.uniform(0, 0.3))
    scene.ended()


def freeze_driver(scene: Scene, chance: random.Random) -> None:
    """The command stands still for a while; at times another takes its run meanwhile."""
    frozen = scene.process
    assert frozen is not None
    frozen.send_signal(signal.SIGSTOP)
    try:
        time.sleep(chance.uniform(0.5, 2))
        if chance.random() < 0.5 and _is_stored(scene):
            scene.play("--resume", "latest", "--take-over")
            time.sleep(chance.uniform(1, 4))
    finally:
        with contextlib.suppress(ProcessLookupError):
            frozen.send_signal(signal.SIGCONT)


def take_over(scene: Scene, chance: random.Random) -> None:
    """A second command takes the run from the first, which lives."""
    if not _is_stored(scene):
        return
    first = scene.process
    scene.play("--resume", "latest", "--take-over")
    scene.ended(first)


def lose_store_in_take_over(scene: Scene, chance: random.Random) -> None:
    """The store goes away while a second command takes the run from the first."""
    if not _is_stored(scene):
        return
    first = scene.process
    scene.play("--resume", "latest", "--take-over")
    time.sleep(chance.uniform(0, 3))
    if scene.server is None:
        remove_store(scene, chance)
    else:
        kill_redis(scene, chance)
    scene.ended(first)


def resume_twice(scene: Scene, chance: random.Random) -> None:
    """Two commands go on with the run at the same moment, after the first was killed."""
    kill_driver(scene, chance)
    if not _is_stored(scene):
        return
    scene.play("--resume", "latest")
    scene.play("--resume", "latest")
    scene.ended(scene.before[-1])


def kill_redis(scene: Scene, chance: random.Random) -> None:
    """Kill -9 of the server, which comes back, at times only after the command has given it up."""
    server = scene.server
    assert server is not None
    server.process.kill()
    server.process.wait()
    time.sleep(chance.choice([0.2, 1.5, 7]))
    server.start()


def set_redis_back(scene: Scene, chance: random.Random) -> None:
    """The server comes back as it was a moment before."""
    server = scene.server
    assert server is not None
    kept = server.folder.with_name("kept")
    for is_back in (False, True):
        server.process.kill()
        server.process.wait()
        shutil.rmtree(server.folder if is_back else kept, ignore_errors=True)
        shutil.copytree(*((kept, server.folder) if is_back else (server.folder, kept)))
        server.start()
        time.sleep(chance.uniform(0.3, 1.5))


def empty_redis(scene: Scene, chance: random.Random) -> None:
    """Everything in the server is deleted."""
    import redis

    assert scene.server is not None
    with redis.Redis.from_url(scene.server.url) as client:
        client.flushall()


def fill_disk(scene: Scene, chance: random.Random) -> None:
    """The disk of the store is full for a while."""
    filler = scene.disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    time.sleep(chance.choice([0.3, 2, 7]))
    filler.unlink()


def remove_store(scene: Scene, chance: random.Random) -> None:
    """The store's file is removed, with or without what lies beside it."""
    for one in scene.disk.glob(chance.choice(["runs.db", "runs.db*"])):
        one.unlink(missing_ok=True)


def turn_clock(scene: Scene, chance: random.Random) -> None:
    """The clock jumps, at times back again."""
    scene.tell_time(chance.choice(["-400d", "-2h", "+2h", "+400d"]))
    time.sleep(chance.uniform(0, 4))
    scene.tell_time(chance.choice(["+0", "-30s", "+30s"]))


def kill_worker(scene: Scene, chance: random.Random) -> None:
    """Kill -9 of an episode actor."""
    _kill_one(scene, chance, "ray::_EpisodeActor")


def kill_agent(scene: Scene, chance: random.Random) -> None:
    """Kill -9 of the agent's process."""
    _kill_one(scene, chance, "ray::_ParticipantActor")


def kill_head(scene: Scene, chance: random.Random) -> None:
    """Kill -9 of a part of Ray itself, which may end the command in its own way."""
    scene.headless = True
    _kill_one(scene, chance, chance.choice(["gcs_server", "raylet/raylet"]))


def kill_node(scene: Scene, chance: random.Random) -> None:
    """Kill -9 of all processes of the second node; another node takes its place."""
    assert scene.nodes is not None
    scene.nodes.kill(scene.nodes.nodes[-1])
    scene.nodes.start()


def kill_young_worker(scene: Scene, chance: random.Random) -> None:
    """Kill -9 of a worker in its first second."""
    end = time.monotonic() + 30
    while scene.lives and time.monotonic() < end:
        now = time.time()
        for one in scene.titled("ray::_EpisodeActor"):
            with contextlib.suppress(psutil.Error):
                if now - one.create_time() < 3:
                    time.sleep(chance.uniform(0, 0.5))
                    one.kill()
                    return
        if scene.titled("ray::_EpisodeActor"):
            return kill_worker(scene, chance)
        time.sleep(0.05)


def harms(store: str, engine: str, *, mounted: bool) -> list[Harm]:
    """What can be done to a run of this kind."""
    found: list[Harm] = [kill_driver, kill_driver, stop_driver, freeze_driver, take_over, resume_twice]
    found.append(lose_store_in_take_over)
    if store == "redis":
        found += [kill_redis, kill_redis, set_redis_back, set_redis_back, empty_redis]
    else:
        found += [remove_store] + [fill_disk] * 2 * mounted
    if engine == "local":
        return found + [turn_clock] * 2 * FAKETIME.exists()
    found += [kill_worker, kill_young_worker, kill_agent, kill_agent]
    return [*found, kill_node, kill_node] if engine == "nodes" else [*found, kill_head]


def _kill_one(scene: Scene, chance: random.Random, title: str) -> None:
    if living := scene.titled(title):
        with contextlib.suppress(psutil.Error):
            os.kill(chance.choice(living).pid, signal.SIGKILL)


def _is_stored(scene: Scene) -> bool:
    done: subprocess.CompletedProcess[str] = scene.ask("list", "runs", "--json")
    return done.returncode == 0 and done.stdout.strip() not in ("", "[]")
