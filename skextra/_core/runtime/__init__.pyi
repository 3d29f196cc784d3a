from . import (
    entries as entries,
    families as families,
    jit as jit,
    select as select,
    threads as threads,
)
