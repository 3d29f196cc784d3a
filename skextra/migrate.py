"""``python -m skextra.migrate script.py ...``: what would change with our imports.

Reads scripts without running them and prints, line by line, the imports to change, the
arguments that are deprecated or that our classes do not have, and the names that stay
scikit-learn's. Nothing is written.
"""

import ast
import inspect
import sys
from importlib import import_module
from pathlib import Path

_USAGE = "usage: python -m skextra.migrate script.py [script.py ...]"
_PACKAGES = ("ensemble", "linear_model", "mixture", "preprocessing", "svm", "tree")
# Of arguments that scikit-learn has deprecated: what to write for each value, or for all.
_PENALTIES = {
    "LogisticRegression": {"l1": "l1_ratio=1", "l2": "l1_ratio=0", None: "C=np.inf"},
    "LogisticRegressionCV": {"l1": "l1_ratios=(1,)", "l2": "l1_ratios=(0,)"},
}
_OTHERS = {
    ("LogisticRegression", "n_jobs"): "leave it out",
    ("lasso_path", "n_alphas"): "write alphas=",
    ("enet_path", "n_alphas"): "write alphas=",
}


class _Visitor(ast.NodeVisitor):
    """Collects (line, message) and, to know what is called, what names stand for."""

    def __init__(self):
        self.lines = []
        self.origins = {}  # local name: dotted name in scikit-learn

    def _say(self, node, message):
        self.lines.append((node.lineno, message))

    def visit_Import(self, node):
        for alias in node.names:
            parts = alias.name.split(".")
            if parts[0] == "sklearn":
                self.origins[alias.asname or "sklearn"] = alias.name if alias.asname else "sklearn"
            if parts[0] == "sklearn" and len(parts) == 2 and parts[1] in _PACKAGES:
                self._say(node, f"import {alias.name}: import skextra.{parts[1]}")

    def visit_ImportFrom(self, node):
        module = node.module or ""
        if node.level or module.partition(".")[0] != "sklearn":
            return
        for alias in node.names:
            self.origins[alias.asname or alias.name] = f"{module}.{alias.name}"
        names = [alias.name for alias in node.names]
        if module == "sklearn":
            for name in names:
                if name in _PACKAGES:
                    self._say(node, f"from sklearn import {name}: from skextra import {name}")
            return
        package = module.removeprefix("sklearn.")
        if package.partition(".")[0] not in _PACKAGES:
            return
        if "." in package:
            self._say(node, f"from {module}: a private module, which stays scikit-learn's")
            return
        if names == ["*"]:
            self._say(node, f"from {module} import *: name what is used")
            return
        public = import_module(f"skextra.{package}").__all__
        ours = [name for name in names if name in public]
        others = [name for name in names if name not in public]
        if ours:
            self._say(node, f"from {module}: from skextra.{package} import {', '.join(ours)}")
        if others:
            self._say(node, f"{', '.join(others)}: not in skextra, may stay scikit-learn's")

    def visit_Call(self, node):
        self.generic_visit(node)
        origin = self._resolve(node.func)
        _, _, rest = origin.partition("sklearn.")
        package, _, name = rest.rpartition(".")
        if package in _PACKAGES and name in import_module(f"skextra.{package}").__all__:
            self._check_arguments(node, package, name)

    def _resolve(self, function):
        parts = []
        while isinstance(function, ast.Attribute):
            parts.append(function.attr)
            function = function.value
        if not isinstance(function, ast.Name) or function.id not in self.origins:
            return ""
        return ".".join([self.origins[function.id], *reversed(parts)])

    def _check_arguments(self, node, package, name):
        function = getattr(import_module(f"skextra.{package}"), name)
        accepted = inspect.signature(function).parameters
        takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in accepted.values())
        arguments = [(k.arg, k.value) for k in node.keywords if k.arg is not None]
        if name == "LogisticRegression" and node.args:
            arguments.append(("penalty", node.args[0]))
        for argument, value in arguments:
            instead = _OTHERS.get((name, argument))
            if argument == "penalty" and name in _PENALTIES:
                known = _PENALTIES[name]
                constant = value.value if isinstance(value, ast.Constant) else ""
                instead = f"write {known[constant]}" if constant in known else "leave it out"
            if instead is not None:
                self._say(node, f"{name}({argument}={ast.unparse(value)}): deprecated, {instead}")
            elif argument not in accepted and not takes_all:
                self._say(node, f"{name}({argument}=): skextra does not have this argument")


def list_changes(source):
    """Find what a script would change.

    Parameters
    ----------
    source : str
        Text of the script.

    Returns
    -------
    changes : list of (int, str)
        Number of the line, and what to do there.

    Raises
    ------
    SyntaxError
        If the text is not Python.

    Examples
    --------
    >>> from skextra.migrate import list_changes
    >>> list_changes("from sklearn.linear_model import LassoCV")
    [(1, 'from sklearn.linear_model: from skextra.linear_model import LassoCV')]
    """
    visitor = _Visitor()
    visitor.visit(ast.parse(source))
    return sorted(visitor.lines)


def main(arguments):
    """Print what the scripts named would change; return the exit status."""
    if not arguments or arguments[0].startswith("-"):
        print(_USAGE, file=sys.stderr)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    total = 0
    for path in arguments:
        try:
            changes = list_changes(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError) as error:
            print(f"skextra: error: cannot read {path}: {error}", file=sys.stderr)
            return 2
        for line, message in changes:
            print(f"{path}:{line}: {message}")
        total += len(changes)
    print(f"{total} found; nothing was written" if total else "nothing to change")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
