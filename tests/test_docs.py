"""The documentation is run: Python blocks as they stand, console blocks through the command, shapes against files."""

import io
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import cv2
import numpy as np
import pytest

from flawline.cli.main import run
from flawline.features.catalog import NAMES, feature_set
from flawline.jobs.trial import train_and_test
from flawline.networks import openvino_runtime
from flawline.networks.backbone import open_backbone
from flawline.synthetic import castings
from flawline.synthetic.assembly import draw_assembly
from flawline.synthetic.castings import draw_casting, write_castings
from helpers.networks import write_network
from helpers.trained_once import trained_once

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.M | re.S)
# A page that goes on where another ended, in its folder: the README shows what the demo drew and learnt.
GOES_ON = {ROOT / "docs" / "tutorials" / "first-ranking.md": ROOT / "README.md"}
train_anomaly = trained_once(train_and_test.train_anomaly)
FAILING = re.compile(r'error:|"error"|could not be judged')


def blocks(page, *languages):
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(language, text) for _, language, text in found if language in languages]


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """What a page may use: parts, parts.zip with the same pictures, kinds, part.png, part.tif (12 bits), small.onnx."""
    folder = tmp_path_factory.mktemp("docs")
    write_kinds(folder / "kinds")
    write_castings(folder / "parts", good=14, bad=3, size=128)
    shutil.make_archive(str(folder / "parts"), "zip", folder / "parts")
    write_network(folder / "small.onnx")
    deep = np.full((64, 64), 1500, np.uint16)
    cv2.imwrite(str(folder / "part.png"), (deep // 16).astype(np.uint8))
    cv2.imwrite(str(folder / "part.tif"), deep)
    return folder


def write_kinds(folder):
    """Write castings and plates: classes so unlike that no processor's rounding confuses them."""
    for kind, draw in (("casting", draw_casting), ("plate", draw_assembly)):
        (folder / kind).mkdir(parents=True)
        for seed in range(12):
            drawn = draw(np.random.default_rng(seed), size=128)
            cv2.imwrite(str(folder / kind / f"{seed}.png"), drawn.pixels[..., ::-1])


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.long if page in GOES_ON else ())
        for page in PAGES
        if blocks(page, "python", "console") and page not in GOES_ON.values()
    ],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_what_a_page_shows_runs(page, workplace, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(workplace, tmp_path / "here"))
    monkeypatch.setenv("COLUMNS", "100")
    # Pages show what a CPU without bf16 computes: where two reasons or ranks are close, bf16 may turn them round.
    monkeypatch.setattr(openvino_runtime, "available_precision", lambda precision: "f32")
    # A page is about its own commands: what another page has trained of the same pictures is not trained again.
    monkeypatch.setattr(train_and_test, "train_anomaly", train_anomaly)
    # Drawing at full size takes long; only pages with the numbers of the demo need it.
    if page not in GOES_ON:
        small = lambda folder, **more: write_castings(folder, **{"size": 128, **more})  # noqa: E731
        monkeypatch.setattr(castings, "write_castings", small)
    try_what_is_shown(page)
    if page in GOES_ON:
        try_what_is_shown(GOES_ON[page])


def try_what_is_shown(page):
    """Run the blocks of a page in their order and compare what they print."""
    names = {"__name__": "page", "data": Path("part.png").read_bytes()}
    for language, text in blocks(page, "python", "console"):
        if language == "python":
            with redirect_stdout(io.StringIO()):
                exec(compile(text, str(page), "exec"), names)
            continue
        assert text.startswith("$ ")
        for session in re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.M)[1:]:
            check(*session.split("\n", 1))


def check(command, shown):
    program, *arguments = shlex.split(command)
    assert program == "flawline", "other programs go into blocks of sh or text"
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(out):
        code = run(arguments)
    came = f"{command}: exit code {code}\n{out.getvalue()}"
    # A chart with a signal and a rejected part end with 1, which is no failure.
    assert code in ((2,) if FAILING.search(shown) else (0, 1)), came
    assert not shown.strip() or agrees(shown, squeezed(out.getvalue())), came


def squeezed(text):
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


NUMBER = re.compile(r"\d+\.\d+(?:e[-+]?\d+)?|(?<=\b[xy] )\d+|(?<=\d to )\d+|\d+(?=, y)|\d+(?= px)")
NUMBERS = r"(\d+(?:\.\d+)?(?:e[-+]?\d+)?)"


def agrees(shown, came):
    """Shown lines must match whole; "..." stands for any part of a line, alone for any lines.

    Processors round networks differently: numbers with a point may differ by a tenth, places by 16 px.
    """
    lines = squeezed(shown).splitlines()
    found = re.fullmatch("".join(pattern_of(line) for line in lines), came)
    if found is None:
        return False
    told = [text for line in lines for text in NUMBER.findall(line)]
    return all(
        abs(float(one) - float(other)) <= (0.1 * abs(float(one)) + 0.02 if "." in one else 16)
        for one, other in zip(told, found.groups(), strict=True)
    )


def pattern_of(line):
    if line == "...":
        return r"(?:.*\n)*?"
    plain = NUMBER.split(line)
    return NUMBERS.join(re.escape(text).replace(r"\.\.\.", ".*") for text in plain) + r"\n"


@pytest.mark.parametrize(
    ("shown", "came", "right"),
    [
        ("score 1.50 at x 20", "score 1.52 at x 24\n", True),
        ("score 1.50 at x 20", "score 1.80 at x 20\n", False),
        ("3 defects", "4 defects\n", False),
        ("a 1.5\n...\nlast 7 px", "a 1.5\nb\nc\nlast 9 px\n", True),
        ("wrote ... rows", "wrote 12 of 3.5 rows\n", True),
        ("wrote 3 rows", "wrote 3 rows and more\n", False),
    ],
)
def test_shown_lines_agree_with_real_ones(shown, came, right):
    assert agrees(shown, came) is right


def test_the_page_of_commands_is_what_the_commands_say():
    rendered = runpy.run_path(str(ROOT / "docs" / "commands.py"))["rendered"]
    written = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    assert written == rendered(), "run `python docs/commands.py`"


def test_the_page_of_features_counts_every_extractor():
    text = (REFERENCE / "features.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.M))
    assert told == {n: str(len(feature_set([n], open_backbone).columns)) for n in NAMES}


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items() if k not in ("settings", "labels")}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_the_shown_document_has_the_shape_of_a_real_one(workplace, tmp_path):
    source = shutil.copytree(workplace / "parts", tmp_path / "parts")
    (source / "good" / "empty.jpg").touch()
    assert run(["rank", str(source), "--out", str(tmp_path), "--quiet"]) == 2
    real = json.loads((tmp_path / "ranking.json").read_text(encoding="utf-8"))
    shown = [json.loads(text) for _, text in blocks(REFERENCE / "exit-codes-and-json.md", "json")]
    assert shape(next(value for value in shown if "ranking" in value)) == shape(real)


def test_the_site_builds_and_asks_no_network(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
    assert built.returncode == 0, built.stderr
    asked = re.compile(r"<(script|img|iframe|link)[^>]*(src|href)=\W?https?:")
    for page in tmp_path.rglob("*.html"):
        assert not asked.search(page.read_text(encoding="utf-8")), page
