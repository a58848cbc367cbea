"""The command `rewardloop`, and `python -m rewardloop`: where Ctrl-C is heard while the command line itself is being imported.

Nothing of ours is imported above: what `main` imports is the first that can be interrupted.
"""

import os
import sys
from importlib import import_module

_INTERRUPTED = 130
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
"""Read when numpy is loaded. Our products are small: more threads spin for longer than they work, and round otherwise."""


def main() -> None:
    """Run a command, as `rewardloop.cli.main` does; interrupted before that can say so, exit as it would."""
    os.environ.setdefault(_BLAS_THREADS, "1")
    try:
        import_module("rewardloop.cli").main()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped: interrupted\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
