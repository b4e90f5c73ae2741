"""Flawline turns pictures of manufactured parts into decisions.

The public calls load their modules on first use, so that `import flawline` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from flawline.classification import Classification as Classification
    from flawline.classification import classify as classify
    from flawline.clustering import Clustering as Clustering
    from flawline.clustering import cluster as cluster
    from flawline.data.image import read_image as read_image
    from flawline.data.source import open_source as open_source
    from flawline.evaluation import Evaluation as Evaluation
    from flawline.evaluation import evaluate as evaluate
    from flawline.grouping import Grouping as Grouping
    from flawline.grouping import group as group
    from flawline.inspector import Inspector as Inspector
    from flawline.ranking import Ranking as Ranking
    from flawline.ranking import rank as rank
    from flawline.recipe import Recipe as Recipe
    from flawline.recipe import read_recipe as read_recipe
    from flawline.recipe import write_recipe as write_recipe
    from flawline.training.anomaly import AnomalySettings as AnomalySettings
    from flawline.training.anomaly import train_anomaly as train_anomaly
    from flawline.types import Inspection as Inspection
    from flawline.types import Region as Region

_HOMES = {
    "open_source": "flawline.data.source",
    "read_image": "flawline.data.image",
    "rank": "flawline.ranking",
    "Ranking": "flawline.ranking",
    "cluster": "flawline.clustering",
    "Clustering": "flawline.clustering",
    "classify": "flawline.classification",
    "Classification": "flawline.classification",
    "group": "flawline.grouping",
    "Grouping": "flawline.grouping",
    "train_anomaly": "flawline.training.anomaly",
    "AnomalySettings": "flawline.training.anomaly",
    "Inspector": "flawline.inspector",
    "Inspection": "flawline.types",
    "Region": "flawline.types",
    "Recipe": "flawline.recipe",
    "read_recipe": "flawline.recipe",
    "write_recipe": "flawline.recipe",
    "evaluate": "flawline.evaluation",
    "Evaluation": "flawline.evaluation",
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
