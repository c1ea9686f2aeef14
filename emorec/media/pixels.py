"""Converts the pixels of any supported file to 8-bit BGR, rotated upright, on white."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

Pixels = npt.NDArray[np.uint8]

_STRIP = 64  # rows that are converted at once; each power of two up to it can be a factor
_LEAST_LEVELS = 16  # of 256: with fewer grey levels a face cannot be made out

# Tags of TIFF 6.0.
_BITS, _COMPRESSION, _PHOTOMETRIC, _CHANNELS, _PLANES, _NUMBERS = 258, 259, 262, 277, 284, 339
_RAW, _WHITE_IS_ZERO, _SEPARATE = 1, 0, 2
_UNSIGNED = 1
_WORDS = {_UNSIGNED: "whole numbers", 2: "signed numbers", 3: "floats"}

_ORIENTATION = 274  # tag of EXIF
_ROTATIONS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}
"""What rotates a picture upright, by its EXIF orientation."""


class UnsupportedError(Exception):
    """A sound picture whose way of storing pixels is not supported; the text names that way."""


def to_bgr(image: Image.Image, factor: int = 1) -> Pixels:
    """Return the pixels of a picture that is open and not yet loaded.

    More than eight bits become eight as in `to_8_bits`. The decoded picture is converted a strip at
    a time: beside it, only the result takes memory.

    Args:
        image: the picture; a JPEG may be in draft mode.
        factor: each side becomes this many times smaller; a pixel is the mean of those it replaces.

    Returns:
        uint8 of shape (h, w, 3), BGR.

    Raises:
        UnsupportedError: Pillow would get the pixels wrong.
        Exception: for a damaged file Pillow raises many kinds of error.
    """
    _check_tiff(image)
    stream, tiles = getattr(image, "fp", None), list(getattr(image, "tile", ()))
    image.load()
    rotation = _rotation(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        strips = _gray(image)
    elif any(";16" in str(tile.args) for tile in tiles) and stream is not None:
        strips = _brightened(image, stream, tiles)
    elif image.has_transparency_data:
        strips = _on_white(image)
    else:
        strips = (np.asarray(part.convert("RGB")) for part in _parts(image))
    width, height = (math.ceil(side / factor) for side in image.size)
    image_bgr = np.empty((height, width, 3), np.uint8)
    top = 0
    for strip in strips:
        bottom = min(top + math.ceil(len(strip) / factor), height)
        reduced = _reduced(strip, factor)
        image_bgr[top:bottom] = reduced[..., ::-1] if reduced.ndim == 3 else reduced[..., None]
        top = bottom
    return np.ascontiguousarray(rotation(image_bgr))


def to_8_bits(values: npt.NDArray[Any]) -> Pixels:
    """Return numbers of any kind scaled to 0 to 255.

    Unsigned 16-bit numbers are scaled by the number of bits that the largest needs, at least 8:
    cameras, above all infrared cameras, use 8 to 14 of the 16 bits. If that would leave fewer than
    16 of the 256 levels, as with temperatures, the smallest number becomes black and the largest
    white. The same holds for all other kinds of number, which have no agreed white.
    """
    return _Scale([values])(values)


class _Scale:
    """The scale of `to_8_bits` for all numbers of a picture, which may come in strips."""

    def __init__(self, strips: Iterable[npt.NDArray[Any]]) -> None:
        extremes = []
        whole = True
        for values in strips:
            whole &= values.dtype.kind == "u" and values.dtype.itemsize == 2
            numbers = values if whole else _finite(values)
            extremes += [numbers.min(), numbers.max()]
        self.low, self.high = min(extremes), max(extremes)
        self._white: int | None = None
        if whole:
            white = 2 ** max(8, int(self.high).bit_length()) - 1
            span = int(self.high) - int(self.low)
            if span == 0 or span * 256 >= _LEAST_LEVELS * white:
                self._white = white

    def __call__(self, values: npt.NDArray[Any]) -> Pixels:
        """Return the numbers of one strip scaled, uint8 of the same shape."""
        if self._white is not None:
            return (values.astype(np.float32) * np.float32(255 / self._white)).round().astype("u1")
        low, high = float(self.low), float(self.high)
        shares = (_finite(values) - low) / ((high - low) or 1)
        return np.asarray((shares * 255).round().astype(np.uint8))


def _finite(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # NumPy warns when it converts a signaling NaN
        return np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)


def _parts(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the picture in strips, from top to bottom."""
    for top in range(0, image.height, _STRIP):
        yield image.crop((0, top, image.width, min(top + _STRIP, image.height)))


def _reduced(strip: Pixels, factor: int) -> Pixels:
    """Return a strip with each side reduced; at the right and below the last pixel is repeated."""
    if factor == 1:
        return strip
    height, width = strip.shape[:2]
    more = [(0, -height % factor), (0, -width % factor), (0, 0)]
    strip = np.pad(strip, more[: strip.ndim], "edge")
    size_wh = strip.shape[1] // factor, strip.shape[0] // factor
    return np.asarray(cv2.resize(strip, size_wh, interpolation=cv2.INTER_AREA))


def _gray(image: Image.Image) -> Iterator[Pixels]:
    tiff = isinstance(image, TiffImageFile)
    # Pillow has no mode for unsigned 32-bit numbers, and reads them as int32.
    unsigned = image.mode == "I" and tiff and _tag(image, _NUMBERS, _UNSIGNED) == _UNSIGNED

    def numbers() -> Iterator[npt.NDArray[Any]]:
        for part in _parts(image):
            values = np.asarray(part)
            yield values.view(np.uint32) if unsigned else values

    scale = _Scale(numbers())
    inverted = tiff and _tag(image, _PHOTOMETRIC, _WHITE_IS_ZERO) == _WHITE_IS_ZERO
    clear = image.info.get("transparency")
    for values in numbers():
        gray = scale(values)
        if inverted:
            gray = 255 - gray
        if isinstance(clear, int):
            gray[values == clear] = 255
        yield gray


def _brightened(image: Image.Image, stream: IO[bytes], tiles: Sequence[Any]) -> Iterator[Pixels]:
    """Yield a 16-bit colour picture scaled by the bits that it uses.

    Pillow returns the upper byte of each number. If its two highest bits are never used, the lower
    byte is needed too: Pillow returns it when the file is opened with the opposite byte order.
    """
    extrema: Any = image.getextrema()
    if (
        image.mode not in ("RGB", "RGBA")
        or max(high for _, high in extrema[:3]) >= 64
        # Pillow reads these in one byte order only.
        or any("LA;16" in str(tile.args) for tile in tiles)
    ):
        if image.has_transparency_data:
            yield from _on_white(image)
        else:
            yield from (np.asarray(part.convert("RGB")) for part in _parts(image))
        return
    stream.seek(0)
    with Image.open(stream, formats=(str(image.format),)) as other:
        other.tile = [tile._replace(args=_other_order(tile.args)) for tile in tiles]
        other.load()

        def numbers() -> Iterator[npt.NDArray[np.uint16]]:
            for upper, lower in zip(_parts(image), _parts(other), strict=True):
                yield np.asarray(upper).astype(np.uint16) << 8 | np.asarray(lower)

        scale = _Scale(values[..., :3] for values in numbers())
        if image.mode == "RGB":
            yield from map(scale, numbers())
            return
        alpha = _Scale(values[..., 3:] for values in numbers())
        for values in numbers():
            color = scale(values[..., :3])
            if alpha.low == alpha.high:
                yield color
                continue
            layer = np.concatenate([color, alpha(values[..., 3:])], axis=2)
            yield _over_white(Image.fromarray(layer))


def _other_order(args: Any) -> Any:
    if not isinstance(args, str):
        return (_other_order(args[0]), *args[1:])
    native = "L" if sys.byteorder == "little" else "B"
    return args[:-1] + ("B" if args[-1].replace("N", native) == "L" else "L")


def _on_white(image: Image.Image) -> Iterator[Pixels]:
    """Yield a picture with transparent parts on white."""
    # Some programs leave the channel empty: then all would be transparent.
    empty = all(_alpha(part).getextrema() == (0, 0) for part in _parts(image))
    for part in _parts(image):
        yield (
            np.asarray(part.convert("RGBA").convert("RGB"))
            if empty
            else _over_white(part.convert("RGBA"))
        )


def _alpha(part: Image.Image) -> Image.Image:
    return part.convert("RGBA").getchannel("A")


def _over_white(layer: Image.Image) -> Pixels:
    ground = Image.new("RGBA", layer.size, "white")
    ground.alpha_composite(layer)
    return np.asarray(ground.convert("RGB"))


def _rotation(image: Image.Image) -> Callable[[Pixels], Pixels]:
    """Return what rotates the pixels upright, by the EXIF or XMP of the loaded picture."""
    try:
        return _ROTATIONS.get(image.getexif().get(_ORIENTATION, 1), _ROTATIONS[1])
    except (SyntaxError, LookupError, TypeError, ValueError, struct.error):
        return _ROTATIONS[1]  # the EXIF is damaged, so the orientation is unknown


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
