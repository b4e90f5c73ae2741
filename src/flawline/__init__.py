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
    from flawline.grouping import Grouping as Grouping
    from flawline.grouping import group as group
    from flawline.ranking import Ranking as Ranking
    from flawline.ranking import rank as rank

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
}

__all__ = [
    "Classification",
    "Clustering",
    "Grouping",
    "Ranking",
    "__version__",
    "classify",
    "cluster",
    "group",
    "open_source",
    "rank",
    "read_image",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'flawline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
