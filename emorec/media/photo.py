"""A picture file becomes the array that the pipeline reads, and an array becomes a PNG."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, UnidentifiedImageError

from emorec.errors import EmorecError, ImageError
from emorec.media.mend import PNG, bare_png, ended_jpeg
from emorec.media.pixels import UnsupportedError, to_bgr

ImageBGR = npt.NDArray[np.uint8]

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "HEIC")
SUFFIXES = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "heic", "heif")
MAX_PIXELS = 50_000_000
"""More than this is refused before it is decoded: a small file may claim gigabytes."""

# Pillow would else try every decoder it has, some of which start other programs.
_DECODERS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF")
_ACCEPTED = f"Accepted: {', '.join(FORMATS)}, up to {MAX_PIXELS // 1_000_000} megapixels."
_MAX_BYTES = 1_000_000_000  # MAX_PIXELS of four 32-bit numbers, and room beside them
_STARTS = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (PNG,),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}
_NO_MEMORY = re.compile(r"out of memory|alloc", re.IGNORECASE)
# What decoders say of a file that may be sound, but is beyond them.
_OF_ITS_KIND = re.compile(
    "unsupported|not (supported|available|implemented)|unknown|unrecogni[sz]ed (?!data)"
    "|limit|exceed|too (large|many|big)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One picture of a file.

    Attributes:
        image_bgr: uint8 of shape (h, w, 3).
        note: what of the file was not read; None where that was all of it.
    """

    image_bgr: ImageBGR
    note: str | None


def read_photo(source: Path | str | bytes | BinaryIO, name: str = "") -> ImageBGR:
    """Return the picture that `open_photo` reads."""
    return open_photo(source, name).image_bgr


def open_photo(source: Path | str | bytes | BinaryIO, name: str = "") -> Photo:
    """Decode a picture, upright as its EXIF says, on white where it is transparent.

    Of several frames or pages the first is taken; 16 bits a channel become 8.

    Args:
        source: a file's path, its content, or a stream that is read from where it stands.
        name: what errors call it; the path as it was given where there is one.

    Raises:
        ImageError: not readable, not a picture, damaged, of a kind that is not read, over
            ``MAX_PIXELS``, or too large for the memory that is free.
    """
    if isinstance(source, str):
        source = Path(source)
    name = name or (str(source) if isinstance(source, Path) else "picture")
    data = _content(source, name)
    if not data:
        raise ImageError(f"{name}: the file is empty. {_ACCEPTED}")
    with warnings.catch_warnings():
        # What Pillow grumbles about, a picture's odd EXIF say, is no news to the visitor.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _decode(data, name)


@contextmanager
def one_picture(name: str) -> Iterator[None]:
    """Let nothing that goes wrong with one picture cost the others.

    Args:
        name: what the error calls it.

    Raises:
        EmorecError: as it was raised inside; and where something else was, an ImageError with one
            line, after its traceback went to the log.
    """
    try:
        yield
    except EmorecError:
        raise
    except Exception as error:
        if _is_memory(error):
            raise _no_memory(name) from error
        log.exception("picture failed")  # its name stays out: people are called so
        raise ImageError(
            f"{name}: cannot be read, by a fault of EmoRec itself; please report it:"
            f" {type(error).__name__}, {_words(error)}"
        ) from error


def encode_png(image_bgr: ImageBGR) -> bytes:
    """Return the picture, uint8 of shape (h, w, 3), as a PNG file.

    Raises:
        ImageError: it is wider or higher than a million pixels, which libpng refuses.
    """
    return _encode(".png", image_bgr, 1_000_000)


def encode_jpeg(image_bgr: ImageBGR) -> bytes:
    """Return the picture, uint8 of shape (h, w, 3), as a JPEG file of quality 90.

    Raises:
        ImageError: it is wider or higher than 65,500 pixels, which libjpeg refuses.
    """
    return _encode(".jpg", image_bgr, 65_500, cv2.IMWRITE_JPEG_QUALITY, 90)


def _encode(suffix: str, image_bgr: ImageBGR, most_px: int, *options: int) -> bytes:
    height, width = image_bgr.shape[:2]
    if max(height, width) > most_px:
        raise ImageError(
            f"{width}×{height} pixels cannot be written as {'PNG' if suffix == '.png' else 'JPEG'}."
        )
    return cv2.imencode(suffix, image_bgr, options)[1].tobytes()


def _content(source: Path | bytes | BinaryIO, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                data = _bounded(file)
        else:
            data = _bounded(source)
    except OSError as error:
        raise ImageError(f"{name}: cannot be opened ({error.strerror or error}).") from None
    except ValueError as error:  # a zero byte in a path
        raise ImageError(f"{name!r}: cannot be opened ({error}).") from None
    except MemoryError as error:
        raise _no_memory(name) from error
    if len(data) > _MAX_BYTES:
        raise ImageError(f"{name}: over a gigabyte is no picture that can be read. {_ACCEPTED}")
    return data


def _bounded(file: BinaryIO) -> bytes:
    """Return what is left of a file, or a little more than is allowed: some have no end."""
    parts, size = [], 0
    while size <= _MAX_BYTES and (part := file.read(2**20)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _decode(data: bytes, name: str) -> Photo:
    pillow_heif.register_heif_opener()
    frames = 1
    try:
        if data.startswith(PNG):
            if data[12:16] == b"CgBI":
                raise UnsupportedError("a PNG as Apple's programs keep it inside them")
            data, frames = bare_png(data)
        with Image.open(io.BytesIO(data), formats=_DECODERS) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.width}×{image.height}"
                raise ImageError(f"{name}: {size} pixels are too many. {_ACCEPTED}")
            image_bgr = to_bgr(image)
            return Photo(image_bgr, _note(image, frames))
    except ImageError:
        raise
    except UnidentifiedImageError:
        for kind, starts in _STARTS.items():
            if data.startswith(starts):
                raise _unsupported(name, f"an unusual {kind}, or a damaged one") from None
        raise ImageError(f"{name}: not a picture that can be read. {_ACCEPTED}") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name}: too many pixels. {_ACCEPTED}") from None
    except UnsupportedError as error:
        raise _unsupported(name, str(error)) from None
    except Exception as error:  # a damaged file makes the decoders raise nearly anything
        if _is_memory(error):
            raise _no_memory(name) from error
        why = _words(error)
        if data.startswith(_STARTS["JPEG"]) and "truncated" in why and (ended := ended_jpeg(data)):
            return _decode(ended, name)
        if _OF_ITS_KIND.search(why):
            raise _unsupported(name, f"{why}; or it is damaged") from error
        raise ImageError(
            f"{name}: the picture is cut off or damaged ({why}). {_ACCEPTED}"
        ) from error


def _note(image: Image.Image, frames: int) -> str | None:
    """Return what is not read of a file that holds several pictures."""
    if image.format == "TIFF":
        try:
            image.seek(1)
        except Exception:  # noqa: BLE001 (damage behind the first page costs it nothing)
            return None
        return "several pages: only the first is read."
    if image.format == "HEIF":
        count = getattr(image, "n_frames", 1)
        return f"{count} pictures: only the main one is read." if count > 1 else None
    if image.format == "WEBP":
        frames = getattr(image, "n_frames", 1)
    # A JPEG's further ones are previews, depth and brightness of the same picture.
    return f"an animation of {frames} frames: only the first is read." if frames > 1 else None


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or bool(_NO_MEMORY.search(str(error)))


def _no_memory(name: str) -> ImageError:
    return ImageError(f"{name}: not enough memory is free for a picture of this size.")


def _unsupported(name: str, how: str) -> ImageError:
    return ImageError(
        f"{name}: keeps its pixels in a way that is not read here ({how}). "
        f"Save it as an ordinary JPEG or PNG. {_ACCEPTED}"
    )


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
