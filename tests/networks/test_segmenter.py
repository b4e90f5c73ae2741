import numpy as np
import pytest

from flawline.core.view.framing import Framing
from flawline.errors import ModelError
from flawline.networks.network import METADATA_KEY
from flawline.networks.segmenter import CLASSES_KEY, FRAMING_KEY, open_segmenter, softmax
from helpers.drawn_segmenter import CLASSES, MEAN, STD, write_segmenter


def picture(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def expected(pixels):
    x = (pixels[..., 0].astype(np.float64) - MEAN) / STD
    powers = np.exp(np.stack([0 * x, -2 * x, 2 * x]))
    return powers / powers.sum(0)


@pytest.mark.parametrize("size", [(32, 48), (20, 31), (100, 90), (33, 200)])
def test_probabilities_of_pictures_of_any_size(tmp_path, size):
    path = write_segmenter(tmp_path / "a.onnx", Framing((32, 48), 1.0, 16, cell=1))
    segmenter = open_segmenter(path, precision="f32")
    assert segmenter.classes == CLASSES
    pixels = picture(*size)
    shares = segmenter(pixels)
    assert shares.dtype == np.float32
    assert shares.shape == (3, *size)
    np.testing.assert_allclose(shares, expected(pixels), atol=1e-5)
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-5)


def test_a_picture_squeezed_into_one_window_comes_back_at_its_size(tmp_path):
    path = write_segmenter(tmp_path / "a.onnx", Framing((32, 48), "fit", 0, cell=1))
    segmenter = open_segmenter(path, precision="f32")
    pixels = np.zeros((90, 70, 3), np.uint8)
    pixels[:, 35:] = 255
    shares = segmenter(pixels)
    assert shares.shape == (3, 90, 70)
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-5)
    assert (shares[1][:, :30] > 0.9).all()
    assert (shares[2][:, 40:] > 0.9).all()


def test_other_windows_give_the_same(tmp_path):
    path = write_segmenter(tmp_path / "a.onnx", Framing((32, 48), 1.0, 16, cell=1))
    pixels = picture(100, 90)
    wide = open_segmenter(path.read_bytes(), framing=Framing((64, 64), 1.0, 16), precision="f32")
    assert wide.framing.cell == 1
    np.testing.assert_allclose(wide(pixels), expected(pixels), atol=1e-5)


def test_mirrored_windows_are_averaged(tmp_path):
    path = write_segmenter(tmp_path / "a.onnx", Framing((32, 48), 1.0, 16, cell=1), aside=1)
    plain, mean = (open_segmenter(path, precision="f32", flips=flips) for flips in (False, True))
    pixels = picture(32, 48)
    expected = np.mean(
        [
            plain(pixels),
            plain(pixels[::-1])[:, ::-1],
            plain(pixels[:, ::-1])[:, :, ::-1],
            plain(pixels[::-1, ::-1])[:, ::-1, ::-1],
        ],
        axis=0,
    )
    np.testing.assert_allclose(mean(pixels), expected, atol=1e-6)
    np.testing.assert_allclose(mean(pixels[::-1]), expected[:, ::-1], atol=1e-6)
    assert np.abs(plain(pixels) - expected).max() > 0.1
    np.testing.assert_allclose(mean(picture(70, 90)).sum(0), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({CLASSES_KEY: None}, "does not say flawline.classes"),
        ({CLASSES_KEY: "["}, "does not say flawline.classes"),
        ({CLASSES_KEY: '["background"]'}, "gives 3 classes and names"),
        ({CLASSES_KEY: "3"}, "gives 3 classes and names"),
        ({FRAMING_KEY: None}, "does not say flawline.framing"),
        ({FRAMING_KEY: '{"window": [32, 48]}'}, "no usable windows"),
        ({FRAMING_KEY: "[]"}, "no usable windows"),
        ({METADATA_KEY: None}, "does not say how pixels are prepared"),
    ],
)
def test_other_networks_are_refused(tmp_path, told, said):
    path = write_segmenter(tmp_path / "a.onnx", Framing((32, 48), 1.0, 16, cell=1), told=told)
    with pytest.raises(ModelError, match=said) as caught:
        open_segmenter(path)
    assert caught.value.hint


def test_softmax_does_not_overflow():
    shares = softmax(np.array([[[1000.0]], [[0.0]], [[-1000.0]]], np.float32))
    assert shares.ravel().tolist() == [1, 0, 0]
