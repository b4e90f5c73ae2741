"""Jobs: stages, what they tell of themselves, and what is left when a server is stopped."""

from __future__ import annotations

import threading

import pytest

from flawline.server.work.runner import JobRunner


def finished(runner, job, seconds=20):
    """Wait until a job is over."""
    now = runner.get(job.id)
    while now.state in ("waiting", "running"):
        now = runner.wait(job.id, now, seconds)
    return now


@pytest.fixture
def runner(tmp_path):
    made = JobRunner(tmp_path / "jobs")
    yield made
    made.close()


def test_stages_stay_in_order(runner):
    def work(track, _folder):
        list(track(range(3), title="reading", total=3))
        list(track(range(2), title="comparing", total=2))
        track.tell(epochs=[1])
        track.tell(example=4)
        return {"pictures": 3}

    job = finished(runner, runner.start("rank", "three", "eva", work))
    assert [(one.title, one.done, one.total) for one in job.stages] == [
        ("reading", 3, 3),
        ("comparing", 2, 2),
    ]
    assert job.live == {"epochs": [1], "example": 4}
    assert job.result == {"pictures": 3}


def test_a_job_that_tells_hears_that_it_is_cancelled(runner):
    begun, go_on = threading.Event(), threading.Event()

    def work(track, _folder):
        begun.set()
        go_on.wait(20)
        track.tell(epoch=1)
        return {}

    job = runner.start("train", "a", "eva", work)
    assert begun.wait(20)
    runner.cancel(job.id)
    go_on.set()
    assert finished(runner, job).state == "cancelled"


def test_what_a_stopped_server_left_has_failed_and_keeps_its_files(tmp_path):
    begun, go_on = threading.Event(), threading.Event()
    runner = JobRunner(tmp_path)

    def work(_track, folder):
        (folder / "pictures").mkdir()
        begun.set()
        go_on.wait(20)
        return {}

    job = runner.start("train", "a", "eva", work)
    assert begun.wait(20)
    # Another server opens the same folder, as after a kill.
    other = JobRunner(tmp_path)
    found = other.get(job.id)
    assert (found.state, found.error["code"]) == ("failed", "stopped")
    assert (other.place(job.id) / "pictures").is_dir()
    other.remove(job.id)
    go_on.set()
    other.close()
    runner.close()


def test_jobs_of_the_version_before_are_read(tmp_path):
    (tmp_path / "abc").mkdir()
    (tmp_path / "abc" / "job.json").write_text(
        '{"id": "abc", "kind": "rank", "title": "t", "who": "eva", "created": "2026-01-01T00:00:00+00:00", '
        '"state": "done", "doing": "", "done": 0, "total": null, "seconds_left": null, "result": {"pictures": 1}, '
        '"error": null}'
    )
    runner = JobRunner(tmp_path)
    assert runner.get("abc").stages == ()
    runner.close()
