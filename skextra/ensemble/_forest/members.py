"""Trees of a forest that its user has changed: joined, left out, pruned, replaced."""

from skextra import _core
from skextra.ensemble._forest.growing import Batch
from skextra.tree._base import Tree


def are_as_made(estimators, made):
    """Whether a list still holds the estimators that a forest made, with the trees they had.

    Parameters
    ----------
    estimators : list of estimator
    made : list of tuple
        Each estimator with its `Trees`. Those are never written to; another tree is another
        object.
    """
    return len(estimators) == len(made) and all(
        estimator is one and vars(estimator).get("_trees") is trees
        for estimator, (one, trees) in zip(estimators, made, strict=True)
    )


def adopt_estimators(forest, estimators):
    """Arrays, seeds and batches of trees that a user has put into a forest.

    Parameters
    ----------
    forest : Forest
    estimators : list of estimator

    Returns
    -------
    trees : Trees
    seeds : list
        Each tree's `random_state`.
    batches : list of Batch

    Raises
    ------
    TypeError
        For anything but fitted trees of this package.
    ValueError
        For trees of other features, outputs or numbers of classes than the forest has.
    """
    if len(estimators) == 0:
        raise ValueError("estimators_ must hold at least one tree")
    known = {id(estimator): i for i, (estimator, _) in enumerate(forest._made)}
    expected = forest._trees if "_trees" in vars(forest) else None
    seeds, batches = [], []
    for index, estimator in enumerate(estimators):
        if not isinstance(estimator, Tree) or "_trees" not in vars(estimator):
            raise TypeError(
                f"estimators_[{index}] must be a fitted tree of skextra.tree, got {estimator!r}"
            )
        trees = estimator._trees
        expected = trees if expected is None else expected
        for name, own, needed in (
            ("features", trees.n_features, expected.n_features),
            ("classes per output", trees.n_classes.tolist(), expected.n_classes.tolist()),
        ):
            if own != needed:
                raise ValueError(f"estimators_[{index}] has {own} {name}, the forest {needed}")
        seeds.append(estimator.random_state)
        if id(estimator) in known and trees is forest._made[known[id(estimator)]][1]:
            batches.append(forest._batches[known[id(estimator)]])
        else:
            parameters = estimator.get_params(deep=False)
            parameters.pop("random_state")
            batches.append(Batch(parameters, None))
    return _core.tree.nodes.concatenate([tree._trees for tree in estimators]), seeds, batches
