"""What the files of a deployment promise, each read as the platform reads it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emorec.deployment import VARIABLES
from tools import bundle, image

ROOT = Path(__file__).resolve().parent.parent
STEPS = list(image.steps((ROOT / "Dockerfile").read_text(encoding="utf-8")))
DEPLOY = ROOT / "deploy"
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


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def app_names(compose: dict[str, Any]) -> list[str]:
    return [name for name in compose["services"] if re.fullmatch(r"app-\d+", name)]


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
        base = re.escape(f"BASE=python:{wanted}-slim")
        assert [rest for name, rest in STEPS if name == "ARG" and re.match(rf"{base}\b", rest)]
        assert step("FROM") == "${BASE}"  # so that a build may pin its digest

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
    @pytest.mark.long
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

    def test_only_the_ingress_and_prometheus_reach_a_pod(
        self, kinds: dict[str, Any], pod: dict[str, Any]
    ) -> None:
        policy = kinds["NetworkPolicy"]["spec"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        assert [rule["ports"] for rule in policy["ingress"]] == [
            [{"port": port["name"]}] for port in pod["spec"]["containers"][0]["ports"]
        ]
        assert all("from" in rule for rule in policy["ingress"])

    def test_every_rule_about_pods_finds_them(
        self, kinds: dict[str, Any], pod: dict[str, Any]
    ) -> None:
        labels = pod["metadata"]["labels"]
        for kind, place in (("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")):
            assert kinds[kind]["spec"][place]["matchLabels"].items() <= labels.items()


class TestManyCores:
    """Several processes on one machine: the compose file, the systemd unit, and the proxy."""

    @pytest.mark.long
    @pytest.mark.parametrize(
        ("package", "command"),
        [
            ("caddy", "caddy validate --adapter caddyfile --config Caddyfile"),
            ("prometheus", "promtool check config prometheus.yml"),
        ],
    )
    def test_each_program_takes_its_file(self, package: str, command: str) -> None:
        program, *arguments = command.split()
        if not shutil.which(program):
            pytest.skip(f"needs {program} (apt install {package})")
        example = (DEPLOY / "compose.env.example").read_text(encoding="utf-8")
        given = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
        run = subprocess.run(
            [program, *arguments],
            cwd=DEPLOY,
            env=os.environ | given | {"EMOREC_SECRET": "filled-in"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr

    @pytest.mark.long
    def test_the_compose_file_fits_its_specification(self) -> None:
        checker = program("check-jsonschema")
        file = str(DEPLOY / "compose.yaml")
        command = [checker, "--builtin-schema", "vendor.compose-spec", file]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr

    def test_every_image_is_pinned_and_every_service_checked(self, compose: dict[str, Any]) -> None:
        others = {"proxy", "turn", "database", "prometheus"}
        assert set(compose["services"]) == {*app_names(compose), *others}
        for name, service in compose["services"].items():
            assert re.search(r":\d+\.\d+|:v\d+\.\d+", service["image"]), name
            assert ("healthcheck" in service) == (name in others)  # the Dockerfile has the app's
            assert service["restart"] == "unless-stopped"

    def test_the_proxy_finds_every_app_by_a_name_that_outlives_its_container(
        self, compose: dict[str, Any]
    ) -> None:
        # Compose gave a replica that took the place of another a new number, and so a new name.
        example = (DEPLOY / "compose.env.example").read_text(encoding="utf-8")
        names = re.search(r"^EMOREC_UPSTREAMS=(.*)$", example, re.MULTILINE)
        assert names and names[1].split() == [f"{name}:8501" for name in app_names(compose)]
        assert len(app_names(compose)) > 1
        for name in app_names(compose):
            assert "replicas" not in compose["services"][name]["deploy"]

    def test_the_apps_differ_in_nothing_and_one_builds_their_image(
        self, compose: dict[str, Any]
    ) -> None:
        # Two builds at once of one image name fail in Docker's newer image store.
        first, *others = (dict(compose["services"][name]) for name in app_names(compose))
        assert first.pop("build")
        assert all(other == first for other in others)

    def test_the_app_knows_every_variable_that_it_is_given(self, compose: dict[str, Any]) -> None:
        given = set(compose["x-app"]["environment"]) - {"FORWARDED_ALLOW_IPS", "TMPDIR"}
        assert given <= {variable.name for variable in VARIABLES.values()}

    def test_what_has_to_be_filled_in_is_in_the_example(self, compose: dict[str, Any]) -> None:
        text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
        asked = set(re.findall(r"\$\{(\w+)", text))
        example = (DEPLOY / "compose.env.example").read_text(encoding="utf-8")
        assert asked == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
        assert compose["x-app"]["env_file"] == ["compose.env"]  # further variables of the app's

    def test_without_a_login_no_visitor_manages_the_people(self, compose: dict[str, Any]) -> None:
        assert "EMOREC_PEOPLE" not in compose["x-app"]["environment"]
        example = (DEPLOY / "compose.env.example").read_text(encoding="utf-8")
        assert "\n# EMOREC_PEOPLE=1\n" in example

    def test_the_secrets_that_were_filled_in_are_not_committed(self) -> None:
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
        assert "/deploy/compose.env" in ignored

    def test_the_proxy_is_told_all_that_its_file_asks_for(self, compose: dict[str, Any]) -> None:
        file = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
        assert set(re.findall(r"\{\$(\w+)\}", file)) == set(
            compose["services"]["proxy"]["environment"]
        )
        assert "health_uri /_stcore/health" in file and "lb_policy cookie" in file

    def test_prometheus_asks_where_the_metrics_are(self, compose: dict[str, Any]) -> None:
        config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
        (job,) = config["scrape_configs"]
        (found,) = job["dns_sd_configs"]
        app = compose["x-app"]
        assert str(found["port"]) == app["environment"]["EMOREC_METRICS_PORT"]
        assert found["names"] == app["networks"]["inside"]["aliases"]

    def test_the_container_may_do_nothing_it_does_not_need(self, compose: dict[str, Any]) -> None:
        app = compose["x-app"]
        assert app["read_only"] and app["cap_drop"] == ["ALL"] and "ports" not in app
        live, cores = app["environment"]["EMOREC_MAX_LIVE"], app["deploy"]["resources"]
        assert live == cores["limits"]["cpus"]

    def test_uploaded_videos_take_no_memory_of_the_container(self, compose: dict[str, Any]) -> None:
        app = compose["x-app"]
        (mount,) = app["volumes"]
        volume, _, folder = mount.partition(":")
        assert volume in compose["volumes"] and folder == app["environment"]["TMPDIR"]
        (memory,) = app["tmpfs"]
        assert re.fullmatch(r"/tmp:size=\d+m", memory)  # without a size: half of the machine's

    def test_the_relay_leads_to_no_tcp_port(self, compose: dict[str, Any]) -> None:
        # A visitor's TURN password opened connections to the database through it.
        command = compose["services"]["turn"]["command"]
        assert {"--no-tcp-relay", "--no-multicast-peers", "--log-file=stdout"} <= set(command)
        guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
        assert "\n      no-tcp-relay\n" in guide

    def test_the_relay_may_have_its_public_address_by_nat(self, compose: dict[str, Any]) -> None:
        command = compose["services"]["turn"]["command"]
        assert "${TURN_EXTERNAL_IP:+--external-ip=${TURN_EXTERNAL_IP}}" in command

    def test_the_database_is_ready_when_it_answers_to_others(self, compose: dict[str, Any]) -> None:
        # While PostgreSQL's image makes the database, a server answers at the socket alone.
        test = compose["services"]["database"]["healthcheck"]["test"]
        assert test[:4] == ["CMD", "pg_isready", "-h", "127.0.0.1"]

    def test_the_unit_starts_the_app_as_every_platform_does(self) -> None:
        unit = (DEPLOY / "systemd" / "emorec@.service").read_text(encoding="utf-8")
        procfile = (ROOT / "Procfile").read_text(encoding="utf-8").removeprefix("web: ").strip()
        expected = procfile.replace("$PORT", "%i").replace("0.0.0.0", "127.0.0.1")
        assert f"ExecStart=/opt/emorec/.venv/bin/{expected}\n" in unit

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
    def test_systemd_reads_the_unit(self, tmp_path: Path) -> None:
        text = (DEPLOY / "systemd" / "emorec@.service").read_text(encoding="utf-8")
        # What it runs and reads is not on this machine.
        text = re.sub("ExecStart=.*", "ExecStart=/bin/true", text)
        text = re.sub("(EnvironmentFile|WorkingDirectory)=.*\n", "", text)
        (tmp_path / "emorec@8501.service").write_text(text)
        run = subprocess.run(
            ["systemd-analyze", "verify", str(tmp_path / "emorec@8501.service")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "emorec@8501" not in run.stderr, run.stderr


class TestLocks:
    """What an image installs, to the last package: made by the command at the head of each file."""

    @pytest.mark.parametrize(
        ("lock", "sources"),
        [
            ("requirements.lock", ["requirements.txt"]),
            ("requirements-people.lock", ["requirements.txt", "requirements-people.txt"]),
        ],
    )
    def test_it_holds_every_pin_every_dependency_and_hashes(
        self, lock: str, sources: list[str]
    ) -> None:
        locked: dict[str, str] = {}
        for entry in re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8")):
            if not entry.startswith("#"):
                requirement = Requirement(entry.partition(" \\")[0])
                locked[canonicalize_name(requirement.name)] = str(requirement.specifier)
                assert "--hash=sha256:" in entry, requirement.name
        for source in sources:
            for line in (ROOT / source).read_text(encoding="utf-8").splitlines():
                if line and not line.startswith("#"):
                    pin = Requirement(line)
                    assert locked[canonicalize_name(pin.name)] == str(pin.specifier), line
        for name in list(locked):
            try:
                needed = distribution(name).requires or []
            except PackageNotFoundError:  # of another platform
                continue
            for text in needed:
                requirement = Requirement(text)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    assert canonicalize_name(requirement.name) in locked, f"{name}: {text}"

    def test_the_image_installs_a_lock(self) -> None:
        (install,) = (rest for name, rest in STEPS if rest.startswith("pip install"))
        assert "requirements${PEOPLE:+-people}.lock" in install
