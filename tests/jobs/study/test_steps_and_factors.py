"""Studies of a drawn line find the causes that were planted in it, and none where there is none."""

import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study import factors_report, steps_report
from helpers.inspected_line import drawn_line

ALL = ("gripper", "bath", "tool", "camera")


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_the_step_that_stains_is_named_with_its_share_and_interval():
    found = flawline.study_steps(drawn_line(*ALL))
    assert found.steps == ("casting", "machining", "plating", "packing")
    stains = found.effects[found.classes.index("stain")][2]
    assert stains.p < 0.01
    assert stains.share[0] > 0.9
    # A day of the bath adds 0.35 + 0.3 for each day after Monday: 1.25 on average over a week.
    assert stains.added.low < 1.25 < stains.added.high
    assert "Step 3 (plating) adds 9" in steps_report.finding(found)
    assert found.again[0] / found.again[1] == pytest.approx(0.98, abs=0.02)


def test_a_tool_that_runs_on_mondays_is_not_called_the_cause():
    found = flawline.study_factors(drawn_line(*ALL), at="machining")
    first = found.sure[0]
    assert (first.factor, first.kind, first.levels[first.effect.worst]) == ("tool", "dent", "M2")
    assert first.effect.ratio[1] < 4 < first.effect.ratio[2]
    text = factors_report.finding(found)
    assert "Tool M2 ran only on Mondays" in text
    assert "cannot be told until they run apart" in text
    assert factors_report.factors_report(found).verdict.usable == "not alone"


def test_a_gripper_that_scratches_is_found_alone():
    found = flawline.study_factors(drawn_line(*ALL), at="packing")
    assert {(one.factor, one.levels[one.effect.worst]) for one in found.sure} == {("tool", "G2")}
    assert not found.confounded


def test_a_line_without_causes_has_no_finding():
    found = flawline.study_factors(drawn_line(), at="plating")
    assert not found.sure
    assert factors_report.finding(found).startswith("Nothing that was compared")
    assert factors_report.factors_report(found).verdict.usable == "unknown"


def test_records_give_what_the_tables_give(tmp_path):
    defects = drawn_line(*ALL)
    store = str(tmp_path / "line.db")
    assert run(["records", "import", store, str(defects.with_name("inspections.csv"))]) == 0
    from_tables = flawline.study_steps(defects, tolerance=6.4)
    from_records = flawline.study_steps(store=store, tolerance=6.4)
    assert from_records.parts == from_tables.parts
    # Boxes are whole pixels: a defect may be matched otherwise, once in a while.
    for one, other in zip(from_records.effects, from_tables.effects, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            assert mine.added.value == pytest.approx(theirs.added.value, abs=0.02)


def test_parts_that_are_not_followed_cost_a_wider_interval(tmp_path):
    defects = drawn_line(*ALL)
    # Each part is looked at after one step alone.
    inspections = defects.with_name("inspections.csv").read_text(encoding="utf-8").splitlines()
    kept = [inspections[0], *(row for k, row in enumerate(inspections[1:]) if k // 4 % 4 == k % 4)]
    names = {row.split(",")[0] for row in kept[1:]}
    rows = defects.read_text(encoding="utf-8").splitlines()
    table = write(
        tmp_path / "defects.csv",
        "\n".join([rows[0], *(r for r in rows[1:] if r.split(",")[0] in names)]),
    )
    write(tmp_path / "inspections.csv", "\n".join(kept))
    found = flawline.study_steps(table)
    assert not found.followed
    change = found.changes[found.classes.index("stain")][1]
    assert (change.step, change.p < 0.05) == (2, True)
    assert change.low < 1.25 < change.high
    text = steps_report.finding(found)
    assert text.startswith("After step 3 (plating) parts have")
    assert "different parts are compared" in text


def test_a_table_of_defects_alone_is_marked(tmp_path):
    table = write(
        tmp_path / "d.csv",
        "part,step,class,x,y\n"
        + "".join(f"p{k},{s},spot,{k},{9 * s}\n" for k in range(30) for s in (1, 2)),
    )
    found = flawline.study_steps(table)
    assert not found.complete
    report = steps_report.steps_report(found)
    assert report.verdict.usable == "not alone"
    assert report.broken[0].what == "parts without a defect are counted too"


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ({"order": ["plating", "polishing"]}, "usage", "after the step 'polishing'"),
        ({"tolerance": -1}, "usage", "`tolerance` is a length above 0"),
        ({"confidence": 2}, "usage", "`confidence` is above 0"),
        ({"step": "stage"}, "table", "no column 'stage'"),
        ({"x": "left"}, "usage", "`x` and `y` go together"),
        ({"order": ["plating"]}, "study-steps", "at least two steps, got 1"),
    ],
)
def test_settings_without_sense_are_refused(more, code, message):
    with pytest.raises(FlawlineError, match=message) as caught:
        flawline.study_steps(drawn_line(*ALL), **more)
    assert caught.value.code == code


def test_defects_of_an_unknown_part_are_refused(tmp_path):
    table = write(tmp_path / "d.csv", "image,class,x,y\na.png,spot,1,2\nc.png,spot,1,2\n")
    parts = write(tmp_path / "p.csv", "image,part,step\na.png,1,1\nb.png,1,2\n")
    with pytest.raises(FlawlineError, match=r"p.csv has no row for c.png"):
        flawline.study_steps(table, parts=parts)
    write(tmp_path / "p.csv", "image,part,step\na.png,1,1\na.png,1,2\nc.png,1,2\n")
    with pytest.raises(FlawlineError, match=r"two rows for a.png"):
        flawline.study_steps(table, parts=parts)


def test_an_unknown_factor_or_class_names_what_there_is():
    with pytest.raises(UsageError, match="no defect is of the class 'stains'") as caught:
        flawline.study_factors(drawn_line(*ALL), only="stains")
    assert "stain" in caught.value.hint
    with pytest.raises(FlawlineError, match="no column 'cavity'"):
        flawline.study_factors(drawn_line(*ALL), by=["cavity"])


def test_sizes_of_defects_are_ranked_too():
    found = flawline.study_factors(drawn_line(*ALL), of="size", by=["tool", "shift"])
    assert found.of == "size"
    assert not found.sure


def test_commands_write_a_report_and_name_the_next_one(tmp_path, capsys):
    defects, out = str(drawn_line(*ALL)), tmp_path / "out"
    assert run(["study", "steps", defects, "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert f"next: flawline study factors {defects} --at plating" in text
    assert "What each step adds" in (out / "steps.html").read_text(encoding="utf-8")
    assert (
        run(["study", "factors", defects, "--at", "machining", "--out", str(out), "--strict"]) == 2
    )
    assert "Tool M2 ran only on Mondays" in " ".join(capsys.readouterr().out.split())
