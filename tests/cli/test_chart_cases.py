"""Tables that were charted wrongly: each with its command and the right answer."""

import json

import pytest

from flawline.cli.main import run


@pytest.fixture
def chart(real_data, tmp_path, capsys):
    """Charts a table of the folder; returns the exit code and the document."""
    folder = real_data.parent / "cases" / "charts"
    if not folder.is_dir():
        pytest.skip("no folder of cases next to the real data: set FLAWLINE_TEST_DATA")

    def charted(name, *options):
        capsys.readouterr()
        code = run(["chart", str(folder / name), *options, "--json", "-o", str(tmp_path / "out")])
        return code, json.loads(capsys.readouterr().out)

    return charted


def test_a_missing_cell_moves_no_row_to_another_subgroup(chart):
    code, document = chart(
        "chart_gap_in_subgroups/sub.csv", "--measure", "x", "--chart", "xbar-r", "--subgroup", "5"
    )
    mean, spread = document["panels"]
    assert code == 1
    assert len(mean["values"]) == 20
    assert mean["values"][9] == pytest.approx(15.004, abs=1e-3)
    assert (mean["lower"][0], mean["upper"][0]) == pytest.approx((10.09, 10.38), abs=0.01)
    assert max(spread["values"]) < 1
    assert [
        s["rang"] for s in document["signals"] if s["panel"] == "mean" and s["side"] == "above"
    ] == ["10"]
    assert [row["label"] for row in document["skipped"]] == ["13"]


def test_no_subgroup_mixes_stages(chart):
    code, document = chart(
        "chart_subgroup_over_stages/stage.csv",
        *("--measure", "x", "--chart", "xbar-r", "--subgroup", "5", "--stage", "stage"),
    )
    before, after = (stage["limits"] for stage in document["stages"])
    assert (code, document["signals"]) == (0, [])
    assert (before["centre"], after["centre"]) == pytest.approx((10, 20), abs=0.05)
    assert (before["sigma"], after["sigma"]) == pytest.approx((0.1, 0.1), abs=0.03)


def test_a_day_without_production_is_listed(chart):
    code, document = chart(
        "chart_zero_units/pz.csv", "--measure", "bad", "--chart", "p", "--size", "n"
    )
    assert code == 2
    assert document["panels"][0]["values"] == [0.24, 0.06, 0.08]
    assert [row["label"] for row in document["skipped"]] == ["2"]


def test_a_moving_range_spans_no_missing_row(chart):
    for name in ("gap_moving_range.csv", "missing_cells.csv"):
        _, document = chart(name, "--measure", "x", "--transform", "none")
        missing = {int(row["label"]) for row in document["skipped"]}
        ranges = {int(point) for point in document["panels"][1]["points"]}
        assert missing
        assert not {row + 1 for row in missing} & ranges
        assert ranges == {r for r in range(2, max(ranges) + 1) if not {r, r - 1} & missing}


def test_a_signal_is_exit_code_1_beside_a_blank_cell(chart):
    code, document = chart("signal_and_blank.csv", "--measure", "x")
    assert (code, len(document["skipped"])) == (1, 1)
    assert document["signals"][0]["rang"] == "11"


def test_ties_break_no_rule(chart):
    _, document = chart(
        "ties_on_centre.csv", "--measure", "x", "--rules", "nelson", "--transform", "none"
    )
    level = [s["rule"] for s in document["signals"] if s["panel"] == "individuals"]
    assert sorted(level) == [1, 1, 7]
    code, document = chart("at_limit.csv", "--measure", "x", "--centre", "0", "--sigma", "0.3")
    assert (code, document["signals"]) == (0, [])


def test_sigma_of_unequal_subgroups_is_named(chart):
    found = {}
    for way in ("mean", "mvlue", "pooled"):
        _, document = chart(
            "unequal_2_9.csv",
            "--measure",
            "x",
            "--by",
            "lot",
            "--chart",
            "xbar-r",
            "--sigma-from",
            way,
        )
        assert [text for text in document["notes"] if text.startswith("the subgroups have 2 to 9")]
        found[way] = document["stages"][0]["limits"]["sigma"]
    assert len(set(found.values())) == 3
