"""Decodes picture files to arrays for the pipeline, and encodes arrays as PNG or JPEG."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, UnidentifiedImageError

from emorec.errors import EmorecError, ImageError
from emorec.media.jpeg import scans
from emorec.media.mend import PNG, bare_png, ended_jpeg
from emorec.media.pixels import UnsupportedError, to_bgr
from emorec.words import _, numeral

ImageBGR = npt.NDArray[np.uint8]

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "HEIC")
SUFFIXES = ("jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "tif", "tiff", "heic", "heif")
MAX_PIXELS = 50_000_000
"""A larger picture is refused before it is decoded: a small file can expand to gigabytes."""

_MOST_WORK = 1_000_000_000
"""Pixels of all scans of a JPEG together: 20 scans of 50 megapixels, 3.4 s of decoding (3.4 ns a
pixel, measured on two AVX-512 cores). The decoder goes over the whole picture for each scan, and a
megabyte holds 40,000 of them."""

# Without a list Pillow tries all its decoders, and some of them start other programs.
_DECODERS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF")
_MAX_BYTES = 1_000_000_000  # MAX_PIXELS with four 32-bit channels (800 MB), and metadata
_STARTS = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (PNG,),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}
_NO_MEMORY = re.compile(r"out of memory|alloc", re.IGNORECASE)
# Error texts of decoders for a file that may be sound but that they do not support.
_UNSUPPORTED_KIND = re.compile(
    "unsupported|not (supported|available|implemented)|unknown|unrecogni[sz]ed (?!data)"
    "|limit|exceed|too (large|many|big)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """The picture of a file.

    Attributes:
        image_bgr: uint8 of shape (h, w, 3).
        size_wh: width and height in pixels of the picture in the file, rotated upright; larger than
            ``image_bgr`` where it was reduced.
        note: says which part of the file was not read; None if all was read.
    """

    image_bgr: ImageBGR
    size_wh: tuple[int, int]
    note: str | None


def read_photo(source: Path | str | bytes | BinaryIO, name: str = "") -> ImageBGR:
    """Return the picture that `open_photo` reads."""
    return open_photo(source, name).image_bgr


def open_photo(
    source: Path | str | bytes | BinaryIO, name: str = "", most_pixels: int = MAX_PIXELS
) -> Photo:
    """Decode a picture: rotated upright by its EXIF, transparent parts on white.

    Of several frames or pages the first is read; 16 bits a channel become 8.

    Args:
        source: a file's path, its content, or a stream, which is read from its current position.
        name: the picture's name in error lines; empty means the path, if there is one.
        most_pixels: a larger picture is reduced while it is decoded: each side to a half, a quarter
            and so on, until it has no more.

    Raises:
        ImageError: the file cannot be opened, is no picture, is damaged, is of an unsupported kind,
            has more than ``MAX_PIXELS``, takes too long to decode, or is too large for the free
            memory.
    """
    if isinstance(source, str):
        source = Path(source)
    name = name or (str(source) if isinstance(source, Path) else "picture")
    data = _content(source, name)
    if not data:
        raise ImageError(f"{name}: {_('the file is empty.')} {_accepted()}")
    with warnings.catch_warnings():
        # Pillow warns about unusual metadata, such as invalid EXIF; users can do nothing about it.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _decode(data, name, most_pixels)


@contextmanager
def one_picture(name: str) -> Iterator[None]:
    """Turn every error into an EmorecError, so that one bad picture does not stop the others.

    Args:
        name: the picture's name in error lines.

    Raises:
        EmorecError: raised inside. Any other error becomes an ImageError with one line, and its
            traceback goes to the log.
    """
    try:
        yield
    except EmorecError:
        raise
    except Exception as error:
        if _is_memory(error):
            raise _no_memory(name) from error
        log.exception("picture failed")  # without the name: it may be a person's
        raise ImageError(
            f"{name}: {_('cannot be read, by a fault of EmoRec itself; please report it:')}"
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
        raise ImageError(f"{name}: {_('the file is larger than a gigabyte.')} {_accepted()}")
    return data


def _bounded(file: BinaryIO) -> bytes:
    """Return the rest of a file; stop just above ``_MAX_BYTES``, since a pipe may never end."""
    parts, size = [], 0
    while size <= _MAX_BYTES and (part := file.read(2**20)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _decode(data: bytes, name: str, most_pixels: int) -> Photo:
    pillow_heif.register_heif_opener()
    frames = 1
    try:
        if data.startswith(PNG):
            if data[12:16] == b"CgBI":
                raise UnsupportedError(_("a PNG in Apple's own format for apps"))
            data, frames = bare_png(data)
        with Image.open(io.BytesIO(data), formats=_DECODERS) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.width}×{image.height}"
                says = _("{size} pixels are too many.").format(size=size)
                raise ImageError(f"{name}: {says} {_accepted()}")
            _check_work(image, data, name)
            size_wh = image.size
            image_bgr = to_bgr(image, _reduction(image, most_pixels))
            if (image_bgr.shape[0] < image_bgr.shape[1]) != (size_wh[1] < size_wh[0]):
                size_wh = size_wh[::-1]  # it was rotated
            return Photo(image_bgr, size_wh, _note(image, frames))
    except ImageError:
        raise
    except UnidentifiedImageError:
        for kind, starts in _STARTS.items():
            if data.startswith(starts):
                how = _("an unusual {kind}, or a damaged one").format(kind=kind)
                raise _unsupported(name, how) from None
        says = _("not a picture that can be read.")
        raise ImageError(f"{name}: {says} {_accepted()}") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name}: {_('too many pixels.')} {_accepted()}") from None
    except UnsupportedError as error:
        raise _unsupported(name, str(error)) from None
    except Exception as error:  # for damaged files the decoders raise many kinds of error
        if _is_memory(error):
            raise _no_memory(name) from error
        why = _words(error)
        if data.startswith(_STARTS["JPEG"]) and "truncated" in why and (ended := ended_jpeg(data)):
            return _decode(ended, name, most_pixels)
        if _UNSUPPORTED_KIND.search(why):
            how = _("{why}; or it is damaged").format(why=why)
            raise _unsupported(name, how) from error
        says = _("the picture is cut off or damaged ({why}).").format(why=why)
        raise ImageError(f"{name}: {says} {_accepted()}") from error


def _check_work(image: Image.Image, data: bytes, name: str) -> None:
    """Raise ImageError for a JPEG that has so many scans that decoding it takes too long."""
    most = _MOST_WORK // (image.width * image.height)
    if image.format in ("JPEG", "MPO") and scans(data, most) > most:
        says = _(
            "takes too long to decode: it is stored in more than {most} scans, and ordinary"
            " pictures in at most a dozen. Save it again as an ordinary JPEG."
        ).format(most=numeral(f"{most:,}"))
        raise ImageError(f"{name}: {says} {_accepted()}")


def _reduction(image: Image.Image, most_pixels: int) -> int:
    """Have a JPEG decoded at a smaller size, and return by which factor it is still to be reduced.

    Each side becomes 1, 2, 4 … times smaller, until the picture has at most so many pixels.
    """
    width, height = image.size
    factor = 1
    while ceil(width / factor) * ceil(height / factor) > most_pixels:
        factor *= 2
    if factor > 1:
        image.draft(image.mode, (width // factor, height // factor))
    return factor // round(width / image.width)


def _note(image: Image.Image, frames: int) -> str | None:
    """Return a note about the pictures of a file that were not read; None if there are none."""
    if image.format == "TIFF":
        try:
            image.seek(1)
        except Exception:  # noqa: BLE001 (damage after the first page does no harm to it)
            return None
        return _("several pages: only the first is read.")
    if image.format == "HEIF":
        count = getattr(image, "n_frames", 1)
        main = _("{n} pictures: only the main one is read.").format(n=count)
        return main if count > 1 else None
    if image.format == "WEBP":
        frames = getattr(image, "n_frames", 1)
    # Further pictures in a JPEG are previews, depth maps and gain maps of the same picture.
    first = _("an animation of {n} frames: only the first is read.").format(n=frames)
    return first if frames > 1 else None


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or bool(_NO_MEMORY.search(str(error)))


def _no_memory(name: str) -> ImageError:
    return ImageError(f"{name}: {_('not enough memory is free for a picture of this size.')}")


def _unsupported(name: str, how: str) -> ImageError:
    says = _(
        "its pixels are stored in a way that EmoRec cannot read ({how}). Save it as an ordinary"
        " JPEG or PNG."
    ).format(how=how)
    return ImageError(f"{name}: {says} {_accepted()}")


def _accepted() -> str:
    return _("Accepted: {formats}, up to {most} megapixels.").format(
        formats=", ".join(FORMATS), most=MAX_PIXELS // 1_000_000
    )


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
