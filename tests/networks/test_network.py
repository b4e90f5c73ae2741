import json

import pytest

from flawline.errors import ModelError
from flawline.networks.network import (
    PRESETS,
    Preparation,
    parse_preparation,
    preparation_from_json,
)


def test_a_preparation_survives_its_own_json():
    for preparation in PRESETS.values():
        assert preparation_from_json(json.dumps(preparation.as_dict())) == preparation


def test_a_person_may_write_a_preset_or_numbers():
    assert parse_preparation("imagenet") is PRESETS["imagenet"]
    assert parse_preparation("mean=128, std=64, size=96") == Preparation(
        (96, 96), (128, 128, 128), (64, 64, 64)
    )
    assert parse_preparation("mean=1/2/3,std=4/5/6").mean == (1, 2, 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "mean=1",
        "mean=1,std=0",
        "mean=1/2,std=1",
        "mean=1,std=nan",
        "mean=1,std=1,size=0",
    ],
)
def test_a_preparation_that_cannot_be_meant_is_refused(text):
    with pytest.raises(ModelError, match="preset"):
        parse_preparation(text)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "no json", '{"colour": "bgr", "mean": [0], "std": [1], "size": [8, 8]}']
)
def test_metadata_that_cannot_be_used_is_refused(text):
    with pytest.raises(ModelError, match=r"flawline\.preparation"):
        preparation_from_json(text)
