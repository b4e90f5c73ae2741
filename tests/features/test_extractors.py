"""One contract for every extractor, then what each one means."""

import numpy as np
import pytest

from flawline.errors import UsageError
from flawline.features.catalog import feature_set
from flawline.networks.openvino_runtime import load_network
from helpers.networks import write_network
from helpers.pictures import as_picture, noise, stripes

FIELDS = {
    "dimensions": 4,
    "average_pixels": 78,
    "level_histogram": 48,
    "histogram_of_gradients": 234,
    "wavelet_subbands": 100,
    "wavelet_subbands(1)": 40,
    "wavelet_subbands(7)": 220,
    "embedding": 6,
}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return load_network(write_network(tmp_path_factory.mktemp("network") / "small.onnx"))


@pytest.fixture(params=FIELDS)
def extractor(request, network):
    (extractor,) = feature_set([request.param], lambda: network).extractors
    assert len(extractor.columns) == FIELDS[request.param]
    return extractor


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (37, 53), (300, 300), (40, 2000)])
def test_every_picture_gives_a_finite_row(extractor, shape):
    row = extractor.compute(as_picture(noise(*shape)))
    assert row.shape == (len(extractor.columns),)
    assert row.dtype == np.float32
    assert np.isfinite(row).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_gives_a_finite_row(extractor, value):
    assert np.isfinite(extractor.compute(as_picture(np.full((50, 60), value, np.uint8)))).all()


def test_grey_gives_what_the_same_grey_stored_as_colour_gives(extractor):
    grey = as_picture(stripes(80, 30))
    colour = as_picture(np.repeat(stripes(80, 30)[..., None], 3, axis=2))
    np.testing.assert_array_equal(extractor.compute(grey), extractor.compute(colour))


def test_rows_repeat_and_the_picture_stays_as_it_is(extractor):
    picture = as_picture(noise(60, 90))
    before = picture.pixels.copy()
    assert extractor.compute(picture).tobytes() == extractor.compute(picture).tobytes()
    np.testing.assert_array_equal(picture.pixels, before)


def test_columns_are_named_apart_and_can_be_read(extractor):
    names = [column.name for column in extractor.columns]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and " " not in name for name in names)
    assert all(column.text for column in extractor.columns)


def compute(name, picture):
    def no_network():
        raise AssertionError("no network is needed")

    features = feature_set([name], no_network)
    row = features.compute(picture)
    return dict(zip([column.name for column in features.columns], row, strict=True))


def test_dimensions():
    row = compute("dimensions", as_picture(noise(40, 100), file_bytes=1234))
    assert list(row.values()) == [1234, 100, 40, 2.5]


def test_average_pixels_of_a_picture_with_one_red_corner():
    pixels = np.zeros((120, 120, 3), np.uint8)
    pixels[:30, :30, 0] = 200
    row = compute("average_pixels", as_picture(pixels))
    assert row["average_4x4_1_1_red"] == pytest.approx(200)
    assert row["average_1x1_1_1_red"] == pytest.approx(200 / 16)
    assert row["average_3x3_1_1_red"] == pytest.approx(200 * 900 / 1600)
    assert sum(value > 0 for value in row.values()) == 3


def test_level_histogram_counts_shares():
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[:5, :, 1] = 255
    row = compute("level_histogram", as_picture(pixels))
    assert (row["level_red_000"], row["level_green_000"], row["level_green_240"]) == (1, 0.5, 0.5)
    assert sum(row.values()) == pytest.approx(3)


@pytest.mark.parametrize("degrees", [0, 20, 40, 60, 80, 100, 120, 140, 160])
def test_gradients_of_stripes_point_where_the_stripes_do(degrees):
    row = compute("histogram_of_gradients", as_picture(stripes(144, degrees)))
    strongest = max((n for n in row if n.startswith("gradients_1x1")), key=lambda n: row[n])
    assert strongest == f"gradients_1x1_1_1_{degrees:03d}deg"


def test_gradients_know_their_cell_and_ignore_contrast():
    grey = np.full((144, 144), 100, np.uint8)
    grey[36:72, 72:108] = stripes(144, 0)[:36, :36] // 2 + 50
    row = compute("histogram_of_gradients", as_picture(grey))
    cells = {n: v for n, v in row.items() if n.startswith("gradients_4x4")}
    assert max(cells, key=lambda n: cells[n]) == "gradients_4x4_2_3_000deg"
    halved = compute("histogram_of_gradients", as_picture(100 + (grey // 2 - 50)))
    assert max(abs(row[n] - halved[n]) for n in row) < 0.05


def test_wavelets_tell_size_and_direction_of_detail():
    fine = np.zeros((256, 256), np.uint8)
    fine[::2] = 200
    row = compute("wavelet_subbands", as_picture(fine))
    assert row["wavelet_horizontal_2_px_whole_picture_mean"] == pytest.approx(200 / 255)
    assert row["wavelet_vertical_2_px_whole_picture_mean"] == pytest.approx(0, abs=1e-6)
    assert row["wavelet_horizontal_4_px_whole_picture_mean"] == pytest.approx(0, abs=1e-6)


def test_an_embedding_without_its_own_output_is_the_mean_of_the_maps(tmp_path):
    path = write_network(tmp_path / "small.onnx")
    picture = as_picture(noise(50, 50))
    whole = feature_set(["embedding"], lambda: load_network(path, precision="f32"))
    maps = feature_set(
        ["embedding"], lambda: load_network(path, outputs=["stride8"], precision="f32")
    )
    np.testing.assert_allclose(whole.compute(picture), maps.compute(picture), rtol=1e-5)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no features"),
        (["histogram_of_gradient"], "no feature is called"),
        (["dimensions", "dimensions"], "twice"),
        (["wavelet_subbands(8)"], "1 to 7"),
        (
            ["wavelet_subbands(3)", "wavelet_subbands(4)"],
            r"wavelet_subbands\(3\) and wavelet_subbands\(4\) both have a column wavelet_\w+",
        ),
        (["wavelet_subbands", "wavelet_subbands(3)"], "both have a column"),
    ],
)
def test_features_that_make_no_sense_are_refused(names, message):
    with pytest.raises(UsageError, match=message):
        feature_set(names, lambda: None)


def test_a_misspelt_feature_gets_the_nearest_name():
    with pytest.raises(UsageError) as caught:
        feature_set(["histogram_of_gradient"], lambda: None)
    assert "did you mean histogram_of_gradients?" in caught.value.hint
