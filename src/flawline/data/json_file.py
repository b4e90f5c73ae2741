"""Write results as one JSON document; the same result gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flawline.data.whole_file import write_text


def write_json_document(path: Path, document: Any) -> Path:
    """Write UTF-8 JSON (RFC 8259, so a NaN or an infinity raises ValueError), indented; returns `path`."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n")
