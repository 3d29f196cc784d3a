"""Compiles the kernels that a wheel carries.

``pip install .`` and every build of a wheel fit each estimator on tiny data, in one process
per core, and keep the compiled kernels in ``skextra/_core/compiled``, from where a later
build of the same sources takes them. Left out of editable installations, on platforms without
a portable target, and with ``SKEXTRA_BUILD_KERNELS=0``; ``SKEXTRA_BUILD_KERNELS=all`` adds code
for AVX-512 where that is faster, as in the wheels that are released. Whatever fails here, the
wheel is built: kernels that it lacks are compiled when they are first called.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLATFORMS = (
    ("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Darwin", "x86_64"),
    ("Windows", "AMD64"),
)  # fmt: skip
_COMPILE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from skextra._warmup import compile_for_package
files = compile_for_package(
    lambda line: print(f"skextra: {line}", flush=True), extra=sys.argv[3] == "all"
)
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump([str(path) for path in files], file)
"""


class KernelBuildHook(BuildHookInterface):
    """Add compiled kernels, and the tags that they ask for, to a wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self):
        """What must run to compile: the package's own requirements."""
        return self.metadata.core.dependencies if _is_wanted() else []

    def initialize(self, version, build_data):
        """Compile before the wheel is packed."""
        if version == "editable" or not _is_wanted():
            return
        files = self._compile()
        if not files:
            return
        root = Path(self.root)
        build_data["force_include"].update(
            {str(path): path.relative_to(root).as_posix() for path in files}
        )
        # Machine code for one platform, pickled by one version of Python.
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def _compile(self):
        self.app.display_info("Compiling kernels (SKEXTRA_BUILD_KERNELS=0 leaves them out)")
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "files.json"
            command = [sys.executable, "-P", "-c", _COMPILE, self.root, str(result), _get_wish()]
            try:
                status = subprocess.run(command, check=False).returncode
                if status == 0:
                    return [Path(path) for path in json.loads(result.read_text(encoding="utf-8"))]
                problem = f"exit status {status}"
            except (OSError, ValueError) as error:
                problem = str(error)
        self.app.display_warning(f"No kernels are compiled: {problem}")
        return []


def _get_wish():
    return os.environ.get("SKEXTRA_BUILD_KERNELS", "1").lower()


def _is_wanted():
    is_platform = (platform.system(), platform.machine()) in _PLATFORMS
    return is_platform and _get_wish() not in ("0", "false", "no")
