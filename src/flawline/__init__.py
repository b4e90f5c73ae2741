"""Flawline turns pictures of manufactured parts into decisions.

The public calls load their modules on first use, so that `import flawline` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from flawline.version import __version__

if TYPE_CHECKING:
    from flawline.data.image import read_image as read_image
    from flawline.data.source import open_source as open_source
    from flawline.inspector import Inspector as Inspector
    from flawline.inspector.inspection import Inspection as Inspection
    from flawline.jobs.classify.classification import Classification as Classification
    from flawline.jobs.classify.classify import classify as classify
    from flawline.jobs.cluster.cluster import cluster as cluster
    from flawline.jobs.cluster.clustering import Clustering as Clustering
    from flawline.jobs.evaluate.evaluate import evaluate as evaluate
    from flawline.jobs.evaluate.evaluation import Evaluation as Evaluation
    from flawline.jobs.groups.group import group as group
    from flawline.jobs.groups.grouping import Grouping as Grouping
    from flawline.jobs.rank.rank import rank as rank
    from flawline.jobs.rank.ranking import Ranking as Ranking
    from flawline.jobs.train.train_anomaly import AnomalySettings as AnomalySettings
    from flawline.jobs.train.train_anomaly import train_anomaly as train_anomaly
    from flawline.recipe import Recipe as Recipe
    from flawline.recipe import read_recipe as read_recipe
    from flawline.recipe import write_recipe as write_recipe
    from flawline.types import Region as Region

_HOMES = {
    "open_source": "flawline.data.source",
    "read_image": "flawline.data.image",
    "rank": "flawline.jobs.rank.rank",
    "Ranking": "flawline.jobs.rank.ranking",
    "cluster": "flawline.jobs.cluster.cluster",
    "Clustering": "flawline.jobs.cluster.clustering",
    "classify": "flawline.jobs.classify.classify",
    "Classification": "flawline.jobs.classify.classification",
    "group": "flawline.jobs.groups.group",
    "Grouping": "flawline.jobs.groups.grouping",
    "train_anomaly": "flawline.jobs.train.train_anomaly",
    "AnomalySettings": "flawline.jobs.train.train_anomaly",
    "Inspector": "flawline.inspector",
    "Inspection": "flawline.inspector.inspection",
    "Region": "flawline.types",
    "Recipe": "flawline.recipe",
    "read_recipe": "flawline.recipe",
    "write_recipe": "flawline.recipe",
    "evaluate": "flawline.jobs.evaluate.evaluate",
    "Evaluation": "flawline.jobs.evaluate.evaluation",
}

__all__ = [
    "AnomalySettings",
    "Classification",
    "Clustering",
    "Evaluation",
    "Grouping",
    "Inspection",
    "Inspector",
    "Ranking",
    "Recipe",
    "Region",
    "__version__",
    "classify",
    "cluster",
    "evaluate",
    "group",
    "open_source",
    "rank",
    "read_image",
    "read_recipe",
    "train_anomaly",
    "write_recipe",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'flawline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
