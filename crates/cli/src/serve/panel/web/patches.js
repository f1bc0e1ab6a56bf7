// Each patch: its guards, what became of it, and where on the page it was at work.
import { h, code, quiet } from './dom.js';
import * as words from './words.js';

const MAX_SITES = 20;
const MAX_CHARS = 120;

// `toEdit` shows the place of an edit on the page.
export function patches({ trace, lines }, toEdit) {
  const all = trace.patches ?? [];
  if (!all.length) return h('p', { class: 'note' }, trace.route ? 'The route has no patches.' : 'The request is on no route, so no patch was asked.');
  const edits = (trace.body?.edits ?? []).map((edit, number) => ({ ...edit, number, line: lines[number] }));
  return h('div', { class: 'patches' }, all.map((patch) => shown(patch, edits.filter((edit) => edit.patches.includes(patch.name)), toEdit)));
}

function shown(patch, edits, toEdit) {
  const { text, tone } = words.outcome(patch);
  const skipped = (patch.outcomes ?? []).flatMap((it) => Object.entries(it.skipped ?? {}));
  const ended = (patch.outcomes ?? []).map((it) => it.search_ended).filter(Boolean);
  return h(
    'article',
    { class: `patch ${tone}`, 'data-patch': patch.name },
    h(
      'div',
      { class: 'item' },
      h('span', { class: 'name' }, /^\d+$/.test(patch.name) ? `#${patch.name}` : patch.name),
      patch.site ? code(patch.site) : quiet(patch.kind === 'elements' ? 'the page' : patch.kind),
      h('span', { class: `outcome ${tone || 'quiet'}` }, text),
    ),
    (patch.guards ?? []).map((guard) =>
      h(
        'div',
        { class: 'item' },
        h('span', { class: `sign ${guard.holds ? 'good' : 'bad'}`, 'aria-hidden': true }, guard.holds ? '✓' : '✗'),
        code(guard.written),
        quiet(guard.holds ? 'holds' : 'does not hold'),
      ),
    ),
    skipped.map(([reason, n]) => h('div', { class: 'warn' }, `skipped ${words.plural(n, 'element')}: ${reason.replaceAll('_', ' ')}`)),
    ended.map((reason) => h('div', { class: 'warn' }, `the search ended early: ${reason.replaceAll('_', ' ')}`)),
    edits.length > 0 && h('div', { class: 'sites' }, edits.slice(0, MAX_SITES).map((edit) => site(edit, toEdit))),
    edits.length > MAX_SITES && quiet(`and ${words.plural(edits.length - MAX_SITES, 'more edit')}`),
  );
}

function site(edit, toEdit) {
  const where = edit.line ? `line ${edit.line}` : `byte ${edit.start}`;
  return h(
    'div',
    { class: 'site' },
    h('button', { class: 'link', type: 'button', title: 'Show it on the page', onclick: () => toEdit(edit.number) }, where),
    code([edit.was && h('del', {}, short(edit.was)), edit.was && edit.with && ' → ', edit.with && h('ins', {}, short(edit.with))]),
  );
}

const short = (text) => {
  const line = text.replace(/\s+/g, ' ');
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS)}…` : line;
};
