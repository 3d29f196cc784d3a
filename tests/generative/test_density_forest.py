"""The density forest: what a density must be, and what its parts say of one another."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from skextra.generative import DensityForest


def draw_moons(n, seed=0):
    """Two half circles, in units that differ, far from the origin."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, np.pi, n)
    side = random.integers(2, size=n)
    x = np.where(side, np.cos(angle), 1 - np.cos(angle)) + random.normal(0, 0.08, n)
    y = np.where(side, np.sin(angle), 0.5 - np.sin(angle)) + random.normal(0, 0.08, n)
    return np.column_stack([1e4 + 100 * x, 1e-3 * y])


def make_frame(n, seed=0):
    random = np.random.default_rng(seed)
    kind = random.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    size = np.select([kind == "a", kind == "b"], [0.0, 3.0], 6.0) + random.normal(size=n)
    return pd.DataFrame(
        {
            "size": size,
            "kind": pd.Categorical(kind, categories=["c", "b", "a", "unused"]),
            "count": random.poisson(4, n) + 5 * (kind == "c"),
            "flag": random.uniform(size=n) < 1 / (1 + np.exp(-size + 2)),
        }
    )


@pytest.fixture(scope="module")
def moons():
    return DensityForest(n_estimators=25, random_state=0).fit(draw_moons(1500))


@pytest.fixture(scope="module")
def mixed():
    return DensityForest(n_estimators=25, random_state=0).fit(make_frame(800))


def make_grid(n=400):
    x = np.linspace(1e4 - 250, 1e4 + 350, n)
    y = np.linspace(-1.6e-3, 2.1e-3, n)
    return x, y, np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)


def test_density_integrates_to_one_and_marginals_agree(moons):
    x, y, grid = make_grid()
    density = np.exp(moons.score_samples(grid)).reshape(len(x), len(y))
    assert_allclose(np.trapezoid(np.trapezoid(density, y), x), 1.0, rtol=1e-2)
    for axis, points in ((0, x), (1, y)):
        rows = np.full((len(points), 2), np.nan)
        rows[:, axis] = points
        marginal = np.exp(moons.score_samples(rows))
        fine = np.linspace(points[0], points[-1], 20_000)
        rows = np.full((len(fine), 2), np.nan)
        rows[:, axis] = fine
        assert_allclose(np.trapezoid(np.exp(moons.score_samples(rows)), fine), 1.0, rtol=1e-3)
        summed = np.trapezoid(density, y if axis == 0 else x, axis=1 - axis)
        assert_allclose(summed, marginal, atol=0.03 * marginal.max())
    assert_allclose(moons.score_samples([[np.nan, np.nan]]), 0.0, atol=1e-12)


def test_conditional_times_marginal_is_the_joint(moons):
    """The mean that `impute` fills in is the integral of y p(x, y) / p(x)."""
    y = np.linspace(-3e-3, 3e-3, 40_001)
    for x in (1e4 - 90.0, 1e4 + 20.0, 1e4 + 170.0):
        joint = np.exp(moons.score_samples(np.column_stack([np.full_like(y, x), y])))
        marginal = np.exp(moons.score_samples([[x, np.nan]]))[0]
        assert_allclose(np.trapezoid(joint, y), marginal, rtol=1e-3)
        filled = moons.impute([[x, np.nan]])
        assert filled[0, 0] == x
        assert_allclose(filled[0, 1], np.trapezoid(y * joint, y) / marginal, rtol=0, atol=2e-6)


def test_conditional_samples_follow_the_conditional_density(moons):
    y = np.linspace(-3e-3, 3e-3, 20_001)
    joint = np.exp(moons.score_samples(np.column_stack([np.full_like(y, 1e4 + 20.0), y])))
    cumulated = np.cumsum(joint) / joint.sum()
    drawn = moons.sample(4000, conditions={0: 1e4 + 20.0}, random_state=1)
    assert (drawn[:, 0] == 1e4 + 20.0).all()
    assert stats.kstest(drawn[:, 1], lambda v: np.interp(v, y, cumulated)).pvalue > 1e-3
    rows = np.tile([[1e4 + 20.0, np.nan]], (4000, 1))
    imputed = moons.impute(rows, strategy="draw", random_state=2)[:, 1]
    assert stats.kstest(imputed, lambda v: np.interp(v, y, cumulated)).pvalue > 1e-3


def test_samples_follow_the_density(moons):
    x = np.linspace(1e4 - 400, 1e4 + 500, 20_001)
    density = np.exp(moons.score_samples(np.column_stack([x, np.full_like(x, np.nan)])))
    cumulated = np.cumsum(density) / density.sum()
    drawn = moons.sample(4000, random_state=3)
    assert stats.kstest(drawn[:, 0], lambda v: np.interp(v, x, cumulated)).pvalue > 1e-3
    inside = moons.sample(4000, conditions={0: (1e4, 1e4 + 50.0)}, random_state=3)[:, 0]
    assert inside.min() >= 1e4 and inside.max() <= 1e4 + 50.0
    kept = (x >= 1e4) & (x <= 1e4 + 50.0)
    cumulated = np.cumsum(density[kept]) / density[kept].sum()
    assert stats.kstest(inside, lambda v: np.interp(v, x[kept], cumulated)).pvalue > 1e-3


def test_held_out_likelihood_is_that_of_a_good_density(moons):
    """Higher than scikit-learn's kernel density and mixture, lower than the truth's bound."""
    train, test = draw_moons(1500), draw_moons(2000, seed=1)
    scale = train.std(axis=0)
    ours = moons.score(test) + np.log(scale).sum()
    train, test = train / scale, test / scale
    kernel = KernelDensity(bandwidth=0.1).fit(train).score(test[:500]) / 500
    mixture = GaussianMixture(10, random_state=0).fit(train).score(test)
    assert ours > kernel - 0.1
    assert ours > mixture - 0.1
    independent = sum(stats.gaussian_kde(a).logpdf(b).mean() for a, b in zip(train.T, test.T))
    assert ours > independent + 0.5


def test_mixed_columns(mixed):
    frame = make_frame(800)
    assert mixed.categories_ == [None, ["c", "b", "a"], None, [False, True]]
    size = np.linspace(-8, 14, 4001)
    total = 0.0
    for kind in ("a", "b", "c"):
        for flag in (False, True):
            rows = pd.DataFrame({"size": size, "kind": kind, "count": np.nan, "flag": flag})
            total += np.trapezoid(np.exp(mixed.score_samples(rows)), size)
    assert_allclose(total, 1.0, rtol=2e-3)
    shares = [
        np.exp(mixed.score_samples(pd.DataFrame({"size": np.nan, "kind": [kind], "count": np.nan,
                                                 "flag": [None]})))[0]
        for kind in ("a", "b", "c")
    ]  # fmt: skip
    assert_allclose(sum(shares), 1.0, rtol=1e-9)
    assert_allclose(shares, [np.mean(frame["kind"] == kind) for kind in "abc"], atol=0.02)


def test_samples_are_frames_with_the_same_types(mixed):
    frame = make_frame(800)
    drawn = mixed.sample(500, random_state=0)
    assert (drawn.dtypes == frame.dtypes).all()
    chosen = mixed.sample(300, conditions={"kind": ["a", "b"], "flag": True, "size": (1.0, 9.0)})
    assert set(chosen["kind"]) == {"a", "b"} and chosen["flag"].all()
    assert chosen["size"].between(1.0, 9.0).all()
    assert (chosen["kind"] == "b").mean() > 0.5  # the more probable of these sizes
    as_polars = pl.from_pandas(frame)
    other = DensityForest(n_estimators=5, random_state=0).fit(as_polars)
    assert other.sample(4).schema == as_polars.schema
    holes = frame.head(4).copy()
    holes.loc[[1, 2], "kind"] = None
    holes.loc[3, "size"] = np.nan
    filled = mixed.impute(holes.set_index(np.array([7, 8, 9, 11])))
    assert not filled.isna().any(axis=None)
    assert_array_equal(filled.index, [7, 8, 9, 11])
    assert_array_equal(filled["count"], holes["count"])
    assert filled["size"][7] == holes["size"][0]


@pytest.mark.parametrize("strategy", ["mean", "draw"])
def test_rows_do_not_depend_on_their_neighbors(moons, strategy):
    rows = draw_moons(50, seed=5)
    rows[::3, 0], rows[1::7, 1] = np.nan, np.nan
    scores = moons.score_samples(rows)
    filled = moons.impute(rows, strategy=strategy, random_state=4)
    part = rows[30:10:-3]
    assert_array_equal(moons.score_samples(part), scores[30:10:-3])
    assert_array_equal(moons.impute(part, strategy=strategy, random_state=4), filled[30:10:-3])


def test_threads_and_pickles_change_nothing():
    rows = draw_moons(700)
    rows[::9, 0] = np.nan
    serial = DensityForest(n_estimators=6, random_state=1).fit(rows)
    threaded = DensityForest(n_estimators=6, random_state=1, n_jobs=3).fit(rows)
    loaded = pickle.loads(pickle.dumps(threaded))
    for other in (threaded, loaded):
        assert_array_equal(other.score_samples(rows), serial.score_samples(rows))
        assert_array_equal(other.sample(700), serial.sample(700))
        assert_array_equal(
            other.impute(rows, strategy="draw"), serial.impute(rows, strategy="draw")
        )


def test_missing_values_in_training_keep_the_dependence():
    random = np.random.default_rng(0)
    rows = random.normal(size=(2000, 2)) @ [[1.0, 0.9], [0.0, 0.436]]
    complete = DensityForest(n_estimators=20, random_state=0).fit(rows)
    holes = rows.copy()
    holes[random.uniform(size=rows.shape) < 0.2] = np.nan
    fitted = DensityForest(n_estimators=20, random_state=0).fit(holes)
    assert fitted.n_rounds_ >= 3
    fresh = random.normal(size=(2000, 2)) @ [[1.0, 0.9], [0.0, 0.436]]
    assert fitted.score(fresh) > complete.score(fresh) - 0.1
    assert np.corrcoef(fitted.sample(4000).T)[0, 1] > 0.8


def test_repeated_values_and_constant_columns():
    random = np.random.default_rng(0)
    X = np.column_stack([np.full(300, 7.0), random.integers(0, 3, 300), random.normal(size=300)])
    fitted = DensityForest(n_estimators=5, random_state=0).fit(X)
    assert np.isfinite(fitted.score_samples(X)).all()
    assert_allclose(fitted.sample(20)[:, 0], 7.0, rtol=1e-7)
    whole = DensityForest(n_estimators=5, random_state=0).fit(X[:, :2].astype(int))
    assert whole.sample(20).dtype == int
    chosen = DensityForest(n_estimators=5, categorical_features=[1], random_state=0).fit(X)
    assert chosen.categories_ == [None, [0.0, 1.0, 2.0], None]
    assert set(chosen.sample(50)[:, 1]) <= {0.0, 1.0, 2.0}
    far = fitted.score_samples([[7.0, 1.0, 1e300], [7.0, 1.0, 100.0]])
    assert np.isfinite(far).all() and far[0] < far[1] < -1000


def test_units_do_not_matter():
    rows = draw_moons(400)
    first = DensityForest(n_estimators=5, random_state=0).fit(rows)
    second = DensityForest(n_estimators=5, random_state=0).fit(rows * [2.0**300, 2.0**-200])
    shift = np.log(2.0) * 100
    assert_allclose(
        second.score_samples(rows * [2.0**300, 2.0**-200]), first.score_samples(rows) - shift,
        rtol=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f.sample(0), "n_samples must be a positive integer, got 0"),
        (lambda f: f.sample(conditions={"color": 1}), "conditions has 'color'.*columns"),
        (lambda f: f.sample(conditions={"size": (2.0, 1.0)}), r"pair of numbers \(low, high\)"),
        (lambda f: f.sample(conditions={"size": "a"}), "a number or a pair"),
        (lambda f: f.sample(conditions={"kind": "d"}), "column 'kind' has the category 'd'"),
        (lambda f: f.sample(conditions={"kind": []}), "must be categories"),
        (lambda f: f.impute(make_frame(3), strategy="median"), "'mean' or 'draw', got 'median'"),
        (lambda f: f.score_samples(make_frame(3).assign(size="x")), "'size' must hold numbers"),
        (lambda f: f.score_samples(make_frame(3).assign(kind="z")), "'kind' has the category 'z'"),
        (lambda f: f.fit(make_frame(9).assign(size=np.nan)), "'size' has no value"),
        (lambda f: f.fit(make_frame(9).assign(kind=None)), "'kind' has no value"),
    ],
)
def test_bad_input_is_named(mixed, call, message):
    with pytest.raises(ValueError, match=message):
        call(pickle.loads(pickle.dumps(mixed)))


def test_bad_conditions_and_columns_are_named():
    rows = draw_moons(50)
    fitted = DensityForest(n_estimators=3, random_state=0).fit(rows)
    with pytest.raises(TypeError, match="conditions must be a dictionary"):
        fitted.sample(conditions=[1])
    for features, message in (([5], "has 5, which is not among the 2 columns"),
                              ([True], "mask must have shape")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            DensityForest(categorical_features=features).fit(rows)
