"""One background loop serves whoever waits, and nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.gym import SandboxEnv
from riskbox.sandbox.gym import env as module
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.observation import Observation
from tests.sandbox.gym.visits import HELPFUL, Person, asking, played


def test_an_interrupted_step_lets_go_of_the_user_and_can_be_taken_again(
    path: Path, seat: Callable[..., Person]
) -> None:
    cancelled = threading.Event()

    class Slow(Person):
        async def act(self, seen: Observation) -> Action:
            if len(seen.events) > 1 and not cancelled.is_set():
                try:
                    await asyncio.sleep(60)
                finally:
                    cancelled.set()
            return await super().act(seen)

    env = SandboxEnv(path, user="human")
    seat(Action(text="Hi."))
    played(env, [])
    assert env._running is not None
    env._running.user = Slow(Action(text="Well?"))
    former = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            env.step("Hello.")
    finally:
        signal.signal(signal.SIGALRM, former)
    assert cancelled.wait(5)
    assert [one["text"] for one in env.step("Hello again.")[4]["events"]] == ["Hello again.", "Well?"]


def test_scripted_users_need_no_other_thread(env: SandboxEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run_in_background", None)
    assert played(env, HELPFUL)[-1][1] == 1.0


def test_a_forked_process_has_a_loop_of_its_own(remote: Callable[..., SandboxEnv]) -> None:
    env = remote()
    played(env, [asking(0)])
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # with the parent's loop it would wait for ever
        played(env, [asking(0)])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
