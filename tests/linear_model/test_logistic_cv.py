"""LogisticRegressionCV: scores, choices and attributes, against scikit-learn and by hand."""

import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, f1_score, get_scorer, log_loss, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold

from skextra.linear_model import LogisticRegression, LogisticRegressionCV

CS = [0.3, 0.01, 20.0]
SCORINGS = ["neg_log_loss", "accuracy", None, "roc_auc_ovr", "neg_brier_score"]
TIGHT = {"tol": 1e-11}


def make(n_classes=2, n_samples=120, n_features=6, seed=0):
    X, y = make_classification(
        n_samples, n_features, n_informative=4, n_redundant=1, n_classes=n_classes, flip_y=0.2,
        class_sep=0.6, random_state=seed,
    )  # fmt: skip
    return X, y


def fit_theirs(X, y, sample_weight=None, **options):
    options = {"scoring": "neg_log_loss", "l1_ratios": (0.0,)} | options
    options |= {"use_legacy_attributes": False, "solver": "newton-cholesky", "tol": 1e-10}
    return sk.LogisticRegressionCV(**options).fit(X, y, sample_weight=sample_weight)


# --- against scikit-learn and separate fits ----------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "scoring", ["neg_log_loss", "accuracy", None, "roc_auc_ovr", "neg_brier_score"]
)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_equals_scikit_learn(n_classes, scoring, is_weighted):
    X, y = make(n_classes)
    weights = np.random.default_rng(0).uniform(0.2, 3, len(y)) if is_weighted else None
    options = {"Cs": CS, "cv": 4, "scoring": scoring, "class_weight": "balanced"}
    theirs = fit_theirs(X, y, weights, **options)
    ours = LogisticRegressionCV(**options, **TIGHT).fit(X, y, sample_weight=weights)
    assert_allclose(ours.scores_, theirs.scores_, atol=1e-5)
    assert_allclose(ours.coefs_paths_, theirs.coefs_paths_, atol=1e-3)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-3)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-3)
    assert (ours.C_, ours.l1_ratio_) == (theirs.C_, theirs.l1_ratio_)
    assert_array_equal(ours.Cs_, CS)
    assert_array_equal(ours.l1_ratios_, [0.0])
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_elastic_net_equals_separate_fits(n_classes, kind, fit_intercept):
    X, y = make(n_classes)
    labels = np.array(["ant", "bee", "cat"])[y]
    weights = np.random.default_rng(1).uniform(0.2, 3, len(y))
    penalty = np.array([0.0, np.inf, 1, 2, 1, 1])
    options = {"fit_intercept": fit_intercept, "penalty_weights": penalty, **TIGHT}
    ratios = [0.9, 0.2]
    model = LogisticRegressionCV(Cs=CS, l1_ratios=ratios, cv=3, **options)
    model.fit(kind(X), labels, sample_weight=weights)
    rows = 1 if n_classes == 2 else 3
    assert model.scores_.shape == (3, 2, 3)
    assert model.coefs_paths_.shape == (3, 2, 3, rows, 6 + fit_intercept)
    for fold, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        for i, ratio in enumerate(ratios):
            for j, C in enumerate(CS):
                one = LogisticRegression(C=C, l1_ratio=ratio, **options)
                one.fit(X[train], labels[train], sample_weight=weights[train])
                expected = -log_loss(
                    labels[test], y_proba=one.predict_proba(X[test]), sample_weight=weights[test]
                )
                assert model.scores_[fold, i, j] == pytest.approx(expected, abs=1e-4)
                path = model.coefs_paths_[fold, i, j]
                assert_allclose(path[:, :6], one.coef_, atol=1e-3)
                if fit_intercept:
                    assert_allclose(path[:, 6], one.intercept_, atol=1e-3)
    best = np.unravel_index(model.scores_.mean(axis=0).argmax(), (2, 3))
    assert (model.l1_ratio_, model.C_) == (ratios[best[0]], CS[best[1]])
    final = LogisticRegression(C=model.C_, l1_ratio=model.l1_ratio_, **options)
    final.fit(X, labels, sample_weight=weights)
    assert_allclose(model.coef_, final.coef_, atol=1e-3)
    assert_array_equal(model.predict(kind(X)), final.predict(X))
    assert model.converged_ and model.dual_gap_ <= 1e-11


def test_cs_as_a_number_are_scikit_learns():
    X, y = make()
    model = LogisticRegressionCV(Cs=4, cv=3).fit(X, y)
    assert_allclose(model.Cs_, np.logspace(-4, 4, 4))
    assert LogisticRegressionCV(Cs=1, cv=3).fit(X, y).C_ == 1e-4


def test_no_penalty_may_be_among_the_choices():
    X, y = make(n_samples=300)
    model = LogisticRegressionCV(Cs=[1e-6, np.inf], **TIGHT).fit(X, y)
    assert np.isinf(model.C_)
    free = LogisticRegression(C=np.inf, **TIGHT).fit(X, y)
    assert_allclose(model.predict_proba(X), free.predict_proba(X), atol=1e-5)


def test_equal_scores_fall_to_the_first():
    X, y = make(n_samples=60)
    ratios = [1.0, 0.5]
    model = LogisticRegressionCV(Cs=[1e-7, 1e-6], l1_ratios=ratios, scoring="accuracy", cv=3)
    model.fit(X, y)
    assert (model.C_, model.l1_ratio_) == (1e-7, 1.0)


# --- choices -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("l1_ratios", [(1.0,), (0.1, 0.9)])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
def test_one_standard_error_rule(seed, l1_ratios, scoring):
    X, y = make(n_samples=80, seed=seed)
    Cs = np.logspace(3, -3, 9)[np.random.default_rng(seed).permutation(9)]
    options = {"Cs": Cs, "l1_ratios": l1_ratios, "scoring": scoring, "tol": 1e-7}
    best = LogisticRegressionCV(**options).fit(X, y)
    simplest = LogisticRegressionCV(selection_rule="1se", **options).fit(X, y)
    assert_array_equal(best.scores_, simplest.scores_)
    assert simplest.l1_ratio_ == best.l1_ratio_
    ratio = l1_ratios.index(best.l1_ratio_)
    folds = best.scores_[:, ratio]
    means = [sum(scores) / 5 for scores in folds.T]
    chosen = list(Cs).index(best.C_)
    error = np.sqrt(sum((s - means[chosen]) ** 2 for s in folds[:, chosen]) / 4 / 5)
    assert best.mean_scores_[ratio] == pytest.approx(means)
    assert best.standard_errors_[ratio, chosen] == pytest.approx(error)
    expected = min(C for C, mean in zip(Cs, means, strict=True) if mean >= max(means) - error)
    assert simplest.C_ == expected <= best.C_
    refit = LogisticRegression(C=expected, l1_ratio=best.l1_ratio_, tol=1e-9).fit(X, y)
    assert_allclose(simplest.coef_, refit.coef_, atol=2e-3)


def test_one_fold_has_no_standard_error():
    X, y = make()
    options = {"Cs": CS, "cv": [(np.arange(80), np.arange(80, 120))]}
    best = LogisticRegressionCV(**options).fit(X, y)
    assert best.C_ == LogisticRegressionCV(selection_rule="1se", **options).fit(X, y).C_
    assert not best.standard_errors_.any()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_without_refit_the_best_of_each_fold_are_averaged(n_classes, fit_intercept):
    X, y = make(n_classes, seed=1)
    options = {"Cs": CS, "fit_intercept": fit_intercept, "refit": False}
    model = LogisticRegressionCV(l1_ratios=(0.0, 1.0), **options, **TIGHT).fit(X, y)
    models, Cs, ratios = [], [], []
    for scores, paths in zip(model.scores_, model.coefs_paths_, strict=True):
        i, j = np.unravel_index(scores.argmax(), scores.shape)
        models.append(paths[i, j])
        Cs.append(CS[j])
        ratios.append(float(i))
    mean = np.mean(models, axis=0)
    assert_allclose(model.coef_, mean[:, :6])
    assert_allclose(model.intercept_, mean[:, 6] if fit_intercept else 0.0)
    assert (model.C_, model.l1_ratio_) == pytest.approx((np.mean(Cs), np.mean(ratios)))
    assert model.converged_ and 0 <= model.dual_gap_ <= 1e-11
    theirs = fit_theirs(X, y, **options)
    ours = LogisticRegressionCV(**options, **TIGHT).fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-3)
    assert_allclose(ours.C_, theirs.C_)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("refit", [True, False])
def test_legacy_attributes_are_scikit_learns(n_classes, refit):
    X, y = make(n_classes)
    options = {"Cs": CS, "l1_ratios": (0.0,), "use_legacy_attributes": True, "refit": refit}
    options |= {"scoring": "neg_log_loss", "cv": 3}
    theirs = sk.LogisticRegressionCV(solver="newton-cholesky", tol=1e-10, **options).fit(X, y)
    ours = LogisticRegressionCV(**options, **TIGHT).fit(X, y)
    for name in ("C_", "l1_ratio_"):
        assert_allclose(getattr(ours, name), getattr(theirs, name))
    for name in ("scores_", "coefs_paths_"):
        expected, actual = getattr(theirs, name), getattr(ours, name)
        assert list(actual) == list(expected)
        for label, value in expected.items():
            assert_allclose(actual[label], value, atol=1e-3)
    assert ours.n_iter_.shape == theirs.n_iter_.shape


# --- folds, scorers, routing -------------------------------------------------------


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3, shuffle=True, random_state=0),
        ShuffleSplit(2, random_state=0),
        [(np.arange(60), np.arange(60, 120)), (np.arange(120) % 2 == 0, np.arange(120) % 2 == 1)],
        (split for split in KFold(3).split(np.zeros(120))),
    ],
    ids=["k-fold", "shuffle", "masks", "generator"],
)
def test_splitters(cv):
    X, y = make()
    splits = list(cv.split(X, y) if hasattr(cv, "split") else cv)
    model = LogisticRegressionCV(Cs=CS, cv=splits, **TIGHT).fit(X, y)
    if hasattr(cv, "split"):
        again = LogisticRegressionCV(Cs=CS, cv=cv, **TIGHT).fit(X, y)
        assert_array_equal(again.scores_, model.scores_)
    for scores, (train, test) in zip(model.scores_[:, 0], splits, strict=True):
        one = LogisticRegression(C=CS[0], **TIGHT).fit(X[train], y[train])
        expected = -log_loss(y[test], y_proba=one.predict_proba(X[test]))
        assert scores[0] == pytest.approx(expected, abs=1e-5)


def test_groups_are_routed_to_the_splitter():
    X, y = make()
    groups = np.random.default_rng(0).integers(0, 6, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegressionCV(Cs=CS, cv=GroupKFold(3)).fit(X, y, groups=groups)
    folds = list(GroupKFold(3).split(X, y, groups))
    expected = LogisticRegressionCV(Cs=CS, cv=folds).fit(X, y)
    assert_array_equal(model.scores_, expected.scores_)
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        LogisticRegressionCV(Cs=CS, cv=GroupKFold(3)).fit(X, y, groups=groups)


@pytest.mark.parametrize("name", ["accuracy", "neg_log_loss", "neg_brier_score"])
def test_weights_are_routed_to_the_scorer(name):
    X, y = make()
    weights = np.random.default_rng(0).uniform(0.1, 4, len(y))
    scores = {}
    with sklearn.config_context(enable_metadata_routing=True):
        for wanted in (True, False):
            scorer = get_scorer(name).set_score_request(sample_weight=wanted)
            model = LogisticRegressionCV(Cs=CS, cv=3, scoring=scorer)
            model.set_fit_request(sample_weight=True)
            scores[wanted] = model.fit(X, y, sample_weight=weights).scores_
    assert_array_equal(
        LogisticRegressionCV(Cs=CS, cv=3, scoring=name).fit(X, y, sample_weight=weights).scores_,
        scores[True],
    )
    assert np.abs(scores[True] - scores[False]).max() > 1e-3


def test_score_uses_the_scorer():
    X, y = make()
    weights = np.random.default_rng(0).uniform(0.1, 4, len(y))
    model = LogisticRegressionCV(Cs=CS, cv=3).fit(X, y)
    expected = -log_loss(y, y_proba=model.predict_proba(X), sample_weight=weights)
    assert model.score(X, y, sample_weight=weights) == pytest.approx(expected)
    model = LogisticRegressionCV(Cs=CS, cv=3, scoring=None).fit(X, y)
    assert model.score(X, y) == accuracy_score(y, model.predict(X))


def test_a_callable_sees_each_model_in_the_order_given():
    X, y = make(3)
    seen = []

    def scorer(model, X, y):
        seen.append(model.C)
        assert model.predict_proba(X).shape == (len(y), 3)
        return -model.C

    model = LogisticRegressionCV(Cs=CS, cv=2, scoring=scorer).fit(X, y)
    assert seen == CS * 2
    assert_array_equal(model.scores_, np.tile([[-C for C in CS]], (2, 1, 1)))
    assert_array_equal(model.C_, min(CS))
    with pytest.warns(UserWarning, match="does not support sample_weight"):
        LogisticRegressionCV(Cs=CS, cv=2, scoring=scorer).fit(X, y, sample_weight=np.ones(120) * 2)


def test_fast_scores_are_those_of_the_scorers():
    X, y = make(3)
    labels = np.array(["ant", "bee", "cat"])[y]
    for name, function in (("neg_log_loss", log_loss), ("accuracy", accuracy_score)):
        response = "predict_proba" if name == "neg_log_loss" else "predict"

        def slow(*args, function=function, **options):
            return function(*args, **options)

        scorer = make_scorer(slow, greater_is_better=name == "accuracy", response_method=response)
        options = {"Cs": [1e-3, 1.0, 1e8], "cv": 3, "max_iter": 1000}
        fast = LogisticRegressionCV(scoring=name, **options).fit(50 * X, labels)
        reference = LogisticRegressionCV(scoring=scorer, **options).fit(50 * X, labels)
        assert_allclose(fast.scores_, reference.scores_, rtol=1e-9)
        assert_array_equal(fast.coef_, reference.coef_)


def test_scorers_that_take_labels_and_a_positive_label():
    X, y = make()
    labels = np.array(["ant", "bee"])[y]
    options = {"Cs": CS, "cv": 3}
    plain = LogisticRegressionCV(scoring="f1", **options).fit(X, y)
    named = LogisticRegressionCV(
        scoring=make_scorer(f1_score, pos_label="bee"), **options
    ).fit(X, labels)  # fmt: skip
    assert_array_equal(named.scores_, plain.scores_)
    # scikit-learn's raises a TypeError: it gives `pos_label` twice.
    macro = LogisticRegressionCV(scoring="f1_macro", **options).fit(X, y)
    assert np.isfinite(macro.scores_).all()


def test_scores_that_are_nan_are_never_chosen():
    X, y = make()
    values = iter([np.nan, 0.1, 0.2, 0.3, 0.2, 0.1])
    model = LogisticRegressionCV(Cs=CS, cv=2, scoring=lambda *_: next(values)).fit(X, y)
    assert_array_equal(model.C_, CS[1])
    with pytest.raises(ValueError, match="gave no finite score"):
        LogisticRegressionCV(Cs=CS, cv=2, scoring=lambda *_: np.nan).fit(X, y)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_a_class_that_a_fold_lacks(n_classes, l1_ratio):
    X, y = make(max(n_classes, 3), n_samples=200)
    X, y = X[y < n_classes], y[y < n_classes]
    lacking = np.flatnonzero(y != 1)
    folds = [(lacking, np.arange(len(y))), (np.arange(0, len(y), 2), np.arange(1, len(y), 2))]
    options = {"cv": folds, "Cs": CS, "l1_ratios": (l1_ratio,)}
    model = LogisticRegressionCV(**options, **TIGHT).fit(X, y)
    scores, paths = model.scores_[0, 0], model.coefs_paths_[0, 0]
    assert np.isfinite(scores).all() and np.isfinite(paths).all()
    share = np.mean(y == 1)
    assert (scores < -36 * share).all()
    for C, path in zip(CS, paths, strict=True):
        scored = LogisticRegression().fit(X, y)
        scored.coef_, scored.intercept_ = path[:, :-1], path[:, -1]
        probabilities = scored.predict_proba(X[lacking])
        assert probabilities[:, 1].max() < 1e-15
        if n_classes == 4:  # three classes are left: a softmax as any other
            one = LogisticRegression(C=C, l1_ratio=l1_ratio, **TIGHT).fit(X[lacking], y[lacking])
            assert_allclose(probabilities[:, [0, 2, 3]], one.predict_proba(X[lacking]), atol=1e-5)
        if n_classes == 3:  # the optimum of the softmax with an all but impossible class
            rows = np.r_[lacking, np.flatnonzero(y == 1)[:1]]
            weights = np.r_[np.ones(len(lacking)), 1e-13]
            one = LogisticRegression(C=C, l1_ratio=l1_ratio, tol=1e-13, max_iter=1000)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                one.fit(X[rows], y[rows], sample_weight=weights)
            assert_allclose(probabilities, one.predict_proba(X[lacking]), atol=1e-4)
    accuracy = LogisticRegressionCV(scoring="accuracy", **options).fit(X, y)
    assert (accuracy.scores_[0] <= 1 - share + 1e-12).all()


def test_a_class_that_a_fold_lacks_without_an_intercept():
    X, y = make(3)
    folds = [(np.flatnonzero(y != 1), np.arange(120))]
    options = {"cv": folds, "Cs": CS, "fit_intercept": False}
    ours = LogisticRegressionCV(**options, **TIGHT).fit(X, y)
    assert_allclose(ours.scores_, fit_theirs(X, y, **options).scores_, atol=1e-4)


# --- invariances and refusals ------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "f1_macro"])
def test_threads_do_not_change_a_bit(n_classes, kind, scoring):
    X, y = make(n_classes)
    options = {"Cs": CS, "l1_ratios": (0.0, 0.7), "scoring": scoring}
    one = LogisticRegressionCV(n_jobs=1, **options).fit(kind(X), y)
    two = LogisticRegressionCV(n_jobs=2, **options).fit(kind(X), y)
    for name in ("scores_", "coefs_paths_", "n_iter_", "coef_", "intercept_", "C_", "l1_ratio_"):
        assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_see_a_task_for_each_fold_and_ratio(n_jobs):
    pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")
    seen = []

    class Recorder:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context, **given):
            seen.append(("begin", context.task_name, context.task_id))

        def on_fit_task_end(self, estimator, context, **given):
            seen.append(("end", context.task_name, context.task_id))

    X, y = make()
    options = {"Cs": CS, "l1_ratios": (0.0, 0.5), "cv": 3, "n_jobs": n_jobs}
    model = LogisticRegressionCV(**options)
    model.set_callbacks(Recorder()).fit(X, y)
    tasks = [("fit", 0), *(("path", i) for i in range(6))]
    assert sorted(seen) == sorted((hook, *task) for hook in ("begin", "end") for task in tasks)
    assert seen[0] == ("begin", "fit", 0) and seen[-1] == ("end", "fit", 0)
    assert_array_equal(model.coef_, LogisticRegressionCV(**options).fit(X, y).coef_)


def test_blocks_do_not_change_scores(monkeypatch):
    from skextra._core.logistic import missing_classes as core

    X, y = make(3)
    whole = LogisticRegressionCV(Cs=CS).fit(X, y)
    monkeypatch.setattr(core, "_BLOCK", 20)
    assert_allclose(LogisticRegressionCV(Cs=CS).fit(X, y).scores_, whole.scores_, rtol=1e-12)


def test_integer_weights_repeat_rows():
    X, y = make(3)
    counts = np.random.default_rng(0).integers(1, 4, len(y))
    rows = np.repeat(np.arange(len(y)), counts)
    folds = list(StratifiedKFold(3).split(X, y))
    repeated = [tuple(np.flatnonzero(np.isin(rows, part)) for part in fold) for fold in folds]
    options = {"Cs": CS, "l1_ratios": (0.5,), **TIGHT}
    weighted = LogisticRegressionCV(cv=folds, **options).fit(X, y, sample_weight=counts)
    plain = LogisticRegressionCV(cv=repeated, **options).fit(X[rows], y[rows])
    assert_allclose(weighted.scores_, plain.scores_, atol=1e-5)
    assert_allclose(weighted.coef_, plain.coef_, atol=1e-4)


def test_single_precision():
    X, y = make(3)
    single = LogisticRegressionCV(Cs=CS).fit(X.astype(np.float32), y)
    double = LogisticRegressionCV(Cs=CS).fit(X, y)
    assert single.coef_.dtype == single.coefs_paths_.dtype == np.float32
    assert_allclose(single.scores_, double.scores_, atol=1e-3)
    assert single.C_ == double.C_


@pytest.mark.parametrize("part", [0, 1])
def test_parts_without_weight_are_refused(part):
    X, y = make()
    folds = [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]
    weights = np.r_[np.zeros(60), np.ones(60)]
    name = ["training", "test"][part]
    with pytest.raises(ValueError, match=f"all zero in the {name} part of a fold"):
        LogisticRegressionCV(cv=folds[part:]).fit(X, y, sample_weight=weights)


def test_unfinished_folds_warn():
    X, y = make()
    with pytest.warns(ConvergenceWarning) as caught:
        model = LogisticRegressionCV(Cs=CS, cv=3, tol=1e-12, max_iter=1).fit(X, y)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert messages[0].startswith("3 of 3 paths failed to converge during cross-validation")
    assert messages[1].startswith("1 of 1 logistic models failed to converge")
    assert {warning.filename for warning in caught} == {__file__}
    assert not model.converged_


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"Cs": [1.0, -1.0]}, "Cs must be positive"),
        ({"Cs": [np.nan]}, "Cs must be positive"),
        ({"Cs": []}, "Cs must be a one-dimensional array of at least one number"),
        ({"Cs": ["a"]}, "Cs must be an array of numbers"),
        ({"Cs": 0}, "'Cs' parameter"),
        ({"l1_ratios": []}, "l1_ratios must be a one-dimensional"),
        ({"l1_ratios": [0.5, 1.5]}, "l1_ratios must be numbers between 0 and 1"),
        ({"l1_ratios": [np.nan]}, "l1_ratios must be numbers between 0 and 1"),
        ({"penalty": "l3"}, "'penalty' parameter"),
        ({"scoring": "nothing"}, "'scoring' parameter"),
        ({"selection_rule": "2se"}, "'selection_rule' parameter"),
        ({"selection_rule": "1se", "refit": False}, "selection_rule='1se' needs refit=True"),
        ({"penalty_weights": [1.0]}, "penalty_weights must have shape"),
        ({"cv": [(np.arange(60), np.array([], dtype=int))]}, "at least one training row"),
    ],
)
def test_bad_parameters(options, match):
    X, y = make()
    with pytest.raises(ValueError, match=match):
        LogisticRegressionCV(**options).fit(X, y)
