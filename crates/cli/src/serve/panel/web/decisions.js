// What was decided, and what it followed from: the route, what it reads, variations and flags, patches, what is reported.
import { h, code, quiet, chip } from './dom.js';
import * as words from './words.js';

const sign = (holds) => h('span', { class: `sign ${holds ? 'good' : 'quiet'}`, 'aria-hidden': true }, holds ? '✓' : '✗');
const item = (...children) => h('div', { class: 'item' }, ...children);
const branch = (title, note, items) =>
  h('li', {}, item(h('span', { class: 'step' }, title), note && quiet(note)), items.length ? h('ul', {}, items) : null);

export function decisions({ trace }) {
  const routes = trace.routes ?? [];
  const attributes = trace.attributes ?? [];
  const made = trace.decisions ?? [];
  const patches = trace.patches ?? [];
  const exposures = trace.exposures ?? [];
  return h(
    'ul',
    { class: 'tree' },
    branch('Route', trace.route ? null : 'none matches: the page passes as it is', routes.map(route)),
    trace.route && branch('Attributes', attributes.length ? 'what the route reads of the request' : 'the route reads none', attributes.map(attribute)),
    trace.route && branch('Decisions', made.length ? null : 'nothing is decided on this route', made.map(decision)),
    trace.route && branch('Patches', patches.length ? null : 'the route has none', patches.map(patch)),
    exposures.length > 0 &&
      branch('Reported as seen', null, exposures.map((it) => h('li', {}, item(code(it.experiment), quiet('='), code(it.variation))))),
  );
}

const route = ({ name, fails }) =>
  h('li', {}, item(sign(!fails), code(name), fails ? quiet(`does not match: ${fails}`) : quiet('the request is on it')));

const attribute = (it) =>
  h(
    'li',
    {},
    item(
      code(it.name),
      quiet('='),
      it.value === null ? quiet('none') : code(words.value(it.value)),
      it.overridden ? chip('chosen', 'good') : quiet(`from ${it.from}`),
      it.hidden && it.value !== null && chip('a secret'),
    ),
  );

const decision = (it) => {
  const [kind, ...rest] = it.name.split('.');
  return h(
    'li',
    {},
    item(
      quiet(kind === 'variants' ? 'experiment' : kind === 'flags' ? 'flag' : ''),
      code(rest.length ? rest.join('.') : kind),
      quiet('='),
      code(it.value, { class: 'decided' }),
      it.because === 'forced for the visitor' ? chip('chosen', 'good') : quiet(words.reason(it.because)),
    ),
  );
};

function patch(it) {
  const { text, tone } = words.outcome(it);
  const guards = it.guards ?? [];
  return h(
    'li',
    {},
    item(sign(it.eligible), code(it.name), it.site && quiet(it.site), h('span', { class: tone || 'quiet' }, text)),
    guards.length ? h('ul', {}, guards.map((guard) => h('li', {}, item(sign(guard.holds), code(guard.written))))) : null,
  );
}
