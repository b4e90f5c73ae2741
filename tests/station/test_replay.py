"""Replay of stored pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flawline.inspector import Inspector
from flawline.recipe import recipe_with
from flawline.records import DefectRecord, Record, StoreError, open_store
from flawline.records.pictures import open_pictures
from flawline.station.replay import replay
from flawline.station.stored_recipe import store_recipe, stored_recipe
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.inspected_records import START
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return train(write_discs(root / "parts", good=20), network).recipe


@pytest.fixture
def kept(recipe, tmp_path):
    """A store with a good and a bad disc, their pictures and recipe; and the numbers of both."""
    pictures, inspector = open_pictures(tmp_path / "pictures"), Inspector(recipe)
    with open_store(str(tmp_path / "r.db")) as store:
        for number, pixels in enumerate((disc(100), spoilt(1000))):
            data = write(tmp_path / f"{number}.png", pixels).read_bytes()
            found = inspector.inspect(data)
            store.add(
                [
                    Record(
                        image=f"{number}.png",
                        judged=START,
                        verdict=found.verdict,
                        picture=pictures.put(data),
                        score=found.score,
                        p_value=found.p_value,
                        recipe=recipe.sha256,
                        defects=tuple(DefectRecord(r.label, r.box) for r in found.regions),
                    )
                ]
            )
        yield store, pictures


def test_a_verdict_comes_out_again_from_what_was_kept(kept, recipe):
    store, pictures = kept
    with pytest.raises(StoreError, match="not kept") as caught:
        replay(store, pictures, 1)
    assert "`recipe`" in caught.value.hint
    assert store_recipe(store, pictures, recipe) == store_recipe(store, pictures, recipe)
    assert stored_recipe(store, pictures, recipe.sha256).sha256 == recipe.sha256
    for number, verdict in ((1, "accept"), (2, "reject")):
        done = replay(store, pictures, number)
        assert done.same
        assert done.verdict == verdict
        assert done.score == store.get(number).record.score


def test_another_recipe_shows_what_would_change(kept, recipe):
    store, pictures = kept
    limit = replace(recipe.settings.threshold, review=1e6, reject=2e6)
    lax = recipe_with(recipe, settings=replace(recipe.settings, threshold=limit))
    done = replay(store, pictures, 2, lax)
    assert not done.same
    assert done.verdict == "accept"
    assert any("verdict is accept, it was reject" in text for text in done.differences)
    assert store.get(2).record.verdict == "reject"


def test_a_picture_that_was_altered_or_lost_is_not_judged(kept, recipe, tmp_path):
    store, pictures = kept
    store_recipe(store, pictures, recipe)
    name = store.get(1).record.picture
    path = tmp_path / "pictures" / name[:2] / name[2:]
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(StoreError) as caught:
        replay(store, pictures, 1)
    assert caught.value.code == "picture-damaged"
    path.unlink()
    with pytest.raises(StoreError) as caught:
        replay(store, pictures, 1)
    assert caught.value.code == "picture-missing"
    store.add([Record("none.png", START, None, ("empty",))])
    with pytest.raises(StoreError, match="no picture"):
        replay(store, pictures, 3)
    with pytest.raises(StoreError) as caught:
        replay(store, pictures, 99)
    assert caught.value.code == "store-unknown"
