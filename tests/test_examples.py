"""Every example runs as it stands, and those that take arguments run with them."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.networks import write_network
from helpers.pictures import parts

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run an example with arguments in this process, and return what it prints."""

    def run(name, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda script: script.stem)
def test_an_example_runs_without_arguments(script, tmp_path):
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_rank_a_folder_takes_a_source_and_keeps_the_report(tmp_path, run):
    parts(tmp_path / "parts")
    shown = run("rank_a_folder.py", "parts", "out")
    assert "2 of 2 defective within the top" in shown
    assert (tmp_path / "out" / "report.html").is_file()


def test_own_backbone_takes_a_network(tmp_path, run):
    network = write_network(tmp_path / "small.onnx", preparation=None)
    preparation = "mean=128,std=64,size=32"
    shown = run("own_backbone.py", network, preparation)
    assert "22 pictures, 6 fields each" in shown


def test_the_feature_table_feeds_other_tools(tmp_path, run):
    parts(tmp_path / "parts", good=9, bad=6)
    shown = run("features_with_scikit_learn.py", "parts")
    assert "polars: 15 pictures, 282 features" in shown
    assert "scikit-learn: 100 % right" in shown
    assert "pandas: " in shown
