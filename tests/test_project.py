"""What the files at the root of the project promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from emorec.paths import APP, CASCADE, MODELS
from emorec.server.uploads import FILE_BYTES

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {requirement.name: requirement for requirement in found}


def loose(lines: list[str]) -> dict[str, Requirement]:
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-batch.txt",
        "requirements-lsl.txt",
        "requirements-train.txt",
        "requirements-dev.txt",
    ],
)
def test_every_requirement_is_pinned(name: str) -> None:
    pinned = requirements(name)
    assert pinned
    for requirement in pinned.values():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement


def test_the_web_app_needs_no_training_framework() -> None:
    for names in (requirements("requirements.txt"), loose(PROJECT["dependencies"])):
        assert not [name for name in names if re.search("tensorflow|keras|torch|jax", name)]


def test_opencv_stays_below_5() -> None:
    opencv = "opencv-python-headless"
    assert not loose(PROJECT["dependencies"])[opencv].specifier.contains("5.0.0")
    pin = str(requirements("requirements.txt")[opencv].specifier)
    assert int(pin.removeprefix("==").split(".")[0]) < 5


def test_the_package_admits_what_the_web_app_pins() -> None:
    pinned = requirements("requirements.txt")
    for name, requirement in loose(PROJECT["dependencies"]).items():
        assert requirement.specifier.contains(str(pinned[name].specifier).removeprefix("=="))


def test_the_package_admits_what_training_pins() -> None:
    pinned = requirements("requirements-train.txt")
    for name, requirement in loose(PROJECT["optional-dependencies"]["train"]).items():
        assert requirement.specifier.contains(str(pinned[name].specifier).removeprefix("=="))
        assert str(requirement.marker) == str(pinned[name].marker)


@pytest.mark.parametrize("extra", ["batch", "lsl"])
def test_the_package_admits_what_an_extra_pins(extra: str) -> None:
    pinned = requirements(f"requirements-{extra}.txt")
    wanted = loose(PROJECT["optional-dependencies"][extra])
    assert wanted.keys() == pinned.keys()
    for name, requirement in wanted.items():
        assert requirement.specifier.contains(str(pinned[name].specifier).removeprefix("=="))


def test_the_web_process_takes_its_port_and_needs_no_terminal() -> None:
    command = (ROOT / "Procfile").read_text(encoding="utf-8")
    assert command.startswith("web: ")
    for flag in ("server.port=$PORT", "server.address=0.0.0.0", "server.headless=true"):
        assert f" --{flag}" in command


def test_no_telemetry_and_no_cross_site_requests() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["enableCORS"] is True
    assert config["server"]["enableXsrfProtection"] is True
    # It would ask a site outside for the server's address.
    assert config["logger"]["hideWelcomeMessage"] is True


def test_an_upload_is_as_big_as_the_web_server_lets_it_be() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] * 2**20 == FILE_BYTES


def test_a_checkout_has_what_the_engine_looks_for() -> None:
    assert APP == ROOT / "app.py"
    assert CASCADE.is_file()
    assert (MODELS / "elu_cnn.tflite").is_file()


@pytest.mark.long
def test_a_wheel_carries_what_the_engine_looks_for(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    look = (
        "import sys; sys.path.insert(0, 'site')\n"
        "from emorec import paths\n"
        "assert 'site' in paths.ROOT.parts, paths.ROOT\n"
        "for path in (paths.APP, paths.CASCADE, paths.MODELS / 'elu_cnn.tflite'):\n"
        "    assert path.is_file(), path\n"
        "from emorec import EmotionRecognizer\n"
        "EmotionRecognizer()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", look], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
