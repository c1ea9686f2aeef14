from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from emorec.cli import main
from emorec.drawing.overlay import draw_faces
from emorec.emotions import EMOTIONS
from emorec.media.photo import read_photo
from emorec.paths import MODELS
from emorec.percent import percent
from emorec.reading import Reader
from emorec.recognizer import EmotionRecognizer
from emorec.records import Face, FrameResult, unclassified
from testkit.variables import WRONG

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures")
    portrait = Image.fromarray(skimage.data.astronaut())
    portrait.save(path / "me.png")
    portrait.save(path / "me.bmp")
    Image.new("RGB", (120, 90), "gray").save(path / "wall.png")
    Image.new("RGB", (1, 1)).save(path / "dot.png")
    (path / "bad.jpg").write_bytes(b"no picture")
    (path / "empty.jpg").touch()
    return path


@pytest.fixture
def folder(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with pictures in it."""
    shutil.copytree(pictures, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(text: str) -> list[str]:
    return text.splitlines()


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["dance"],
        ["photo"],
        ["photo", "me.png", "--jsn"],
        ["bench", "extra"],
        ["run", "--port", "0"],
        ["run", "--port", "65536"],
        ["run", "--port", "http"],
        ["run", "--detector", "mtcnn"],
        ["photo", "me.png", "--detector", "mtcnn"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_says_why(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(argv)
    assert raised.value.code == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert "usage: emorec" in shown.err
    assert "Traceback" not in shown.err


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "photo", "doctor", "bench"):
        with pytest.raises(SystemExit) as raised:
            main([command, "--help"])
        assert raised.value.code == 0
        assert f"usage: emorec {command}" in capsys.readouterr().out


def test_photo_json_is_the_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["photo", "me.png", "wall.png", "dot.png", "--json"]) == 0
    shown = capsys.readouterr()
    assert not shown.err
    portrait, wall, dot = (json.loads(line) for line in lines(shown.out))
    assert wall == {"file": "wall.png", "size": [120, 90], "faces": []}
    assert dot == {"file": "dot.png", "size": [1, 1], "faces": []}
    expected = EmotionRecognizer().analyze(read_photo(Path("me.png"))).faces
    assert (portrait["file"], portrait["size"]) == ("me.png", [512, 512])
    assert len(portrait["faces"]) == len(expected) == 1
    face = portrait["faces"][0]
    assert list(face) == ["box", "emotion", "confidence", "probs", "unreadable"]
    assert face["box"] == list(expected[0].box)
    assert face["emotion"] == expected[0].emotion
    assert face["confidence"] == pytest.approx(expected[0].confidence, abs=1e-6)
    assert tuple(face["probs"]) == EMOTIONS
    assert sum(face["probs"].values()) == pytest.approx(1, abs=1e-5)


def test_photo_json_never_holds_nan(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = unclassified()
    face = Face(1, (1, 1, 9, 9), float("nan"), 0.0, 0.0, nothing, nothing, None)  # type: ignore[arg-type]
    result = FrameResult(0, 0.0, (120, 90), (face,))
    monkeypatch.setattr(Reader, "read", lambda self, image_bgr: result)
    assert main(["photo", "wall.png", "--json"]) == 0
    out = capsys.readouterr().out
    assert "NaN" not in out
    read = json.loads(out)["faces"][0]
    assert read["emotion"] is None
    assert read["confidence"] is None
    assert set(read["probs"].values()) == {None}
    assert main(["photo", "wall.png"]) == 0
    assert "unsure" in capsys.readouterr().out


@pytest.fixture
def tilted(folder: Path) -> str:
    """A picture of a face that the cascade does not see."""
    Image.fromarray(skimage.data.astronaut()).rotate(-30, center=(225, 115)).save("tilted.png")
    return "tilted.png"


@pytest.mark.parametrize(
    ("argv", "env", "found"),
    [
        ([], {}, 1),
        (["--detector", "haar"], {}, 0),
        (["--detector", "auto"], {"EMOREC_DETECTOR": "haar"}, 1),
        ([], {"EMOREC_DETECTOR": "haar"}, 0),
    ],
    ids=str,
)
def test_photo_takes_the_detector_named(
    argv: list[str],
    env: dict[str, str],
    found: int,
    tilted: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert main(["photo", tilted, "--json", *argv]) == 0
    assert len(json.loads(capsys.readouterr().out)["faces"]) == found


def test_an_unknown_detector_in_the_environment_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMOREC_DETECTOR", "mtcnn")
    assert main(["photo", "me.png"]) == 2
    (line,) = lines(capsys.readouterr().err)
    assert line.startswith("emorec: EMOREC_DETECTOR: ")
    assert "auto or haar" in line


def test_without_blazeface_the_cascade_serves_and_a_line_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("emorec.pipeline.detect.BLAZEFACE", folder / "gone.tflite")
    assert main(["photo", "me.png", "--json"]) == 0
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)["faces"]) == 1
    (line,) = lines(shown.err)
    assert "gone.tflite: is missing" in line
    without_models(monkeypatch)
    assert main(["doctor"]) == 0
    notes = [line for line in lines(capsys.readouterr().out) if line.startswith("note")]
    assert any("gone.tflite: is missing" in line for line in notes)


@pytest.mark.parametrize("argv", [[], ["--detector", "haar"]])
def test_run_passes_the_detector_on(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class StartedError(Exception):
        pass

    def start(*_: object) -> None:
        raise StartedError

    monkeypatch.setenv("PORT", "web")  # an option goes before it, for the server too
    monkeypatch.setenv("EMOREC_DETECTOR", "auto")
    monkeypatch.setenv("EMOREC_PEOPLE", " ")
    monkeypatch.setenv("EMOREC_SESSIONS", "")
    monkeypatch.setattr("os.execv", start)
    port = free_port()
    with pytest.raises(StartedError):
        main(["run", "--port", str(port), *argv])
    assert os.environ["PORT"] == str(port)
    assert os.environ["EMOREC_DETECTOR"] == (argv[-1] if argv else "auto")
    assert os.environ["EMOREC_PEOPLE"] == "1"
    assert os.environ["EMOREC_SESSIONS"] == "ask"


@pytest.fixture
def enrolled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Somebody in a store of their own: the face in the portrait."""
    pytest.importorskip("dlib")
    from emorec.people.embedding import FaceEmbedder
    from emorec.people.gallery import open_gallery

    monkeypatch.setenv("EMOREC_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    portrait = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    open_gallery().enrol("Eileen", FaceEmbedder().embed(portrait, [(171, 59, 281, 169)]), True)
    return "Eileen"


def test_photo_says_names_only_where_they_are_asked_for_and_each_once(
    enrolled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = tmp_path / "twice.png"
    Image.fromarray(np.hstack([skimage.data.astronaut()] * 2)).save(twice)
    assert main(["photo", str(twice), "--json", "--names"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert sorted(face["name"] or "" for face in record["faces"]) == ["", enrolled]
    assert main(["photo", str(twice), "--names"]) == 0
    assert f", {enrolled}, " in capsys.readouterr().out
    assert main(["photo", str(twice), "--json"]) == 0
    assert not any("name" in face for face in json.loads(capsys.readouterr().out)["faces"])


def test_photo_has_a_readable_line_a_face(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["photo", "me.png", "wall.png"]) == 0
    face, nobody = lines(capsys.readouterr().out)
    expected = EmotionRecognizer().analyze(read_photo(Path("me.png"))).faces[0]
    box = ", ".join(map(str, expected.box))
    assert face == f"me.png: face 1, {expected.emotion} {percent(expected.confidence)}, at {box}"
    assert nobody == "wall.png: no face found"


def test_a_bad_photo_has_its_line_and_the_others_go_through(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["bad.jpg", "wall.png", "gone.jpg", "empty.jpg", "dot.png"]
    assert main(["photo", *files, "--json"]) == 2
    shown = capsys.readouterr()
    assert [json.loads(line)["file"] for line in lines(shown.out)] == ["wall.png", "dot.png"]
    bad, gone, empty = lines(shown.err)
    assert bad.startswith("emorec: bad.jpg: not a picture")
    assert gone.startswith("emorec: gone.jpg: cannot be opened")
    assert empty.startswith("emorec: empty.jpg: the file is empty")


@pytest.mark.usefixtures("few_runs")
def test_a_fault_at_one_picture_has_its_line_and_the_others_go_through(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Reader.read

    def faulty(self: Reader, image_bgr: np.ndarray) -> FrameResult:
        if image_bgr.shape[:2] == (90, 120):
            cv2.resize(image_bgr, (0, 0))
        return real(self, image_bgr)

    monkeypatch.setattr(Reader, "read", faulty)
    assert main(["photo", "wall.png", "dot.png", "--out", "out"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "dot.png: no face found\n"
    (line,) = lines(shown.err)
    assert line.startswith("emorec: wall.png: cannot be read, by a fault of EmoRec itself")
    assert [path.name for path in Path("out").iterdir()] == ["dot_emorec.png"]
    assert main(["bench", "--image", "wall.png"]) == 0


def test_the_log_that_is_asked_for_holds_where_it_failed(folder: Path) -> None:
    code = (
        "import sys; from emorec.cli import main; from emorec.reading import Reader\n"
        "Reader.read = lambda *_: 1 / 0\n"
        "sys.exit(main(['photo', 'dot.png']))"
    )
    done = run_python("-c", code, env={"EMOREC_LOG": "json"})
    assert done.returncode == 2
    *log, line = lines(done.stderr.decode())
    assert "ZeroDivisionError" in line and "Traceback" in "".join(log)


def run_python(*argv: str, env: dict[str, str] | None = None, **options: object):
    return subprocess.run(
        [sys.executable, *argv],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (env or {}),
        check=False,
        **{"capture_output": True, **options},
    )


def test_a_panorama_costs_the_other_pictures_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaning = Image.fromarray(skimage.data.astronaut()).rotate(-25, center=(225, 115))
    wide = Image.new("RGB", (33_000, 260))
    wide.paste(leaning.crop((0, 0, 512, 260)))
    wide.save("wide.png")
    assert main(["photo", "wide.png", "me.png", "--json"]) == 0
    assert [json.loads(line)["file"] for line in lines(capsys.readouterr().out)] == [
        "wide.png",
        "me.png",
    ]


def test_a_picture_too_wide_for_a_png_is_read_and_its_result_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("1", (1_000_001, 1)).save("line.tif")
    # The cascade searches a million pixels in a row at once; the network would take a minute.
    assert main(["photo", "line.tif", "dot.png", "--detector", "haar", "--out", "out"]) == 2
    shown = capsys.readouterr()
    assert lines(shown.out) == ["line.tif: no face found", "dot.png: no face found"]
    (line,) = lines(shown.err)
    assert "1000001×1 pixels cannot be written as PNG" in line
    assert [path.name for path in Path("out").iterdir()] == ["dot_emorec.png"]


@pytest.mark.parametrize(
    ("encoding", "argv"), [("utf-8", []), ("cp1251", []), ("ascii", ["--json"])]
)
def test_a_name_that_cannot_be_shown_is_escaped(
    folder: Path, encoding: str, argv: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Python decodes what stands on the command line.
    names = [
        os.fsdecode(name)
        for name in (b"caf\xe9.png", "\u0416 \u2026.png".encode(), b"two\nlines \x1b[31m.png")
    ]
    for name in names:
        try:
            Path(name).write_bytes(Path("dot.png").read_bytes())
        except OSError:
            pytest.skip("this file system takes no such name")
    out, err = io.BytesIO(), io.BytesIO()
    for stream, kept in (("stdout", out), ("stderr", err)):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(kept, encoding, errors="strict"))
    assert main(["photo", *names, os.fsdecode(b"gone \xe9\n.png"), *argv]) == 2
    assert len(out.getvalue().splitlines()) == len(names)
    (line,) = err.getvalue().decode(encoding).splitlines()
    assert line.startswith("emorec: gone ")
    assert b"\x1b" not in out.getvalue()


@pytest.mark.long
@pytest.mark.usefixtures("few_runs")
def test_bench_speaks_in_any_locale(folder: Path) -> None:
    code = (
        "import sys, emorec.bench; emorec.bench.RUNS = 1\n"
        "from emorec.cli import main; sys.exit(main(['bench', '--image', 'wall.png']))"
    )
    done = run_python("-c", code, env={"PYTHONIOENCODING": "cp1251:strict"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"640x480, faces: 0")
    for argv in (["--help"], ["bench", "--help"]):
        done = run_python("-m", "emorec", *argv, env={"PYTHONIOENCODING": "ascii:strict"})
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = ["photo", "dot.png", "wall.png"]
    for argv in (photo, ["doctor"]):
        with Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", full)
            assert main(argv) == 2
        (line,) = lines(capsys.readouterr().err)
        assert line.startswith("emorec: the output cannot be written (No space left")
    # What Python itself says at its end, of an output that it cannot write, is held back too.
    with Path("/dev/full").open("wb") as full:
        argv = ("-m", "emorec", *photo)
        pipes = {"stdout": full, "stderr": subprocess.PIPE, "capture_output": False}
        done = run_python(*argv, "--out", "out", **pipes)
        assert (done.returncode, len(lines(done.stderr.decode()))) == (2, 1)
        assert len(list(Path("out").iterdir())) == 2  # which were still wanted
        done = run_python(
            *argv, "bad.jpg", stderr=full, stdout=subprocess.PIPE, capture_output=False
        )
        assert done.returncode == 2
        assert len(done.stdout.splitlines()) == 2


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-", "| head -n 1"])
def test_a_closed_output_costs_no_result(folder: Path, closed: str) -> None:
    pictures = "dot.png bad.jpg wall.png dot.png"
    command = f"{sys.executable} -m emorec photo {pictures} --out out {closed}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2  # for bad.jpg
    assert len(list(Path("out").iterdir())) == 3
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_a_folder_and_a_pattern_stand_for_their_pictures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (
        "pics/b.png",
        "pics/a.PNG",
        "pics/.hidden.png",
        "pics/more/c.png",
        "pics/notes.txt",
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(Path("dot.png").read_bytes())
    Path("pics/folder.png").mkdir()
    Path("odd[1].png").write_bytes(Path("dot.png").read_bytes())
    assert main(["photo", "pics", "pics/*.p*", f"{folder}/d?t.png", "odd[1].png", "--json"]) == 0
    assert [json.loads(line)["file"] for line in lines(capsys.readouterr().out)] == [
        *(str(Path(name)) for name in ("pics/a.PNG", "pics/b.png", "pics/b.png")),
        str(folder / "dot.png"),
        "odd[1].png",
    ]


def test_what_stands_for_no_picture_has_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("none").mkdir()
    arguments = ["none", "*.gone", "x" * 5000, "x\0.png", "dot.png"]
    assert main(["photo", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == "dot.png: no face found\n"
    empty, pattern, long, zero = lines(shown.err)
    assert empty.startswith("emorec: none: no picture is in this folder (jpg, ")
    assert pattern == "emorec: *.gone: no file has such a name."
    assert "too long" in long
    assert "cannot be opened" in zero


def test_a_dash_reads_standard_input(folder: Path) -> None:
    argv = ("-m", "emorec", "photo", "-", "wall.png", "--json", "--out", "out")
    done = run_python(*argv, input=Path("me.png").read_bytes())
    assert done.returncode == 0, done.stderr
    read, wall = (json.loads(line) for line in lines(done.stdout.decode()))
    assert (read["file"], len(read["faces"]), wall["file"]) == ("-", 1, "wall.png")
    assert {path.name for path in Path("out").iterdir()} == {
        "standard-input_emorec.png",
        "wall_emorec.png",
    }
    done = run_python("-m", "emorec", "photo", "-", input=b"")
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = lines(done.stderr.decode())
    assert line.startswith("emorec: standard input: the file is empty.")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("detector", ["haar", pytest.param("auto", marks=pytest.mark.long)])
def test_memory_does_not_grow_with_the_number_of_pictures(folder: Path, detector: str) -> None:
    Path("pics").mkdir()
    for number in range(70):
        shape = 600 + number % 7 * 20, 800 + number % 5 * 20, 3
        Image.fromarray(np.full(shape, number, np.uint8)).save(f"pics/{number:03}.bmp")
    program = (
        "import builtins, os, resource, sys; from emorec.cli import main; said, mb = print, []\n"
        "def told(*args, **options):\n"
        "    said(*args, **options)\n"
        "    pages = int(open('/proc/self/statm').read().split()[1])\n"
        "    mb.append(pages * resource.getpagesize() / 2**20)\n"
        "builtins.print = told\n"
        f"code = main(['photo', 'pics', '--json', '--detector', '{detector}', '--out', 'out'])\n"
        "said(max(mb[10:20]), max(mb[60:]), file=sys.stderr); sys.exit(code)"
    )
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    assert len(lines(done.stdout.decode())) == 70
    early, late = map(float, done.stderr.split())
    assert late - early < 30  # the pixels of one picture are 1.6 MB, those of 50 pictures 80 MB


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "name a command, as in `emorec photo me.jpg`"),
        (["photo"], "name the pictures to read, as in `emorec photo me.jpg`"),
        (["photo", "--json"], "name the pictures to read"),
        (["photo", "me.png", "--overwrite"], "--out DIR"),
    ],
    ids=str,
)
def test_wrong_usage_says_what_to_do(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(argv)
    assert said in lines(capsys.readouterr().err)[-1]


def test_what_is_not_read_of_a_file_is_said_beside_the_output(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    pages[0].save("pages.tif", save_all=True, append_images=pages[1:])
    assert main(["photo", "pages.tif", "--json"]) == 0
    shown = capsys.readouterr()
    assert len(lines(shown.out)) == 1
    assert shown.err == "emorec: pages.tif: holds several pages: only the first is read.\n"


def test_out_keeps_every_picture_apart(folder: Path) -> None:
    Path("sub").mkdir()
    Image.new("RGB", (30, 20), "red").save("sub/me.png")
    Image.new("RGB", (40, 20), "red").save("ME.tif")
    assert main(["photo", "me.png", "me.bmp", "sub/me.png", "ME.tif", "--out", "new/out"]) == 0
    sizes = {path.name: Image.open(path).size for path in Path("new/out").iterdir()}
    assert sizes == {
        "me_emorec.png": (512, 512),
        "me_emorec_2.png": (512, 512),
        "me_emorec_3.png": (30, 20),
        "ME_emorec_4.png": (40, 20),
    }


def test_out_never_overwrites_an_input(folder: Path) -> None:
    Image.new("RGB", (30, 20), "red").save("me_emorec.png")
    before = Path("me_emorec.png").read_bytes()
    assert main(["photo", "me.png", "me_emorec.png", "--out", "."]) == 0
    assert Path("me_emorec.png").read_bytes() == before
    assert Image.open("me_emorec_2.png").size == (512, 512)
    assert Image.open("me_emorec_emorec.png").size == (30, 20)


def test_out_marks_the_faces(folder: Path) -> None:
    assert main(["photo", "me.png", "wall.png", "--out", "out"]) == 0
    marked = {name: read_photo(Path(f"out/{name}_emorec.png")) for name in ("me", "wall")}
    assert (marked["me"] != read_photo(Path("me.png"))).any()
    assert np.array_equal(marked["wall"], read_photo(Path("wall.png")))


def test_out_draws_labels_and_the_bars_on_demand(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = read_photo(Path("me.png"))
    faces = EmotionRecognizer().analyze(image).faces
    for options, show in ([], "label"), (["--bars"], "all"):
        assert main(["photo", "me.png", "--out", show, *options]) == 0
        drawn = read_photo(Path(f"{show}/me_emorec.png"))
        np.testing.assert_array_equal(drawn, draw_faces(image, faces, show))
    with pytest.raises(SystemExit) as end:
        main(["photo", "me.png", "--bars"])
    assert end.value.code == 2
    assert "--out DIR" in capsys.readouterr().err


def test_a_second_run_overwrites_no_result_unless_it_is_told_to(folder: Path) -> None:
    assert main(["photo", "me.png", "--out", "out"]) == 0
    first = Path("out/me_emorec.png").read_bytes()
    assert main(["photo", "me.png", "--detector", "haar", "--out", "out"]) == 0
    assert Path("out/me_emorec.png").read_bytes() == first
    assert Path("out/me_emorec_2.png").read_bytes() != first
    Image.new("RGB", (30, 20), "red").save("me.png")
    assert main(["photo", "me.png", "--out", "out", "--overwrite"]) == 0
    assert Image.open("out/me_emorec.png").size == (30, 20)
    assert len(list(Path("out").iterdir())) == 2


def test_out_overwrites_no_input_even_when_it_is_told_to(folder: Path) -> None:
    Image.new("RGB", (30, 20), "red").save("me_emorec.png")
    Path("link").symlink_to(".")
    before = Path("me_emorec.png").read_bytes()
    assert main(["photo", "me.png", "me_emorec.png", "--out", "link", "--overwrite"]) == 0
    assert Path("me_emorec.png").read_bytes() == before


@pytest.mark.long
def test_two_runs_at_once_lose_nothing(folder: Path) -> None:
    command = [sys.executable, "-m", "emorec", "photo", *["dot.png"] * 20, "--out", "out"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    runs = [subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert len(list(Path("out").iterdir())) == 40


def test_a_result_that_cannot_be_written_costs_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out/me_emorec.png").mkdir(parents=True)
    long = "ä" * 120 + ".png"
    Path(long).write_bytes(Path("dot.png").read_bytes())
    assert main(["photo", "me.png", "wall.png", long, "--out", "out", "--overwrite"]) == 2
    (line,) = lines(capsys.readouterr().err)
    assert line.startswith(f"emorec: {Path('out/me_emorec.png')}: cannot be written")
    names = sorted(path.name for path in Path("out").iterdir())
    assert names[:2] == ["me_emorec.png", "wall_emorec.png"]
    assert names[2].startswith("äää") and names[2].endswith("_emorec.png")


@pytest.mark.parametrize("out", ["loop", "loop/deeper", "bad.jpg/deeper"])
def test_out_that_cannot_be_a_folder_is_one_line_before_anything_is_read(
    out: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("loop").symlink_to("loop")
    assert main(["photo", "wall.png", "--out", out]) == 2
    shown = capsys.readouterr()
    assert not shown.out
    (line,) = lines(shown.err)
    assert "cannot be written" in line


def test_an_input_that_is_a_loop_has_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("loop.png").symlink_to("loop.png")
    assert main(["photo", "loop.png", "dot.png", "--out", "out"]) == 2
    shown = capsys.readouterr()
    assert lines(shown.err)[0].startswith("emorec: loop.png: cannot be opened")
    assert shown.out == "dot.png: no face found\n"


def test_out_that_is_a_file_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["photo", "wall.png", "--out", "bad.jpg"]) == 2
    err = lines(capsys.readouterr().err)
    assert len(err) == 1
    assert "cannot be written" in err[0]


def test_a_missing_model_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emorec.model.store.MODELS", folder / "none")
    assert main(["photo", "me.png"]) == 2
    err = lines(capsys.readouterr().err)
    assert len(err) == 1
    assert "elu_cnn.tflite: no such model" in err[0]


def without_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading the models by Keras takes seconds, and the others of doctor's tests need none."""
    monkeypatch.setattr("emorec.doctor.findings._models", tuple)


@pytest.mark.parametrize(
    ("setting", "name", "content", "why"),
    [
        ("CASCADE", "cascade.xml", None, "the face cascade is missing"),
        ("CASCADE", "cascade.xml", b"<xml/>", "no cascade that OpenCV can read"),
        ("MODELS", "models", None, "no model there"),
        ("MODELS", "models/elu_cnn.tflite", b"junk", "contract must stand beside"),
    ],
)
def test_doctor_tells_what_is_not_sound(
    setting: str,
    name: str,
    content: bytes | None,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    place = tmp_path / name.split("/")[0]
    monkeypatch.setattr(f"emorec.doctor.findings.{setting}", place)
    if setting != "MODELS":
        without_models(monkeypatch)
    assert main(["doctor"]) == 2
    failed = [line for line in lines(capsys.readouterr().out) if line.startswith("FAIL")]
    assert len(failed) == 1
    assert why in failed[0]


def test_doctor_names_every_wrong_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("emorec.doctor.findings.MODELS", MODELS / "none")
    wrong = dict(WRONG)
    for name, text in wrong.items():
        monkeypatch.setenv(name, text)
    assert main(["doctor"]) == 2
    shown = capsys.readouterr()
    failed = [line.split()[1] for line in lines(shown.out) if line.startswith("FAIL")]
    assert sorted(failed) == sorted([*(f"{name}:" for name in wrong), f"{MODELS / 'none'}:"])
    assert "hidden" not in shown.out and not shown.err


def test_doctor_names_a_policy_that_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_models(monkeypatch)
    monkeypatch.setenv("EMOREC_ICE_SERVERS", "[]")
    monkeypatch.setenv("EMOREC_ICE_POLICY", "relay")
    assert main(["doctor"]) == 2
    assert "FAIL  EMOREC_ICE_POLICY: relay needs a TURN server" in capsys.readouterr().out


def test_doctor_names_a_package_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_models(monkeypatch)
    monkeypatch.setattr("emorec.doctor.findings._PACKAGES", ("numpy", "no-such-package-of-emorec"))
    assert main(["doctor"]) == 2
    assert "FAIL  no-such-package-of-emorec: not installed" in capsys.readouterr().out


@pytest.fixture
def few_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emorec.bench.RUNS", 3)
    monkeypatch.setattr("emorec.bench._WARM_UP_RUNS", 0)


@pytest.mark.usefixtures("few_runs")
def test_bench_times_the_stages(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == ["size", "faces", "runs", "stage_ms", "total_ms", "analyses_per_s"]
    assert (report["size"], report["faces"], report["runs"]) == ([640, 480], 1, 3)
    assert {"detect", "crop", "classify"} <= report["stage_ms"].keys()
    assert all(ms >= 0 for ms in report["stage_ms"].values())
    assert report["analyses_per_s"] == pytest.approx(1000 / report["total_ms"], abs=0.051)
    assert main(["bench", "--image", "wall.png"]) == 0
    shown = capsys.readouterr().out
    assert "640x480, faces: 0" in shown
    assert all(stage in shown for stage in report["stage_ms"])
    assert "analyses a second" in shown


@pytest.mark.usefixtures("few_runs")
def test_bench_without_a_picture_says_what_to_pass(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    assert main(["bench"]) == 2
    assert "pass --image FILE" in capsys.readouterr().err
    assert main(["bench", "--image", "bad.jpg"]) == 2
    assert "bad.jpg: not a picture" in capsys.readouterr().err
    assert main(["bench", "--image", "dot.png"]) == 0


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="needs a user's number without a name")
@pytest.mark.parametrize(("command", "code"), [("run", 2), ("doctor", 2), ("photo", 0)])
def test_a_user_without_a_home_is_told_what_to_set(folder: Path, command: str, code: int) -> None:
    # As a container's user whose number stands in no list, and a service of systemd's.
    program = (
        "import os, pwd, sys\n"
        "os.environ.pop('HOME', None)\n"
        "def unknown(number): raise KeyError(number)\n"
        "pwd.getpwuid = unknown\n"
        "from emorec.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    argv = [command, *(["dot.png"] if command == "photo" else [])]
    done = run_python("-c", program, *argv, env={"EMOREC_ICE_SERVERS": "[]"})
    assert done.returncode == code, done.stderr
    said = done.stdout.decode() + done.stderr.decode()
    assert ("set HOME to a folder" in said) == bool(code)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("path", "address"), [("", ""), ("emorec", "/emorec"), ("/faces/emorec/", "/faces/emorec")]
)
def test_run_says_the_path_that_the_app_has(
    path: str, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", path)
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("EMOREC_PEOPLE", "")
    monkeypatch.setattr("os.execv", lambda *_: sys.exit(0))
    port = free_port()
    with pytest.raises(SystemExit):
        main(["run", "--port", str(port)])
    assert f"http://localhost:{port}{address} " in capsys.readouterr().out


def free_port() -> int:
    with socket.create_server(("", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("from_env", [False, True])
def test_a_port_that_is_taken_is_one_line(
    from_env: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("", 0)) as server:
        port = str(server.getsockname()[1])
        monkeypatch.setenv("PORT", port if from_env else "1")
        assert main(["run"] if from_env else ["run", "--port", port]) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert len(lines(shown.err)) == 1
    assert f"port {port} " in shown.err
    assert "--port" in shown.err


def test_a_port_from_the_environment_must_be_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "web")
    assert main(["run"]) == 2
    (line,) = lines(capsys.readouterr().err)
    assert line == "emorec: PORT: expected a number from 1 to 65535. Received 'web'."


def test_run_serves_the_app(tmp_path: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "emorec", "run"],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true"},
        stdout=subprocess.PIPE,
        text=True,
    ) as app:
        try:
            assert app.stdout is not None
            assert app.stdout.readline().startswith(f"EmoRec on http://localhost:{port}")
            assert health(app, port) == "ok"
        finally:
            app.kill()  # asked nicely this early, Streamlit may miss it


def health(app: subprocess.Popen, port: int, patience_s: float = 60) -> str:
    end = time.monotonic() + patience_s
    while time.monotonic() < end and app.poll() is None:
        try:
            with urllib.request.urlopen(
                f"http://localhost:{port}/_stcore/health", timeout=2
            ) as answer:
                return answer.read().decode()
        except OSError:  # refused, reset or too slow: it is still starting
            time.sleep(0.1)
    return f"ended with {app.poll()}"
