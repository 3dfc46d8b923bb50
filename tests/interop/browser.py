"""Headless Chromium by the Chrome DevTools Protocol over a pipe: null-ended JSON messages on file
descriptors 3 and 4. What the checks of pages need, not more."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

import common


def find():
    """The program; skips the check where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    raise common.Skip("there is no chromium")


class Browser:
    """One browser with one page. Everything that the page says on the console is in `said`."""

    def __init__(self):
        self._profile = tempfile.TemporaryDirectory(prefix="weft-chromium-")
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def wire():
            # Either number may be the one that the other end must get.
            reader, writer = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reader, 3)
            os.dup2(writer, 4)

        command = [
            find(), "--headless", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--user-data-dir={self._profile.name}",
        ]  # fmt: skip
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        self._process = subprocess.Popen(
            [*command, "about:blank"], preexec_fn=wire, pass_fds=(3, 4), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._rest = b""
        self._last = 0
        self._session = None
        self.said = []
        self.asked = []
        self._events = []
        pages = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        self._session = self.call(
            "Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        os.close(self._read)
        os.close(self._write)
        for _ in range(20):
            try:
                self._profile.cleanup()
                return
            except OSError:
                time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _receive(self, seconds=60):
        end = time.monotonic() + seconds
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            common.require(ready, f"chromium says nothing for {seconds} s")
            more = os.read(self._read, 1 << 20)
            common.require(more, "chromium has ended")
            self._rest += more
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def _note(self, message):
        method, data = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(a.get("value", a)) for a in data["args"]))
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(data["exceptionDetails"])[:300])
        elif method == "Log.entryAdded":
            self.said.append(data["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.asked.append(data["request"]["url"])
        elif method:
            self._events.append(method)

    def call(self, method, **params):
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                common.require("error" not in answer, f"{method}: {answer.get('error')}")
                return answer["result"]
            self._note(answer)

    def open(self, path, width, dark):
        """Loads a file in a window of that width; below 600 it is a phone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
            mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while "Page.loadEventFired" not in self._events:
            self._note(self._receive())

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page; of a promise, what it comes to."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        common.require("exceptionDetails" not in answer, f"{expression}: {answer}")
        return answer["result"].get("value")

    def press(self, x, y):
        """The left button of the mouse, down; then drag_to() as often as wanted, then release()."""
        self._mouse("mousePressed", x, y, 1)

    def drag_to(self, x, y):
        self._mouse("mouseMoved", x, y, 1)

    def release(self, x, y):
        self._mouse("mouseReleased", x, y, 0)

    def _mouse(self, kind, x, y, buttons):
        self.call(
            "Input.dispatchMouseEvent",
            type=kind, x=x, y=y, button="left", buttons=buttons, clickCount=1,
        )  # fmt: skip

    def touch(self, kind, *points):
        """kind: "touchStart", "touchMove", "touchEnd" (without points)."""
        points = [{"x": x, "y": y} for x, y in points]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def key(self, key, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)

    def move_to(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def screenshot(self, path, clip=None):
        """The whole page, or the rectangle (x, y, width, height) of it, as a PNG file."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        x, y, width, height = clip or (0, 0, size["width"], size["height"])
        area = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=area)
        path.write_bytes(base64.b64decode(picture["data"]))
