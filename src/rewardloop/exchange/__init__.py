"""Other systems' files, in and out: a module a format. What enters the lake is counted row by row; nothing here learns."""

from rewardloop.exchange.importing import ImportReport, import_file

__all__ = ["ImportReport", "import_file"]
