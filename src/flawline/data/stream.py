"""Run one function over the pictures of a source: on all cores, in order, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from flawline.data.cores import cpu_count
from flawline.data.image import ImageLimits, read_image
from flawline.data.memory_share import memory_share
from flawline.errors import FlawlineError
from flawline.types import Picture, Sample, Unjudged

Item = TypeVar("Item")
Result = TypeVar("Result")


class Readable(Protocol):
    """Files of pictures by name, such as a `Source`; read from several threads."""

    image_limits: ImageLimits

    def read(self, name: str) -> bytes:
        """Read one file; raises FlawlineError where it cannot be read."""
        ...


class Memory(Protocol[Result]):
    """Results of an earlier run, by the bytes of the picture."""

    def recall(self, data: bytes) -> Result | None:
        """Return the result for these bytes, or None."""
        ...

    def remember(self, data: bytes, result: Result) -> None:
        """Store the result for these bytes."""
        ...


def map_pictures(
    source: Readable,
    samples: Iterable[Sample],
    function: Callable[[Picture], Result],
    *,
    target: int | None = None,
    value_range: tuple[float, float] | None = None,
    workers: int | None = None,
    ahead: int | None = None,
    memory: Memory[Result] | None = None,
    noted: Callable[[str, tuple[str, ...]], None] | None = None,
) -> Iterator[tuple[Sample, Result | Unjudged]]:
    """Decode each sample and apply `function` to it, on threads.

    Yields (sample, result) in the order of `samples`; a picture that cannot be read gives `Unjudged` instead. Decoding,
    OpenCV and networks release the GIL, so threads keep every core busy.

    Args:
        source: where the pictures are.
        samples: the pictures.
        function: called on `workers` threads.
        target: as for `read_image`.
        value_range: as for `read_image`.
        workers: threads; by default one more than cores, so that one decodes while each core runs a network.
        ahead: pictures in flight at most, four per worker by default; more keep the workers busy while the results
            are used in chunks.
        memory: results that are not computed again.
        noted: gets, from any thread, the name and the notes of each picture that was decoded with something lost or
            chosen.
    """

    def one(sample: Sample) -> Result | Unjudged:
        try:
            data = source.read(sample.name)
            known = memory.recall(data) if memory is not None else None
            if known is not None:
                return known
            limits = source.image_limits
            with memory_share(limits.max_memory) as share:
                picture = read_image(
                    data,
                    target=target,
                    value_range=value_range,
                    limits=limits,
                    reserve=share.reserve,
                )
                result = function(picture)
                notes = picture.notes
                # Freed before the memory is given back.
                del picture
            if noted is not None and notes:
                noted(sample.name, notes)
            if memory is not None:
                memory.remember(data, result)
            return result
        except FlawlineError as error:
            return Unjudged(sample.name, error.code, error.message)

    return in_order(samples, one, workers=workers, ahead=ahead)


def in_order(
    items: Iterable[Item],
    function: Callable[[Item], Result],
    *,
    workers: int | None = None,
    ahead: int | None = None,
) -> Iterator[tuple[Item, Result]]:
    """Apply `function` to each item on threads; yield items and results in the order of `items`.

    Args:
        items: taken as they are needed, by the thread that iterates.
        function: called on `workers` threads; what it raises ends the iteration.
        workers: threads, one more than cores by default.
        ahead: items in flight at most, four per worker by default.
    """
    workers = workers or cpu_count() + 1
    ahead = ahead or 4 * workers
    pending: deque[tuple[Item, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="flawline")
    try:
        for item in items:
            pending.append((item, pool.submit(function, item)))
            if len(pending) >= ahead:
                first, future = pending.popleft()
                yield first, future.result()
        while pending:
            first, future = pending.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
