"""A page of HTML as a test reads it: what it is made of and what it says."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """Every tag, every attribute, and the text of each that has some, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(data)
