"""Walk a tree one folder at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def walked(directory: Callable[[str], Iterable[tuple[str, bool]]]) -> Iterator[str]:
    """List the files of a tree depth first, in the order of each folder; only the folders on the way are held.

    Args:
        directory: lists a folder, "" for the top: the whole name of each entry, and whether it is a folder.
    """
    pending = [iter(directory(""))]
    while pending:
        for name, is_folder in pending[-1]:
            if is_folder:
                pending.append(iter(directory(name)))
                break
            yield name
        else:
            pending.pop()
