"""The samplers as transformers: distributions, keys of noise, output, pipelines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skextra.sampling import (
    GumbelMaxSampler,
    GumbelSoftmaxSampler,
    GumbelTopKSampler,
    gumbel_max,
    gumbel_softmax,
    gumbel_top_k,
)
from tests.sampling.exact import assert_distributed, enumerate_rankings, softmax

LOGITS = np.array([0.5, -0.5, 1.0, 0.0])
SAMPLERS = [
    GumbelMaxSampler(random_state=0),
    GumbelMaxSampler(random_state=0, method="gumbel", output="label"),
    GumbelMaxSampler(random_state=0, sparse_output=True),
    GumbelSoftmaxSampler(random_state=0),
    GumbelSoftmaxSampler(random_state=0, hard=True),
    GumbelTopKSampler(random_state=0, k=3),
    GumbelTopKSampler(random_state=0, k=2, output="ranking"),
]
for_each_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)


def to_dense(output):
    return output.toarray() if sparse.issparse(output) else np.asarray(output)


def make_rows(n=200, k=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, k))


@parametrize_with_checks(
    [
        GumbelMaxSampler(output="label"),
        GumbelMaxSampler(noise="iid"),
        GumbelMaxSampler(method="gumbel", n_jobs=2),
        GumbelSoftmaxSampler(0.1, noise="iid"),
        GumbelSoftmaxSampler(hard=True),
        GumbelTopKSampler(output="ranking"),
        GumbelTopKSampler(noise="iid"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_iid_noise_is_tagged():
    assert GumbelMaxSampler(noise="iid").__sklearn_tags__().non_deterministic
    assert not GumbelMaxSampler().__sklearn_tags__().non_deterministic


@pytest.mark.parametrize("noise", ["iid", "salted"])
@pytest.mark.parametrize("method", ["gumbel", "inverse-cdf"])
def test_labels_are_distributed_as_the_softmax(noise, method):
    n = 100_000
    X = np.tile(LOGITS, (n, 1))
    options = {"noise": "iid"}
    if noise == "salted":
        X, options = np.c_[X, np.arange(n)], {"salt": 4}
    sampler = GumbelMaxSampler(method=method, output="label", random_state=1, **options)
    assert_distributed(sampler.fit_transform(X)[:, 0], softmax(LOGITS))


def test_different_rows_have_independent_noise():
    n = 100_000
    X = LOGITS + 1e-6 * np.random.default_rng(0).random((n, 1))  # a shift changes no probability
    labels = GumbelMaxSampler(output="label", random_state=1).fit_transform(X)[:, 0]
    assert_distributed(labels, softmax(LOGITS))
    assert_distributed(4 * labels[1:] + labels[:-1], np.outer(*[softmax(LOGITS)] * 2).ravel())


@pytest.mark.parametrize("input", ["logits", "log-probabilities", "probabilities", "weights"])
def test_forms_of_input_give_the_same_draws(input):
    p = np.array([softmax(row) for row in make_rows()])
    X = {"logits": np.log(p) + 3, "weights": 7 * p, "probabilities": p}.get(input, np.log(p))
    rows = {"random_state": 3, "method": "gumbel"}
    # The key of the noise is the content, so that it is compared under iid noise.
    sampler = GumbelMaxSampler(input=input, noise="iid", **rows).fit(X)
    reference = GumbelMaxSampler(noise="iid", **rows).fit(np.log(p))
    np.testing.assert_array_equal(sampler.transform(X), reference.transform(np.log(p)))


@for_each_sampler
def test_batches_order_and_threads_change_no_draw(sampler):
    X = make_rows(70_000, 7)
    whole = to_dense(clone(sampler).fit(X).transform(X))
    order = np.random.default_rng(1).permutation(len(X))
    fitted = clone(sampler).fit(X[:10])
    np.testing.assert_array_equal(to_dense(fitted.transform(X[order])), whole[order])
    parts = [to_dense(fitted.transform(X[a : a + 9999])) for a in range(0, len(X), 9999)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    for n_jobs in (2, -1):
        threads = clone(sampler).set_params(n_jobs=n_jobs).fit(X)
        np.testing.assert_array_equal(to_dense(threads.transform(X)), whole)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_equal_rows_of_one_call_are_drawn_independently(scale, dtype):
    X = np.full((200_000, 2), 0.5 * scale, dtype=dtype)
    sampler = GumbelMaxSampler(input="weights", output="label", random_state=0).fit(X)
    labels = sampler.transform(X)[:, 0]
    assert_distributed(labels, [0.5, 0.5])
    assert_distributed(2 * labels[1:] + labels[:-1], [0.25] * 4)
    np.testing.assert_array_equal(sampler.transform(X)[:, 0], labels)


@for_each_sampler
def test_the_nth_of_equal_rows_gets_the_same_draw_in_every_call(sampler):
    """Whatever stands between them; only a salt carries over to calls with fewer of them."""
    rows = make_rows(20, 4)
    X = np.repeat(rows, 3, axis=0)
    fitted = clone(sampler).fit(X)
    draws = to_dense(fitted.transform(X))
    assert (draws[0::3] != draws[1::3]).any() and (draws[1::3] != draws[2::3]).any()
    mixed = to_dense(fitted.transform(np.concatenate([rows[::-1], rows, rows[::-1]])))
    for i in range(3):
        part = mixed[20 * i : 20 * (i + 1)]
        np.testing.assert_array_equal(part if i == 1 else part[::-1], draws[i::3])
    np.testing.assert_array_equal(to_dense(fitted.transform(rows)), draws[0::3])
    salted = clone(sampler).set_params(salt=-1)
    X = np.c_[X, 1e9 + np.arange(60)]
    draws = to_dense(salted.fit_transform(X))
    np.testing.assert_array_equal(to_dense(salted.transform(X[1::3])), draws[1::3])


@for_each_sampler
def test_iid_noise_goes_on_from_call_to_call(sampler):
    X = make_rows(300, 5)
    sampler = clone(sampler).set_params(noise="iid")
    whole = to_dense(sampler.fit(X).transform(X))
    assert sampler.n_rows_drawn_ == 300
    assert (to_dense(sampler.transform(X)) != whole).any()
    sampler.fit(X)
    parts = [to_dense(sampler.transform(X[a : a + 100])) for a in (0, 100, 200)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_functions_draw_what_iid_samplers_draw():
    X = make_rows(100, 5)
    options = {"noise": "iid", "random_state": 11}
    labels = GumbelMaxSampler(output="label", **options).fit_transform(X)[:, 0]
    np.testing.assert_array_equal(labels, gumbel_max(X, random_state=11))
    soft = GumbelSoftmaxSampler(0.3, **options).fit_transform(X)
    np.testing.assert_array_equal(soft, gumbel_softmax(X, 0.3, random_state=11))
    ranking = GumbelTopKSampler(3, output="ranking", **options).fit_transform(X)
    np.testing.assert_array_equal(ranking, gumbel_top_k(X, 3, random_state=11))


def test_with_one_seed_all_three_see_the_same_noise():
    X = make_rows(500, 9)
    labels = GumbelMaxSampler(output="label", method="gumbel", random_state=5).fit_transform(X)
    soft = GumbelSoftmaxSampler(0.7, random_state=5).fit_transform(X)
    ranking = GumbelTopKSampler(4, output="ranking", random_state=5).fit_transform(X)
    np.testing.assert_array_equal(labels[:, 0], soft.argmax(axis=1))
    np.testing.assert_array_equal(np.argsort(-soft, axis=1)[:, :4], ranking)


def test_rankings_are_plackett_luce():
    n = 200_000
    X = np.c_[np.tile(LOGITS, (n, 1)), np.arange(n)]
    sampler = GumbelTopKSampler(2, output="ranking", salt=4, random_state=2)
    rankings, probabilities = enumerate_rankings(np.exp(LOGITS), 2)
    codes = {ranking: code for code, ranking in enumerate(rankings)}
    drawn = [codes[tuple(r)] for r in sampler.fit_transform(X).tolist()]
    assert_distributed(np.array(drawn), probabilities)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_hot_and_k_hot_output(dtype):
    X = make_rows(40, 6).astype(dtype)
    for sampler, k in ((GumbelMaxSampler(random_state=1), 1), (GumbelTopKSampler(3), 3)):
        dense = sampler.set_params(sparse_output=False, random_state=1).fit_transform(X)
        assert dense.dtype == dtype and set(np.unique(dense)) == {0, 1}
        assert (dense.sum(axis=1) == k).all()
        matrix = sampler.set_params(sparse_output=True).fit_transform(X)
        assert sparse.issparse(matrix) and matrix.format == "csr" and matrix.dtype == dtype
        assert matrix.has_canonical_format and matrix.nnz == 40 * k
        np.testing.assert_array_equal(matrix.toarray(), dense)
    ranking = GumbelTopKSampler(3, output="ranking", random_state=1).fit_transform(X)
    k_hot = GumbelTopKSampler(3, random_state=1).fit_transform(X)
    assert ranking.dtype == np.int64
    assert (np.take_along_axis(k_hot, ranking, axis=1) == 1).all()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_names_in_frames(frame):
    X = frame({"a": [0.0, 1.0], "id": [7.0, 8.0], "b": [1.0, 0.0]})
    kind = "pandas" if frame is pd.DataFrame else "polars"
    for sampler, names in (
        (GumbelMaxSampler(salt="id"), ["a", "b"]),
        (GumbelMaxSampler(salt="id", output="label"), ["gumbelmaxsampler0"]),
        (GumbelSoftmaxSampler(), ["a", "id", "b"]),
        (GumbelTopKSampler(2, output="ranking"), ["gumbeltopksampler0", "gumbeltopksampler1"]),
    ):
        output = sampler.set_params(random_state=0).set_output(transform=kind).fit_transform(X)
        assert isinstance(output, frame) and list(output.columns) == names


def test_in_front_of_a_classifier_in_fit_and_predict():
    X, y = load_iris(return_X_y=True)
    for noise in ("row-keyed", "iid"):
        sampler = GumbelTopKSampler(2, noise=noise, random_state=0)
        model = make_pipeline(sampler, LogisticRegression()).fit(X, y)
        assert model.score(X, y) > 0.5
    keyed = make_pipeline(GumbelSoftmaxSampler(random_state=0), LogisticRegression()).fit(X, y)
    np.testing.assert_array_equal(keyed.predict(X)[::3], keyed.predict(X[::3]))


@pytest.mark.parametrize(
    "random_state", [0, np.random.RandomState(3), np.random.default_rng(3), None]
)
def test_kinds_of_random_state(random_state):
    X = make_rows()
    sampler = GumbelMaxSampler(random_state=random_state).fit(X)
    assert isinstance(sampler.seed_, int)
    np.testing.assert_array_equal(sampler.transform(X), sampler.transform(X))
    same = sampler.seed_ == GumbelMaxSampler(random_state=random_state).fit(X).seed_
    assert same == (random_state == 0)


@for_each_sampler
def test_zero_temperature_extreme_and_excluded_logits(sampler):
    X = np.array([[1e308, -1e308, 0.0, 1.0], [-np.inf, 3.0, 3.0, 3.0], [0, 0, 0, -1e308]])
    out = to_dense(clone(sampler).fit_transform(X))
    assert np.isfinite(out).all()
    if out.shape[1] == 4:
        assert out[1, 0] == 0


@pytest.mark.parametrize(
    "sampler, X, message",
    [
        (GumbelMaxSampler(), [[0.0, np.inf]], "infinity in row 0, column 1"),
        (GumbelMaxSampler(), [[0.0, np.nan]], "NaN in row 0, column 1"),
        (GumbelMaxSampler(), [[0.0, 1.0], [-np.inf, -np.inf]], "above -inf .* row 1"),
        (GumbelMaxSampler(input="weights"), [[0.0, -1.0]], "negative value in row 0, column 1"),
        (GumbelMaxSampler(input="weights"), [[0.0, 0.0]], "above zero"),
        (GumbelMaxSampler(input="probabilities"), [[0.5, 0.4]], "sum to 1 .* use input='weights'"),
        (GumbelMaxSampler(input="log-probabilities"), [[0.5, 0.4]], "use input='logits'"),
        (GumbelTopKSampler(3), [[0.5, 0.4]], "k=3 is more than"),
        (GumbelTopKSampler(2), [[0.5, -np.inf]], "2 categories .* got 1 in row 0"),
        (GumbelMaxSampler(salt=0), [[0.5]], "besides the salt"),
        (GumbelMaxSampler(salt=0), [[np.inf, 0.5]], "in the salt column"),
        (GumbelMaxSampler(salt=2), [[0.5, 0.4]], "salt=2 is not among"),
        (GumbelMaxSampler(salt="id"), [[0.5, 0.4]], "salt='id' is not among"),
        (GumbelMaxSampler(random_state=-1), [[0.5, 0.4]], "random_state"),
        (GumbelSoftmaxSampler(-1.0), [[0.5, 0.4]], "temperature"),
        (GumbelSoftmaxSampler(np.inf), [[0.5, 0.4]], "temperature"),
        (GumbelSoftmaxSampler(np.nan), [[0.5, 0.4]], "temperature"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(sampler, X, message):
    with pytest.raises(ValueError, match=message):
        sampler.fit(X).transform(X)
