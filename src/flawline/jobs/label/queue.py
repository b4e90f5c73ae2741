"""Which pictures of a set wait for somebody, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

from flawline.jobs.label.label_state import GIVEN, PictureLabel
from flawline.jobs.label.label_store import LabelStore

QueueName = Literal["todo", "suspects", "disagreements", "second", "done", "all"]
QUEUES: tuple[QueueName, ...] = get_args(QueueName)
DISAGREE = 0.8
"""Two people disagree about a picture where the IoU of a class is below this."""


def queue(store: LabelStore, name: QueueName, who: str) -> list[str]:
    """List the keys of the pictures in a queue, as `who` sees them.

    "todo" are those without a finished mask, "suspects" those where an audit holds the mask for wrong, the least likely
    first, "disagreements" those that two people drew differently, the least alike first, "second" those that somebody
    else has finished and `who` has not drawn, "done" the finished ones.
    """
    fits = _FITS[name]
    found = [(key, label) for key, label in _labels(store) if fits(store, label, who)]
    order = _ORDER.get(name)
    if order is not None:
        found.sort(key=lambda one: order(store, one[1]))
    return [key for key, _ in found]


def queue_counts(store: LabelStore, who: str) -> dict[str, int]:
    """Count the pictures in every queue."""
    labels = [label for _, label in _labels(store)]
    return {name: sum(_FITS[name](store, label, who) for label in labels) for name in QUEUES}


def row(store: LabelStore, key: str) -> dict[str, Any]:
    """Tell of a picture what a list shows."""
    label = store.label(key)
    saved = label.saved
    suspects = store.suspects.get(label.name, [])
    return {
        "key": key,
        "name": label.name,
        "state": "done" if label.done else "draft" if saved is not None else "todo",
        "version": label.version,
        "who": None if saved is None else saved.who,
        "pieces": None if saved is None or saved.who == GIVEN else saved.pieces,
        "people": sorted(who for who, one in label.opinions.items() if one.done),
        "agreement": label.agreement,
        "suspects": len(suspects),
    }


def _labels(store: LabelStore) -> Iterator[tuple[str, PictureLabel]]:
    return ((key, store.label(key)) for key in store.pictures.in_order())


def _disagrees(store: LabelStore, label: PictureLabel, who: str) -> bool:
    return label.agreement is not None and label.agreement < DISAGREE and not label.settled


def _suspicion(store: LabelStore, label: PictureLabel) -> float:
    return -max((float(str(one["score"])) for one in store.suspects[label.name]), default=0.0)


_FITS: Mapping[str, Callable[[LabelStore, PictureLabel, str], bool]] = MappingProxyType(
    {
        "todo": lambda store, label, who: not label.done,
        "suspects": lambda store, label, who: label.name in store.suspects,
        "disagreements": _disagrees,
        "second": lambda store, label, who: (
            label.done and label.first not in (who, GIVEN) and who not in label.opinions
        ),
        "done": lambda store, label, who: label.done,
        "all": lambda store, label, who: True,
    }
)
_ORDER: Mapping[str, Callable[[LabelStore, PictureLabel], float]] = MappingProxyType(
    {"suspects": _suspicion, "disagreements": lambda store, label: label.agreement or 0.0}
)
