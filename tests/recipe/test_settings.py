"""recipe.toml: what it may say, and what an error in it tells."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.detectors.registry import METHODS
from flawline.errors import ModelError
from flawline.recipe import (
    AlignmentSettings,
    DetectorSettings,
    GoldenSampleSettings,
    LightSettings,
    PictureSettings,
    RecipeSettings,
    RegionSettings,
    SegmenterSettings,
    ThresholdSettings,
)
from flawline.recipe.entries import entries_of
from flawline.recipe.settings import ALIGNMENTS, LIGHTS, PRECISIONS, SECTIONS
from flawline.recipe.settings_text import edited_settings, read_settings, settings_text
from helpers.examples import examples

PLAIN = """\
schema = 1
part = "casting"

[picture]
window = [256, 320]
overlap = 64
mm_per_px = 0.05
min_defect = "0.3 mm"

[threshold]
review = 2.5
reject = 3
region = 2.8
"""


def error(text):
    with pytest.raises(ModelError) as caught:
        read_settings(text, "part/recipe.toml")
    assert caught.value.code in ("recipe-settings", "recipe-schema")
    return caught.value


def test_a_short_file_leaves_the_rest_to_the_defaults():
    read = read_settings(PLAIN, "recipe.toml")
    assert read == RecipeSettings(
        part="casting",
        picture=PictureSettings(window=(256, 320), overlap=64, mm_per_px=0.05, min_defect="0.3 mm"),
        threshold=ThresholdSettings(review=2.5, reject=3.0, region=2.8),
    )
    assert isinstance(read.threshold.reject, float)
    assert read_settings("schema = 1\n[spec]\n", "") == RecipeSettings()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("review = 2.5", "reveiw = 2.5", 11, r"\[threshold\] reveiw: .* Did you mean 'review'\?"),
        ("overlap = 64", "reject = 3", 6, r"\[picture\] reject: .* It belongs to \[threshold\]"),
        ('part = "casting"', "prat = 1", 2, r"prat: .* Did you mean 'part'\?"),
        ("[threshold]", "[treshold]", 10, r"treshold: .* Did you mean \[threshold\]\?"),
        ("[threshold]", "[[threshold]]", 10, r"threshold: expected a section"),
        ("review = 2.5", "review = nan", 11, "expected a finite number, raw score, got nan"),
        ("reject = 3", "reject = inf", 12, "finite number, raw score, got inf"),
        ("reject = 3", f"reject = 1{'0' * 400}", 12, "finite number, raw score, got 10000"),
        ("reject = 3", 'reject = "3.0"', 12, r'finite number, raw score, got "3\.0"'),
        ("reject = 3", "reject = true", 12, "finite number, raw score, got true"),
        ("reject = 3", "reject = 2", 11, "review: expected at most reject, 2, got 2.5"),
        ("reject = 3\n", "", 10, r"\[threshold\] reject: .* it is missing"),
        ("[256, 320]", "[256, 300]", 5, r"multiples of 16 .* got \[256, 300\]"),
        ("[256, 320]", "256", 5, r"multiples of 16 .* got 256"),
        ("overlap = 64", "overlap = 64.0", 6, "a whole number 0 to 8192 px .* got 64.0"),
        ("overlap = 64", "overlap = 161", 6, "expected at most 160 for this window, got 161"),
        (
            "mm_per_px = 0.05",
            "mm_per_px = 0",
            7,
            "above 0 and at most 1000, mm of the part .* got 0",
        ),
        ("mm_per_px = 0.05\n", "", 7, "0.3 mm says nothing without a scale Give mm_per_px"),
        ('"0.3 mm"', '"0.3 cm"', 8, r'text such as "0\.3 mm" or "3 px", got "0\.3 cm"'),
        ('"0.3 mm"', '"0 mm"', 8, "text such as"),
        ('part = "casting"', 'part = "a\\nb"', 2, "text of one line"),
        ("overlap = 64", '"\\u001b[31m" = 1', 6, r'\[picture\] "\\u001b\[31m"'),
    ],
)
def test_an_error_names_line_key_expectation_and_what_came(old, new, line, words):
    assert old in PLAIN
    came = error(PLAIN.replace(old, new))
    assert came.message.startswith(f"part/recipe.toml, line {line}: ")
    assert re.search(words, f"{came.message} {came.hint}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema = 1\npart = casting\n", "line 2, column 8: it is no TOML: Invalid value"),
        ("schema = 1\n[threshold]\nreview = 3,2\n", "line 3, column 11"),
        ("schema = 1\npart = ", "it is no TOML: .*at end of document"),
        ("a = " + "[" * 100_000, "it is no TOML"),
        ("schema = " + "9" * 5000, "it is no TOML"),
        ("", "expected schema = "),
        ("schema = true", "expected schema = "),
        ("#" * 2_000_001, "longer than"),
    ],
)
def test_what_is_no_recipe_toml_is_refused(text, words):
    assert re.search(words, error(text).message)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("polygons = [[[0, 0], [9, 0]]]", "at least three"),
        ("polygons = [[[0, 0], [9, 0], [-1, 9]]]", "at least three"),
        ("polygons = [[[0, 0], [9, 0], [nan, 9]]]", "at least three"),
        ('unit = "relative"\npolygons = [[[0, 0], [0.5, 0], [0, 50]]]', "0 to 1 .* got 50"),
        ('unit = "mm"', '"px" or "relative", got "mm"'),
        ('mask = "../region.png"', "name of a file in the recipe"),
        ('mask = "a.png"\npolygons = [[[0, 0], [9, 0], [0, 9]]]', "got both"),
        ("size = [0, 5]", r"\[height, width\]"),
    ],
)
def test_wrong_regions_are_refused(body, words):
    assert re.search(words, error(f"schema = 1\n[region_of_interest]\n{body}\n").message)


def test_settings_made_in_python_are_checked_too():
    with pytest.raises(ModelError, match=r"window: expected .* got \[100, 100\]"):
        PictureSettings(window=(100, 100))
    with pytest.raises(ModelError, match="review: expected at most reject"):
        ThresholdSettings(review=2, reject=1, region=1)
    with pytest.raises(ModelError, match="finite number"):
        ThresholdSettings(review=float("nan"), reject=1, region=1)
    with pytest.raises(AttributeError):
        RecipeSettings().part = "x"


def finite(**more):
    return st.floats(allow_nan=False, allow_infinity=False, **more)


def options(**entries):
    return st.fixed_dictionaries({}, optional=entries)


line = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), chr(127)]),
    max_size=20,
)
point = st.tuples(finite(min_value=0, max_value=1), finite(min_value=0, max_value=1))
polygons = st.lists(st.lists(point, min_size=3, max_size=4).map(tuple), max_size=3).map(tuple)
some_settings = st.builds(
    RecipeSettings,
    part=line,
    picture=options(
        window=st.tuples(st.integers(4, 9), st.integers(4, 9)).map(
            lambda s: (16 * s[0], 16 * s[1])
        ),
        resolution=st.just("fit") | finite(min_value=0.01, max_value=4),
        overlap=st.integers(0, 32),
        mm_per_px=finite(min_value=1e-9, max_value=1000),
        min_defect=st.sampled_from(["3 px", "0.5px"]),
    ).map(lambda given: PictureSettings(**given)),
    region_of_interest=options(
        unit=st.sampled_from(["px", "relative"]),
        polygons=polygons,
        size=st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
        foreground=st.booleans(),
    ).map(lambda given: RegionSettings(**given)),
    alignment=st.sampled_from(ALIGNMENTS).map(lambda m: AlignmentSettings(method=m)),
    light=st.sampled_from(LIGHTS).map(lambda m: LightSettings(method=m)),
    detector=st.tuples(st.sampled_from(sorted(METHODS)), st.sampled_from(PRECISIONS)).map(
        lambda s: DetectorSettings(method=s[0], precision=s[1])
    ),
    threshold=st.none()
    | st.tuples(finite(), finite(), finite(), line).map(
        lambda s: ThresholdSettings(review=min(s[:2]), reject=max(s[:2]), region=s[2], basis=s[3])
    ),
)


@examples(50)
@given(some_settings, some_settings)
def test_what_is_written_is_what_is_read(one, other):
    text = settings_text(one)
    assert read_settings(text, "") == one
    assert read_settings(edited_settings(text, one, other), "") == other


def test_a_changed_threshold_leaves_every_other_character():
    text = PLAIN.replace("reject = 3", "reject = 3  # Anna: was 4").replace("overlap", "\toverlap")
    old = read_settings(text, "")
    new = replace(old, threshold=replace(old.threshold, reject=3.25))
    assert edited_settings(text, old, new) == text.replace("reject = 3 ", "reject = 3.25 ")


def test_a_file_that_nobody_edited_explains_what_is_added():
    old = RecipeSettings(part="casting")
    new = replace(old, threshold=ThresholdSettings(review=1.0, reject=2.0, region=1.5))
    assert edited_settings(settings_text(old), old, new) == settings_text(new)


def test_a_calibration_is_added_to_a_file_that_had_none():
    text = "# Bert's part\nschema = 1\npart = 'x' # ok\n"
    old = read_settings(text, "")
    new = replace(old, threshold=ThresholdSettings(review=1.0, reject=2.0, region=1.5))
    edited = edited_settings(text, old, new)
    assert edited.startswith(text)
    assert read_settings(edited, "") == new
    # Without thresholds the section goes; that cannot be done line by line.
    assert read_settings(edited_settings(edited, new, old), "") == old


def segment_settings(**more):
    segmenter = SegmenterSettings(
        network="light", classes=("scratch", "stain"), thresholds=(0.4, 1)
    )
    return RecipeSettings(task="segment", detector=None, segmenter=segmenter, **more)


def test_every_entry_is_explained_in_the_file():
    limits = ThresholdSettings(review=1, reject=2, region=1)
    golden = GoldenSampleSettings(least=4)
    text = settings_text(RecipeSettings(threshold=limits, golden=golden))
    text += settings_text(segment_settings())
    for kind in SECTIONS.values():
        for key, entry in entries_of(kind).items():
            assert re.search(
                rf"^# {re.escape(entry.metadata['about'])}.*\n(# )?{key} = ", text, re.M
            )


def test_a_recipe_of_a_segmenter_says_the_same_when_read():
    limits = [{"limit": "area", "class": "stain", "max": "9 px2"}, {"limit": "count", "max": 2}]
    settings = segment_settings(spec={"name": "A", "limits": limits})
    text = settings_text(settings)
    assert read_settings(text, "") == settings
    assert "[detector]" not in text
    assert text.count("\n  { limit") == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[segmenter]", "[detector]", "network"),
        ('task = "segment"', 'task = "anomaly"', "has no section .segmenter."),
        ('task = "segment"', 'task = "anomaly"', "segmenter"),
        ("thresholds = [0.4, 1.0]", "thresholds = [0.4]", "one for each of scratch, stain"),
        ("thresholds = [0.4, 1.0]", "thresholds = [0, 1.0]", "above 0 and at most 1"),
        ('["scratch", "stain"]', '["scratch", "scratch"]', "different names"),
        ("smallest = 1", "smallest = 0", "a whole number 1"),
        ("smallest = 1", "smallest = 1\n[threshold]\nreview=1\nreject=1\nregion=1\n", "threshold"),
    ],
)
def test_a_wrong_section_of_a_segmenter_is_refused(old, new, words):
    text = settings_text(segment_settings())
    assert old in text
    assert re.search(words, str(error(text.replace(old, new))))


def test_methods_are_those_of_the_layers_below():
    light = pytest.importorskip("flawline.core.view.illumination")
    assert light.METHODS == LIGHTS
