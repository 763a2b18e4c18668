"""A process that writes episodes: URL, run, first seed, last seed, batch size, attempt. Tells each batch it has stored."""

from __future__ import annotations

import sys

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing import packed, sample_case, sample_played

url, run = sys.argv[1:3]
first, last, size, attempt = map(int, sys.argv[3:])

with open_store(url) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(first, last, size):
        batch = [
            packed(sample_played(run, sample_case(), seed, attempt=attempt, text=f"attempt {attempt}"))
            for seed in range(start, min(start + size, last))
        ]
        print(store.write(run, batch), *(one.row.id for one in batch), flush=True)
