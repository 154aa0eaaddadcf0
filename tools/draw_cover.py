"""Draw the picture of the landing page and the README: three channels collapse into one.

    .venv/bin/python tools/draw_cover.py

writes `chapters/collapse.png` and, with the title beside it, `_static/card.png`, which is shown
where somebody shares a page. The numbers in it are computed from the photograph.
"""

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D
from PIL import Image

from pointwise import conv1x1, images

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "chapters" / "collapse.png"
CARD = ROOT / "_static" / "card.png"
DPI = 140
CARD_SIZE = (1200, 630)  # what those who show such cards ask for
ROW, COL = 95, 140  # a pixel of the coffee, in the photograph at half size
TINTS = ("#E0301E", "#2E9E3F", "#2F6DD0")
NAMES = ("red", "green", "blue")


def draw():
    photo = images.picture("coffee", shrink=2)
    grey = conv1x1(photo, images.BT601)
    high, wide = photo.shape[2:]
    fig = Figure(figsize=(7, 4.9))
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, 700), ylim=(490, 0))
    ax.axis("off")

    def plane(picture, top):
        """Lay the picture down as a parallelogram; return where its marked pixel ends up."""
        lie = Affine2D().scale(1, 0.42).skew(-0.62, 0).translate(108, top)
        extent = (0, wide, high, 0)
        ax.imshow(picture, extent=extent, aspect="auto", vmin=0, vmax=1, cmap="gray",
                  transform=lie + ax.transData, clip_on=False)  # fmt: skip
        corners = lie.transform([(0, 0), (wide, 0), (wide, high), (0, high), (0, 0)])
        ax.plot(*corners.T, color="0.35", lw=0.8)
        return lie.transform((COL, ROW))

    tops = (20, 128, 236, 388)
    spots = []
    for c, tint in enumerate(TINTS):
        shade = photo[0, c, :, :, None] * np.array(mpl.colors.to_rgb(tint))
        spots.append(plane(shade, tops[c]))
    spots.append(plane(grey[0, 0], tops[3]))

    ends = list(zip(spots[0], spots[3], strict=True))
    ax.plot(*ends, color="black", lw=5, solid_capstyle="round")
    ax.plot(*ends, color="white", lw=2.4, solid_capstyle="round")
    for spot, colour in zip(spots, (*TINTS, "white"), strict=True):
        ax.plot(*spot, "o", ms=8, mfc=colour, mec="black", mew=1.2, zorder=5)
    for c, (name, top) in enumerate(zip(NAMES, tops, strict=False)):
        value, weight = photo[0, c, ROW, COL], images.BT601[0, c]
        ax.text(432, top + 52, f"{name} {value:.2f}", color=TINTS[c], fontsize=14, weight="bold")
        ax.text(565, top + 52, f"× {weight}", fontsize=14)
    ax.text(432, tops[3] - 27, "one weighted sum at every pixel", fontsize=11, color="0.3")
    ax.text(432, tops[3] + 46, f"grey {grey[0, 0, ROW, COL]:.2f}", fontsize=14, weight="bold")
    return fig


def draw_card():
    """The cover on the right, the title on the left."""
    cover = io.BytesIO()
    draw().savefig(cover, dpi=DPI, facecolor="white")
    wide, high = CARD_SIZE
    fig = Figure(figsize=(wide / 100, high / 100))
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(high, 0))
    ax.axis("off")
    picture = np.asarray(Image.open(cover).convert("RGB"))
    picture = picture[:, 40:]  # the margin left of the drawing
    scale = 0.82
    right, top = wide - 6, (high - scale * picture.shape[0]) / 2
    extent = (right - scale * picture.shape[1], right, top + scale * picture.shape[0], top)
    ax.imshow(picture, extent=extent, aspect="auto", interpolation="lanczos")
    ax.text(48, 280, "One by One", fontsize=36, weight="bold", color="#16324f")
    ax.text(50, 332, "A hands-on course", fontsize=19, color="0.25")
    ax.text(50, 370, "on 1×1 convolutions", fontsize=19, color="0.25")
    return fig


def store(fig, target, dpi):
    fig.savefig(target, dpi=dpi, facecolor="white")
    with Image.open(target) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(target, optimize=True)
    print(f"{target.name}: {target.stat().st_size // 1000} kB")


def main():
    store(draw(), TARGET, DPI)
    store(draw_card(), CARD, 100)


if __name__ == "__main__":
    main()
