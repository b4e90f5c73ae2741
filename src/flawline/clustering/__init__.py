"""Groups of pictures that look alike."""

from flawline.clustering.result import Clustering
from flawline.clustering.run import cluster

__all__ = ["Clustering", "cluster"]
