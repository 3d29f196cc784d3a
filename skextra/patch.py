"""``python -m skextra.patch script.py [args]``: run a script with scikit-learn patched.

``python -m skextra.patch -m module [args]`` runs a module. ``--report`` before the script
prints what ran where when it has ended.
"""

import runpy
import sys
from pathlib import Path

from skextra._patch import patch_report, patch_sklearn

_USAGE = "usage: python -m skextra.patch [--report] (script.py | -m module) [args ...]"


def main(arguments):
    """Run the script or module that the arguments name; return the exit status."""
    wants_report = arguments[:1] == ["--report"]
    arguments = arguments[wants_report:]
    is_module = arguments[:1] == ["-m"]
    target = arguments[is_module : is_module + 1]
    if not target or target[0].startswith("-"):
        print(_USAGE, file=sys.stderr)
        return 2
    patch_sklearn()
    sys.argv = target + arguments[is_module + 1 :]
    try:
        if is_module:
            sys.path[0] = ""
            runpy.run_module(target[0], run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = str(Path(target[0]).resolve().parent)
            runpy.run_path(target[0], run_name="__main__")
    finally:
        if wants_report:
            print(patch_report(), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
