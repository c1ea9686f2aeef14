"""Converts the pixels of any supported file to 8-bit BGR, rotated upright, on white."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

_LEAST_LEVELS = 16  # of 256: with fewer grey levels a face cannot be made out

# Tags of TIFF 6.0.
_BITS, _COMPRESSION, _PHOTOMETRIC, _CHANNELS, _PLANES, _NUMBERS = 258, 259, 262, 277, 284, 339
_RAW, _WHITE_IS_ZERO, _SEPARATE = 1, 0, 2
_UNSIGNED = 1
_WORDS = {_UNSIGNED: "whole numbers", 2: "signed numbers", 3: "floats"}

_ORIENTATION = 274  # tag of EXIF
_ROTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnsupportedError(Exception):
    """A sound picture whose way of storing pixels is not supported; the text names that way."""


def to_bgr(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the pixels of a picture that is open and not yet loaded.

    More than eight bits become eight as in `to_8_bits`.

    Returns:
        uint8 of shape (h, w, 3), BGR.

    Raises:
        UnsupportedError: Pillow would get the pixels wrong.
        Exception: for a damaged file Pillow raises many kinds of error.
    """
    _check_tiff(image)
    stream, tiles = getattr(image, "fp", None), list(getattr(image, "tile", ()))
    image.load()
    pixels = image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        pixels = _gray(image)
    elif any(";16" in str(tile.args) for tile in tiles) and stream is not None:
        pixels = _brightened(image, stream, tiles)
    pixels = _upright(pixels, image)
    if pixels.has_transparency_data:
        pixels = _on_white(pixels.convert("RGBA"))
    return np.ascontiguousarray(np.asarray(pixels.convert("RGB"))[..., ::-1])


def to_8_bits(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return numbers of any kind scaled to 0 to 255.

    Unsigned 16-bit numbers are scaled by the number of bits that the largest needs, at least 8:
    cameras, above all infrared cameras, use 8 to 14 of the 16 bits. If that would leave fewer than
    16 of the 256 levels, as with temperatures, the smallest number becomes black and the largest
    white. The same holds for all other kinds of number, which have no agreed white.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        low, high = int(values.min()), int(values.max())
        white = 2 ** max(8, high.bit_length()) - 1
        if low == high or (high - low) * 256 >= _LEAST_LEVELS * white:
            return (values.astype(np.float32) * np.float32(255 / white)).round().astype(np.uint8)
    with np.errstate(invalid="ignore"):  # NumPy warns when it converts a signaling NaN
        values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    least, most = values.min(), values.max()
    return np.asarray(((values - least) / ((most - least) or 1) * 255).round().astype(np.uint8))


def _gray(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    tiff = isinstance(image, TiffImageFile)
    if image.mode == "I" and tiff and _tag(image, _NUMBERS, _UNSIGNED) == _UNSIGNED:
        values = values.view(np.uint32)  # Pillow has no mode for it and reads int32
    gray = to_8_bits(values)
    if tiff and _tag(image, _PHOTOMETRIC, _WHITE_IS_ZERO) == _WHITE_IS_ZERO:
        gray = 255 - gray
    if isinstance(clear := image.info.get("transparency"), int):
        gray[values == clear] = 255
    return Image.fromarray(gray)


def _brightened(image: Image.Image, stream: IO[bytes], tiles: Sequence[Any]) -> Image.Image:
    """Return a 16-bit colour picture scaled by the bits that it uses.

    Pillow returns the upper byte of each number. If its two highest bits are never used, the lower
    byte is needed too: Pillow returns it when the file is opened with the opposite byte order.
    """
    upper = np.asarray(image)
    if image.mode not in ("RGB", "RGBA") or upper[..., :3].max() >= 64:
        return image
    if any(
        "LA;16" in str(tile.args) for tile in tiles
    ):  # Pillow reads these in one byte order only
        return image
    stream.seek(0)
    with Image.open(stream, formats=(str(image.format),)) as other:
        other.tile = [tile._replace(args=_other_order(tile.args)) for tile in tiles]
        values = upper.astype(np.uint16) << 8 | np.asarray(other)
    parts = [to_8_bits(values[..., :3])]
    if image.mode == "RGBA":
        alpha = values[..., 3:]
        uniform = alpha.min() == alpha.max()
        parts.append(np.full(alpha.shape, 255, np.uint8) if uniform else to_8_bits(alpha))
    return Image.fromarray(np.concatenate(parts, axis=2))


def _other_order(args: Any) -> Any:
    if not isinstance(args, str):
        return (_other_order(args[0]), *args[1:])
    native = "L" if sys.byteorder == "little" else "B"
    return args[:-1] + ("B" if args[-1].replace("N", native) == "L" else "L")


def _on_white(layer: Image.Image) -> Image.Image:
    if not np.asarray(layer.getchannel("A")).any():
        return layer  # some programs leave the channel empty: all would be transparent
    ground = Image.new("RGBA", layer.size, "white")
    ground.alpha_composite(layer)
    return ground


def _upright(pixels: Image.Image, image: Image.Image) -> Image.Image:
    """Return the pixels rotated upright by the EXIF or XMP of the loaded picture."""
    try:
        rotation = _ROTATIONS.get(image.getexif().get(_ORIENTATION, 1))
    except (SyntaxError, LookupError, TypeError, ValueError, struct.error):
        return pixels  # the EXIF is damaged, so the orientation is unknown
    return pixels if rotation is None else pixels.transpose(rotation)


def _check_tiff(image: Image.Image) -> None:
    """Raise UnsupportedError for a TIFF whose pixels Pillow gets wrong (measured: Pillow 13.0)."""
    if not isinstance(image, TiffImageFile):
        return
    bits, numbers = _tag(image, _BITS, 1), _tag(image, _NUMBERS, _UNSIGNED)
    channels = _tag(image, _CHANNELS, 1)
    raw = _tag(image, _COMPRESSION, _RAW) == _RAW
    separate = channels > 1 and _tag(image, _PLANES, 1) == _SEPARATE
    swapped = image.tag_v2.prefix == b"MM" and not raw and (bits > 16 or numbers != _UNSIGNED)
    if (
        (separate and (channels == 2 or (raw and bits > 8)))
        or swapped
        or (bits == 8 and numbers != _UNSIGNED)
    ):
        how = [f"{bits}-bit {_WORDS.get(numbers, 'values')}"]
        how += [f"{channels} channels one after the other"] if separate else []
        how += ["big-endian and packed"] if swapped else []
        raise UnsupportedError(f"a TIFF of {', '.join(how)}")


def _tag(image: Image.Image, tag: int, default: int) -> int:
    """Return a tag's number on a TIFF's first page; for one number per channel, the first."""
    value = image.tag_v2.get(tag, default) if isinstance(image, TiffImageFile) else default
    return int(value[0] if isinstance(value, tuple) else value)
