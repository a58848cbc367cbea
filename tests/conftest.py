"""One profile for all property tests: the same examples every time, and no deadlines on shared machines. And Ctrl-C works."""

import os
import signal

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # Tests import it before what would see to that.
os.environ.setdefault("RAY_worker_niceness", "0")  # Its workers, polite by default, hardly run beside tests that compute.

# A job of a shell that has no terminal ignores Ctrl-C, and whatever it starts does too: tests press it and see what comes of it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
