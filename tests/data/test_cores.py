import os

import pytest

from flawline.data.cores import cpu_count


@pytest.fixture
def allowed(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return 8


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", 8),
        ("300000 100000\n", 3),
        ("250000 100000\n", 2),
        ("50000 100000\n", 1),
        ("6400000 100000\n", 8),
        ("", 8),
        ("300000 0\n", 8),
        ("what is this\n", 8),
    ],
)
def test_a_quota_lowers_the_number_of_cores(allowed, tmp_path, text, cores):
    (tmp_path / "cpu.max").write_text(text)
    assert cpu_count(tmp_path / "cpu.max") == cores


def test_without_a_quota_all_cores_of_the_affinity_count(allowed, tmp_path):
    assert cpu_count(tmp_path / "missing") == allowed


def test_a_system_without_affinity_counts_its_cores(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cpu_count(tmp_path / "missing") == 1
