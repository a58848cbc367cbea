"""The page's module in a real Chromium, from another origin, against the real server."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from processes import PATIENCE_S, eventually
from rewardloop.events import Activation, Decision, Reward
from rewardloop.serving.link import Protection
from running_server import ARMS, Key, Server, add_key, register, running

CHROMIUM = Path("/usr/bin/chromium")
MODULE = Path(__file__).parents[2] / "clients" / "javascript" / "rewardloop.mjs"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE = """<!doctype html><title>shop</title><button>buy</button><a href="left.html">leave</a><script type="module">
import { Rewardloop } from "./rewardloop.mjs";
window.connect = (...where) => { window.offers = new Rewardloop(...where); };
</script>"""

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}")


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def shop(directory: Path) -> Iterator[str]:
    """The page's own origin."""
    (directory / "index.html").write_text(PAGE)
    (directory / "left.html").write_text("<title>left</title>")
    (directory / "rewardloop.mjs").write_bytes(MODULE.read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory))) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{site.server_port}"
        finally:
            site.shutdown()
            thread.join()


class Shop:
    """A page of the shop beside a server that lets it in, with a key."""

    def __init__(self, page: Page, origin: str, server: Server, key: Key) -> None:
        self.page, self.origin, self.server, self.key = page, origin, server, key

    def open(self, origin: str | None = None) -> None:
        self.page.goto(f"{origin or self.origin}/index.html")
        url = f"http://127.0.0.1:{self.server.port}"
        self.page.wait_for_function("() => window.connect !== undefined")
        self.page.evaluate("([url, key]) => connect(url, 'offers', { apiKey: key })", [url, self.key.text])

    def of(self, event_id: str) -> set[type]:
        return {type(each) for each in self.server.records() if each.event_id == event_id}


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data, site = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("site")
    register(data, ARMS)
    key = add_key(data, "page", "decide", "reward", experiments=["offers"])
    with (
        shop(site) as origin,
        running(data, protection=Protection(cors_origins=(origin,))) as server,
        sync_playwright() as playwright,
    ):
        profile = tmp_path_factory.mktemp("profile")
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=FLAGS, timeout=PATIENCE_S * 1000
        )
        browser.set_default_timeout(PATIENCE_S * 1000)
        yield Shop(browser.new_page(), origin, server, key)
        browser.close()


def test_a_page_of_another_origin_decides_and_rewards(visited: Shop) -> None:
    visited.open()
    decided = visited.page.evaluate("offers.decide({ age: 31 }, { fallback: 'red', timeoutMs: 180000 })")
    assert decided["action"] in ARMS.action_ids
    assert not decided["by_default"]
    assert visited.page.evaluate("id => offers.reward(id, 1, { rewardId: 'click' })", decided["event_id"])
    assert eventually(lambda: visited.of(decided["event_id"]) == {Decision, Activation, Reward})


def test_a_reward_is_sent_though_the_page_is_left(visited: Shop) -> None:
    visited.open()
    event_id = visited.page.evaluate("offers.decide({ age: 31 }, { timeoutMs: 180000 }).then(d => d.event_id)")
    visited.page.evaluate("id => { offers.reward(id, 1); location.href = 'left.html'; }", event_id)
    visited.page.wait_for_url("**/left.html")
    assert eventually(lambda: Reward in visited.of(event_id))


def test_a_page_never_waits(visited: Shop) -> None:
    visited.open()
    [worker] = visited.server.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        decided = visited.page.evaluate("offers.decide({}, { fallback: 'red', timeoutMs: 100 })")
    finally:
        os.kill(worker, signal.SIGCONT)
    assert (decided["action"], decided["by_default"], decided["probability"]) == ("red", True, 0)
    assert Activation not in visited.of(decided["event_id"])


def test_a_mistake_is_explained_where_there_is_no_default(visited: Shop) -> None:
    visited.open()
    said = visited.page.evaluate("offers.decide({ _label: 1 }, { timeoutMs: 180000 }).catch(error => error.message)")
    assert "does not begin with `_`" in said
    assert visited.page.evaluate("offers.reward('e', 'much')") is False


def test_a_page_of_an_origin_that_is_not_allowed_gets_its_default(visited: Shop, tmp_path: Path) -> None:
    before = len(visited.server.records())
    with shop(tmp_path) as stranger:
        visited.open(stranger)
        decided = visited.page.evaluate("offers.decide({}, { fallback: 'red', timeoutMs: 180000 })")
        visited.page.goto("about:blank")
    assert decided["by_default"]
    assert len(visited.server.records()) == before, "the browser asked first, and then did not send it"


def test_without_keys_a_strangers_page_posts_blindly_for_nothing(tmp_path: Path, visited: Shop) -> None:
    register(tmp_path, ARMS)
    with running(tmp_path) as server:
        visited.page.goto(f"{visited.origin}/index.html")
        url = f"http://127.0.0.1:{server.port}/v1/experiments/offers/decide"
        blind = "url => fetch(url, { method: 'POST', mode: 'no-cors', body: new Blob(['{\"context\":{}}']) }).then(a => a.type)"
        assert visited.page.evaluate(blind, url) == "opaque"
        assert server.records() == []
