"""Processors that machine code is compiled for, and which of them this process may use.

A portable target is an architecture level: its code runs on every processor that has the
level's features, so that kernels can be shipped in a wheel or shared by unlike machines. The
native target is this very processor, with all of its features.

Environment variables
---------------------
SKEXTRA_DEBUG=1 : compile with bounds checks on every array; other compiled kernels are not used.
"""

import os
import platform
import sys
from functools import cache

import llvmlite
import numba
from llvmlite import binding
from numba.core import config

# Read once: kernels with and without checks are not to call one another.
CHECKS_BOUNDS = os.environ.get("SKEXTRA_DEBUG", "0").lower() not in ("0", "false", "no")

# The micro-architecture levels of the x86-64 psABI, in LLVM's words. Level 3 is every
# Intel processor since Haswell (2013) and every AMD processor since Zen (2017).
_LEVEL_3 = set(
    "cx16 sahf popcnt sse3 ssse3 sse4.1 sse4.2 avx avx2 bmi bmi2 f16c fma lzcnt movbe".split()
)
_LEVEL_4 = _LEVEL_3 | set("avx512f avx512bw avx512cd avx512dq avx512vl".split())
# Best first, with the features that a processor must have.
_X86_64 = {"x86-64-v4": _LEVEL_4, "x86-64-v3": _LEVEL_3}
_PORTABLE = {
    ("Linux", "x86_64"): _X86_64,
    ("Darwin", "x86_64"): _X86_64,
    ("Windows", "AMD64"): _X86_64,
    ("Linux", "aarch64"): {"generic": set()},  # the baseline of ARMv8
    ("Darwin", "arm64"): {"apple-m1": set()},  # the first of its kind
}


def get_compiler_versions():
    """Versions that an entry is valid for: it holds objects of numba and code of LLVM."""
    return numba.__version__, llvmlite.__version__


def list_portable_targets():
    """Names of the portable targets of this platform, best first."""
    if sys.maxsize < 2**32:
        return ()
    return tuple(_PORTABLE.get((platform.system(), platform.machine()), ()))


def list_supported_targets():
    """Names of the portable targets that this processor can run, best first."""
    return [name for name in list_portable_targets() if _is_supported(name)]


def find_base_target():
    """Name of the portable target with the fewest requirements, if this processor meets them."""
    targets = list_supported_targets()
    return targets[-1] if targets else None


def describe_target(name):
    """Environment in which numba compiles for a portable target, or for None, natively.

    Naming the native processor as well keeps portable entries from being loaded, which
    would leave nothing to compile.
    """
    if name is None:
        return {
            "NUMBA_CPU_NAME": binding.get_host_cpu_name(),
            "NUMBA_CPU_FEATURES": _get_host_features(),
        }
    # Code that calls Intel's vector library would not run where that is missing.
    return {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": "", "NUMBA_DISABLE_INTEL_SVML": "1"}


@cache
def list_usable_targets(codegen):
    """Targets whose entries this process may load, best first.

    The first one is what it compiles for. A processor named by ``NUMBA_CPU_NAME`` or
    ``NUMBA_CPU_FEATURES`` is taken at its word: nothing else is loaded.

    Parameters
    ----------
    codegen : numba.core.codegen.Codegen
        numba's code generator of this process.

    Returns
    -------
    targets : tuple of tuple
        Parts of the keys of entries.
    """
    triple, name, features = codegen.magic_tuple()
    options = describe_options()
    if (config.CPU_NAME, config.CPU_FEATURES) == (None, None):
        portable = [
            ("portable", triple, level, *options)
            for level in list_portable_targets()
            if _is_supported(level, features)
        ]
        return (_describe_native(codegen), *portable)
    if name in list_portable_targets() and features == "":
        return (("portable", triple, name, *options),)
    return (_describe_native(codegen),)


def _describe_native(codegen):
    vector_library = ("svml",) if config.USING_SVML else ()
    return (*codegen.magic_tuple(), *vector_library, *describe_options())


def describe_options():
    """Settings of numba that change the code it generates, where they are not the default."""
    settings = {
        "opt": str(getattr(config.OPT, "_raw_value", config.OPT)),
        "boundscheck": str(config.BOUNDSCHECK),
        "debug": str(config.DEBUGINFO_DEFAULT),
        "checks": str(CHECKS_BOUNDS),
    }
    defaults = {"opt": "3", "boundscheck": "None", "debug": "0", "checks": "False"}
    return tuple(sorted(settings.items() - defaults.items()))


def _is_supported(name, features=None):
    features = _get_host_features() if features is None else features
    present = {item[1:] for item in features.split(",") if item.startswith("+")}
    return _PORTABLE[platform.system(), platform.machine()][name] <= present


def _get_host_features():
    from numba.core.codegen import get_host_cpu_features

    return get_host_cpu_features()
