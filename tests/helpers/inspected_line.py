"""Tables of a drawn line, made once, and defects whose causes are known without the code."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import flawline


@cache
def drawn_line(*causes: str, parts: int = 300, days: int = 7) -> Path:
    """Draw a line without pictures, and return its table of defects."""
    folder = Path(mkdtemp(prefix="line-")) / "line"
    return flawline.synth_line(
        folder, parts=parts, days=days, causes=causes, pictures=False
    ).defects
