"""Extractors by name, as `features` takes them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from flawline.errors import UsageError
from flawline.features.average_pixels import average_pixels
from flawline.features.dimensions import dimensions
from flawline.features.feature_set import Extractor, FeatureSet
from flawline.features.histogram_of_gradients import histogram_of_gradients
from flawline.features.level_histogram import level_histogram
from flawline.features.network_embedding import OUTPUT, network_embedding
from flawline.features.wavelet_subbands import wavelet_subbands
from flawline.networks.network import Network

_PLAIN: dict[str, Callable[[], Extractor]] = {
    "dimensions": dimensions,
    "average_pixels": average_pixels,
    "level_histogram": level_histogram,
    "histogram_of_gradients": histogram_of_gradients,
    "wavelet_subbands": wavelet_subbands,
}
NAMES = (*_PLAIN, OUTPUT)
_WAVELETS = re.compile(r"wavelet_subbands\((\d+)\)")


def feature_set(names: Sequence[str], open_network: Callable[[], Network]) -> FeatureSet:
    """Build a feature set from names such as "histogram_of_gradients", "wavelet_subbands(4)" or "embedding".

    `open_network` is called only for an embedding.

    Raises:
        UsageError: a name is unknown, given twice, or none is given, or two have columns of one name.
    """
    if not names:
        raise UsageError("no features were named", hint=f"choose from {', '.join(NAMES)}")
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    if doubled:
        raise UsageError(f"features named twice: {', '.join(doubled)}")
    extractors = tuple(_extractor(name, open_network) for name in names)
    _check_columns(names, extractors)
    return FeatureSet(extractors)


def _check_columns(names: Sequence[str], extractors: Sequence[Extractor]) -> None:
    owner: dict[str, str] = {}
    for name, extractor in zip(names, extractors, strict=True):
        for column in extractor.columns:
            first = owner.setdefault(column.name, name)
            if first != name:
                raise UsageError(
                    f"{first} and {name} both have a column {column.name}",
                    hint="name only one of the two",
                )


def _extractor(name: str, open_network: Callable[[], Network]) -> Extractor:
    if name == OUTPUT:
        return network_embedding(open_network())
    if match := _WAVELETS.fullmatch(name):
        return wavelet_subbands(int(match[1]))
    if name in _PLAIN:
        return _PLAIN[name]()
    near = difflib.get_close_matches(name, NAMES, 1)
    raise UsageError(
        f"no feature is called {name!r}",
        hint=(f"did you mean {near[0]}? " if near else "") + f"There are {', '.join(NAMES)}.",
    )
