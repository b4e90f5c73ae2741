"""A picture is the same whether it comes as an array, out of Pillow, or as a file."""

import hashlib
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from flawline.data.as_picture import as_picture, picture_bytes
from flawline.data.image import read_image
from flawline.errors import ImageError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 20, 3), np.uint8)
GREY = RGB[..., 0]
DEEP = RNG.integers(0, 4096, (12, 20), np.uint16)


def png(pixels) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1].tobytes()


@pytest.mark.parametrize("shape", ["rgb", "grey", "grey plane", "rgba"])
def test_pixels_of_an_array_are_taken_as_they_are(shape):
    array = {
        "rgb": RGB,
        "grey": GREY,
        "grey plane": GREY[..., None],
        "rgba": np.dstack([RGB, GREY]),
    }[shape]
    found = as_picture(array)
    expected = np.repeat(GREY[..., None], 3, axis=2) if "grey" in shape else RGB
    np.testing.assert_array_equal(found.pixels, expected)
    assert (found.width, found.height) == (20, 12)
    assert found.channels == (1 if "grey" in shape else 3)
    assert found.mode == {"rgb": "RGB", "rgba": "RGBA"}.get(shape, "L")
    assert found.format == "array"
    assert found.notes == (("alpha dropped",) if shape == "rgba" else ())
    assert found.pixels.dtype == np.uint8
    assert not found.pixels.flags.writeable


def test_the_array_may_change_afterwards():
    array = RGB.copy()
    found = as_picture(array)
    array[:] = 0
    np.testing.assert_array_equal(found.pixels, RGB)


def test_deep_arrays_are_read_as_deep_files():
    for value_range in (None, (0, 4095)):
        file = read_image(png(DEEP), value_range=value_range)
        found = as_picture(DEEP, value_range)
        np.testing.assert_array_equal(found.pixels, file.pixels)
        assert found.notes == file.notes
    assert as_picture(DEEP).mode == "L;16"
    colour = np.dstack([DEEP, DEEP, DEEP])
    expected = np.floor(np.clip(DEEP / 4095, 0, 1) * 255 + 0.5)
    np.testing.assert_array_equal(as_picture(colour, (0, 4095)).pixels[..., 1], expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_within_0_to_1_or_a_range(dtype):
    values = np.linspace(0, 1, 240).reshape(12, 20).astype(dtype)
    expected = np.floor(values.astype(np.float32).astype(np.float64) * 255 + 0.5)
    np.testing.assert_array_equal(as_picture(values).pixels[..., 0], expected)
    np.testing.assert_array_equal(as_picture(100 * values, (0, 100)).pixels[..., 0].max(), 255)
    assert as_picture(values).mode == "L;32F"
    with pytest.raises(ImageError) as caught:
        as_picture(2 * values)
    assert caught.value.code == "image-value-range"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_none_is_refused(wrong):
    values = np.zeros((4, 4))
    values[1, 2] = wrong
    for value_range in (None, (0, 1)):
        with pytest.raises(ImageError) as caught:
            as_picture(values, value_range)
        assert caught.value.code == "image-not-finite"


@pytest.mark.parametrize(
    ("array", "code", "text"),
    [
        (np.zeros((0, 5), np.uint8), "image-empty", "(0, 5)"),
        (np.zeros((5, 0, 3), np.uint8), "image-empty", "(5, 0, 3)"),
        (np.zeros(5, np.uint8), "image-array", "(5,)"),
        (np.zeros((5, 5, 2), np.uint8), "image-array", "(5, 5, 2)"),
        (np.zeros((3, 5, 5), np.uint8), "image-array", "(3, 5, 5)"),
        (np.zeros((2, 5, 5, 3), np.uint8), "image-array", "(2, 5, 5, 3)"),
        (np.zeros((5, 5), np.int32), "image-array", "int32"),
        (np.zeros((5, 5), np.int16), "image-array", "int16"),
        (np.zeros((5, 5), bool), "image-array", "bool"),
        (np.zeros((5, 5), complex), "image-array", "complex128"),
        (np.array([["a"]]), "image-array", "<U1"),
        ([[1, 2], [3, 4]], "image-array", "list"),
        (None, "image-array", "NoneType"),
    ],
)
def test_errors_state_what_was_expected_and_what_came(array, code, text):
    for function in (as_picture, picture_bytes):
        with pytest.raises(ImageError) as caught:
            function(array)
        assert caught.value.code == code
        assert text in caught.value.message
        assert caught.value.hint


def test_the_hash_is_that_of_values_shape_and_type():
    def of(array):
        return as_picture(array).sha256

    assert of(RGB) == of(np.asfortranarray(RGB)) == of(np.dstack([RGB, GREY])[..., :3])
    others = [of(array) for array in (RGB, RGB[::-1], RGB.reshape(20, 12, 3), GREY, RGB[..., ::-1])]
    others += [of(GREY.astype(np.uint16)), of(GREY / 255)]
    assert len(set(others)) == len(others)
    # Documented: the SHA-256 of the Netpbm file with these values.
    file = b"P6\n20 12\n255\n" + RGB.tobytes()
    assert of(RGB) == hashlib.sha256(file).hexdigest()
    assert as_picture(RGB).file_bytes == len(file)
    assert picture_bytes(RGB) == file


@pytest.mark.parametrize("array", [RGB, GREY, DEEP, np.dstack([DEEP] * 3), GREY / 255, RGB / 255])
def test_the_file_of_an_array_is_read_to_the_same_picture(array):
    again, one = read_image(picture_bytes(array)), as_picture(array)
    np.testing.assert_array_equal(again.pixels, one.pixels)
    assert again.sha256 == one.sha256


def test_paths_and_bytes_are_files(tmp_path):
    path = tmp_path / "part.png"
    path.write_bytes(png(RGB))
    for given in (path, str(path), path.read_bytes()):
        found = as_picture(given)
        np.testing.assert_array_equal(found.pixels, RGB)
        assert found.format == "PNG"
        assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert picture_bytes(given) == path.read_bytes()
    assert as_picture(found) is found
    for function in (as_picture, picture_bytes):
        with pytest.raises(ImageError) as caught:
            function(str(tmp_path / "none.png"))
        assert caught.value.code == "image-unreadable"


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "I", "I;16", "F"],
)
def test_pictures_of_pillow_in_every_mode(mode):
    grey = Image.fromarray(GREY)
    if mode == "I;16":
        image, expected = Image.fromarray(DEEP), as_picture(DEEP).pixels
    elif mode == "F":
        image, expected = Image.fromarray((GREY / 255).astype(np.float32)), as_picture(GREY).pixels
    elif mode == "I":
        image, expected = grey.convert("I"), as_picture(GREY.astype(np.uint16)).pixels
    elif mode == "RGBa":
        image = Image.fromarray(RGB).convert("RGBA").convert("RGBa")
        expected = RGB
    else:
        image = Image.fromarray(RGB).convert(mode) if mode != "PA" else grey.convert("PA")
        expected = np.asarray(image.convert("RGB"))
    found = as_picture(image)
    assert image.mode == mode
    np.testing.assert_array_equal(found.pixels, expected)


def test_a_picture_of_pillow_is_turned_as_its_file_is():
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(buffer, "PNG", exif=exif)
    file = buffer.getvalue()
    found = as_picture(Image.open(io.BytesIO(file)))
    np.testing.assert_array_equal(found.pixels, as_picture(file).pixels)
    assert found.pixels.shape == (20, 12, 3)


def test_whole_numbers_beyond_16_bits_are_refused():
    image = Image.fromarray(np.full((4, 4), 70000, np.int32))
    with pytest.raises(ImageError) as caught:
        as_picture(image)
    assert "70000" in caught.value.message
