"""Runs scikit-learn's test files in a subprocess and sums up what touched us."""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_REPOSITORY = _HERE.parents[1]

#: One entry a test file: name -> (test module, package whose names are swapped).
SUITES = {
    "test_coordinate_descent": (
        "sklearn.linear_model.tests.test_coordinate_descent",
        "linear_model",
    ),
    "test_sparse_coordinate_descent": (
        "sklearn.linear_model.tests.test_sparse_coordinate_descent",
        "linear_model",
    ),
    "test_ridge": ("sklearn.linear_model.tests.test_ridge", "linear_model"),
    "test_logistic": ("sklearn.linear_model.tests.test_logistic", "linear_model"),
    "test_tree": ("sklearn.tree.tests.test_tree", "tree"),
    "test_forest": ("sklearn.ensemble.tests.test_forest", "ensemble"),
    "test_weight_boosting": ("sklearn.ensemble.tests.test_weight_boosting", "ensemble"),
    "test_gaussian_mixture": ("sklearn.mixture.tests.test_gaussian_mixture", "mixture"),
    "test_mixture": ("sklearn.mixture.tests.test_mixture", "mixture"),
    "test_svm": ("sklearn.svm.tests.test_svm", "svm"),
    "test_sparse": ("sklearn.svm.tests.test_sparse", "svm"),
}


@dataclass(frozen=True)
class Result:
    """What one test file did; skipped and expected-to-fail tests are left out.

    Attributes
    ----------
    passed, failed : dict of str to list of str
        Tests that used a swapped name, and which names.
    untouched : set of str
        Tests that used none of them and passed.
    untouched_failed : set of str
        Tests that used none of them and failed.
    messages : dict of str to str
        First line of each failure.
    """

    passed: dict = field(default_factory=dict)
    failed: dict = field(default_factory=dict)
    untouched: set = field(default_factory=set)
    untouched_failed: set = field(default_factory=set)
    messages: dict = field(default_factory=dict)

    def compute_share(self, outside=()):
        """Passed / touched, 0 if nothing was touched.

        Parameters
        ----------
        outside : set of str
            Tests of what is left out on purpose; if they fail, they do not count.
        """
        n_failed = len(set(self.failed) - set(outside))
        return len(self.passed) / max(1, len(self.passed) + n_failed)


def summarize(records):
    """Sort the plugin's records into a `Result`."""
    result = Result()
    for test, record in records.items():
        outcome, touched = record["outcome"], record["touched"]
        if outcome == "failed":
            result.messages[test] = record["message"]
            if touched:
                result.failed[test] = touched
            else:
                result.untouched_failed.add(test)
        elif outcome == "passed":
            if touched:
                result.passed[test] = touched
            else:
                result.untouched.add(test)
    return result


def run_tests(module, swaps, select=None):
    """Run one test module with names swapped.

    Parameters
    ----------
    module : str
        Dotted name of an installed test module.
    swaps : dict of str to str
        scikit-learn package -> package whose public names replace its names.
    select : str or None
        pytest's ``-k`` expression.

    Returns
    -------
    result : Result

    Raises
    ------
    RuntimeError
        If pytest did not run at all (an import error, say).
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        path = os.pathsep.join([str(_HERE.parent), str(_REPOSITORY)])
        if os.environ.get("PYTHONPATH"):
            path += os.pathsep + os.environ["PYTHONPATH"]
        environment = os.environ | {
            "PYTHONPATH": path,
            "SKLEARN_SUITE_SWAPS": json.dumps(swaps),
            "SKLEARN_SUITE_REPORT": str(report),
        }
        command = [sys.executable, "-m", "pytest", "--pyargs", module, "-q", "--tb=short"]
        command += ["-p", "sklearn_suite.plugin", "-p", "no:cacheprovider"]
        command += ["-k", select] if select else []
        # In an empty folder neither our conftest nor our settings reach their tests.
        process = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        records = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    if process.returncode not in (0, 1) or not records:
        raise RuntimeError(f"pytest could not run {module}:\n{process.stdout}\n{process.stderr}")
    return summarize(records)


def run_suite(name, package="skextra"):
    """Run a registered test file with the names of `package` in place.

    ``package="sklearn"`` puts scikit-learn's own names there: what fails then
    fails in this environment without us.
    """
    module, subpackage = SUITES[name]
    return run_tests(module, {f"sklearn.{subpackage}": f"{package}.{subpackage}"})


def load_expected(path=_HERE / "expected.toml"):
    """Read which tests fail, and why.

    Returns
    -------
    version : str
        The scikit-learn version, major and minor, whose test files are meant.
    reasons : dict
        Test file -> test -> reason.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    version = content.pop("scikit-learn")
    reasons = {}
    for name, groups in content.items():
        reasons[name] = {test: group["reason"] for group in groups for test in group["tests"]}
    return version, reasons


def load_outside(path=_HERE / "expected.toml"):
    """Read which failing tests are of something that is left out on purpose.

    Returns
    -------
    outside : dict of str to set of str
        Test file -> tests of parameters or defaults that it has deprecated, or of the
        limits and messages of one of its solvers (``outside = true`` in the list).
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    content.pop("scikit-learn")
    return {
        name: {test for group in groups if group.get("outside") for test in group["tests"]}
        for name, groups in content.items()
    }
