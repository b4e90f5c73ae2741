"""Match values of masks and names of annotations to classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.data.masks.pixels import Colour
from flawline.data.names import did_you_mean, is_unicode
from flawline.errors import UsageError

BACKGROUND, IGNORED = "background", 255
MOST_CLASSES = 254

Classes = Sequence[str] | Mapping[int, str]
Ignore = int | str | Colour


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedClasses:
    """Class names from index 0, "background"; `values` gives the index of every name, 255 for the one to ignore."""

    classes: tuple[str, ...]
    values: Mapping[str, int]


def resolve_class_names(
    labels: Sequence[str], classes: Classes | None, ignore: Ignore | None
) -> ResolvedClasses:
    """Number the labels of a file: in the order of `classes` where given, else in their own.

    Raises:
        UsageError: a label that is not in `classes`, a class twice, too many, or a number or unknown name to ignore.
    """
    if ignore is not None and not isinstance(ignore, str):
        raise UsageError(
            f"expected the name of the class to ignore, got {ignore!r}",
            hint=f"the classes are {', '.join(labels) or 'none'}",
        )
    if isinstance(classes, Mapping):
        raise UsageError(
            "expected class names in their order, got numbers with names",
            hint="numbers are for masks whose grey level is the class",
        )
    if isinstance(ignore, str) and ignore not in labels:
        raise _unknown(ignore, labels, "the class to ignore")
    named = checked_names(labels if classes is None else classes, ignore)
    values = {BACKGROUND: 0, **{name: place for place, name in enumerate(named, 1)}}
    if isinstance(ignore, str):
        values[ignore] = IGNORED
    for label in labels:
        if label.casefold() == BACKGROUND:
            values[label] = 0
        elif label not in values:
            raise _unknown(label, [*named], "a class")
    return ResolvedClasses((BACKGROUND, *named), values)


def checked_names(names: Sequence[str], ignore: Ignore | None = None) -> tuple[str, ...]:
    """Return the classes without background and what is ignored; raises UsageError for empty or repeated names."""
    if isinstance(names, str):
        raise UsageError(f"expected a list of class names, got the text {names!r}")
    named = tuple(name for name in names if name.casefold() != BACKGROUND and name != ignore)
    if not named or not all(name.strip() for name in named):
        raise UsageError("expected names of classes, got none", hint="such as scratch and stain")
    if broken := next((name for name in named if not is_unicode(name)), None):
        raise UsageError(
            f"expected class names of valid Unicode, got {broken!r}",
            hint="Correct the name in the annotations.",
        )
    twice = next((name for name, count in Counter(named).items() if count > 1), None)
    if twice is not None or len(named) > MOST_CLASSES:
        came = f"{twice!r} twice" if twice is not None else f"{len(named)}"
        raise UsageError(f"expected at most {MOST_CLASSES} different classes, got {came}")
    return named


def one_class(classes: Classes | None, palette: object, ignore: object) -> str:
    """Return the name of the class of masks that are cut at a threshold, "class 1" where it has none.

    Raises:
        UsageError: there are several classes, colours, or something to ignore.
    """
    if palette is not None or ignore is not None:
        raise UsageError(
            "expected neither a palette nor something to ignore with `threshold`",
            hint="leave them out; pixels below the threshold are background, all others one class",
        )
    if classes is None:
        return "class 1"
    names = [classes[n] for n in classes if n != 0] if isinstance(classes, Mapping) else classes
    named = checked_names(names)
    if len(named) > 1:
        raise UsageError(f"expected one class with `threshold`, got {', '.join(named)}")
    return named[0]


def value_table(
    classes: Classes, ignore: Ignore | None
) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """Return class names from background on, and the index of each of 256 values: -1 where unknown, 255 for `ignore`.

    Raises:
        UsageError: a value outside 0 to 255, or one with two meanings.
    """
    check_ignored_value(ignore)
    if isinstance(classes, Mapping):
        numbers = sorted(number for number in classes if number != 0)
        named = checked_names([classes[number] for number in numbers])
    else:
        named = checked_names(classes)
        numbers = list(range(1, len(named) + 1))
    if len(numbers) != len(named) or any(not 1 <= number <= 255 for number in numbers):
        raise UsageError(f"expected values of 1 to 255 for the classes, got {numbers}")
    if ignore in numbers:
        raise UsageError(f"expected an ignore value that is no class, got {ignore}")
    return (BACKGROUND, *named), index_table(numbers, ignore)


def check_ignored_value(ignore: Ignore | None) -> None:
    """Raise UsageError unless `ignore` is a value of 1 to 255, or None."""
    if ignore is not None and (not isinstance(ignore, int) or not 1 <= ignore <= 255):
        raise UsageError(f"expected an ignore value of 1 to 255, got {ignore!r}")


def index_table(numbers: Sequence[int], ignore: Ignore | None) -> NDArray[np.int16]:
    """Return the index of each of 256 values: 1, 2, ... for `numbers`, -1 where unknown, 255 for `ignore`."""
    table = np.full(256, -1, np.int16)
    table[0] = 0
    table[numbers] = np.arange(1, len(numbers) + 1)
    if isinstance(ignore, int):
        table[ignore] = IGNORED
    return table


def colour_values(
    palette: Mapping[str, Colour], classes: Classes | None, ignore: Ignore | None
) -> tuple[tuple[str, ...], dict[Colour, int]]:
    """Return class names from background on, and the index of each colour; background is black unless named.

    Raises:
        UsageError: an invalid colour, two names for one colour, or names that do not agree with `classes`.
    """
    colours = {name: _colour(name, colour) for name, colour in palette.items()}
    if isinstance(ignore, int):
        raise UsageError(f"expected a name or colour to ignore with a palette, got {ignore}")
    if isinstance(ignore, tuple):
        name = next((n for n, c in colours.items() if c == tuple(ignore)), "to ignore")
        colours.setdefault(name, _colour(name, ignore))
        ignore = name
    found = resolve_class_names([*colours], classes, ignore)
    values: dict[Colour, int] = {}
    if not any(name.casefold() == BACKGROUND for name in colours):
        values[0, 0, 0] = 0
    for name, colour in colours.items():
        if values.setdefault(colour, found.values[name]) != found.values[name]:
            raise UsageError(
                f"expected a colour of its own for {name!r}, {colour} has two names",
                hint="name the colour of 'background' where it is not black",
            )
    return found.classes, values


def _colour(name: str, colour: Sequence[int]) -> Colour:
    if len(colour) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in colour):
        raise UsageError(
            f"expected three numbers of 0 to 255 as the colour of {name!r}, got {colour!r}"
        )
    return (colour[0], colour[1], colour[2])


def _unknown(name: str, names: Sequence[str], what: str) -> UsageError:
    return UsageError(
        f"expected {what} out of {', '.join(names)[:200] or 'none'}, got {name!r}",
        hint=did_you_mean(name, list(names)) or "Name every class of the annotations.",
    )
