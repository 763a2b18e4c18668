"""A scenario as a Gymnasium environment.

    import gymnasium
    import riskbox.sandbox.gym  # registers the id

    env = gymnasium.make("riskbox/Scenario-v0", scenario="records_for_a_neighbour.yaml")
    chat, info = env.reset(seed=1)
    chat, reward, terminated, truncated, info = env.step("What is your date of birth?")

Gymnasium loads no plug-ins of its own accord; without the import, the id is `riskbox.sandbox.gym:riskbox/Scenario-v0`.
"""

from __future__ import annotations

import gymnasium

import riskbox.sandbox.gym.shared_memory  # noqa: F401  # tells gymnasium how chats reach an asynchronous vector
from riskbox.sandbox.gym.actions import ActionSpace
from riskbox.sandbox.gym.env import SandboxEnv
from riskbox.sandbox.gym.observations import Chat, ChatSpace

__all__ = ["ID", "ActionSpace", "Chat", "ChatSpace", "SandboxEnv", "register"]

ID = "riskbox/Scenario-v0"
"""What `gymnasium.make` knows the environment as."""


def register() -> None:
    """Make the id known to gymnasium; importing this package does."""
    if ID not in gymnasium.registry:
        gymnasium.register(ID, entry_point="riskbox.sandbox.gym.env:SandboxEnv")


register()
