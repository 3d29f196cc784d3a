"""The binary machines of a multi-class problem, one for each pair of classes."""

from functools import partial

import numpy as np

from skextra import _core
from skextra._parallel import map_in_threads, map_tasks


def list_members(codes, weights, n_classes):
    """Samples of each class whose weight is not zero."""
    counted = np.ones(len(codes), dtype=bool) if weights is None else weights > 0
    return [np.flatnonzero((codes == k) & counted) for k in range(n_classes)]


class Machines:
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
        # From here on samples stand sorted by class.
        self.spans = [np.arange(end - len(rows), end) for end, rows in zip(ends, members)]
        self.order, self.C = order, C[order]
        if len(members) == 2 and source.points is None and len(order) == source.n_samples:
            # A matrix that is given is large, and stays as it is.
            self.order, self.C, self.spans = np.arange(len(order)), C, members
            self.source, self.is_at_hand = source, False
            return
        self.source = source.take(order)
        self.is_at_hand = len(members) > 2 and 8 * len(order) ** 2 <= settings.cache_bytes
        if self.is_at_hand:
            self.source = _core.gram.kernel_functions.PrecomputedGram(self.source.compute_whole())

    def solve(self, split):
        """Fit all machines.

        Parameters
        ----------
        split : callable
            ``split(function, tasks, name)`` returns both as they are to be called.

        Returns
        -------
        machines : list of Machine
        """
        function, tasks = split(self._solve_pair, self.pairs, "pair of classes")
        return map_tasks(function, tasks, self.n_jobs)

    def calibrate(self, hashes, weights):
        """Slopes and offsets of all machines' sigmoids.

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
        source, y, C = self._pick(first, second)
        machine = solve_classes(source, y, C, self.settings)
        # Samples of the first class, then those of the second.
        machine.alpha = np.concatenate([machine.alpha[y > 0], machine.alpha[y < 0]])
        return machine

    def _calibrate_pair(self, hashes, weights, first, second):
        source, y, C = self._pick(first, second)
        rows = np.concatenate([self.spans[first], self.spans[second]])
        rows = np.sort(rows) if len(self.spans) == 2 else rows

        def fit(train, test):
            machine = solve_classes(source.take(train), y[train], C[train], self.settings)
            used = np.flatnonzero(machine.alpha)
            values = source.compute_block(test, train[used])
            return values @ (machine.alpha * y[train])[used] + machine.intercept

        return _core.svm.calibration.calibrate(fit, hashes[rows], y > 0, weights[rows])

    def _pick(self, first, second):
        a, b = self.spans[first], self.spans[second]
        if len(self.spans) == 2:
            y = np.full(len(self.order), -1.0)
            y[a] = 1.0
            return self.source, y, self.C
        y = np.repeat([1.0, -1.0], [len(a), len(b)])
        if self.is_at_hand and len(a) and len(b):
            a, b = slice(a[0], a[-1] + 1), slice(b[0], b[-1] + 1)
            return self.source.take_ranges(a, b), y, np.concatenate([self.C[a], self.C[b]])
        rows = np.concatenate([a, b])
        return self.source.take(rows), y, self.C[rows]


def solve_classes(source, y, C, settings):
    """As the core's, with no need of samples of both classes."""
    if 0 < np.count_nonzero(y > 0) < len(y):
        return _core.svm.kernel.solve(source, y, C, settings)
    # Of one class every sample is on the right side of a constant.
    side = float(np.sign(y.sum()))
    return _core.svm.kernel.Machine(np.zeros(len(y)), side, 0.0, 0, True)
