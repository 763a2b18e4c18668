"""docker-compose.yml: valid by the Compose schema, and its topology played with plain processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskbox.sandbox.stores import open_store
from tests.nodes import BIN, ENV, Nodes

ROOT = Path(__file__).parents[3]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"


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


@pytest.fixture
def cluster(free_port: int, tmp_path: Path) -> Iterator[str]:
    """A Ray head and a second node, each its own `ray start` with the token, as the services of the compose file."""
    nodes = Nodes(free_port, tmp_path)
    try:
        nodes.start()
        nodes.start()
        yield nodes.address
    finally:
        nodes.close()


@pytest.mark.long
def test_a_batch_over_head_second_node_and_redis(cluster: str, redis_url: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "riskbox.sandbox.cli", "run", str(RECORDS), "--seeds", "6", "--json",
        "--address", cluster, "--store", redis_url, "--workers", "2",
    ]  # fmt: skip
    outside = {name: value for name, value in ENV.items() if not name.startswith("RAY_AUTH_")}
    refused = subprocess.run(
        command, env={**outside, "HOME": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, timeout=240
    )  # fmt: skip
    assert refused.returncode == 2 and "it asks for a token" in refused.stderr
    done = subprocess.run(command, env=ENV, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert (told["state"], told["done"], told["faults"]) == ("done", 60, 0)
    with open_store(redis_url, create=False) as store:
        assert len(store.done(told["run"])) == 60
        manifest = store.run(told["run"])
        assert manifest.state == "done"
        assert all(redis_url.split("@")[0].split(":")[-1] not in word for word in manifest.command), (
            "no password is stored"
        )
