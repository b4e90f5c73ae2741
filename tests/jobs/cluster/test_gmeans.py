import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from flawline.jobs.cluster.gmeans import gmeans, kmeans


def clouds(centres, rows=80, fields=4, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(centres)), rows)
    offsets = np.zeros((len(centres), fields))
    offsets[:, :2] = centres
    return rng.normal(size=(len(truth), fields)) + offsets[truth], truth


@pytest.mark.parametrize("seed", range(5))
def test_one_normal_cloud_stays_whole(seed):
    rows, _ = clouds([(0, 0)], rows=400, seed=seed)
    assert len(gmeans(rows).centres) == 1


@pytest.mark.parametrize("centres", [[(0, 0), (9, 0)], [(0, 0), (9, 0), (0, 9), (9, 9), (20, 4)]])
def test_separate_clouds_are_found(centres):
    rows, truth = clouds(centres)
    found = gmeans(rows)
    assert len(found.centres) == len(centres)
    assert adjusted_rand_score(truth, found.labels) > 0.98


def test_bounds_hold():
    rows, _ = clouds([(20 * k, 0) for k in range(10)])
    assert len(gmeans(rows, most=4).centres) <= 4
    found = gmeans(rows, fewest=200)
    assert np.bincount(found.labels).min() >= 200


def test_equal_rows_are_one_cluster():
    assert len(gmeans(np.ones((50, 3))).centres) == 1


def test_kmeans_does_not_change_with_the_run():
    rows, _ = clouds([(0, 0), (3, 0), (0, 3)])
    one, two = kmeans(rows, 3, 5), kmeans(rows, 3, 5)
    assert one.centres.tobytes() == two.centres.tobytes()
