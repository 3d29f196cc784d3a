"""The binary support vector machines of a multi-class problem, one per pair of classes."""

from functools import partial

import numpy as np

from skextra import _core
from skextra._parallel import map_in_threads, map_tasks


def list_members(codes, weights, n_classes):
    """Samples of each class whose weight is not zero."""
    counted = np.ones(len(codes), dtype=bool) if weights is None else weights > 0
    return [np.flatnonzero((codes == k) & counted) for k in range(n_classes)]


class OneVsOneSolver:
    """All pairs of classes, the first of each the positive one.

    Parameters
    ----------
    source : Gram source
        Of the training data.
    members : list of ndarray of int
        Samples of each class.
    C : ndarray of shape (n_samples,)
    settings : Settings
    n_jobs : int or None
    """

    def __init__(self, source, members, C, settings, n_jobs):
        self.settings, self.n_jobs = settings, n_jobs
        self.pairs = _core.svm.one_vs_one.list_pairs(len(members))
        order = np.concatenate(members)
        ends = np.cumsum([len(rows) for rows in members])
        # From here on samples are sorted by class.
        self.spans = [np.arange(end - len(rows), end) for end, rows in zip(ends, members)]
        self.order, self.C = order, C[order]
        if len(members) == 2 and source.points is None and len(order) == source.n_samples:
            # A matrix that is given is large, and stays as it is.
            self.order, self.C, self.spans = np.arange(len(order)), C, members
            self.source = self.points = source
            self.is_at_hand = False
            return
        self.source = self.points = source.take(order)
        self.is_at_hand = len(members) > 2 and 8 * len(order) ** 2 <= settings.cache_bytes
        if self.is_at_hand:
            self.source = _core.gram.kernel_functions.PrecomputedGram(self.source.compute_whole())

    def solve(self, split):
        """Fit to all pairs.

        Parameters
        ----------
        split : callable
            ``split(function, tasks, name)`` returns both as they are to be called.

        Returns
        -------
        results : list of BinarySVMResult
            Dual variables of the first class's samples, then of the second's; intercepts for
            kernel values of the points as they were given.
        """
        function, tasks = split(self._solve_pair, self.pairs, "pair of classes")
        return map_tasks(function, tasks, self.n_jobs)

    def calibrate(self, hashes, weights):
        """Slopes and offsets of the sigmoids of all pairs.

        Parameters
        ----------
        hashes : ndarray of uint64 of shape (n_samples,)
            Equal for samples that must share a fold.
        weights : ndarray of shape (n_samples,)
            How often each counts.

        Returns
        -------
        slopes, offsets : ndarray of shape (n_pairs,)
        """
        calibrate = partial(self._calibrate_pair, hashes[self.order], weights[self.order])
        found = map_in_threads(calibrate, self.pairs, self.n_jobs)
        return tuple(np.array(values) for values in zip(*found, strict=True))

    def _solve_pair(self, first, second):
        source, rows, y, C = self._pick(first, second)
        result = _core.svm.kernel.solve(source, y, C, self.settings)
        if self.points.is_shifted and np.isfinite(result.alpha).all():
            coefs = np.zeros((1, self.points.n_samples))
            coefs[0, rows] = result.alpha * y
            intercepts, rounding = self.points.restore_intercepts(
                coefs, np.array([result.intercept])
            )
            result.intercept = float(intercepts[0])
            # Rounding of the intercept that is returned, far from zero, counts.
            result.gap += float(rounding[0])
            result.converged &= bool(rounding[0] <= self.settings.tol)
        result.alpha = np.concatenate([result.alpha[y > 0], result.alpha[y < 0]])
        return result

    def _calibrate_pair(self, hashes, weights, first, second):
        source, rows, y, C = self._pick(first, second)

        def fit(train, test):
            result = _core.svm.kernel.solve(source.take(train), y[train], C[train], self.settings)
            used = np.flatnonzero(result.alpha)
            values = source.compute_block(test, train[used])
            return values @ (result.alpha * y[train])[used] + result.intercept

        return _core.svm.calibration.calibrate(fit, hashes[rows], y > 0, weights[rows])

    def _pick(self, first, second):
        """Source, positions, labels and bounds of the samples of two classes."""
        a, b = self.spans[first], self.spans[second]
        if len(self.spans) == 2:
            y = np.full(len(self.order), -1.0)
            y[a] = 1.0
            return self.source, np.arange(len(y)), y, self.C
        y = np.repeat([1.0, -1.0], [len(a), len(b)])
        rows = np.concatenate([a, b])
        if self.is_at_hand and len(a) and len(b):
            a, b = slice(a[0], a[-1] + 1), slice(b[0], b[-1] + 1)
            return self.source.take_ranges(a, b), rows, y, self.C[rows]
        return self.source.take(rows), rows, y, self.C[rows]
