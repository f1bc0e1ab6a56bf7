// Opens pages in a Chromium and tells what happened in them. One process for all tests: a line of JSON asks for a page, a line
// of JSON answers.
//
//   node drive.mjs <chromium> <port of the origin>
//
// Asked:    { url, slots, reads, awaits }
//   slots     the ids of the elements to look at; null for the whole document
//   reads     an expression over `el` (a slot, or the document), whose value is shown by the page
//   awaits    marks that are waited for, a while
// Answered: { marks, attacks, dialogs, errors, requests, violations, slots, children }, or { failed }
//
// Asked:    { page, mutations, edited }
//   page       a page, to which dom-mutator does the mutations
//   edited     the page that it is compared with
// Answered: { theirs, ours, nested }: both documents, the same where nobody could tell, and whether mutations add to the content
//           of elements in which others change something, which dom-mutator then adds again, or change the content of tables
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [executablePath, port] = process.argv.slice(2);

// The tests' hosts lead to the origin, all others nowhere: what a page asks for is seen, and does not leave this machine.
const hosts = ['shop.example', 'cdn.example', 'evil.example'].map((host) => `MAP ${host} 127.0.0.1:${port}`);
const args = [`--host-resolver-rules=${hosts.join(', ')}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`];
const root = process.getuid?.() === 0;
const browser = await chromium.launch({ executablePath, args, chromiumSandbox: !root });
const page = await browser.newPage();

// Runs in each frame before anything of the page does.
await page.addInitScript(() => {
  if (window !== top) {
    // Cross-origin frames have no business with the page's; the others report to it.
    try {
      window.own = top.own;
      window.alert = top.alert;
    } catch {}
    return;
  }
  const seen = { marks: [], attacks: [], violations: [] };
  const constant = (name, value) => Object.defineProperty(window, name, { value, writable: false, configurable: false });
  // What scripts of the tests say when they run, and of which slot they are.
  constant('own', (...values) => {
    const slot = document.currentScript?.closest('[data-slot]')?.id ?? null;
    seen.marks.push({ slot, value: values.length === 1 && typeof values[0] === 'string' ? values[0] : JSON.stringify(values) });
  });
  constant('f', window.own);
  // What hostile values try to call.
  for (const name of ['alert', 'confirm', 'prompt', 'print']) constant(name, (...values) => void seen.attacks.push(`${name}(${values})`));
  Object.defineProperty(window, '__pwned', { set: (value) => void seen.attacks.push(`__pwned=${value}`), get: () => undefined });
  document.addEventListener('securitypolicyviolation', (event) => {
    const { effectiveDirective, blockedURI, sample, disposition } = event;
    seen.violations.push(`${disposition} ${effectiveDirective} ${blockedURI} ${sample}`.trim());
  });
  constant('__seen', seen);
});

let now;
const begin = () => (now = { dialogs: [], errors: [], requests: [] });
begin();
page.on('dialog', (dialog) => {
  now.dialogs.push(`${dialog.type()}: ${dialog.message()}`);
  dialog.dismiss().catch(() => {});
});
page.on('pageerror', (error) => now.errors.push(String(error)));
page.on('request', (request) => now.requests.push(request.url()));
page.on('popup', (popup) => {
  now.dialogs.push('a window was opened');
  popup.close().catch(() => {});
});

// Runs in the page, as the debugger's own code, which policies do not govern.
async function look(slots, reads, awaits) {
  const seen = window.__seen;
  const ran = (mark) => seen.marks.some(({ value }) => value === mark);
  const turn = (ms) => new Promise((done) => setTimeout(done, ms));
  for (let waited = 0; waited < 8000 && !awaits.every(ran); waited += 20) await turn(20);
  // Tasks that `load` leaves behind: toggle events, errors of images.
  await turn(0);
  await turn(0);
  const roots = slots ? slots.map((id) => document.getElementById(id)) : [document];
  // What moving over things, pressing and focusing them starts.
  for (const root of roots) {
    for (const element of root?.querySelectorAll('*') ?? []) {
      for (const type of ['mouseover', 'pointerdown', 'focus', 'input', 'toggle', 'animationstart']) {
        element.dispatchEvent(new Event(type, { bubbles: true }));
      }
    }
  }
  const shape = (node) => {
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT);
    const nodes = [];
    while (walker.nextNode()) {
      const { nodeType, localName, attributes, parentNode } = walker.currentNode;
      const names = nodeType === 1 ? [...attributes].map(({ name }) => name).join(' ') : '';
      nodes.push(nodeType === 1 ? `${parentNode.localName ?? ''} > ${localName} ${names}`.trim() : '<!-- -->');
    }
    return nodes;
  };
  // Where what is in a slot leads, by scheme.
  const schemes = (node) => {
    const found = new Set();
    for (const element of node.querySelectorAll('*')) {
      for (const name of ['href', 'src', 'action', 'formAction', 'data', 'poster', 'cite', 'background']) {
        const value = element[name];
        const url = typeof value === 'string' ? value : value?.animVal;
        if (typeof url === 'string' && element.hasAttribute(name.toLowerCase()) && URL.canParse(url, document.baseURI)) {
          found.add(new URL(url, document.baseURI).protocol);
        }
      }
    }
    return [...found];
  };
  const marked = (id) => seen.marks.filter(({ slot }) => slot === id).map(({ value }) => value).join('|');
  const decode = (url) => {
    const bytes = (run) => Uint8Array.from(run.slice(1).split('%'), (hex) => parseInt(hex, 16));
    return url.replace(/(%[0-9a-f]{2})+/gi, (run) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes(run)));
  };
  // What a string of CSS says (CSS Syntax § 4.3.5).
  const css = (text) =>
    text.slice(1, -1).replace(/\\(?:([0-9a-f]{1,6})\s?|([^]))/gi, (_, hex, other) => (hex ? String.fromCodePoint(parseInt(hex, 16)) : other));
  const read = (el) => {
    try {
      const value = reads(el, marked(el.id), decode, css);
      return typeof value === 'string' ? value : JSON.stringify(value) ?? 'undefined';
    } catch (error) {
      return `${error}`;
    }
  };
  const look = (el) => (el ? { read: read(el), shape: shape(el), schemes: schemes(el) } : null);
  const looked = roots.map(look);
  await turn(0);
  return {
    marks: seen.marks.map(({ value }) => value),
    attacks: seen.attacks,
    violations: seen.violations,
    slots: looked,
    children: document.body ? [...document.body.children].map(({ localName, id }) => `${localName}#${id}`) : [],
  };
}

const answer = async ({ url, slots, reads, awaits }) => {
  begin();
  await page.goto(url, { waitUntil: 'load', timeout: 20_000 });
  const expression = `(${look})(${JSON.stringify(slots)}, (el, marked, decode, css) => (${reads}), ${JSON.stringify(awaits)})`;
  const seen = await page.evaluate(expression);
  if (page.url() !== url) now.errors.push(`the page went to ${page.url()}`);
  return { ...seen, ...now };
};

const mutator = await readFile(createRequire(import.meta.url).resolve('dom-mutator/dist/dom-mutator.cjs.development.js'), 'utf8');
let blank = await browser.newPage();

// What a document says: elements, their attributes by name, texts and comments. Classes are a set, and none are as no attribute.
function serialise() {
  const say = (node) => {
    if (node.nodeType === 3) return JSON.stringify(node.data);
    if (node.nodeType === 8) return `<!--${node.data}-->`;
    if (node.nodeType === 10) return `<!doctype ${node.name}>`;
    const children = [...(node.content ?? node).childNodes].map(say);
    if (node.nodeType !== 1) return children.join('\n');
    const attributes = [...node.attributes]
      .map(({ name, value }) => [name, name === 'class' ? [...new Set(value.split(/\s+/).filter(Boolean))].join(' ') : value])
      .filter(([name, value]) => name !== 'class' || value)
      .map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    return `<${node.localName}${attributes.sort().join('')}>${children.length ? `\n${children.join('\n')}\n` : ''}</>`;
  };
  document.normalize();
  return say(document);
}

const open = async (html) => {
  await blank.goto('about:blank');
  await blank.setContent(html, { waitUntil: 'domcontentloaded' });
};

// Runs in the page.
async function mutate(source, mutations) {
  const found = mutations.map(({ selector }) => {
    try {
      return [...document.querySelectorAll(selector)];
    } catch {
      return [];
    }
  });
  const adds = ({ attribute, action }) => attribute === 'html' && action === 'append';
  const nested = mutations.some(
    (mutation, at) =>
      adds(mutation) &&
      found.some((others) => others.some((b) => found[at].some((a) => a !== b && a.contains(b)))),
  );
  // It reads new content as that of a `div`, in which parts of tables are nothing.
  const tables = mutations.some(
    ({ attribute }, at) => attribute === 'html' && found[at].some((a) => ['table', 'tbody', 'tr'].includes(a.localName)),
  );
  if (nested || tables) return true;
  const exports = {};
  new Function('exports', source)(exports);
  for (const mutation of mutations) exports.default.declarative(mutation);
  // Its observers are told in between.
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setTimeout(done, 0));
  exports.disconnectGlobalObserver();
  return nested;
}

// Mutations that go on for ever let no timer of the page run.
const compare = async (asked) => {
  let timer;
  const tooLong = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error('dom-mutator does not come to an end')), 5000);
  });
  try {
    return await Promise.race([compared(asked), tooLong]);
  } catch (error) {
    blank.close().catch(() => {});
    blank = await browser.newPage();
    throw error;
  } finally {
    clearTimeout(timer);
  }
};

const compared = async ({ page, mutations, edited }) => {
  await open(page);
  const nested = await blank.evaluate(`(${mutate})(${JSON.stringify(mutator)}, ${JSON.stringify(mutations)})`);
  const theirs = await blank.evaluate(serialise);
  await open(edited);
  return { nested, theirs, ours: await blank.evaluate(serialise) };
};

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ ready: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const asked = JSON.parse(line);
    say(await (asked.mutations ? compare(asked) : answer(asked)));
  } catch (error) {
    say({ failed: String(error) });
  }
}
await browser.close();
