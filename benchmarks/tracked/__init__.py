"""Benchmarks that asv follows from commit to commit; settings are in asv.conf.json.

They run our estimators on cases of the other modules of ``benchmarks``; only times of one machine
compare. Peers are left out: their times do not depend on our commits.
"""

import sys
from pathlib import Path

# At the end: the skextra under test is the installed one, not the one of this checkout.
sys.path.append(str(Path(__file__).resolve().parents[2]))
