"""The picture on the landing page and the card for sharing are what their script draws."""

import io
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parent.parent / "tools" / "draw_cover.py"


@pytest.mark.parametrize(
    ("draw", "dpi", "target"), [("draw", 140, "TARGET"), ("draw_card", 100, "CARD")]
)
def test_the_committed_picture_is_what_the_script_draws(draw, dpi, target):
    script = runpy.run_path(str(SCRIPT))
    file = io.BytesIO()
    script[draw]().savefig(file, dpi=dpi, facecolor="white")
    drawn = np.asarray(Image.open(file).convert("RGB")).astype(int)
    with Image.open(script[target]) as picture:
        committed = np.asarray(picture.convert("RGB")).astype(int)
    assert drawn.shape == committed.shape
    assert abs(drawn - committed).mean() < 3, "run tools/draw_cover.py"


def test_the_sum_in_the_picture_is_right():
    texts = [t.get_text() for t in runpy.run_path(str(SCRIPT))["draw"]().axes[0].texts]
    values = [float(t.split()[1]) for t in texts if t.split()[0] in ("red", "green", "blue")]
    weights = [float(t.split()[1]) for t in texts if t.startswith("×")]
    grey = next(float(t.split()[1]) for t in texts if t.startswith("grey"))
    assert len(values) == len(weights) == 3
    assert abs(np.dot(values, weights) - grey) < 0.01
