"""Networks on OpenVINO: one infer request per core, one picture per request.

Running single pictures on parallel streams is as fast on CPUs as running batches, and it makes a score independent of
the other pictures by construction.
"""

from __future__ import annotations

import hashlib
import locale
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ModelError
from flawline.networks.cache import compiled_networks
from flawline.networks.model_size import check_size
from flawline.networks.network import Preparation, with_size
from flawline.networks.network_file import (
    IN_RECIPE,
    file_content,
    last_line,
    model_metadata,
    model_preparation,
    read_model,
)
from flawline.networks.network_file import file_preparation as file_preparation
from flawline.networks.openvino_import import openvino

PRECISIONS = ("auto", "f32", "bf16")

OutputChoice = Callable[[Mapping[str, int]], Sequence[str]]
"""From the outputs that a file has, name -> number of dimensions, to those to compute."""


class OpenVINONetwork:
    """A compiled network (see `flawline.networks.network.Network`)."""

    def __init__(
        self,
        compiled: Any,
        *,
        name: str,
        sha256: str,
        preparation: Preparation,
        precision: str,
        outputs: Mapping[str, int],
    ) -> None:
        self.name = name
        self.sha256 = sha256
        self.preparation = preparation
        self.precision = precision
        self.outputs = outputs
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
            self._requests.put(compiled.create_infer_request())
        first_inference(lambda: self(np.zeros((*preparation.size, 3), dtype=np.uint8)))

    def __call__(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run uint8 RGB (height, width, 3) of the prepared size; returns (C, h, w) maps and (C,) vectors."""
        expected = (*self.preparation.size, 3)
        if pixels.shape != expected:
            raise ModelError(f"{self.name} takes pixels of shape {expected}, got {pixels.shape}")
        request = self._requests.get()
        try:
            request.infer({0: pixels[None]}, share_inputs=True, share_outputs=True)
            return {
                name: request.get_output_tensor(index).data[0].astype(np.float32, copy=True)
                for index, name in enumerate(self.outputs)
            }
        finally:
            self._requests.put(request)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedNetwork:
    """A network with its preparation and chosen outputs, not compiled yet.

    `shapes` are (C, h, w) or (C,) by output, `metadata` what else the file says, by key.
    """

    model: Any
    name: str
    sha256: str
    preparation: Preparation
    precision: str
    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]


def load_network(
    path: Path | bytes,
    *,
    outputs: Sequence[str] | OutputChoice | None = None,
    preparation: Preparation | None = None,
    size: int | tuple[int, int] | None = None,
    precision: str = "auto",
    threads: int = 0,
    expected: str | None = None,
) -> OpenVINONetwork:
    """Load an ONNX file that holds all of its weights: the three steps below in one."""
    prepared = prepare_network(
        path,
        outputs=outputs,
        preparation=preparation,
        size=size,
        precision=precision,
        expected=expected,
    )
    return ready_network(prepared, compile_network(prepared, threads))


def prepare_network(
    path: Path | bytes,
    *,
    outputs: Sequence[str] | OutputChoice | None = None,
    preparation: Preparation | None = None,
    size: int | tuple[int, int] | None = None,
    precision: str = "auto",
    sha256: str | None = None,
    expected: str | None = None,
) -> PreparedNetwork:
    """Read an ONNX file that holds all of its weights.

    Args:
        path: the model file, or its content.
        outputs: the outputs to compute, by name or by a choice among those that the file has; all of them by default.
            What they do not need is not run.
        preparation: how pixels become input; read from the file's `flawline.preparation` metadata by default.
        size: (height, width) of the input in pixels, or the side of a square one, overriding the preparation's.
        precision: "f32", "bf16" or "auto", which takes bf16 where the CPU computes in it and f32 elsewhere.
        sha256: the hash of the file, where it is known.
        expected: the hash that the file must have; it is compared before anything reads the network.

    Raises:
        ModelError: the file is missing, is no network, keeps weights in other files, lacks an output or has one without
            a fixed number of channels, the size is not within 1 to 16384, the preparation is unknown, or the file
            is another than expected.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"precision {precision!r} is not one of {', '.join(PRECISIONS)}")
    data, name = file_content(path, expected)
    model = read_model(data, name)
    metadata = model_metadata(model)
    chosen = preparation or model_preparation(model, name)
    if size is not None:
        chosen = with_size(chosen, size)
    precision = available_precision(precision)
    try:
        model = with_preparation(_restricted(model, outputs, name), chosen)
    except RuntimeError as error:
        raise _unsuitable(name, chosen, error) from error
    return PreparedNetwork(
        model,
        Path(name).stem,
        sha256 or hashlib.sha256(data).hexdigest(),
        chosen,
        precision,
        {output.get_any_name(): _shape(output, name) for output in model.outputs},
        metadata,
    )


def compile_network(prepared: PreparedNetwork, threads: int = 0, *, keep: bool = False) -> Any:
    """Compile a network for `threads` CPU threads, 0 for all; with `keep`, or take it as an earlier start compiled it.

    Raises:
        ModelError: the network does not run on pictures of that size, or asks for too much.
    """
    check_size(prepared.model)
    options = runtime_options(prepared.precision, threads)
    try:
        return compiled(prepared.model, options, keep=keep)
    except RuntimeError as error:
        raise _unsuitable(prepared.name, prepared.preparation, error) from error


def compiled(model: Any, options: Mapping[str, Any], *, keep: bool) -> Any:
    """Compile a model of OpenVINO, which with `keep` takes what it compiled before; raises RuntimeError.

    OpenVINO finds it by a hash of the model, the options, its version and the processor. A folder or file that cannot
    be used changes nothing but the time.
    """
    folder = compiled_networks() if keep else None
    if folder is not None:
        name_nodes(model)
        with suppress(RuntimeError), _same_locale():
            return core().compile_model(model, "CPU", {**options, "CACHE_DIR": str(folder)})
    return core().compile_model(model, "CPU", dict(options))


class _Compiling:
    """How many threads compile at this moment, and the locale that the first of them found."""

    lock = Lock()
    threads = 0
    before = ""


@contextmanager
def _same_locale() -> Iterator[None]:
    """Leave the process's locale as it was.

    OpenVINO sets it to "C" while it hashes a model, and then back to what it found: of two threads at once the second
    finds "C".
    """
    with _Compiling.lock:
        if not _Compiling.threads:
            _Compiling.before = locale.setlocale(locale.LC_ALL)
        _Compiling.threads += 1
    try:
        yield
    finally:
        with _Compiling.lock:
            _Compiling.threads -= 1
            if not _Compiling.threads and locale.setlocale(locale.LC_ALL) != _Compiling.before:
                locale.setlocale(locale.LC_ALL, _Compiling.before)


def name_nodes(model: Any) -> None:
    """Name the nodes of a model by their order: names that OpenVINO makes up count all that the process ever made."""
    for place, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{place}")


def ready_network(prepared: PreparedNetwork, compiled: Any) -> OpenVINONetwork:
    """A compiled network, ready to run."""
    return OpenVINONetwork(
        compiled,
        name=prepared.name,
        sha256=prepared.sha256,
        preparation=prepared.preparation,
        precision=prepared.precision,
        outputs={name: shape[0] for name, shape in prepared.shapes.items()},
    )


@cache
def core() -> Any:
    """The runtime, one for the process."""
    return openvino().Core()


_FIRST, _made = Lock(), Event()


def first_inference(run: Callable[[], object]) -> None:
    """Call `run`, an inference, unless this process has made one.

    OpenVINO's Python binding deadlocks when two threads make its very first inference at the same moment: one holds the
    interpreter lock, the other an initialisation guard.
    """
    with _FIRST:
        if not _made.is_set():
            run()
            _made.set()


def runtime_options(precision: str, threads: int) -> dict[str, Any]:
    """How a model is compiled: one picture per request, as many requests as threads."""
    return {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
    }


def _unsuitable(name: str, preparation: Preparation, error: Exception) -> ModelError:
    return ModelError(
        f"{name} does not run on pictures of {preparation.size[1]}x{preparation.size[0]}: {last_line(error)}",
        hint="a backbone takes one NCHW float input with three channels; give another size with the preparation",
    )


def read_restricted(
    data: bytes, outputs: OutputChoice, window: tuple[int, int]
) -> tuple[Any, Preparation]:
    """A network that is not compiled, with the chosen outputs only, and its preparation for windows (height, width)."""
    model = read_model(data, IN_RECIPE)
    stated = model_preparation(model, IN_RECIPE)
    return _restricted(model, outputs, IN_RECIPE), replace(stated, size=window)


def _shape(output: Any, name: str) -> tuple[int, ...]:
    shape = output.partial_shape
    if shape.rank.is_dynamic or len(shape) < 2 or shape[1].is_dynamic:
        raise ModelError(
            f"output {output.get_any_name()} of {name} has the shape {shape}, "
            "expected (batch, channels) or (batch, channels, height, width) with a fixed number of channels",
            hint="export the network with such outputs only",
        )
    return tuple(side.get_length() if side.is_static else 0 for side in list(shape)[1:])


def available_precision(precision: str) -> str:
    """What this CPU makes of a precision; raises ModelError where it cannot."""
    able = "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bf16" and not able:
        raise ModelError("this CPU does not compute in bf16", hint="use `precision=f32`")
    return "bf16" if able and precision != "f32" else "f32"


def _restricted(model: Any, outputs: Sequence[str] | OutputChoice | None, name: str) -> Any:
    by_name = {output.get_any_name(): output for output in model.outputs}
    if callable(outputs):
        outputs = outputs({name: len(output.partial_shape) for name, output in by_name.items()})
    wanted = list(outputs) if outputs is not None else list(by_name)
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise ModelError(f"{name} has no output {', '.join(missing)}; it has {', '.join(by_name)}")
    return openvino().Model(
        [by_name[name] for name in wanted], model.get_parameters(), Path(name).stem
    )


def with_preparation(model: Any, preparation: Preparation) -> Any:
    """The model with uint8 RGB pixels (1, height, width, 3) as its input."""
    ov = openvino()
    processor = ov.preprocess.PrePostProcessor(model)
    tensor = processor.input().tensor()
    tensor.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    tensor.set_shape([1, *preparation.size, 3])
    processor.input().model().set_layout(ov.Layout("NCHW"))
    steps = processor.input().preprocess().convert_element_type(ov.Type.f32)
    steps.mean(list(preparation.mean)).scale(list(preparation.std))
    return processor.build()
