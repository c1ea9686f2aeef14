"""The standard pictures, on which detectors are measured, and the films, for trackers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from testkit.backgrounds import Rng, board
from testkit.heads import Sprite, astronaut_head
from testkit.scenes import FPS, Actor, Frame, Path, Pose, Scene, film


def pictures(
    face_px: float,
    tilt_deg: float,
    light: str,
    faces: int,
    heads: Sequence[Sprite] = (),
    size_wh: tuple[int, int] = (640, 480),
) -> Iterator[Frame]:
    """Paint pictures without a past until they show at least so many faces, none of them hidden.

    Args:
        face_px: side of a face; single ones differ by up to a twentieth.
        tilt_deg: how far heads lean, half of them to each side.
        light: one of `LIGHTS`.
        faces: how many in all; a picture holds from one large to eight small ones.
        heads: whose; the astronaut's where none are given.
        size_wh: of each picture.
    """
    heads = heads or [astronaut_head()]
    columns, rows = (max(1, int(side // (2.1 * face_px))) for side in size_wh)
    in_one = min(8, max(1, columns * rows // 2))
    for number in range(-(-faces // in_one)):
        seed = zlib.crc32(f"{face_px} {tilt_deg} {light} {number}".encode())
        rng = np.random.default_rng(seed)
        actors: list[Actor] = []
        for place in rng.permutation(columns * rows)[:in_one]:
            side = face_px * rng.uniform(0.95, 1.05)
            cell = np.array([place % columns, place // columns])
            roam = (np.array(size_wh) / (columns, rows) / side - 1.6) / 2
            x, y = (cell + 0.5) * size_wh / (columns, rows) + rng.uniform(-1, 1, 2) * np.maximum(
                roam, 0
            ) * side
            pose = Pose(x, y, side, tilt_deg * rng.choice([-1, 1]))
            head = heads[int(rng.integers(len(heads)))]
            actors.append(_actor(rng, len(actors) + 1, head, _still(pose), light))
        scene = Scene(light, size_wh, 1 / FPS, actors, seed, light)
        yield from film(scene)


def standard_scenes(seed: int = 0, head: Sprite | None = None) -> tuple[Scene, ...]:
    """Return the films that tracking is measured on, with other places and people per seed.

    crossing: two faces go to and fro at up to 160 pixels a second and hide each other twice.
    occlusion: two faces, and a board that passes in front of both, half a second each.
    entry and exit: four people come and go at 120 pixels a second, by three sides.
    camera shake: three faces, seen with an unsteady hand, up to 200 pixels a second.
    crowd: 25 faces from 56 to 76 pixels that sway.
    mover: one face that runs to and fro at 200 pixels a second.
    """
    rng = np.random.default_rng([seed, 5])
    head = head or astronaut_head()
    vga, hd = (640, 480), (1280, 720)

    def walks(face_id: int, path: Path) -> Actor:
        return _actor(rng, face_id, head, path)

    crossing = [
        walks(number + 1, _cross(way, y, side))
        for number, (way, y, side) in enumerate(
            zip((1, -1), 235 + rng.uniform(-15, 15, 2), (96, 108), strict=True)
        )
    ]
    occlusion = [
        walks(number + 1, _sway(rng, x, 230 + rng.uniform(-20, 20), 100))
        for number, x in enumerate((200, 440))
    ]
    size = (130, 380)
    occlusion.append(
        Actor(
            0,
            board(rng, size),
            lambda t: Pose(-150 + 250 * (t % 4), 260, size[0]) if t > 1 else None,
        )
    )
    visits = (  # from when, where, to where it comes and goes
        (0.0, (-80, 200), (150, 220)),
        (1.5, (720, 260), (480, 250)),
        (4.0, (320, 580), (320, 240)),
        (8.5, (-80, 260), (180, 230)),
    )
    entry = [
        walks(number + 1, _visit(begin, start, stay, 90 + rng.uniform(0, 20)))
        for number, (begin, start, stay) in enumerate(visits)
    ]
    shaken = [
        walks(number + 1, _sway(rng, x, y, 90))
        for number, (x, y) in enumerate(((130, 200), (320, 270), (510, 210)))
    ]
    beats = rng.uniform([0.7, 1.3, 2.1], [0.9, 1.7, 2.6], (2, 3))
    throw = np.array([12, 7, 4])
    crowd = [
        walks(
            5 * row + column + 1,
            _sway(rng, 128 + 256 * column, 80 + 140 * row, rng.uniform(56, 76)),
        )
        for row in range(5)
        for column in range(5)
    ]
    return (
        Scene("crossing", vga, 8, crossing, seed),
        Scene("occlusion", vga, 9, occlusion, seed),
        Scene("entry and exit", vga, 15, entry, seed),
        Scene(
            "camera shake",
            vga,
            8,
            shaken,
            seed,
            shake=lambda t: tuple((throw * np.sin(2 * np.pi * beats * t)).sum(axis=1)),
        ),
        Scene("crowd", hd, 8, crowd, seed),
        Scene("mover", hd, 10, [walks(1, _run)], seed),
    )


def _actor(rng: Rng, face_id: int, head: Sprite, path: Path, light: str = "even") -> Actor:
    side_light = rng.choice([-1, 1]) * (rng.uniform(0.7, 0.85) if light == "side" else 0.15)
    sprite = head.mirrored() if rng.random() < 0.5 else head
    return Actor(face_id, sprite, path, rng.uniform(0.85, 1.1), side_light)


def _still(pose: Pose) -> Path:
    """Return the path of a face that does not move."""
    return lambda time_s: pose


def _cross(way: int, y: float, side: float) -> Path:
    """Return the path of a face that goes to and fro over the picture, at first left or right."""

    def path(time_s: float) -> Pose:
        x = 320 - way * 205 * np.cos(2 * np.pi * time_s / 8)
        return Pose(x, y, side, 4 * np.sin(time_s + y))

    return path


def _sway(rng: Rng, x: float, y: float, side: float) -> Path:
    """Return the path of a face that sways by a third of its side and leans by up to 6 degrees."""
    phase, rate = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.15, 0.45, 4) * 2 * np.pi

    def path(time_s: float) -> Pose:
        a, b, c, d = np.sin(phase + rate * time_s)
        return Pose(x + 0.33 * side * a, y + 0.2 * side * b, side * (1 + 0.08 * c), 6 * d)

    return path


def _visit(
    begin_s: float, start: tuple[float, float], stay: tuple[float, float], side: float
) -> Path:
    """Return the path of a face that comes at 120 pixels a second, stays for 2 s, and goes back."""
    way = np.subtract(stay, start)
    walk_s = float(np.hypot(*way)) / 120

    def path(time_s: float) -> Pose | None:
        since = time_s - begin_s
        left = 2 * walk_s + 2 - since
        if since < 0 or left < 0:
            return None
        x, y = start + way * min(since / walk_s, left / walk_s, 1)
        return Pose(x, y, side)

    return path


def _run(time_s: float) -> Pose:
    """A straight run over 800 pixels and back; only in the turns is it slower than 200 a second."""
    swing = np.arcsin(0.99 * np.sin(2 * np.pi * (time_s / 8.6 - 0.25))) / np.arcsin(0.99)
    return Pose(640 + 400 * swing, 360 + 60 * np.sin(time_s), 110)
