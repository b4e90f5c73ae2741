"""What is fitted is fitted on one thread, also by the first call of a process."""

import os
import subprocess
import sys

import pytest

KMEANS = """
import numpy as np
from flawline.jobs.cluster.gmeans import kmeans
from flawline.networks.threads import one_thread
rows = np.random.default_rng(0).normal(size=(5000, 16))
with one_thread("sklearn.cluster"):
    first, *others = [kmeans(rows, 6, 0).centres.tobytes() for _ in range(5)]
assert all(other == first for other in others)
"""

# Looks at the limits from inside the call that fits.
WATCH = """
import numpy as np
from threadpoolctl import threadpool_info
seen = []

def watched(module, name):
    plain = getattr(module, name)
    def call(*arguments, **named):
        result = plain(*arguments, **named)
        seen.extend((pool["prefix"], pool["num_threads"]) for pool in threadpool_info())
        return result
    setattr(module, name, call)

values = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
{}
assert any(prefix == "libgomp" or "omp" in prefix for prefix, _ in seen), seen
assert {{threads for _, threads in seen}} == {{1}}, seen
"""

CLUSTER = """
import tempfile
from pathlib import Path
import cv2
from flawline.jobs.cluster import cluster as run
from flawline.features.compute import FeatureSettings
watched(run, "_partition")
with tempfile.TemporaryDirectory() as folder:
    for number in range(6):
        cv2.imwrite(f"{folder}/{number}.png", np.full((32, 32), 40 * number, np.uint8))
    run.cluster(folder, clusters=2, settings=FeatureSettings(features=("average_pixels",)))
"""

FIT = """
from flawline.jobs.classify import classifier_fit
watched(classifier_fit, "_{kind}")
classifier_fit.fit_model(values, np.arange(40) % 2, "{kind}", 0)
"""

FOREST = """
from sklearn.ensemble import IsolationForest
from flawline.jobs.rank.forest import fit_forest
watched(IsolationForest, "fit")
fit_forest(values, trees=4)
"""


def fresh(code):
    environment = {**os.environ, "OMP_NUM_THREADS": "8"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_k_means_gives_the_same_centres_again():
    fresh(KMEANS)


@pytest.mark.parametrize(
    "code",
    [CLUSTER, FOREST, *(FIT.format(kind=kind) for kind in ("logistic", "forest", "boosting"))],
    ids=["cluster", "isolation forest", "logistic", "forest", "boosting"],
)
def test_no_library_has_more_than_one_thread_while_it_fits(code):
    fresh(WATCH.format(code))
