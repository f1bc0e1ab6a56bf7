// One exchange: its head, its tabs, and what can be copied of it.
import { h, replace, chip, code, quiet } from './dom.js';
import * as server from './server.js';
import { clock, millis } from './words.js';
import { decisions } from './decisions.js';
import { patches } from './patches.js';
import { Sides } from './sides.js';
import { headers } from './headers.js';
import { cache } from './cache.js';
import { timings } from './timings.js';
import { View } from './view.js';
import { copies } from './copies.js';

const TABS = {
  decisions: 'Decisions',
  patches: 'Patches',
  page: 'Page',
  headers: 'Headers',
  cache: 'Cache',
  timings: 'Timings',
  view: 'Try it',
};

export class Detail {
  #element;
  #go;
  #lastInView;
  #id;
  #exchange;
  #sides;
  #view;
  tab = 'decisions';

  // `go` opens an exchange, a tab and a place; `lastInView` is the row of the page that a view showed last.
  constructor(element, go, lastInView) {
    this.#element = element;
    this.#go = go;
    this.#lastInView = lastInView;
    this.close();
  }

  close() {
    this.#id = undefined;
    this.#view = undefined;
    replace(
      this.#element,
      h('p', { class: 'empty' }, 'Choose an exchange to see what was decided for it, and why.'),
    );
  }

  async open(id, tab = 'decisions', place) {
    this.tab = tab in TABS ? tab : 'decisions';
    if (id !== this.#id) {
      this.#id = id;
      this.#view = undefined;
      try {
        const exchange = await server.exchange(id);
        if (id !== this.#id) return;
        this.#exchange = exchange;
        this.#sides = new Sides(id);
        this.#frame();
      } catch (error) {
        if (id !== this.#id) return;
        this.#id = undefined;
        replace(this.#element, this.#back(), h('p', { class: 'empty', role: 'alert' }, error.message));
        return;
      }
    }
    this.#show(place);
  }

  // Exchanges came.
  heard() {
    this.#view?.heard();
  }

  // The configuration was saved.
  saved() {
    this.#view?.saved();
  }

  #back() {
    const back = () => {
      history.pushState(null, '', location.pathname);
      dispatchEvent(new PopStateEvent('popstate'));
    };
    return h('button', { class: 'back', type: 'button', onclick: back }, '← All exchanges');
  }

  #frame() {
    const { row, trace } = this.#exchange;
    const tone = row.status >= 500 ? 'bad' : row.status >= 400 ? 'warn' : 'good';
    const tabs = h(
      'div',
      { class: 'tabs', role: 'tablist', 'aria-label': 'What is known of it', onkeydown: (event) => this.#walk(event) },
      Object.entries(TABS).map(([name, label]) =>
        h(
          'button',
          {
            type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': 'panel', 'data-tab': name,
            onclick: () => this.#go(this.#id, name, undefined, true),
          },
          label,
          count(name, trace),
        ),
      ),
    );
    replace(
      this.#element,
      h(
        'div',
        { class: 'head' },
        this.#back(),
        h('h2', {}, h('span', { class: 'method' }, `${row.method} `), trace?.request.url ?? row.path ?? ''),
        h(
          'p',
          { class: 'facts' },
          chip(`${row.status}`, tone),
          row.route ? h('span', {}, quiet('route '), code(row.route)) : quiet('on no route'),
          row.chosen && chip('chosen', 'good'),
          row.end !== 'whole' && h('span', { class: 'bad' }, row.why ?? row.end),
          quiet(`${clock(row.time)}, ${millis(row.ms)}`),
        ),
        trace && copies(this.#id, this.#exchange),
        tabs,
      ),
      h('div', { class: 'rule' }),
      h('div', { id: 'panel', role: 'tabpanel', tabindex: 0 }),
    );
    this.#element.scrollTop = 0;
  }

  async #show(place) {
    for (const tab of this.#element.querySelectorAll('[role=tab]')) {
      const isThis = tab.dataset.tab === this.tab;
      tab.setAttribute('aria-selected', String(isThis));
      tab.tabIndex = isThis ? 0 : -1;
      if (isThis) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
    const panel = this.#element.querySelector('#panel');
    panel.setAttribute('aria-labelledby', `tab-${this.tab}`);
    const exchange = this.#exchange;
    if (this.tab !== 'view') this.#view = undefined;
    if (!exchange.trace) {
      replace(panel, h('p', { class: 'note' }, 'Nothing is known of this exchange: the core was not asked.'));
      return;
    }
    const toEdit = (edit) => this.#go(this.#id, 'page', edit);
    switch (this.tab) {
      case 'decisions': return replace(panel, decisions(exchange));
      case 'patches': return replace(panel, patches(exchange, toEdit));
      case 'page': return this.#sides.show(panel, exchange, place);
      case 'headers': return replace(panel, headers(exchange));
      case 'cache': return replace(panel, cache(exchange));
      case 'timings': return replace(panel, timings(exchange));
      case 'view':
        this.#view ??= new View(panel, exchange, this.#lastInView, this.#go);
    }
  }

  #walk(event) {
    const names = Object.keys(TABS);
    const at = names.indexOf(this.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const name = names[(to + names.length) % names.length];
    this.#go(this.#id, name, undefined, true);
    this.#element.querySelector(`#tab-${name}`).focus();
  }
}

function count(tab, trace) {
  const n = { patches: trace?.patches?.length, page: trace?.body?.edits?.length }[tab];
  return n ? [' ', h('span', { class: 'n' }, String(n))] : null;
}
