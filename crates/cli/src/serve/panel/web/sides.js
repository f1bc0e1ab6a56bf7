// The page before and after: what is around edits, and more of it where somebody wants to see it.
import { h, replace, quiet } from './dom.js';
import * as server from './server.js';
import { rows } from './rows.js';
import * as words from './words.js';

const AROUND = 3;
const AT_ONCE = 200;
// Long lines show that much of what stayed on both sides of an edit.
const MAX_CHARS = 400;
const MAX_CHANGED = 2000;

export class Sides {
  #id;
  #answer;

  constructor(id) {
    this.#id = id;
  }

  // `place` is the number of an edit to show.
  async show(panel, { trace, has_page }, place) {
    const state = trace.body?.state;
    if (!has_page) {
      return replace(panel, h('p', { class: 'note' }, 'There is no page to show: bodies of HTML and JSON are kept, and no others.'));
    }
    if (!this.#answer) {
      replace(panel, h('p', { class: 'note' }, 'Loading…'));
      try {
        this.#answer = await server.sides(this.#id);
      } catch (error) {
        return replace(panel, h('p', { class: 'note', role: 'alert' }, error.message));
      }
      if (!panel.isConnected || panel.getAttribute('aria-labelledby') !== 'tab-page') return;
    }
    const { segments, is_cut, is_coarse, coding } = this.#answer;
    const groups = rows(segments);
    const hasChanges = groups.some((group) => group.changed);
    const body = h('div', { class: 'sides', role: 'table', 'aria-label': 'The page before and after' });
    body.append(
      h(
        'div',
        { role: 'row', class: 'titles' },
        h('div', { role: 'columnheader' }, 'As it came'),
        h('div', { role: 'columnheader' }, 'As it left'),
      ),
    );
    groups.forEach((group, at) => {
      if (group.changed) body.append(...group.changed.slice(0, MAX_CHANGED).map(changed));
      else body.append(...kept(group, { isFirst: at === 0, isLast: at === groups.length - 1, hasChanges }));
    });
    replace(
      panel,
      h(
        'div',
        { class: 'tools' },
        hasChanges
          ? [
              h('button', { type: 'button', onclick: () => step(body, -1) }, '↑ Previous edit'),
              h('button', { type: 'button', onclick: () => step(body, 1) }, '↓ Next edit'),
            ]
          : quiet(state ? `Not edited: ${words.body(state)}.` : 'Not edited.'),
        trace.body?.edits && quiet(words.plural(trace.body.edits.length + (trace.body.more_edits ?? 0), 'edit')),
        coding && quiet(`came coded with ${coding}, shown without`),
        h('a', { class: 'end', href: server.pageOf(this.#id), download: 'page.html' }, 'Save the page as it came'),
      ),
      is_cut && h('p', { class: 'note' }, 'The page is longer than what is kept of it; this is its beginning.'),
      is_coarse && h('p', { class: 'note' }, 'Not every edit of this page was noted with its place; what lies between the first and the last of the others is one edit here.'),
      body,
    );
    if (place !== undefined) aim(body, body.querySelector(`[data-edit="${CSS.escape(place)}"]`));
  }
}

function aim(body, mark) {
  if (!mark) return;
  body.querySelector('.aimed')?.classList.remove('aimed');
  mark.classList.add('aimed');
  mark.tabIndex = -1;
  mark.focus({ preventScroll: true });
  mark.scrollIntoView({ block: 'center' });
}

function step(body, by) {
  const marks = [...body.querySelectorAll('ins[data-first], del[data-first]')];
  const at = marks.indexOf(body.querySelector('.aimed'));
  const next = at < 0 ? (by > 0 ? 0 : marks.length - 1) : (at + by + marks.length) % marks.length;
  aim(body, marks[next]);
}

const number = (n) => h('div', { class: 'n', role: 'cell' }, n === undefined ? '' : String(n));

function changed({ left, right }) {
  const side = (it, tag, tone) => [
    number(it?.n),
    h('div', { role: 'cell', class: `code ${it ? tone : 'none'}` }, it ? it.parts.map((part) => piece(part, tag)) : null),
  ];
  return h('div', { role: 'row', class: 'changed' }, side(left, 'del', 'was'), side(right, 'ins', 'with'));
}

function piece(part, tag) {
  if (!part.patches) return stretch(part.text);
  const title = part.patches.length ? part.patches.join(', ') : 'edited';
  // Both sides have the mark; the side with a text is the one to go to.
  const isFirst = Boolean(part.text);
  return h(tag, { title, 'data-edit': isFirst ? part.edit : null, 'data-first': isFirst }, part.text);
}

// What stayed in a line: its ends, and a way to see more.
function stretch(text) {
  if (text.length <= MAX_CHARS) return text;
  const half = MAX_CHARS / 2;
  const middle = text.slice(half, -half);
  const more = h('button', {
    type: 'button', class: 'more', 'aria-label': `Show ${words.plural(middle.length, 'more character')}`,
    onclick: () => more.replaceWith(...[middle.slice(0, 10 * MAX_CHARS), middle.length > 10 * MAX_CHARS ? stretch(middle.slice(10 * MAX_CHARS)) : ''].flat()),
  }, `⋯ ${middle.length.toLocaleString('en')} ⋯`);
  return [text.slice(0, half), more, text.slice(-half)];
}

function stays({ kept, left, right }, at) {
  const line = () => h('div', { role: 'cell', class: 'code' }, stretch(kept[at]));
  return h('div', { role: 'row', class: 'stays' }, number(left + at), line(), number(right + at), line());
}

function kept(group, { isFirst, isLast, hasChanges }) {
  const n = group.kept.length;
  const head = hasChanges ? (isFirst ? 0 : AROUND) : AT_ONCE;
  const tail = hasChanges && !isLast ? AROUND : 0;
  const lines = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, at) => stays(group, from + at));
  // A gap that is no longer than the button is none.
  if (n <= head + tail + 1) return lines(0, n);
  return [...lines(0, head), gap(group, head, n - tail, lines), ...lines(n - tail, n)];
}

function gap(group, from, to, lines) {
  const hidden = to - from;
  const label = hidden > AT_ONCE ? `Show ${AT_ONCE} of ${words.plural(hidden, 'line')} that stayed` : `Show ${words.plural(hidden, 'line')} that stayed`;
  const row = h('div', { role: 'row', class: 'gap' });
  const open = () => {
    const until = Math.min(from + AT_ONCE, to);
    const rest = until < to ? [gap(group, until, to, lines)] : [];
    const shown = lines(from, until);
    row.replaceWith(...shown, ...rest);
    (rest[0]?.querySelector('button') ?? shown[0]).focus?.();
  };
  row.append(h('div', { role: 'cell' }, h('button', { class: 'link', type: 'button', onclick: open }, label)));
  return row;
}
