"""Every command is one call of the same names and defaults; the names at the top are those of the reference page."""

import importlib
import inspect
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import numpy as np
import polars as pl
import pytest

import flawline
from flawline.cli.main import app
from flawline.errors import UsageError
from helpers.discs import disc, spoilt, write_discs
from helpers.networks import write_network

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "python.md"

CALLS = {
    "rank": "rank",
    "features": "compute_features",
    "cluster": "cluster",
    "classify": "classify",
    "groups": "groups",
    "split": "split",
    "train anomaly": "train_anomaly",
    "train segment": "train_segment",
    "update": "update",
    "evaluate": "evaluate",
    "compare": "compare",
    "export": "export",
    "audit-labels": "audit_labels",
    "inspect": "inspect",
    "watch": "watch",
    "camera": "camera",
    "station": "run_station",
    "outputs test": "try_outputs",
    "compare-golden": "compare_golden",
    "measure": "measure",
    "judge": "judge",
    "calibrate-scale": "calibrate_scale",
    "chart": "chart",
    "study capability": "study_capability",
    "study agreement": "study_agreement",
    "study gauge": "study_gauge",
    "study distribution": "study_distribution",
    "study multi-vari": "study_multi_vari",
    "study multivariate": "study_multivariate",
    "study sampling": "study_sampling",
    "study pod": "study_pod",
    "study hit-miss": "study_hit_miss",
    "study steps": "study_steps",
    "study factors": "study_factors",
    "study location": "study_location",
    "study drift": "study_drift",
    "study growth": "study_growth",
    "records list": "list_records",
    "records show": "show_record",
    "records decide": "decide",
    "records export": "export_records",
    "records import": "import_records",
    "records partition": "partition_records",
    "records thin": "thin_records",
    "records replay": "replay",
    "alerts list": "list_alerts",
    "alerts acknowledge": "acknowledge",
    "synth heat-sink": "synth_heat_sink",
    "synth assembly": "synth_assembly",
    "synth line": "synth_line",
    "demo": "demo",
}
# What a person at a terminal asks for: a look around, and what has two names there.
NO_CALL = {"doctor", "import", "replay", "serve"}
# How the command shows things and where it writes them; a call returns what it found. `open_source` takes its own.
TERMINAL = {"context", "as_json", "quiet", "limits", "root", "encoding", "report", "out", "strict"}
OF_THE_COMMAND = {
    "groups": {"part_from", "codes", "sequence"},  # name_parts
    "inspect": {"on"},  # inspect_on
    "features": {"on"},  # features_on
    "rank": {"model", "save_model", "keep", "drop", "on"},  # rank_with, save_ranking, rank_on
    "classify": {"apply"},  # classify_with
    "judge": {"pictures"},
    "demo": {"open_report", "serve", "port"},
    "station": {"check", "sign_in_link"},  # check_station
    "chart": {"freeze", "zones", "watch", "once", "every", "last", "alert"},
}
# What only a program can give, or has to: a function, an open file, a folder for work.
PROGRAM = {"track", "unfinished", "each", "folder"}
OF_THE_CALL = {
    "groups": {"good", "bad"},
    "watch": {"stop", "say"},
    "camera": {"stop", "say"},
    "outputs test": {"environment", "say"},
    "station": {"stop", "reload", "environment", "answer", "say", "triggers"},
}


def commands(group=None, prefix=""):
    """Every command of the command line by its name, with its function."""
    group = group or app
    found = {}
    for one in group.registered_commands:
        name = one.name or one.callback.__name__.replace("_", "-")
        found[f"{prefix}{name}"] = one.callback
    for sub in group.registered_groups:
        found |= commands(sub.typer_instance, f"{prefix}{sub.typer_instance.info.name} ")
    return found


COMMANDS = commands()


def parameters(function):
    return dict(inspect.signature(function).parameters)


def plain(default):
    """A default as text, so that "9x6" and (9, 6) are one, and so are no value and an empty list."""
    if default is None or default == ():
        return ""
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default).replace("9x6", "9,6")


def test_every_command_has_a_call():
    assert set(COMMANDS) == set(CALLS) | NO_CALL
    assert set(CALLS.values()) <= set(flawline.__all__)


@pytest.mark.parametrize("command", CALLS)
def test_a_call_has_the_names_and_defaults_of_its_command(command):
    own = parameters(getattr(flawline, CALLS[command]))
    theirs = parameters(COMMANDS[command])
    allowed = TERMINAL | OF_THE_COMMAND.get(command, set())
    assert set(theirs) - set(own) <= allowed
    assert set(own) - set(theirs) <= PROGRAM | OF_THE_CALL.get(command, set())
    for name in set(own) & set(theirs):
        assert plain(own[name].default) == plain(theirs[name].default), name
    # What a command takes without an option, a call takes without a name.
    hints = get_type_hints(COMMANDS[command], include_extras=True)
    arguments = {name for name, one in hints.items() if "ArgumentInfo" in str(one)}
    assert arguments <= {one.name for one in own.values() if one.kind is one.POSITIONAL_OR_KEYWORD}


def test_the_page_of_calls_is_what_the_calls_say():
    rendered = runpy.run_path(str(PAGE.parents[1] / "python_reference.py"))["rendered"]
    assert PAGE.read_text(encoding="utf-8") == rendered(), "run `python docs/python_reference.py`"


def test_the_reference_lists_exactly_the_public_names():
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^### `flawline\.(\w+)`$", text, re.MULTILINE)
    assert sorted(found) == flawline.__all__ == dir(flawline)


def test_the_reference_explains_every_argument_and_error():
    sections = re.split(r"^### `flawline\.", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    by_name = {section.partition("`")[0]: section for section in sections}
    for name in CALLS.values():
        explained = re.findall(r"^\| (`.*?) \|", by_name[name], re.MULTILINE)
        arguments = [one.strip("`") for names in explained for one in names.split(", ")]
        assert sorted(arguments) == sorted(parameters(getattr(flawline, name))), name
        assert "\nReturns: " in by_name[name], name
        assert re.search(r"^- `\w+Error`", by_name[name], re.MULTILINE), name


def test_the_reference_has_the_whole_error_tree():
    text = PAGE.read_text(encoding="utf-8")
    errors = importlib.import_module("flawline.errors")
    names = [
        name
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, flawline.FlawlineError)
    ]
    tree = text[text.index("```text\nFlawlineError\n") + 8 :].partition("```")[0]
    assert sorted(re.findall(r"\w+Error", tree)) == sorted(names)
    for line in tree.splitlines()[1:]:
        name = re.search(r"\w+Error", line)[0]
        parent = getattr(errors, name).__bases__[0].__name__
        assert (parent == "FlawlineError") == line.startswith(("├", "└")), name


def test_every_name_lives_where_it_is_listed():
    for name in flawline.__all__:
        assert getattr(flawline, name) is not None
    names = importlib.import_module("flawline.names")
    for name in flawline.__all__:
        assert getattr(names, name) is getattr(flawline, name)
    with pytest.raises(AttributeError, match="nothing"):
        _ = flawline.nothing


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_discs(tmp_path_factory.mktemp("drawn") / "parts", good=30, bad=2)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module")
def recipe(parts, network):
    return flawline.train_anomaly(
        parts / "good", part="disc", backbone=network, window=96, effort="none"
    ).recipe


def test_ten_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # So few that no set-up is tried.
    write_discs(tmp_path / "parts", good=16)
    array = spoilt(1007)
    # As the plan has it.
    recipe = flawline.train_anomaly("parts/good", part="casting").recipe
    found = flawline.Inspector(recipe).inspect(array)
    print(found.verdict, found.defects())
    found.overlay().save("overlay.png")
    #
    assert recipe.settings.part == "casting"
    shown = capsys.readouterr().out
    assert shown.startswith("reject shape: (")
    assert isinstance(found.defects(), pl.DataFrame)
    assert {"label", "box_left", "area"} <= set(found.defects().columns)
    assert len(found.defects()) >= 1
    assert np.array_equal(flawline.read_image(tmp_path / "overlay.png").pixels, found.overlay())


def test_jobs_take_arrays(recipe, network):
    pictures = {f"good/{n}": disc(n) for n in range(200, 212)}
    pictures |= {f"bad/{n}": spoilt(n) for n in range(200, 204)}
    ranking, fitted = flawline.rank(pictures, backbone=network)
    assert {one.sample.name.split("/")[0] for one in ranking.pictures[:3]} == {"bad"}
    assert len(flawline.rank_with([spoilt(7)], fitted).pictures) == 1
    found = flawline.evaluate(recipe, pictures)
    assert found.auroc.value == 1.0
    inspector = flawline.Inspector(recipe)
    run = flawline.inspect(inspector, pictures)
    assert run.counts["reject"] + run.counts["review"] >= 4
    more = flawline.update(recipe, [disc(n) for n in range(300, 306)]).recipe
    assert more.sha256 != recipe.sha256
    compared = flawline.compare({"old": recipe, "new": more}, pictures)
    assert compared.names == ("old", "new")
    table = flawline.compute_features(pictures, features="average_pixels").table
    assert len(table.samples) == 16
    assert len(flawline.cluster(pictures, clusters=2, features=["average_pixels"]).pictures) == 16
    assert len(flawline.groups(list(pictures.values())[:4]).pictures) == 4


def test_a_recipe_may_be_a_path(recipe, parts, tmp_path):
    path = flawline.write_recipe(recipe, tmp_path / "disc.flaw")
    by_path = flawline.evaluate(str(path), str(parts), drop_known=True)
    given = flawline.evaluate(recipe, parts, drop_known=True)
    assert [one.score for one in by_path.pictures] == [one.score for one in given.pictures]
    with pytest.raises(UsageError, match="precision"):
        flawline.evaluate(flawline.Inspector(recipe), parts, precision="f32")


def test_masks_may_be_arrays_and_the_scale_a_number():
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 10:20] = 1
    found = flawline.measure({"a": mask, "b": mask * 0}, classes=["stain"], scale=0.5)
    assert found.class_names() == ("stain",)
    assert found.defects["area"].tolist() == [100.0]
    assert found.rows[0].scale.mm_per_px == 0.5
    with pytest.raises(UsageError, match="scale"):
        flawline.measure([mask], scale=-1)
    scale = flawline.calibrate_scale(points=((0, 0), (30, 40)), distance=5)
    assert scale.mm_per_px == pytest.approx(0.1)
    with pytest.raises(UsageError, match="square"):
        flawline.calibrate_scale()


def test_a_checkerboard_may_be_an_array():
    squares = np.indices((10, 7)).sum(axis=0) % 2 * 255
    board = np.kron(squares, np.ones((24, 24))).astype(np.uint8)
    board = np.pad(board, 30, constant_values=255)
    found = flawline.calibrate_scale(board, corners=(6, 9), square=5)
    assert found.scale.mm_per_px == pytest.approx(5 / 24, rel=1e-3)


def test_records_by_url_or_open(tmp_path):
    table = tmp_path / "old.csv"
    table.write_text("image,verdict,score,lot\na.png,accept,1,x\nb.png,reject,9,y\n", "utf-8")
    url = tmp_path / "records.db"
    assert flawline.import_records(url, table, constant={"station": "press-1"}).added.new == 2
    with flawline.open_records(url, create=False) as store:
        page = flawline.list_records(store, verdict=["reject"])
        [kept] = page.items
        assert (kept.record.image, kept.record.lot) == ("b.png", "y")
        decided = flawline.decide(store, kept.id, "accept", who="Ada", why="a shadow")
        assert decided.decisions[-1].verdict == "accept"
        assert flawline.list_records(store, undecided=True).items[0].record.image == "a.png"
    assert flawline.show_record(url, kept.id).decisions[-1].who == "Ada"
    assert len(flawline.export_records(url, tmp_path / "tables")) == 3
    assert flawline.list_alerts(url) == ()
    assert flawline.thin_records(url, {"inspections": "10y"}).inspections == 0
    with pytest.raises(UsageError, match="SQLite"):
        flawline.partition_records(url)
    with pytest.raises(UsageError, match="zone"):
        flawline.import_records(url, table, zone="Mars")


def test_a_chart_and_a_study(tmp_path):
    values = np.random.default_rng(3).normal(10, 0.1, 60).round(4)
    table = tmp_path / "series.csv"
    table.write_text(
        "width,kind\n" + "".join(f"{v},{i % 3}\n" for i, v in enumerate(values)), "utf-8"
    )
    charted = flawline.chart("width", table)
    assert charted.kind == "i-mr"
    assert len(charted.series.labels) == 60
    given = flawline.chart("width", table, centre=9.0, sigma=0.1)
    assert not given.in_control
    assert len(flawline.chart("width", table, chart="xbar-r", subgroup=5).series.labels) == 12
    counted, skipped = flawline.pareto("kind", table)
    assert (len(counted.names), skipped) == (3, ())
    study = flawline.study_capability("width", table, lsl=9, usl=11)
    assert study.capability.indices["Ppk"].value > 1
    for wrong in (
        {"chart": "pareto"},
        {"centre": 1.0},
        {"by": "kind", "subgroup": 5},
        {"store": "x"},
    ):
        with pytest.raises(UsageError):
            flawline.chart("width", table, **wrong)


def test_drawn_parts(tmp_path):
    assert len(flawline.synth_castings(tmp_path / "castings", good=2, bad=1, size=128)) == 3
    done = flawline.synth_heat_sink(tmp_path / "sinks", pictures=4, drift="3%", processes=1)
    assert done.manifest.is_file()
    with pytest.raises(UsageError, match="drift"):
        flawline.synth_heat_sink(tmp_path / "more", drift="much")


@pytest.mark.parametrize(
    ("name", "apart"),
    [
        ("rank", "flawline.inspector sqlalchemy torch"),
        ("cluster", "flawline.inspector sqlalchemy flawline.jobs.classify.classify"),
        ("chart", "flawline.inspector sqlalchemy openvino"),
        ("list_records", "flawline.inspector sqlalchemy cv2"),
        ("measure", "flawline.inspector sqlalchemy openvino"),
    ],
)
def test_a_call_loads_what_it_needs_and_no_more(name, apart):
    code = f"import flawline, sys; flawline.{name}; print([m for m in {apart.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
