"""Fits on tiny data that compile every kernel an estimator can select.

The set of kernels and signatures is not written down anywhere: it is what these fits use.
"""

import numpy as np

# Constructor parameters that do not select a kernel.
_NOT_CODE = ("copy_X", "scoring", "verbose", "warm_start")
# A few trees, components and penalties run all the code.
_FEW = {"n_estimators": 3, "max_components": 2, "alphas": 10, "Cs": 2, "gammas": 2}
# Tall and wide: linear models change their algorithm at 300 features.
_SHAPES = ((24, 5), (12, 320))


def warm_estimator(estimator_class):
    """Fit an estimator on tiny data in every layout, and once with each of its options."""
    from sklearn.base import clone

    default = estimator_class()
    parameters = default.get_params(deep=False)
    default.set_params(**{k: v for k, v in _FEW.items() if isinstance(parameters.get(k), int)})
    if "max_components" in parameters:
        default.set_params(max_iter=2)
    tags = default.__sklearn_tags__()
    # To mixtures a wide table is a large covariance matrix, and no code of its own.
    shapes = _SHAPES[:1] if "covariance_type" in parameters else _SHAPES
    for X in _make_layouts(shapes, sparse=tags.input_tags.sparse):
        targets = _make_targets(tags, X)
        for y in targets:
            _fit_and_predict(default, X, y, weighted=False)
            _fit_and_predict(default, X, y, weighted=True)
        if "cv" in parameters and X.shape == _SHAPES[1]:
            continue  # options of searches are those of the model they search for
        # An option selects code, not a layout of its own: crossing options with
        # layouts is enough, crossing them with each other is not needed.
        for options in _list_options(default, n_features=X.shape[1]):
            for y in targets if tags.estimator_type == "classifier" else targets[:1]:
                _fit_and_predict(clone(default).set_params(**options), X, y, weighted=True)
    # Memory-mapped data is read-only, which is a type of its own to kernels that read it directly.
    for dtype in (np.float64, np.float32):
        X = next(_make_layouts(_SHAPES[:1], sparse=False)).astype(dtype)
        X.flags.writeable = False
        _fit_and_predict(default, X, _make_targets(tags, X)[0], weighted=False)


def _make_targets(tags, X):
    """One and two targets, or two and three classes, as far as the estimator takes them."""
    y = np.random.default_rng(1).standard_normal((X.shape[0], 2)).astype(X.dtype)
    if tags.estimator_type != "classifier":
        targets = tags.target_tags
        return [y[:, 0]] * targets.single_output + [y] * targets.multi_output
    ranks = y[:, 0].argsort().argsort()
    return [ranks % 2, ranks % 3] if tags.classifier_tags.multi_class else [ranks % 2]


def _make_layouts(shapes, sparse):
    """Data of these shapes in every layout and precision that is compiled apart."""
    from scipy.sparse import csc_matrix, csr_matrix

    rng = np.random.default_rng(0)
    for shape in shapes:
        X = rng.standard_normal(shape)
        X[np.abs(X) < 0.5] = 0.0
        for dtype in (np.float64, np.float32):
            yield np.ascontiguousarray(X, dtype=dtype)
            yield np.asfortranarray(X, dtype=dtype)
            if sparse:
                yield csc_matrix(X, dtype=dtype)
                yield csr_matrix(X, dtype=dtype)


def _list_options(estimator, n_features):
    """Yield constructor arguments: each flag and named choice, one at a time."""
    defaults = estimator.get_params(deep=False)
    if "penalty_weights" in defaults:
        yield {"penalty_weights": np.ones(n_features)}
    if "cv" in defaults:
        yield {"cv": 2}
    for name, constraints in estimator._parameter_constraints.items():
        if name in defaults and name not in _NOT_CODE:
            for choice in _list_choices(constraints):
                if choice != defaults[name]:
                    yield {name: choice}


def _list_choices(constraints):
    if not isinstance(constraints, list):
        return
    for constraint in constraints:
        if isinstance(constraint, str) and constraint == "boolean":
            yield from (False, True)
        elif isinstance(getattr(constraint, "options", None), set):
            yield from sorted(o for o in constraint.options if isinstance(o, str))


def _fit_and_predict(estimator, X, y, weighted):
    from sklearn.utils.validation import has_fit_parameter

    parameters = {}
    if weighted and has_fit_parameter(estimator, "sample_weight"):
        parameters["sample_weight"] = np.random.default_rng(1).uniform(0.5, 1.5, X.shape[0])
    try:
        estimator.fit(X, y, **parameters)
    except (TypeError, ValueError):
        # Options and data that do not go together are refused before any kernel.
        return
    for method in ("predict", "predict_proba", "transform"):
        if hasattr(estimator, method):
            getattr(estimator, method)(X)
