"""Detection on photographs of many people, and in rooms of different people.

    python -m benchmarks.photos --photos DIR [--peers-python peers/bin/python] [--out FILE]
    python -m benchmarks.photos --show FILE

DIR holds photographs of one main face each, cropped more or less tightly. A main face is found if a
box is wider than a third of the picture; every other box counts as false. In a room, people from
those photographs (`benchmarks.room.portraits`) stand in rows, once in grey, once in colour, with
faces 94 pixels wide; a face is found if a box no more than twice as large contains its middle half.
All programs read the same pictures, in separate processes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.detection import LOOKS, OWN
from benchmarks.machine import machine, run, versions
from benchmarks.report import add_options, deliver
from benchmarks.speed import hits

Image = npt.NDArray[np.uint8]

ROOMS = {"25 at 1280×720": ((1280, 720), 5, 5), "50 at 1920×1080": ((1920, 1080), 10, 5)}
"""Size of the picture, columns and rows of people."""
_FACE_PX = 94
_SETTINGS = "as it comes"  # EmoRec's `analyze`, which also reads the faces
_MAIN = 1 / 3  # of the picture's longer side
_ROOMS_EACH = 4  # with other people in each


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, metavar="DIR", help="of one main face each")
    parser.add_argument("--peers-python", type=Path, metavar="PATH", help="has fer and mtcnn")
    parser.add_argument("--every", type=int, default=1, help="take every so many photographs")
    add_options(parser)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker[0], Path(args.worker[1]))
        return
    if args.photos is None and args.show is None:
        parser.error("--photos is needed")
    deliver(args, lambda: measure(args), tables)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Run all programs on all photographs and rooms, and count."""
    where = machine()
    own, peers = Path(sys.executable), args.peers_python
    names = [_SETTINGS, "auto, from 48 px", "haar", *(["fer", "mtcnn"] if peers else [])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = sorted(p for p in args.photos.rglob("*") if p.suffix.lower() in (".jpg", ".png"))
        photos = photos[:: args.every]
        truths = {}
        for label, (size_wh, columns, rows) in ROOMS.items():
            for kind in ("grey", "colour"):
                for number in range(_ROOMS_EACH):
                    image, truth = room(
                        args.photos, number, kind == "colour", size_wh, columns, rows
                    )
                    file = folder / f"{label}, {kind}, {number}.png"
                    cv2.imwrite(str(file), image)
                    truths[file.name] = truth
        (folder / "photos.json").write_text(json.dumps([str(path.resolve()) for path in photos]))
        runs = {}
        for look in names:
            python = own if look in (_SETTINGS, *OWN) else peers
            run(python, ["-m", __spec__.name, "--worker", look, str(folder)])
            told = json.loads((folder / f"{look}.json").read_text())
            runs[look] = counted(told, truths)
    return {
        "command": "python -m benchmarks.photos --photos DIR"
        + (" --peers-python PYTHON" if peers else ""),
        **where,
        "packages": versions(own, ["ai-edge-litert", "numpy", "opencv-python-headless"]),
        "photographs": len(photos),
        "rooms_each": _ROOMS_EACH,
        "runs": runs,
    }


def room(
    photos: Path, number: int, colour: bool, size_wh: tuple[int, int], columns: int, rows: int
) -> tuple[Image, list[list[float]]]:
    """Return a picture of people in rows, other ones for each number, and where their faces are."""
    from benchmarks.room import portraits
    from testkit.backgrounds import background

    count = columns * rows
    everyone = portraits(photos, count * 2 if count < 50 else count, colour)
    people = np.random.default_rng(number).permutation(len(everyone))[:count]
    width, height = size_wh
    picture = cv2.GaussianBlur(background(np.random.default_rng(number), size_wh, 0), (0, 0), 3)
    truth = []
    for place, person in enumerate(people):
        image, side = everyone[person]
        scale = _FACE_PX / side
        sprite = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        h, w = sprite.shape[:2]
        row, column = divmod(place, columns)
        left = int((column + 0.5) * width / columns - w / 2)
        top = min(max(int((row + 0.5) * height / rows - h / 2), 0), height - h)
        picture[top : top + h, left : left + w] = sprite
        # The portrait's margins beside the face are alike, and a little more is above than below.
        x, y = left + w / 2, top + h / 2 + 0.03 * _FACE_PX
        half = _FACE_PX / 2
        truth.append([x - half, y - half, x + half, y + half])
    return np.asarray(picture, np.uint8), truth


def worker(name: str, folder: Path) -> None:
    """Look at everything; write the boxes, why faces cannot be read, and the milliseconds."""
    look = _analyze() if name == _SETTINGS else _boxes(name)
    files = [Path(path) for path in json.loads((folder / "photos.json").read_text())]
    told: dict[str, Any] = {"photos": [], "rooms": {}, "ms": []}
    for file in [*files, *sorted(folder.glob("*.png"))]:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if image is None:
            raise SystemExit(f"{file}: is no picture that can be read")
        began = perf_counter()
        faces = look(image)
        ms = (perf_counter() - began) * 1000
        if file.parent == folder:
            told["rooms"][file.name] = {"faces": faces, "ms": ms}
        else:
            told["photos"].append({"size": image.shape[1::-1], "faces": faces})
            told["ms"].append(ms)
    (folder / f"{name}.json").write_text(json.dumps(told))
    print("done")


def _analyze() -> Any:
    from emorec import EmotionRecognizer

    engine = EmotionRecognizer()
    return lambda image: [
        {"box": list(face.box), "unreadable": face.unreadable}
        for face in engine.analyze(image).faces
    ]


def _boxes(name: str) -> Any:
    look = LOOKS[name]()
    return lambda image: [
        {"box": [float(value) for value in box], "unreadable": None} for box in look(image)
    ]


def counted(told: dict[str, Any], truths: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Return the rates of one program."""
    found = false = cut_off = 0
    for photo in told["photos"]:
        least = _MAIN * max(photo["size"])
        main_faces = [face for face in photo["faces"] if face["box"][2] - face["box"][0] > least]
        found += bool(main_faces)
        false += len(photo["faces"]) - bool(main_faces)
        cut_off += any(face["unreadable"] == "cut off" for face in main_faces)
    rooms: dict[str, dict[str, Any]] = {}
    for name, looked in told["rooms"].items():
        kind = name.rpartition(", ")[0]
        boxes = [face["box"] for face in looked["faces"]]
        hit = hits(boxes, np.array(truths[name]))
        own = rooms.setdefault(kind, {"found": [], "false": [], "ms": []})
        own["found"].append(hit)
        own["false"].append(len(boxes) - hit)
        own["ms"].append(round(looked["ms"], 1))
    count = len(told["photos"])
    return {
        "main_found": round(found / count, 4),
        "false_per_photo": round(false / count, 4),
        "cut_off": round(cut_off / max(found, 1), 4),
        "photo_median_ms": round(median(told["ms"]), 1),
        "rooms": {
            kind: {
                "found": round(float(np.mean(own["found"])), 2),
                "false": round(float(np.mean(own["false"])), 2),
                "median_ms": median(own["ms"]),
            }
            for kind, own in rooms.items()
        },
    }


def tables(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    rooms = list(next(iter(report["runs"].values()))["rooms"])
    head = f"main face found, of {report['photographs']} | false a photograph"
    lines = [
        f'| | {head} | of those found "cut off" | ms | {" | ".join(rooms)} |',
        "|---|--:|--:|--:|--:|" + "--:|" * len(rooms),
    ]
    for name, own in report["runs"].items():
        cells = [
            f"{own['main_found']:.1%}",
            f"{own['false_per_photo']:.3f}",
            f"{own['cut_off']:.1%}" if name == _SETTINGS else "–",
            f"{own['photo_median_ms']:.0f}",
        ]
        cells += [f"{own['rooms'][r]['found']:g} / {own['rooms'][r]['false']:g}" for r in rooms]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "Rooms: faces found / false boxes, on average of a picture."])


if __name__ == "__main__":
    main()
