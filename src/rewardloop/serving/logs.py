"""One line an event on standard error: instant, level, process, message with `key=value` pairs."""

from __future__ import annotations

import logging
import time


def configure_logs(process: str) -> None:
    """For the whole process; only entry points call it. uvicorn's own notices below a warning are left out."""
    formatter = logging.Formatter(f"%(asctime)s.%(msecs)03dZ %(levelname)s {process} %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
