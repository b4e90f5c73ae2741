"""A line whose lens gets dirty: sound castings in their order, with a speck that grows from a known part on."""

import cv2
import numpy as np
import pytest

from flawline.errors import UsageError
from flawline.synthetic.dirty_line import SPECK, write_dirty_line


def test_the_speck_grows_from_the_first_part_on_and_is_nowhere_else(tmp_path):
    dirty = write_dirty_line(tmp_path / "dirty", parts=6, first=4, growth=0.2, size=128)
    clean = write_dirty_line(tmp_path / "clean", parts=6, first=4, growth=0, size=128)
    assert [path.name for path in dirty] == [f"part_{number:03d}.jpg" for number in range(1, 7)]
    x, y = (round(at * 128) for at in SPECK)
    inside, outside = [], []
    for one, two in zip(dirty, clean, strict=True):
        change = cv2.imread(str(one)) / np.maximum(cv2.imread(str(two)), 1)
        inside.append(np.median(change[y - 1 : y + 2, x - 1 : x + 2]))
        outside.append(np.median(change[70:]))
    np.testing.assert_allclose(inside, [1, 1, 1, 0.8, 0.6, 0.4], atol=0.08)
    np.testing.assert_allclose(outside, 1, atol=0.01)


@pytest.mark.parametrize("wrong", [{"parts": 0}, {"first": 0}, {"growth": 1.5}, {"seed": -1}])
def test_what_makes_no_sense_is_refused(tmp_path, wrong):
    with pytest.raises(UsageError, match="expected parts and first"):
        write_dirty_line(tmp_path, **wrong)
