'use strict';
// Values at the pointer, or by the arrow keys where a chart has the focus.
const tip = document.body.appendChild(document.createElement('div'));
tip.className = 'tip';
tip.hidden = true;
const time = v => v < 1 ? (1000 * v).toPrecision(3) + ' ms' : v + ' s';
const units = [v => String(v), v => (100 * v).toFixed(2) + ' %', time];
for (const svg of document.querySelectorAll('svg[data-x]')) {
  const d = svg.dataset, rule = svg.querySelector('.rule');
  const lines = [...svg.querySelectorAll('[data-p]')].map(path => ({
    name: path.dataset.name,
    values: new Map(path.dataset.p.split(' ').filter(Boolean).map(p => p.split(',').map(Number)))
  }));
  const xs = [...new Set(lines.flatMap(line => [...line.values.keys()]))].sort((a, b) => a - b);
  const place = x => +d.left + (x - d.low) / (d.high - d.low) * (d.right - d.left);
  let at = xs.length;
  const hide = () => { tip.hidden = true; rule.style.visibility = 'hidden'; };
  const show = i => {
    at = Math.max(0, Math.min(xs.length - 1, i));
    const x = xs[at], box = svg.getBoundingClientRect();
    tip.replaceChildren();
    const add = text => tip.appendChild(document.createElement('div')).textContent = text;
    add(d.x + ' ' + x);
    for (const line of lines) {
      if (line.values.has(x)) add(line.name + ' ' + units[d.unit](line.values.get(x)));
    }
    tip.hidden = false;
    rule.style.visibility = 'visible';
    rule.setAttribute('transform', 'translate(' + place(x) + ' 0)');
    const px = place(x) / svg.viewBox.baseVal.width * box.width;
    const left = px > box.width / 2 ? px - tip.offsetWidth - 10 : px + 10;
    tip.style.left = Math.max(4, box.left + scrollX + left) + 'px';
    tip.style.top = box.top + scrollY + 12 + 'px';
  };
  svg.addEventListener('pointermove', e => {
    const box = svg.getBoundingClientRect();
    const x = (e.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    let best = 0;
    xs.forEach((v, i) => { if (Math.abs(place(v) - x) < Math.abs(place(xs[best]) - x)) best = i; });
    show(best);
  });
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('blur', hide);
  svg.addEventListener('keydown', e => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (step) { e.preventDefault(); show(at + step); }
  });
}
// Tables that sort by a click on a head.
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') !== 'descending';
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        const u = parseFloat(x), v = parseFloat(y), sign = down ? -1 : 1;
        if (column === 0) return sign * x.localeCompare(y, undefined, { numeric: true });
        // What has no number comes last, either way.
        return isNaN(u) || isNaN(v) ? isNaN(u) - isNaN(v) : sign * (u - v);
      });
      body.append(...rows);
    });
  });
}
