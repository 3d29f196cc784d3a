"""What a user can get wrong, told apart from defects of ours."""


class InputError(ValueError):
    """A file, column, name or value that the comparison cannot use; one line."""


class MissingPackageError(ImportError):
    """An optional package is needed and absent; one line saying what to install."""


def need(package, purpose, extra=None):
    """Import an optional package or say in one line what to install.

    Parameters
    ----------
    package : str
        Importable name, which is also the name to install.
    purpose : str
        What asks for it, at the start of the message.
    extra : str, optional
        Extra of skextra that brings it.

    Returns
    -------
    module : module
    """
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError as error:
        hint = f"pip install {package}" + (f' (or "skextra[{extra}]")' if extra else "")
        raise MissingPackageError(f"{purpose} needs {package}: {hint}") from error
