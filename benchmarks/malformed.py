"""Thousands of damaged pictures: each must give a picture or one clear error line.

    python -m benchmarks.malformed [--count 10000] [--seed 1]

Real files of every format are truncated, overwritten, lengthened, or get flipped bits or another
file's header, and are then read. Prints how many were read and how many refused; exit code 1 if
anything else happened.
"""

from __future__ import annotations

import argparse
import io
import struct
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pillow_heif
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmarks.machine import peak_mb
from emorec.errors import ImageError
from emorec.media.photo import read_photo

CHANGES = ("cut", "flip", "overwrite", "swap header", "repeat", "number")
_HEADER = 64


def originals() -> dict[str, bytes]:
    """Return a small file of each format, and of each of its ways to hold pixels."""
    pillow_heif.register_heif_opener()
    picture = Image.radial_gradient("L").resize((80, 60)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 4)
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", 'tiff:Orientation="6"', zip=True)
    texts.add_text("parameters", "of a picture", zip=True)
    ways: dict[str, tuple[str, Image.Image, dict]] = {
        "jpeg": ("JPEG", picture, {"exif": exif}),
        "progressive jpeg": ("JPEG", picture, {"progressive": True}),
        "png": ("PNG", picture, {"exif": exif}),
        "palette png": ("PNG", picture.quantize(16), {}),
        "animated png": ("PNG", picture, {"save_all": True, "append_images": [picture]}),
        "webp": ("WEBP", picture, {"exif": exif.tobytes()}),
        "lossless webp": ("WEBP", picture, {"lossless": True}),
        "animated webp": ("WEBP", picture, {"save_all": True, "append_images": [picture]}),
        "bmp": ("BMP", picture, {}),
        "palette bmp": ("BMP", picture.quantize(16), {}),
        "tiff": ("TIFF", picture, {}),
        "lzw tiff": ("TIFF", picture, {"compression": "tiff_lzw"}),
        "jpeg tiff": ("TIFF", picture, {"compression": "jpeg"}),
        "tiff of pages": ("TIFF", picture, {"save_all": True, "append_images": [picture]}),
        "heic": ("HEIF", picture, {"exif": exif.tobytes()}),
        "heic of pictures": ("HEIF", picture, {"save_all": True, "append_images": [picture]}),
        "multi-picture jpeg": ("MPO", picture, {"save_all": True, "append_images": [picture]}),
        "png with texts": ("PNG", picture, {"pnginfo": texts, "icc_profile": bytes(600)}),
        "16-bit png": ("PNG", deep, {}),
        "16-bit tiff": ("TIFF", deep, {}),
        "packed 16-bit tiff": ("TIFF", deep, {"compression": "tiff_adobe_deflate"}),
        "32-bit tiff": ("TIFF", picture.convert("I"), {}),
        "float tiff": ("TIFF", picture.convert("F"), {}),
        "white is zero": ("TIFF", picture.convert("1"), {"compression": "group4"}),
    }
    files = {}
    for name, (kind, image, options) in ways.items():
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        files[name] = stream.getvalue()
    files["16-bit colour png"] = _png(np.asarray(picture).astype(np.uint16) * 4, 2)
    files["16-bit png with alpha"] = _png(np.dstack([np.asarray(picture)] * 2)[..., :4], 6)
    return files


def _png(samples: np.ndarray, kind: int) -> bytes:
    """Return 16-bit samples of shape (h, w, channels) as a PNG, which Pillow does not write."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def damage(data: bytes, change: str, random: Random, other: bytes) -> bytes:
    """Return a file changed in one of `CHANGES`; ``other`` is a file that lends its header."""
    content = bytearray(data)
    place = random.randrange(len(content))
    if change == "cut":
        return bytes(content[:place])
    if change == "flip":
        for _ in range(random.randint(1, 8)):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    elif change == "overwrite":
        end = min(len(content), place + random.randint(1, 64))
        content[place:end] = random.randbytes(end - place)
    elif change == "swap header":
        length = random.randint(1, _HEADER)
        content[:length] = other[:length]
    elif change == "repeat":
        content[place:place] = content[max(0, place - random.randint(1, 256)) : place] * 3
    elif change == "number":  # sizes, counts and offsets stand near the start
        place = random.randrange(min(len(content), 4 * _HEADER))
        content[place : place + 4] = random.choice(
            (
                b"\xff\xff\xff\xff",
                b"\x7f\xff\xff\xff",
                b"\0\0\0\0",
                b"\0\0\xff\xff",
                b"\xff\xff\0\0",
            )
        )
    return bytes(content)


def damaged(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield so many damaged files; the same seed gives the same ones."""
    random, files = Random(seed), list(originals().values())
    for number in range(count):
        data = files[number % len(files)]
        for _ in range(random.randint(1, 2)):
            data = damage(data or b"\0", random.choice(CHANGES), random, random.choice(files))
        yield data


def outcome(data: bytes) -> str:
    """Read the file and return "read" or "refused", or what happened that must not."""
    with warnings.catch_warnings(record=True) as grumbles:
        warnings.simplefilter("always")
        try:
            image_bgr = read_photo(data, "picture")
        except ImageError as error:
            result = "refused" if "\n" not in str(error) else f"several lines: {error}"
        except Exception as error:  # noqa: BLE001 (which it is, is what is asked)
            result = f"{type(error).__name__}: {error}"
        else:
            sound = image_bgr.ndim == 3 and image_bgr.shape[2] == 3 and image_bgr.size
            result = "read" if sound else f"a picture of shape {image_bgr.shape}"
    return f"warning: {grumbles[0].message}" if grumbles else result


def run(count: int, seed: int = 1, keep: Path | None = None) -> Counter[str]:
    """Read ``count`` damaged files and return how often what happened.

    Args:
        count: of files.
        seed: the same one gives the same files.
        keep: a folder that receives each file that did what it must not.
    """
    happened: Counter[str] = Counter()
    for number, data in enumerate(damaged(count, seed)):
        said = outcome(data)
        happened[said] += 1
        if keep is not None and said not in ("read", "refused"):
            (keep / f"malformed-{seed}-{number}").write_bytes(data)
    return happened


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print what happened; 0 where nothing did that must not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the files that did harm")
    args = parser.parse_args(argv)
    outcome(next(iter(originals().values())))
    before, start = peak_mb(), time.monotonic()
    happened = run(args.count, args.seed, args.keep)
    print(f"{args.count} damaged files in {time.monotonic() - start:.0f} s")
    print(f"peak memory {before:.0f} MB before, {peak_mb():.0f} MB after")
    for said, often in happened.most_common():
        print(f"{often:>7}  {said}")
    return int(bool(set(happened) - {"read", "refused"}))


if __name__ == "__main__":
    raise SystemExit(main())
