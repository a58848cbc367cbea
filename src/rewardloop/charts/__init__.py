"""Results as charts: pure functions to Vega-Lite specifications, and their rendering to PNG, drawings and offline HTML."""

from rewardloop.charts.bars import bars
from rewardloop.charts.chart import Chart, stacked
from rewardloop.charts.curve import learning_curve
from rewardloop.charts.forest import Estimated, forest_plot
from rewardloop.charts.page import Section, Table, to_page
from rewardloop.charts.render import to_html, to_png, to_svg
from rewardloop.charts.settling import convergence
from rewardloop.charts.shares import shares
from rewardloop.charts.strips import strips
from rewardloop.charts.tail import weight_tail

__all__ = [
    "Chart",
    "Estimated",
    "Section",
    "Table",
    "bars",
    "convergence",
    "forest_plot",
    "learning_curve",
    "shares",
    "stacked",
    "strips",
    "to_html",
    "to_page",
    "to_png",
    "to_svg",
    "weight_tail",
]
