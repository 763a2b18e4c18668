"""docs/kuberay.yaml: its Kubernetes parts by the schemas of Kubernetes, and what ties them together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[3]
VERSION = "1.30"


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    every = yaml.safe_load_all((ROOT / "docs" / "kuberay.yaml").read_text())
    return {one["kind"]: one for one in every}


def pods(manifests: dict[str, Any]) -> dict[str, Any]:
    spec = manifests["RayCluster"]["spec"]
    return {
        "head": spec["headGroupSpec"]["template"],
        **{one["groupName"]: one["template"] for one in spec["workerGroupSpecs"]},
        "redis": manifests["Deployment"]["spec"]["template"],
    }


def test_each_part_fits_the_schema_of_kubernetes(manifests: dict[str, Any]) -> None:
    parts = [one for kind, one in manifests.items() if kind != "RayCluster"]
    for name, template in pods(manifests).items():
        parts.append(
            {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, "template": template}
        )
    for part in parts:
        kubernetes_validate.validate(part, VERSION, strict=True)


def test_the_schema_would_find_a_wrong_field(manifests: dict[str, Any]) -> None:
    template = yaml.safe_load(yaml.safe_dump(pods(manifests)["head"]))
    template["spec"]["containers"][0]["enviroment"] = []
    part = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": template}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(part, VERSION, strict=True)


def test_every_ray_has_the_token_and_redis_the_password_that_the_page_creates(
    manifests: dict[str, Any],
) -> None:
    keys = set(re.findall(r"--from-literal=(\w+)=", (ROOT / "docs" / "kuberay.yaml").read_text()))
    used = set()
    for name, template in pods(manifests).items():
        [container] = template["spec"]["containers"]
        env = {one["name"]: one for one in container["env"]}
        for one in env.values():
            if "valueFrom" in one:
                reference = one["valueFrom"]["secretKeyRef"]
                assert reference["name"] == "riskbox", name
                used.add(reference["key"])
        if name != "redis":
            assert env["RAY_AUTH_MODE"]["value"] == "token" and "RAY_AUTH_TOKEN" in env
            names = list(env)
            assert names.index("RISKBOX_REDIS_PASSWORD") < names.index("RISKBOX_STORE"), "it is filled in"
        assert template["spec"]["automountServiceAccountToken"] is False, (
            "an agent must not command the cluster"
        )
    assert used == keys == {"ray", "redis"}


def test_names_and_ports_fit_together(manifests: dict[str, Any]) -> None:
    service, deployment = manifests["Service"], manifests["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"] == labels
    [env] = [
        one
        for one in pods(manifests)["head"]["spec"]["containers"][0]["env"]
        if one["name"] == "RISKBOX_STORE"
    ]
    host = service["metadata"]["name"]
    assert f"@{host}:{service['spec']['ports'][0]['port']}/" in env["value"]
    claim = deployment["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim == manifests["PersistentVolumeClaim"]["metadata"]["name"]
    spec = manifests["RayCluster"]["spec"]
    assert set(spec) == {"headGroupSpec", "workerGroupSpecs"}
    for group in spec["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        assert all(isinstance(one, str) for one in group["rayStartParams"].values())
    assert all(isinstance(one, str) for one in spec["headGroupSpec"]["rayStartParams"].values())
