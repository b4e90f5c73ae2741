import csv

import numpy as np
import pytest

from flawline.errors import UsageError
from flawline.features.compute import FeatureSettings
from flawline.jobs.cluster.cluster import cluster, principal_components
from flawline.jobs.cluster.clustering import agreement
from flawline.jobs.cluster.clustering_tables import clustering_as_dict, write_csv
from helpers.pictures import parts

PLAIN = FeatureSettings(features=("average_pixels", "level_histogram"))


@pytest.fixture
def folder(tmp_path):
    parts(tmp_path / "parts", good=12, bad=4)
    return tmp_path / "parts"


def test_two_clusters_are_the_two_kinds_and_the_nearest_come_first(folder):
    found = cluster(folder, clusters=2, settings=PLAIN)
    assert found.agreement.adjusted_rand == 1
    assert [len(pictures) for pictures in found.members().values()] == [12, 4]
    for pictures in found.members().values():
        assert [p.rank for p in pictures] == list(range(1, len(pictures) + 1))
        assert [p.distance for p in pictures] == sorted(p.distance for p in pictures)


def test_the_same_pictures_give_the_same_result(folder):
    one = clustering_as_dict(cluster(folder, settings=PLAIN))
    assert one == clustering_as_dict(cluster(folder, settings=PLAIN))
    assert one["settings"]["number_of_clusters"].startswith("by G-means")


def test_hdbscan_puts_the_rest_into_no_cluster(folder, tmp_path):
    found = cluster(folder, method="hdbscan", min_cluster=4, settings=PLAIN)
    assert {p.sample.name for p in found.pictures} == {
        *(f"good/part_{i}.png" for i in range(12)),
        *(f"bad/part_{i}.png" for i in range(4)),
    }
    nothing = cluster(folder, method="hdbscan", min_cluster=16, settings=PLAIN)
    rows = csv.DictReader(
        write_csv(nothing, tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()
    )
    assert {row["cluster"] for row in rows} == {"no cluster"}
    assert all(np.isfinite(p.distance) for p in nothing.pictures)


def test_what_cannot_be_read_is_named(folder):
    (folder / "good" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    found = cluster(folder, settings=PLAIN)
    assert [item.image for item in found.unjudged] == ["good/broken.png"]
    assert len(found.pictures) == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "ward"}, "kmeans, hdbscan"),
        ({"clusters": 0}, "from 1 up"),
        ({"clusters": 3, "method": "hdbscan"}, "with hdbscan"),
        ({"clusters": 17}, "different pictures, 16"),
        ({"method": "hdbscan", "min_cluster": 17}, "at most the 16"),
        ({"min_cluster": 1}, "at least 2"),
    ],
)
def test_senseless_arguments_are_refused(folder, arguments, message):
    with pytest.raises(UsageError, match=message):
        cluster(folder, settings=PLAIN, **arguments)


def test_agreement_of_hubert_and_arabie():
    # Their worked index for a 2 x 2 table of 4 rows split crosswise: no better than chance, below 0.
    found = agreement(["a", "a", "b", "b", None], [1, 2, 1, 2, 1])
    assert found.labelled == 4
    assert found.adjusted_rand == pytest.approx(-0.5)
    assert found.mutual_information == pytest.approx(0, abs=1e-12)
    assert agreement(["a", "a", None], [1, 2, 1]) is None


def test_columns_that_are_the_same_everywhere_do_not_count():
    values = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    constant = np.hstack([values, np.full((20, 2), 5, np.float32)])
    np.testing.assert_allclose(
        principal_components(constant), principal_components(values), atol=1e-9
    )
    assert not principal_components(np.ones((4, 2), np.float32)).any()
