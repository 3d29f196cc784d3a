"""Kernels compiled ahead of time: `warmup`, and the kernels that a wheel carries."""

import hashlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

# Groups of estimators that share kernels, those that take longest to compile first.
_GROUPS = (
    "tree", "least_squares", "sampling", "logistic", "svm", "positions", "boosting",
    "generative", "kernel_logistic", "mixture", "numerics",
)  # fmt: skip
# Code for AVX-512 is worth shipping to samplers and encoders only; see benchmarks/README.md.
_GROUPS_OF_TARGET = {"x86-64-v4": ("sampling", "positions")}
# In a manifest, stands for the solvers that only data larger than a warm-up reach.
_LARGE_DATA = "solvers of large data"


class WarmupSummary(NamedTuple):
    """What :func:`warmup` did.

    Attributes
    ----------
    n_kernels : int
        Kernels that are ready.
    n_compiled : int
        Signatures compiled by this call.
    n_loaded : int
        Signatures found in the cache or in the package instead.
    seconds : float
        Wall time.
    cache_folder : pathlib.Path or None
        Where the compiled kernels are kept; None if no folder is usable.
    """

    n_kernels: int
    n_compiled: int
    n_loaded: int
    seconds: float
    cache_folder: Path | None


def warmup(verbose=False, *, estimators=None, native=False, n_jobs=None):
    """Compile kernels into the cache, so that no later first call waits.

    Meant for the build of a container image or the start of a pool of workers, where the
    installed package brings no kernels for this platform, Python and numba.
    Every public estimator is fitted on tiny data in each layout that is
    compiled apart (C- and F-ordered and sparse, float64 and float32), with and
    without weights, once for each option of its constructor. The fits run in
    processes of their own; a call that finds everything compiled fits nothing.

    Parameters
    ----------
    verbose : bool, default=False
        Print one line per estimator.
    estimators : list of str, default=None
        Names of the estimators to make ready. None stands for all of them, and for
        the solvers that only data larger than a warm-up reach.
    native : bool, default=False
        Compile for this very processor and not, as is the default, for every processor of
        its kind (x86-64 with AVX2, ARMv8, Apple silicon). Native kernels are preferred from
        then on; they can be up to 1.3 times as fast, and results may differ in the last bits.
    n_jobs : int, default=None
        Number of processes. None stands for one per core.

    Returns
    -------
    summary : WarmupSummary
        How many kernels and signatures, in how many seconds, and where.

    Raises
    ------
    ValueError
        If a name is not that of an estimator, or `n_jobs` is not positive.

    Examples
    --------
    >>> import skextra
    >>> summary = skextra.warmup(estimators=["Lasso"])
    >>> summary.n_kernels > 0
    True
    """
    from skextra._core.runtime import cache, targets

    if n_jobs is not None and not (isinstance(n_jobs, int) and n_jobs > 0):
        raise ValueError(f"n_jobs must be a positive integer or None, got {n_jobs!r}")
    start = time.perf_counter()
    groups = _group_estimators(estimators)
    target = None if native else targets.find_base_target()
    environment = targets.describe_target(target)
    manifests = {group: _Manifest(group, environment) for group in groups}
    bases = [base for base in (cache.find_shipped_base(), cache.find_cache_base()) if base]
    missing = {
        group: names
        for group, names in groups.items()
        if not manifests[group].covers(names, bases, cache.has_entry)
    }
    report = _print_line if verbose else None
    if missing and (cache.find_folders("runtime")[1] is None or not sys.executable):
        compiled, loaded = _run_here(missing, report)
    else:
        compiled, loaded = _run_in_processes(
            missing, manifests, environment, bases[-1], report, n_jobs
        )
    for group in set(groups) - set(missing):
        loaded |= set(manifests[group].entries)
    return WarmupSummary(
        n_kernels=len({_find_kernel(entry) for entry in compiled | loaded}),
        n_compiled=len(compiled),
        n_loaded=len(loaded - compiled),
        seconds=time.perf_counter() - start,
        cache_folder=cache.find_cache_base(),
    )


def compile_for_package(report=print, *, extra=False):
    """Compile the kernels that a wheel carries, into the package's own folder.

    What the folder holds already for these sources is not compiled again.

    Parameters
    ----------
    report : callable
        Called with lines about the progress.
    extra : bool, default=False
        Compile some groups for more demanding targets, too.

    Returns
    -------
    files : list of pathlib.Path
        Entries and manifests for this platform, Python and numba.
    """
    from skextra._core.runtime import cache, targets

    base = cache.find_shipped_base()
    files = set()
    base_target = targets.find_base_target()
    for target in targets.list_supported_targets():
        if target != base_target and not extra:
            continue
        chosen = _GROUPS if target == base_target else _GROUPS_OF_TARGET.get(target, ())
        groups = {g: names for g, names in _group_estimators(None).items() if g in chosen}
        environment = targets.describe_target(target)
        manifests = {group: _Manifest(group, environment) for group in groups}
        missing = {
            group: names
            for group, names in groups.items()
            if not manifests[group].covers(names, [base], lambda entry: (base / entry).is_file())
        }
        report(f"kernels for {target}, to be compiled: {', '.join(missing) or 'none'}")
        entries = set().union(
            *_run_in_processes(
                missing, manifests, environment | {cache.BUILD_VARIABLE: "1"}, base, report
            )
        )
        for manifest in manifests.values():
            entries.update(manifest.entries, [manifest.name])
        files.update(base / entry for entry in entries)
    cache.remove_outdated(base)
    return sorted(path for path in files if path.is_file())


def _group_estimators(names):
    """Names of estimators by group; with all estimators, their group's large solvers, too."""
    from skextra._discovery import all_estimators

    known = dict(all_estimators())
    if names is not None:
        unknown = [names] if isinstance(names, str) else [n for n in names if n not in known]
        if unknown:
            raise ValueError(
                f"estimators must be a list of names among {', '.join(known)}, got {unknown[0]!r}"
            )
    groups = {group: [] for group in _GROUPS}
    for name in known if names is None else names:
        groups.setdefault(_find_group(known[name]), []).append(name)
    if names is None:
        for members in groups.values():
            members.append(_LARGE_DATA)
    return {group: members for group, members in groups.items() if members}


def _find_group(estimator_class):
    package, name = estimator_class.__module__.split(".")[1], estimator_class.__name__
    if package == "linear_model":
        return "logistic" if "Logistic" in name else "least_squares"
    if package == "ensemble":
        return "boosting" if "AdaBoost" in name else "tree"
    return {"preprocessing": "positions"}.get(package, package)


def _find_kernel(entry):
    return entry.split("/")[1].rsplit(".", 2)[0]


class _Manifest:
    """Which entries the fits of a group of estimators need, once they have run.

    A later warm-up that finds a manifest of the same sources, compiler and target, and all
    of its entries, has nothing to do.
    """

    def __init__(self, group, environment):
        from skextra._core.runtime import cache, targets

        sources = cache.hash_folder(Path(__file__).resolve().parent)
        versions = sys.version_info[:2], targets.get_compiler_versions()
        options = targets.describe_options()
        key = repr((sources, versions, options, sys.platform, sorted(environment.items())))
        digest = hashlib.sha256(key.encode()).hexdigest()[:20]
        self.name = f"manifest-{group}-{digest}.json"
        self.members, self.entries = [], []

    def covers(self, members, bases, has_entry):
        """Whether a folder has this manifest, with these members and all of its entries."""
        for base in bases:
            try:
                content = json.loads((base / self.name).read_text(encoding="utf-8"))
                self.members, self.entries = content["members"], content["entries"]
            except (OSError, TypeError, ValueError, KeyError):
                continue
            if set(members) <= set(self.members) and all(map(has_entry, self.entries)):
                return True
        return False

    def save(self, members, entries, base):
        """Add what was run to the folder's manifest."""
        from skextra._core.runtime import cache

        self.members = sorted({*self.members, *members})
        # An entry that was lost and that nothing has asked for since is not needed.
        kept = {entry for entry in self.entries if (base / entry).is_file()}
        self.entries = sorted({*kept, *entries})
        content = json.dumps({"members": self.members, "entries": self.entries}, indent=0)
        try:
            base.mkdir(parents=True, exist_ok=True)
            cache.write_file(base / self.name, content.encode())
        except OSError:
            pass  # the next warm-up runs its fits again


def _run_in_processes(groups, manifests, environment, base, report, n_jobs=None):
    """Run groups in processes; returns the sets of entries compiled and loaded."""
    import joblib

    from skextra._warmup_workers import run_jobs

    n_workers = min(n_jobs or joblib.cpu_count(), len(groups))
    compiled, loaded = set(), set()
    for group, reply in run_jobs(groups, environment, n_workers, report):
        compiled.update(reply["compiled"])
        loaded.update(reply["loaded"])
        if reply["is_complete"]:
            entries = [*reply["compiled"], *reply["loaded"]]
            manifests[group].save(groups[group], entries, base)
    return compiled, loaded


def _print_line(line):
    print(line, flush=True)


def _run_here(groups, report):
    """Run groups in this process: where no folder can take kernels, only it can profit."""
    from skextra._core.runtime import cache, jit

    compiled, loaded = set(cache.usage.compiled), set(cache.usage.loaded)
    wanted, jit.notice.is_wanted = jit.notice.is_wanted, False
    try:
        for group, members in groups.items():
            for line, _ in run_group(group, members):
                if report is not None:
                    report(line)
    finally:
        jit.notice.is_wanted = wanted
    return cache.usage.compiled - compiled, cache.usage.loaded - loaded


def run_group(group, members):
    """Run the fits of a group; yields a line about each member, and whether it went well."""
    from skextra._core.runtime import cache
    from skextra._core.runtime.threads import single_threaded_blas
    from skextra._core.warmup import run_solvers_of_large_data
    from skextra._discovery import all_estimators
    from skextra._warmup_fits import warm_estimator

    classes = dict(all_estimators())
    for member in members:
        start, before, problem = time.perf_counter(), len(cache.usage.compiled), None
        # Warnings about tiny data say nothing to whoever warms a cache.
        with warnings.catch_warnings(), single_threaded_blas():
            warnings.simplefilter("ignore")
            try:
                if member == _LARGE_DATA:
                    run_solvers_of_large_data(group)
                else:
                    warm_estimator(classes[member])
            except Exception as error:  # one kernel that fails must not stop the others
                problem = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
        new = len(cache.usage.compiled) - before
        name = f"{_LARGE_DATA} ({group})" if member == _LARGE_DATA else member
        line = f"{name}: {new} compiled in {time.perf_counter() - start:.1f} s"
        yield (f"{line}, then {problem}" if problem else line), problem is None
