"""What the files of a deployment promise, each read as the platform reads it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from tools import bundle, image

ROOT = Path(__file__).resolve().parent.parent
STEPS = list(image.steps((ROOT / "Dockerfile").read_text(encoding="utf-8")))
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))


def step(name: str) -> str:
    (rest,) = (rest for of, rest in STEPS if of == name)
    return rest


def program(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name}: not installed beside this Python"
    return found


@pytest.fixture(scope="module")
def kinds() -> dict[str, Any]:
    documents = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in MANIFESTS)
    return {document["kind"]: document for document in documents}


@pytest.fixture(scope="module")
def pod(kinds: dict[str, Any]) -> dict[str, Any]:
    return kinds["Deployment"]["spec"]["template"]


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["env"]}


class TestDockerfile:
    def test_the_linter_has_nothing_to_say(self) -> None:
        linter = program("hadolint")
        run = subprocess.run(
            [linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr

    def test_every_platform_starts_the_app_alike(self) -> None:
        procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
        assert json.loads(step("CMD"))[-1] == f"exec {procfile.removeprefix('web: ').strip()}"

    def test_every_platform_runs_the_same_python(self) -> None:
        wanted = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
        assert re.match(rf"python:{re.escape(wanted)}-slim\b", step("FROM"))

    def test_new_code_installs_nothing_again(self) -> None:
        names = [name for name, _ in STEPS]
        install = next(i for i, (_, rest) in enumerate(STEPS) if rest.startswith("pip install"))
        assert names.index("COPY") < install < STEPS.index(("COPY", ". ."))
        copied = next(rest for name, rest in STEPS if name == "COPY").split()[:-1]
        assert all(name.startswith("requirements") for name in copied)

    def test_it_does_not_run_as_root(self) -> None:
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", step("USER"))
        assert [name for name, _ in STEPS].index("USER") > max(
            i for i, (name, _) in enumerate(STEPS) if name in ("RUN", "COPY")
        )

    def test_caches_go_where_a_read_only_image_can_be_written(self) -> None:
        assert "HOME=/tmp" in step("ENV").split()

    def test_health_is_asked_for_on_the_port_it_serves(self) -> None:
        health = json.loads(step("HEALTHCHECK").partition(" CMD ")[2])
        assert "/_stcore/health" in health[-1]
        assert f"PORT={step('EXPOSE')}" in step("ENV").split()

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("app.py", True),
            ("LICENSE", True),
            ("requirements.txt", True),
            (".streamlit/config.toml", True),
            (".streamlit/secrets.toml", False),
            ("emorec/pages/live/page.py", True),
            ("emorec/pages/__pycache__/live.cpython-311.pyc", False),
            ("models/elu_cnn.tflite", True),
            ("tests/emorec", False),
            ("shared/app.py", False),
            ("tools/dev.py", False),
            (".git/config", False),
        ],
    )
    def test_it_holds_what_the_app_runs_and_nothing_else(self, path: str, expected: bool) -> None:
        lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        patterns = [line for line in lines if line and not line.startswith("#")]
        assert image.is_ignored(PurePosixPath(path), patterns) is not expected

    def test_it_holds_what_a_wheel_holds(self) -> None:
        patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        assert {f"!{name}" for name in bundle.FILES} <= set(patterns)


class TestKubernetes:
    def test_every_manifest_fits_its_schema(self) -> None:
        validate = program("kubernetes-validate")
        run = subprocess.run(
            [validate, "--strict", *MANIFESTS], capture_output=True, text=True, check=False
        )
        assert MANIFESTS
        assert run.returncode == 0, run.stdout + run.stderr

    def test_the_container_may_do_nothing_it_does_not_need(self, pod: dict[str, Any]) -> None:
        (container,) = pod["spec"]["containers"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]

    def test_it_runs_as_the_images_user(self, pod: dict[str, Any]) -> None:
        context = pod["spec"]["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == step("USER")

    def test_the_probes_ask_for_health_where_it_is_served(self, pod: dict[str, Any]) -> None:
        (container,) = pod["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["http"] == int(step("EXPOSE"))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"] == {"path": "/_stcore/health", "port": "http"}

    def test_prometheus_asks_where_the_metrics_are(self, pod: dict[str, Any]) -> None:
        (container,) = pod["spec"]["containers"]
        port = environment(container)["EMOREC_METRICS_PORT"]
        assert pod["metadata"]["annotations"]["prometheus.io/port"] == port
        assert int(port) in [named["containerPort"] for named in container["ports"]]

    def test_a_pod_asks_for_the_cores_that_its_visitors_take(self, pod: dict[str, Any]) -> None:
        (container,) = pod["spec"]["containers"]
        cores = int(container["resources"]["requests"]["cpu"])
        assert int(environment(container)["EMOREC_MAX_LIVE"]) == cores
        assert "cpu" not in container["resources"]["limits"], "a throttled session freezes"

    def test_a_new_pod_is_there_before_the_room_is_full(
        self, kinds: dict[str, Any], pod: dict[str, Any]
    ) -> None:
        (metric,) = kinds["HorizontalPodAutoscaler"]["spec"]["metrics"]
        assert metric["pods"]["metric"]["name"] == "emorec_live_sessions"
        wanted = int(metric["pods"]["target"]["averageValue"])
        assert 0 < wanted < int(environment(pod["spec"]["containers"][0])["EMOREC_MAX_LIVE"])

    def test_the_autoscaler_alone_counts_the_pods(self, kinds: dict[str, Any]) -> None:
        assert "replicas" not in kinds["Deployment"]["spec"]
        target = kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
        assert target["name"] == kinds["Deployment"]["metadata"]["name"]

    def test_a_visitor_stays_with_one_pod(self, kinds: dict[str, Any]) -> None:
        notes = kinds["Service"]["metadata"]["annotations"]
        assert notes["traefik.ingress.kubernetes.io/service.sticky.cookie"] == "true"
        assert kinds["Ingress"]["spec"]["ingressClassName"] == "traefik"
        (rule,) = kinds["Ingress"]["spec"]["rules"]
        (path,) = rule["http"]["paths"]
        assert path["backend"]["service"]["name"] == kinds["Service"]["metadata"]["name"]

    def test_secrets_are_named_and_never_written_down(self, pod: dict[str, Any]) -> None:
        (container,) = pod["spec"]["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "emorec-turn"}}]
        assert not re.search(r"SECRET|PASSWORD|TOKEN|KEY", " ".join(environment(container)))
