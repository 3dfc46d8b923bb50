"""Reports in headless Chromium, on a desktop and on a phone, light and dark: everything is there,
nothing overflows, the console is silent, nothing is asked of the network, texts from outside are
text; and a strict HTML parser finds no error. Screenshots go into build/report. The areas under the
curves are those that NumPy finds from the predictions."""

import json
import pathlib

import html5lib
import numpy as np

import browser
import common

SIZES = {"desktop": 1280, "phone": 390}
HOSTILE = '<script>document.title="caught"</script>'

# What the page says of itself.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SECTIONS = "[...document.querySelectorAll('h2')].map(h => h.textContent)"
CHARTS = """[...document.querySelectorAll('figure.chart')].map(f => [f.querySelector('h3').textContent,
    [...f.querySelectorAll('.line, .dots, .bar')].filter(p => p.getBBox().width > 0).length,
    f.querySelector('svg').getBoundingClientRect().height])"""
IMAGES = "[...document.images].map(i => i.complete && i.naturalWidth > 0 && i.alt !== '')"
# The least contrast of any text to what is behind it (WCAG 2.1, 1.4.3), colours over each other.
CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const over = (a, b) => [0, 1, 2].map(i => a[i] * (a[3] ?? 1) + b[i] * (1 - (a[3] ?? 1)));
  const light = c => c.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  let worst = [99, ''];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, parent = text.parentElement;
    if (!text.data.trim() || parent.closest('script, .tip, title')) continue;
    const chain = [];
    for (let e = parent; e; e = e.parentElement) chain.unshift(e);
    let behind = [255, 255, 255];
    for (const e of chain) behind = over(parse(getComputedStyle(e).backgroundColor), behind);
    const style = getComputedStyle(parent);
    const own = over(parse(parent.closest('svg') ? style.fill : style.color), behind);
    const [a, b] = [light(own), light(behind)].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < worst[0]) worst = [(a + .05) / (b + .05), text.data.trim()];
  }
  return worst;
})()"""


def write_tables(folder):
    """A table of classes with names that are to stay text, and one of values."""
    rng = np.random.default_rng(1)
    names = [HOSTILE, 'A & "B"', "d'e", "a rather long name of a class, which has to wrap somewhere"]
    with open(folder / "hostile.csv", "w", encoding="utf-8") as file:
        print("u,v,kind", file=file)
        for _ in range(400):
            k = rng.integers(len(names))
            u, v = rng.normal([np.cos(2 * k), np.sin(2 * k)], 0.5)
            name = names[k].replace('"', '""')
            print(f'{u:.5f},{v:.5f},"{name}"', file=file)
    # More classes than a matrix shows, and than areas are measured of; of one just one sample.
    for n_classes in (40, 130):
        with open(folder / f"many{n_classes}.csv", "w", encoding="utf-8") as file:
            print("u,v,w,kind", file=file)
            for i in range(15 * n_classes + 1):
                k = min(i // 15, n_classes)
                u, v, w = rng.normal([np.cos(k), np.sin(2 * k), k % 5], 0.2)
                print(f"{u:.5f},{v:.5f},{w:.5f},class {k:03}", file=file)
    with open(folder / "values.csv", "w", encoding="utf-8") as file:
        print("a,b,price", file=file)
        for a, b in rng.uniform(0, 3, (500, 2)):
            print(f"{a:.5f},{b:.5f},{np.sin(a) * 3 + b * b + rng.normal(0, 0.1):.5f}", file=file)


def train_all(weft):
    """A run of each kind; names and pages."""
    write_tables(weft.dir)
    weft.train("digits", common.MNIST, "--epochs", 3, "--batch-size", 128, "--test-every", 1)
    weft.train("tumours", common.ROOT / "data" / "wdbc.csv", "--label", "diagnosis", "--val", 0.2,
               "--hidden", 16, "--epochs", 50)  # fmt: skip
    weft.train("<b>hostile & co", weft.dir / "hostile.csv", "--label", "kind", "--val", 0.3,
               "--hidden", 16, "--epochs", 30)  # fmt: skip
    weft.train("values", weft.dir / "values.csv", "--label", "price", "--val", 0.25,
               "--hidden", "32,16", "--epochs", 80, "--lr", 0.03)  # fmt: skip
    # Nothing but what it learned from; the test set now and then.
    weft.train("alone", common.ROOT / "data" / "wdbc.csv", "--label", "diagnosis", "--epochs", 5)
    weft.train("rarely", common.MNIST, "--epochs", 7, "--batch-size", 512, "--hidden", 16,
               "--test-every", 3)  # fmt: skip
    for n_classes in (40, 130):
        weft.train(f"many{n_classes}", weft.dir / f"many{n_classes}.csv", "--label", "kind",
                   "--val", 0.2, "--hidden", 32, "--epochs", 10)  # fmt: skip
    names = ["digits", "tumours", "<b>hostile & co", "values", "alone", "rarely", "many40",
             "many130"]  # fmt: skip
    pages = {name: weft.dir / name / "report.html" for name in names}
    try:
        cats = common.cats_dir()
        weft.train("cats", cats / "train_catvnoncat.h5", "--test", cats / "test_catvnoncat.h5",
                   "--hidden", "20,7", "--epochs", 40, "--optimizer", "sgd", "--lr", 0.02)  # fmt: skip
        pages["cats"] = weft.dir / "cats" / "report.html"
    except common.Skip:
        pass
    pages["compared"] = weft.dir / "compared.html"
    weft.run("report", *[weft.dir / name for name in names], "--out", pages["compared"])
    return pages


def check_html(path):
    """Strict: the first parse error ends it."""
    parser = html5lib.HTMLParser(strict=True)
    with open(path, "rb") as file:
        document = parser.parse(file, transport_encoding="utf-8")
    html = "{http://www.w3.org/1999/xhtml}"
    ids = [e.get("id") for e in document.iter() if isinstance(e.tag, str) and e.get("id")]
    common.require(len(ids) == len(set(ids)), f"{path}: an id twice")
    for table in document.iter(f"{html}table"):
        widths = {sum(int(c.get("colspan", 1)) for c in row) for row in table.iter(f"{html}tr")}
        common.require(len(widths) == 1, f"{path}: rows of {widths} cells in one table")


def check_page(page, name, path, where, width, dark, out):
    scheme = "dark" if dark else "light"
    what = f"{name}, {where}, {scheme}"
    page.said.clear()
    page.asked.clear()
    page.open(path, width, dark)
    page.screenshot(out / f"{path.parent.name if name != 'compared' else name}-{where}-{scheme}.png"
                    .replace("<b>", "").replace(" & ", "-"))  # fmt: skip
    overflow = page.evaluate(OVERFLOW)
    common.require(overflow <= 0, f"{what}: {overflow} pixels too wide")
    charts = page.evaluate(CHARTS)
    common.require(len(charts) >= 3, f"{what}: only {len(charts)} charts")
    for title, n_drawn, height in charts:
        common.require(n_drawn > 0 and height > 100, f"{what}: the chart '{title}' is empty")
    common.require(all(page.evaluate(IMAGES)), f"{what}: an image is broken, or has no alt text")
    contrast, text = page.evaluate(CONTRAST)
    common.require(contrast >= 4.5, f"{what}: contrast {contrast:.2f} of '{text}'")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, background[4:-1].split(", "))) / 3
    common.require((brightness < 90) == dark, f"{what}: background {background}")
    common.require(not page.said, f"{what}: console: {page.said}")
    others = [u for u in page.asked if not u.startswith(("file:///", "data:"))]
    common.require(not others and sum(u.startswith("file:") for u in page.asked) == 1,
                   f"{what}: asked for {page.asked}")  # fmt: skip
    return page.evaluate(SECTIONS)


def check_tip(page, path):
    """Values under the pointer, and by the keyboard, are those of metrics.jsonl."""
    page.open(path, 1280, False)
    x, y = page.evaluate(
        "(() => { const b = document.querySelector('svg[data-x]').getBoundingClientRect();"
        "return [b.right - 20, b.top + b.height / 2] })()"
    )
    common.require(page.evaluate("document.querySelector('.tip').hidden"), "the tip shows early")
    page.move_to(x, y)
    shown = page.evaluate("document.querySelector('.tip').innerText.split('\\n')")
    last = common.read_metrics(path.parent)[-1]
    common.require(
        shown[0] == f"epoch {last['epoch']}" and shown[1].startswith("train ")
        and abs(float(shown[1].split()[1]) - last["train_loss"]) < 1e-4 * last["train_loss"],
        f"the tip says {shown}, metrics.jsonl {last}",
    )  # fmt: skip
    page.evaluate("document.querySelector('svg[data-x]').focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowLeft")
    shown = page.evaluate("document.querySelector('.tip').innerText.split('\\n')")
    common.require(shown[0] == f"epoch {last['epoch'] - 1}", f"after ArrowLeft the tip says {shown}")
    page.move_to(0, 0)


def check_sorting(page, path):
    """A click on a head sorts by that column, another turns it round."""
    page.open(path, 1280, False)
    column = "[...document.querySelector('table.sortable').tBodies[0].rows].map(r => r.cells[2].textContent)"
    click = "document.querySelectorAll('table.sortable th button')[2].click()"
    page.evaluate(click)
    down = [float(v) for v in page.evaluate(column)]
    page.evaluate(click)
    up = [float(v) for v in page.evaluate(column)]
    common.require(down == sorted(up, reverse=True) and up == sorted(up) and len(set(up)) > 1,
                   f"sorted: {down}, {up}")  # fmt: skip


def check_many(page, pages):
    """Of many classes no matrix; of very many areas of some, and no mean of these. What has no area
    is last, however the table is sorted."""
    tiles = "[...document.querySelectorAll('.tile span')].map(e => e.textContent)"
    column = "[...document.querySelector('table.sortable').tBodies[0].rows].map(r => r.cells[5].textContent)"
    click = "document.querySelectorAll('table.sortable th button')[5].click()"
    for name, n in ("many40", 40), ("many130", 130):
        page.open(pages[name], 1280, False)
        common.require(page.evaluate("document.querySelector('table.matrix')") is None, f"{name}: a matrix")
        found = page.evaluate(tiles)
        common.require(("Mean ROC AUC" in found) == (n <= 100), f"{name}: tiles {found}")
        for _ in range(2):
            page.evaluate(click)
            areas = page.evaluate(column)
            known = [float(area) for area in areas if area != "\u2013"]
            common.require(len(areas) == n + 1, f"{name}: {len(areas)} classes")
            common.require(0 < len(known) < n + 1, f"{name}: areas {areas}")
            common.require("\u2013" not in areas[: len(known)], f"{name}: sorted {areas}")
            common.require(known in (sorted(known), sorted(known)[::-1]), f"{name}: sorted {known}")
    text = page.evaluate("document.querySelector('#ranking .note').textContent")
    common.require("of the first 100 classes" in text, f"many130: said {text}")


def check_rarely(page, path):
    """Scores that were measured now and then make a line, too."""
    page.open(path, 1280, False)
    line = page.evaluate("document.querySelector('path.line[data-name=test]').getAttribute('d')")
    common.require(line.count("M") == 1 and line.count("L") == 2, f"the line of the test set is {line}")


def check_hostile(page, path):
    page.open(path, 1280, False)
    common.require(page.evaluate("document.title") == "<b>hostile & co", "a name has run as a script")
    for where in ("table.matrix th", "table.sortable th", "ul.legend li"):
        texts = page.evaluate(f"[...document.querySelectorAll('{where}')].map(e => e.textContent)")
        common.require(any(HOSTILE in text for text in texts), f"no class name in {where}: {texts}")
    common.require(page.evaluate("document.scripts.length") == 1, "a script of somebody else")


def area(scores, positive):
    """Mann and Whitney's count of pairs in the right order."""
    above, below = scores[positive], np.sort(scores[~positive])
    left = np.searchsorted(below, above, "left")
    right = np.searchsorted(below, above, "right")
    return (left + right).sum() / 2 / (len(above) * len(below))


def check_areas(weft, run):
    """AUC and calibration error of the digits from their predictions; the largest difference."""
    evaluation = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    p = weft.predict(run, common.MNIST, "--proba")[:, 1:]
    _, truth = common.mnist("t10k")
    worst = 0
    for index, found in enumerate(evaluation["classes"]):
        worst = max(worst, abs(found["auc"] - area(p[:, index], truth == index)))
    confidence, right = p.max(axis=1), p.argmax(axis=1) == truth
    bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    ece = sum(abs((right[bins == m] - confidence[bins == m]).sum()) for m in range(15)) / len(p)
    worst = max(worst, abs(evaluation["calibration"]["ece"] - ece))
    common.require(worst < 1e-5, f"areas or calibration differ by {worst:.2g}")
    return worst


def check(weft):
    browser.find()
    pages = train_all(weft)
    out = common.ROOT / "build" / "report"
    out.mkdir(parents=True, exist_ok=True)
    sections = {}
    with browser.Browser() as page:
        for name, path in pages.items():
            check_html(path)
            for where, width in SIZES.items():
                for dark in (False, True):
                    sections[name] = check_page(page, name, path, where, width, dark, out)
        check_tip(page, pages["digits"])
        check_sorting(page, pages["digits"])
        check_many(page, pages)
        check_rarely(page, pages["rarely"])
        check_hostile(page, pages["<b>hostile & co"])
    wanted = {
        "digits": ["Learning", "Confusion", "Samples", "Classes", "Thresholds and calibration",
                   "First layer", "Where the time went", "Settings and environment"],
        "values": ["Learning", "Predicted values", "Samples", "Where the time went",
                   "Settings and environment"],
        "compared": ["Results", "Learning", "Settings that differ"],
    }  # fmt: skip
    for name, titles in wanted.items():
        common.require(sections[name] == titles, f"{name}: sections {sections[name]}")
    worst = check_areas(weft, pathlib.Path(pages["digits"]).parent)
    return (
        f"{len(pages)} pages, each {len(SIZES)} widths, light and dark, in build/report; areas and "
        f"calibration of NumPy within {worst:.1g}"
    )


if __name__ == "__main__":
    common.main(check, __doc__)
