"""Chats of any length reach an asynchronous vector."""

from __future__ import annotations

import os
from pathlib import Path

import gymnasium
import pytest

from riskbox.sandbox.gym import ID, SandboxEnv, shared_memory


def test_an_asynchronous_vector_takes_chats_of_any_length_and_leaves_nothing_behind(path: Path) -> None:
    envs = gymnasium.make_vec(
        ID, num_envs=2, vectorization_mode="async", scenario=str(path), vector_kwargs={"copy": False}
    )
    seen, _ = envs.reset(seed=1)
    folder = seen.files.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    shared_memory._remove(
        folder, os.getpid() + 1
    )  # as a worker would, in which the object came to be by a fork
    long = "x" * 3_000_000
    envs.step((long, "short"))
    assert [chat[2]["content"] for chat in seen] == [long, "short"]
    assert seen[-1][2]["content"] == seen[1:][0][2]["content"] == "short"
    envs.close()
    del seen, envs
    assert not folder.exists()


@pytest.mark.long
def test_an_asynchronous_vector_may_be_spawned(path: Path) -> None:
    envs = gymnasium.make_vec(
        ID, num_envs=1, vectorization_mode="async", scenario=str(path), vector_kwargs={"context": "spawn"}
    )
    assert envs.reset(seed=1)[0] == (SandboxEnv(path).reset(seed=1)[0],)
    envs.close()
