"""Networks that tests compile again and again: each is compiled once in a process, for the same options.

Compiling takes half of the time of a small training, and the same small network is trained on in most tests.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

import pytest

KEPT = 128
"""As many compiled networks are held; the one that was not asked for longest goes first."""


@contextmanager
def compiled_once(folder: Path) -> Iterator[None]:
    """Give the compiled network again where a model of the same content is compiled with the same options.

    Paths, bytes and networks with further inputs are compiled as always. `folder` takes what is hashed.
    """
    import openvino

    compiled: OrderedDict[str, Any] = OrderedDict()
    lock = Lock()
    real = openvino.Core.compile_model

    @wraps(real)
    def once(self: Any, model: Any, device: str = "CPU", options: Any = None, **more: Any) -> Any:
        # Values given as inputs stay in the memory of a network, which therefore belongs to one user.
        alone = isinstance(model, openvino.Model) and len(model.inputs) == 1
        if not alone or more:
            return real(self, model, device, options, **more)
        key = _key(model, (device, sorted((options or {}).items())), folder)
        with lock:
            if key in compiled:
                compiled.move_to_end(key)
                return compiled[key]
        made = real(self, model, device, options)
        with lock:
            compiled[key] = made
            while len(compiled) > KEPT:
                compiled.popitem(last=False)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openvino.Core, "compile_model", once)
        yield


def _key(model: Any, how: object, folder: Path) -> str:
    """Hash the operations, constants and notes of a model, whatever its nodes are called, and how it is compiled."""
    import openvino

    copy = model.clone()
    for place, node in enumerate(copy.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{place}")
    structure, constants = folder / f"{get_ident()}.xml", folder / f"{get_ident()}.bin"
    openvino.serialize(copy, structure, constants)
    digest = hashlib.sha256(repr(how).encode())
    digest.update(structure.read_bytes())
    digest.update(constants.read_bytes())
    return digest.hexdigest()
