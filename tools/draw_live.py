"""Write what the live figures show: photographs, and the numbers of the book.

    python tools/draw_live.py

Goes to _extra/_static/live, beside the figures' scripts: numbers.json holds matrices of
`pointwise.images`, the branches of GoogLeNet, and the integers of the chapter on channels, so that
a figure and the book cannot disagree. A test draws them again and compares.
"""

import ast
import json

import numpy as np
from PIL import Image
from run_notebooks import ROOT, read
from skimage.color import hed_from_rgb

from pointwise import conv1x1, images
from pointwise.architectures import INCEPTION

LIVE = ROOT / "_extra/_static/live"
HIGH, WIDE = 384, 512
PHOTOGRAPHS = {"coffee": 72, "tissue": 45}  # name → JPEG quality


def photograph(name):
    """The middle of a picture, HIGH × WIDE pixels, as bytes in (H, W, C)."""
    x = images.picture(name)
    _, _, h, w = x.shape
    if h < HIGH or w < WIDE:
        raise ValueError(f"{name} has {h}×{w} pixels; {HIGH}×{WIDE} are wanted")
    top, left = (h - HIGH) // 2, (w - WIDE) // 2
    crop = x[:, :, top : top + HIGH, left : left + WIDE]
    return np.rint(255 * images.to_hwc(crop)).astype(np.uint8)


def stains():
    """The matrix that takes −log of the slide to its dyes, scaled so that a strong dye is 1."""
    slide = photograph("tissue").transpose(2, 0, 1)[None] / 255
    absorbed = np.log(np.maximum(slide, 1e-6)) / np.log(1e-6)
    strong = np.quantile(conv1x1(absorbed, hed_from_rgb.T)[0, 0], 0.99)
    return (hed_from_rgb.T / strong).round(3).tolist()


def branches():
    """The 3×3 and 5×5 branches of GoogLeNet, as the calculator's settings."""
    found = {}
    for name, w in INCEPTION.items():
        for k, r, c_out in [(3, w.r3x3, w.n3x3), (5, w.r5x5, w.n5x5)]:
            found[f"{name}, {k}×{k}"] = {
                "k": k, "c_in": w.c_in, "r": r, "c_out": c_out, "h": w.size, "w": w.size,
            }  # fmt: skip
    return found


def chapter_arrays(slug, names):
    """The arrays that a lesson first writes down under these names."""
    found = {}
    for cell in read(ROOT / f"chapters/{slug}/lesson.ipynb").cells:
        if cell.cell_type != "code":
            continue
        for line in ast.parse(cell.source).body:
            name = ast.unparse(line.targets[0]) if isinstance(line, ast.Assign) else None
            if name in names and name not in found:
                found[name] = ast.literal_eval(line.value.args[0])  # np.array([...])
    return [found[name] for name in names]


def numbers():
    x, w = chapter_arrays("channels", ["x", "w2"])
    return {
        "bt601": images.BT601.tolist(),
        "sepia": images.SEPIA.tolist(),
        "stains": stains(),
        "branches": branches(),
        "pixel": {"x": x, "w": w},
    }


def main():
    for name, quality in PHOTOGRAPHS.items():
        picture = Image.fromarray(photograph(name))
        picture.save(LIVE / f"{name}.jpg", quality=quality, optimize=True, progressive=True)
    text = json.dumps(numbers(), ensure_ascii=False, separators=(",", ":"))
    (LIVE / "numbers.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
