"""The linear problems of several classes: each class against the rest, or all at once."""

from functools import partial

import numpy as np

from skextra import _core
from skextra._parallel import map_in_threads


class OneVsRestSolver:
    """The training data, and the fits of each class against the rest or of all at once."""

    def __init__(self, estimator, X, codes, n_classes, sample_weight, weights):
        counted = slice(None) if weights is None else np.flatnonzero(weights)
        X = X[counted]
        self.rows = _core.svm.linear_problem.CenteredRows(X, estimator.fit_intercept)
        self.raw, self.codes, self.n_classes = X, codes[counted], n_classes
        n = len(self.codes)
        self.C = (
            np.full(n, float(estimator.C)) if weights is None else estimator.C * weights[counted]
        )
        self.counts = np.ones(n) if sample_weight is None else sample_weight[counted]
        self.multi = estimator.multi_class == "crammer_singer"
        # Two classes need one fit, whose positive class is the second.
        self.positives = [None] if self.multi else [1] if n_classes == 2 else list(range(n_classes))
        self.options = {
            "fit_intercept": estimator.fit_intercept, "tol": estimator.tol,
            "max_iter": estimator.max_iter, "dtype": X.dtype,
        }  # fmt: skip
        self.kind = {
            "is_squared": estimator.loss == "squared_hinge" or estimator.penalty == "l1",
            "has_l1_penalty": estimator.penalty == "l1",
        }

    def solve(self, task, rows=None):
        """Fit one class against the rest, or all at once, to some samples or all."""
        part, codes, C = self.rows, self.codes, self.C
        if rows is not None:
            part, codes, C = part.take(rows), codes[rows], C[rows]
        if self.multi:
            return _core.svm.crammer_singer.solve(part, codes, self.n_classes, C, **self.options)
        y = np.where(codes == self.positives[task], 1.0, -1.0)
        return _core.svm.linear.solve(part, y, C, **self.kind, **self.options)

    def calibrate(self, n_jobs):
        """Slopes and offsets of the sigmoids, one per decision value."""
        hashes = _core.svm.content_folds.hash_samples(self.raw)
        if self.multi:
            decide, n_values = self._decide_jointly(hashes)
        else:
            decide, n_values = None, len(self.positives)
        tasks = [(k, decide) for k in range(n_values)]
        found = map_in_threads(partial(self._calibrate_one, hashes), tasks, n_jobs)
        return tuple(np.array(values) for values in zip(*found, strict=True))

    def _calibrate_one(self, hashes, k, decisions):
        code = 1 if self.n_classes == 2 else k
        is_positive = self.codes == code
        if decisions is not None:
            return _core.svm.platt.fit_sigmoid(decisions[:, k], is_positive, self.counts)

        def fit(train, test):
            result = self.solve(k, train)
            return self.rows.take(test).predict(result.coef, result.intercept)

        return _core.svm.calibration.calibrate(fit, hashes, is_positive, self.counts)

    def _decide_jointly(self, hashes):
        """Decision values of all classes by fits that have not seen the sample."""
        n_classes = self.n_classes

        def fit(train, test):
            result = self.solve(0, train)
            scores = self.rows.take(test).predict(result.coef, result.intercept)
            return scores[:, 1:] - scores[:, :1] if n_classes == 2 else scores

        decisions = _core.svm.calibration.compute_unseen_scores(
            fit, hashes, self.codes, self.counts, n_classes
        )
        return decisions, decisions.shape[1]
