"""Style charts and save them as inline SVG that follows the light or dark page."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Elements of this colour take the text colour of the page.
INK = "#010203"


@contextmanager
def own_style() -> Iterator[None]:
    """Use Matplotlib's defaults: a user's matplotlibrc must not change a report, and labels are not markup."""
    import matplotlib

    own: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "flawline",
        "font.family": "sans-serif",
        "text.parse_math": False,
    }
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(own)
        # The browser draws the text with its own fonts; matplotlib's only estimates its width.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def new_figure(size: tuple[float, float] = (5.4, 3.1)) -> tuple[Any, Any]:
    """Create a transparent figure and its axes for `as_svg`; `size` in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    figure.patch.set_alpha(0)
    use_ink(axes)
    return figure, axes


def use_ink(axes: Any) -> None:
    """Draw axes without a frame, in the text colour of the page."""
    axes.patch.set_alpha(0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(INK)
    axes.tick_params(colors=INK)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)


def as_png(figure: Any) -> bytes:
    """Save a figure as PNG on white at 150 dots per inch."""
    figure.patch.set_alpha(1)
    figure.patch.set_facecolor("white")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150, metadata={"Software": None})
    return file.getvalue()


def as_svg(figure: Any, title: str) -> str:
    """Save a figure as an inline SVG element: text stays text, and the same data gives the same bytes."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    text = io.StringIO()
    # `savefig` would draw everything twice.
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(text, metadata={"Date": None, "Title": title})
    svg = text.getvalue()
    return svg[svg.index("<svg") :].replace(INK, "currentColor").strip()
