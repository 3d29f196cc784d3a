"""Versions and threads of a run, as printed below its table."""

import os
import platform

from threadpoolctl import threadpool_info


def describe_environment():
    """Names and values, in the order in which they are printed."""
    from importlib.metadata import PackageNotFoundError, version

    from skextra._version import __version__

    environment = {"skextra": __version__}
    for package in ("scikit-learn", "numpy", "scipy", "numba"):
        try:
            environment[package] = version(package)
        except PackageNotFoundError:
            continue
    environment["Python"] = platform.python_version()
    environment["CPUs"] = str(os.cpu_count())
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    environment["BLAS threads"] = str(max((pool["num_threads"] for pool in blas), default=1))
    return environment
