"""The report on two samples, where the answers are known, and the display of marginals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skextra.generative import DensityForest, SampleDisplay, two_sample_report


def draw(n, seed, shift=0.0):
    random = np.random.default_rng(seed)
    kind = random.choice(["a", "b"], n)
    return pd.DataFrame(
        {"x": random.normal(size=n) + shift, "y": (kind == "a") + random.normal(size=n),
         "kind": kind}
    )  # fmt: skip


def test_rows_of_one_distribution_are_not_told_apart():
    report = two_sample_report(draw(400, 0), draw(400, 1), target="kind", random_state=0)
    assert abs(report.auc - 0.5) < 3 * report.auc_standard_error
    assert 0.01 < report.auc_standard_error < 0.04
    assert report.precision > 0.9 and report.recall > 0.9
    assert abs(report.near_copies - report.near_copies_expected) < 0.03
    assert abs(report.score_generated - report.score_real) < 0.1
    assert report.score_real > 0.55


def test_each_number_sees_its_own_fault():
    real = draw(300, 0)
    far = two_sample_report(real, draw(300, 1, shift=8.0), random_state=0)
    assert far.auc > 0.99 and far.precision < 0.05 and far.recall < 0.05
    narrow = draw(300, 1)
    narrow[["x", "y"]] *= 0.3
    collapsed = two_sample_report(real, narrow, random_state=0)
    assert collapsed.precision > 0.9 and collapsed.recall < 0.75
    copies = real.sample(300, replace=True, random_state=0)
    copies[["x", "y"]] += 1e-6
    assert two_sample_report(real, copies, random_state=0).near_copies > 0.95
    wrong = draw(300, 1).assign(kind=lambda frame: np.where(frame["kind"] == "a", "b", "a"))
    swapped = two_sample_report(real, wrong, target="kind", random_state=0)
    assert swapped.score_generated < 0.5 < swapped.score_real


def test_the_auc_of_shifted_normals_is_the_known_one():
    random = np.random.default_rng(0)
    real, generated = random.normal(size=(2000, 1)), random.normal(1.0, 1.0, size=(2000, 1))
    report = two_sample_report(real, generated, random_state=0)
    assert_allclose(report.auc, 0.7602, atol=0.04)  # Phi(1 / sqrt 2)


def test_report_is_readable_and_reproducible():
    frames = draw(80, 0), draw(60, 1)
    first, second = (two_sample_report(*frames, target="y", random_state=3) for _ in range(2))
    assert first == second
    assert first.to_dict()["auc"] == first.auc
    text = repr(first)
    for part in ("AUC", "precision, recall", "near copies", "trained on generated"):
        assert part in text
    assert "trained" not in repr(two_sample_report(*frames, random_state=3))


def test_missing_values_and_new_categories_are_accepted():
    real, generated = draw(100, 0), draw(100, 1)
    real.loc[:9, "x"], real.loc[5:14, "kind"] = np.nan, None
    generated.loc[:5, "kind"] = "c"
    report = two_sample_report(real, generated, target="kind", random_state=0)
    assert np.isfinite([report.auc, report.precision, report.score_generated]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "z"}, "target has 'z'"),
        ({"n_neighbors": 0}, "n_neighbors must be a positive integer, got 0"),
        ({"generated": draw(5, 0)}, "at least 10 rows.*50 real and 5 generated"),
        ({"generated": draw(50, 0)[["y", "x", "kind"]]}, "feature names"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"real": draw(50, 0), "generated": draw(50, 1), **change}
    with pytest.raises(ValueError, match=message):
        two_sample_report(**arguments)


def test_display_has_the_shares_of_both():
    plt = pytest.importorskip("matplotlib.pyplot")
    real, generated = draw(100, 0), draw(50, 1)
    display = SampleDisplay.from_samples(real, generated, columns=["kind", "x"])
    assert [ax.get_xlabel() for ax in display.axes_] == ["kind", "x"]
    for rows, shares in zip((real, generated), display.shares[0], strict=True):
        assert_allclose(shares, [np.mean(rows["kind"] == kind) for kind in "ab"])
    assert_allclose(display.shares[1].sum(axis=1), 1.0)
    forest = DensityForest(n_estimators=3, random_state=0).fit(real)
    drawn = SampleDisplay.from_estimator(forest, real, n_samples=40, axes=plt.subplots(1, 3)[1])
    assert len(drawn.axes_) == 3
    with pytest.raises(ValueError, match="axes must be 3 Axes"):
        drawn.plot(plt.subplots()[1])
    with pytest.raises(ValueError, match="one entry for each column"):
        SampleDisplay(labels=["x"], edges=[], shares=[])
    plt.close("all")
