"""Draw the pictures of this folder: ``python -m tests.pictures.draw``, then update the readings.

The pictures are variations of two portraits in the public domain (see `testkit.portraits`), as
different kinds of files. The files are committed so that the tests hold how they are decoded, too.
Draw them again only to change the set: another version of an encoder writes other pixels.
``expected.json`` gets the places of the faces from here, and the readings of the faces from
``EMOREC_UPDATE_GOLDEN=1 pytest tests/pictures``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from testkit.portraits import (
    Portrait,
    collins,
    cut,
    gray,
    hopper,
    infrared,
    resized,
    room,
    turned,
)

FOLDER = Path(__file__).parent
EXPECTED = FOLDER / "expected.json"
_ORIENTATION = 0x0112  # EXIF's tag


def main() -> None:
    """Write every picture, and where its faces are."""
    pillow_heif.register_heif_opener()
    small = cut(resized(collins(), 48), 1.5, 1.0, 1.5, 1.5)
    dark = cut(resized(hopper(), 100), 0.8, 0.6, 0.8, 0.8)
    dark = replace(dark, image_bgr=(dark.image_bgr * 0.25).astype(np.uint8))
    pictures = {
        "small.jpg": small,
        "tilted.png": turned(cut(resized(collins(), 90), 0.8, 0.6, 0.8, 0.8), 30),
        "dark.heic": dark,
        "gray.png": gray(cut(resized(hopper(), 100), 0.8, 0.6, 0.8, 0.8)),
        "infrared.jpg": infrared(cut(resized(collins(), 100), 0.8, 0.6, 0.8, 0.8)),
        "two.webp": room(2, 1, 110, (480, 270)),
        "crowd.jpg": room(6, 4, 64, (960, 540)),
        "nobody.png": room(0, 0, 60, (320, 240)),
    }
    for name, portrait in pictures.items():
        _save(FOLDER / name, portrait)
    places = {
        name: [{"box": face.round(1).tolist()} for face in portrait.faces]
        for name, portrait in pictures.items()
    }
    write_expected(places)


def write_expected(faces: dict[str, list[dict[str, Any]]]) -> None:
    """Write what is expected of each picture, a face a line."""
    parts = []
    for name, expected in faces.items():
        lines = ",\n".join(f"  {json.dumps(face)}" for face in expected)
        parts.append(
            f" {json.dumps(name)}: [\n{lines}\n ]" if lines else f" {json.dumps(name)}: []"
        )
    EXPECTED.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _save(file: Path, portrait: Portrait) -> None:
    picture = Image.fromarray(np.ascontiguousarray(portrait.image_bgr[..., ::-1]))
    if file.stem == "small":  # as a telephone held upright writes it: lying, and a note to turn it
        exif = Image.Exif()
        exif[_ORIENTATION] = 6
        picture.transpose(Image.Transpose.ROTATE_90).save(file, quality=92, exif=exif)
    elif file.stem == "gray":  # one channel
        picture.convert("L").save(file)
    elif file.stem == "nobody":  # with transparency, as a screenshot has it
        picture.convert("RGBA").save(file)
    else:
        picture.save(file, quality=90)


if __name__ == "__main__":
    main()
