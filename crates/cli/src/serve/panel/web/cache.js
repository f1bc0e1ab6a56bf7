// What caches may do with the response, and what it depends on.
import { h, code, quiet, section, chip } from './dom.js';

export function cache({ trace, left }) {
  const verdict = trace.cache;
  if (!verdict) return h('p', { class: 'note' }, 'Nothing is known of caching: there was no response.');
  const depends = verdict.depends_on ?? [];
  const before = (trace.response?.headers ?? []).filter(({ name }) => name === 'cache-control').map(({ value }) => value);
  const cdn = left.filter(({ name }) => /^(cdn-cache-control|surrogate-control|vary|etag|age|cache-tag|surrogate-key)$/.test(name));
  return [
    h(
      'p',
      { class: 'verdict' },
      verdict.shared
        ? 'Shared caches in front may keep this response.'
        : 'No shared cache in front may keep this response.',
      ' ',
      browsers(verdict.cache_control),
    ),
    section(
      'What caches are told',
      h(
        'dl',
        { class: 'pairs' },
        pair('the origin said', before.length ? before.map((value) => code(value)) : quiet('nothing')),
        pair('what leaves', verdict.cache_control ? code(verdict.cache_control) : quiet('no Cache-Control')),
        cdn.map(({ name, value }) => pair(name, code(value))),
        verdict.not_storable && pair('the cache behind', h('span', { class: 'warn' }, `was told not to store it: ${verdict.not_storable.replaceAll('_', ' ')}`)),
        verdict.found && pair('found behind', code(verdict.found)),
      ),
    ),
    section(
      'What the route’s output depends on',
      depends.length
        ? h('p', {}, depends.map((name) => [chip(name), ' ']))
        : h('p', { class: 'note' }, trace.route ? 'On nothing of the visitor: it is the same for everybody.' : 'The request is on no route: caching is the origin’s business.'),
    ),
  ];
}

const pair = (name, value) => [h('dt', {}, name), h('dd', {}, value)];

function browsers(control) {
  if (!control) return 'Browsers are told nothing, and go by their own rules.';
  const directives = control.toLowerCase().split(',').map((it) => it.trim());
  const age = directives.find((it) => it.startsWith('max-age='))?.slice(8);
  if (directives.includes('no-store')) return 'Browsers may not keep it either.';
  if (directives.includes('no-cache') || age === '0') return 'Browsers may keep it, and ask each time whether it is still right.';
  if (age) return `Browsers may use it for ${span(Number(age))} without asking.`;
  return 'Browsers may keep it for as long as they think right.';
}

function span(seconds) {
  for (const [unit, length] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (seconds >= length && seconds % length === 0) return `${seconds / length} ${unit}${seconds === length ? '' : 's'}`;
  }
  return `${seconds} seconds`;
}
