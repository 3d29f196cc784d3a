"""Limited-memory BFGS steps for logistic regression with an L2 penalty, dense data.

Where a Hessian costs many passes over the data, most fits end here: a step takes one pass,
in blocks of rows that stay in the cache between the product with the coefficients and the
product with the residuals. Decision values are linear along a step, so that a line search
costs no pass. The residuals are a dual point whose products with the columns are known.

References
----------
Nocedal & Wright, "Numerical Optimization", 2nd ed., section 7.2, Springer (2006).
"""

import numpy as np

# Pairs of steps and changes of the gradient that are remembered.
_MEMORY = 10
# The estimate of the gap that ends the descent, relative to the gap that is wanted: the
# intercept is refitted afterwards, which changes products with the columns a little.
_MARGIN = 0.7
# Iterations over which the rate of convergence is measured: the estimate rises in between.
_WINDOW = 15
_MOST_LINE_STEPS = 30


class FirstOrderDescent:
    """State of a descent: coefficients and intercepts as rows of one array.

    Parameters
    ----------
    rows : DenseRows
    loss : LogLoss
    has_intercept : bool
    penalties : ndarray of shape (n_features,)
        Positive.
    squares : ndarray of shape (n_features,)
        Squared lengths of the columns, to a few digits.
    W : ndarray of shape (n_rows, n_features)
    V : ndarray of shape (n_rows, n_nuisance)
    F, value, P
        Decision values, loss and probabilities there.
    """

    def __init__(self, rows, loss, has_intercept, penalties, squares, W, V, F, value, P):
        self.rows, self.loss, self.has_intercept = rows, loss, has_intercept
        self.penalties, self.W, self.V = penalties, W, V
        self.F, self.value, self.P = F, value, P
        H = loss.weights @ (P * (1.0 - P)).T
        diagonal = np.outer(H / loss.n_samples, squares) + penalties
        if has_intercept:
            diagonal = np.concatenate([diagonal, H[:, None]], axis=1)
        self.inverse = 1.0 / np.maximum(diagonal, 1e-300)
        self.pairs = []

    def run(self, gap, budget, report=None):
        """Descend until the estimate of the gap is small, or convergence is slow.

        Parameters
        ----------
        gap : float
            Absolute, to reach.
        budget : int
            Further iterations that are worth taking rather than leaving the rest to a
            Newton method, and those taken at most.
        report : callable or None
            Called after every iteration.

        Returns
        -------
        n_iter : int
        is_close : bool
            Whether the estimate is as small as it should be.
        """
        residuals = self.loss.compute_residual(self.P)
        gradient = self._join(self.rows.correlate(residuals), residuals.sum(axis=1))
        estimates = []
        for n_iter in range(budget + 1):
            estimates.append(self._estimate_gap(gradient))
            if not np.isfinite(estimates[-1]):
                return n_iter, False
            if estimates[-1] <= _MARGIN * gap:
                self._refit_intercept()
                return n_iter, True
            if n_iter == budget or self._is_slow(estimates, gap, budget):
                break
            before = gradient
            step, gradient = self._step(gradient)
            if step is None:
                return n_iter, False
            self._remember(step, before - gradient)
            if report is not None:
                report()
        return n_iter, False

    def _join(self, C, sums):
        """Minus the gradient of the objective."""
        C = C - self.penalties * self.W
        return np.concatenate([C, sums[:, None]], axis=1) if self.has_intercept else C

    def _estimate_gap(self, gradient):
        """Conjugate of the penalty at the residual of optimality, and the intercept's share."""
        p = self.W.shape[1]
        r = gradient[:, :p]
        gap = 0.5 * float((r * (r / self.penalties)).sum())
        if self.has_intercept:
            gap += float((gradient[:, p] ** 2 * self.inverse[:, p]).sum())
        return gap

    def _is_slow(self, estimates, gap, budget):
        if len(estimates) <= _WINDOW + _WINDOW // 2:
            return False
        before, now = min(estimates[:-_WINDOW]), min(estimates)
        return np.log(before / now) / _WINDOW * budget < np.log(now / gap)

    def _choose_direction(self, gradient):
        """Two-loop recursion on the inverse Hessian, whose first guess is diagonal."""
        direction = gradient.copy()
        shares = []
        for step, change, product in reversed(self.pairs):
            share = float(np.vdot(step, direction)) / product
            shares.append(share)
            direction -= share * change
        direction *= self.inverse
        if self.pairs:
            _, change, product = self.pairs[-1]
            direction *= product / float((change * self.inverse * change).sum())
        for (step, change, product), share in zip(self.pairs, reversed(shares), strict=True):
            direction += (share - float(np.vdot(change, direction)) / product) * step
        return direction

    def _step(self, gradient):
        """Move; returns the step and minus the gradient there, or None where nothing falls."""
        d = self._choose_direction(gradient)
        p = self.W.shape[1]
        slope = -float(np.vdot(gradient, d))
        dW = d[:, :p]
        db = d[:, p] if self.has_intercept else np.zeros(len(d))
        wx = float((self.penalties * self.W * dW).sum())
        xx = float((self.penalties * dW * dW).sum())
        C = None
        if self.pairs:
            b = self.V[:, 0] + db if self.has_intercept else db
            F, value, P, C, sums = self.rows.evaluate(self.loss, self.W + dW, b)
            DF = None
        if C is None or not self._is_lower(value - self.value + wx + 0.5 * xx, slope):
            DF = self.rows.predict(dW) + db[:, None] if C is None else F - self.F
            length, F, value, P = self._search(DF, slope, wx, xx)
            if length == 0.0:
                return None, gradient
            d, dW, db = length * d, length * dW, length * db
            residuals = self.loss.compute_residual(P)
            C, sums = self.rows.correlate(residuals), residuals.sum(axis=1)
        self.W = self.W + dW
        if self.has_intercept:
            self.V = self.V + db[:, None]
        self.F, self.value, self.P = F, value, P
        return d, self._join(C, sums)

    def _is_lower(self, change, slope):
        return change <= 1e-4 * slope + 1e-14 * abs(self.value)

    def _search(self, DF, slope, wx, xx):
        """Minimize along a step by Newton's method in one dimension, kept between bounds."""
        low, high, length = 0.0, np.inf, 1.0
        found = 0.0, self.F, self.value, self.P
        lowest = 0.0
        for _ in range(_MOST_LINE_STEPS):
            F = self.F + length * DF
            value, P = self.loss.evaluate(F)
            change = value - self.value + length * wx + 0.5 * length * length * xx
            if change < lowest:
                lowest, found = change, (length, F, value, P)
            derivative = wx + length * xx - float(np.vdot(self.loss.compute_residual(P), DF))
            if abs(derivative) <= 0.1 * abs(slope):
                break
            low, high = (length, high) if derivative < 0 else (low, length)
            curvature = xx + float(
                (self.loss.weights * (DF * self.loss.multiply_curvature(P, DF)).sum(axis=0)).sum()
            )
            length -= derivative / max(curvature, 1e-300)
            if not low < length < min(high, 10.0 * max(low, 0.1)):
                length = 0.5 * (low + high) if np.isfinite(high) else 4.0 * low
        return found

    def _remember(self, step, change):
        product = float(np.vdot(step, change))
        if product > 1e-12 * float((change * self.inverse * change).sum()):
            self.pairs = [*self.pairs[1 - _MEMORY :], (step, change, product)]

    def _refit_intercept(self):
        """Make the residuals sum to zero: only then are they a dual point."""
        if self.has_intercept:
            shift, self.value, self.P = self.loss.fit_intercept(self.F)
            self.V = self.V + shift[:, None]
            self.F = self.F + shift[:, None]
