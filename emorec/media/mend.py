"""Repairs of picture files that decoders refuse although all pixels are there."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"

_ORIENTATION = (b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")
"""Keywords of the PNG texts that can hold the picture's orientation."""

_TEXT_BYTES = 1_000_000  # more than any camera's EXIF or XMP; Pillow refuses a longer text
_JPEG_END = b"\xff\xd9"


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """One chunk of a PNG.

    Attributes:
        kind: its type, four letters.
        body: its data.
        end: where it ends in the file.
        sound: whether its checksum is right.
    """

    kind: bytes
    body: memoryview
    end: int
    sound: bool


def bare_png(data: bytes) -> tuple[bytes, int]:
    """Return a PNG reduced to pixels, transparency and orientation, and its number of frames.

    Pillow refuses a picture because of other chunks: a text or colour profile of more than a
    megabyte when inflated, or a wrong checksum. EmoRec needs none of those chunks.

    Args:
        data: a file that begins with ``PNG``.

    Returns:
        The file, unchanged if no chunk was removed; and the number of frames of the animation, 1 if
        there is none.

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
    """Yield the chunks up to the end of the file, or up to the first incomplete one."""
    view, start = memoryview(data), len(PNG)
    while start + 12 <= len(data):
        length = int.from_bytes(view[start : start + 4], "big")
        end = start + 12 + length
        if end > len(data):
            return
        kind, body = bytes(view[start + 4 : start + 8]), view[start + 8 : end - 4]
        checksum = int.from_bytes(view[end - 4 : end], "big")
        yield _Chunk(kind, body, end, zlib.crc32(body, zlib.crc32(kind)) == checksum)
        start = end


def _needed(chunk: _Chunk, seen: set[bytes]) -> bool:
    if not chunk.kind[0] & 0x20:  # an upper-case letter: the chunk is critical for the picture
        return True
    if not chunk.sound:
        return False
    if chunk.kind in (b"tRNS", b"eXIf"):
        return True
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return False
    keyword = bytes(chunk.body[:80]).partition(b"\0")[0]
    if keyword not in _ORIENTATION or keyword in seen:
        return False
    seen.add(keyword)
    return _text_bytes(chunk, len(keyword)) <= _TEXT_BYTES


def _text_bytes(chunk: _Chunk, keyword: int) -> int:
    """Return the length of a text when inflated; inflating stops just above ``_TEXT_BYTES``."""
    rest = bytes(chunk.body[keyword + 1 :])
    if chunk.kind == b"zTXt":
        packed = rest[1:]
    elif chunk.kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].split(b"\0", 2)[-1]
    else:
        return len(rest)
    try:
        return len(zlib.decompressobj().decompress(packed, _TEXT_BYTES + 1))
    except zlib.error:  # Pillow ignores such a text
        return 0


def ended_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG with its missing end marker added; None if pixels are missing too.

    A decoder reads data until it has all pixels. So if extra bytes before the added end marker do
    not change the picture, the file had all pixels.

    Args:
        data: a file that the decoder reported as cut off.
    """
    data = data.rstrip(b"\xff")
    whole = data + _JPEG_END
    if data.endswith(_JPEG_END):
        return None
    other = data + bytes(range(255)) * 8 + _JPEG_END
    try:
        same = np.array_equal(_gray(whole), _gray(other))
    except Exception:  # noqa: BLE001 (for damaged files the decoder raises many kinds of error)
        return None
    return whole if same else None


def _gray(jpeg: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        image.draft("L", image.size)
        return np.asarray(image)
