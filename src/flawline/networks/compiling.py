"""A network that is made ready while its caller does something else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flawline.networks.compiled_cache import (
    compiled_key,
    exported,
    find_compiled,
    keep_compiled,
    keeps_compiled,
)
from flawline.networks.openvino_runtime import (
    OpenVINONetwork,
    OutputChoice,
    PreparedNetwork,
    compile_network,
    import_network,
    prepare_network,
    ready_network,
)


class Compiling:
    """A network that a thread of its own reads and compiles; what goes wrong there is raised where it is asked for."""

    def __init__(
        self, prepare: Callable[[], PreparedNetwork], threads: int = 0, **facts: Any
    ) -> None:
        """Start to read it and to compile it.

        Args:
            prepare: a call of `prepare_network`; not made where a compiled network is found.
            threads: CPU threads, 0 for all.
            facts: the hash of the network and all else that decides what `prepare` gives, as plain values. With them
                the compiled network is kept for the next time, and taken from there; without any it is not.
        """
        self._prepare, self._threads = prepare, threads
        self._facts = facts if keeps_compiled() else {}
        self._key = ""
        self._found: Any = None
        beside = ThreadPoolExecutor(1, thread_name_prefix="flawline")
        self._prepared = beside.submit(self._read)
        self._compiled = beside.submit(self._compile)
        self._ready = beside.submit(self._made_ready)
        self._kept = beside.submit(self._keep)
        beside.shutdown(wait=False)

    @property
    def keeps(self) -> bool:
        """Whether what is compiled of it is to be kept for the next time."""
        return bool(self._facts)

    @property
    def prepared(self) -> PreparedNetwork:
        """What was read, long before it is compiled; errors as for `prepare_network`."""
        return self._prepared.result()

    def ready(self) -> OpenVINONetwork:
        """The network, with the errors of both steps."""
        return self._ready.result()

    def finish(self) -> None:
        """Wait until the network is kept as well, where it is to be; errors as for `ready`."""
        self._kept.result()

    def _read(self) -> PreparedNetwork:
        if self._facts:
            self._key = compiled_key(threads=self._threads, **self._facts)
            found = find_compiled(self._key)
            if found is not None:
                self._found = found[1]
                return PreparedNetwork.from_dict(found[0])
        return self._prepare()

    def _compile(self) -> Any:
        prepared = self.prepared
        if self._found is not None:
            try:
                return import_network(self._found, prepared, self._threads)
            except RuntimeError:
                self._found = None
                prepared = self._prepare()
        return compile_network(prepared, self._threads)

    def _made_ready(self) -> OpenVINONetwork:
        return ready_network(self.prepared, self._compiled.result())

    def _keep(self) -> None:
        if self._key and self._found is None:
            keep_compiled(self._key, self.prepared.as_dict(), exported(self._compiled.result()))
        self._found = None


def begin_compiling(
    network: Path | bytes | Callable[[], bytes],
    *,
    outputs: OutputChoice | tuple[str, ...],
    named: str,
    size: tuple[int, int],
    precision: str,
    threads: int,
    sha256: str | None,
) -> Compiling:
    """Some outputs of a network for windows of `size`, (height, width), being compiled.

    `network` is its file, its content, or what waits for its content. `named` stands for the choice of outputs. With
    `sha256`, the hash of `network`, what is compiled is kept for the next time, and found there before the network is
    asked for; only content of that hash may come.
    """

    def prepare() -> PreparedNetwork:
        content = network() if callable(network) else network
        return prepare_network(
            content, outputs=outputs, size=size, precision=precision, sha256=sha256
        )

    if sha256 is None:
        return Compiling(prepare, threads)
    return Compiling(
        prepare, threads, network=sha256, outputs=named, size=size, precision=precision
    )
