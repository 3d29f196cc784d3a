"""Densities in leaves, against the same formulas in SciPy over boxes that Python finds."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from skextra._core import tree
from skextra._core.generative import draws, evidence, leaf_fit, leaves
from skextra._core.tree.nodes import FEATURE_MASK, concatenate

N_CATEGORIES = [0, 3, 0]


def run(function, tasks):
    return [function(*task) for task in tasks]


@pytest.fixture(scope="module")
def fitted():
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3)).astype(np.float32)
    X[:, 1] = random.integers(0, 3, 60)
    other = np.stack([random.permutation(column) for column in X.T], axis=1)
    other = np.ascontiguousarray(other)
    settings = tree.grow.Settings("gini", max_features=2, min_samples_leaf=3)
    target = tree.problem.classification_target(np.repeat([1, 0], 60), 2)
    codes = tree.encode.encode_dense(np.concatenate([X, other]))
    grown = [tree.grow.grow_tree(codes, target, None, settings, seed) for seed in (1, 2)]
    trees = concatenate(grown)
    model = leaf_fit.fit_leaves(trees, X, other, N_CATEGORIES, np.full(3, 1e-3), run)
    return model, X, other


def list_boxes(trees, index):
    """Lower and upper bounds of a tree's leaves, by number."""
    nodes = trees.get_tree(index).nodes
    boxes = {}

    def visit(node, lower, upper):
        feature, bits, right = nodes[node]
        if right < 0:
            boxes[~right] = lower, upper
            return
        feature, cut = feature & FEATURE_MASK, float(np.int32(bits).view(np.float32))
        visit(node + 1, lower, {**upper, feature: cut})
        visit(right, {**lower, feature: cut}, upper)

    visit(0, {}, {})
    return boxes


def compute_parts(model, X, other):
    """Of each leaf: its share, and the three densities as functions."""
    for index in range(model.trees.n_trees):
        for _, (lower, upper) in sorted(list_boxes(model.trees, index).items()):
            low = [lower.get(j, -np.inf) for j in range(3)]
            high = [upper.get(j, np.inf) for j in range(3)]
            inside, of_other = (
                rows[((rows > low) & (rows <= high)).all(axis=1)] for rows in (X, other)
            )
            share = (len(inside) + len(of_other) / len(other)) / (len(X) + 1)
            yield (
                share,
                [
                    make_density(inside[:, j], X[:, j], low[j], high[j], N_CATEGORIES[j])
                    for j in range(3)
                ],
            )


def make_density(values, column, low, high, n_categories):
    values, column = values.astype(float), column.astype(float)
    if n_categories:
        prior = (np.bincount(column.astype(int), minlength=3) + 1) / (len(column) + 3)
        prior *= (np.arange(3) > low) & (np.arange(3) <= high)
        counts = np.bincount(values.astype(int), minlength=3) + prior / prior.sum()
        return lambda x: (counts / counts.sum())[int(x)]
    left, right = np.clip([low, high], column.min(), column.max())
    middle, n = (left + right) / 2, len(values)
    mean = (values.sum() + middle) / (n + 1)
    spread = (right - left) ** 2 / 12 + (middle - mean) ** 2
    scale = np.sqrt((((values - mean) ** 2).sum() + spread) / (n + 1))
    bounds = (low - mean) / scale, (high - mean) / scale
    normal = stats.truncnorm(*bounds, loc=mean, scale=scale)
    return lambda x: normal.pdf(x) if low < x <= high else 0.0


def test_scores_are_those_of_the_formula(fitted):
    model, X, other = fitted
    rows = X[:6].copy()
    rows[3, 0] = rows[4, 1] = rows[4, 2] = rows[5, 0] = rows[5, 2] = np.nan
    parts = list(compute_parts(model, X, other))
    assert len(parts) == len(model.log_shares)
    expected = [
        sum(
            share * np.prod([f(x) for f, x in zip(densities, row, strict=True) if x == x])
            for share, densities in parts
        )
        / model.trees.n_trees
        for row in rows
    ]
    assert_allclose(leaves.score_rows(model, rows, run), np.log(expected), rtol=1e-6)


def test_probabilities_of_boxes_add_up(fitted):
    """Of intervals of two columns and categories of the third."""
    model, _, _ = fitted
    cuts, total = [-np.inf, -0.4, 1.1, np.inf], 0.0
    for first, second, category in itertools.product(range(3), range(3), range(3)):
        known = evidence.make_evidence(model)
        known.low[[0, 2]] = cuts[first], cuts[second]
        known.high[[0, 2]] = cuts[first + 1], cuts[second + 1]
        known.allowed[:] = np.arange(3) == category
        total += np.exp(special.logsumexp(evidence.weigh_leaves(model, known)))
    assert_allclose(total, model.trees.n_trees, rtol=1e-9)


def test_values_as_evidence_are_rows_with_missing_values(fitted):
    model, X, _ = fitted
    row = X[:1].copy()
    row[0, 1] = np.nan
    known = evidence.make_evidence(model)
    known.values[[0, 2]] = row[0, [0, 2]]
    weights = evidence.weigh_leaves(model, known)
    expected = leaves.score_rows(model, row, run)[0] + np.log(model.trees.n_trees)
    assert_allclose(special.logsumexp(weights), expected, rtol=1e-9)


def test_draws_stay_in_their_leaves_and_means_are_those_of_draws(fitted):
    model, X, _ = fitted
    n = 300
    uniforms = (np.arange(n)[:, None] + np.full(3, 0.5)) / n
    known = evidence.make_evidence(model)
    for leaf in range(0, len(model.log_shares), 5):
        chosen = np.full(n, leaf)
        drawn = draws.draw_from_leaves(
            model, chosen, known.low, known.high, known.allowed, uniforms, run
        )
        assert (drawn >= model.lower[leaf]).all() and (drawn <= model.upper[leaf]).all()
        shares = np.bincount(drawn[:, 1].astype(int), minlength=3) / n
        assert_allclose(shares, np.exp(model.log_probabilities[leaf]), atol=2 / n)
    row = X[:1].copy()
    row[0, [0, 1]] = np.nan
    coarse, fine = (np.arange(12) + 0.5) / 12, (np.arange(800) + 0.5) / 800
    uniforms = np.array([(u, 0.5, 0.5, w) for u, w in itertools.product(coarse, fine)])
    rows = np.repeat(row, len(uniforms), axis=0)
    drawn = draws.impute_rows(model, rows, uniforms, False, run)
    mean = draws.impute_rows(model, row, np.zeros((1, 4)), True, run)
    assert_allclose(drawn[:, 0].mean(), mean[0, 0], atol=0.03)
    assert (drawn[:, 2] == row[0, 2]).all() and mean[0, 2] == row[0, 2]
