"""A source of pictures in memory is like one on disk."""

import numpy as np
import pytest
from PIL import Image

from flawline.data.image import read_image
from flawline.data.source import open_source, opened
from flawline.errors import SourceError
from helpers.discs import disc, write


def test_names_state_labels_splits_and_masks():
    mask = np.zeros((96, 96), np.uint8)
    given = {
        "images/bad/10": disc(1),
        "images/bad/9": disc(2),
        "images/good/0": disc(3),
        "masks/bad/9": mask,
    }
    with open_source(given) as source:
        assert (source.kind, source.layout, source.location) == ("pictures", "pairs", "pictures")
        samples = list(source.samples())
        assert [sample.name for sample in samples] == [
            "images/bad/9",
            "images/bad/10",
            "images/good/0",
        ]
        assert [sample.defective for sample in samples] == [True, True, False]
        assert [sample.mask for sample in samples] == ["masks/bad/9", None, None]
        np.testing.assert_array_equal(read_image(source.read("images/bad/9")).pixels, disc(2))


def test_a_list_names_paths_by_their_files_and_others_by_their_place(tmp_path):
    path = write(tmp_path / "part 7.png", disc(0))
    with open_source([disc(1), path, str(path.with_name("x.png")), Image.fromarray(disc(2))]) as s:
        assert [sample.name for sample in s.samples()] == ["0000", "0003", "part 7.png", "x.png"]
        assert s.read("part 7.png") == path.read_bytes()


def test_deep_arrays_keep_their_depth():
    deep = disc(0)[..., 0].astype(np.uint16) * 16
    with open_source([deep]) as source:
        read = read_image(source.read("0000"), value_range=(0, 4095))
    assert abs(read.pixels[..., 0].astype(int) - disc(0)[..., 0]).max() <= 1


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([], "no pictures"),
        ({}, "no pictures"),
        ({"../a": 1}, "'../a'"),
        ({"": 1}, "''"),
        ({"/a": 1}, "'/a'"),
        ({3: 1}, "got 3"),
        (np.zeros((4, 4), np.uint8), "ndarray"),
        (b"picture", "bytes"),
        (None, "NoneType"),
        (["a/x.png", "b/x.png"], "two pictures are called 'x.png'"),
    ],
)
def test_what_is_no_source_is_refused(given, text):
    with pytest.raises(SourceError) as caught:
        open_source(given)
    assert text in caught.value.message
    assert caught.value.hint


def test_an_open_source_stays_open():
    with open_source([disc(1)]) as source:
        with opened(source) as same:
            assert same is source
        assert source.read("0000")
