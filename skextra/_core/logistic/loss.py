"""The logistic loss, binary or softmax, its curvature and its dual.

Arrays are class-major, of shape (n_rows, n_samples): reductions over a handful of
classes are then sums of long contiguous vectors. Two classes have one row, the
decision value of the second class; more have a row each.
"""

import numpy as np
from scipy.special import entr


class LogLoss:
    """Weighted sum of losses of known classes.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        Classes, from 0 on.
    n_classes : int
    weights : ndarray of shape (n_samples,) and float64
        Weight of each sample's loss.
    """

    def __init__(self, codes, n_classes, weights):
        self.codes = codes
        self.n_classes = n_classes
        self.n_rows = 1 if n_classes == 2 else n_classes
        self.n_samples = len(codes)
        self.weights = weights
        self.total_weight = float(weights.sum())
        if self.n_rows == 1:
            self.targets = (codes == 1).astype(np.float64)[None]
        else:
            self.targets = np.zeros((n_classes, len(codes)))
            self.targets[codes, np.arange(len(codes))] = 1.0

    def compute_value(self, F):
        """Loss at decision values `F`."""
        return self.evaluate(F)[0]

    def compute_constant_value(self, f):
        """Loss where all samples have the decision values `f` of shape (n_rows,)."""
        f = np.append(0.0, f) if self.n_rows == 1 else f
        top = f.argmax()
        rest = np.delete(np.exp(f - f[top]), top).sum()
        return float(self.compute_class_weights() @ (np.log1p(rest) + (f[top] - f)))

    def evaluate(self, F, rows=slice(None)):
        """Loss and probabilities at decision values `F` of all samples or a slice of them.

        Returns
        -------
        value : float
        P : ndarray of shape (n_rows, n_samples)
        """
        if self.n_rows == 1:
            f = F[0]
            e = np.exp(-np.abs(f))
            losses = np.log1p(e) + np.maximum(f, 0.0) - self.targets[0, rows] * f
            value = self.weights[rows] @ losses
            p = np.where(f >= 0, 1.0, e)
            p /= 1.0 + e
            return float(value), p[None]
        top = F.max(axis=0)
        P = F - top
        chosen = P[self.codes[rows], np.arange(P.shape[1])]
        np.exp(P, out=P)
        total = P.sum(axis=0)
        P /= total
        return float(self.weights[rows] @ (np.log(total) - chosen)), P

    def compute_residual(self, P, rows=slice(None)):
        """Minus the gradient with respect to the decision values."""
        return self.weights[rows] * (self.targets[:, rows] - P)

    def multiply_curvature(self, P, D):
        """``(diag(p) - p p^T) d`` for every sample, without its weight."""
        if self.n_rows == 1:
            return P * (1.0 - P) * D
        return P * (D - np.einsum("kn,kn->n", P, D))

    def majorize_curvature(self, F, P):
        """Probabilities whose curvature is fit for long steps.

        The loss of a sample that is badly misclassified is nearly a straight line:
        with its own curvature, a Newton step would throw it any distance. These
        have the curvature of the parabola that ends where it is classified well.
        """
        if self.n_rows == 1:
            behind = np.where(self.codes == 1, -F[0], F[0])
        else:
            behind = F.max(axis=0) - F[self.codes, np.arange(self.n_samples)]
        share = np.where(behind > 0, 1.0 / (np.maximum(behind, 0.0) + 4.0), 0.0)
        return P + share * (self.targets - P)

    def compute_dual_value(self, U):
        """Sum of the entropies of probabilities `U`: the loss's part of the dual.

        A dual point is ``theta = weights * (targets - U)``.
        """
        if self.n_rows == 1:
            return float(self.weights @ (entr(U[0]) + entr(1.0 - U[0])))
        return float(self.weights @ entr(U).sum(axis=0))

    def compute_class_weights(self):
        """Total weight of every class."""
        return np.bincount(self.codes, weights=self.weights, minlength=self.n_classes)

    def compute_null_intercept(self):
        """Decision values that fit best where all samples share them."""
        # A class of no weight at all belongs to minus infinity; this is far enough.
        logs = np.log(np.maximum(self.compute_class_weights(), 1e-12 * self.total_weight))
        if self.n_rows == 1:
            return np.array([logs[1] - logs[0]])
        return logs - logs.mean()

    def fit_intercept(self, F, tol=1e-15, max_iter=50):
        """Shift of the decision values that makes the residuals sum to zero.

        Newton's method in one dimension, or in one per class; halved where a full
        step would not lower the loss.

        Returns
        -------
        shift : ndarray of shape (n_rows,)
        value : float
        P : ndarray of shape (n_rows, n_samples)
        """
        shift = np.zeros(self.n_rows)
        value, P = self.evaluate(F)
        for _ in range(max_iter):
            gradient = self.compute_residual(P).sum(axis=1)
            if np.abs(gradient).max() <= tol * self.total_weight:
                break
            step = self._solve_intercept(P, gradient)
            for _ in range(30):
                new_value, new_P = self.evaluate(F + (shift + step)[:, None])
                if new_value <= value * (1 + 1e-15):
                    break
                step = 0.5 * step
            else:
                break
            moved = np.abs(step).max()
            shift, value, P = shift + step, new_value, new_P
            if moved <= 1e-15 * max(1.0, np.abs(shift).max()):
                break
        return shift, value, P

    def _solve_intercept(self, P, gradient):
        weighted = P * self.weights
        if self.n_rows == 1:
            curvature = float((weighted[0] * (1.0 - P[0])).sum())
            step = gradient / max(curvature, 1e-300)
        else:
            # All intercepts may shift together: the last one stays where it is.
            H = np.diag(weighted.sum(axis=1)) - weighted @ P.T
            H = H[:-1, :-1] + 1e-14 * np.trace(H) * np.eye(self.n_rows - 1)
            step = np.append(np.linalg.lstsq(H, gradient[:-1], rcond=None)[0], 0.0)
            step -= step.mean()
        # Where the loss is nearly linear a Newton step says little about distance.
        return step * min(1.0, 20.0 / max(np.abs(step).max(), 1e-300))
