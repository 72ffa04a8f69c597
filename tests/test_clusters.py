"""The Kubernetes manifests are valid, and their limits fit the server."""

import itertools
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Bake, bake_into, run, tool

VERSION = "1.37"
OVERLAYS = ("development", "production")
PARTS = ("expand", "application", "contract")
NO_SCHEMA = {"HTTPRoute"}  # Kinds of the Gateway API, which are checked below.
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Path:
    folder = tmp_path_factory.mktemp("clusters")
    return bake_into(folder, template, kubernetes=True, pipelines="none") / "deploy"


def render(folder: Path) -> list[dict[str, Any]]:
    text = run(tool("kubectl"), "kustomize", folder, cwd=folder).stdout
    return [one for one in yaml.safe_load_all(text) if one]


def validate(resources: list[dict[str, Any]], file: Path) -> None:
    """Write the resources that have a schema into the file, and check them."""
    file.write_text(yaml.safe_dump_all([one for one in resources if one["kind"] not in NO_SCHEMA]))
    run(tool("kubernetes-validate"), "--strict", "-k", VERSION, file, cwd=file.parent)


def validated(folder: Path, tmp_path: Path) -> list[dict[str, Any]]:
    """Render a folder of manifests, and check the result."""
    resources = render(folder)
    validate(resources, tmp_path / "rendered.yaml")
    return resources


def every(deploy: Path) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    for overlay in OVERLAYS:
        for part in PARTS:
            yield overlay, part, render(deploy / "overlays" / overlay / part)


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return found


def of_kind(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [one for one in resources if one["kind"] == kind]
    return found


def assert_restricted(manifest: dict[str, Any]) -> None:
    """Check https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted."""
    spec = pod(manifest)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert all(volume.keys() == {"name", "emptyDir"} for volume in spec["volumes"])
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def assert_fits_the_server(manifest: dict[str, Any], server: str) -> None:
    spec = pod(manifest)
    [container] = spec["containers"]
    found = re.search(r"^STOP_SECONDS = (\d+)$", server, re.MULTILINE)
    assert found
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > pause + int(found[1])
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "startup")}
    assert paths == {"liveness": "/health/live", "startup": "/health/live"}
    ready = container["readinessProbe"]
    assert ready["httpGet"]["path"] == "/health/ready"
    # Seconds within which the server answers, also where the database does not.
    assert ready["timeoutSeconds"] > 2
    assert container["ports"] == [{"name": "http", "containerPort": 8000}]


def assert_deployable(manifest: dict[str, Any], server: str) -> None:
    assert_restricted(manifest)
    assert_fits_the_server(manifest, server)


def server_module(project: Path) -> str:
    return (project / "chassis/cli/server.py").read_text()


def test_every_manifest_is_valid(manifests: Path, tmp_path: Path) -> None:
    for overlay, part, resources in every(manifests):
        validate(resources, tmp_path / f"{overlay}-{part}.yaml")


def test_every_pod_is_restricted_and_fits_the_server(manifests: Path) -> None:
    server = server_module(manifests.parent)
    for _, part, resources in every(manifests):
        assert not [one for one in resources if one["kind"] == "Secret"]
        if part == "application":
            assert_deployable(of_kind(resources, "Deployment"), server)
        else:
            assert_restricted(of_kind(resources, "Job"))


SWITCHES = {"background_jobs": ["none", "celery"], "file_storage": ["none", "s3"]}
COMBINATIONS = [
    dict(zip(SWITCHES, values, strict=True)) for values in itertools.product(*SWITCHES.values())
]
# The first part of a row in docs/clusters.md: a secret that has to exist, and its keys.
SECRET = re.compile(r"^\| `(api[a-z-]*)` \| (.+) \|$", re.MULTILINE)


def containers(resources: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return where the container of each deployment or job gets its settings from."""
    return {
        one["metadata"]["name"]: pod(one)["containers"][0]["envFrom"]
        for one in resources
        if one["kind"] in {"Deployment", "Job"}
    }


def named(sources: list[dict[str, Any]], kind: str) -> set[str]:
    return {source[kind]["name"] for source in sources if kind in source}


@pytest.mark.parametrize("answers", COMBINATIONS, ids=lambda one: " ".join(one.values()))
def test_with_each_switch_settings_and_secrets_are_named(
    answers: dict[str, str], bake: Bake, tmp_path: Path
) -> None:
    project = bake(kubernetes=True, pipelines="none", **answers)
    told = dict(SECRET.findall((project / "docs/clusters.md").read_text()))
    has_jobs, has_files = (value != "none" for value in answers.values())
    wanted = {"api", *(["api-broker"] * has_jobs), *(["api-store"] * has_files)}
    assert told.keys() == wanted | {"api-migration"}
    for overlay in OVERLAYS:
        resources = validated(project / "deploy/overlays" / overlay / "application", tmp_path)
        settings = of_kind(resources, "ConfigMap")
        assert ("S3_BUCKET" in settings["data"]) is has_files
        sources = containers(resources)
        assert sources.keys() == {"api", *(["relay", "worker"] * has_jobs)}
        assert set().union(*(named(one, "secretRef") for one in sources.values())) == wanted
        for name, one in sources.items():
            assert named(one, "configMapRef") == {settings["metadata"]["name"]}
            # The relay publishes messages and opens no file.
            assert ("api-store" in named(one, "secretRef")) is (has_files and name != "relay")
        for policy in (one for one in resources if one["kind"] == "NetworkPolicy"):
            ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
            assert 443 in ports


MUTATIONS: dict[str, Callable[[str], str]] = {
    "a probe's path": lambda text: text.replace("/health/ready", "/health/redy"),
    "a grace time": lambda text: text.replace("PeriodSeconds: 45", "PeriodSeconds: 30"),
    "a request": lambda text: text.replace("cpu: 250m, ", ""),
    "a writable root": lambda text: text.replace(
        "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"
    ),
    "a missing profile": lambda text: text.replace("seccompProfile: { type: RuntimeDefault }", ""),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_noticed(mutation: str, bake: Bake) -> None:
    project = bake(kubernetes=True)
    path = project / "deploy/base/application/deployment.yaml"
    text = path.read_text()
    path.write_text(MUTATIONS[mutation](text))
    assert path.read_text() != text
    deployment = of_kind(render(project / "deploy/overlays/production/application"), "Deployment")
    with pytest.raises((AssertionError, KeyError)):
        assert_deployable(deployment, server_module(project))


def test_a_wrong_key_is_noticed(bake: Bake, tmp_path: Path) -> None:
    project = bake(kubernetes=True)
    path = project / "deploy/base/application/deployment.yaml"
    path.write_text(path.read_text().replace("enableServiceLinks", "enableServiceLink"))
    resources = render(project / "deploy/overlays/production/application")
    file = tmp_path / "manifest.yaml"
    file.write_text(yaml.safe_dump(of_kind(resources, "Deployment")))
    result = subprocess.run(
        [tool("kubernetes-validate"), "--strict", "-k", VERSION, file],
        capture_output=True,
        check=False,
    )
    assert result.returncode != 0


def test_the_route_leads_to_the_service_and_hides_the_metrics(manifests: Path) -> None:
    resources = render(manifests / "overlays/production/application")
    rules = of_kind(resources, "HTTPRoute")["spec"]["rules"]
    service = of_kind(resources, "Service")
    assert rules[0]["matches"] == [{"path": {"type": "Exact", "value": "/metrics"}}]
    assert "backendRefs" not in rules[0]
    [target] = rules[1]["backendRefs"]
    assert (target["name"], target["port"]) == (
        service["metadata"]["name"],
        service["spec"]["ports"][0]["port"],
    )
    assert "HTTPRoute" not in {
        one["kind"] for one in render(manifests / "overlays/development/application")
    }


def test_an_image_is_set_in_every_part_and_names_its_jobs(bake: Bake) -> None:
    project = bake(kubernetes=True)
    script = project / "deploy/set_image.sh"
    name = "registry.example.org/shop"
    run(script, "production", f"{name}@{DIGEST}", cwd=project)

    for part in PARTS:
        resources = render(project / "deploy/overlays/production" / part)
        kind = "Deployment" if part == "application" else "Job"
        found = of_kind(resources, kind)
        assert pod(found)["containers"][0]["image"] == f"{name}@{DIGEST}"
        if kind == "Job":
            assert found["metadata"]["name"] == f"{part}-migrate-{DIGEST[7:19]}"
    expand = of_kind(render(project / "deploy/overlays/production/expand"), "Job")
    assert pod(expand)["containers"][0]["args"][-2:] == ["--until", "expand"]


@pytest.mark.parametrize(
    ("overlay", "image"),
    [
        ("staging", f"a/b@{DIGEST}"),
        ("", ""),
        ("production", "a/b:latest"),
        ("production", "a/b@sha256:12"),
        ("production", f"a|b@{DIGEST}"),
        ("production", f"a/b@{DIGEST}x"),
    ],
)
def test_what_is_no_image_or_overlay_changes_nothing(overlay: str, image: str, bake: Bake) -> None:
    project = bake(kubernetes=True)
    result = run(project / "deploy/set_image.sh", overlay, image, cwd=project, check=False)
    assert result.returncode == 2
    assert "is no" in result.stderr
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""


def test_flux_applies_the_parts_in_their_order(manifests: Path) -> None:
    parts = list(yaml.safe_load_all((manifests / "flux/production.yaml").read_text()))
    assert [one["spec"]["path"] for one in parts] == [
        f"deploy/overlays/production/{part}" for part in PARTS
    ]
    after = [[one["name"] for one in part["spec"].get("dependsOn", [])] for part in parts]
    assert after == [[], ["api-expand"], ["api"]]
    assert all(one["spec"]["wait"] is True for one in parts)
    for one in parts:
        assert (manifests.parent / one["spec"]["path"] / "kustomization.yaml").is_file()
