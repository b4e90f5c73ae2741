"""What a type checker knows of the names of the package; `make lint` checks this file, and nothing runs it.

Its strict settings fail where a comment ignores an error that is not there.
"""

from typing import assert_type

import flawline
from flawline.inspector.inspector import Inspector

assert_type(flawline.Inspector, type[Inspector])
flawline.rank(3)  # type: ignore[arg-type]
_ = flawline.nothing  # type: ignore[attr-defined]
