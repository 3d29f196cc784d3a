"""A start for the next penalty of a path: a combination of the last solutions.

Decision values are linear in coefficients, so that the best combination is a problem of
as many unknowns as there are solutions, without a product with the columns.
"""

import numpy as np

_MOST_STEPS = 4
# Decrease that a step has to promise, beside the first one's.
_WORTHWHILE = 0.05


def combine_solutions(loss, decisions, coefs, penalties, small):
    """Shares of solutions in the best start, by Newton's method.

    Parameters
    ----------
    loss : LogLoss
    decisions : ndarray of shape (n_solutions, n_rows, n_samples)
        Their decision values; the start of the search is the first solution itself.
    coefs : ndarray of shape (n_solutions, n_rows, n_features)
    penalties : float or ndarray of shape (n_features,)
    small : float
        Decrease of the objective that is not worth a step.

    Returns
    -------
    shares : ndarray of shape (n_solutions,)
    F : ndarray of shape (n_rows, n_samples)
        Decision values of the combination.
    value : float
        Its loss.
    P : ndarray of shape (n_rows, n_samples)
        Its probabilities.
    """
    flat, W = decisions.reshape(len(decisions), -1), coefs.reshape(len(coefs), -1)
    penalty = (penalties * coefs).reshape(W.shape) @ W.T
    shares = np.eye(len(decisions))[0]
    F, (value, P) = decisions[0], loss.evaluate(decisions[0])
    first = 0.0
    for _ in range(_MOST_STEPS):
        gradient = flat @ loss.compute_residual(P).ravel() - penalty @ shares
        curved = [(loss.weights * loss.multiply_curvature(P, D)).ravel() for D in decisions]
        hessian = penalty + flat @ np.stack(curved).T
        # Solutions that hardly differ share what they are given.
        diagonal = hessian.diagonal()
        hessian += np.diag(1e-10 * diagonal + 1e-14 * diagonal.max() + 1e-300)
        step = np.linalg.solve(hessian, gradient)
        promised = float(gradient @ step)
        first = max(first, promised)
        if promised <= max(small, _WORTHWHILE * first):
            break
        before = value + 0.5 * shares @ penalty @ shares
        for _ in range(10):
            new = shares + step
            new_F = np.tensordot(new, decisions, 1)
            new_value, new_P = loss.evaluate(new_F)
            if new_value + 0.5 * new @ penalty @ new < before:
                shares, F, value, P = new, new_F, new_value, new_P
                break
            step = 0.5 * step
        else:
            break
    return shares, F, value, P
