"""What the displays draw."""

import numpy as np
import pytest

from skextra.mixture import (
    DensityDisplay,
    GaussianMixture,
    GaussianMixtureIC,
    ModelSelectionDisplay,
)
from tests._core.mixture.em_reference import COVARIANCE_TYPES, make_data

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_density_is_the_marginal(covariance_type):
    X = make_data(80, 3)
    X[0, 2] = np.nan
    mixture = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    display = DensityDisplay.from_estimator(mixture, X, features=(2, 0), n_points=30)
    point = [[display.x[4], display.y[7]]]
    expected = mixture.marginal([2, 0]).score_samples(point)[0]
    assert display.log_density[7, 4] == pytest.approx(expected)
    assert display.ax_.get_xlabel() == "x2"
    assert len(display.points_.get_offsets()) == 79
    assert len(display.ellipses_) == 2
    ellipse = display.ellipses_[0]
    # The edge of an ellipse of two standard deviations is at a Mahalanobis distance of 2.
    angle = np.radians(ellipse.angle)
    edge = np.array([np.cos(angle), np.sin(angle)]) * ellipse.width / 2
    marginal = mixture.marginal([2, 0])
    precision = {
        "full": lambda: marginal.precisions_[0],
        "tied": lambda: marginal.precisions_,
    }.get(covariance_type, lambda: np.eye(2) * marginal.precisions_[0])()
    assert np.sqrt(edge @ precision @ edge) == pytest.approx(2.0)


def test_density_errors_and_axes():
    X = make_data(50, 2)
    mixture = GaussianMixture(2, random_state=0).fit(X)
    _, ax = plt.subplots()
    assert DensityDisplay.from_estimator(mixture, ax=ax).ax_ is ax
    with pytest.raises(ValueError, match="features must be two"):
        DensityDisplay.from_estimator(mixture, features=(0,))
    with pytest.raises(ValueError, match="n_points"):
        DensityDisplay.from_estimator(mixture, n_points=1)


def test_selection_marks_the_choice():
    X = make_data(80, 2)
    search = GaussianMixtureIC(max_components=3, random_state=0).fit(X)
    display = ModelSelectionDisplay.from_estimator(search)
    assert [line.get_label() for line in display.lines_] == list(search.covariance_types_)
    assert display.best_.get_xdata()[0] == search.n_components_
    assert display.best_.get_ydata()[0] == pytest.approx(search.best_criterion_)
    assert DensityDisplay.from_estimator(search, X).points_ is not None
    with pytest.raises(ValueError, match="must have shape"):
        ModelSelectionDisplay(
            component_counts=[1, 2], criterion_values=[[1.0]], covariance_types=["full"]
        )
