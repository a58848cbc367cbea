"""Charts as PNG bytes, as drawings, and as one HTML page that needs no network. Nothing is written to disk here."""

from __future__ import annotations

import html
from collections.abc import Sequence

import msgspec
import vl_convert

from rewardloop.charts.chart import Chart, Spec

VERSION = "6.4"
"""Of Vega-Lite; vl-convert carries it."""

_SNIPPET = "window.vegaEmbed = vegaEmbed;"
_POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
_STYLE = "body{font-family:system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222}figure{margin:2rem 0}"
_ROOM = {"left": 40, "right": 50, "top": 5, "bottom": 5}
"""Around a drawing: the reader's letters may be wider than those it was measured with, and are cut off at its edge."""
_OPTIONS = '{"renderer":"svg","actions":{"export":true,"source":false,"compiled":false,"editor":false}}'


def to_png(chart: Chart, *, scale: float = 2.0) -> bytes:
    """The picture, at `scale` × 72 pixels an inch."""
    picture: bytes = vl_convert.vegalite_to_png(_json(chart.spec), vl_version=VERSION, scale=scale, allowed_base_urls=[])
    return picture


def to_svg(chart: Chart) -> str:
    """The drawing, with no background of its own: the page it stands in has one."""
    spec = {"padding": _ROOM, **chart.spec, "background": "transparent"}
    drawing: str = vl_convert.vegalite_to_svg(_json(spec), vl_version=VERSION, allowed_base_urls=[])
    return drawing


def to_html(charts: Chart | Sequence[Chart], title: str) -> str:
    """A page with Vega inside it (0.9 MB). Its content security policy forbids every request, and labels cannot end the script."""
    shown = [charts] if isinstance(charts, Chart) else list(charts)
    bundle = vl_convert.javascript_bundle(_SNIPPET, vl_version=VERSION).replace("</", "<\\/")
    figures = "\n".join(_figure(number, chart) for number, chart in enumerate(shown))
    calls = "\n".join(f"vegaEmbed('#chart-{number}', {_json(chart.spec)}, {_OPTIONS});" for number, chart in enumerate(shown))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<style>{_STYLE}</style>\n'
        f"<script>{bundle}</script>\n</head>\n<body>\n<h1>{html.escape(title)}</h1>\n{figures}\n<script>\n{calls}\n</script>\n</body>\n</html>\n"
    )


def _figure(number: int, chart: Chart) -> str:
    return f'<figure id="chart-{number}" role="img" aria-label="{html.escape(chart.title)}"></figure>'


def _json(spec: Spec) -> str:
    """The specification; `<` is escaped so that no label can close the script it stands in."""
    return msgspec.json.encode(spec).decode().replace("<", "\\u003c")
