from __future__ import annotations

import io
import logging
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

from emorec.errors import EmorecError, ImageError
from emorec.media.photo import (
    FORMATS,
    MAX_PIXELS,
    encode_jpeg,
    encode_png,
    one_picture,
    open_photo,
    read_photo,
)

pillow_heif.register_heif_opener()

RED, BLUE, GREEN, WHITE = (220, 30, 40), (30, 60, 210), (20, 160, 60), (250, 250, 250)
EXACT, LOSSY = 0, 14
ORIENTATION = 0x0112


def quarters(size_wh: tuple[int, int] = (64, 32)) -> Image.Image:
    """A picture that looks different after each turn and flip."""
    width, height = size_wh
    array = np.zeros((height, width, 3), np.uint8)
    array[: height // 2, : width // 2], array[: height // 2, width // 2 :] = RED, BLUE
    array[height // 2 :, : width // 2], array[height // 2 :, width // 2 :] = GREEN, WHITE
    return Image.fromarray(array)


def ramp() -> Image.Image:
    return Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def bgr(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))[..., ::-1]


def assert_close(read: np.ndarray, expected: np.ndarray, tolerance: int = EXACT) -> None:
    assert read.dtype == np.uint8
    assert read.shape == expected.shape
    # Lossy formats smear the border between colours; the median pixel shows a wrong colour,
    # a wrong turn or a wrong scale alike.
    off = np.abs(read.astype(int) - expected.astype(int)).max(axis=2)
    assert np.quantile(off, 1.0 if tolerance == EXACT else 0.7) <= tolerance


@pytest.mark.parametrize(
    ("file_format", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, LOSSY),
        ("JPEG", {"quality": 95, "progressive": True}, LOSSY),
        ("MPO", {"quality": 95, "save_all": True, "append_images": [ramp()]}, LOSSY),
        ("PNG", {}, EXACT),
        ("WEBP", {"lossless": True}, EXACT),
        ("WEBP", {"quality": 95}, LOSSY),
        ("BMP", {}, EXACT),
        ("TIFF", {}, EXACT),
        ("TIFF", {"compression": "tiff_lzw"}, EXACT),
        ("TIFF", {"compression": "jpeg", "quality": 95}, LOSSY),
        ("HEIF", {"quality": 95}, LOSSY),
    ],
)
def test_every_format_gives_its_pixels(file_format: str, options: dict, tolerance: int) -> None:
    image = quarters()
    assert_close(read_photo(encoded(image, file_format, **options)), bgr(image), tolerance)


@pytest.mark.parametrize(
    ("mode", "file_format", "tolerance"),
    [
        ("1", "PNG", EXACT),
        ("1", "TIFF", EXACT),
        ("1", "BMP", EXACT),
        ("L", "PNG", EXACT),
        ("L", "JPEG", LOSSY),
        ("L", "TIFF", EXACT),
        ("L", "BMP", EXACT),
        ("P", "PNG", EXACT),
        ("P", "TIFF", EXACT),
        ("P", "BMP", EXACT),
        ("CMYK", "TIFF", EXACT),
        ("CMYK", "JPEG", LOSSY),  # Pillow writes it inverted with Adobe's marker, as Photoshop does
        ("YCbCr", "JPEG", LOSSY),
        ("YCbCr", "TIFF", LOSSY),
    ],
)
def test_every_mode_gives_its_colours(mode: str, file_format: str, tolerance: int) -> None:
    image = quarters().convert(mode)
    data = encoded(image, file_format, **({"quality": 95} if file_format == "JPEG" else {}))
    assert_close(read_photo(data), bgr(image), tolerance)


def test_adobes_cmyk_jpeg_is_marked_as_such() -> None:
    assert b"Adobe" in encoded(quarters().convert("CMYK"), "JPEG")


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_over_its_whole_range(file_format: str) -> None:
    gray = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    read = read_photo(encoded(Image.fromarray(gray), file_format))
    assert_close(read, bgr(ramp()))


def test_16_bit_big_endian_tiff_is_scaled_too() -> None:
    gray = (np.arange(256, dtype=np.uint16).reshape(16, 16) * 257).astype(">u2")
    image = Image.frombytes("I;16B", (16, 16), gray.tobytes())
    assert_close(read_photo(encoded(image, "TIFF")), bgr(ramp()))


@pytest.mark.parametrize(("channels", "color_type"), [(3, 2), (4, 6), (2, 4)])
def test_16_bit_colour_png_is_scaled(channels: int, color_type: int) -> None:
    samples = np.full((4, 6, channels), 65535, np.uint16)
    samples[..., 0] = 128 * 257
    read = read_photo(png_16_bit(samples, color_type))
    expected = (128, 128, 128) if channels == 2 else (255, 255, 128)
    assert_close(read, np.broadcast_to(np.array(expected, np.uint8), (4, 6, 3)), 1)


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png_16_bit(samples: np.ndarray, color_type: int) -> bytes:
    """Pillow cannot write these."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff(values: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, metadata=None, **options)
    return stream.getvalue()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_16_bit_grey_is_scaled_by_the_bits_it_uses(bits: int) -> None:
    # As infrared cameras write them; scaled by all sixteen bits, ten would be nearly black.
    gray = np.linspace(0, 2**bits - 1, 256).round().astype(np.uint16).reshape(16, 16)
    for data in (encoded(Image.fromarray(gray), "PNG"), tiff(gray), tiff(gray, byteorder=">")):
        assert_close(read_photo(data), bgr(ramp()), 1)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colour_is_scaled_by_the_bits_it_uses(channels: int, bits: int) -> None:
    most = 2**bits - 1
    samples = np.zeros((16, 16, channels), np.uint16)
    samples[..., 0] = np.linspace(0, most, 256).round().reshape(16, 16)
    samples[..., 1] = most
    samples[..., 3:] = most
    expected = bgr(
        Image.merge("RGB", [ramp(), Image.new("L", (16, 16), 255), Image.new("L", (16, 16))])
    )
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    files = [png_16_bit(samples, 2 if channels == 3 else 6)]
    for order in "<>":
        for packed in (None, "zlib"):
            files.append(
                tiff(samples, photometric="rgb", byteorder=order, compression=packed, **extra)
            )
    for data in files:
        assert_close(read_photo(data), expected, 1)


def test_temperatures_in_16_bits_span_black_to_white() -> None:
    kelvin = np.linspace(29_000, 31_000, 256).round().astype(np.uint16).reshape(16, 16)
    assert_close(read_photo(encoded(Image.fromarray(kelvin), "PNG")), bgr(ramp()), 1)


def test_a_16_bit_picture_of_one_grey_stays_that_grey() -> None:
    gray = np.full((4, 4), 40_000, np.uint16)
    assert read_photo(encoded(Image.fromarray(gray), "PNG")).max() == round(40_000 / 257)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("packed", [None, "zlib"])
def test_white_may_be_zero(dtype: str, packed: str | None) -> None:
    most = 1 if dtype == "float32" else np.iinfo(dtype).max
    values = (np.arange(256).reshape(16, 16)[::-1, ::-1] * (most / 255)).astype(dtype)
    data = tiff(values, photometric="miniswhite", compression=packed)
    assert_close(read_photo(data), bgr(ramp()), 1)


def test_floats_that_are_no_numbers_say_nothing(recwarn: pytest.WarningsRecorder) -> None:
    bits = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16).view(np.uint32)
    bits[3, :4] = 0x7FA00000, 0xFFA00000, 0x7F800000, 0x7FC00000  # two of them signal it
    read = read_photo(encoded(Image.fromarray(bits.view(np.float32)), "TIFF"))
    assert read[3, :4].max() == 0
    assert read[15, 15].tolist() == [255, 255, 255]
    assert not recwarn.list


def test_unsigned_32_bits_are_not_taken_for_signed_ones() -> None:
    values = np.linspace(0, 2**32 - 1, 256).astype(np.uint32).reshape(16, 16)
    assert_close(read_photo(tiff(values)), bgr(ramp()), 1)


def test_a_transparent_grey_of_16_bits_becomes_white() -> None:
    gray = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    read = read_photo(encoded(Image.fromarray(gray), "PNG", transparency=0))
    assert read[0, 0].tolist() == [255, 255, 255]
    assert read[0, 1].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float32"]
)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [None, "zlib"])
@pytest.mark.parametrize("apart", [False, True])
def test_a_tiff_is_read_right_or_refused(
    dtype: str, channels: int, order: str, packed: str | None, apart: bool
) -> None:
    kind = np.dtype(dtype)
    most = 1 if kind.kind == "f" else np.iinfo(kind).max
    share = np.linspace(0, 1, 256).reshape(16, 16, 1).repeat(channels, 2)
    share[..., 1:2] = 1 - share[..., 1:2]
    expected = share[..., [2, 1, 0]] if channels > 2 else share[..., [0, 0, 0]]
    options = {"photometric": "rgb" if channels > 2 else "minisblack", "byteorder": order}
    if channels in (2, 4):
        share[..., -1] = 1
        options["extrasamples"] = ["unassalpha"]
    if apart and channels > 1:
        share, options["planarconfig"] = np.moveaxis(share, 2, 0), "separate"
    values = (share * most).astype(kind)
    data = tiff(values if channels > 1 else values[..., 0], compression=packed, **options)
    usual = dtype == "uint8" or (dtype == "uint16" and (channels == 1 or packed or not apart))
    with nullcontext() if usual and channels != 2 else suppress(ImageError):
        assert_close(read_photo(data), (expected * 255).round().astype(np.uint8), 1)


@pytest.mark.parametrize(
    "gray",
    [
        np.linspace(0, 1, 256, dtype=np.float32),
        np.linspace(0, 65535, 256).round().astype(np.int32),
    ],
    ids=["float", "32-bit"],
)
def test_32_bit_values_span_black_to_white(gray: np.ndarray) -> None:
    read = read_photo(encoded(Image.fromarray(gray.reshape(16, 16)), "TIFF"))
    assert_close(read, bgr(ramp()), 1)


@pytest.mark.parametrize(
    ("mode", "file_format"),
    [("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("LA", "PNG"), ("PA", "PNG")],
)
def test_what_is_transparent_becomes_white(mode: str, file_format: str) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 4, 8))
    image.paste((0, 0, 0, 128), (4, 0, 8, 4))
    if mode == "PA":
        source = image.quantize(16)
    else:
        source = image.convert(mode)
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    read = read_photo(encoded(source, file_format, **options))
    assert read[4, 1].tolist() == [255, 255, 255]
    assert read[6, 6].tolist() == [0, 0, 0]
    assert abs(int(read[1, 6, 0]) - 127) <= 1


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 2, 4))
    read = read_photo(encoded(image, "PNG", transparency=0))
    assert read[0, 0].tolist() == [255, 255, 255]
    assert read[0, 3].tolist() == [255, 0, 0]


def bmp_with_empty_alpha(image: Image.Image) -> bytes:
    """As some programs write it: a mask for a fourth channel, in which they put nothing."""
    pixels = np.asarray(image.convert("RGB"))[::-1, :, ::-1]
    body = np.dstack([pixels, np.zeros(pixels.shape[:2], np.uint8)]).tobytes()
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    size = (*image.size, 1, 32, 3, len(body), 0, 0, 0, 0)
    header = struct.pack("<IiiHHIIiiII", 108, *size) + masks
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + body


def test_an_empty_alpha_channel_hides_nothing() -> None:
    clear = quarters().convert("RGBA")
    clear.putalpha(0)
    for data in (
        bmp_with_empty_alpha(quarters()),
        encoded(clear, "PNG"),
        encoded(clear, "WEBP", lossless=True, exact=True),
        encoded(clear, "TIFF"),
    ):
        assert_close(read_photo(data), bgr(quarters()))


# How a camera stored what is upright `quarters()`: the inverse of each orientation.
STORED = {
    1: (),
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_270,),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_pictures_stand_upright(file_format: str, orientation: int) -> None:
    stored = quarters()
    for turn in STORED[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(stored, file_format, exif=exif.tobytes())
    assert_close(read_photo(data), bgr(quarters()), LOSSY)


def test_16_bit_pictures_stand_upright_too() -> None:
    gray = np.arange(32, dtype=np.uint16).reshape(4, 8) * 2000
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    read = read_photo(encoded(Image.fromarray(np.rot90(gray)), "PNG", exif=exif.tobytes()))
    assert read[..., 0].tolist() == (gray / 257).round().astype(int).tolist()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_an_unreadable_exif_does_not_cost_the_picture(
    file_format: str, recwarn: pytest.WarningsRecorder
) -> None:
    for exif in (b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xffmore"):
        read = read_photo(encoded(quarters(), file_format, exif=exif))
        assert_close(read, bgr(quarters()), LOSSY)
    assert not recwarn.list


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_taken(file_format: str) -> None:
    first, second = quarters(), Image.new("RGB", (64, 32), BLUE)
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(first, file_format, save_all=True, append_images=[second], **options)
    assert_close(read_photo(data), bgr(first))


@pytest.mark.parametrize(
    ("file_format", "said"),
    [
        ("PNG", "an animation of 3 frames: only the first is read."),
        ("WEBP", "an animation of 3 frames: only the first is read."),
        ("TIFF", "several pages: only the first is read."),
        ("HEIF", "3 pictures: only the main one is read."),
        ("MPO", None),  # a camera's previews
    ],
)
def test_what_is_not_read_of_a_file_is_said(file_format: str, said: str | None) -> None:
    more = [Image.new("RGB", (64, 32), colour) for colour in (BLUE, RED)]
    data = encoded(quarters(), file_format, save_all=True, append_images=more)
    assert open_photo(data).note == said
    alone = encoded(quarters(), "JPEG" if file_format == "MPO" else file_format)
    assert open_photo(alone).note is None


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA"])
def test_one_pixel_is_a_picture(mode: str) -> None:
    read = read_photo(encoded(Image.new(mode, (1, 1), 255 if len(mode) == 1 else "white"), "PNG"))
    assert read.tolist() == [[[255, 255, 255]]]


def test_the_array_can_be_written_to() -> None:
    read_photo(encoded(quarters(), "PNG"))[0, 0] = 0


def test_a_path_bytes_and_a_stream_read_alike(tmp_path: Path) -> None:
    data = encoded(quarters(), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for source in (path, str(path), data, io.BytesIO(data)):
        assert_close(read_photo(source), bgr(quarters()))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))

UNREADABLE = {
    "empty": (b"", "the file is empty"),
    "text": (b"This is no picture at all.", "not a picture that can be read"),
    "pdf": (b"%PDF-1.7\n1 0 obj", "not a picture that can be read"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    "gif": (encoded(ramp(), "GIF"), "not a picture that can be read"),
    "one byte": (b"\xff", "not a picture that can be read"),
    "jpeg's start": (encoded(NOISE, "JPEG")[:2], "not a picture that can be read"),
    **{
        f"{name} cut": (encoded(NOISE, name)[: len(encoded(NOISE, name)) // 2], "damaged")
        for name in ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
    },
    "heic cut": (encoded(NOISE, "HEIF")[:-400], "damaged"),
    "50 megapixels and one row": (bomb(10_000, MAX_PIXELS // 10_000 + 1), "pixels are too many"),
    "100 megapixels": (bomb(10_000, 10_000), "pixels are too many"),
    "gigapixels": (bomb(100_000, 100_000), "too many"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_gives_one_line(case: str, recwarn: pytest.WarningsRecorder) -> None:
    data, why = UNREADABLE[case]
    with pytest.raises(ImageError) as raised:
        read_photo(data, "holiday.jpg")
    line = str(raised.value)
    assert line.startswith("holiday.jpg: ")
    assert why in line
    assert "\n" not in line
    assert all(name in line for name in FORMATS)
    assert not recwarn.list


def test_bombs_are_refused_with_pillows_guard_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(ImageError, match="100000×100000 pixels are too many"):
        read_photo(bomb(100_000, 100_000))


def test_bombs_are_refused_before_they_are_decoded() -> None:
    # 100 megapixels would be 300 MB: with less memory than that, decoding them would fail.
    code = (
        "import resource, sys; from emorec.errors import EmorecError, ImageError\n"
        "from emorec.media.photo import read_photo\n"
        "now = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 150_000_000,) * 2)\n"
        "try: read_photo(sys.stdin.buffer)\n"
        "except ImageError as error: print(error)\n"
    )
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux")
    data = encoded(Image.new("1", (10_000, 10_000)), "PNG")
    run = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert "10000×10000 pixels are too many" in run.stdout.decode()


def heic_claiming(size_wh: tuple[int, int], claimed_wh: tuple[int, int]) -> bytes:
    fast = {"preset": "ultrafast"}
    data = bytearray(encoded(Image.new("RGB", size_wh), "HEIF", quality=10, enc_params=fast))
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", *claimed_wh)
    return bytes(data)


def png_of(*chunks: tuple[bytes, bytes], size_wh: tuple[int, int] = (8, 8)) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size_wh, 8, 2, 0, 0, 0))
    body = b"".join(chunk(kind, content) for kind, content in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def claims_little() -> dict[str, bytes]:
    """Files of which something grows to 300 MB or more, were it all taken out."""
    squeezed = zlib.compress(bytes(300_000_000), 1)
    dot = zlib.compress(bytes(8 * 25))
    small, page = Image.new("RGB", (8, 8)), Image.new("RGB", (1000, 1000))
    return {
        "PNG with more pixels than it claims": png_of((b"IDAT", squeezed)),
        "PNG with a big profile": png_of((b"iCCP", b"p\0\0" + squeezed), (b"IDAT", dot)),
        "PNG with a big text": png_of((b"zTXt", b"t\0\0" + squeezed), (b"IDAT", dot)),
        "HEIC with more pixels than it claims": heic_claiming((6000, 6000), (64, 64)),
        "HEIC that claims more pixels than it has": heic_claiming((64, 64), (60_000, 60_000)),
        "TIFF of many pages": encoded(
            small, "TIFF", save_all=True, append_images=[page] * 110, compression="tiff_lzw"
        ),
        "WebP of many frames": encoded(page, "WEBP", save_all=True, append_images=[page] * 4),
        "PNG of many frames": encoded(page, "PNG", save_all=True, append_images=[small] * 50),
    }


def test_what_claims_little_is_not_let_grow(tmp_path: Path) -> None:
    # Each is read, or refused in one line, with half of the memory it would take.
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux")
    for name, data in claims_little().items():
        (tmp_path / name).write_bytes(data)
    code = (
        "import pathlib, resource, sys; from emorec.errors import EmorecError, ImageError\n"
        "from emorec.media.photo import read_photo\n"
        "now = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 150_000_000,) * 2)\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try: print(path.name, read_photo(path).shape[0], sep=': ')\n"
        "    except ImageError as error: print(error)\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, check=False, text=True)
    assert run.returncode == 0, run.stderr
    said = run.stdout.splitlines()
    assert len(said) == len(list(tmp_path.iterdir()))
    assert "MemoryError" not in run.stdout
    assert "TIFF of many pages: 8" in said


@pytest.mark.parametrize(
    "beside",
    [
        (b"tEXt", b"parameters\0" + b"x" * 1_500_000),
        (b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 1_500_000)),
        (b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(b"x" * 1_500_000)),
        (b"iCCP", b"screen\0\0" + zlib.compress(bytes(1_500_000))),
        (b"tEXt", b"a\0" + b"x" * 70_000_000),
        (b"eXIf", b"no EXIF"),
        (b"acTL", b"short"),
        (b"gAMA", b""),
        (b"prVt", b"of some program"),
    ],
    ids=[
        "text",
        "packed text",
        "international text",
        "profile",
        "70 MB",
        "exif",
        "acTL",
        "gAMA",
        "own",
    ],
)
@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
def test_what_stands_beside_the_pixels_of_a_png_never_costs_them(
    beside: tuple[bytes, bytes], behind: bool
) -> None:
    pixels = (b"IDAT", zlib.compress(bytes(8 * 25)))
    chunks = [pixels, beside] if behind else [beside, pixels]
    for data in (png_of(*chunks), wrong_sum(png_of(*chunks), beside[0])):
        assert_close(read_photo(data), np.zeros((8, 8, 3), np.uint8))


def wrong_sum(png: bytes, kind: bytes) -> bytes:
    place = png.index(kind)
    end = place + 4 + int.from_bytes(png[place - 4 : place], "big")
    return png[:end] + b"\0\0\0\0" + png[end + 4 :]


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT"])
def test_damage_to_the_pixels_of_a_png_is_still_named(kind: bytes) -> None:
    data = bytearray(encoded(NOISE, "PNG"))
    data[data.index(kind) + 12] ^= 255
    with pytest.raises(ImageError, match=r"holiday: .*damaged"):
        read_photo(bytes(data), "holiday")


@pytest.mark.parametrize("kind", ["zTXt Raw profile type exif", "iTXt XML:com.adobe.xmp"])
def test_a_text_that_says_which_way_is_up_is_heard(kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    stored = encoded(quarters().transpose(Image.Transpose.ROTATE_90), "PNG")
    if kind.startswith("zTXt"):
        profile = b"\nexif\n%8d\n" % len(exif.tobytes()) + exif.tobytes().hex().encode()
        added = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile))
    else:
        xmp = b'<x xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
        added = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    assert_close(read_photo(stored[:33] + added + stored[33:]), bgr(quarters()))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_its_end_marker_alone_is_read(progressive: bool) -> None:
    data = encoded(NOISE, "JPEG", progressive=progressive)
    assert data.endswith(b"\xff\xd9")
    expected = read_photo(data)
    samsungs = b"\0\0\1\x0aPanorama_Shot_InfoSEFH\x65\0\0\0SEFT"  # where its panoramas end
    for cut in (data[:-2], data[:-1], data[:-2] + samsungs):
        assert_close(read_photo(cut), expected)
    with pytest.raises(ImageError, match="cut off"):
        read_photo(data[:-40])


def test_what_other_programs_pass_over_in_a_jpeg_costs_nothing() -> None:
    # From reports on Pillow: #630, #1631, #7879, and what cameras and servers add.
    data = encoded(quarters(), "JPEG", quality=95)
    tables = data.index(b"\xff\xdb")
    xmp = b"Exif\0\0http://ns.adobe.com/xap/1.0/\0"
    exif = b"\xff\xe1" + struct.pack(">H", 2 + len(xmp)) + xmp
    several = encoded(quarters(), "MPO", quality=95, save_all=True, append_images=[quarters()])
    for odd in (
        data[:tables] + b"\0" + data[tables:],
        data[:tables] + b"\xff\xff\xff" + data[tables:],
        data[:2] + exif + data[2:],
        data + bytes(5000),
        data + b"<html>",
        several[: several.index(b"\xff\xd8", 2)],
        several[: several.index(b"\xff\xd8", 2) + 99],
    ):
        assert_close(read_photo(odd), bgr(quarters()), LOSSY)


def test_a_sound_file_of_an_unusual_kind_is_not_called_damaged() -> None:
    twelve_bits = bytearray(encoded(NOISE, "JPEG"))
    twelve_bits[twelve_bits.index(b"\xff\xc0") + 4] = 12
    bmp = bytearray(encoded(NOISE, "BMP"))
    bmp[30] = 4  # a JPEG inside
    floats = tiff(np.zeros((8, 8, 3), np.float32), photometric="rgb")
    apples = chunk(b"CgBI", b"\x50\0\x20\x02")
    packed = zlib.compressobj(wbits=-15)
    rows = packed.compress(bytes(8 * 33)) + packed.flush()
    apples = b"\x89PNG\r\n\x1a\n" + apples + png_of((b"IDAT", rows))[8:]
    for data in (bytes(twelve_bits), bytes(bmp), floats, apples):
        with pytest.raises(
            ImageError, match="its pixels are stored in a way that EmoRec cannot read"
        ):
            read_photo(data)


def test_too_little_memory_is_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(image: Image.Image, factor: int) -> np.ndarray:
        raise MemoryError

    monkeypatch.setattr("emorec.media.photo.to_bgr", no_room)
    with pytest.raises(ImageError, match=r"^a: not enough memory"):
        read_photo(encoded(quarters(), "PNG"), "a")


def test_a_file_without_an_end_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("needs /dev/zero")
    with pytest.raises(ImageError, match="larger than a gigabyte"):
        read_photo(Path("/dev/zero"))


def test_what_goes_wrong_with_one_picture_is_its_line_and_its_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ImageError) as raised, one_picture("me.png"):
        raise ZeroDivisionError("of two\nlines")
    assert str(raised.value).startswith("me.png: cannot be read, by a fault of EmoRec itself")
    assert "ZeroDivisionError, of two lines" in str(raised.value)
    (entry,) = caplog.records
    assert entry.levelno == logging.ERROR and entry.exc_info
    assert "me.png" not in entry.getMessage()
    with pytest.raises(ImageError, match=r"^me.png: not enough memory"), one_picture("me.png"):
        raise MemoryError
    with pytest.raises(EmorecError, match=r"^as it was$"), one_picture("me.png"):
        raise EmorecError("as it was")
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("name", "why"), [("gone.png", "No such file"), (".", "directory")])
def test_a_path_that_cannot_be_opened_says_why(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / name
    with pytest.raises(ImageError, match=why) as raised:
        read_photo(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_a_png_gives_its_pixels_back() -> None:
    assert_close(read_photo(encode_png(bgr(quarters()))), bgr(quarters()))


def test_a_jpeg_gives_about_its_pixels_back() -> None:
    assert_close(read_photo(encode_jpeg(bgr(quarters()))), bgr(quarters()), LOSSY)


@pytest.mark.parametrize(
    ("encode", "longest"), [(encode_png, 1_000_001), (encode_jpeg, 65_501)], ids=["PNG", "JPEG"]
)
def test_what_a_format_cannot_hold_is_refused(encode: Callable, longest: int) -> None:
    for size_hw in ((1, longest), (longest, 1)):
        with pytest.raises(ImageError, match=r"cannot be written as (PNG|JPEG)"):
            encode(np.zeros((*size_hw, 3), np.uint8))
