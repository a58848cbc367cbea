"""Other systems' files, in and out: a module a format. What enters the lake is counted row by row; nothing here learns."""

from rewardloop.exchange.exporting import ExportReport, export_file
from rewardloop.exchange.formats import format_of
from rewardloop.exchange.importing import ImportReport, import_file

__all__ = ["ExportReport", "ImportReport", "export_file", "format_of", "import_file"]
