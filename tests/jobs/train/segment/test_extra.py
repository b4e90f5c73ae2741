"""Training without the extra [train]. Needs no PyTorch."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from flawline.errors import DependencyError
from flawline.jobs.train.segment.extra import require_extra


@pytest.mark.skipif(find_spec("torch") is not None, reason="the extra [train] is installed")
def test_without_the_extra_the_error_names_it():
    with pytest.raises(DependencyError, match="training segmenters: ") as caught:
        require_extra()
    assert "pip install '.[train]'" in caught.value.hint


@pytest.mark.train
def test_with_the_extra_nothing_is_said(capfd):
    require_extra()
    assert capfd.readouterr() == ("", "")


def test_settings_and_runtime_are_imported_without_pytorch():
    code = (
        "import sys; import flawline.jobs.train.segment.segment_settings, flawline.jobs.train.segment.patches, "
        "flawline.networks.segmenter; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
