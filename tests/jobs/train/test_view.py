"""A mask of the region of interest has to be drawn on such pictures as are learnt from."""

import cv2
import numpy as np
import pytest

from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.inspector.parts import region_of
from flawline.jobs.train.view import MASK, ViewSettings
from flawline.recipe import RegionSettings
from helpers.discs import SIDE, heard, train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_discs(tmp_path_factory.mktemp("parts"), good=4)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


def settings(height, width):
    """To look only at the left half, by a mask of this size."""
    mask = np.zeros((height, width), np.uint8)
    mask[:, : -(-width // 2)] = 255
    content = cv2.imencode(".png", mask)[1].tobytes()
    return ViewSettings(window=(64, 64), region=RegionSettings(mask=MASK), mask=content)


@pytest.mark.parametrize("size", [(1, 1), (23, 23), (96, 90), (200, 96)])
def test_a_mask_of_other_pictures_is_refused_before_learning(size, parts, network):
    titles = []
    with pytest.raises(
        UsageError, match=f"{SIDE} x {SIDE} px.*got {size[1]} x {size[0]} px"
    ) as caught:
        train(parts, network, view=settings(*size), track=heard(titles))
    assert "draw it on one of the pictures" in caught.value.hint
    assert "learning" not in titles


@pytest.mark.parametrize("side", [24, 48, SIDE, 2 * SIDE])
def test_a_mask_of_another_resolution_is_taken(side, parts, network):
    inspector = Inspector(train(parts, network, view=settings(side, side)).recipe)
    assert region_of(inspector.recipe).mask.mean() == 0.5
    assert inspector.inspect(parts / "good" / "0.png").verdict
