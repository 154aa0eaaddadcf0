"""The predictor: on made-up machines that keep its law it is exact, and it stays small."""

import ast
import doctest
from pathlib import Path

import numpy as np
import pytest

from pointwise import predict
from pointwise.architectures import INCEPTION
from pointwise.cost import Conv, Dense, Depthwise, Pool, table
from pointwise.predict import CALIBRATION, Ceilings, Model, calibrate, moved

CEILINGS = Ceilings(100e9, 20e9)
LAW = {
    "pointwise": np.array([3.0, 1.0, 0.5, 1.2]),
    "k×k": np.array([40.0, 0.9, 7.0, 1.0]),
    "depthwise": np.array([10.0, 1.5, 2.5, 0.0]),
}


def machine_that_keeps(law, ceilings=CEILINGS, noise=0.0):
    """The times of the calibration on a machine for which the model is true, up to noise."""
    rng = np.random.default_rng(0)
    model = Model(ceilings, law)
    return [
        (layer, shape, model.seconds(layer, shape) * np.exp(noise * rng.standard_normal()))
        for layer, shape in CALIBRATION
    ]


def test_the_bytes_of_a_small_layer_are_those_counted_by_hand():
    """2 → 3 channels on 2×2 pixels: 8 numbers in, 12 out, 6 weights, 4 bytes each."""
    [row] = table(Conv(2, 3), (2, 2, 2)).rows
    assert moved(row) == (4 * (8 + 12), 4 * 6)
    assert moved(row, batch=8) == (4 * 8 * (8 + 12), 4 * 6)
    [row] = table(Depthwise(2, 3), (2, 4, 4)).rows
    assert moved(row) == (4 * (32 + 8), 4 * 18)


def test_a_machine_that_keeps_the_law_is_learned_exactly():
    model = calibrate(CEILINGS, machine_that_keeps(LAW))
    for kind, factors in LAW.items():
        assert np.allclose(model.factors[kind], factors, atol=1e-6)


def test_noise_of_ten_percent_moves_predictions_little():
    model = calibrate(CEILINGS, machine_that_keeps(LAW, noise=0.1))
    truth = Model(CEILINGS, LAW)
    for layer, shape in [(Conv(512, 512), (512, 14, 14)), (Conv(96, 128, 3), (96, 28, 28)),
                         (Depthwise(256, 3), (256, 28, 28))]:  # fmt: skip
        ratio = model.seconds(layer, shape) / truth.seconds(layer, shape)
        assert 0.85 < ratio < 1.18


def test_the_ceilings_are_only_units():
    """Another copy rate gives other factors and the same predictions."""
    times = machine_that_keeps(LAW)
    layer, shape = Conv(480, 16), (480, 14, 14)
    here, there = (calibrate(c, times) for c in (CEILINGS, Ceilings(70e9, 50e9)))
    assert here.seconds(layer, shape) == pytest.approx(there.seconds(layer, shape))


def test_no_factor_is_below_zero():
    """Without the constraint the plain solution of this system has a negative factor."""
    rows = np.array([[1, 1.0], [1, 2.0], [1, 3.0]]) * np.array([[1.0], [1.4], [1.9]])
    assert min(np.linalg.lstsq(rows, np.ones(3), rcond=None)[0]) < 0
    found = predict.fit(rows)
    assert found.min() == 0
    # It beats every other point of a fine grid that has no negative factor.
    grid = np.array([[a, b] for a in np.linspace(0, 2, 81) for b in np.linspace(0, 2, 81)])
    errors = np.linalg.norm(grid @ rows.T - 1, axis=1)
    assert np.linalg.norm(rows @ found - 1) <= errors.min() + 1e-12


def test_a_chain_is_the_sum_of_its_layers():
    model = Model(CEILINGS, LAW)
    narrow, wide = Conv(480, 16), Conv(16, 48, 5, padding=2)
    parts = model.seconds(narrow, (480, 14, 14)) + model.seconds(wide, (16, 14, 14))
    assert model.seconds([narrow, wide], (480, 14, 14)) == pytest.approx(parts)


def test_a_batch_multiplies_maps_and_macs_but_neither_call_nor_weights():
    model = Model(CEILINGS, LAW)
    [row] = table(Conv(480, 16), (480, 14, 14)).rows
    one, eight = (model.seconds(Conv(480, 16), (480, 14, 14), batch) for batch in (1, 8))
    fixed = 3e-6 + 1.2 * 4 * row.weights / CEILINGS.bytes
    assert eight - fixed == pytest.approx(8 * (one - fixed))


def test_bad_input_is_named():
    model = Model(CEILINGS, {"pointwise": LAW["pointwise"]})
    with pytest.raises(ValueError, match="is k×k, which was not calibrated"):
        model.seconds(Conv(8, 8, 3), (8, 9, 9))
    for layer, shape in [(Pool(2), (8, 4, 4)), (Conv(8, 8, 3, groups=2), (8, 4, 4)),
                         (Dense(128, 2), (8, 4, 4))]:  # fmt: skip
        with pytest.raises(ValueError, match="only pointwise, k×k, depthwise are modelled"):
            Model(CEILINGS, LAW).seconds(layer, shape)
    with pytest.raises(ValueError, match="reads 8 channels"):
        model.seconds(Conv(8, 8), (4, 9, 9))
    with pytest.raises(ValueError, match="ceilings must be positive"):
        calibrate(Ceilings(0, 1), machine_that_keeps(LAW))
    with pytest.raises(ValueError, match="nothing to calibrate with"):
        calibrate(CEILINGS, [])
    for seconds in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="was measured to take"):
            calibrate(CEILINGS, [(Conv(8, 8), (8, 4, 4), seconds)])


def test_the_calibration_is_small_made_up_and_of_every_kind():
    kinds = [predict.kind_of(table(layer, shape).rows[0]) for layer, shape in CALIBRATION]
    assert len(CALIBRATION) == len(set(CALIBRATION)) <= 31
    assert {kind: kinds.count(kind) >= 8 for kind in predict.KINDS} == dict.fromkeys(
        predict.KINDS, True
    )
    # GoogLeNet, ResNet-50 and MobileNetV1 have maps of these sides and these alone.
    published = {224, 112, 56, 28, 14, 7}
    widths = {w for module in INCEPTION.values() for w in module} | {2**n for n in range(5, 12)}
    for layer, (channels, side, _) in CALIBRATION:
        out = layer.c if isinstance(layer, Depthwise) else layer.c_out
        assert side not in published or not {channels, out} <= widths


def lines_of_code(path):
    """Lines that hold code: no blank ones, no comments, no docstrings, no CALIBRATION data."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    skipped = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", [])
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            skipped |= set(range(body[0].lineno, body[0].end_lineno + 1))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CALIBRATION":
            skipped |= set(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(n not in skipped and line.split("#")[0].strip() != "" for n, line in lines)


def test_the_model_is_at_most_60_lines():
    assert 30 < lines_of_code(Path(predict.__file__)) <= 60


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(predict)
    assert result.attempted >= 3
    assert result.failed == 0
