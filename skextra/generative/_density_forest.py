"""Density of a table by a forest that cannot tell it from its own samples."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skextra import _core
from skextra._base import BaseEstimator
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, Interval, RealNotInt, StrOptions, fit_context
from skextra._parallel import map_in_threads
from skextra.generative._adversarial import (
    Scaling,
    draw_from_marginals,
    draw_rows,
    fill_from_marginals,
    grow_discriminator,
    learn_scaling,
)
from skextra.generative._columns import Table, learn_table
from skextra.generative._conditions import make_evidence

# Rounds at least where values are missing: they are first filled from the marginals.
_ROUNDS_TO_FILL = 3


class DensityForest(CallbackSupportMixin, DensityMixin, BaseEstimator):
    """Density of tables of numbers and categories by an adversarial random forest.

    A random forest learns to tell the rows from synthetic ones, whose columns are
    independent. Within its leaves the columns then are nearly independent, so that a product of
    simple densities in each leaf, truncated normal or multinomial, is a density of the
    whole row. Samples of it join the synthetic rows, and the forest is grown again, until it
    does no better than before. The density is exact: it can be evaluated, sampled, conditioned
    and marginalized in closed form.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees of the last round's forest; earlier rounds make do with a fifth.
    min_samples_leaf : int, default=10
        Rows, real and synthetic, that a leaf must hold at least.
    max_features : {'sqrt', 'log2', None}, int or float, default='sqrt'
        Features that are searched for a split, as in
        :class:`~skextra.ensemble.RandomForestClassifier`.
    max_rounds : int, default=10
        Rounds at most.
    tol : float, default=0.02
        Stop when the out-of-bag accuracy, as to which rows are real, is at most ``0.5 + tol``
        or falls by less than `tol` from one round to the next.
    min_scale : float, default=1e-3
        Lower bound of the standard deviation of a number in a leaf, relative to that in all rows.
        It limits the density of values that are repeated.
    categorical_features : 'from_dtype', None, or array-like of bool, int or str, \
            default='from_dtype'
        Columns of categories: those of a data frame that are not numeric, none, or a mask, numbers
        or names.
    n_jobs : int, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the forests and the samples.

    Attributes
    ----------
    accuracies_ : list of float
        Out-of-bag accuracy of each round's forest; near 0.5 where it cannot tell the rows
        from samples of the rounds before.
    n_rounds_ : int
        Number of rounds; the forest of the last is kept.
    n_leaves_ : int
        Number of leaves of all its trees.
    categories_ : list
        For each column the categories seen in `fit`, or None for numbers.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of columns seen during `fit`, where all are strings.

    See Also
    --------
    skextra.mixture.GaussianMixture : Smooth densities of numbers alone.
    sklearn.neighbors.KernelDensity : A kernel at every row.
    two_sample_report : How far samples are from data.

    Notes
    -----
    The density of a row x is the mean over the trees of the share of rows in x's leaf times the
    product of the leaf's densities there; one row, spread like the forest's prior, is added to
    each leaf, so that no density is zero. Integers are numbers: their density is that of a
    continuous variable, and `sample` rounds it. Missing values are drawn anew in each round, given
    the rest of their row, and integrated out when rows are scored.

    Unlike in the reference, synthetic rows are drawn from the fitted density instead of copied
    from leaves, and from those of all earlier rounds: forests that are trained against the last
    one only forget what earlier ones have learned.

    References
    ----------
    Watson, Blesch, Kapar & Wright, "Adversarial random forests for density estimation and
    generative modeling", AISTATS 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.generative import DensityForest
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(500, 2)) @ [[1.0, 0.9], [0.0, 0.4]]
    >>> forest = DensityForest(random_state=0).fit(X)
    >>> forest.sample(3).shape
    (3, 2)
    >>> near, far = forest.score_samples([[1.0, 0.9], [1.0, -0.9]])
    >>> bool(near > far + 2)
    True
    >>> bool(forest.impute([[1.0, np.nan]])[0, 1] > 0.5)
    True
    """

    _parameter_constraints: dict = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0.0, 1.0, closed="right"),
            StrOptions({"sqrt", "log2"}),
            None,
        ],
        "max_rounds": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "min_scale": [Interval(Real, 0.0, None, closed="neither")],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_estimators=100,
        *,
        min_samples_leaf=10,
        max_features="sqrt",
        max_rounds=10,
        tol=0.02,
        min_scale=1e-3,
        categorical_features="from_dtype",
        n_jobs=None,
        random_state=None,
    ):
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_rounds = max_rounds
        self.tol = tol
        self.min_scale = min_scale
        self.categorical_features = categorical_features
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the density.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Rows; NaN and None stand for missing values.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted density.

        Raises
        ------
        ValueError
            If a column has no values, or `categorical_features` names one that is not there.
        """
        table, matrix = learn_table(X, self.categorical_features, self)
        scaling = learn_scaling(matrix, table.n_categories)
        random = self._make_generator(None)
        with (
            report_fit(self, X, y, max_subtasks=None) as report,
            report.count("round") as advance,
        ):
            for leaves, accuracies in self._run_rounds(matrix, table, scaling, random):
                attributes = _list_attributes(table, scaling, leaves, accuracies)
                if advance is not None:
                    advance(partial(dict, attributes))
            vars(self).update(attributes)
        return self

    def _run_rounds(self, matrix, table, scaling, random):
        """Yield the leaves of each round's forest, and the accuracies up to it."""
        X, n_categories = scaling.apply(matrix), table.n_categories
        parameters = {
            "n_estimators": self.n_estimators,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features,
            "n_jobs": self.n_jobs,
        }
        has_missing = bool(np.isnan(X).any())
        filled = fill_from_marginals(X, random) if has_missing else X
        synthetic = pool = draw_from_marginals(filled, random)
        min_scales, accuracies = np.full(X.shape[1], self.min_scale), []
        few = {
            **parameters,
            "n_estimators": min(self.n_estimators, max(10, self.n_estimators // 5)),
        }
        while True:
            seed = int(random.integers(2**31))
            trees, accuracy = grow_discriminator(filled, synthetic, few, seed)
            accuracies.append(accuracy)
            is_last = self._is_last_round(accuracies, has_missing)
            if is_last and few != parameters:
                trees, _ = grow_discriminator(filled, synthetic, parameters, seed)
            leaves = _core.generative.leaf_fit.fit_leaves(
                trees, filled, synthetic, n_categories, min_scales, self._map
            )
            yield leaves, list(accuracies)
            if is_last:
                return
            if has_missing:
                uniforms = random.uniform(size=(len(X), X.shape[1] + 1))
                filled = _core.generative.draws.impute_rows(leaves, X, uniforms, False, self._map)
                filled = filled.astype(np.float32)
            drawn = draw_rows(leaves, len(X), random, self._map).astype(np.float32)
            pool = np.concatenate([pool, drawn])
            synthetic = pool[random.choice(len(pool), len(X), replace=False)]

    def _is_last_round(self, accuracies, has_missing):
        n_rounds = len(accuracies)
        if n_rounds >= self.max_rounds:
            return True
        if has_missing and n_rounds < _ROUNDS_TO_FILL:
            return False
        falls = n_rounds < 2 or accuracies[-1] < accuracies[-2] - self.tol
        return not (falls and accuracies[-1] > 0.5 + self.tol)

    def _map(self, function, tasks):
        return map_in_threads(function, tasks, self.n_jobs)

    def _make_generator(self, random_state):
        random_state = self.random_state if random_state is None else random_state
        return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))

    def score_samples(self, X):
        """Compute the log-density of each row.

        Low values are a sign of outliers. Probabilities of categories count as their
        densities.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Rows; missing values are integrated out.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In the units of the data; it does not depend on the other rows.
        """
        check_is_fitted(self)
        matrix = self._table.encode(X, self)
        scores = _core.generative.leaves.score_rows(
            self._leaves, self._scaling.apply(matrix), self._map
        )
        # A missing value has no scale.
        return scores - np.where(np.isnan(matrix), 0.0, self._scaling.log_volumes).sum(axis=1)

    def score(self, X, y=None):
        """Compute the mean log-density.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Rows; missing values are integrated out.
        y : None
            Ignored.

        Returns
        -------
        log_density : float
            Mean of `score_samples`.
        """
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, *, conditions=None, random_state=None):
        """Draw rows, given values of some columns if asked for.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        conditions : dict, default=None
            From names or numbers of columns to what is known of them: a value, a pair
            ``(low, high)`` of bounds of a number, or a list of categories.
        random_state : int, RandomState instance or None, default=None
            Seed; None for that of the estimator.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, n_features)
            Of the kind seen in `fit`, with its data types; integers are rounded.

        Raises
        ------
        ValueError
            If `n_samples` is not positive, or the conditions name a column or a category that is
            not there, or have a probability of zero.

        Examples
        --------
        >>> import pandas as pd
        >>> from skextra.generative import DensityForest
        >>> X = pd.DataFrame({"size": [1.0, 1.2, 3.1, 3.0] * 20, "kind": list("aabb") * 20})
        >>> forest = DensityForest(random_state=0).fit(X)
        >>> forest.sample(50, conditions={"kind": "b"})["size"].mean().round()
        np.float64(3.0)
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(f"n_samples must be a positive integer, got {n_samples!r}")
        evidence, known = make_evidence(conditions, self._table, self._scaling, self._leaves)
        log_weights = _core.generative.evidence.weigh_leaves(self._leaves, evidence)
        if log_weights.max() == -np.inf:
            raise ValueError(f"conditions={conditions!r} have a probability of zero")
        Z = draw_rows(
            self._leaves, n_samples, self._make_generator(random_state), self._map, evidence,
            log_weights,
        )  # fmt: skip
        matrix = self._scaling.undo(Z)
        for j, value in known.items():
            matrix[:, j] = value
        return self._table.decode(matrix)

    def impute(self, X, *, strategy="mean", random_state=None):
        """Replace missing values, given the other values of their row.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Rows; NaN and None stand for missing values.
        strategy : {'mean', 'draw'}, default='mean'
            Numbers are replaced by their means and categories by the most probable, or the
            missing values of a row by a draw of them all. Draws depend on the row and the seed
            alone; several seeds give multiple imputations.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws; None for that of the estimator.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, n_features)
            Without missing values; the others are as they were.
        """
        check_is_fitted(self)
        if strategy not in ("mean", "draw"):
            raise ValueError(f"strategy must be 'mean' or 'draw', got {strategy!r}")
        matrix = self._table.encode(X, self)
        Z, is_missing = self._scaling.apply(matrix), np.isnan(matrix)
        uniforms = self._draw_keyed_uniforms(Z, random_state) if strategy == "draw" else None
        if uniforms is None:
            uniforms = np.zeros((len(Z), Z.shape[1] + 1))
        filled = _core.generative.draws.impute_rows(
            self._leaves, Z, uniforms, strategy == "mean", self._map
        )
        filled = np.where(is_missing, self._scaling.undo(filled), matrix)
        # A list has a method of this name.
        index = None if callable(getattr(X, "index", None)) else getattr(X, "index", None)
        return self._table.decode(filled, index)

    def _draw_keyed_uniforms(self, Z, random_state):
        """Numbers for each row that depend on its values and the seed alone."""
        seed = np.uint64(self._make_generator(random_state).integers(2**63))
        generator = _core.numerics.counter_rng
        known = np.where(np.isnan(Z), np.float32(4.0e15), Z)
        keys = generator.compute_row_keys(known, 0)
        generator.tell_repeats_apart(keys)
        n_pairs = (Z.shape[1] + 2) // 2
        uniforms = np.empty(len(Z) * 2 * n_pairs)
        generator.fill_uniforms(keys, n_pairs, seed, np.uint64(generator.UNIFORM), uniforms)
        return np.ascontiguousarray(uniforms.reshape(len(Z), -1)[:, : Z.shape[1] + 1])

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "_leaves" in state:
            state["_leaves"] = self._leaves.to_arrays()
            state["_scaling"] = dict(vars(self._scaling))
            state["_table"] = self._table.to_state()
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_leaves" in vars(self):
            self._leaves = _core.generative.leaves.Leaves.from_arrays(self._leaves)
            self._scaling = Scaling(**self._scaling)
            self._table = Table.from_state(self._table)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


def _list_attributes(table, scaling, leaves, accuracies):
    """Fitted attributes by name."""
    return {
        "_table": table,
        "_scaling": scaling,
        "_leaves": leaves,
        "accuracies_": accuracies,
        "n_rounds_": len(accuracies),
        "n_leaves_": leaves.trees.n_leaves,
        "categories_": [column.categories for column in table.columns],
    }
