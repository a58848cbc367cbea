"""Other systems' files, in and out: a folder a format. What enters the lake is counted row by row; nothing here learns.

In         `importing` takes a file into the lake, `observing` only looks at it: `reading` tells the format by the first bytes,
           `columns` whether a table can be history at all, `rows` takes it row by row;
           `named`: the rows of one experiment among several; `answers`: what other policies would have done with them
A row      `history` makes of it a decision with its reward, by `row_values` and `continuous_values`;
           `thinning` makes rows that stand for several count alike
Out        `exporting` writes an `event` in one of the `formats`; `regrouping` puts the slots of a decision together again
Formats    `native` (JSON lines, CSV, Parquet), `dsjson`, `vw`, `joined` (SageMaker RL), `obp`, `open_bandit`; tables by `csv_text`
"""

from rewardloop.exchange.exporting import ExportReport, export_file
from rewardloop.exchange.formats import format_of
from rewardloop.exchange.importing import ImportReport, import_file

__all__ = ["ExportReport", "ImportReport", "export_file", "format_of", "import_file"]
