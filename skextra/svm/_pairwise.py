"""What a machine for each pair of classes says of new samples."""

import numpy as np
from scipy import sparse
from scipy.special import log_expit
from sklearn.base import ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._compat import align_sparse_interface
from skextra._core.runtime.threads import single_threaded_blas
from skextra._kernels import KernelTagsMixin, create_prediction_gram
from skextra._validation import as_contiguous

_BLOCK = 1024  # samples at a time
_FEW_VALUES = 1_000_000  # of training data that need not be kept sparse


def _to_dense(X):
    return X.toarray() if sparse.issparse(X) else np.asarray(X)


class PairwiseClassifier(KernelTagsMixin, ClassifierMixin, BaseEstimator):
    """Classes and probabilities from ``support_vectors_``, ``dual_coef_`` and ``intercept_``."""

    def _call_kernel(self, X, points):
        K = self.kernel(X, points)
        K = K.toarray() if sparse.issparse(K) else np.asarray(K)
        if K.dtype.kind not in "fiub":
            raise ValueError(f"kernel must return numbers, got an array of {K.dtype}")
        K = np.ascontiguousarray(K, dtype=np.float64)
        if not np.isfinite(K).all():
            raise ValueError("kernel returned NaN or infinity for X")
        return K

    def _compute_decisions(self, X):
        """Decision values of all pairs, (n_samples, n_pairs); one of two classes."""
        check_is_fitted(self)
        if callable(self.kernel):
            n_new = X.shape[0] if hasattr(X, "shape") else len(X)
        else:
            X = validate_data(
                self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
            )
            if sparse.issparse(X) and not self._sparse:
                raise ValueError(
                    f"cannot use sparse input in {type(self).__name__!r} trained on dense data"
                )
            X = as_contiguous(X)
            n_new = X.shape[0]
        table = self.dual_coef_.toarray() if self._sparse else np.asarray(self.dual_coef_)
        if not len(self.support_) == table.shape[1] == self.n_support_.sum():
            # scikit-learn's words.
            raise ValueError(f"The internal representation of {type(self).__name__} was altered")
        if len(self.classes_) == 2:
            coefs = table.T
        else:
            coefs = _core.svm.one_vs_one.expand(table, self.n_support_)
        decisions = np.empty((n_new, coefs.shape[1]))
        n_values = max(np.prod(self.support_vectors_.shape), np.prod(self.shape_fit_))
        is_dense = not (sparse.issparse(X) or self._sparse) or n_values <= _FEW_VALUES
        if self.kernel == "linear" and is_dense:
            # By the features' coefficients: kernel values far from zero would cancel.
            compute, coefs = _to_dense, self._compute_coefficients(coefs.T).T
        else:
            compute = self._create_kernel_function()
        with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, n_new, _BLOCK):
                part = slice(start, start + _BLOCK)
                decisions[part] = compute(X[part]) @ coefs + self.intercept_
        if not np.isfinite(decisions).all():
            raise ValueError(f"the scores of {type(self).__name__} overflow: X is too large")
        return decisions

    def _compute_coefficients(self, coefs):
        """Coefficients of the features, for the linear kernel and dense data."""
        points = _to_dense(self.support_vectors_)
        return _core.gram.kernel_functions.compute_linear_coefficients(coefs, points)

    def _create_kernel_function(self):
        """Function from new points to their kernel values with the support vectors."""
        if self.kernel == "precomputed":
            return lambda X: X[:, self.support_].astype(np.float64)
        if callable(self.kernel):
            return self._call_kernel_on_support
        source = create_prediction_gram(self, self.support_vectors_)
        return source.compute_cross

    def _call_kernel_on_support(self, X):
        K = self._call_kernel(X, self._points)
        if K.ndim != 2 or K.shape[1] != self.shape_fit_[0]:
            raise ValueError(
                f"kernel must return an array of {self.shape_fit_[0]} columns, the number of "
                f"samples at training time, got shape {K.shape}"
            )
        return K[:, self.support_]

    def decision_function(self, X):
        """Compute decision values.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        scores : ndarray of shape (n_samples,), (n_samples, n_classes) or \
(n_samples, n_classes * (n_classes - 1) / 2)
            With two classes, positive for ``classes_[1]``. With more, one per class
            ('ovr': its votes, and less than a third of one for its decision values)
            or one per pair of classes ('ovo': positive for the first).
        """
        decisions = self._compute_decisions(X)
        n_classes = len(self.classes_)
        if n_classes == 2:
            return decisions[:, 0]
        if self.decision_function_shape == "ovr":
            return _core.svm.one_vs_one.compute_class_scores(decisions, n_classes)
        return decisions

    def predict(self, X):
        """Predict the class that wins most pairs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels, of the type of ``classes_``.

        Raises
        ------
        ValueError
            If ``break_ties=True`` and ``decision_function_shape="ovo"``.
        """
        check_is_fitted(self)
        if self.break_ties and self.decision_function_shape == "ovo":
            raise ValueError("break_ties must be False when decision_function_shape is 'ovo'")
        decisions = self._compute_decisions(X)
        n_classes = len(self.classes_)
        if n_classes == 2:
            codes = (decisions[:, 0] >= 0).astype(np.intp)
        elif self.break_ties:
            codes = _core.svm.one_vs_one.compute_class_scores(decisions, n_classes).argmax(axis=1)
        else:
            codes = _core.svm.one_vs_one.count_votes(decisions, n_classes).argmax(axis=1)
        return self.classes_[codes]

    def _check_probability(self):
        if not self.probability:
            raise AttributeError("predict_proba is not available when probability=False")
        return True

    def _get_calibrated_decisions(self, X):
        check_is_fitted(self)
        if not hasattr(self, "probA_"):
            raise NotFittedError(
                "predict_proba is not available when fitted with probability=False"
            )
        return self._compute_decisions(X)

    @available_if(_check_probability)
    def predict_proba(self, X):
        """Predict the probability of each class.

        Available if ``probability=True``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; each row sums to 1.

        Raises
        ------
        NotFittedError
            If the model was fitted with ``probability=False``.
        """
        decisions = self._get_calibrated_decisions(X)
        if len(self.classes_) == 2:
            return np.exp(self._compute_binary_logarithms(decisions[:, 0]))
        within = _core.svm.platt.apply_sigmoid(decisions, self.probA_, self.probB_)
        n_classes = len(self.classes_)
        pairs = _core.svm.one_vs_one.list_pairs(n_classes)
        return _core.svm.platt.couple_pairs(within, pairs, n_classes)

    @available_if(_check_probability)
    def predict_log_proba(self, X):
        """Predict the logarithm of each class's probability.

        Available if ``probability=True``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If the model was fitted with ``probability=False``.
        """
        if len(self.classes_) == 2:
            return self._compute_binary_logarithms(self._get_calibrated_decisions(X)[:, 0])
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _compute_binary_logarithms(self, decisions):
        z = decisions * self.probA_[0] + self.probB_[0]
        return np.column_stack([log_expit(z), log_expit(-z)])

    # Names under which converters of models to other formats read scikit-learn's machines,
    # whose signs are those of the first class, with two classes, too.
    @property
    def _n_support(self):
        return self.n_support_

    @property
    def _dual_coef_(self):
        return -self.dual_coef_ if len(self.classes_) == 2 else self.dual_coef_

    @_dual_coef_.setter
    def _dual_coef_(self, value):
        self.dual_coef_ = -value if len(self.classes_) == 2 else value

    @property
    def _intercept_(self):
        return -self.intercept_ if len(self.classes_) == 2 else self.intercept_

    @property
    def coef_(self):
        """Coefficients of the features, for the linear kernel; read-only."""
        if self.kernel != "linear":
            raise AttributeError("coef_ is only available when using a linear kernel")
        check_is_fitted(self)
        table = self.dual_coef_.toarray() if self._sparse else self.dual_coef_
        if len(self.classes_) > 2:
            table = _core.svm.one_vs_one.expand(table, self.n_support_).T
        if self._sparse:
            coef = sparse.csr_array(
                sparse.csr_array(table) @ sparse.csr_array(self.support_vectors_)
            )
            coef = align_sparse_interface(coef)
            coef.data.flags.writeable = False
            return coef
        coef = self._compute_coefficients(table)
        coef.flags.writeable = False
        return coef
