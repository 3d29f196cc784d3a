"""Kernel logistic regression along a sequence of penalties, scored on samples left out."""

from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from skextra._core.gram.products import GramProduct
from skextra._core.kernel_logistic.exact import KernelLogisticSolver
from skextra._core.kernel_logistic.leave_one_out import compute_left_out_decisions
from skextra._core.runtime.threads import single_threaded_blas

# Probabilities that round to zero cost no more than this.
_LARGEST_LOSS = -np.log(np.finfo(np.float64).eps)


def compute_log_losses(F, codes):
    """Log-loss of each sample at decision values (n_rows, n_samples)."""
    if len(F) == 1:
        losses = np.logaddexp(0.0, np.where(codes == 1, -F[0], F[0]))
    else:
        losses = logsumexp(F, axis=0) - F[codes, np.arange(len(codes))]
    return np.minimum(losses, _LARGEST_LOSS)


def score_left_out(source, codes, n_classes, weights, Cs, fit_intercept, settings):
    """Mean log-loss of samples left out one at a time, for each of increasing Cs.

    Parameters
    ----------
    source : Gram source
    codes : ndarray of int of shape (n_samples,)
        Each class occurs.
    n_classes : int
    weights : ndarray of shape (n_samples,)
        Positive; also in the mean.
    Cs : ndarray of shape (n_Cs,)
    fit_intercept : bool
    settings : kernel_logistic.Settings

    Returns
    -------
    losses : ndarray of shape (n_Cs,)
    converged : bool
    """
    with single_threaded_blas():
        product = GramProduct(source)
        solver = KernelLogisticSolver(product, codes, n_classes, fit_intercept, settings)
        losses, converged = np.empty(len(Cs)), True
        for i, C in enumerate(Cs):
            solver.solve(C * weights)
            converged &= solver.converged
            F = compute_left_out_decisions(solver)
            losses[i] = np.average(compute_log_losses(F, codes), weights=weights)
    return losses, converged


def score_fold(gram, train, test, codes, n_classes, weights, Cs, fit_intercept, settings):
    """Mean log-loss on test rows of models of the training rows, for each of increasing Cs.

    Parameters
    ----------
    gram : PrecomputedGram
        Kernel values among all samples.
    train, test : ndarray of int
    codes, n_classes, weights, Cs, fit_intercept, settings
        As in `score_left_out`, of all samples.

    Returns
    -------
    losses : ndarray of shape (n_Cs,)
    converged : bool
    """
    train = train[weights[train] > 0]
    present, numbers = np.unique(codes[train], return_inverse=True)
    losses, converged = np.empty(len(Cs)), True
    if len(present) < 2:
        wrong = codes[test] != (present[0] if len(present) else -1)
        losses[:] = np.average(_LARGEST_LOSS * wrong, weights=_or_equal(weights[test]))
        return losses, converged
    with single_threaded_blas():
        product = GramProduct(gram.take(train))
        solver = KernelLogisticSolver(product, numbers, len(present), fit_intercept, settings)
        # Two rows of softmax share one row of log-odds evenly, at half its penalty.
        share = 2.0 if len(present) == 2 and n_classes > 2 else 1.0
        cross = gram.K[np.ix_(train, test)]
        for i, C in enumerate(Cs):
            solver.solve(share * C * weights[train])
            converged &= solver.converged
            F = solver.product.project(solver.A) @ cross + solver.b[:, None]
            F = _insert_absent(F, present, n_classes)
            losses[i] = np.average(
                compute_log_losses(F, codes[test]), weights=_or_equal(weights[test])
            )
    return losses, converged


def _or_equal(weights):
    return weights if weights.any() else np.ones(len(weights))


def _insert_absent(F, present, n_classes):
    if len(present) == n_classes:
        return F
    if len(present) == 2:
        F = np.vstack([-0.5 * F, 0.5 * F])
    whole = np.full((n_classes, F.shape[1]), F.max(axis=0) - 2.0 * _LARGEST_LOSS)
    whole[present] = F
    return whole


def make_search_settings(settings, tol):
    """Settings of the fits of a search: no tighter than choosing needs."""
    return replace(settings, tol=max(settings.tol, tol), report=None)
