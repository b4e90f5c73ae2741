"""Read the tasks of a Label Studio export: of each the annotation that counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flawline.data.labels import label_meaning
from flawline.data.masks.documents import refuse, short
from flawline.data.masks.label_studio_regions import Region, choices_of, regions_of
from flawline.data.masks.shapes import broken_shape

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The annotation of a task: its regions, and the choices that were made, with their places."""

    place: str
    data: Any
    regions: Sequence[Region]
    choices: Sequence[tuple[str, str]]


def tasks_of(document: list[Any], file: str, most_pixels: int, notes: Counter[str]) -> list[Task]:
    """Read the annotation of each task that has one."""
    tasks = [task if isinstance(task, dict) else {} for task in document]
    if all(_annotations(task) is None for task in tasks):
        refuse(file, "[0]", "expected a task with 'annotations'", 'Export the format "JSON".')
    found = []
    for number, task in enumerate(tasks):
        annotations, place = _annotations(task), f"[{number}]"
        listed = (
            annotations
            if isinstance(annotations, list)
            else [annotations] * (annotations is not None)
        )
        done = [(n, one) for n, one in enumerate(listed) if not _cancelled(one)]
        notes["tasks without an annotation are left out"] += not done
        notes["tasks have several annotations, the last counts"] += len(done) > 1
        for n, one in done[-1:]:
            found.append(
                _task(one, place, f"{place}.annotations[{n}]", task.get("data"), most_pixels)
            )
    return found


def with_choices(tasks: Sequence[Task]) -> Iterator[Task]:
    """Spoil tasks without regions for which a class of regions, or a word for a defect, was chosen."""
    drawn = {region.shape.label for task in tasks for region in task.regions}
    for task in tasks:
        told = [
            Region(
                "", 0, None, broken_shape(place, f"expected a region of {choice!r}, got a choice")
            )
            for place, choice in task.choices
            if choice in drawn or label_meaning(choice)
        ]
        yield task if task.regions else replace(task, regions=told)


def _annotations(task: Document) -> Any:
    # "completions" before version 1.0.
    return task.get("annotations", task.get("completions"))


def _cancelled(annotation: Any) -> bool:
    return isinstance(annotation, dict) and bool(
        annotation.get("was_cancelled") or annotation.get("skipped")
    )


def _task(annotation: Any, task: str, place: str, data: Any, most_pixels: int) -> Task:
    results = annotation.get("result") if isinstance(annotation, dict) else None
    if isinstance(results, list):
        regions = regions_of(results, place, most_pixels)
        return Task(task, data, regions, choices_of(results, place))
    broken = broken_shape(f"{place}.result", f"expected a list, got {short(results)}")
    return Task(task, data, [Region("", 0, None, broken)], ())
