"""The drawings: they show what they are given, stay small, and refuse what they cannot draw."""

import io

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from pointwise import cost, images, plots
from pointwise.cost import Conv


def texts(drawing):
    return [t.get_text() for t in drawing.figure.axes[0].texts if t.get_text()]


def test_numbers_writes_every_number_sign_and_title():
    drawing = plots.numbers(np.array([[1, -2]]), "=", np.array([3.5]), titles=["a", "b"])
    assert sorted(texts(drawing)) == sorted(["1", "−2", "=", "3.5", "a", "b"])
    assert repr(drawing) == "<drawing: (1, 2) = (1,)>"


def test_numbers_gives_each_input_channel_its_colour_in_weight_and_input():
    weight, x = np.ones((2, 3, 1, 1)), np.ones((3, 2, 2))
    drawing = plots.numbers(weight, "∗", x)
    frames = [p for p in drawing.figure.axes[0].patches if isinstance(p, Rectangle) and not p.fill]
    colours = [plots.mpl.colors.to_hex(p.get_edgecolor()).upper() for p in frames]
    blue, orange, green = plots.INPUT[:3]
    assert colours == [blue, orange, green] * 2 + [blue, orange, green]


def test_a_mark_frames_the_cells_it_names():
    drawing = plots.numbers(np.zeros((2, 3, 3)), marks={0: [(1, 1, 2, 2, 1)]})
    grids = [p for p in drawing.figure.axes[0].patches if not p.fill]
    first, second, mark = grids
    assert first.get_height() == second.get_height() == 3
    assert mark.get_x() == second.get_x() + 2
    assert mark.get_y() == second.get_y() + 1
    assert (mark.get_height(), mark.get_width()) == (2, 1)


def test_nothing_sticks_out_of_the_picture():
    titles = ["a long title\nin two", "b"]
    drawing = plots.numbers(np.zeros((3, 5)), np.zeros((4, 2, 2)), titles=titles)
    ax = drawing.figure.axes[0]
    drawing.figure.canvas.draw()
    box = drawing.figure.bbox
    for text in ax.texts:
        extent = text.get_window_extent()
        assert extent.x0 >= box.x0 - 1
        assert extent.x1 <= box.x1 + 1
        assert extent.y1 <= box.y1 + 1


@pytest.mark.parametrize("bad", [np.zeros((1, 1, 1, 1, 1)), np.zeros((0, 2)), np.float64(3)])
def test_numbers_refuses_what_is_no_grid(bad):
    with pytest.raises(ValueError, match="got shape"):
        plots.numbers(bad)


def test_numbers_draws_nan_and_infinity():
    assert "nan" in texts(plots.numbers(np.array([[np.nan, np.inf, 1.0]])))


def test_pictures_shows_colour_and_grey_and_clips():
    drawing = plots.pictures(np.full((1, 3, 4, 6), 2.0), np.zeros((4, 6)), titles=["a", "b"])
    colour, grey = (ax.images[0].get_array() for ax in drawing.figure.axes)
    assert colour.shape == (4, 6, 3)
    assert colour.max() == 1
    assert grey.shape == (4, 6)


@pytest.mark.parametrize("bad", [np.zeros((2, 4, 4)), np.zeros((2, 3, 4, 4)), np.zeros(4)])
def test_pictures_refuses_other_channel_counts(bad):
    with pytest.raises(ValueError, match="one or three channels"):
        plots.pictures(bad)


def test_photographs_are_jpeg_and_line_art_is_png_and_both_are_small_and_stable():
    photo = plots.pictures(images.picture("coffee", shrink=2))
    grid = plots.numbers(np.arange(9).reshape(3, 3))
    assert photo._repr_png_() is None
    assert grid._repr_jpeg_() is None
    for data, kind in [(photo._repr_jpeg_(), "JPEG"), (grid._repr_png_(), "PNG")]:
        picture = Image.open(io.BytesIO(data))
        assert picture.format == kind
        assert picture.width <= plots.WIDTH * plots.DPI
        assert len(data) < 90_000
    assert grid._repr_png_() == plots.numbers(np.arange(9).reshape(3, 3))._repr_png_()


def test_curves_labels_its_axes():
    ax = plots.curves(([0, 1], [1, 2]), labels=["a"], xlabel="in", ylabel="out").figure.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("in", "out")
    assert ax.get_legend().get_texts()[0].get_text() == "a"


def test_paths_draws_a_bar_for_each_map_and_the_macs_of_each_layer():
    reduced = cost.table([Conv(192, 16), Conv(16, 32, 5, padding=2)], (192, 28, 28))
    drawing = plots.paths({"reduced": reduced})
    assert {"192\n28×28", "16\n28×28", "32\n28×28"} <= set(texts(drawing))
    assert {"1×1\n2.4 M MACs", "5×5\n10.0 M MACs", "reduced\n12.4 M"} <= set(texts(drawing))
    tall = [patch.get_height() for patch in drawing.figure.axes[0].patches[:3]]
    assert np.allclose(np.array(tall) / tall[0], [1, 16 / 192, 32 / 192])


def test_the_reduction_curve_meets_the_direct_line_at_break_even():
    ax = plots.reduction_curve(3, 256, 256, side=14).figure.axes[0]
    line, direct, point = ax.lines
    at = point.get_xdata()[0]
    assert at == float(cost.break_even(3, 256, 256))
    assert np.isclose(np.interp(at, *line.get_data()), direct.get_ydata()[0])
    with pytest.raises(ValueError, match="0"):
        plots.reduction_curve(3, 0, 256, side=14)


def test_bars_are_as_tall_as_their_values():
    ax = plots.bars(["a", "b"], {"x": [1, 2], "y": [3, 4]}, xlabel="p", ylabel="q").figure.axes[0]
    assert [bar.get_height() for bar in ax.patches] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="2 names, but 'x' has 1 values"):
        plots.bars(["a", "b"], {"x": [1]}, xlabel="p", ylabel="q")


def test_runs_draws_every_run_in_the_colour_of_its_group_and_the_level():
    groups = {"a": [[1, 2], [2, 3]], "b": [[3, 4]]}
    drawing = plots.runs(groups, xlabel="epoch", ylabel="loss", level=(0.5, "chance"))
    ax = drawing.figure.axes[0]
    *lines, level = ax.lines
    assert [line.get_ydata().tolist() for line in lines] == [[1, 2], [2, 3], [3, 4]]
    assert all(line.get_xdata().tolist() == [1, 2] for line in lines)
    assert [line.get_color() for line in lines] == [plots.INPUT[k] for k in (0, 0, 1)]
    assert level.get_ydata() == [0.5, 0.5]
    assert texts(drawing) == ["chance"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]


def test_dots_draws_every_value_and_the_median():
    drawing = plots.dots({"a": [1, 2, 9], "b": [3]}, xlabel="accuracy", level=(0.1, "chance"))
    ax = drawing.figure.axes[0]
    a, median, b, _, level = ax.lines
    assert a.get_xdata().tolist() == [1, 2, 9]
    assert b.get_xdata().tolist() == [3]
    assert median.get_xdata()[0] == 2
    assert level.get_xdata() == [0.1, 0.1]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert texts(drawing) == ["chance"]


def test_a_roofline_has_its_corner_where_copy_and_multiply_take_equally_long():
    from pointwise.predict import Ceilings

    layers = {"pointwise": [(10, 9e10), (20, 1e11)], "depthwise": [(1, 1e10)]}
    drawing = plots.roofline(layers, Ceilings(1e11, 2e10), cache=5e10, names={(4, 3e10): "mine"})
    ax = drawing.figure.axes[0]
    copy, cached, flat, *marks, star = ax.lines
    assert star.get_xydata().tolist() == [[4, 3e10]]
    assert copy.get_xdata()[1] == 1e11 / 2e10
    assert cached.get_xdata()[1] == flat.get_xdata()[0] == 1e11 / 5e10
    for slope, speed in [(copy, 2e10), (cached, 5e10)]:
        assert np.allclose(slope.get_ydata(), np.array(slope.get_xdata()) * speed)
    assert set(flat.get_ydata()) == {1e11}
    assert [line.get_xydata().tolist() for line in marks] == [
        [list(point) for point in points] for points in layers.values()
    ]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert texts(drawing) == ["a large multiply", "a large copy", "a copy in cache"]
    legend = [t.get_text() for t in ax.get_legend().get_texts()]
    assert legend == ["pointwise", "depthwise", "mine"]
    assert len(plots.roofline(layers, Ceilings(1e11, 2e10)).figure.axes[0].lines) == 4


def test_agreement_draws_the_diagonal_the_band_and_the_named_points():
    groups = {"a": [(1, 1.1), (10, 30)], "b": [(100, 90)]}
    ax = plots.agreement(
        groups, xlabel="in", ylabel="out", within=0.2, names={(10, 30): "far"}
    ).figure.axes[0]
    diagonal, *marks = ax.lines
    assert np.array_equal(*diagonal.get_data())
    assert [line.get_xydata().tolist() for line in marks] == [[[1, 1.1], [10, 30]], [[100, 90]]]
    corners = ax.collections[0].get_paths()[0].vertices
    assert {round(y / x, 6) for x, y in corners} == {0.8, 1.2}
    assert [t.get_text() for t in ax.texts] == ["far"]
    assert ax.get_xlim() == ax.get_ylim()


def test_scaling_draws_measured_lines_with_marks_and_computed_ones_dashed():
    drawing = plots.scaling(
        {"torch": ([1, 10], [2, 3])}, xlabel="MACs", ylabel="s", dashed={"law": ([1, 10], [1, 10])}
    )
    measured, computed = drawing.figure.axes[0].lines
    assert measured.get_xydata().tolist() == [[1, 2], [10, 3]]
    assert (measured.get_marker(), computed.get_marker()) == ("o", "None")
    assert computed.get_linestyle() == "--"
    assert drawing.figure.axes[0].get_xscale() == "log"


def test_stacks_cut_every_bar_into_its_parts():
    rows = {"a": {"x": 1, "y": 3}, "b": {"x": 0, "y": 5, "z": 5}}
    drawing = plots.stacks(rows, xlabel="share, %")
    ax = drawing.figure.axes[0]
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [
        (0, 25), (25, 75), (0, 0), (0, 50), (50, 50),
    ]  # fmt: skip
    colours = [plots.mpl.colors.to_hex(bar.get_facecolor()).upper() for bar in ax.patches]
    blue, orange, green = plots.INPUT[:3]
    assert colours == [blue, orange, blue, orange, green]
    assert [t.get_text() for t in drawing.figure.legends[0].get_texts()] == ["x", "y", "z"]
    assert ax.yaxis_inverted()
    for bad in ({"x": 0}, {"x": 2, "y": -1}):
        with pytest.raises(ValueError, match="'a' cannot be cut"):
            plots.stacks({"a": bad}, xlabel="share, %")


def test_traces_show_every_line_whole_in_a_frame_of_its_own():
    lines = [np.array([[0, 3], [1, -4]]), np.zeros((2, 5))]
    axes = plots.traces(*lines, titles=["a", "b"]).figure.axes
    for ax, line, title in zip(axes, lines, "ab", strict=True):
        assert (line == ax.collections[0].get_offsets().T).all()
        assert ax.get_title() == title
        assert ax.get_xlim()[0] < line.min() <= line.max() < ax.get_ylim()[1] or not line.any()
    with pytest.raises(ValueError, match="zip"):
        plots.traces(lines[0], titles=["a", "b"])
