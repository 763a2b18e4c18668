"""docker-compose.yml: valid by the Compose schema, and its topology played with plain processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from riskbox.sandbox.stores import open_store

ROOT = Path(__file__).parents[3]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_fits_the_compose_schema() -> None:
    command = [
        str(BIN / "check-jsonschema"),
        "--builtin-schema",
        "vendor.compose-spec",
        str(ROOT / "docker-compose.yml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_redis_persists_and_everything_is_watched(compose: Any) -> None:
    services = compose["services"]
    words = services["redis"]["command"]
    assert words[words.index("--appendonly") + 1] == "yes" and "--requirepass" in words
    for name in ("redis", "head", "worker"):
        assert services[name]["healthcheck"]["test"], name
    for name in ("worker", "riskbox"):
        conditions = {one: what["condition"] for one, what in services[name]["depends_on"].items()}
        assert conditions == {"head": "service_healthy", "redis": "service_healthy"}, name
    assert "ports" not in str(services), "nothing is published beyond the machine"


def test_all_containers_share_a_token_that_compose_wants_to_be_given(compose: Any) -> None:
    assert compose["secrets"] == {"ray_token": {"environment": "RISKBOX_RAY_TOKEN"}}
    for name in ("head", "worker", "riskbox"):
        service = compose["services"][name]
        assert service["secrets"] == ["ray_token"], name
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"


def test_the_image_is_built_from_files_that_exist() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "python -m build --wheel" in text and "COPY . ." in text
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not {".links", "sandbox", "constraints.txt"} & set(ignored)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [extras] = re.findall(r"riskbox-\*\.whl\)\[(.+?)\]", text)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


ENV = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "NO_COLOR": "1"}


@pytest.fixture
def cluster(free_port: int, tmp_path: Path) -> Iterator[str]:
    """A Ray head and a second node, each its own `ray start`, as the services of the compose file."""
    address = f"127.0.0.1:{free_port}"
    head = ["--head", f"--port={free_port}", "--include-dashboard=false", "--node-ip-address=127.0.0.1"]
    nodes: list[subprocess.Popen[bytes]] = []
    try:
        for words in (head, [f"--address={address}", "--node-ip-address=127.0.0.1"]):
            command = [
                str(BIN / "ray"),
                "start",
                *words,
                "--num-cpus=1",
                "--object-store-memory=100000000",
                "--block",
            ]
            log = (tmp_path / f"node{len(nodes)}.log").open("w")
            nodes.append(
                subprocess.Popen(
                    command, env=ENV, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )
            )
            wait_for_nodes(address, len(nodes), nodes[-1])
        yield address
    finally:
        for node in reversed(nodes):
            for child in psutil.Process(node.pid).children(recursive=True) if node.poll() is None else []:
                child.kill()
            node.kill()
            node.wait()


def wait_for_nodes(address: str, count: int, node: subprocess.Popen[bytes]) -> None:
    code = (
        "import ray, sys, time\n"
        f"for _ in range(120):\n"
        "    try:\n"
        f"        ray.init(address={address!r}, log_to_driver=False, logging_level='ERROR')\n"
        f"        if sum(n['Alive'] for n in ray.nodes()) >= {count}: sys.exit(0)\n"
        "    except ConnectionError: pass\n"
        "    ray.shutdown(); time.sleep(0.5)\n"
        "sys.exit(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENV, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and node.poll() is None, done.stderr[-2000:]


@pytest.mark.long
def test_a_batch_over_head_second_node_and_redis(cluster: str, redis_url: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "riskbox.sandbox.cli", "run", str(RECORDS), "--seeds", "20", "--json",
        "--address", cluster, "--store", redis_url, "--workers", "2",
    ]  # fmt: skip
    done = subprocess.run(command, env=ENV, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert (told["state"], told["done"], told["faults"]) == ("done", 200, 0)
    with open_store(redis_url, create=False) as store:
        assert len(store.done(told["run"])) == 200
        manifest = store.run(told["run"])
        assert manifest.state == "done"
        assert all(redis_url.split("@")[0].split(":")[-1] not in word for word in manifest.command), (
            "no password is stored"
        )
