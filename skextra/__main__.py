"""``python -m skextra``: our estimators beside scikit-learn's, on real data."""

import sys

from skextra._compare._cli import main

if __name__ == "__main__":
    sys.exit(main())
