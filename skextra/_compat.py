"""The only file that imports a private scikit-learn name or branches on a version."""

from functools import cache
from inspect import signature

from sklearn import get_config
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._metadata_requests import _raise_for_params, _routing_enabled
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    make_constraint,
    validate_params,
)
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_method_params,
    _check_sample_weight,
)

try:
    from sklearn.utils._sparse import _align_api_if_sparse as align_sparse_interface
except ImportError:  # scikit-learn 1.8 has no `sparse_interface` setting

    def align_sparse_interface(matrix):
        """Return `matrix` in the interface (matrix or array) the user configured."""
        from scipy import sparse

        return sparse.csr_matrix(matrix)


try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # callbacks came with scikit-learn 1.9

    class CallbackSupportMixin:
        """Stand-in where scikit-learn has no callbacks."""


fit_context = _fit_context
safe_indexing = _safe_indexing
check_feature_names_in = _check_feature_names_in
check_method_params = _check_method_params
raise_for_params = _raise_for_params
routing_enabled = _routing_enabled
check_sample_weight = _check_sample_weight


def make_sklearn_tree(n_features, n_classes, n_outputs, is_read_only=False):
    """An empty scikit-learn `Tree`; imported here because only trees need it.

    With `is_read_only` the arrays that it shows cannot be changed.
    """
    from sklearn.tree._tree import Tree

    cls = _make_read_only(Tree) if is_read_only else Tree
    return cls(n_features, n_classes, n_outputs)


@cache
def _make_read_only(cls):
    def make_property(name):
        def get(self):
            array = getattr(super(read_only, self), name)
            array.flags.writeable = False
            return array

        return property(get, doc=getattr(cls, name).__doc__)

    names = (
        "children_left", "children_right", "feature", "impurity", "missing_go_to_left",
        "n_node_samples", "threshold", "value", "weighted_n_node_samples",
    )  # fmt: skip
    attributes = {name: make_property(name) for name in names}
    read_only = type(cls.__name__, (cls,), attributes)
    return read_only


def build_pruned_tree(pruned, tree, ccp_alpha):
    """Fill an empty `Tree` with another one pruned at minimal cost-complexity."""
    from sklearn.tree._tree import _build_pruned_tree_ccp

    _build_pruned_tree_ccp(pruned, tree, ccp_alpha)


def compute_pruning_path(tree):
    """Dictionary of alphas and impurities of a `Tree` pruned at minimal cost-complexity."""
    from sklearn.tree._tree import ccp_pruning_path

    return ccp_pruning_path(tree)


def scorer_accepts_sample_weight(scorer):
    """Whether `scorer` can be called with ``sample_weight``."""
    if hasattr(scorer, "_accept_sample_weight"):
        return scorer._accept_sample_weight()
    return "sample_weight" in signature(scorer).parameters


def validate_parameters(estimator):
    """Check the constructor parameters of an estimator that is not fitted through ``fit``."""
    if not get_config()["skip_parameter_validation"]:
        estimator._validate_params()


@cache
def list_constraints(cls):
    """Constructor parameters of a class of estimators, each with its constraints."""
    given = cls._parameter_constraints
    return [
        (name, [make_constraint(constraint) for constraint in given[name]])
        for name in cls._get_param_names()
        if given.get(name, "no_validation") != "no_validation"
    ]


def describe_scorer(scorer):
    """What a scorer of `make_scorer` consists of; a score function of None for any other.

    Returns
    -------
    function : callable or None
    sign : int
        1 or -1.
    response_method : str or tuple of str
    options : dict
        Keyword arguments of `function`.
    """
    if not hasattr(scorer, "_score_func"):
        return None, 1, None, {}
    options = getattr(scorer, "_kwargs", None) or {}
    return scorer._score_func, scorer._sign, scorer._response_method, dict(options)


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "Parallel",
    "RealNotInt",
    "StrOptions",
    "align_sparse_interface",
    "build_pruned_tree",
    "check_feature_names_in",
    "check_method_params",
    "check_sample_weight",
    "compute_pruning_path",
    "delayed",
    "describe_scorer",
    "fit_context",
    "list_constraints",
    "make_sklearn_tree",
    "raise_for_params",
    "routing_enabled",
    "safe_indexing",
    "scorer_accepts_sample_weight",
    "validate_parameters",
    "validate_params",
]
