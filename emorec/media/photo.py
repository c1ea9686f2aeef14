"""A picture file becomes the array that the pipeline reads, and an array becomes a PNG."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from emorec.errors import ImageError

ImageBGR = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "HEIC")
SUFFIXES = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "heic", "heif")
MAX_PIXELS = 50_000_000
"""More than this is refused before it is decoded: a small file may claim gigabytes."""

# Pillow would else try every decoder it has, some of which start other programs.
_DECODERS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF")
_ACCEPTED = f"Accepted: {', '.join(FORMATS)}, up to {MAX_PIXELS // 1_000_000} megapixels."


def read_photo(source: Path | bytes | BinaryIO, name: str = "") -> ImageBGR:
    """Decode a picture, upright as its EXIF says, on white where it is transparent.

    Of several frames or pages the first is taken; 16 bits a channel become 8.

    Args:
        source: a file, its content, or a stream that is read from where it stands.
        name: what errors call it; the path as it was given where there is one.

    Returns:
        uint8 of shape (h, w, 3), BGR.

    Raises:
        ImageError: not readable, not a picture, damaged, or over ``MAX_PIXELS``.
    """
    name = name or (str(source) if isinstance(source, Path) else "picture")
    data = _content(source, name)
    if not data:
        raise ImageError(f"{name}: the file is empty. {_ACCEPTED}")
    with warnings.catch_warnings():
        # What Pillow grumbles about, a picture's odd EXIF say, is no news to the visitor.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _decode(data, name)


def encode_png(image_bgr: ImageBGR) -> bytes:
    """Return the picture, uint8 of shape (h, w, 3), as a PNG file."""
    return cv2.imencode(".png", image_bgr)[1].tobytes()


def encode_jpeg(image_bgr: ImageBGR) -> bytes:
    """Return the picture, uint8 of shape (h, w, 3), as a JPEG file of quality 90."""
    return cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _content(source: Path | bytes | BinaryIO, name: str) -> bytes:
    try:
        if isinstance(source, Path):
            return source.read_bytes()
        return source if isinstance(source, bytes) else source.read()
    except OSError as error:
        raise ImageError(f"{name}: cannot be opened ({error.strerror or error}).") from None


def _decode(data: bytes, name: str) -> ImageBGR:
    pillow_heif.register_heif_opener()
    try:
        with Image.open(io.BytesIO(data), formats=_DECODERS) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.width}×{image.height}"
                raise ImageError(f"{name}: {size} pixels are too many. {_ACCEPTED}")
            return _to_bgr(image)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not a picture that can be read. {_ACCEPTED}") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name}: too many pixels. {_ACCEPTED}") from None
    except Exception as error:  # a damaged file makes the decoders raise nearly anything
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ImageError:
    why = " ".join(str(error).split()) or type(error).__name__
    return ImageError(f"{name}: the picture is cut off or damaged ({why}). {_ACCEPTED}")


def _to_bgr(image: Image.Image) -> ImageBGR:
    image.load()
    image = _upright(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = Image.fromarray(_to_8_bits(np.asarray(image)))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, LookupError, TypeError, ValueError, struct.error):
        return image  # an EXIF that cannot be read says nothing of the picture


def _to_8_bits(gray: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    if gray.dtype.kind == "u" and gray.dtype.itemsize == 2:
        return (gray.astype(np.float32) / 257).round().astype(np.uint8)
    # 32-bit values have no agreed white: the brightest becomes it.
    values = np.nan_to_num(gray.astype(np.float64), posinf=0, neginf=0)
    low, high = values.min(), values.max()
    return ((values - low) / ((high - low) or 1) * 255).round().astype(np.uint8)
