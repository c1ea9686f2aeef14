"""What keeps a decoder from a picture that is all there: taken out, or put back, beforehand."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"

_UPRIGHT = (b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")
"""The texts of a PNG that can say which way is up."""

_TEXT_BYTES = 1_000_000  # more than any camera's EXIF or XMP; Pillow takes no more of one text
_JPEG_END = b"\xff\xd9"


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """One chunk of a PNG: its kind, what is in it, where it ends, and whether its sum is right."""

    kind: bytes
    body: memoryview
    end: int
    sound: bool


def bare_png(data: bytes) -> tuple[bytes, int]:
    """Return a PNG with nothing but its pixels, transparency and orientation; and its frames.

    Pillow refuses a picture for what stands beside it: more than a megabyte of text or colour
    profile, once inflated, or a wrong checksum there. None of that is needed here.

    Args:
        data: begins with ``PNG``.

    Returns:
        The file, the same one where nothing is to be left out; and how many frames the animation
        has, 1 where there is none.

    Source: Portable Network Graphics Specification, third edition, W3C 2025.
    """
    parts, frames, start, seen = [data[: len(PNG)]], 1, len(PNG), set[bytes]()
    for chunk in _chunks(data):
        if chunk.kind == b"acTL" and len(chunk.body) >= 4:
            frames = max(1, int.from_bytes(chunk.body[:4], "big"))
        if _needed(chunk, seen):
            parts.append(data[start : chunk.end])
        start = chunk.end
    parts.append(data[start:])
    return (data if sum(map(len, parts)) == len(data) else b"".join(parts)), frames


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to where the file ends or no longer holds any."""
    view, start = memoryview(data), len(PNG)
    while start + 12 <= len(data):
        length = int.from_bytes(view[start : start + 4], "big")
        end = start + 12 + length
        if end > len(data):
            return
        kind, body = bytes(view[start + 4 : start + 8]), view[start + 8 : end - 4]
        said = int.from_bytes(view[end - 4 : end], "big")
        yield _Chunk(kind, body, end, zlib.crc32(body, zlib.crc32(kind)) == said)
        start = end


def _needed(chunk: _Chunk, seen: set[bytes]) -> bool:
    if not chunk.kind[0] & 0x20:  # a capital: no picture without it
        return True
    if not chunk.sound:
        return False
    if chunk.kind in (b"tRNS", b"eXIf"):
        return True
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return False
    keyword = bytes(chunk.body[:80]).partition(b"\0")[0]
    if keyword not in _UPRIGHT or keyword in seen:
        return False
    seen.add(keyword)
    return _text_bytes(chunk, len(keyword)) <= _TEXT_BYTES


def _text_bytes(chunk: _Chunk, keyword: int) -> int:
    """Return how long a text is once it is inflated, or a little more than is allowed."""
    rest = bytes(chunk.body[keyword + 1 :])
    if chunk.kind == b"zTXt":
        packed = rest[1:]
    elif chunk.kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].split(b"\0", 2)[-1]
    else:
        return len(rest)
    try:
        return len(zlib.decompressobj().decompress(packed, _TEXT_BYTES + 1))
    except zlib.error:  # Pillow passes over it
        return 0


def ended_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG with the end marker that it lacks; None where more than that is missing.

    A decoder goes on reading pixels until it has all of them. So where what stands before the end
    marker makes no difference to the picture, all of them were there.

    Args:
        data: a file that the decoder found to be cut off.
    """
    data = data.rstrip(b"\xff")
    whole = data + _JPEG_END
    if data.endswith(_JPEG_END):
        return None
    other = data + bytes(range(255)) * 8 + _JPEG_END
    try:
        same = np.array_equal(_gray(whole), _gray(other))
    except Exception:  # noqa: BLE001 (damage makes the decoder raise nearly anything)
        return None
    return whole if same else None


def _gray(jpeg: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        image.draft("L", image.size)
        return np.asarray(image)
