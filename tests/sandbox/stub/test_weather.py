"""Bad weather is slow, uneven and failing, by chance and by seed."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from riskbox.sandbox.stub.script import Fail, Slow
from riskbox.sandbox.stub.server import Stub, running
from riskbox.sandbox.stub.weather import Weather


def _drawn(seed: int) -> list[object]:
    weather, chance = Weather(fail_rate=0.5), random.Random(seed)
    return [weather.draw(chance)[1] for _ in range(40)]


def test_bad_weather_is_seeded() -> None:
    assert _drawn(1) == _drawn(1) != _drawn(2)
    assert {type(fault) for fault in _drawn(1)} == {type(None), Fail, Slow}


def test_bad_weather_befalls_some(client: httpx.Client) -> None:
    def one(url: str) -> int:
        sent = {"model": "stub", "messages": [{"role": "user", "content": "Hi."}]}
        try:
            response = client.post(f"{url}/v1/chat/completions", json=sent, timeout=3)
        except httpx.ReadTimeout:
            return 0
        assert (response.status_code == 429) == (response.headers.get("retry-after") == "1")
        return response.status_code

    expected = [
        0 if isinstance(fault, Slow) else fault.status if isinstance(fault, Fail) else 200
        for fault in _drawn(1)
    ]
    with running(Stub(Weather(fail_rate=0.5), seed=1)) as stub, ThreadPoolExecutor(40) as pool:
        got = list(pool.map(one, [stub.url] * 40))
    assert sorted(got) == sorted(expected) and set(got) == {0, 200, 429, 500}


def test_delay_and_jitter(client: httpx.Client) -> None:
    with running(Stub(Weather(delay=0.1, jitter=0.05))) as stub:
        sent = {"model": "stub", "messages": [{"role": "user", "content": "Hi."}]}
        started = time.monotonic()
        for _ in range(4):
            assert client.post(f"{stub.url}/v1/chat/completions", json=sent).status_code == 200
        assert time.monotonic() - started >= 4 * 0.05
