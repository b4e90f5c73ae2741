"""Formats, modes and limits of `read_image`."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFile

from flawline.data import image as image_module
from flawline.data.image import ImageLimits, read_image
from flawline.errors import ImageError

RGB = np.random.default_rng(3).integers(0, 256, (13, 17, 3), dtype=np.uint8)
GREY = RGB[:, :, 0].copy()
DEEP = np.random.default_rng(4).integers(0, 65536, (13, 17, 3), dtype=np.uint16)


def encode(pixels: Any, format: str, mode: str | None = None, **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    (image.convert(mode) if mode else image).save(stream, format, **options)
    return stream.getvalue()


def encode_cv2(suffix: str, values: NDArray[Any], *options: int) -> bytes:
    if values.ndim == 3:
        values = values[:, :, [2, 1, 0, 3][: values.shape[2]]]
    done, data = cv2.imencode(suffix, np.ascontiguousarray(values), list(options))
    assert done
    return data.tobytes()


def grey3(values: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(values[:, :, None], 3, axis=2)


def eight(values: NDArray[Any], largest: float) -> NDArray[np.uint8]:
    return np.floor(values.astype(float) / largest * 255 + 0.5).clip(0, 255).astype(np.uint8)


def code_of(data: bytes | Path, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(data, **options)
    assert caught.value.message
    assert caught.value.hint
    assert "Traceback" not in caught.value.message
    return caught.value.code


def rgba(alpha: int = 0) -> Image.Image:
    image = Image.fromarray(RGB).convert("RGBA")
    image.putalpha(alpha)
    return image


def grey_alpha() -> Image.Image:
    image = Image.fromarray(GREY).convert("LA")
    image.putalpha(7)
    return image


def palette() -> Image.Image:
    image = Image.fromarray(GREY // 64)
    image = image.convert("P")
    image.putpalette([200, 10, 20, 30, 40, 250, 0, 0, 0, 255, 255, 255])
    return image


PALETTE = np.array([[200, 10, 20], [30, 40, 250], [0, 0, 0], [255, 255, 255]], np.uint8)[GREY // 64]
BITS = GREY > 127
LOSSLESS: dict[str, tuple[Callable[[], bytes], NDArray[Any], str, str, int]] = {
    "png-1": (lambda: encode(BITS, "PNG"), grey3(BITS * 255), "PNG", "1", 1),
    "png-L": (lambda: encode(GREY, "PNG"), grey3(GREY), "PNG", "L", 1),
    "png-LA": (lambda: encode(grey_alpha(), "PNG"), grey3(GREY), "PNG", "LA", 1),
    "png-RGB": (lambda: encode(RGB, "PNG"), RGB, "PNG", "RGB", 3),
    "png-RGBA": (lambda: encode(rgba(), "PNG"), RGB, "PNG", "RGBA", 3),
    "png-P": (lambda: encode(palette(), "PNG"), PALETTE, "PNG", "P", 3),
    "png-P-transparency": (
        lambda: encode(palette(), "PNG", transparency=b"\x00\x10\xff\x40"),
        PALETTE,
        "PNG",
        "P",
        3,
    ),
    "png-RGB-transparency": (
        lambda: encode(RGB, "PNG", transparency=tuple(map(int, RGB[0, 0]))),
        RGB,
        "PNG",
        "RGB",
        3,
    ),
    "png-I;16": (
        lambda: encode(DEEP[:, :, 0], "PNG"),
        grey3(eight(DEEP[:, :, 0], 65535)),
        "PNG",
        "I;16",
        1,
    ),
    "png-RGB;16": (lambda: encode_cv2(".png", DEEP), eight(DEEP, 65535), "PNG", "RGB;16", 3),
    "png-RGBA;16": (
        lambda: encode_cv2(".png", np.dstack([DEEP, DEEP[:, :, 0]])),
        eight(DEEP, 65535),
        "PNG",
        "RGBA;16",
        3,
    ),
    "bmp-1": (lambda: encode(BITS, "BMP"), grey3(BITS * 255), "BMP", "1", 1),
    "bmp-L": (lambda: encode(GREY, "BMP"), grey3(GREY), "BMP", "L", 1),
    "bmp-RGB": (lambda: encode(RGB, "BMP"), RGB, "BMP", "RGB", 3),
    "bmp-32": (lambda: encode(rgba(9), "BMP"), RGB, "BMP", "RGB", 3),
    "gif-P": (lambda: encode(palette(), "GIF"), PALETTE, "GIF", "P", 3),
    "gif-L": (lambda: encode(GREY, "GIF"), grey3(GREY), "GIF", "P", 1),
    "webp-RGB": (lambda: encode(RGB, "WEBP", lossless=True), RGB, "WEBP", "RGB", 3),
    "webp-RGBA": (
        lambda: encode(rgba(40), "WEBP", lossless=True, exact=True),
        RGB,
        "WEBP",
        "RGBA",
        3,
    ),
    "pbm": (lambda: encode(BITS, "PPM"), grey3(BITS * 255), "PPM", "1", 1),
    "pgm": (lambda: encode(GREY, "PPM"), grey3(GREY), "PPM", "L", 1),
    "ppm": (lambda: encode(RGB, "PPM"), RGB, "PPM", "RGB", 3),
    "pgm-plain": (
        lambda: b"P2\n# a comment\n17 13\n255\n" + " ".join(map(str, GREY.ravel())).encode(),
        grey3(GREY),
        "PPM",
        "L",
        1,
    ),
    "pgm-12": (
        lambda: b"P5 17 13 4095\n" + (DEEP[:, :, 0] // 16).astype(">u2").tobytes(),
        grey3(eight(DEEP[:, :, 0] // 16, 4095)),
        "PPM",
        "L;16",
        1,
    ),
    "pgm-100": (
        lambda: b"P5\n#x\n17 13\n100\n" + (GREY % 101).tobytes(),
        grey3(eight(GREY % 101, 100)),
        "PPM",
        "L",
        1,
    ),
    "ppm-16": (
        lambda: b"P6 17 13 65535\n" + DEEP.astype(">u2").tobytes(),
        eight(DEEP, 65535),
        "PPM",
        "RGB;16",
        3,
    ),
    "pfm": (
        lambda: b"Pf\n17 13\n-1.0\n" + (GREY[::-1] / 255).astype("<f4").tobytes(),
        grey3(GREY),
        "PPM",
        "L;32F",
        1,
    ),
    "pfm-RGB": (
        lambda: b"PF\n17 13\n1.0\n" + (RGB[::-1] / 255).astype(">f4").tobytes(),
        RGB,
        "PPM",
        "RGB;32F",
        3,
    ),
    "jp2-L": (lambda: encode(GREY, "JPEG2000"), grey3(GREY), "JPEG2000", "L", 1),
    "jp2-RGB": (lambda: encode(RGB, "JPEG2000"), RGB, "JPEG2000", "RGB", 3),
    "jp2-RGBA": (lambda: encode(rgba(3), "JPEG2000"), RGB, "JPEG2000", "RGBA", 3),
    "tiff-1": (lambda: encode(BITS, "TIFF"), grey3(BITS * 255), "TIFF", "1", 1),
    "tiff-L": (lambda: encode(GREY, "TIFF"), grey3(GREY), "TIFF", "L", 1),
    "tiff-P": (lambda: encode(palette(), "TIFF"), PALETTE, "TIFF", "P", 3),
    "tiff-LA": (lambda: encode(grey_alpha(), "TIFF"), grey3(GREY), "TIFF", "LA", 1),
    "tiff-RGB-lzw": (
        lambda: encode(RGB, "TIFF", compression="tiff_lzw"),
        RGB,
        "TIFF",
        "RGB",
        3,
    ),
    "tiff-RGBA": (lambda: encode(rgba(5), "TIFF"), RGB, "TIFF", "RGBA", 3),
    "tiff-I;16": (
        lambda: encode(DEEP[:, :, 0], "TIFF"),
        grey3(eight(DEEP[:, :, 0], 65535)),
        "TIFF",
        "I;16",
        1,
    ),
    "tiff-I;16-deflate": (
        lambda: encode(DEEP[:, :, 0], "TIFF", compression="tiff_adobe_deflate"),
        grey3(eight(DEEP[:, :, 0], 65535)),
        "TIFF",
        "I;16",
        1,
    ),
    "tiff-RGB;16": (lambda: encode_cv2(".tiff", DEEP), eight(DEEP, 65535), "TIFF", "RGB;16", 3),
    "tiff-F": (
        lambda: encode((GREY / 255).astype(np.float32), "TIFF"),
        grey3(GREY),
        "TIFF",
        "F",
        1,
    ),
    "tiff-RGB-float": (
        lambda: encode_cv2(".tiff", (RGB / 255).astype(np.float32)),
        RGB,
        "TIFF",
        "RGB;32F",
        3,
    ),
}


@pytest.mark.parametrize("case", LOSSLESS)
def test_lossless_formats_give_their_pixels(case: str) -> None:
    make, expected, format, mode, channels = LOSSLESS[case]
    data = make()
    picture = read_image(data)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert not picture.pixels.flags.writeable
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.width, picture.height) == (17, 13)
    assert (picture.format, picture.mode, picture.channels) == (format, mode, channels)
    assert picture.file_bytes == len(data)


@pytest.mark.parametrize("case", [name for name in LOSSLESS if "A" in name or "transp" in name])
def test_alpha_is_dropped_and_said(case: str) -> None:
    assert read_image(LOSSLESS[case][0]()).notes == ("alpha dropped",)


@pytest.mark.parametrize("case", ["png-RGB", "png-L", "png-I;16", "pgm", "tiff-RGB;16"])
def test_plain_files_bear_no_notes(case: str) -> None:
    assert read_image(LOSSLESS[case][0]()).notes == ()


def smooth(mode: str) -> Image.Image:
    y, x = np.mgrid[0:48, 0:64]
    pixels = np.dstack([x * 4, y * 5, np.full_like(x, 90)]).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg(mode: str, progressive: bool) -> None:
    source = smooth(mode)
    picture = read_image(encode(source, "JPEG", quality=98, progressive=progressive))
    difference = picture.pixels.astype(int) - np.asarray(source.convert("RGB"), int)
    assert abs(difference).max() < 12
    assert (picture.mode, picture.channels) == (mode, len(mode))


def test_cmyk_and_ycck_jpeg() -> None:
    source = smooth("CMYK")
    cmyk = read_image(encode(source, "JPEG", quality=98))
    assert cmyk.mode == "CMYK"
    assert cmyk.notes == ("CMYK converted without a colour profile",)
    assert abs(cmyk.pixels.astype(int) - np.asarray(source.convert("RGB"), int)).max() < 24


def test_inverted_adobe_cmyk_and_ycck_agree_with_pillow() -> None:
    data = encode(smooth("CMYK"), "JPEG", quality=98)
    at = data.index(b"Adobe")
    ycck = data[: at + 11] + b"\x02" + data[at + 12 :]
    with Image.open(io.BytesIO(ycck)) as image:
        expected = np.asarray(image.convert("RGB"))
    picture = read_image(ycck)
    np.testing.assert_array_equal(picture.pixels, expected)
    assert picture.mode == "CMYK"
    assert abs(expected.astype(int) - read_image(data).pixels.astype(int)).max() > 20


def test_big_endian_and_inverted_sixteen_bit_tiff() -> None:
    tifffile = pytest.importorskip("tifffile")
    values = DEEP[:, :, 0]
    for order, kind, expected in (
        (">", "minisblack", eight(values, 65535)),
        ("<", "miniswhite", eight(65535 - values, 65535)),
    ):
        stream = io.BytesIO()
        tifffile.imwrite(stream, values, byteorder=order, photometric=kind)
        np.testing.assert_array_equal(read_image(stream.getvalue()).pixels, grey3(expected))


def test_separate_colour_planes_of_sixteen_bits_are_refused_not_garbled() -> None:
    tifffile = pytest.importorskip("tifffile")
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        np.ascontiguousarray(DEEP.transpose(2, 0, 1)),
        photometric="rgb",
        planarconfig="separate",
    )
    assert code_of(stream.getvalue()) == "image-unsupported"


ORIENTED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation(orientation: int, format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}}.get(
        format, {}
    )
    source = smooth("RGB")
    picture = read_image(encode(source, format, exif=exif, **options))
    expected = ORIENTED[orientation](np.asarray(source))
    assert picture.pixels.shape == expected.shape
    assert (picture.height, picture.width) == expected.shape[:2]
    assert abs(picture.pixels.astype(int) - expected.astype(int)).max() < 12


@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_of_deep_files(orientation: int) -> None:
    tifffile = pytest.importorskip("tifffile")
    stream = io.BytesIO()
    tifffile.imwrite(stream, DEEP, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    expected = ORIENTED[orientation](eight(DEEP, 65535))
    picture = read_image(stream.getvalue())
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.height, picture.width) == expected.shape[:2]


@pytest.mark.parametrize(
    "damage", [b"II*\0\xff\xff\xff\xff", b"garbage", b"II*\0\x08\0\0\0\xff\xff"]
)
def test_damaged_exif_does_not_stop_a_picture(damage: bytes) -> None:
    data = encode(smooth("RGB"), "JPEG", exif=b"Exif\0\0" + damage)
    assert read_image(data).pixels.shape == (48, 64, 3)


def test_damaged_exif_that_pillow_cannot_read_is_noted() -> None:
    assert read_image(encode(RGB, "PNG", exif=b"Exif\0\0garbage")).notes == (
        "damaged EXIF ignored",
    )


@pytest.mark.parametrize(
    ("format", "note"),
    [
        ("GIF", "first of 3 frames"),
        ("WEBP", "first of 3 frames"),
        ("PNG", "first of 3 frames"),
        ("TIFF", "first of several frames"),
    ],
)
def test_first_frame_of_several(format: str, note: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    data = encode(frames[0], format, save_all=True, append_images=frames[1:], **options)
    picture = read_image(data)
    assert picture.notes == (note,)
    np.testing.assert_array_equal(picture.pixels[0, 0], [255, 0, 0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "JPEG", "WEBP", "GIF", "PPM"])
def test_one_pixel_sides(shape: tuple[int, int], format: str) -> None:
    data = encode(np.full((*shape, 3), 200, np.uint8), format)
    picture = read_image(data, target=1)
    assert picture.pixels.shape == (*shape, 3)
    assert abs(picture.pixels.astype(int) - 200).max() < 4


def test_value_range_maps_twelve_bits() -> None:
    values = np.array([[0, 1000, 4095, 60000]], np.uint16)
    picture = read_image(encode(values, "PNG"), value_range=(0, 4095))
    np.testing.assert_array_equal(picture.pixels[0, :, 0], [0, 62, 255, 255])
    picture = read_image(encode(values, "PNG"), value_range=(1000, 2000))
    np.testing.assert_array_equal(picture.pixels[0, :, 0], [0, 0, 255, 255])


def test_value_range_leaves_eight_bits_alone_and_says_so() -> None:
    picture = read_image(encode(GREY, "PNG"), value_range=(0, 4095))
    np.testing.assert_array_equal(picture.pixels, grey3(GREY))
    assert picture.notes == ("value range not applied to 8 bits",)


@pytest.mark.parametrize("bad", [(1, 1), (2, 1), (float("nan"), 1), (0, float("inf"))])
def test_value_range_must_make_sense(bad: tuple[float, float]) -> None:
    assert code_of(encode(GREY, "PNG"), value_range=bad) == "image-value-range"


def test_floats_need_a_range_and_finite_values() -> None:
    values = np.array([[0, 100, 250]], np.float32)
    assert code_of(encode(values, "TIFF")) == "image-value-range"
    picture = read_image(encode(values, "TIFF"), value_range=(0, 250))
    np.testing.assert_array_equal(picture.pixels[0, :, 0], [0, 102, 255])
    for invalid in (np.nan, np.inf, -np.inf):
        values[0, 1] = invalid
        assert code_of(encode(values, "TIFF"), value_range=(0, 250)) == "image-not-finite"


def test_integers_without_a_stated_range_need_one() -> None:
    values = np.array([[0, 70000, 140000]], np.int32)
    assert code_of(encode(values, "TIFF")) == "image-value-range"
    picture = read_image(encode(values, "TIFF"), value_range=(0, 140000))
    np.testing.assert_array_equal(picture.pixels[0, :, 0], [0, 128, 255])


def test_target_decodes_large_jpeg_at_reduced_scale() -> None:
    data = encode(Image.new("RGB", (1600, 1200), (10, 200, 30)), "JPEG")
    for target, height in ((300, 300), (299, 300), (500, 600), (601, 1200), (5000, 1200), (1, 150)):
        picture = read_image(data, target=target)
        assert picture.pixels.shape == (height, height * 4 // 3, 3)
        assert (picture.width, picture.height) == (1600, 1200)
        assert min(picture.pixels.shape[:2]) >= min(target, 1200)
    assert read_image(encode(RGB, "PNG"), target=2).pixels.shape == RGB.shape


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_pixels_are_those_of_pillow(mode: str, progressive: bool, subsampling: int) -> None:
    smooth = cv2.GaussianBlur(np.tile(RGB, (12, 9, 1)), (0, 0), 2)
    image = Image.fromarray(smooth).convert(mode)
    data = encode(image, "JPEG", quality=80, progressive=progressive, subsampling=subsampling)
    for reduction in (1, 2, 4, 8):
        target = min(image.size) // reduction
        expected = Image.open(io.BytesIO(data))
        expected.draft(None, (target, target))
        found = read_image(data, target=target).pixels
        np.testing.assert_array_equal(found, np.asarray(expected.convert("RGB")))


def test_target_with_orientation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_image(encode(Image.new("L", (800, 400)), "JPEG", exif=exif), target=100)
    assert picture.pixels.shape == (200, 100, 3)
    assert (picture.width, picture.height) == (400, 800)


def test_target_must_be_positive() -> None:
    assert code_of(encode(GREY, "PNG"), target=0) == "image-target"


TRUNCATABLE = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000"]


@pytest.mark.parametrize("format", TRUNCATABLE)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused(format: str, kept: float) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (90, 110, 3), dtype=np.uint8)
    data = encode(pixels, format)
    assert code_of(data[: int(len(data) * kept)]) == "image-truncated"


@pytest.mark.parametrize("case", ["png-RGB;16", "tiff-RGB;16", "tiff-RGB-float", "ppm-16"])
def test_truncated_deep_files_are_refused(case: str) -> None:
    data = LOSSLESS[case][0]()
    assert code_of(data[: len(data) * 2 // 3]) == "image-truncated"


def test_jpeg_with_a_tail_of_zeros_is_refused() -> None:
    data = encode(smooth("RGB").resize((640, 480)), "JPEG")
    assert code_of(data[: len(data) // 2] + bytes(len(data) // 2)) == "image-truncated"


def test_jpeg_without_its_last_bytes_is_refused() -> None:
    data = encode(smooth("RGB"), "JPEG")
    assert code_of(data[:-2]) == "image-truncated"


@pytest.mark.parametrize("format", TRUNCATABLE)
def test_truncation_is_refused_where_others_allow_it(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    pixels = np.random.default_rng(5).integers(0, 256, (90, 110, 3), dtype=np.uint8)
    data = encode(pixels, format)
    assert read_image(data).width == 110
    assert code_of(data[: len(data) // 2]) == "image-truncated"


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kept", [0.4, 0.8, 0.99])
def test_truncated_tiff_with_its_directory_in_front(compression: str | None, kept: float) -> None:
    tifffile = pytest.importorskip("tifffile")
    stream = io.BytesIO()
    pixels = np.random.default_rng(5).integers(0, 256, (90, 110, 3), dtype=np.uint8)
    tifffile.imwrite(stream, pixels, photometric="rgb", compression=compression, rowsperstrip=16)
    data = stream.getvalue()
    assert read_image(data).width == 110
    assert code_of(data[: int(len(data) * kept)]) == "image-truncated"


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "image-empty", "empty"),
        (b"<!DOCTYPE html><html><body>403</body></html>", "image-not-an-image", "HTML"),
        (b"\n  <html>", "image-not-an-image", "HTML"),
        (b"<?xml version='1.0'?><svg/>", "image-not-an-image", "XML"),
        (b"hello there", "image-not-an-image", "plain text"),
        (bytes(4000), "image-not-an-image", "zero bytes"),
        (b"%PDF-1.7", "image-not-an-image", "PDF"),
        (b"PK\3\4" + bytes(40), "image-not-an-image", "zip"),
        (b"\x01\x02\x03\xff", "image-not-an-image", "unknown bytes 01 02 03 ff"),
        (b"8BPS" + bytes(60), "image-unsupported", "Photoshop"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "image-unsupported", "HEIC"),
        (b"\xff\xd8\xff", "image-truncated", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "image-truncated", "PNG"),
        (b"II*\0\x08\0\0\0", "image-truncated", "TIFF"),
        (b"P5 10 10 255\n123", "image-truncated", "bytes"),
    ],
)
def test_what_is_no_picture(data: bytes, code: str, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        read_image(data)
    assert code_of(data) == code


def test_extension_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "renamed.jpg"
    path.write_bytes(encode(RGB, "PNG"))
    assert read_image(path).format == "PNG"
    np.testing.assert_array_equal(read_image(path).pixels, RGB)


def test_unreadable_paths(tmp_path: Path) -> None:
    assert code_of(tmp_path / "missing.png") == "image-unreadable"
    assert code_of(tmp_path) == "image-unreadable"
    assert code_of(Path("nul\0.png")) == "image-unreadable"


def test_limits_are_checked_before_decoding(tmp_path: Path) -> None:
    data = encode(RGB, "PNG")
    assert code_of(data, limits=ImageLimits(max_pixels=17 * 13 - 1)) == "image-too-large"
    assert read_image(data, limits=ImageLimits(max_pixels=17 * 13)).width == 17
    assert code_of(data, limits=ImageLimits(max_bytes=10)) == "image-too-large"
    path = tmp_path / "x.png"
    path.write_bytes(data)
    assert code_of(path, limits=ImageLimits(max_bytes=10)) == "image-too-large"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + check


@pytest.mark.parametrize("side", [20_000, 2**31 - 1])
def test_decompression_bombs_are_refused_unseen(side: int) -> None:
    header = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    png += png_chunk(b"IDAT", zlib.compress(bytes(1_000_000))) + png_chunk(b"IEND", b"")
    assert code_of(png) == "image-too-large"
    assert code_of(f"P6 {side % 10**9} {side % 10**9} 255\n".encode()) == "image-too-large"


def test_large_pictures_pass_below_the_limit_without_touching_pillows_own() -> None:
    before = Image.MAX_IMAGE_PIXELS
    data = encode(
        Image.new("1", (16_000, 13_000)), "PNG"
    )  # 208 million pixels: over Pillow's limit
    assert code_of(data, limits=ImageLimits(max_pixels=200_000_000)) == "image-too-large"
    assert before == Image.MAX_IMAGE_PIXELS


def test_memory_error_becomes_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(image_module, "decode_with_pillow", fail)
    assert code_of(encode(RGB, "PNG")) == "image-memory"


def test_no_warning_reaches_the_user() -> None:
    noisy = encode(smooth("RGB"), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0" + b"\x12\x01" * 20)
    with pytest.warns(UserWarning, match="EXIF"), Image.open(io.BytesIO(noisy)) as image:
        image.load()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_image(noisy)
        assert caught == []
        warnings.warn("of someone else", stacklevel=1)
        assert len(caught) == 1


def test_decoding_from_threads_gives_the_same_pixels() -> None:
    files = [make() for make, *_ in LOSSLESS.values()] * 4
    expected = [read_image(data).pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        for pixels, picture in zip(expected, pool.map(read_image, files), strict=True):
            np.testing.assert_array_equal(pixels, picture.pixels)


def test_real_castings(real_data: Path) -> None:
    import zipfile

    with zipfile.ZipFile(real_data / "casting.zip") as archive:
        for name in archive.namelist()[:20]:
            picture = read_image(archive.read(name))
            assert picture.pixels.shape == (300, 300, 3)
            assert (picture.format, picture.channels) == ("JPEG", 3)


def test_a_chunk_of_gigabytes_is_not_allocated() -> None:
    data = LOSSLESS["png-RGB;16"][0]()
    at = data.index(b"IDAT") - 4
    grown = data[:at] + b"\xfe\x00\x11\x03" + data[at + 4 :]
    with ThreadPoolExecutor(1) as pool, pytest.raises(ImageError) as caught:
        pool.submit(read_image, grown).result(timeout=2)
    assert caught.value.code in ("image-truncated", "image-damaged")


def test_hints_name_the_option_of_the_command_line() -> None:
    with pytest.raises(ImageError) as too_large:
        read_image(encode(GREY, "PNG"), limits=ImageLimits(max_pixels=1))
    assert "`max_pixels` of ImageLimits" in too_large.value.hint
    with pytest.raises(ImageError) as no_range:
        read_image(encode(GREY, "PNG"), value_range=(1, 0))
    assert "`value_range=0,4095`" in no_range.value.hint


@pytest.mark.parametrize(
    ("brightest", "noted"), [(0, False), (1, True), (4095, True), (8192, False), (65535, False)]
)
def test_sixteen_bits_that_use_a_small_part_of_their_range_are_noted(
    brightest: int, noted: bool
) -> None:
    data = encode(np.array([[0, brightest]], np.uint16), "PNG")
    notes = read_image(data).notes
    assert [note for note in notes if "`value_range=0,4095`" in note] == list(notes)
    assert bool(notes) == noted
    assert not read_image(data, value_range=(0, 4095)).notes
