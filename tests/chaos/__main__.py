"""`python -m tests.chaos --seeds 50`: disturb as many runs, and say which seed broke a promise."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.chaos.judging import judging
from tests.chaos.trial import tried, undisturbed


def main() -> int:
    """Play the seeds; 1 where one broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds (default: 20)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--engine", default="", choices=["local", "ray", "nodes"], help="this engine only")
    parser.add_argument("--harm", default="", help="this harm only, by the name of its function")
    asked = parser.parse_args()
    began, wrong, done = time.monotonic(), 0, Counter[str]()
    with judging() as judge:
        expected = {False: undisturbed(""), True: undisturbed(judge)}
        for seed in range(asked.first, asked.first + asked.seeds):
            trial = tried(seed, expected, judge, asked.engine, asked.harm)
            done.update(one for one in trial.done if one[0] != "(")
            done.update(
                [trial.engine, trial.store, *["judged"] * trial.judged, *["spilled"] * bool(trial.spilled)]
            )
            print(trial, flush=True)
            if trial.wrong:
                wrong += 1
                more = f" --engine {asked.engine}" * bool(asked.engine) + f" --harm {asked.harm}" * bool(
                    asked.harm
                )
                print(f"  again: python -m tests.chaos --first {seed} --seeds 1{more}", flush=True)
    print(
        f"{asked.seeds} seeds, {wrong} wrong, {time.monotonic() - began:.0f} s: {dict(sorted(done.items()))}"
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
