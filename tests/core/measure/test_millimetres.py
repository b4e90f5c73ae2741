import numpy as np
import pytest

from flawline.core.measure.columns import COLUMNS
from flawline.core.measure.millimetres import column_in_millimetres, names_in_millimetres
from flawline.core.scale import Scale

SCALE = Scale(0.1, 0.001)


def test_lengths_areas_and_places():
    assert names_in_millimetres("area") == ("area_mm2", "area_mm2_u")
    assert names_in_millimetres("perimeter") == ("perimeter_mm", "perimeter_mm_u")
    assert names_in_millimetres("centroid_x") == ("centroid_x_mm",)
    assert names_in_millimetres("solidity") == ()
    columns = {"area": np.array([200.0]), "perimeter": np.array([60.0])}
    area, spread = column_in_millimetres("area", columns, SCALE)
    assert area[0] == pytest.approx(2.0)
    assert spread[0] == pytest.approx(
        float(SCALE.area(columns["area"], columns["perimeter"])[1][0])
    )
    length, _ = column_in_millimetres("perimeter", columns, SCALE)
    assert length[0] == pytest.approx(6.0)


def test_every_column_has_as_many_values_as_names():
    columns = {column.name: np.array([3.0, np.inf]) for column in COLUMNS}
    columns["perimeter"] = np.array([3.0, 4.0])
    for column in COLUMNS:
        names = names_in_millimetres(column.name)
        if names:
            assert len(column_in_millimetres(column.name, columns, SCALE)) == len(names)


def test_a_lonely_defect_has_no_uncertain_neighbour():
    lonely = {"nearest_distance": np.array([np.inf])}
    for scale in (Scale(0.1), SCALE):
        value, spread = column_in_millimetres("nearest_distance", lonely, scale)
        assert np.isinf(value[0])
        assert spread[0] == 0
