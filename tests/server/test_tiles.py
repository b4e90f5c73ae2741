"""Large pictures: small first, tiles where one looks closer, and what of them is kept."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from flawline.server import tiles
from helpers.discs import disc
from helpers.full_house import png
from helpers.inspected_records import record


@pytest.fixture
def large(served):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (100, 100, 3)).repeat(26, 0).repeat(26, 1).astype(np.uint8)
    name = served.state.pictures.put(png(pixels))
    served.state.store.add([record(1, picture=name, size=pixels.shape[:2])])
    return pixels, served.state.store.page(count=1).items[0].id


def test_tiles_are_cut_at_every_level(served, large):
    pixels, number = large
    client = served.client("viewer")

    def cut(path):
        answer = client.get(f"/api/records/{number}/tiles/{path}")
        assert answer.is_success, path
        return np.asarray(Image.open(io.BytesIO(answer.content)))

    whole = cut("0/1/2")
    assert whole.shape == (512, 512, 3)
    shown = pixels[1024:1536, 512:1024].astype(int)
    assert np.abs(whole.astype(int) - shown).mean() < 8
    assert cut("0/5/4").shape == (512, 2600 - 2560, 3)
    assert cut("3/0/0").shape == (2600 // 8, 2600 // 8, 3)
    for path in ("0/6/0", "9/0/0", "0/-1/0"):
        assert client.get(f"/api/records/{number}/tiles/{path}").status_code == 404, path


def test_decoded_pictures_are_bounded(served, large, monkeypatch):
    _, number = large
    monkeypatch.setattr(tiles, "MOST_BYTES", 1000)
    client = served.client("viewer")
    other = served.state.pictures.put(png(disc(3)))
    served.state.store.add([record(2, picture=other)])
    for one in (number, number + 1, number):
        assert client.get(f"/api/records/{one}/tiles/0/0/0").is_success
        assert len(tiles._DECODED._kept) == 1
