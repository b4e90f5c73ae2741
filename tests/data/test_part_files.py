"""What a killed process leaves is removed by the next one, and never what another one is writing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from flawline.data.part_files import part_folder, part_name, scratch_folder
from flawline.data.whole_file import replacing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
WRITERS = {
    "file": "with replacing(folder / 'report.html') as part:\n  part.write_text('half')\n  wait()",
    "folder": "with part_folder(folder / part_name('part.flaw')) as part:\n  (part / 'a').write_text('half')\n  wait()",
    "picture": "os.fsync = lambda number: wait()\nFolderPictures(folder).put(b'half')",
    "scratch": "tempfile.tempdir = str(folder)\n"
    "with scratch_folder() as part:\n  (part / 'a').write_text('half')\n  wait()",
}
START = """
import os, sys, tempfile, time
from pathlib import Path
from flawline.data.part_files import part_folder, part_name, scratch_folder
from flawline.data.whole_file import replacing, write_text
from flawline.records.pictures import FolderPictures
folder = Path(sys.argv[1])

def wait():
    print("writing", flush=True)
    time.sleep(600)

"""


@contextmanager
def writer(kind: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    script = START + WRITERS[kind]
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        try:
            yield process
        finally:
            process.kill()


def write_next(folder: Path) -> None:
    script = START + "write_text(folder / 'next.txt', 'whole')"
    subprocess.run([sys.executable, "-c", script, str(folder)], check=True)


def parts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("kind", WRITERS)
def test_the_next_process_removes_what_a_killed_one_left(tmp_path: Path, kind: str) -> None:
    own = tmp_path / ".report.part.html"
    own.write_text("somebody's file")
    with writer(kind, tmp_path) as process:
        assert len(parts(tmp_path)) == 2
        write_next(tmp_path)
        assert len(parts(tmp_path)) == 2, "it is still being written"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(parts(tmp_path)) == 2
        write_next(tmp_path)
        assert parts(tmp_path) == [own.name]


def write_half(block: AbstractContextManager[Path], places: list[Path]) -> None:
    with block as part:
        places.append(part)
        (part / "c" if part.is_dir() else part).write_text("half")
        raise KeyboardInterrupt


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    blocks = (
        replacing(tmp_path / "a.txt"),
        part_folder(tmp_path / part_name("b")),
        scratch_folder(),
    )
    places: list[Path] = []
    for block in blocks:
        with pytest.raises(KeyboardInterrupt):
            write_half(block, places)
    assert [place.exists() for place in places] == [False] * 3
    assert list(tmp_path.iterdir()) == []
