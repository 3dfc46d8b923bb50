"""The page of `weft export MODEL page.html`, in Chromium without a window: draws the ten digits with
mouse and finger, in several sizes and slants, and reads the answers; compares the probabilities with
`weft predict` on the very images that the page has made of the drawings.
"""

import math

import numpy as np

import browser
import common

# Strokes as people make them, in a square of 1 x 1; curves are drawn through arcs.


def arc(x, y, rx, ry, start, end, n=24):
    """Points of an ellipse around (x, y); degrees from the right, clockwise as y grows downwards."""
    steps = [math.radians(start + (end - start) * i / (n - 1)) for i in range(n)]
    return [(x + rx * math.cos(t), y + ry * math.sin(t)) for t in steps]


DIGITS = {
    "0": [arc(0.5, 0.5, 0.2, 0.3, -90, 270)],
    "1": [[(0.42, 0.3), (0.52, 0.2), (0.52, 0.8)]],
    "2": [[*arc(0.5, 0.36, 0.18, 0.16, -170, 40), (0.32, 0.78), (0.7, 0.78)]],
    "3": [[*arc(0.48, 0.35, 0.17, 0.15, -150, 90), *arc(0.48, 0.65, 0.19, 0.16, -90, 150)]],
    "4": [[(0.38, 0.2), (0.32, 0.52), (0.68, 0.52)], [(0.62, 0.22), (0.6, 0.82)]],
    "5": [
        [(0.38, 0.22), (0.36, 0.46), *arc(0.47, 0.62, 0.18, 0.18, -120, 140)],
        [(0.38, 0.22), (0.66, 0.2)],
    ],
    "6": [[(0.58, 0.18), (0.42, 0.4), *arc(0.5, 0.64, 0.15, 0.16, 180, -180)]],
    "7": [[(0.3, 0.24), (0.68, 0.24), (0.46, 0.82)]],
    "8": [[*arc(0.5, 0.35, 0.14, 0.14, 90, 450), *arc(0.5, 0.65, 0.17, 0.16, -90, 270)]],
    "9": [[*arc(0.48, 0.38, 0.15, 0.16, 0, -360), (0.62, 0.42), (0.56, 0.82)]],
}


def place(strokes, size=1.0, slant=0.0, x=0.0, y=0.0):
    """The strokes made smaller or larger around the middle, slanted, and moved."""
    return [
        [(0.5 + size * (px - 0.5) - slant * (py - 0.5) + x, 0.5 + size * (py - 0.5) + y)
         for px, py in stroke]
        for stroke in strokes
    ]  # fmt: skip


VARIANTS = [
    {},
    {"size": 0.5},
    {"size": 0.4, "x": -0.25, "y": -0.22},
    {"size": 1.2, "slant": 0.15},
    {"slant": 0.25, "x": 0.05},
    {"slant": -0.12, "size": 0.8},
]


class Page:
    """An open page to draw on."""

    def __init__(self, window, path, width):
        self.window = window
        window.said.clear()
        window.open(path, width, dark=False)
        common.require(not window.said, f"{path.name}: {window.said}")

    def draw(self, strokes, finger=False):
        """Draws after clearing; returns the answer."""
        self.window.evaluate("document.getElementById('clear').click()")
        left, top, width = self.window.evaluate(
            "(() => { const r = pad.getBoundingClientRect(); return [r.left, r.top, r.width] })()"
        )
        for stroke in strokes:
            points = [(left + x * width, top + y * width) for x, y in stroke]
            if finger:
                self.window.touch("touchStart", points[0])
                for point in points[1:]:
                    self.window.touch("touchMove", point)
                self.window.touch("touchEnd")
                continue
            self.window.press(*points[0])
            for point in points[1:]:
                self.window.drag_to(*point)
            self.window.release(*points[-1])
        return self.answer()

    def answer(self):
        # The page computes once a frame.
        self.window.evaluate(
            "new Promise(f => requestAnimationFrame(() => requestAnimationFrame(() => f(0))))"
        )
        return self.window.evaluate("document.getElementById('answer').textContent")

    def image(self):
        """What the network was given, [n_inputs]."""
        return np.array(self.window.evaluate("Array.from(image.map(v => v * model.ink))"))

    def probabilities(self):
        return np.array(self.window.evaluate("probabilities"))

    def shown(self):
        """The bars as they stand there: names, percentages, whether one is the best."""
        return self.window.evaluate(
            "[...bars.children].map(li => [li.querySelector('.name').textContent,"
            " li.querySelector('.value').textContent, li.className])"
        )


def check_digits(page):
    """Draws all digits in all variants; the images, the probabilities, and how many were right."""
    images, odds, right, wrong = [], [], 0, []
    for variant in VARIANTS:
        for digit, strokes in DIGITS.items():
            answer = page.draw(place(strokes, **variant))
            right += answer == digit
            if answer != digit:
                wrong.append(f"{digit} as {answer}")
                common.require(variant, f"a plain {digit} is taken for {answer!r}")
            images.append(page.image())
            odds.append(page.probabilities())
    total = len(VARIANTS) * len(DIGITS)
    common.require(right >= 0.9 * total, f"only {right} of {total} right: {', '.join(wrong)}")
    return np.array(images), np.array(odds), f"{right} of {total} digits right"


def check_numbers(weft, run, images, odds):
    """The page computes as weft does; centred as MNIST is."""
    table = weft.dir / "images.csv"
    np.savetxt(table, np.column_stack([np.zeros(len(images)), images]), delimiter=",", fmt="%.9g")
    wanted = weft.predict(run, table, "--proba")[:, 1:]
    error = np.abs(odds - wanted).max()
    common.require(error <= 1e-5, f"the page and weft differ by {error:.3g}")
    pictures = images.reshape(-1, 28, 28)
    mass = pictures.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = pictures.sum(axis=3 - axis) @ (np.arange(28)) / mass
        common.require(np.abs(centre - 14).max() < 0.25, f"centres of mass from {centre}")
    rows, columns = pictures.max(axis=2) > 100, pictures.max(axis=1) > 100
    extent = np.maximum(rows.sum(axis=1), columns.sum(axis=1))
    common.require(
        ((extent >= 18) & (extent <= 22)).all(), f"{extent.min()} to {extent.max()} pixels large"
    )
    return error


def check_tools(page):
    """Undo, clear, keys; what stands there is what was computed."""
    window = page.window
    one, two = DIGITS["1"], DIGITS["4"]
    common.require(page.draw(two) == "4", "4")
    rows = page.shown()
    best = [row for row in rows if row[2] == "best"]
    common.require(len(rows) == 10 and len(best) == 1 and best[0][0] == "4", f"bars: {rows}")
    window.evaluate("document.getElementById('undo').click()")
    common.require(page.answer() != "" and window.evaluate("strokes.length") == 1, "undo")
    window.key("Escape", 27)
    common.require(page.answer() == "" and window.evaluate("strokes.length") == 0, "Escape")
    common.require(page.draw(one) == "1", "1 after clearing")
    page.draw([[(0.5, 0.5)]])
    dot = page.image()
    common.require(0 < (dot > 0).sum() <= 25, f"a dot takes {(dot > 0).sum()} pixels")


def check_phone(window, path):
    """On a phone: nothing beside the view, and a finger draws."""
    window.call("Emulation.setTouchEmulationEnabled", enabled=True)
    page = Page(window, path, 360)
    width = window.evaluate("document.documentElement.scrollWidth")
    common.require(width <= 360, f"the page is {width} pixels wide on a phone of 360")
    for digit in ("3", "7"):
        answer = page.draw(DIGITS[digit], finger=True)
        common.require(answer == digit, f"{digit} by finger is taken for {answer!r}")
        common.require(window.evaluate("window.scrollY") == 0, "drawing scrolls the page")
    window.call("Emulation.setTouchEmulationEnabled", enabled=False)


def check_hostile_names(weft, window):
    """Names are text, whatever stands in them; two classes of one sigmoid; other shapes."""
    names = ["</script><img src=x onerror=alert(1)>", 'a "b"\n<b>&amp;']
    table = weft.dir / "hostile.csv"
    rows = []
    for i in range(10):
        quoted = names[i % 2].replace('"', '""')
        rows.append(f'"{quoted}",' + ",".join(str((i % 2) * 255) for _ in range(128)))
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    run = weft.train("hostile", table, "--output", "sigmoid", "--hidden", "4", "--epochs", 3)
    path = weft.dir / "hostile.html"
    weft.run("export", run, path, "--image", "16x8")
    page = Page(window, path, 900)
    page.draw([[(0.2, 0.2), (0.8, 0.3)]])
    shown = [row[0] for row in page.shown()]
    common.require(sorted(shown) == sorted(names), f"names shown: {shown}")
    common.require(abs(page.probabilities().sum() - 1) < 1e-9, "two classes")
    common.require(window.evaluate("document.querySelectorAll('img, b').length") == 0, "markup")
    common.require(not window.said, f"problems: {window.said}")


def check(weft):
    run = weft.train("digits", common.MNIST, "--epochs", 3)
    path = weft.dir / "digits.html"
    weft.run("export", run, path)
    with browser.Browser() as window:
        page = Page(window, path, 1000)
        images, odds, result = check_digits(page)
        check_tools(page)
        error = check_numbers(weft, run, images, odds)
        check_phone(window, path)
        common.require(set(window.asked) == {path.as_uri()}, f"asked for {window.asked}")
        check_hostile_names(weft, window)
    return f"{result}; probabilities as by weft predict, largest difference {error:.2g}"


if __name__ == "__main__":
    common.main(check, __doc__)
