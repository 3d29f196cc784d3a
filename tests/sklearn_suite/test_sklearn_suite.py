"""The drop-in contract: scikit-learn's own test files with our classes in place."""

import textwrap
from functools import cache

import pytest
import sklearn

from tests.sklearn_suite.__main__ import main
from tests.sklearn_suite.runner import SUITES, load_expected, load_outside, run_suite, run_tests

VERSION, REASONS = load_expected()
OUTSIDE = load_outside()
# Tests of a file that touch our classes: fewer would mean that the swap did not work.
FEWEST = {"test_mixture": 2}


only_for_listed_version = pytest.mark.skipif(
    not sklearn.__version__.startswith(VERSION + "."),
    reason=f"the list of failures is about the test files of scikit-learn {VERSION}",
)
run_suite_once = cache(run_suite)


@pytest.mark.slow
@only_for_listed_version
@pytest.mark.parametrize("name", SUITES)
def test_suite_fails_exactly_where_expected(name):
    result = run_suite_once(name)
    failures = {**dict.fromkeys(result.failed), **dict.fromkeys(result.untouched_failed)}
    messages = {test: result.messages[test] for test in failures}
    expected = set(REASONS.get(name, {}))
    surprises = {test: messages[test] for test in failures if test not in expected}
    assert not surprises
    assert not expected - set(failures), "these are listed as failing, but pass or are gone"
    assert len(result.passed) >= FEWEST.get(name, 40)
    assert result.compute_share(OUTSIDE.get(name, ())) >= 0.9


@pytest.mark.slow
@only_for_listed_version
def test_nearly_all_tests_that_touch_our_classes_pass():
    results = [run_suite_once(name) for name in SUITES]
    passed = sum(len(result.passed) for result in results)
    failed = sum(
        len(set(run_suite_once(name).failed) - OUTSIDE.get(name, set())) for name in SUITES
    )
    assert passed / (passed + failed) >= 0.95


def test_every_expected_failure_has_a_suite_and_a_reason():
    assert set(REASONS) <= set(SUITES)
    for tests in REASONS.values():
        assert all(len(reason) > 20 for reason in tests.values())


@pytest.fixture
def demonstration(tmp_path, monkeypatch):
    """A wrong Ridge, a wrong ridge_regression, and a test file that uses both."""
    (tmp_path / "wrong_linear_model.py").write_text(
        textwrap.dedent("""
            __all__ = ["Ridge", "ridge_regression", "only_here"]
            from sklearn.linear_model import Ridge as _Right

            class Ridge(_Right):
                def predict(self, X):
                    return super().predict(X) + 1.0

            def ridge_regression(X, y, alpha):
                return None

            def only_here():
                pass
        """)
    )
    (tmp_path / "test_demonstration.py").write_text(
        textwrap.dedent("""
            import pytest
            import sklearn.linear_model
            from sklearn.linear_model import LinearRegression, Ridge, ridge_regression
            from sklearn.linear_model._ridge import Ridge as PrivateRidge

            X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]

            def test_sees_the_swap():
                assert Ridge is PrivateRidge
                assert Ridge().fit(X, y).coef_.shape == (1,)
                assert not hasattr(sklearn.linear_model, "only_here")

            @pytest.mark.parametrize("model", [Ridge(alpha=1e-9)])
            def test_made_at_collection(model):
                assert model.fit(X, y).predict([[1.0]]) == pytest.approx(1.0)

            def test_function():
                assert ridge_regression(X, y, alpha=1.0) is not None

            def test_theirs():
                assert LinearRegression().fit(X, y).predict([[1.0]]) == pytest.approx(1.0)

            def test_theirs_fails():
                assert LinearRegression().fit(X, y).predict([[1.0]]) == pytest.approx(2.0)

            def test_skipped():
                pytest.skip("never counted")
        """)
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return str(tmp_path / "test_demonstration.py")


def test_runner_sorts_tests_by_what_they_touch(demonstration):
    result = run_tests(demonstration, {"sklearn.linear_model": "wrong_linear_model"})
    assert result.passed == {"test_sees_the_swap": ["Ridge"]}
    assert result.failed == {
        "test_made_at_collection[model0]": ["Ridge"],
        "test_function": ["ridge_regression"],
    }
    assert result.untouched == {"test_theirs"}
    assert result.untouched_failed == {"test_theirs_fails"}
    assert result.compute_share() == pytest.approx(1 / 3)
    assert result.compute_share({"test_function"}) == pytest.approx(1 / 2)
    assert "is not None" in result.messages["test_function"]


def test_runner_raises_when_the_module_cannot_be_imported(tmp_path):
    path = tmp_path / "test_broken.py"
    path.write_text("import there_is_no_such_module")
    with pytest.raises(RuntimeError, match="there_is_no_such_module"):
        run_tests(str(path), {"sklearn.linear_model": "sklearn.linear_model"})


def test_command_refuses_an_unknown_suite(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["test_nothing"])
    assert stop.value.code == 2
    assert "test_nothing" in capsys.readouterr().err


def test_markdown_lists_every_expected_failure(capsys):
    assert main(["--markdown"]) == 0
    text = capsys.readouterr().out
    for tests in REASONS.values():
        for test, reason in tests.items():
            assert test in text
            assert reason in text
