"""`emorec watch`, from the camera to other programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pylsl
import pytest
from websockets.sync.client import connect

from emorec import recognizer
from emorec.cli import main
from emorec.emotions import EMOTIONS, UNSURE
from emorec.model import choice, store
from emorec.model.store import DEFAULT_NAME
from emorec.streams import extra
from emorec.streams.commands import _address
from testkit.app import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def watching(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run `emorec watch` in a process of its own, with pipes."""
    command = [sys.executable, "-m", "emorec", "watch", *map(str, arguments)]
    with subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def kinds(lines: list[dict[str, Any]]) -> list[str]:
    return [kind for line in lines for kind in line]


def test_a_film_that_ends_ends_it(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert main(["watch", "--camera", str(film), "--group-only", "--no-baseline"]) == 0
    assert signal.getsignal(signal.SIGINT) is before
    shown = capsys.readouterr()
    assert not shown.err
    header, *rest = [json.loads(line) for line in shown.out.splitlines()]
    assert header["header"]["group_only"] is True and header["header"]["baseline"] is False
    assert set(kinds(rest)) <= {"second"}


@pytest.mark.parametrize(("cost_ms", "name"), [(0.5, "elu_cnn"), (5.0, "small_cnn")])
def test_it_reads_with_the_network_that_the_machine_carries(
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cost_ms: float,
    name: str,
) -> None:
    def load(path: Path) -> store.EmotionModel:
        loaded.append(path.stem)
        return store.load(path)

    loaded: list[str] = []
    monkeypatch.setattr(recognizer, "load", load)
    monkeypatch.setattr(choice, "ms_per_face", lambda model: cost_ms)
    monkeypatch.setattr(choice, "_chosen", {})
    assert main(["watch", "--camera", str(film)]) == 0
    assert loaded == list(dict.fromkeys([DEFAULT_NAME, name])), "each network once"
    header = json.loads(capsys.readouterr().out.splitlines()[0])["header"]
    assert header["model"]["name"] == name


def test_lines_come_while_it_runs_and_ctrl_c_ends_it_whole(long_film: Path) -> None:
    with watching("--camera", long_film) as process:
        assert process.stdout and process.stdin
        header = json.loads(process.stdout.readline())["header"]
        process.stdin.write("question 3\n\n\x07\n")
        process.stdin.flush()
        lines: list[dict[str, Any]] = []
        while not {"picture", "second", "marker"} <= set(kinds(lines)) or missing(lines[-1]):
            lines.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "emorec: a marker's label has at least one visible character.\n"
    lines += [json.loads(line) for line in rest.splitlines()]
    (marker,) = [line["marker"] for line in lines if "marker" in line]
    assert marker["label"] == "question 3"
    pictures = [line["picture"] for line in lines if "picture" in line]
    assert {face["emotion"] for face in pictures[-1]["faces"]} <= {*EMOTIONS, UNSURE}
    seconds = [line["second"]["time_s"] for line in lines if "second" in line]
    assert seconds == sorted(set(seconds))
    assert seconds[-1] == pictures[-1]["time_s"] // 1  # the second that was not over, too
    assert header["model"]["name"] in (DEFAULT_NAME, choice.SMALL_NAME)
    assert header["baseline"] is True
    assert "apparent expression" in header["notice"] and "2024/1689" in header["notice"]
    units = header["units"]
    assert set(units["picture"]) == {*pictures[0], *pictures[-1]["faces"][0]} - {"faces"}
    assert set(units["second"]) == {name for line in lines for name in line.get("second", ())}
    assert units["picture"]["x1_px"] == "pixels"


def missing(line: dict[str, Any]) -> bool:
    """Return whether this is not a picture with all four faces."""
    return len(line.get("picture", {}).get("faces", ())) != 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--websocket", "0"], "Expected a port from 1 to 65535, or HOST:PORT. Received '0'."),
        (["--websocket", ":80"], "Received ':80'."),
        (["--websocket", "localhost"], "Received 'localhost'."),
        (["--allow-origin", "http://x"], "--allow-origin needs --websocket"),
    ],
)
def test_wrong_usage_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["watch", *arguments])
    assert raised.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8765", ("localhost", 8765)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:8765", ("::1", 8765)),
        ("lab.example:1", ("lab.example", 1)),
    ],
)
def test_without_a_host_it_is_this_computer(text: str, address: tuple[str, int]) -> None:
    assert _address(text) == address


def test_without_the_extra_one_line_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    assert main(["watch", "--lsl"]) == 2
    shown = capsys.readouterr()
    assert not shown.out and extra.INSTALL in shown.err and len(shown.err.splitlines()) == 1


@pytest.mark.long
def test_a_closed_pipe_ends_it_quietly(long_film: Path) -> None:
    with watching("--camera", long_film) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""


@pytest.mark.long
def test_the_terminal_is_not_needed(film: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emorec", "watch", "--camera", str(film)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: os.close(0),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 2


@pytest.mark.long
def test_other_programs_receive_faces_seconds_and_markers(long_film: Path) -> None:
    port = free_port()
    camera = str(long_film)
    with watching("--camera", camera, "--websocket", port, "--lsl") as process:
        assert process.stdout and process.stdin
        process.stdout.readline()
        with connect(f"ws://localhost:{port}") as client:
            assert "header" in json.loads(client.recv())
            inlets = {}
            for what in ("aggregates", "faces", "markers"):
                (found,) = pylsl.resolve_byprop("name", f"EmoRec {what}", timeout=10)
                inlets[what] = pylsl.StreamInlet(found)
                inlets[what].open_stream(timeout=10)
            process.stdin.write("question 3\n")
            process.stdin.flush()
            sent: dict[str, dict[str, Any]] = {}
            while not {"picture", "second", "marker"} <= set(sent):
                sent |= json.loads(client.recv(timeout=20))
            samples = {what: inlet.pull_sample(timeout=20) for what, inlet in inlets.items()}
            info = {what: inlet.info(timeout=10) for what, inlet in inlets.items()}
            most = info["aggregates"].get_channel_labels().index("most_at_once")
            seconds = iter(lambda: inlets["aggregates"].pull_sample(timeout=20)[0], None)
            # On a busy machine all four are read a few seconds after the first.
            assert any(second[most] == 4 for second in islice(seconds, 20))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert samples["markers"][0] == ["question 3"] == [sent["marker"]["label"]]
    labels = info["faces"].get_channel_labels()
    assert set(EMOTIONS) <= set(labels)
    face = dict(zip(labels, samples["faces"][0], strict=True))
    assert sum(face[emotion] for emotion in EMOTIONS) == pytest.approx(1, abs=1e-5)
    assert abs(samples["faces"][1] - samples["markers"][1]) < 30  # one clock
    assert len({each.source_id() for each in info.values()}) == 3
