// The page of an exchange as somebody else would see it: with variations, attributes and a time to choose, in a frame. What is not
// chosen is as the exchange read it of its visitor; of the URL it is read anew, as one may follow links in the frame.
import { h, replace, code, quiet } from './dom.js';
import * as server from './server.js';
import { value as shown } from './words.js';

const AS_IT_IS = '';
// No value can be confused with it: values are written with a letter in front.
const NONE = 'n';

export class View {
  #exchange;
  #lastInView;
  #go;
  #form;
  #frame;
  #said = h('span', { role: 'status' });
  #view;
  #fields = [];
  #blank;
  // What the exchange read of its visitor.
  #read = {};

  constructor(panel, exchange, lastInView, go) {
    this.#exchange = exchange;
    this.#lastInView = lastInView;
    this.#go = go;
    this.#form = h('form', { 'aria-label': 'What to see', onsubmit: (event) => this.#submit(event), oninput: () => this.#mark() });
    const widths = h(
      'select',
      { onchange: (event) => (this.#frame.className = event.target.value) },
      [['', 'as wide as here'], ['phone', '390 pixels'], ['tablet', '768 pixels']].map(([value, label]) => h('option', { value }, label)),
    );
    this.#frame = h('iframe', { title: 'The page with what is chosen', hidden: true });
    this.#frame.addEventListener('load', () => this.heard());
    const blank = h('p', { class: 'blank' }, 'Choose what to see, and press Show: the page is asked for again and stands here.');
    replace(
      panel,
      h(
        'div',
        { class: 'view' },
        this.#form,
        h('div', { class: 'stage' }, h('div', { class: 'item' }, this.#said, h('label', { class: 'widths' }, 'width', widths)), this.#frame, blank),
      ),
    );
    this.#blank = blank;
    this.#fill();
  }

  // The configuration was saved: what can be chosen may be something else, and what is shown is of before.
  saved() {
    this.#fill().then(() => this.#view && this.#choose());
  }

  // Exchanges came: one may be that of the frame.
  heard() {
    const row = this.#view && this.#lastInView(this.#view);
    if (!row) return;
    const open = () => this.#go(row.id, 'decisions');
    replace(this.#said, h('button', { class: 'link', type: 'button', onclick: open }, 'Why the frame shows this'), quiet(` · ${row.variants === '-' ? 'no variant' : row.variants}, ${row.patches.applied} applied`));
  }

  async #fill() {
    let controls;
    try {
      controls = await server.controls();
    } catch (error) {
      return replace(this.#form, h('p', { role: 'alert', class: 'bad' }, error.message));
    }
    const before = new Map(this.#fields.map((field) => [field.key, field.input.value]));
    this.#fields = [];
    const { trace } = this.#exchange;
    const decided = new Map((trace.decisions ?? []).map((it) => [it.name, it.value]));
    const read = new Map((trace.attributes ?? []).map((it) => [it.name, it]));
    const experiments = Object.entries(controls.experiments).map(([name, values]) =>
      this.#field('choices', name, select(values, decided.get(`variants.${name}`), 'as decided'), String),
    );
    const flags = Object.entries(controls.flags).map(([name, values]) => {
      const now = decided.get(`flags.${name}`);
      const isSwitch = !values && (now === undefined || now === 'true' || now === 'false');
      return values || isSwitch
        ? this.#field('choices', name, select(values ?? ['true', 'false'], now, 'as decided'), String)
        : this.#field('choices', name, input('text', now), String);
    });
    const isRead = ({ name }) => read.has(name) || name === 'id';
    this.#read = Object.fromEntries(
      controls.attributes
        .map(({ name, of_visitor }) => of_visitor && read.get(name))
        .filter((it) => it && !it.hidden)
        .map(({ name, value }) => [name, value]),
    );
    const attribute = (it) => this.#field('attributes', it.name, ...typed(it, read.get(it.name)), it.secret ? `${it.from}, a secret` : it.from);
    const overridden = trace.request.attributes ?? {};
    const chosen = trace.request.choices ?? {};
    replace(
      this.#form,
      experiments.length > 0 && group('Experiments', experiments),
      flags.length > 0 && group('Flags', flags),
      group('Visitor', [controls.attributes.filter(isRead).map(attribute), this.#field('now', 'time', input('datetime-local'), (text) => new Date(text).toISOString(), 'now, unless said')]),
      controls.attributes.some((it) => !isRead(it)) &&
        h('details', {}, h('summary', {}, 'attributes that this route does not read'), group('', controls.attributes.filter((it) => !isRead(it)).map(attribute))),
      h(
        'div',
        { class: 'buttons' },
        h('button', { class: 'primary', type: 'submit' }, 'Show'),
        h('button', { type: 'button', onclick: () => this.#reset() }, 'As it is'),
      ),
    );
    for (const field of this.#fields) {
      const was = before.get(field.key) ?? start(field, field.part === 'choices' ? chosen : overridden);
      if (was !== undefined) field.input.value = was;
    }
    this.#mark();
  }

  #field(part, name, input, parse, note) {
    const id = `choose-${this.#fields.length}`;
    input.id = id;
    const element = h('div', {}, h('label', { for: id, class: 'label' }, code(name), note && ` ${note}`), input);
    this.#fields.push({ part, name, input, parse, element, key: `${part} ${name}` });
    return element;
  }

  #mark() {
    for (const { input, element } of this.#fields) element.classList.toggle('changed', input.value !== AS_IT_IS);
  }

  #reset() {
    for (const { input } of this.#fields) input.value = AS_IT_IS;
    this.#mark();
    this.#choose();
  }

  #submit(event) {
    event.preventDefault();
    this.#choose();
  }

  async #choose() {
    const chosen = { choices: {}, attributes: { ...this.#read }, now: null };
    try {
      for (const { part, name, input, parse } of this.#fields) {
        const text = input.value;
        if (text === AS_IT_IS) continue;
        const isChoice = input.localName === 'select';
        const value = isChoice && text === NONE ? null : parse(isChoice ? text.slice(1) : text);
        if (part === 'now') chosen.now = value;
        else chosen[part][name] = value;
      }
      this.#view = (await server.choose(chosen)).view;
    } catch (error) {
      return replace(this.#said, h('span', { class: 'bad' }, error.message));
    }
    this.#show();
  }

  #show() {
    const url = new URL(this.#exchange.trace.request.url);
    replace(this.#said, quiet('Loading…'));
    this.#blank.hidden = true;
    this.#frame.hidden = false;
    // Written anew, the same address would not be asked for again. With the origin, as a path may begin with two slashes.
    this.#frame.contentWindow.location.replace(location.origin + server.inView(url.pathname + url.search, this.#view));
    this.#said.scrollIntoView({ block: 'nearest' });
  }
}

const group = (title, fields) => h('fieldset', {}, title && h('legend', {}, title), fields);
const input = (type, now) => h('input', { type, placeholder: now ?? null, autocomplete: 'off', spellcheck: 'false', step: type === 'number' ? 'any' : null });

function select(values, now, asItIs, none) {
  const is = now === undefined || now === null ? '' : `: ${now}`;
  return h(
    'select',
    {},
    h('option', { value: AS_IT_IS }, `${asItIs}${is}`),
    values.map((value) => h('option', { value: `v${value}` }, value)),
    none && h('option', { value: NONE }, '(none)'),
  );
}

// The field of an attribute, and how its text is read.
function typed({ kind, values }, read) {
  const now = read?.value === null || read?.value === undefined ? undefined : shown(read.value);
  if (values) return [select(values, now, 'as read', true), String];
  if (kind === 'boolean') return [select(['true', 'false'], now, 'as read', true), (text) => text === 'true'];
  if (kind === 'number') return [input('number', now), Number];
  if (kind === 'list') return [input('text', now ?? 'a, b'), (text) => text.split(',').map((it) => it.trim()).filter(Boolean)];
  return [input('text', now), String];
}

// What a field begins with where the exchange had something chosen already.
function start({ name, input }, chosen) {
  if (!(name in chosen)) return undefined;
  const value = chosen[name];
  if (input.localName !== 'select') return Array.isArray(value) ? value.join(', ') : String(value);
  return value === null ? NONE : `v${shown(value)}`;
}
