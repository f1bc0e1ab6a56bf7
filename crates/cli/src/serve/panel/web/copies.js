// An exchange as something to paste: commands, a scenario, its trace.
import { h, replace } from './dom.js';
import * as server from './server.js';

export function copies(id, { trace }) {
  const said = h('div', { class: 'copied', role: 'status' });
  const copy = async (name, label) => {
    try {
      const text = (await server.copies(id))[name];
      // Without leave to write to the clipboard, the text is there to be taken by hand.
      const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
      const area = h('textarea', { readonly: true, 'aria-label': label, spellcheck: 'false' });
      area.value = text;
      const close = h('button', { type: 'button', onclick: () => replace(said) }, 'Close');
      replace(said, isCopied ? `Copied: ${label} ` : `${label}, to be copied by hand: `, close, area);
      if (!isCopied) area.select();
    } catch (error) {
      replace(said, h('span', { class: 'bad' }, error.message));
    }
  };
  const button = (name, label, text) => h('button', { type: 'button', 'data-copy': name, onclick: () => copy(name, label) }, text);
  const save = () => {
    const href = URL.createObjectURL(new Blob([JSON.stringify(trace, null, 2)], { type: 'application/json' }));
    h('a', { href, download: `trace-${id}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  };
  return h(
    'div',
    { class: 'copies', role: 'group', 'aria-label': 'Copy this exchange' },
    h('span', { class: 'quiet' }, 'Copy as'),
    button('render', 'an engraft render command', 'engraft render'),
    button('test', 'a scenario for engraft test', 'test case'),
    button('curl', 'a curl command', 'curl'),
    h('button', { type: 'button', onclick: save }, 'trace'),
    said,
  );
}
