"""Indexes by which a page finds few inspections among many: by product, station, recipe, numbers and classes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PARTIAL = {
    "product": ("product IS NOT NULL", ("product", "captured")),
    "station": ("station IS NOT NULL", ("station", "captured")),
    "p_value": ("p_value < 0.05", ("p_value",)),
    "defects": ("defects > 1", ("defects",)),
    "largest_area": ("largest_area > 0", ("largest_area",)),
    "total_area": ("total_area > 0", ("total_area",)),
}


def upgrade() -> None:
    """Add indexes, which takes a while in a large store; stored rows stay as they are."""
    for name, (where, columns) in _PARTIAL.items():
        met = sa.text(where)
        op.create_index(
            f"inspection_{name}",
            "inspection",
            list(columns),
            sqlite_where=met,
            postgresql_where=met,
        )
    op.create_index("inspection_recipe", "inspection", ["recipe", "captured"])
    op.create_index("inspection_score", "inspection", ["score"])
    op.create_index("class_count_area", "class_count", ["label", "largest_area"])
    op.create_index("class_count_number", "class_count", ["label", "count"])
