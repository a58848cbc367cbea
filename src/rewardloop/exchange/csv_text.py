"""CSV over a file of bytes, for the writers of formats that are tables."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO


def csv_over(file: BinaryIO):  # type: ignore[no-untyped-def]  # csv's writer has no name to annotate with
    """The text over the file, to be detached at the end, and csv's writer over that."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    return text, csv.writer(text)
