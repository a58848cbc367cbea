"""Results as charts: pure functions to Vega-Lite specifications, and their rendering to PNG and offline HTML."""

from rewardloop.charts.chart import Chart
from rewardloop.charts.curve import learning_curve
from rewardloop.charts.forest import Estimated, forest_plot
from rewardloop.charts.render import to_html, to_png

__all__ = ["Chart", "Estimated", "forest_plot", "learning_curve", "to_html", "to_png"]
