"""How much of the faces still shows in the pictures that are returned with blur on.

    python -m benchmarks.blur [--every 3] [--only NAME] [--out FILE]
    python -m benchmarks.blur --show FILE

Films of two known heads (`testkit.heads`) on cluttered backgrounds, some of them cut to the other
head, another place, size and background every 0.4 s, are read by the live pipeline with caution and
drawn with blur, as on the live page. A picture counts if at least a third of a face's box is in it.
A face is *sharp* if a third or more of its visible detail is returned unchanged: the detail is the
absolute Laplacian of the picture that came in, and a pixel is unchanged if its brightness differs
by no more than 8 levels in 255.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path as File
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.machine import machine, versions
from benchmarks.report import add_options, deliver
from emorec import EmotionRecognizer, Settings
from emorec.live.frame import Frame, View, draw
from testkit.backgrounds import Image
from testkit.heads import Sprite, astronaut_head, hopper_head
from testkit.scenes import FPS, Actor, Path, Pose, Scene, Truth, film

SIZE_WH = (640, 480)
SIDES = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}
TILTS = (0, 30, 60, 90, 120, 150, 180)
FACES_PX = (60, 120)
SHARP = 1 / 3
"""Share of a face's visible detail that, returned unchanged, makes it sharp."""
_COUNTED = 1 / 3  # least share of a face's box in the picture
_UNCHANGED = 8  # levels of brightness
_SECONDS = 1.6
_CUT_FILMS, _CUTS, _CUT_S = 3, 8, 0.4
CONTROLS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "not mirrored": {"mirror": False},
    "group only": {"group_only": True},
    "smallest face 200 px": {"min_face_px": 200},
    "haar": {"detector": "haar"},
}


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=3, help="read every so many frames of 25/s")
    parser.add_argument("--only", nargs="+", help="these kinds of film")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measure(args.every, args.only), table)


def measure(every: int, only: list[str] | None) -> dict[str, Any]:
    """Read all films and count the pictures in which a face is sharp."""
    where = machine()
    kinds = {name: scenes for name, scenes in films().items() if not only or name in only}
    controls = {name: change for name, change in CONTROLS.items() if name != "as it comes"}
    rows = {name: counted(scenes, every, {}) for name, scenes in kinds.items()}
    # The other controls with a film of every third kind: none of them may weaken blur.
    for name, change in controls.items() if not only else ():
        few = [scenes[0] for scenes in list(kinds.values())[::3]]
        rows[f"a film of every third kind, {name}"] = counted(few, every, change)
    return {
        "command": f"python -m benchmarks.blur --every {every}",
        **where,
        "packages": versions(File(sys.executable), ["ai-edge-litert", "numpy"]),
        "films": rows,
    }


Film = tuple[Scene, ...]
"""Scenes in a row, with a cut from one to the next."""


def films() -> dict[str, list[Film]]:
    """Return the films of each kind: a head that comes in from a side, tilted heads, and cuts."""
    kinds: dict[str, list[Film]] = {}
    for side, away in SIDES.items():
        for speed in (120, 360):
            kinds[f"half in from the {side}, {speed} px/s"] = [
                (_scene(number, head, entering(away, px, speed)),)
                for number, (head, px) in enumerate(_heads())
            ]
    for tilt in TILTS:
        kinds[f"tilt {tilt}°"] = [
            (_scene(number, head, swaying(px, tilt * (-1) ** number)),)
            for number, (head, px) in enumerate(_heads())
        ]
    kinds["cuts"] = [_cuts(number) for number in range(_CUT_FILMS)]
    return kinds


def entering(away: tuple[int, int], px: float, speed: float) -> Path:
    """Return the way of a face that slides in and stops with its middle on the border."""
    half = np.array(SIZE_WH) / 2
    border = half + half * away + np.array(away[::-1]) * (0.3 * px)

    def at(time_s: float) -> Pose:
        left = max(px - speed * time_s, 0)
        x, y = border + left * np.array(away)
        return Pose(float(x), float(y), px)

    return at


def swaying(px: float, tilt_deg: float) -> Path:
    """Return the way of a tilted face that moves a little."""
    x, y = SIZE_WH[0] / 2, SIZE_WH[1] / 2
    return lambda t: Pose(x + 20 * math.sin(3 * t), y + 12 * math.cos(2 * t), px, tilt_deg)


def counted(own: list[Film], every: int, change: dict[str, Any]) -> dict[str, int]:
    """Count pictures, and those in which a face is sharp."""
    shares = [share for scenes in own for share in shown(scenes, every, change)]
    return {"pictures": len(shares), "sharp": sum(share >= SHARP for share in shares)}


def shown(scenes: Film, every: int, change: dict[str, Any]) -> Iterator[float]:
    """Yield the share of a face's detail that is returned, for each picture that counts."""
    detector, min_face_px = change.get("detector", "auto"), change.get("min_face_px")
    settings = Settings(min_face_px=min_face_px, cautious=True, detector=detector)
    view = View("blur", change.get("mirror", True), change.get("group_only", False))
    reader = EmotionRecognizer(settings=settings).reader("live")
    for number, painted in enumerate(frame for scene in scenes for frame in film(scene)):
        if number % every:
            continue
        image, time_s = painted.image_bgr, number / FPS
        frame = Frame(av.VideoFrame.from_ndarray(image, format="bgr24"), time_s)
        frame.result = reader.read(frame.image(), time_s)
        planes = draw(frame, None, view).planes
        returned = planes[: image.shape[0]]
        returned = returned[:, ::-1] if view.mirror else returned
        came = cv2.cvtColor(frame.image(), cv2.COLOR_BGR2YUV_I420)[: image.shape[0]]
        for truth in painted.truths:
            if truth.visible >= _COUNTED:
                yield kept(came, returned, truth)


def kept(came: Image, returned: Image, truth: Truth) -> float:
    """Return the share of the face's detail that is unchanged in the returned picture."""
    height, width = came.shape
    x1, y1, x2, y2 = np.rint(truth.box_xyxy).astype(int).clip(0, [width, height, width, height])
    detail = np.abs(cv2.Laplacian(cv2.GaussianBlur(came, (0, 0), 1.0), cv2.CV_32F))[y1:y2, x1:x2]
    change = cv2.absdiff(np.ascontiguousarray(returned), came)[y1:y2, x1:x2]
    return float(detail[change <= _UNCHANGED].sum() / max(detail.sum(), 1e-6))


def _heads() -> list[tuple[Sprite, int]]:
    return [(astronaut_head(), FACES_PX[0]), (hopper_head(), FACES_PX[1])]


def _still(pose: Pose, time_s: float) -> Pose:
    return pose


def _cuts(number: int) -> Film:
    """Return scenes of one head each: the other one, anywhere, of any size, from cut to cut."""
    rng = np.random.default_rng([number, 7])
    heads = [astronaut_head(), hopper_head()]
    scenes = []
    for cut in range(_CUTS):
        side = rng.uniform(50, 200)
        x, y = rng.uniform(side / 2, np.array(SIZE_WH) - side / 2)
        pose = Pose(float(x), float(y), float(side))
        actor = Actor(1, heads[cut % 2], partial(_still, pose))
        scenes.append(Scene("cuts", SIZE_WH, _CUT_S, [actor], seed=10 * number + cut))
    return tuple(scenes)


def _scene(number: int, head: Sprite, path: Path) -> Scene:
    return Scene("blur", SIZE_WH, _SECONDS, [Actor(1, head, path)], seed=number)


def table(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    lines = ["| films | pictures | with a sharp face |", "|---|--:|--:|"]
    lines += [f"| {name} | {n['pictures']} | {n['sharp']} |" for name, n in report["films"].items()]
    sums = [sum(n[key] for n in report["films"].values()) for key in ("pictures", "sharp")]
    return "\n".join([*lines, f"| all | {sums[0]} | {sums[1]} |"])


if __name__ == "__main__":
    main()
