import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from skextra._core.svm import platt
from skextra._core.svm.content_folds import assign_folds, hash_rows
from skextra._core.svm.one_vs_one import (
    collect,
    compute_class_scores,
    count_votes,
    expand,
    list_pairs,
)


def test_sigmoid_maximizes_the_likelihood():
    rng = np.random.default_rng(0)
    decisions = 5 * rng.standard_normal(200)
    is_positive = rng.random(200) < expit(0.7 * decisions - 0.4)
    weights = rng.uniform(0.5, 2.0, 200)
    slope, offset = platt.fit_sigmoid(decisions, is_positive, weights)
    up, down = weights[is_positive].sum(), weights[~is_positive].sum()
    targets = np.where(is_positive, (up + 1) / (up + 2), 1 / (down + 2))

    def loss(v):
        p = expit(-(v[0] * decisions + v[1]))
        return -(weights @ (targets * np.log(p) + (1 - targets) * np.log(1 - p)))

    reference = minimize(loss, [-0.5, 0.0], tol=1e-12)
    np.testing.assert_allclose([slope, offset], reference.x, atol=1e-4)
    assert slope < 0


def test_sigmoid_weight_two_is_the_value_twice():
    rng = np.random.default_rng(1)
    decisions, is_positive = rng.standard_normal(30), rng.random(30) < 0.4
    repeats = rng.integers(1, 4, 30)
    first = platt.fit_sigmoid(decisions, is_positive, repeats.astype(float))
    second = platt.fit_sigmoid(
        np.repeat(decisions, repeats), np.repeat(is_positive, repeats), np.ones(repeats.sum())
    )
    np.testing.assert_allclose(first, second, rtol=1e-8)


def test_sigmoid_never_falls():
    decisions = np.linspace(-1, 1, 40)
    slope, offset = platt.fit_sigmoid(decisions, decisions < 0, np.ones(40))
    assert slope == 0.0
    np.testing.assert_allclose(expit(-offset), 0.5, atol=1e-6)
    slope, _ = platt.fit_sigmoid(np.zeros(40), np.arange(40) < 10, np.ones(40))
    assert slope == 0.0


def test_coupling_recovers_consistent_probabilities():
    rng = np.random.default_rng(2)
    for n_classes in (3, 5):
        p = rng.dirichlet(np.ones(n_classes), 20)
        pairs = list_pairs(n_classes)
        within = np.column_stack([p[:, i] / (p[:, i] + p[:, j]) for i, j in pairs])
        np.testing.assert_allclose(platt.couple_pairs(within, pairs, n_classes), p, atol=1e-6)


def test_coupling_minimizes_its_objective():
    rng = np.random.default_rng(3)
    pairs = list_pairs(4)
    within = rng.uniform(0.05, 0.95, (5, len(pairs)))
    found = platt.couple_pairs(within, pairs, 4)

    def objective(p, r):
        return sum(((1 - r[k]) * p[i] - r[k] * p[j]) ** 2 for k, (i, j) in enumerate(pairs))

    for p, r in zip(found, within, strict=True):
        reference = minimize(
            objective, np.full(4, 0.25), args=(r,), method="SLSQP", bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1}, options={"ftol": 1e-14},
        )  # fmt: skip
        np.testing.assert_allclose(p, reference.x, atol=1e-4)
        np.testing.assert_allclose(p.sum(), 1.0)


def test_hashes_differ_by_content():
    from scipy import sparse

    rng = np.random.default_rng(4)
    X = np.where(rng.random((300, 7)) < 0.5, 0.0, rng.integers(-3, 4, (300, 7))).astype(float)
    hashes = hash_rows(X)
    for _, rows in enumerate(np.unique(X, axis=0)):
        same = (rows == X).all(axis=1)
        assert len(set(hashes[same])) == 1
        assert not set(hashes[same]) & set(hashes[~same])
    np.testing.assert_array_equal(hash_rows(sparse.csr_array(X)), hashes)
    np.testing.assert_array_equal(hash_rows(X.astype(np.float32)), hashes)
    np.testing.assert_array_equal(hash_rows(-0.0 * np.ones((1, 3))), hash_rows(np.zeros((1, 3))))


def test_folds_are_stratified_and_keep_twins_together():
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 60, 300).astype(np.uint64)
    codes, weights = (np.arange(300) % 4 == 0).astype(int), np.ones(300)
    folds = assign_folds(hashes, codes, weights, 5)
    for code in (0, 1):
        counts = np.bincount(folds[codes == code], minlength=5)
        assert counts.min() >= 0.4 * counts.mean()
        for value in np.unique(hashes):
            assert len(set(folds[(hashes == value) & (codes == code)])) <= 1
    order = rng.permutation(300)
    np.testing.assert_array_equal(
        assign_folds(hashes[order], codes[order], weights, 5), folds[order]
    )


def test_few_rows_have_a_fold_each():
    folds = assign_folds(np.arange(3, dtype=np.uint64), np.zeros(3, int), np.ones(3), 5)
    assert sorted(folds) == [0, 1, 2]


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_tables_of_coefficients_come_apart_as_they_were_put_together(n_classes):
    rng = np.random.default_rng(6)
    members = [np.arange(5) + 5 * k for k in range(n_classes)]
    alphas = [np.where(rng.random(10) < 0.5, 0.0, rng.random(10)) for _ in list_pairs(n_classes)]
    support, n_support, table = collect(alphas, members, n_classes)
    coefs = expand(table, n_support)
    for p, (i, j) in enumerate(list_pairs(n_classes)):
        expected = np.zeros(5 * n_classes)
        expected[members[i]], expected[members[j]] = alphas[p][:5], -alphas[p][5:]
        np.testing.assert_array_equal(coefs[:, p], expected[support])


def test_scores_never_turn_votes_around():
    rng = np.random.default_rng(7)
    decisions = 100 * rng.standard_normal((50, 6))
    votes = count_votes(decisions, 4)
    scores = compute_class_scores(decisions, 4)
    assert (np.abs(scores - votes) < 1 / 3).all()
