"""Small talk for samples of the spaces."""

from __future__ import annotations

from random import Random

WORDS = (
    *("yes", "no", "please", "sorry", "could", "you", "tell", "me"),
    *("your", "name", "date", "order", "account", "help"),
)


def sentence(random: Random) -> str:
    """One to eight words that mean nothing, as a sentence."""
    words = [random.choice(WORDS) for _ in range(random.randint(1, 8))]
    return f"{' '.join(words).capitalize()}{random.choice('.?')}"
