"""Report the progress of a fit to scikit-learn's callbacks (version 1.9 and later).

Setting up callbacks, passing them on inside a meta-estimator and tearing them down is
done by scikit-learn: `CallbackSupportMixin` and `fit_context`. Here a fit reports its progress.
Return values of callbacks are ignored: no part of these fits can be left out.
"""

from contextlib import contextmanager, nullcontext
from functools import partial


@contextmanager
def report_fit(estimator, X, y, sample_weight=None, max_subtasks=0):
    """Report a fit as one task, finished when the block is left without an error.

    Parameters
    ----------
    estimator : estimator instance
        Must have its fitted attributes at the end of the block.
    X, y : array-like
        Training data as the user gave it: with feature names, for a callback that predicts.
    sample_weight : ndarray of shape (n_samples,) or None
    max_subtasks : int or None
        Number of tasks that `split` will be given, 0 if it is not called; None for
        `count`, whose number of tasks is not known beforehand.

    Yields
    ------
    report : object
        Its `split` reports the parts of the fit, its `count` the iterations.
    """
    # The second is what a meta-estimator leaves on the estimator it fits.
    if not (hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")):
        yield _NoReport()
        return
    context = estimator._init_callback_context(
        max_subtasks=max_subtasks, sequential_subtasks=not max_subtasks
    )
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    training = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
    context.call_on_fit_task_begin(**training)
    yield _Report(estimator, context, training)
    context.call_on_fit_task_end(
        **training, reconstruction_attributes=lambda: _get_fitted_attributes(estimator)
    )


class _NoReport:
    def split(self, function, tasks, name):
        return function, tasks

    def count(self, name):
        return nullcontext()


class _Report:
    def __init__(self, estimator, context, training):
        self.estimator = estimator
        self.context = context
        self.data = {name: value for name, value in training.items() if name != "estimator"}

    def split(self, function, tasks, name):
        """Make each call of `function` a subtask; calls may come from several threads.

        Parameters
        ----------
        function : callable
        tasks : list of tuple
            Positional arguments of each call.
        name : str
            The name that a callback shows for it.

        Returns
        -------
        function : callable
        tasks : list of tuple
            To be called with, in place of those given.
        """
        # All contexts are made before the first call: the tree of tasks does not grow
        # in one thread while a callback walks it in another.
        contexts = [self.context.subcontext(name, task_id=i) for i in range(len(tasks))]
        call = partial(_call_reported, function, self.estimator)
        return call, [(context, *task) for context, task in zip(contexts, tasks, strict=True)]

    @contextmanager
    def count(self, name):
        """Make each iteration a subtask, one after the other, for the block's duration.

        Parameters
        ----------
        name : str
            The name that a callback shows for an iteration.

        Yields
        ------
        advance : callable
            To be called after each iteration with a function that gives the fitted
            attributes as they would be, should a callback ask for them.
        """
        begun = []

        def begin(**state):
            begun.append(self.context.subcontext(name))
            begun[-1].call_on_fit_task_begin(estimator=self.estimator, **state)

        def advance(attributes):
            state = {**self.data, "reconstruction_attributes": attributes}
            begun[-1].call_on_fit_task_end(estimator=self.estimator, **state)
            begin(**state)

        begin()
        yield advance
        begun[-1].call_on_fit_task_end(estimator=self.estimator)


def _call_reported(function, estimator, context, *task):
    context.call_on_fit_task_begin(estimator=estimator)
    result = function(*task)
    context.call_on_fit_task_end(estimator=estimator)
    return result


def _get_fitted_attributes(estimator):
    return {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_")
    }
