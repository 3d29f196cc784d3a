"""Gaussian mixtures by the EM algorithm, plain or accelerated.

Plain EM is scikit-learn's iteration: responsibilities from the densities,
`floor` added to the variances afterwards. No function need grow along it unless
the floor is zero. The variances of the M-step do maximize something, with the
floor: the expected log-likelihood less ``floor / 2`` times the trace of the
precision for every row a component is given. Densities that have the same factor
in the E-step,

    F = mean_i log sum_k pi_k N(x_i | mu_k, S_k) exp(-floor / 2 tr(S_k^-1)),

make it EM on F, which then never falls. Since ``-tr(S^-1) / 2`` is what noise of
unit variance on the rows costs a log-density on average, F is the likelihood of
rows known to a variance of `floor`. The accelerated form works on F.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from skextra._core.mixture.collapse import repair
from skextra._core.mixture.e_step import compute_statistics
from skextra._core.mixture.parameters import CollapseError, Parameters, maximize
from skextra._core.mixture.squarem import Squarem

#: EM steps before the first extrapolation: early ones are long and not yet linear.
WARMUP = 5


@dataclass
class Settings:
    """How to iterate.

    Attributes
    ----------
    tol : float
        Stop when the mean objective of two successive E-steps differs by less.
    max_iter : int
        E-steps at most.
    floor : float
        Added to variances.
    is_accelerated : bool
        SQUAREM on the penalized likelihood, instead of plain EM.
    on_collapse : {"raise", "reseed", "drop"}
    start_bound : float
        Objective before the first E-step.
    report : callable or None
        Called with (iteration, change, parameters) after each.
    """

    tol: float = 1e-3
    max_iter: int = 100
    floor: float = 1e-6
    is_accelerated: bool = True
    on_collapse: str = "raise"
    start_bound: float = -np.inf
    report: Callable | None = None


@dataclass
class Result:
    """Where EM ended.

    Attributes
    ----------
    parameters : Parameters
        After the last M-step.
    bounds : list of float
        Objective at each E-step; where one was spent on a proposal that was
        turned down, the value before.
    converged : bool
    """

    parameters: Parameters
    bounds: list = field(default_factory=list)
    converged: bool = False


def solve(data, start, settings, pool):
    """Iterate from given parameters.

    Parameters
    ----------
    data : Data
    start : Parameters
    settings : Settings
    pool : Pool

    Returns
    -------
    result : Result

    Raises
    ------
    CollapseError
        If a covariance degenerates, and ``settings.on_collapse`` says so.
    """
    path = _Path(data, start, settings, pool)
    result = Result(start)
    while len(result.bounds) < settings.max_iter and not result.converged:
        change = path.advance(len(result.bounds))
        result.bounds.append(path.bound)
        result.parameters = path.current
        result.converged = change is not None and abs(change) < settings.tol
        if settings.report is not None:
            settings.report(len(result.bounds), change, path.current)
    return result


class _Path:
    """Where EM is, where it came from, and what is to be tried next."""

    def __init__(self, data, start, settings, pool):
        self.data, self.settings, self.pool = data, settings, pool
        self.current, self.bound = start, settings.start_bound
        self.trail, self.proposal = [], None
        self.accelerator = None
        if settings.is_accelerated:
            # Rows with gaps are completed by the covariances.
            self.accelerator = Squarem(data.frame, with_covariances=not data.is_complete)
        self.n_repairs = 0

    def advance(self, n_done):
        """Spend one E-step; return the change of the objective, None if it was in vain."""
        proposal, self.proposal = self.proposal, None
        trial = self.current if proposal is None else proposal
        try:
            statistics = self._compute_statistics(trial)
            bound = statistics.log_likelihood / statistics.weight
            # A likelihood that is not a number is no reason to go there.
            if proposal is not None and not bound >= self.bound:
                return self._reject()
            following = maximize(statistics, self.settings.floor)
        except CollapseError as error:
            if proposal is not None:
                return self._reject()
            following = self._repair(statistics, trial, error)
            self.trail, self.bound = [], -np.inf
        else:
            self.trail = [trial] if proposal is not None else [*self.trail[-1:], trial]
        change, self.bound = bound - self.bound, bound
        self.current = following
        if self.accelerator is not None and n_done + 1 >= WARMUP and len(self.trail) == 2:
            self.proposal = self.accelerator.propose(*self.trail, following)
            self.trail = []
        return change

    def _compute_statistics(self, trial):
        penalties = None
        if self.accelerator is not None and self.settings.floor > 0:
            penalties = 0.5 * self.settings.floor * trial.compute_traces()
        return compute_statistics(self.data, trial, self.pool, penalties)

    def _reject(self):
        self.accelerator.reject()
        self.trail = []
        return None

    def _repair(self, statistics, trial, error):
        n_most = 10 * len(trial.weights)
        if self.settings.on_collapse == "raise" or self.n_repairs >= n_most:
            raise error
        self.n_repairs += 1
        warnings.warn(
            f"components {error.components.tolist()} collapsed: "
            f"on_collapse={self.settings.on_collapse!r}",
            RuntimeWarning,
            stacklevel=2,
        )
        return repair(self.data, statistics, trial, error, self.settings, self.pool)
