"""What a bug report needs."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

_REQUIRED = ("numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "numba", "llvmlite")
_OPTIONAL = ("pandas", "polars", "matplotlib", "dask", "celer", "skglm", "glum", "adelie")


def show_versions():
    """Print versions, threads and the kernel cache: what a bug report needs.

    Examples
    --------
    >>> import skextra
    >>> skextra.show_versions()  # doctest: +ELLIPSIS
    System
        python: 3...
    """
    sections = {
        "System": _describe_system(),
        "Packages": _describe_packages(_REQUIRED),
        "Optional packages": _describe_packages(_OPTIONAL),
        "Threads": _describe_threads(),
        "Kernel cache": _describe_cache(),
    }
    for title, rows in sections.items():
        print(title)
        for name, value in rows:
            print(f"    {name}: {value}")


def _describe_system():
    from skextra._version import __version__

    return [
        ("python", sys.version.replace("\n", " ")),
        ("executable", sys.executable),
        ("platform", platform.platform()),
        ("skextra", f"{__version__} in {Path(__file__).resolve().parent}"),
    ]


def _describe_packages(names):
    # Read from the metadata: importing eight packages to print eight numbers is slow.
    rows = []
    for name in names:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "not installed"))
    return rows


def _describe_threads():
    import joblib
    import numba
    import scipy.linalg  # noqa: F401  threadpoolctl sees loaded libraries only
    from threadpoolctl import threadpool_info

    rows = [("cores", joblib.cpu_count()), ("numba", numba.config.NUMBA_NUM_THREADS)]
    for pool in threadpool_info():
        name = f"{pool['user_api']} ({pool['internal_api']})"
        library = f"{pool['num_threads']}, version {pool['version']}, {pool['filepath']}"
        rows.append((name, library))
    return rows


def _describe_cache():
    from skextra._core.runtime import cache
    from skextra._core.runtime.families import IMPORTS

    shipped = sum(_count_kernels(folder) for folder in _list_shipped_folders(cache, IMPORTS))
    rows = [("in the package", f"{shipped} for this version" if shipped else "none")]
    folder = cache.find_cache_base()
    if folder is None or folder == cache.find_shipped_base():
        others = "other kernels" if shipped else "kernels"
        return [*rows, ("folder", f"none: {others} are compiled anew in every process")]
    families = [cache.find_cache_folder(family) for family in IMPORTS]
    return [
        *rows,
        ("folder", folder),
        ("writable", "yes" if os.access(folder, os.W_OK) else "no"),
        ("kernels", sum(_count_kernels(family) for family in families if family)),
    ]


def _list_shipped_folders(cache, families):
    for family in families:
        for folder in cache.find_folders(family)[0]:
            if folder.parent == cache.find_shipped_base():
                yield folder


def _count_kernels(folder):
    return sum(1 for _ in folder.glob("*.kernel"))
