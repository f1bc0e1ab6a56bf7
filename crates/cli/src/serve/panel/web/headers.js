// Headers before and after, with who changed them.
import { h, code, quiet, section, table } from './dom.js';
import { cause } from './words.js';

export function headers({ trace, sent, left }) {
  const { request, origin, response } = trace;
  return [
    section(
      'Request: what the visitor sent, and what the origin was asked',
      sent
        ? compared(
            [{ name: 'url', value: request.url }, ...(request.headers ?? [])],
            [{ name: 'url', value: sent.url }, ...sent.headers],
            origin?.changes,
          )
        : [h('p', { class: 'note' }, 'The origin was not asked.'), compared(request.headers ?? [], request.headers ?? [], [])],
    ),
    section(
      'Response: what the origin sent, and what the visitor got',
      response
        ? compared(
            [...status(response.came_status), ...(response.headers ?? [])],
            [...status(response.came_status && response.status), ...left],
            response.changes,
          )
        : h('p', { class: 'note' }, 'There was no response to the end of its head.'),
    ),
  ];
}

// Said where it is another one than came.
const status = (code) => (code ? [{ name: 'status', value: String(code) }] : []);

function compared(before, after, changes = []) {
  const by = new Map(changes.map((change) => [change.name, change]));
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const values = (lines, name) => lines.filter((line) => line.name === name).map(({ value }) => value);
  const all = names.map((name) => ({ name, was: values(before, name), is: values(after, name) }));
  const same = ({ was, is }) => JSON.stringify(was) === JSON.stringify(is);
  const changed = all.filter((it) => !same(it));
  const stayed = all.filter(same);
  const who = ({ name, is }) => {
    if (name === 'status') return ['validators'];
    const change = by.get(name);
    const causes = change?.by ?? [];
    // What the core did not leave it with is the server's.
    const isLast = JSON.stringify(change?.after ?? null) === JSON.stringify(is.length ? is : null);
    return [...causes, ...(isLast || (change && !change.after && !is.length) ? [] : ['serve'])];
  };
  return [
    changed.length
      ? table(
          ['Header', 'Before', 'After', 'Changed by'],
          changed.map((it) => [
            it.name,
            it.was.map((value) => code(h('del', {}, value))),
            it.is.map((value) => code(h('ins', {}, value))),
            who(it).map((name) => h('div', {}, named(name))),
          ]),
        )
      : h('p', { class: 'note' }, 'No header was changed.'),
    stayed.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, `${stayed.length} that stayed`),
        table(['Header', 'Value'], stayed.map((it) => [it.name, it.was.map((value) => code(value))])),
      ),
  ];
}

const named = (by) => (by.startsWith('patch ') ? [quiet('patch '), code(by.slice(6))] : cause(by));
