from . import (
    entries as entries,
    families as families,
    jit as jit,
    threads as threads,
)
