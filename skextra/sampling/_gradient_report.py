"""The gradient estimators side by side, against the exact gradient."""

from dataclasses import dataclass

import numpy as np

from skextra.sampling._gradients import (
    GradientEstimate,
    _call,
    _prepare,
    enumerated_gradient,
    gumbel_rao_gradient,
    gumbel_softmax_gradient,
    score_function_gradient,
    straight_through_gradient,
)
from skextra.sampling._inputs import check_count, draw_seed


@dataclass(frozen=True, eq=False)
class ReportRow:
    """One estimator in a report: its name, its temperature if it has one, its estimate."""

    estimator: str
    temperature: float | None
    estimate: GradientEstimate
    total_variance: float
    largest_bias: float
    bias_error: float
    squared_bias: float

    @property
    def root_mean_square_error(self):
        """Expected distance of a single sample from the exact gradient, squared and rooted."""
        return float(np.sqrt(self.total_variance + self.squared_bias))


class GradientReport:
    """Bias and variance of gradient estimators; prints as a table.

    Returned by :func:`compare_gradient_estimators`.

    Parameters
    ----------
    exact : ndarray of shape (n_categories,)
        The exact gradient, by enumeration.
    rows : list of row
        One an estimator and temperature.

    Attributes
    ----------
    exact, rows
        The parameters. A row has ``estimator``, ``temperature``, ``estimate``,
        ``total_variance`` (of one sample, summed over the coordinates),
        ``largest_bias`` (over the coordinates, absolute), ``bias_error`` (its
        standard error) and ``root_mean_square_error`` (of one sample).

    Examples
    --------
    >>> from skextra.sampling import compare_gradient_estimators
    >>> report = compare_gradient_estimators(
    ...     lambda Z: (Z**2).sum(axis=1), lambda Z: 2 * Z, [0.0, 1.0], random_state=0
    ... )
    >>> report.rows[0].estimator, report.rows[0].largest_bias
    ('score function', 0.0)
    """

    def __init__(self, exact, rows):
        self.exact = exact
        self.rows = rows

    def to_dict(self):
        """The figures as plain Python objects.

        Returns
        -------
        content : dict
            ``exact`` and ``rows``.
        """
        names = ("estimator", "temperature", "total_variance", "largest_bias", "bias_error")
        rows = [
            {name: getattr(row, name) for name in names}
            | {
                "root_mean_square_error": row.root_mean_square_error,
                "gradient": row.estimate.gradient.tolist(),
                "n_samples": row.estimate.n_samples,
            }
            for row in self.rows
        ]
        return {"exact": self.exact.tolist(), "rows": rows}

    def __repr__(self):
        return f"<GradientReport of {len(self.rows)} rows; print() shows the table>"

    def __str__(self):
        head = f"{'estimator':<28}{'temperature':>11}{'variance':>12}{'bias':>12}"
        head += f"{'+-':>10}{'rmse':>10}"
        lines = [head, "-" * len(head)]
        for row in self.rows:
            temperature = "" if row.temperature is None else f"{row.temperature:g}"
            lines.append(
                f"{row.estimator:<28}{temperature:>11}{row.total_variance:>12.3g}"
                f"{row.largest_bias:>12.2g}{row.bias_error:>10.1g}"
                f"{row.root_mean_square_error:>10.3g}"
            )
        note = "Variance and rmse are those of one sample; bias is the largest of the coordinates."
        return "\n".join([*lines, note])


def compare_gradient_estimators(
    f,
    grad_f,
    X,
    *,
    temperatures=(1.0, 0.5, 0.1),
    n_samples=10_000,
    n_inner=10,
    input="logits",
    random_state=None,
):
    """Measure bias and variance of every categorical gradient estimator.

    The exact gradient comes from enumeration, and so do mean and variance of the
    plain score function; the others are measured on samples. No estimator is best
    everywhere: at small temperatures the relaxed ones have the larger variance.

    Parameters
    ----------
    f : callable
        Takes rows of shape (n, n_categories), one-hot or inside the simplex,
        returns n values.
    grad_f : callable
        Takes the same, returns the gradients of f there, of the same shape.
    X : array-like of shape (n_categories,)
        Weights of the categories, in the form that `input` says.
    temperatures : sequence of float, default=(1.0, 0.5, 0.1)
        Temperatures of the relaxed estimators.
    n_samples : int, default=10000
        Samples of each estimator; at least two.
    n_inner : int, default=10
        Inner draws of the Gumbel-Rao estimator.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What `X` holds.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same report in each call.

    Returns
    -------
    report : GradientReport
        Prints as a table.

    Raises
    ------
    ValueError, TypeError
        If an argument has a wrong value, or a function returns another shape or
        something infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import compare_gradient_estimators
    >>> target = np.array([0.2, 0.5, 0.3])
    >>> report = compare_gradient_estimators(
    ...     lambda Z: ((Z - target) ** 2).sum(axis=1),
    ...     lambda Z: 2 * (Z - target),
    ...     [0.5, 0.0, -0.5],
    ...     random_state=0,
    ... )
    >>> len(report.rows)
    11
    """
    n_samples = check_count(n_samples, "n_samples", smallest=2)
    seed = draw_seed(random_state)
    exact = enumerated_gradient(f, X, input=input)
    common = {"n_samples": n_samples, "input": input, "random_state": seed}
    plain = _enumerate_score_function(f, X, input, exact, n_samples)
    rows = [_make_row("score function", None, plain, exact, is_exact=True)]
    baseline = score_function_gradient(f, X, **common)
    rows.append(_make_row("score function, baseline", None, baseline, exact))
    for temperature in temperatures:
        for name, estimate in (
            ("Gumbel-softmax", gumbel_softmax_gradient(grad_f, X, temperature, **common)),
            ("straight-through", straight_through_gradient(grad_f, X, temperature, **common)),
            (
                f"Gumbel-Rao ({n_inner})",
                gumbel_rao_gradient(grad_f, X, temperature, n_inner=n_inner, **common),
            ),
        ):
            rows.append(_make_row(name, float(temperature), estimate, exact))
    return GradientReport(exact, rows)


def _enumerate_score_function(f, X, input, exact, n_samples):
    """Exact mean and variance of the score function without a baseline."""
    log_p, _ = _prepare(X, input, 1)
    p, Z = np.exp(log_p), np.eye(len(log_p))
    samples = _call(f, Z, (len(p),), "f")[:, None] * (Z - p)
    return GradientEstimate(exact, p @ (samples - exact) ** 2, n_samples)


def _make_row(name, temperature, estimate, exact, is_exact=False):
    bias = estimate.gradient - exact
    worst = int(np.abs(bias).argmax())
    # The squared mean of samples is too large by their variance over their number.
    noise = 0.0 if is_exact else float(estimate.variance.sum()) / estimate.n_samples
    return ReportRow(
        estimator=name,
        temperature=temperature,
        estimate=estimate,
        total_variance=float(estimate.variance.sum()),
        largest_bias=float(abs(bias[worst])),
        bias_error=0.0 if is_exact else float(estimate.standard_error[worst]),
        squared_bias=max(0.0, float(bias @ bias) - noise),
    )
