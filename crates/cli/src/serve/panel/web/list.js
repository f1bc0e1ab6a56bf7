// The list of exchanges: newest first, filtered, walked with arrow keys.
import { h, replace, chip } from './dom.js';
import { clock, millis, plural } from './words.js';

const MAX_ROWS = 200;

export class List {
  #rows = new Map();
  #element = document.querySelector('#list');
  #open;

  // `open` shows an exchange.
  constructor(open) {
    this.#open = open;
    for (const id of ['find', 'edited', 'parts']) document.getElementById(id).addEventListener('input', () => this.#filter());
    document.querySelector('.filters').addEventListener('submit', (event) => event.preventDefault());
    document.querySelector('#find').addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
      event.preventDefault();
      this.#shown()[0]?.focus();
    });
    this.#element.addEventListener('keydown', (event) => this.#walk(event));
  }

  // The newest page that was shown in a view.
  lastInView(view) {
    const rows = [...this.#rows.values()].map(({ row }) => row);
    return rows.filter((row) => row.view === view && row.kind === 'page').sort((a, b) => b.id - a.id)[0];
  }

  newest() {
    return this.#shown()[0]?.dataset.id;
  }

  has(id) {
    return this.#rows.has(id);
  }

  clear() {
    this.#rows.clear();
    replace(this.#element);
    this.#filter();
  }

  add(rows) {
    const isFirst = this.#rows.size === 0;
    for (const row of [...rows].reverse()) {
      if (this.#rows.has(row.id)) continue;
      const item = h('li', isFirst ? {} : { class: 'fresh' }, link(row));
      this.#rows.set(row.id, { row, item });
      const after = [...this.#element.children].find((other) => Number(other.firstChild.dataset.id) < row.id);
      this.#element.insertBefore(item, after ?? null);
    }
    while (this.#element.children.length > MAX_ROWS) {
      const last = this.#element.lastChild;
      this.#rows.delete(Number(last.firstChild.dataset.id));
      last.remove();
    }
    this.#filter();
  }

  select(id) {
    for (const { row, item } of this.#rows.values()) {
      if (row.id === id) item.firstChild.setAttribute('aria-current', 'true');
      else item.firstChild.removeAttribute('aria-current');
    }
    this.#rove();
  }

  #shown() {
    return [...this.#element.children].filter((item) => !item.hidden).map((item) => item.firstChild);
  }

  #filter() {
    const words = document.querySelector('#find').value.toLowerCase().split(/\s+/).filter(Boolean);
    const edited = document.querySelector('#edited').checked;
    const parts = document.querySelector('#parts').checked;
    for (const { row, item } of this.#rows.values()) {
      const said = [row.method, row.path, row.status, row.route, row.variants, row.body, row.end].join(' ').toLowerCase();
      const matches = words.every((word) => said.includes(word));
      item.hidden = !(matches && (!edited || row.edited) && (parts || row.kind !== 'other'));
    }
    const shown = this.#shown().length;
    const all = this.#rows.size;
    document.querySelector('#count').value = shown === all ? `${all}` : `${shown} of ${all}`;
    const empty = document.querySelector('#empty');
    empty.hidden = shown > 0;
    empty.textContent = all
      ? `None of the ${plural(all, 'exchange')} is shown. Take away a filter, or show sub-resources.`
      : 'Nothing was asked for yet. Open the site, and what it asks for is listed here.';
    this.#rove();
  }

  // Tab goes to one of the rows, arrows to the others.
  #rove() {
    const shown = this.#shown();
    const current = shown.find((a) => a.hasAttribute('aria-current')) ?? shown[0];
    for (const { item } of this.#rows.values()) item.firstChild.tabIndex = item.firstChild === current ? 0 : -1;
  }

  #walk(event) {
    const shown = this.#shown();
    const at = shown.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = shown[Math.max(0, Math.min(to, shown.length - 1))];
    next.focus();
    this.#open(Number(next.dataset.id));
  }
}

function link(row) {
  const { applied, missed, skipped } = row.patches;
  const failed = row.end === 'failed' || row.status >= 500;
  const tone = failed ? 'bad' : row.end === 'aborted' || row.status >= 400 ? 'warn' : 'quiet';
  const path = row.path ?? '(not known)';
  return h(
    'a',
    { href: `#/${row.id}`, 'data-id': row.id, tabindex: -1 },
    h('span', { class: 'path', title: path }, row.method === 'GET' ? null : [h('b', {}, row.method), ' '], path),
    h('span', { class: `status ${tone}` }, row.end === 'whole' ? `${row.status}` : `${row.status} ${row.end}`),
    h(
      'span',
      { class: 'facts' },
      row.chosen && h('span', { class: 'keep' }, chip('chosen', 'good')),
      applied > 0 && h('span', { class: 'keep good' }, `${applied} applied`),
      missed > 0 && h('span', { class: 'keep warn' }, `${missed} missed`),
      skipped > 0 && h('span', { class: 'keep warn' }, `${skipped} skipped`),
      h('span', { class: 'route' }, row.route ?? 'on no route'),
      row.variants !== '-' && h('span', {}, row.variants),
    ),
    h('span', { class: 'took', title: clock(row.time) }, millis(row.ms)),
  );
}
