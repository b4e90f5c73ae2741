"""The tables of the present schema; `migrations` builds them.

Times are microseconds since 1970 in UTC. Texts that repeat from row to row (lots, stations, hashes of recipes, lists of
measure names) are numbers of rows in `term`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

from flawline.records.fields import FIELDS, Field

metadata = MetaData()
# SQLite numbers rows by itself only where the type is INTEGER.
NUMBER = BigInteger().with_variant(Integer, "sqlite")

term = Table(
    "term",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("text", Text, nullable=False),
)
# PostgreSQL cannot index long texts; a hash of 16 bytes stands for them.
Index("term_digest", term.c.kind, term.c.digest, unique=True)


def _column(field: Field) -> Column[Any]:
    if field.kind == "term":
        return Column(field.name, NUMBER, ForeignKey("term.id"))
    types: dict[str, TypeEngine[Any]] = {
        "text": Text(),
        "hash": LargeBinary(32),
        "number": Double(),
    }
    return Column(field.name, types[field.kind], nullable=field.name != "image")


def _partial_index(name: str, where: str, *columns: Column[Any], unique: bool = False) -> None:
    """Index the rows that meet a condition alone."""
    met = text(where)
    Index(name, *columns, unique=unique, sqlite_where=met, postgresql_where=met)


inspection = Table(
    "inspection",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("key", LargeBinary(16), nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("captured_known", Boolean, nullable=False),
    Column("judged", BigInteger, nullable=False),
    Column("height", Integer),
    Column("width", Integer),
    Column("defects", Integer, nullable=False),
    Column("shape", NUMBER, ForeignKey("term.id")),
    Column("measures", LargeBinary),
    Column("reasons", Text, nullable=False),
    Column("further", Text),
    Column("largest_area", Double),
    Column("total_area", Double),
    *map(_column, FIELDS),
    CheckConstraint("verdict IN ('accept', 'review', 'reject')", name="inspection_verdict"),
)
# The time comes first: with keys alone every new row would touch another page of the index.
Index("inspection_capture", inspection.c.captured, inspection.c.key, unique=True)
# Without a captured time, `captured` is that of judging, which changes when the same picture is judged again.
Index(
    "inspection_untimed",
    inspection.c.key,
    unique=True,
    sqlite_where=text("captured_known = 0"),
    postgresql_where=text("captured_known = false"),
)
# A picture without a captured time may be inspected again under another lot.
Index(
    "inspection_picture",
    inspection.c.picture,
    sqlite_where=text("captured_known = 0"),
    postgresql_where=text("captured_known = false"),
)
# A frame with a key of its sender is recorded once, even if it is sent again with another time.
_partial_index("inspection_frame", "frame_key IS NOT NULL", inspection.c.key, unique=True)
Index("inspection_lot", inspection.c.lot, inspection.c.captured)
_partial_index("inspection_part", "part IS NOT NULL", inspection.c.part)
_FLAGGED = text("verdict <> 'accept'")
Index(
    "inspection_flagged",
    inspection.c.captured,
    inspection.c.key,
    sqlite_where=_FLAGGED,
    postgresql_where=_FLAGGED,
    # So that those that wait for review are counted without reading their rows.
    postgresql_include=["id", "verdict"],
)
# Many stores have no tools or operators; the index then has no entries.
for _name in ("tool", "operator", "product", "station"):
    _partial_index(
        f"inspection_{_name}", f"{_name} IS NOT NULL", inspection.c[_name], inspection.c.captured
    )
Index("inspection_recipe", inspection.c.recipe, inspection.c.captured)
# The few with an unusual number are looked up by it; most parts have no defect at all.
UNUSUAL = {
    "p_value": "p_value < 0.05",
    "defects": "defects > 1",
    "largest_area": "largest_area > 0",
    "total_area": "total_area > 0",
}
for _name, _met in UNUSUAL.items():
    _partial_index(f"inspection_{_name}", _met, inspection.c[_name])
Index("inspection_score", inspection.c.score)

defect = Table(
    "defect",
    metadata,
    Column("inspection", NUMBER, ForeignKey("inspection.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("label", NUMBER, ForeignKey("term.id"), nullable=False),
    Column("left", Integer),
    Column("top", Integer),
    Column("width", Integer),
    Column("height", Integer),
    Column("shape", NUMBER, ForeignKey("term.id")),
    Column("measures", LargeBinary),
    sqlite_with_rowid=False,
)

# Defects of each class, for pages that choose by their number or area: a defect's own numbers are packed.
class_count = Table(
    "class_count",
    metadata,
    Column("label", NUMBER, ForeignKey("term.id"), primary_key=True),
    Column("inspection", NUMBER, ForeignKey("inspection.id"), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("largest_area", Double),
    sqlite_with_rowid=False,
)
Index("class_count_area", class_count.c.label, class_count.c.largest_area)
Index("class_count_number", class_count.c.label, class_count.c.count)

decision = Table(
    "decision",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("inspection", NUMBER, ForeignKey("inspection.id"), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("decided", BigInteger, nullable=False),
    CheckConstraint("verdict IN ('accept', 'review', 'reject')", name="decision_verdict"),
)
Index("decision_inspection", decision.c.inspection)

recipe_file = Table(
    "recipe_file",
    metadata,
    Column("recipe", NUMBER, ForeignKey("term.id"), primary_key=True),
    Column("file", LargeBinary(32), nullable=False),
)

alert = Table(
    "alert",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("key", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("panel", Text, nullable=False),
    Column("rule", Integer, nullable=False),
    Column("side", Text, nullable=False),
    Column("inspection", NUMBER, ForeignKey("inspection.id")),
    Column("point", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("raised", BigInteger, nullable=False),
)
Index("alert_digest", alert.c.digest, unique=True)

# Escalations and acknowledgements of alerts: rows are added, never changed.
alert_entry = Table(
    "alert_entry",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("alert", NUMBER, ForeignKey("alert.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("entered", BigInteger, nullable=False),
    CheckConstraint("kind IN ('escalated', 'acknowledged')", name="alert_entry_kind"),
)
Index("alert_entry_alert", alert_entry.c.alert)
# An alert is escalated once, however many processes do so.
_partial_index("alert_escalated", "kind = 'escalated'", alert_entry.c.alert, unique=True)

# What people note about the points of a chart and its limits: rows are added, never changed; "undo" takes one back.
chart_entry = Table(
    "chart_entry",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("series", NUMBER, ForeignKey("term.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("inspection", NUMBER, ForeignKey("inspection.id")),
    Column("text", Text, nullable=False),
    Column("limits", Text),
    Column("undoes", NUMBER, ForeignKey("chart_entry.id")),
    Column("who", Text, nullable=False),
    Column("entered", BigInteger, nullable=False),
    CheckConstraint(
        "kind IN ('note', 'set aside', 'limits', 'stage', 'undo')", name="chart_entry_kind"
    ),
)
Index("chart_entry_series", chart_entry.c.series, chart_entry.c.id)
_partial_index("chart_entry_undone", "undoes IS NOT NULL", chart_entry.c.undoes, unique=True)

# Messages for outputs, written with their records; `done` is when one arrived or was refused.
delivery = Table(
    "delivery",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("output", Text, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("done", BigInteger),
)
Index("delivery_copy", delivery.c.output, delivery.c.digest, unique=True)
_partial_index("delivery_waiting", "done IS NULL", delivery.c.output, delivery.c.id)
_partial_index("delivery_done", "done IS NOT NULL", delivery.c.done)


# Who may use a server. Secrets are never stored, only their hashes.
account = Table(
    "account",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password", Text),
    Column("created", BigInteger, nullable=False),
    Column("disabled", Boolean, nullable=False),
    CheckConstraint("role IN ('viewer', 'operator', 'engineer', 'admin')", name="account_role"),
)

# What lets somebody in: a session of a browser, a one-time link, or a token of a program.
credential = Table(
    "credential",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("account", NUMBER, ForeignKey("account.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("ended", BigInteger),
    CheckConstraint("kind IN ('session', 'link', 'token')", name="credential_kind"),
)
Index("credential_account", credential.c.account, credential.c.kind)

# Who did what on a server: rows are added, never changed.
action = Table(
    "action",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("address", Text, nullable=False),
)
Index("action_time", action.c.time)

# What a server answered to a request with a key of its sender; `status` is empty until it was answered.
answer = Table(
    "answer",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("request", LargeBinary(32), nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("time", BigInteger, nullable=False),
)
Index("answer_time", answer.c.time)

# Which recipe judges a product: the last row counts, and the one before it is what a roll-back returns to.
activation = Table(
    "activation",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("product", Text, nullable=False),
    Column("recipe", NUMBER, ForeignKey("term.id"), nullable=False),
    Column("who", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)
Index("activation_product", activation.c.product, activation.c.id)
