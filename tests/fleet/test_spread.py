"""What is begun again where Ray gives up, with batches that are worked on in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from flawline.errors import FlawlineError
from flawline.fleet import spread as spreading
from flawline.fleet.spread import Worker, spread
from flawline.types import Sample

SAMPLES = [Sample(f"{k}.png") for k in range(20)]


class RayError(Exception):
    """As Ray raises it."""


@dataclass(frozen=True)
class Naming:
    """A job whose results are the names."""

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        return lambda samples: [sample.name for sample in samples]


@dataclass
class Cluster:
    """Works on batches of three, and loses a machine after so many of them, each time it is used."""

    dies_after: list[int]
    begun: list[int] = field(default_factory=list)

    def mapped(self, job: bytes, texts: list[str]) -> Iterator[list[bytes]]:
        self.begun.append(len(texts))
        most = self.dies_after.pop(0) if self.dies_after else len(texts)
        worker = Worker(job)
        for text in texts[:most]:
            yield [worker.answer(text)]
        if most < len(texts):
            raise RayError("a machine died")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[int]], Cluster]:
    here = SimpleNamespace(client=SimpleNamespace(ray=SimpleNamespace(is_connected=lambda: False)))
    errors = SimpleNamespace(RayError=RayError, RayTaskError=RayError)
    ray = SimpleNamespace(exceptions=errors, util=here)
    monkeypatch.setattr(spreading, "import_ray", lambda: ray)

    def made(dies_after: list[int]) -> Cluster:
        found = Cluster(dies_after)
        monkeypatch.setattr(spreading, "mapped", found.mapped)
        return found

    return made


@pytest.mark.parametrize("dies_after", [[], [0], [3], [6], [2, 0, 0, 1, 0, 0]])
def test_what_was_lost_with_a_machine_is_begun_again_and_nothing_else(
    cluster: Callable[[list[int]], Cluster], dies_after: list[int]
) -> None:
    own = cluster(list(dies_after))
    assert list(spread(Naming(), SAMPLES, batch=3)) == [sample.name for sample in SAMPLES]
    arrived = [sum(dies_after[:k]) for k in range(len(dies_after) + 1)]
    assert own.begun == [7 - count for count in arrived]


def test_a_batch_that_ends_every_machine_ends_the_run(
    cluster: Callable[[list[int]], Cluster],
) -> None:
    own, got = cluster([2] + [0] * 100), []
    with pytest.raises(FlawlineError, match="a machine died") as caught:
        got.extend(spread(Naming(), SAMPLES, batch=3))
    assert caught.value.code == "fleet-failed"
    assert got == [sample.name for sample in SAMPLES[:6]]
    assert own.begun == [7, 5, 5, 5]


@dataclass(frozen=True)
class Refusing:
    """A job that cannot be opened."""

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        raise FlawlineError("no such recipe", code="recipe-damaged")


def test_an_error_of_the_job_is_not_begun_again(
    cluster: Callable[[list[int]], Cluster],
) -> None:
    own = cluster([])
    with pytest.raises(FlawlineError, match="no such recipe"):
        list(spread(Refusing(), SAMPLES, batch=3))
    assert own.begun == [7]
