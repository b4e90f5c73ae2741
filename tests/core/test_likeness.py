"""The picture that is most alike."""

import numpy as np

from flawline.core.likeness import most_alike


def test_light_does_not_count_and_content_does():
    rng = np.random.default_rng(0)
    part = rng.integers(40, 160, (12, 9)).astype(np.uint8)
    other = rng.integers(40, 160, (12, 9)).astype(np.uint8)
    assert most_alike(part, [other, part + np.uint8(60), other]) == 1


def test_other_shapes_are_passed_over():
    part = np.zeros((4, 4), np.uint8)
    assert most_alike(part, [np.zeros((4, 5), np.uint8)]) is None
    assert most_alike(part, []) is None
    assert most_alike(part, [np.zeros((5, 4), np.uint8), part, part]) == 1
