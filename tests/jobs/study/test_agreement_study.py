"""Agreement from tables and from decisions in the records to the report."""

import csv
import json
from datetime import UTC, datetime

import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study.agreement_report import agreement_report
from helpers.msa_tables import ATTRIBUTE, answers


def write(path, rows, names=("part", "who", "answer", "right")):
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(names)
        out.writerows(rows)
    return path


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "answers.csv", answers(ATTRIBUTE))


def test_a_study_of_three_raters(table, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["study", "agreement", str(table), "--measure", "answer", "--part", "part"]
    more = ["--rater", "who", "--reference", "right", "--bad-answers", "N", "-o", str(out)]
    assert run([*command, *more, "-q", "--strict"]) == 2
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("All 3 raters are right, each time, on 7 of 15 parts (47 %,")
    assert "The weakest, MH, is right on 9 of 15 parts, calls 67 % of the bad parts good" in printed
    document = json.loads((out / "agreement.json").read_text(encoding="utf-8"))
    assert document["between"]["kappa"]["value"] == pytest.approx(0.641667, abs=5e-7)
    assert document["raters"][0]["missed"]["count"] == 3
    html = (out / "agreement.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 3
    assert "Parts with wrong answers" in html
    assert sorted(path.suffix for path in out.iterdir()) == [".html", ".json", ".png", ".svg"]


def test_without_right_answers_and_with_the_words_for_bad(table, tmp_path):
    found = flawline.study_agreement("answer", table, part="part", rater="who")
    assert found.finding.startswith("The 3 raters agree on 9 of 15 parts")
    assert found.result.right is None
    rows = [
        (p, w, {"Y": "ok", "N": "nok"}[a], {"Y": "ok", "N": "nok"}[r])
        for p, w, a, r in answers(ATTRIBUTE)
    ]
    words = write(tmp_path / "words.csv", rows)
    told = flawline.study_agreement("answer", words, part="part", rater="who", reference="right")
    assert told.result.raters[0].missed.count == 3


def test_grades_in_their_order(tmp_path):
    order = ["none", "light", "heavy"]
    rows = [
        (part, who, order[min(max(part % 3 + shift * (part % 5 == 0), 0), 2)], order[part % 3])
        for part in range(24)
        for who, shift in (("a", 0), ("b", 1))
    ]
    table = write(tmp_path / "grades.csv", rows)
    found = flawline.study_agreement(
        "answer", table, part="part", rater="who", reference="right", grades=order
    )
    assert found.result.raters[0].right_tau == pytest.approx(1)
    assert 0.7 < found.result.together_w < 1
    assert any("`bad_answers`" in note for note in found.notes)
    assert agreement_report(found).numbers["between"]["w_p"] < 0.05
    with pytest.raises(UsageError, match="'heavy' is not among them"):
        flawline.study_agreement("answer", table, part="part", rater="who", grades=order[:2])


def test_decisions_of_people_in_records(tmp_path, capsys):
    verdicts = ["accept", "reject", "accept", "accept", "reject", "accept"]
    rows = [(f"{n}.png", "accept", n / 10) for n in range(6)]
    store = str(tmp_path / "records.db")
    flawline.import_records(store, write(tmp_path / "r.csv", rows, ("image", "verdict", "score")))
    with flawline.open_records(store) as open_:
        for number, verdict in enumerate(verdicts[:5], 1):
            when = datetime(2026, 1, 2, tzinfo=UTC)
            open_.decide(number, "reject", who="Ann", why="first look", when=when)
            open_.decide(number, verdict, who="Ann", why="second look", when=when)
            open_.decide(number, "accept", who="Ben", why="clean", when=when)
            open_.decide(number, verdict, who="Master", why="measured", when=when)
    found = flawline.study_agreement(store=store, reference="Master", machine=True)
    assert found.ratings.raters == ("Ann", "Ben", "machine")
    right = {one.name: one.right.count for one in found.result.raters}
    assert right == {"Ann": 5, "Ben": 3, "machine": 3}
    missed = {one.name: one.missed.count for one in found.result.raters}
    assert missed == {"Ann": 0, "Ben": 2, "machine": 2}
    assert run(["study", "agreement", "--store", store, "-o", str(tmp_path), "-q"]) == 0
    assert capsys.readouterr().out.startswith("The 3 raters agree on 3 of 5 parts")
    with pytest.raises(FlawlineError, match="beside Nobody"):
        flawline.study_agreement(store=store, reference="Nobody")
    with pytest.raises(UsageError, match="name columns of a table"):
        flawline.study_agreement("answer", store=store)


def test_a_missing_answer_is_listed_and_noted(table, tmp_path, capsys):
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[1:4] = [lines[1].replace(",Y,", ",,").replace(",N,", ",,"), *lines[2:3]]
    lines = [line for line in lines if not line.startswith("5,BL")]
    gap = tmp_path / "gap.csv"
    gap.write_text("\n".join(lines) + "\n", encoding="utf-8")
    named = ["--measure", "answer", "--part", "part", "--rater", "who", "-o", str(tmp_path)]
    assert run(["study", "agreement", str(gap), *named, "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert len(document["skipped"]) == 1
    assert document["between"]["agreed"]["of"] == 14
    assert any("1 of 45 combinations" in note for note in document["notes"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"part": "part", "measure": None}, "columns of answers and of parts"),
        ({"part": "part", "machine": True}, "`machine` is for records"),
        ({"part": "part", "rater": "who", "bad_answers": ["Q"]}, "nobody answered 'Q'"),
        ({"part": "part", "confidence": 1.5}, "`confidence`"),
    ],
)
def test_settings_that_make_no_sense(table, settings, message):
    measure = settings.pop("measure", "answer")
    with pytest.raises(UsageError, match=message):
        flawline.study_agreement(measure, table, **settings)


def test_a_part_with_two_right_answers(tmp_path):
    rows = answers(ATTRIBUTE)
    rows[1] = (*rows[1][:3], "N" if rows[1][3] == "Y" else "Y")
    table = write(tmp_path / "two.csv", rows)
    with pytest.raises(FlawlineError, match="part 1 has the right answers"):
        flawline.study_agreement("answer", table, part="part", rater="who", reference="right")
