// Where time went, and how much there was of it.
import { h, quiet, section } from './dom.js';
import * as words from './words.js';

export function timings({ trace, row, times, bytes }) {
  const steps = [
    ['head of the origin’s answer', times.origin_head],
    ['head to the browser', times.head],
    ['last byte to the browser', times.end],
  ].filter(([, ms]) => ms !== null);
  const most = Math.max(...steps.map(([, ms]) => ms), 0.001);
  const more = bytes.came === null ? null : bytes.left - bytes.came;
  const body = trace.body;
  return [
    section(
      'Since the request came',
      h(
        'div',
        { class: 'bars' },
        steps.map(([name, ms]) => {
          const fill = h('div', { class: 'bar-fill' });
          fill.style.width = `${(100 * ms) / most}%`;
          return [h('span', {}, name), h('div', { class: 'bar-track' }, fill), h('span', { class: 'value' }, words.millis(ms))];
        }),
      ),
      times.origin_head === null ? h('p', { class: 'note note-after' }, 'The origin was not asked, or did not answer.') : null,
    ),
    section(
      'The core at work',
      h(
        'dl',
        { class: 'pairs' },
        ['request', 'response', 'body']
          .filter((on) => trace.micros?.[on] !== undefined)
          .map((on) => [h('dt', {}, on === 'response' ? 'head of the response' : on), h('dd', { class: 'mono' }, words.millis(trace.micros[on] / 1000))]),
      ),
    ),
    section(
      'Bytes of the body',
      h(
        'dl',
        { class: 'pairs' },
        [
          ['came', bytes.came === null ? quiet('not kept as a whole') : words.bytes(bytes.came)],
          ['left', words.bytes(bytes.left)],
          more !== null && ['difference', `${more > 0 ? '+' : ''}${more.toLocaleString('en')}`],
          ['held at most', words.bytes(row.max_held_bytes)],
          body && ['body', words.body(body.state)],
        ]
          .filter(Boolean)
          .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
      ),
    ),
  ];
}
