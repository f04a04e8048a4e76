"""Chromium without a screen, asked through its DevTools protocol: what a page draws, asks for and measures.

python -m tests.browser <site> <folder>     picture this morning and the newest annual page, as the README shows them
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from crw.report import pdf

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--no-first-run",
    ),
    *("--remote-debugging-port=0", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def executable() -> str | None:
    """The browser of this machine, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A tab. `requested` holds the address of everything that a page asked for since it was opened."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.requested: list[str] = []
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer. Raises AssertionError with what the browser says of one that fails."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (message := self._receive()).get("id") != number:
            pass
        assert "error" not in message, message["error"]
        return message["result"]

    def open(self, address: str, width: int = 1200, media: str = "") -> None:
        """Load a page and wait until it is whole."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500
        )
        self.call("Emulation.setEmulatedMedia", media=media)
        self.requested.clear()
        self.call("Page.navigate", url=address)
        while self._receive().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, script: str) -> Any:
        """What an expression of JavaScript gives."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, path: Path, top: int = 0, height: int = 900) -> None:
        """Write what the page shows, from `top` on, as PNG; past the end of the page nothing."""
        width = self.evaluate("document.documentElement.clientWidth")
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        answer = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def print(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv(timeout=60))
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(message["params"]["request"]["url"])
        return message


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """A browser with a profile of its own, the font of the PDFs where the machine has none for Chinese, and its one tab."""
    (profile / "fonts").symlink_to(pdf.fonts())
    command = [executable(), *FLAGS, f"--user-data-dir={profile / 'chromium'}", "about:blank"]
    environment = {**os.environ, "XDG_DATA_HOME": str(profile)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in process.stderr if "DevTools listening on " in line)
        host = line.rpartition("//")[2].partition("/")[0]
        with connect(f"ws://{host}{_tab(host)}", max_size=None, proxy=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        process.wait()


def _tab(host: str) -> str:
    import httpx

    tabs = httpx.get(f"http://{host}/json/list", trust_env=False).json()
    return next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"].partition(host)[2]


def picture(site: Path, folder: Path) -> None:
    """Write morning.png, in English, and annual.png, in Chinese."""
    newest = max(site.glob("annual-*.zh.html"))
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as page:
        for name, path in (("morning", site / "morning.html"), ("annual", newest)):
            page.open(path.as_uri(), width=1000)
            page.screenshot(folder / f"{name}.png", height=1100)


if __name__ == "__main__":
    picture(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
