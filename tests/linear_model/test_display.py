"""RegularizationPathDisplay: what it computes, draws and refuses."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.datasets import load_diabetes, load_iris, load_linnerud
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skextra.linear_model
from skextra.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV
from skextra.linear_model._display.path import RegularizationPathDisplay

matplotlib = pytest.importorskip("matplotlib")
from_estimator = RegularizationPathDisplay.from_estimator
ALPHAS = np.array([0.01, 0.1, 1.0])


@pytest.fixture(autouse=True)
def _headless():
    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")


@pytest.fixture(scope="module")
def data():
    X, y = load_diabetes(return_X_y=True)
    return np.ascontiguousarray(10 * X), y


@pytest.fixture(scope="module")
def weights():
    return np.random.RandomState(0).uniform(0.1, 3, 442)


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "Ridge"])
@pytest.mark.parametrize("options", [{}, {"fit_intercept": False}, {"positive": True}], ids=str)
@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["equal", "weighted"])
def test_coefficients_are_those_of_a_fit_at_each_penalty(
    data, weights, name, options, is_sparse, is_weighted
):
    X, y = data
    X = sparse.csc_array(X) if is_sparse else X
    sample_weight = weights if is_weighted else None
    precise = {} if name == "Ridge" else {"tol": 1e-10, "max_iter": 10**5}
    model = getattr(sk, name)(**options, **precise)
    display = from_estimator(model, X, y, alphas=ALPHAS, sample_weight=sample_weight)
    for alpha, coef in zip(display.alphas, display.coefs[0].T, strict=True):
        fitted = getattr(sk, name)(alpha=alpha, **options, **precise)
        fitted.fit(X, y, sample_weight=sample_weight)
        tolerance = 2e-2 if name == "Ridge" and is_sparse else 1e-3
        np.testing.assert_allclose(coef, fitted.coef_, atol=tolerance)


def test_our_ridge_shares_one_factorization(data, weights):
    X, y = data
    penalty = np.array([0.0, np.inf, *[1.0] * 8])
    model = Ridge(penalty_weights=penalty)
    display = from_estimator(model, X, y, alphas=ALPHAS, sample_weight=weights)
    for alpha, coef in zip(display.alphas, display.coefs[0].T, strict=True):
        fitted = Ridge(alpha=alpha, penalty_weights=penalty).fit(X, y, sample_weight=weights)
        np.testing.assert_allclose(coef, fitted.coef_, atol=1e-6)
    assert not display.coefs[0, 1].any()


def test_cross_validated_lasso_is_shown_as_fitted(data):
    X, y = data
    model = sk.LassoCV(alphas=20, cv=4).fit(X, y)
    display = from_estimator(model, X, y)
    np.testing.assert_array_equal(display.alphas, model.alphas_)
    np.testing.assert_array_equal(display.cv_scores, model.mse_path_)
    assert display.alpha_min_ == display.alpha_selected == model.alpha_
    at_chosen = display.coefs[0][:, model.alphas_ == model.alpha_].ravel()
    np.testing.assert_allclose(at_chosen, model.coef_, atol=0.1)


def test_elastic_net_shows_the_mixture_it_chose(data):
    X, y = data
    model = sk.ElasticNetCV(l1_ratio=[0.1, 0.9], alphas=8, cv=3).fit(X, y)
    display = from_estimator(model, X, y)
    chosen = [0.1, 0.9].index(model.l1_ratio_)
    np.testing.assert_array_equal(display.alphas, model.alphas_[chosen])
    np.testing.assert_array_equal(display.cv_scores, model.mse_path_[chosen])
    assert display.alpha_min_ == model.alpha_


def test_unfitted_is_cloned_and_the_estimator_left_alone(data):
    model = sk.LassoCV(alphas=10)
    display = from_estimator(model, *data)
    assert not hasattr(model, "alpha_")
    assert display.alpha_selected == sk.LassoCV(alphas=10).fit(*data).alpha_


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_ridge_cv_marks_what_ridge_cv_chooses(data, rule):
    model = RidgeCV(alphas=np.logspace(-3, 3, 13), selection_rule=rule).fit(*data)
    assert not hasattr(model, "cv_results_")
    display = from_estimator(model, *data)
    assert display.cv_scores.shape == (13, 442)
    assert {"min": display.alpha_min_, "1se": display.alpha_1se_}[rule] == model.alpha_
    assert display.alpha_min_ < display.alpha_1se_


def test_one_standard_error_by_hand():
    # Means 4, 2, 3 and 5; the best has standard error 1, so 3 is just within.
    scores = [[4, 4], [1, 3], [3, 3], [5, 5]]
    alphas = [0.1, 1, 10, 100]
    display = RegularizationPathDisplay(alphas=alphas, cv_scores=scores)
    assert (display.alpha_min_, display.alpha_1se_) == (1, 10)
    accuracy = RegularizationPathDisplay(
        alphas=alphas, cv_scores=-np.array(scores), greater_is_better=True, penalty_name="C"
    )
    # An inverse penalty: the strongest within reach is the smallest C.
    assert (accuracy.alpha_min_, accuracy.alpha_1se_) == (1, 1)


def test_fitted_cv_without_data_shows_errors_only(data):
    display = from_estimator(sk.LassoCV(alphas=10).fit(*data))
    assert display.coefs is None and display.lines_ == []
    assert display.axes_.shape == (1,)
    np.testing.assert_allclose(
        display.cv_line_.get_ydata(), display.cv_scores.mean(axis=1)[::-1], rtol=1e-12
    )


def test_panels_scales_and_marks(data):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), sk.LassoCV(alphas=10))
    display = from_estimator(model, X, y, n_labels=3)
    coefs, errors = display.axes_
    assert coefs.get_xscale() == errors.get_xscale() == "log"
    left, right = errors.get_xlim()
    assert left > right  # alpha falls, and the model grows, to the right
    assert len(display.lines_[0]) == 10
    assert [text.get_text() for text in coefs.texts if text.get_text() not in X.columns] == []
    assert len(coefs.texts) == 3
    named = {text.get_text() for text in coefs.texts}
    largest = np.abs(display.coefs[0]).max(axis=1).argsort()[-3:]
    assert named == set(X.columns[largest])
    marked = [line.get_xdata()[0] for line in errors.lines if line.get_xdata()[0] in display.alphas]
    assert {display.alpha_min_, display.alpha_1se_} <= set(marked)
    labels = [text.get_text() for text in errors.get_legend().get_texts()]
    assert any(label.startswith("minimum, chosen: alpha = ") for label in labels)
    assert any(label.startswith("one standard error: alpha = ") for label in labels)
    display.figure_.canvas.draw()


def test_error_band_is_one_standard_error():
    scores = np.array([[1.0, 3.0], [2.0, 8.0]])
    display = RegularizationPathDisplay(alphas=[1, 10], cv_scores=scores).plot()
    heights = display.cv_band_.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((1.0, 8.0))


def test_several_targets_have_a_panel_each():
    X, Y = load_linnerud(return_X_y=True, as_frame=True)
    display = from_estimator(Ridge(), X, Y, alphas=ALPHAS)
    assert display.coefs.shape == (3, 3, 3)
    assert [ax.get_ylabel() for ax in display.axes_] == [f"Coefficient ({c})" for c in Y.columns]
    for target, coefs in zip(Y.to_numpy().T, display.coefs, strict=True):
        expected = Ridge(alpha=display.alphas[0]).fit(X, target).coef_
        np.testing.assert_allclose(coefs[:, 0], expected, atol=1e-8)


def test_several_targets_of_ridge_cv_share_the_error():
    X, Y = load_linnerud(return_X_y=True)
    model = RidgeCV(alphas=[0.1, 1, 10, 1e4]).fit(X, Y)
    display = from_estimator(model, X, Y)
    assert display.axes_.size == 4
    assert display.alpha_min_ == model.alpha_


def test_from_path_takes_what_enet_path_returns(data):
    X, y = data
    alphas, coefs, _ = sk.lasso_path(X - X.mean(axis=0), y - y.mean(), alphas=20)
    display = RegularizationPathDisplay.from_path(alphas, coefs, n_labels=0)
    assert len(display.ax_.texts) == 0
    drawn = np.array([line.get_ydata() for line in display.lines_[0]])
    np.testing.assert_array_equal(drawn, coefs[:, ::-1])


def test_default_grid_spans_from_no_feature_to_all(data):
    display = from_estimator(sk.Lasso(), *data)
    n_active = (np.abs(display.coefs[0]) > 1e-9).sum(axis=0)
    assert display.alphas.shape == (100,)
    assert (n_active[0], n_active[-1]) == (0, 10)
    assert n_active[1] >= 1
    ridge = from_estimator(Ridge(), *data, alphas=7)
    sizes = np.linalg.norm(ridge.coefs[0], axis=0)
    assert ridge.alphas.shape == (7,) and sizes[-1] > 100 * sizes[0]


def test_zero_weight_removes_a_row_and_two_repeats_it(data):
    X, y = data
    weights = np.ones(442)
    weights[:50], weights[50:100] = 0, 2
    rows = np.repeat(np.arange(442), weights.astype(int))
    weighted = from_estimator(
        sk.Lasso(tol=1e-10, max_iter=10**5), X, y, sample_weight=weights, alphas=6
    )
    repeated = from_estimator(sk.Lasso(tol=1e-10, max_iter=10**5), X[rows], y[rows], alphas=6)
    np.testing.assert_allclose(weighted.alphas, repeated.alphas, rtol=1e-10)
    np.testing.assert_allclose(weighted.coefs, repeated.coefs, atol=1e-3)


def test_zero_penalty_keeps_its_place():
    display = RegularizationPathDisplay.from_path([1.0, 0.1, 0.0], [[0.0, 1.0, 2.0]])
    assert display.ax_.get_xscale() == "symlog"
    display.figure_.canvas.draw()


def test_given_axes_are_used(data):
    figure, axes = matplotlib.pyplot.subplots(2)
    display = from_estimator(sk.LassoCV(alphas=5), *data, ax=axes)
    assert display.figure_ is figure and list(display.axes_) == list(axes)
    assert display.plot(axes[0], kind="cv").ax_ is axes[0]
    with pytest.raises(ValueError, match="ax must hold 2 Axes for this plot, got 1"):
        display.plot(axes[0])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"alphas": [1.0, 2.0]}, "one of coefs and cv_scores"),
        ({"alphas": [1.0], "coefs": [[1.0]]}, "two or more entries"),
        ({"alphas": [1.0, -2.0], "coefs": [[1.0, 2.0]]}, "non-negative"),
        ({"alphas": [1.0, np.nan], "coefs": [[1.0, 2.0]]}, "finite"),
        ({"alphas": [1.0, 2.0], "coefs": [[1.0, 2.0, 3.0]]}, r"coefs must have shape .*\(1, 3\)"),
        ({"alphas": [1.0, 2.0], "cv_scores": [1.0, 2.0]}, r"cv_scores must have shape \(2, n"),
        (
            {"alphas": [1.0, 2.0], "coefs": [[1.0, 2.0]], "feature_names": ["a", "b"]},
            "feature_names must have 1 entries, got 2",
        ),
        ({"alphas": [1.0, 2.0], "coefs": [[1.0, 2.0]], "penalty_name": "l"}, "penalty_name"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        RegularizationPathDisplay(**arguments)


def test_error_messages(data):
    X, y = data
    path = RegularizationPathDisplay(alphas=[1, 2], coefs=[[1, 2]])
    with pytest.raises(ValueError, match="kind must be one of"):
        path.plot(kind="errors")
    with pytest.raises(ValueError, match="kind='cv' needs cv_scores"):
        path.plot(kind="cv")
    with pytest.raises(ValueError, match="n_labels must be an integer >= 0, got -1"):
        path.plot(n_labels=-1)
    with pytest.raises(TypeError, match="must be one of Lasso, .* got LinearRegression"):
        from_estimator(sk.LinearRegression(), X, y)
    with pytest.raises(ValueError, match="X and y are needed to compute the path of Lasso"):
        from_estimator(sk.Lasso())
    with pytest.raises(ValueError, match="this LassoCV is not fitted"):
        from_estimator(sk.LassoCV())
    with pytest.raises(ValueError, match="y is needed beside X"):
        from_estimator(sk.Lasso(), X)
    with pytest.raises(ValueError, match="alphas must be an array, an integer >= 2 or None"):
        from_estimator(sk.Lasso(), X, y, alphas=1)
    with pytest.raises(ValueError, match="plot one target at a time"):
        from_estimator(RidgeCV(alpha_per_target=True), X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="no feature is correlated with y"):
        from_estimator(sk.Lasso(), X, np.ones(442))
    with pytest.raises(ValueError, match="NaN"):
        from_estimator(sk.Lasso(), np.where(X > 1, np.nan, X), y)


def test_ridge_cv_by_folds_shows_coefficients(data):
    display = from_estimator(RidgeCV(alphas=[0.1, 1.0], cv=3), *data)
    assert display.cv_scores is None
    assert display.axes_.size == 1


# --- logistic models ---------------------------------------------------------------


@pytest.fixture(scope="module")
def flowers():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return (X - X.mean()) / X.std(), np.array(["setosa", "versicolor", "virginica"])[y]


CS = np.array([1.0, 0.01, 100.0])


@pytest.mark.parametrize("package", [skextra.linear_model, sk], ids=["ours", "theirs"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_logistic_coefficients_are_those_of_a_fit_at_each_C(flowers, package, n_classes, is_sparse):
    X, y = flowers[0].to_numpy()[50 * (3 - n_classes) :], flowers[1][50 * (3 - n_classes) :]
    weights = np.random.RandomState(0).uniform(0.1, 3, len(y))
    options = {"class_weight": "balanced", "tol": 1e-10, "max_iter": 10**4}
    model = package.LogisticRegression(**options)
    display = from_estimator(
        model, sparse.csr_array(X) if is_sparse else X, y, alphas=CS, sample_weight=weights
    )
    assert display.coefs.shape == (1 if n_classes == 2 else 3, 4, 3)
    assert display.panel_names == list(np.unique(y)[1 if n_classes == 2 else 0 :])
    assert (display.penalty_name, display.alpha_selected) == ("C", 1.0)
    np.testing.assert_array_equal(display.alphas, np.sort(CS))
    for C, coefs in zip(display.alphas, np.moveaxis(display.coefs, 2, 0), strict=True):
        expected = sk.LogisticRegression(C=C, **options).fit(X, y, sample_weight=weights)
        np.testing.assert_allclose(coefs, expected.coef_, atol=2e-3)


def test_logistic_cv_is_shown_as_fitted(flowers):
    X, y = flowers
    model = LogisticRegressionCV(Cs=CS, l1_ratios=(0.1, 0.9), cv=3).fit(X, y)
    display = from_estimator(model, X, y)
    ratio = (0.1, 0.9).index(model.l1_ratio_)
    np.testing.assert_array_equal(display.cv_scores, -model.scores_[:, ratio, [1, 0, 2]].T)
    assert display.alpha_min_ == display.alpha_selected == model.C_
    assert (display.score_name, display.greater_is_better) == ("Log-loss", False)
    at_chosen = display.coefs[:, :, display.alphas == model.C_][..., 0]
    np.testing.assert_allclose(at_chosen, model.coef_, atol=0.1)
    simplest = LogisticRegressionCV(Cs=CS, l1_ratios=(0.1, 0.9), cv=3, selection_rule="1se")
    assert display.alpha_1se_ == simplest.fit(X, y).C_
    *panels, scores = display.axes_
    names = [f"Coefficient ({name})" for name in ("setosa", "versicolor", "virginica")]
    assert [ax.get_ylabel() for ax in panels] == names
    left, right = scores.get_xlim()
    assert left < right  # C grows, and so does the model, to the right
    assert scores.get_xlabel().startswith("C ")
    for lines in zip(*display.lines_, strict=True):
        assert len({line.get_color() for line in lines}) == 1


@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_brier_score", "roc_auc_ovr"])
def test_logistic_scores_keep_their_direction(flowers, scoring):
    X, y = flowers
    model = LogisticRegressionCV(Cs=CS, cv=3, scoring=scoring, selection_rule="1se").fit(X, y)
    display = from_estimator(model)
    assert display.coefs is None and display.axes_.shape == (1,)
    sign = -1 if scoring == "neg_brier_score" else 1
    assert display.greater_is_better == (sign == 1)
    np.testing.assert_array_equal(display.cv_scores, sign * model.scores_[:, 0, [1, 0, 2]].T)
    assert display.alpha_1se_ == display.alpha_selected == model.C_


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_scikit_learns_logistic_cv(flowers, legacy, n_classes):
    X, y = flowers[0][50 * (3 - n_classes) :], flowers[1][50 * (3 - n_classes) :]
    options = {"Cs": CS, "cv": 3, "l1_ratios": (0.0,), "scoring": "neg_log_loss"}
    theirs = sk.LogisticRegressionCV(use_legacy_attributes=legacy, **options).fit(X, y)
    display = from_estimator(theirs, X, y)
    ours = from_estimator(LogisticRegressionCV(**options), X, y)
    np.testing.assert_allclose(display.cv_scores, ours.cv_scores, atol=5e-3)
    np.testing.assert_allclose(display.coefs, ours.coefs, atol=1e-8)
    assert display.alpha_selected == ours.alpha_selected


def test_panels_are_chosen_by_name(flowers):
    X, y = flowers
    model = LogisticRegression(l1_ratio=1)
    display = from_estimator(model, X, y, alphas=5, panels=["virginica", "setosa"])
    every = from_estimator(model, X, y, alphas=5)
    assert not every.coefs[..., 0].any() and every.coefs[..., 1].any()
    np.testing.assert_array_equal(display.coefs, every.coefs[[2, 0]])
    assert [ax.get_ylabel()[13:-1] for ax in display.axes_] == ["virginica", "setosa"]
    with pytest.raises(ValueError, match="panels must be some of .*'virginica'.*got .'rose'"):
        from_estimator(model, X, y, alphas=5, panels=["rose"])
    targets = load_linnerud(return_X_y=True)
    assert from_estimator(Ridge(), *targets, alphas=5, panels=[1]).coefs.shape == (1, 3, 5)


def test_more_lines_than_colors_repeat_none_that_is_in_use():
    coefs = np.zeros((2, 14, 2))
    coefs[0, :7, 1], coefs[1, 4:12, 1] = np.arange(1, 8), np.arange(1, 9)
    display = RegularizationPathDisplay.from_path([1, 2], coefs, penalty_name="C")
    for lines, kept in zip(display.lines_, (slice(0, 7), slice(4, 12)), strict=True):
        colors = [line.get_color() for line in lines[kept]]
        assert len(set(colors)) == len(colors)


def test_infinite_C_has_no_place_on_the_axis(flowers):
    X, y = flowers
    scores = np.arange(6.0).reshape(2, 1, 3)
    model = LogisticRegressionCV(Cs=[np.inf, 1.0, 0.1])
    model.Cs_, model.C_, model.l1_ratio_, model.scores_ = np.array(model.Cs), np.inf, 0.0, scores
    display = from_estimator(model)
    np.testing.assert_array_equal(display.alphas, [0.1, 1.0])
    np.testing.assert_array_equal(display.cv_scores, -scores[:, 0, [2, 1]].T)
    assert display.alpha_selected is None


def test_logistic_refusals(flowers):
    X, y = flowers
    with pytest.raises(ValueError, match="X and y are needed to compute the path of Logistic"):
        from_estimator(LogisticRegression())
    with pytest.raises(ValueError, match="this LogisticRegressionCV is not fitted"):
        from_estimator(LogisticRegressionCV())
    with pytest.raises(ValueError, match="y is needed beside X"):
        from_estimator(LogisticRegression(), X)
    for alphas in (1, True, 2.5):
        with pytest.raises(ValueError, match="alphas must be an array, an integer >= 2 or None"):
            from_estimator(LogisticRegression(), X, y, alphas=alphas)


def test_importing_the_display_leaves_matplotlib_out():
    code = "import sys; import skextra.linear_model; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_absent_matplotlib_says_what_to_install(monkeypatch, data):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="needs matplotlib: pip install matplotlib"):
        from_estimator(sk.Lasso(), *data)
