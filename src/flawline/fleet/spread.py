"""Map a job over samples on the actors of a Ray cluster: in order, with bounded memory here."""

from __future__ import annotations

import copyreg
import json
import pickle
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from types import MappingProxyType
from typing import Any, Protocol

from flawline.errors import FlawlineError
from flawline.fleet.cluster import import_ray
from flawline.types import EMPTY, Sample

BATCH = 32
"""Pictures that an actor takes at once."""
_TRIES = 4
"""How often a batch is begun again where its actor or machine dies, before the run ends with an error."""
_AGAIN = 3
"""How often what is left is begun again, without a further result in between, before the run ends with an error."""

# Results hold read-only mappings, which Python does not pickle by itself.
copyreg.pickle(MappingProxyType, lambda mapping: (MappingProxyType, (dict(mapping),)))


class Job(Protocol):
    """What an actor does: opened once there, then called with one batch after the other.

    The job itself travels to the actor and holds plain values; what it opens stays there.
    """

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        """Open networks and files; `stack` closes them. Returns what maps a batch to one result a sample."""
        ...


def spread(job: Job, samples: Sequence[Sample], *, batch: int | None = None) -> Iterator[Any]:
    """Yield the result of each sample in order; those of a batch whose actor or machine dies are computed again.

    An actor takes `batch` samples at once, 32 by default. Where Ray gives up because a machine died, what did not
    arrive is begun again on those that are left.

    Raises:
        FlawlineError: as the job raises it on an actor; ("fleet-failed") batches failed several times.
    """
    ray = import_ray()
    pickled = pickle.dumps(job)
    texts = [batch_text(few) for few in _batches(samples, batch or BATCH)]
    arrived = again = 0
    while arrived < len(texts):
        try:
            for answers in _answers(ray, pickled, texts[arrived:]):
                for answer in answers:
                    arrived, again = arrived + 1, 0
                    yield from results_of(answer)
        except (ray.exceptions.RayError, ray.exceptions.RayTaskError) as error:
            again += 1
            if again > _AGAIN:
                raise FlawlineError(
                    f"the cluster could not finish: {_first_line(error)}",
                    hint="run the same command again to go on; a picture that ends its process each time is in the "
                    "next batch",
                    code="fleet-failed",
                ) from error


def _answers(ray: Any, job: bytes, texts: list[str]) -> Iterator[list[bytes]]:
    """Have a job work on batches, from here or, behind `ray://`, from a process of the cluster."""
    if not ray.util.client.ray.is_connected():
        yield from mapped(job, texts)
        return
    # Ray Data runs on machines of the cluster alone.
    feeder = ray.remote(num_cpus=0)(_Feeder).remote(job, texts)
    while (answers := ray.get(feeder.next.remote())) is not None:
        yield answers


class _Feeder:
    """The answers of a job, fetched one block at a time."""

    def __init__(self, job: bytes, texts: list[str]) -> None:
        self._rest = mapped(job, texts)

    def next(self) -> list[bytes] | None:
        return next(self._rest, None)


def mapped(job: bytes, texts: list[str]) -> Iterator[list[bytes]]:
    """Map a pickled job over batches by Ray Data; yields answers in order, those that come together in one list."""
    ray = import_ray()
    import pyarrow as pa

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    # One reference, nested so that an actor fetches it itself, also one that starts again.
    place = [ray.put(job)]
    tables = [pa.table({"samples": [text]}) for text in texts]
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    actors = min(cores, len(tables))
    with warnings.catch_warnings():
        # There is no named argument for the number of tries, and without one a batch is begun again for ever.
        warnings.simplefilter("ignore", DeprecationWarning)
        results = ray.data.from_arrow(tables).map_batches(
            _Actor,
            fn_constructor_args=(place,),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors, initial_size=actors),
            num_cpus=1,
            max_task_retries=_TRIES,
        )
    for table in results.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1):
        yield [cell.as_py() for cell in table["results"]]


class Worker:
    """A job that is open. Expected failures are answers, so that they arrive as they are."""

    def __init__(self, job: bytes) -> None:
        """Open a pickled job."""
        self._stack = ExitStack()
        self._error: FlawlineError | None = None
        try:
            self._work = pickle.loads(job).open(self._stack)
        except FlawlineError as error:
            self._error = error

    def answer(self, samples: str) -> bytes:
        """Work on a batch, as `batch_text` writes it; `results_of` reads the answer."""
        try:
            if self._error is not None:
                raise self._error
            return pickle.dumps(list(self._work(_from_text(samples))))
        except FlawlineError as error:
            return pickle.dumps((type(error), error.message, error.hint, error.code))


class _Actor:
    def __init__(self, place: list[Any]) -> None:
        import ray

        self._worker = Worker(ray.get(place[0]))

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        answers = [self._worker.answer(cell.as_py()) for cell in table["samples"]]
        return pa.table({"results": pa.array(answers, pa.large_binary())})


def results_of(answer: bytes) -> list[Any]:
    """Read the answer of a worker; raises the error that it met."""
    found = pickle.loads(answer)
    if isinstance(found, tuple):
        kind, message, hint, code = found
        raise kind(message, hint=hint, code=code)
    return found  # type: ignore[no-any-return]


def _batches(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    rest = iter(samples)
    for first in rest:
        yield [first, *islice(rest, size - 1)]


def batch_text(samples: Sequence[Sample]) -> str:
    """Write samples for a worker."""
    return json.dumps([sample_as_list(sample) for sample in samples])


def sample_as_list(sample: Sample) -> list[Any]:
    """Convert a sample to what JSON can hold."""
    plain = [sample.name, sample.label, sample.defective, sample.mask, sample.group, sample.split]
    return [*plain, dict(sample.metadata)]


def _from_text(text: str) -> list[Sample]:
    found = []
    for name, label, defective, mask, group, split, further in json.loads(text):
        metadata = MappingProxyType(further) if further else EMPTY
        found.append(Sample(name, label, defective, mask, group, split, metadata))
    return found


def _first_line(error: BaseException) -> str:
    lines = (line.strip() for line in chain(str(error).splitlines(), [type(error).__name__]))
    return next(line for line in lines if line)
