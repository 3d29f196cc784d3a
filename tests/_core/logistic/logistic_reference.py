"""Logistic regressions solved twice over: interior point, then Newton steps in 40 digits.

Nothing here shares a line or a method with the package. The interior point
method (floats, split variables w = u - v) guesses which coefficients are zero;
Newton steps whose residuals have 40 digits settle the values; and the
optimality conditions, in 40 digits as well, prove that the guess was right.
Every binary model is the softmax of the scores (0, f).
"""

from dataclasses import dataclass

import mpmath
import numpy as np

DIGITS = 40

_exact = np.frompyfunc(lambda x: mpmath.mpf(float(x)), 1, 1)
_exp = np.frompyfunc(mpmath.exp, 1, 1)
_log = np.frompyfunc(mpmath.log, 1, 1)


class NoOptimumError(AssertionError):
    """The optimality conditions could not be met; perhaps there is no optimum."""


@dataclass
class Problem:
    """What is solved, as the facade takes it; `X` dense, `C` a single number."""

    X: np.ndarray
    codes: np.ndarray
    n_classes: int
    C: float = 1.0
    l1_ratio: float = 0.0
    sample_weight: np.ndarray | None = None
    fit_intercept: bool = True
    penalty_weights: np.ndarray | None = None

    @property
    def n_rows(self):
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def s(self):
        """Weight of each sample, not scaled by C."""
        return np.ones(len(self.X)) if self.sample_weight is None else self.sample_weight

    @property
    def v(self):
        return np.ones(self.X.shape[1]) if self.penalty_weights is None else self.penalty_weights

    @property
    def options(self):
        """Keywords of the facade."""
        names = ("l1_ratio", "sample_weight", "fit_intercept", "penalty_weights")
        return {name: getattr(self, name) for name in names}

    def list_penalties(self):
        """L1 and L2 penalty of each coefficient, relative to C; infinite where excluded."""
        with np.errstate(divide="ignore"):
            v = self.v if np.isfinite(self.C) else np.where(np.isinf(self.v), np.inf, 0.0)
            factor = 1.0 / self.C if np.isfinite(self.C) else 1.0
        l1, l2 = (
            np.where(np.isinf(v), np.inf, factor * share * np.where(np.isinf(v), 0.0, v))
            for share in (self.l1_ratio, 1.0 - self.l1_ratio)
        )
        return l1, l2


@dataclass
class Minimum:
    """An optimum: objective divided by C, coefficients (n_rows, n_features), intercepts."""

    value: mpmath.mpf
    coefs: np.ndarray
    intercepts: np.ndarray


def make_problem(n, p, n_classes, seed=0, *, noise=1.0, offset=0.5, **options):
    """Correlated features away from zero; classes drawn from a sparse softmax model."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1)) + offset
    W = np.zeros((p, n_classes))
    W[: min(3, p)] = 2.0 * rng.normal(size=(min(3, p), n_classes))
    scores = (X - offset) @ W + noise * rng.gumbel(size=(n, n_classes))
    codes = scores.argmax(axis=1)
    codes[: 2 * n_classes] = np.tile(np.arange(n_classes), 2)[:n]  # every class occurs
    return Problem(X, codes, n_classes, **options)


# Objectives ---------------------------------------------------------------------------


def _compute_scores(X, coefs, intercepts):
    scores = X @ coefs.T + intercepts
    if scores.shape[1] == 1:
        return np.hstack([np.zeros_like(scores), scores])
    return scores


def _compute_losses(problem, coefs, intercepts):
    """Log-losses and class probabilities in 40 digits."""
    scores = _compute_scores(_exact(problem.X), coefs, intercepts)
    top = scores.max(axis=1)
    exponentials = _exp(scores - top[:, None])
    sums = exponentials.sum(axis=1)
    losses = _log(sums) + top - scores[np.arange(len(scores)), problem.codes]
    return losses, exponentials / sums[:, None]


def compute_probabilities(problem, coefs, intercepts):
    """Probability of each class for each row, as floats."""
    with mpmath.workdps(DIGITS):
        return _compute_losses(problem, _exact(coefs), _exact(intercepts))[1].astype(float)


def compute_objective(problem, coefs, intercepts):
    """What the documentation says is minimized, divided by C; excluded features must be zero."""
    with mpmath.workdps(DIGITS):
        return _compute_objective(problem, _exact(coefs), _exact(intercepts))


def _compute_objective(problem, coefs, intercepts):
    l1, l2 = problem.list_penalties()
    excluded = np.isinf(l1)
    assert not coefs[:, excluded].any()
    losses, _ = _compute_losses(problem, coefs, intercepts)
    W, l1, l2 = coefs[:, ~excluded], _exact(l1[~excluded]), _exact(l2[~excluded])
    penalty = (abs(W) * l1).sum() + (W * W * l2).sum() / 2 if W.size else mpmath.mpf(0)
    return (_exact(problem.s) * losses).sum() + penalty


def compute_null_objective(problem):
    """Objective (divided by C) at zero coefficients with the best intercepts."""
    with mpmath.workdps(DIGITS):
        shares = _exact(np.bincount(problem.codes, problem.s, minlength=problem.n_classes))
        total = shares.sum()
        if not problem.fit_intercept:
            return total * mpmath.log(problem.n_classes)
        return -sum(share * mpmath.log(share / total) for share in shares if share > 0)


def find_free_objective(problem):
    """Objective (divided by C) of the best model without penalized coefficients."""
    free = problem.v == 0
    null = Problem(
        problem.X[:, free], problem.codes, problem.n_classes, np.inf,
        sample_weight=problem.sample_weight, fit_intercept=problem.fit_intercept,
    )  # fmt: skip
    return find_minimum(null).value


# Minimization: a flat vector of coefficients, class by class, then the intercepts ------


class _Flat:
    """The same problem with scaled columns and a flat vector of unknowns."""

    def __init__(self, problem):
        self.problem, self.n_rows = problem, problem.n_rows
        l1, l2 = problem.list_penalties()
        self.kept = np.flatnonzero(np.isfinite(l1))
        rows = problem.s > 0
        columns = problem.X[np.ix_(rows, self.kept)]
        norms = np.sqrt((columns**2).sum(axis=0))
        # Powers of two, so that scaling is exact.
        self.scale = 2.0 ** np.round(np.log2(np.where(norms > 0, norms, 1.0)))
        design = columns / self.scale
        if problem.fit_intercept:
            design = np.column_stack([design, np.ones(len(design))])
        self.design, self.s = design, problem.s[rows].astype(float)
        self.total = self.s.sum()
        self.codes = problem.codes[rows]
        self.targets = np.eye(problem.n_classes)[self.codes][:, -self.n_rows :]
        pad = np.zeros(int(problem.fit_intercept))
        self.l1 = np.tile(np.append(l1[self.kept] / self.scale, pad), self.n_rows)
        self.l2 = np.tile(np.append(l2[self.kept] / self.scale**2, pad), self.n_rows)

    def compute(self, x):
        """Smooth part of the objective over the total weight, its gradient, its Hessian."""
        W = x.reshape(self.n_rows, -1)
        scores = _compute_scores(self.design, W, 0.0)
        top = scores.max(axis=1, keepdims=True)
        sums = np.exp(scores - top).sum(axis=1)
        losses = np.log(sums) + top[:, 0] - scores[np.arange(len(scores)), self.codes]
        P = (np.exp(scores - top) / sums[:, None])[:, -self.n_rows :]
        value = self.s @ losses + 0.5 * self.l2 @ x**2
        gradient = ((P - self.targets) * self.s[:, None]).T @ self.design
        gradient = gradient.ravel() + self.l2 * x
        d = self.design.shape[1]
        hessian = np.zeros((len(x), len(x)))
        for a in range(self.n_rows):
            for b in range(self.n_rows):
                h = self.s * P[:, a] * ((a == b) - P[:, b])
                hessian[a * d : (a + 1) * d, b * d : (b + 1) * d] = (
                    self.design.T @ (h[:, None] * self.design)
                )  # fmt: skip
        hessian[np.diag_indices(len(x))] += self.l2
        return value / self.total, gradient / self.total, hessian / self.total

    def unpack(self, x):
        """Coefficients and intercepts in the units of the problem; `x` may be exact."""
        W = x.reshape(self.n_rows, -1)
        zero = x.dtype.type(0) if x.dtype != object else mpmath.mpf(0)
        coefs = np.full((self.n_rows, self.problem.X.shape[1]), zero, dtype=x.dtype)
        coefs[:, self.kept] = W[:, : len(self.kept)] / self.scale
        if not self.problem.fit_intercept:
            return coefs, np.full(self.n_rows, zero, dtype=x.dtype)
        return coefs, W[:, -1]


def _minimize_barrier(flat, n_steps=200):
    """Interior point on w = u - v with u, v > 0 where there is an L1 penalty."""
    size = len(flat.l1)
    split = np.flatnonzero(flat.l1 > 0)
    m, l1 = len(split), flat.l1[split] / flat.total
    uv, z = np.ones(2 * m), np.tile(l1, 2)
    lift = np.zeros((size, size + m))  # (x with u in place, v) -> w
    lift[:, :size] = np.eye(size)
    lift[split, size + np.arange(m)] = -1.0
    inside = np.append(split, size + np.arange(m))
    cost = np.zeros(size + m)
    cost[inside] = np.tile(l1, 2)
    full = np.zeros(size + m)
    full[inside] = uv
    for _ in range(n_steps):
        value, gradient, hessian = flat.compute(lift @ full)
        mu = 0.1 * float(full[inside] @ z) / max(2 * m, 1)
        residual = lift.T @ gradient + cost
        dual = residual.copy()
        dual[inside] -= z
        if np.abs(dual).max() < 1e-13 and mu < 1e-15:
            break
        right = residual.copy()
        right[inside] -= mu / full[inside]
        matrix = lift.T @ hessian @ lift
        matrix[inside, inside] += z / full[inside]
        matrix[np.diag_indices(len(matrix))] += 1e-13 * (1.0 + matrix.diagonal())
        step = np.linalg.solve(matrix, -right)
        dz = mu / full[inside] - z - z / full[inside] * step[inside]
        t = _shorten(full[inside], step[inside])
        full = full + _search(flat, lift, cost, inside, full, step, mu, t, right @ step) * step
        z = z + _shorten(z, dz) * dz
    return lift @ full


def _shorten(point, step):
    falling = step < 0
    return min(1.0, 0.99 * float((point[falling] / -step[falling]).min(initial=np.inf)))


def _search(flat, lift, cost, inside, full, step, mu, t, slope):
    def merit(y):
        return flat.compute(lift @ y)[0] + cost @ y - mu * np.log(y[inside]).sum()

    start = merit(full)
    for _ in range(40):
        if merit(full + t * step) <= start + 1e-4 * t * slope + 1e-15:
            break
        t *= 0.5
    return t


def _compute_exact_gradient(flat, x):
    coefs, intercepts = flat.unpack(x)
    keep = flat.problem.s > 0
    _, P = _compute_losses(flat.problem, coefs, intercepts)
    errors = (P[keep][:, -flat.n_rows :] - _exact(flat.targets)) * _exact(flat.s)[:, None]
    return (errors.T @ _exact(flat.design)).ravel() + _exact(flat.l2) * x


def _polish(flat, x):
    """Newton steps on the support, in 40 digits; the support mends itself."""
    signs = np.sign(np.where(np.abs(x) > 1e-6 * max(1e-3, np.abs(x).max(initial=0)), x, 0.0))
    signs[flat.l1 == 0] = 0.0
    x = _exact(np.where((signs != 0) | (flat.l1 == 0), x, 0.0))
    l1 = _exact(flat.l1)
    for round in range(80):
        active = np.flatnonzero((signs != 0) | (flat.l1 == 0))
        gradient = _compute_exact_gradient(flat, x)
        right = gradient + l1 * _exact(signs)
        outside = np.setdiff1d(np.arange(len(x)), active)
        if _measure(right[active]) < flat.total * mpmath.mpf(10) ** -24:
            excess = [abs(gradient[j]) - l1[j] for j in outside]
            if not excess or max(excess) <= flat.total * mpmath.mpf(10) ** -22:
                return x
            worst = outside[int(np.argmax([float(e) for e in excess]))]
            signs[worst] = -float(mpmath.sign(gradient[worst]))
            continue
        # Residuals are exact, so that a Hessian in floats does, unless it is all but singular.
        solve = _solve_in_floats if round < 12 else _solve_exactly
        x = _take_step(x, active, signs, solve(flat, x, active, right[active]))
    raise NoOptimumError("the reference found no optimum: it is of no use here")


def _solve_in_floats(flat, x, active, right):
    hessian = flat.compute(x.astype(float))[2][np.ix_(active, active)]
    size = _measure(right)
    step = np.linalg.lstsq(hessian, (right / size).astype(float), rcond=1e-15)[0]
    return _exact(step) * (size / flat.total)


def _solve_exactly(flat, x, active, right):
    keep = flat.problem.s > 0
    P = _compute_losses(flat.problem, *flat.unpack(x))[1][keep][:, -flat.n_rows :]
    design, s, d = _exact(flat.design), _exact(flat.s), flat.design.shape[1]
    hessian = np.diag(_exact(flat.l2) + flat.total * mpmath.mpf(10) ** -28)
    for a in range(flat.n_rows):
        for b in range(flat.n_rows):
            h = s * P[:, a] * (int(a == b) - P[:, b])
            hessian[a * d : (a + 1) * d, b * d : (b + 1) * d] += design.T @ (h[:, None] * design)
    matrix = mpmath.matrix(hessian[np.ix_(active, active)].tolist())
    return np.array(list(mpmath.lu_solve(matrix, mpmath.matrix(list(right)))), dtype=object)


def _take_step(x, active, signs, step):
    new = x.copy()
    new[active] -= step
    crossed = [j for j in active if signs[j] != 0 and new[j] * signs[j] <= 0]
    if not crossed:
        return new
    # The first to reach zero leaves the support.
    shares = [x[j] / (x[j] - new[j]) if x[j] != new[j] else mpmath.mpf(0) for j in crossed]
    first = int(np.argmin([float(t) for t in shares]))
    x = x + min(max(shares[first], 0), 1) * (new - x)
    x[crossed[first]], signs[crossed[first]] = mpmath.mpf(0), 0.0
    return x


def _measure(values):
    return max((abs(value) for value in values), default=mpmath.mpf(0))


def find_minimum(problem):
    """The optimum of a small problem, proven by its optimality conditions.

    Raises
    ------
    NoOptimumError
        If they cannot be met, as for separable classes without a penalty.
    """
    flat = _Flat(problem)
    with mpmath.workdps(DIGITS):
        x = _polish(flat, _minimize_barrier(flat)) if len(flat.l1) else _exact(np.zeros(0))
        coefs, intercepts = flat.unpack(x)
        value = _compute_objective(problem, coefs, intercepts)
        return Minimum(value, coefs.astype(float), intercepts.astype(float))
