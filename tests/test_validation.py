"""Input validation: accepted forms, conversions, error messages."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning

from skextra._validation import (
    as_columns,
    as_contiguous,
    check_finite_result,
    compute_weights,
    validate_classification_data,
    validate_penalty_weights,
    validate_regression_data,
    validate_sample_weight,
)

X = np.arange(12.0).reshape(4, 3)
Y = np.array([1.0, 3.0, 2.0, 5.0])


class Model(BaseEstimator):
    pass


class TestRegressionData:
    def test_dense_data_is_shared_not_copied(self):
        for data in (X, np.asfortranarray(X), X.astype(np.float32)):
            checked, y = validate_regression_data(Model(), data, Y)
            assert np.shares_memory(checked, data)
            assert checked.dtype == y.dtype == data.dtype

    def test_names_and_number_of_features_are_noted(self):
        model = Model()
        validate_regression_data(model, pd.DataFrame(X, columns=["a", "b", "c"]), Y)
        assert model.n_features_in_ == 3
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]

    def test_integers_become_the_first_type(self):
        checked, y = validate_regression_data(Model(), X.astype(int), Y.astype(int))
        assert checked.dtype == y.dtype == np.float64

    def test_several_targets_are_column_major(self):
        _, y = validate_regression_data(Model(), X, np.c_[Y, Y, Y])
        assert y.shape == (4, 3) and y.flags.f_contiguous

    def test_one_target_alone(self):
        with pytest.raises(ValueError, match=r"y must be one-dimensional for Model.*\(4, 2\)"):
            validate_regression_data(Model(), X, np.c_[Y, Y], multi_output=False)
        with pytest.warns(DataConversionWarning, match="column-vector"):
            _, y = validate_regression_data(Model(), X, Y[:, None], multi_output=False)
        np.testing.assert_array_equal(y, Y)

    def test_target_beyond_the_type_of_X_is_refused(self):
        with pytest.raises(ValueError, match=r"Input y contains infinity.*float32"):
            validate_regression_data(Model(), X.astype(np.float32), 1e60 * Y)

    def test_text_is_named(self):
        with pytest.raises(ValueError, match="X and y must be numeric, got text.*'high'"):
            validate_regression_data(Model(), X, ["high"] * 4)
        with pytest.raises(ValueError, match="X and y must be numeric, got text.*'a'"):
            validate_regression_data(Model(), [["a", "b"]] * 4, Y)

    def test_other_errors_pass_as_they_are(self):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            validate_regression_data(Model(), np.full_like(X, np.nan), Y)
        with pytest.raises(TypeError, match="[Ss]parse"):
            validate_regression_data(Model(), X, sparse.csr_array(Y[:, None]))


class TestClassificationData:
    @pytest.mark.parametrize(
        "labels, classes",
        [
            (["b", "a", "b", "c"], ["a", "b", "c"]),
            ([1, -1, 1, 5], [-1, 1, 5]),
            ([True, False, True, True], [False, True]),
            (np.array(["b", "a", "b", "a"], dtype=object), ["a", "b"]),
            ([2.0, 1.0, 2.0, 1.0], [1.0, 2.0]),
            (pd.Series(["b", "a", "b", "a"], dtype="category"), ["a", "b"]),
        ],
    )
    def test_classes_are_sorted_and_numbered(self, labels, classes):
        model = Model()
        checked, codes, found = validate_classification_data(model, X, labels)
        assert np.shares_memory(checked, X) and model.n_features_in_ == 3
        assert found.tolist() == classes
        np.testing.assert_array_equal(found[codes], labels)

    @pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
    def test_compressed_sparse_keeps_its_format_and_its_indices(self, container):
        given = container(X)
        given.indices, given.indptr = (a.astype(np.int64) for a in (given.indices, given.indptr))
        checked, _, _ = validate_classification_data(Model(), given, [0, 1, 0, 1])
        assert checked.format == given.format and checked.indices.dtype == np.int64
        assert np.shares_memory(checked.data, given.data)
        coo, _, _ = validate_classification_data(Model(), sparse.coo_array(X), [0, 1, 0, 1])
        np.testing.assert_array_equal(coo.toarray(), X)

    @pytest.mark.parametrize(
        "y, about",
        [
            (
                ["a"] * 4,
                "at least 2 classes in the data, but the data contains only one class: .*a",
            ),
            ([0.5, 1.2, 1.0, 2.0], "Unknown label type: continuous"),
            ([0.0, 1.0, np.nan, 1.0], "Input y contains NaN"),
            (np.eye(4)[:, :2], r"y should be a 1d array, got an array of shape \(4, 2\)"),
            ([0, 1, 0], "inconsistent numbers of samples"),
        ],
    )
    def test_error_messages(self, y, about):
        with pytest.raises(ValueError, match=about):
            validate_classification_data(Model(), X, y)

    def test_a_column_of_labels_warns(self):
        with pytest.warns(DataConversionWarning, match="column-vector"):
            _, codes, _ = validate_classification_data(Model(), X, [[0], [1], [1], [0]])
        np.testing.assert_array_equal(codes, [0, 1, 1, 0])


class TestWeights:
    classes, codes = np.array(["a", "b", "c"]), np.array([0, 1, 1, 2, 2, 2])

    def compute(self, sample_weight=None, class_weight=None):
        return compute_weights(sample_weight, class_weight, self.codes, self.classes)

    def test_none_and_none_is_none(self):
        assert self.compute() is None

    def test_both_are_multiplied(self):
        own = np.array([1.0, 2.0, 0.0, 1.0, 0.5, 3.0])
        assert self.compute(own) is own
        factors = np.array([2.0, 1.0, 1.0, 0.5, 0.5, 0.5])
        class_weight = {"a": 2, "c": 0.5}
        np.testing.assert_array_equal(self.compute(None, class_weight), factors)
        np.testing.assert_array_equal(self.compute(own, class_weight), own * factors)
        np.testing.assert_array_equal(own, [1.0, 2.0, 0.0, 1.0, 0.5, 3.0])

    def test_balanced_gives_every_class_one_total(self):
        own = np.array([1.0, 2.0, 0.0, 1.0, 0.5, 3.0])
        for sample_weight, total in ((None, 2.0), (own, 2.5)):
            weights = self.compute(sample_weight, "balanced")
            np.testing.assert_allclose(np.bincount(self.codes, weights), np.full(3, total))

    def test_a_class_may_have_no_weight(self):
        own = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 1.0])
        np.testing.assert_array_equal(self.compute(own), own)
        expected = np.array([4 / 3, 0, 0, 4 / 9, 4 / 9, 4 / 9])
        np.testing.assert_allclose(self.compute(own, "balanced"), expected)
        np.testing.assert_array_equal(self.compute(None, {"b": 0}), own)

    @pytest.mark.parametrize(
        "sample_weight, class_weight, error, about",
        [
            (
                [0, 1, 1, 0, 0, 0],
                None,
                ValueError,
                "sample_weight leaves only .'b'. of the classes",
            ),
            ([0, 1, 1, 0, 0, 0], "balanced", ValueError, "sample_weight leaves only"),
            ([1e308] * 6, None, ValueError, "the sum of sample_weight .* overflows"),
            (None, {"c": 1e308}, ValueError, "the sum of sample_weight .* overflows"),
            (None, {"a": 0, "c": 0}, ValueError, "class_weight leaves only .'b'. of the classes"),
            (None, {"a": 0, "b": 0, "c": 0}, ValueError, r"class_weight leaves only \[\]"),
            (None, {"c": -1}, ValueError, r"class_weight\['c'\] == -1, must be >= 0"),
            (None, {"c": np.nan}, ValueError, r"class_weight\['c'\] must be finite, got nan"),
            (None, {"c": np.inf}, ValueError, r"class_weight\['c'\] must be finite, got inf"),
            (None, {"c": "heavy"}, TypeError, r"class_weight\['c'\] must be an instance of"),
            (None, {"c": 2, "d": 1}, ValueError, "The classes, .*are not in class_weight"),
        ],
    )
    def test_error_messages(self, sample_weight, class_weight, error, about):
        own = None if sample_weight is None else np.array(sample_weight, dtype=float)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(error, match=about):
                self.compute(own, class_weight)


class TestColumns:
    def test_contiguous_arrays_pass_through(self):
        for data in (X, np.asfortranarray(X)):
            assert as_columns(data) is data

    def test_views_become_column_major(self):
        strided = np.repeat(X, 2, axis=0)[::2, ::2]
        converted = as_columns(strided)
        assert converted.flags.f_contiguous
        np.testing.assert_array_equal(converted, strided)

    def test_unaligned_arrays_are_copied(self):
        storage = bytearray(X.nbytes + 1)
        unaligned = np.frombuffer(storage, dtype=X.dtype, offset=1).reshape(X.shape)
        unaligned[...] = X
        assert not unaligned.flags.aligned
        converted = as_columns(unaligned)
        assert converted.flags.aligned and converted.flags.f_contiguous
        np.testing.assert_array_equal(converted, X)

    @pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
    def test_sparse_becomes_canonical_and_the_users_stays_as_it_was(self, container):
        major = container(X)
        indices = np.repeat(major.indices, 2)[::-1].copy()
        data = np.repeat(major.data / 2, 2)[::-1].copy()
        indptr = 2 * (major.indptr[-1] - major.indptr[::-1])
        # Reversed as a whole, the order of rows (or columns) is turned too.
        messy = container((data, indices, indptr.astype(major.indptr.dtype)), shape=X.shape)
        expected = messy.toarray()
        before = messy.data.copy(), messy.indices.copy()
        converted = as_columns(messy)
        assert converted.format == "csc" and converted.has_canonical_format
        np.testing.assert_array_equal(converted.toarray(), expected)
        np.testing.assert_array_equal(messy.data, before[0])
        np.testing.assert_array_equal(messy.indices, before[1])

    def test_canonical_csc_is_not_copied(self):
        matrix = sparse.csc_array(X)
        assert np.shares_memory(as_columns(matrix).data, matrix.data)

    def test_rows_may_stay_rows(self):
        matrix = sparse.csr_array(X)
        assert as_contiguous(matrix) is matrix


class TestSampleWeight:
    def test_none_and_one_mean_unweighted(self):
        for weights in (None, 1, 1.0, True, np.array(1.0), np.float32(1)):
            assert validate_sample_weight(weights, X) is None

    def test_another_number_is_kept(self):
        for weights in (2, 2.0, np.array(2.0)):
            np.testing.assert_array_equal(validate_sample_weight(weights, X), np.full(4, 2.0))

    @pytest.mark.parametrize(
        "container", [list, tuple, pd.Series, lambda w: np.array(w, dtype=object), np.float32]
    )
    def test_containers_become_float64(self, container):
        weights = validate_sample_weight(container([0.0, 1.0, 2.0, 0.5]), X)
        assert weights.dtype == np.float64
        np.testing.assert_array_equal(weights, [0.0, 1.0, 2.0, 0.5])

    @pytest.mark.parametrize(
        "weights, error, about",
        [
            ([1, 1, np.nan, 1], ValueError, "sample_weight contains NaN"),
            ([1, 1, None, 1], ValueError, "sample_weight contains NaN"),
            ([1, 1, np.inf, 1], ValueError, "sample_weight contains infinity"),
            ([1, -1, 1, 1], ValueError, "Negative values.*sample_weight"),
            ([0, 0, 0, 0], ValueError, "Sample weights must contain at least one non-zero"),
            ([1, 1, 1], ValueError, r"sample_weight.*\(3,\)"),
            (np.ones((4, 1)), ValueError, "Sample weights must be 1D"),
            (np.ones(4) * 1j, TypeError, "sample_weight must be an array of numbers.*complex"),
            (["heavy"] * 4, TypeError, "sample_weight must be an array of numbers"),
            ("balanced", TypeError, "sample_weight must be an array of numbers"),
            ([[1], [1, 2]], TypeError, "sample_weight must be an array of numbers"),
            ([object()] * 4, TypeError, "sample_weight must be an array of numbers"),
            (0, ValueError, "as a scalar, sample_weight must be positive and finite, got 0"),
            (-2.0, ValueError, "as a scalar, sample_weight must be positive and finite, got -2.0"),
            (np.nan, ValueError, "as a scalar, sample_weight must be positive and finite, got nan"),
            (np.inf, ValueError, "as a scalar, sample_weight must be positive and finite, got inf"),
            (1j, TypeError, "sample_weight must be an array of numbers"),
        ],
    )
    def test_error_messages(self, weights, error, about):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(error, match=about):
                validate_sample_weight(weights, X)


class TestPenaltyWeights:
    def test_none_stays_none(self):
        assert validate_penalty_weights(None, 3) is None

    @pytest.mark.parametrize("weights", [[0, 1, np.inf], (0.0, 2.0, 1.0), [True, False, True]])
    def test_numbers_become_float64(self, weights):
        checked = validate_penalty_weights(weights, 3)
        assert checked.dtype == np.float64
        np.testing.assert_array_equal(checked, np.asarray(weights, dtype=float))

    def test_the_users_array_is_not_handed_on(self):
        weights = np.ones(3)
        validate_penalty_weights(weights, 3)[0] = 5.0
        assert weights[0] == 1.0

    @pytest.mark.parametrize(
        "weights, error, about",
        [
            ([1, 1], ValueError, r"penalty_weights must have shape \(3,\).*\(2,\)"),
            (np.ones((3, 1)), ValueError, r"penalty_weights must have shape \(3,\).*\(3, 1\)"),
            (1.0, ValueError, r"penalty_weights must have shape \(3,\)"),
            ([1, np.nan, 1], ValueError, "penalty_weights must be non-negative.*NaN"),
            ([1, -1, 1], ValueError, "penalty_weights must be non-negative"),
            ([1, -np.inf, 1], ValueError, "penalty_weights must be non-negative"),
            (["a", "b", "c"], TypeError, "penalty_weights must be an array of numbers"),
            ([1j, 1, 1], TypeError, "penalty_weights must be an array of numbers"),
            ([[1], [1, 2], [3]], TypeError, "penalty_weights must be an array of numbers"),
        ],
    )
    def test_error_messages(self, weights, error, about):
        with pytest.raises(error, match=about):
            validate_penalty_weights(weights, 3)


class TestFiniteResult:
    def test_finite_results_pass(self):
        assert check_finite_result(Model(), X, 3.0, np.float32(2)) is None

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_overflow_names_the_estimator_and_the_inputs(self, value):
        with pytest.raises(ValueError, match="Model overflowed.*X, y and sample_weight"):
            check_finite_result(Model(), X, np.array([1.0, value]))
        with pytest.raises(ValueError, match="Model overflowed"):
            check_finite_result(Model(), X, value)
