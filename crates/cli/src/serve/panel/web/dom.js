// Elements. Whatever is said in them goes in as text; nothing here makes markup of a string.

// `on…` are listeners; true and false are attributes that are there or not.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...flat(children));
  return element;
}

export const replace = (element, ...children) => element.replaceChildren(...flat(children));

const flat = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

export const code = (text, attributes) => h('code', attributes, text);
export const quiet = (...children) => h('span', { class: 'quiet' }, ...children);
export const chip = (text, tone = '') => h('span', { class: `chip ${tone}` }, text);

export const section = (title, ...children) => h('section', {}, h('h3', {}, title), ...children);

// A table; cells are nodes or text, the first of each row names it. `labels` are said before cells where there is no room for columns.
export function table(labels, rows, attributes) {
  return h(
    'table',
    { class: 'grid wide', ...attributes },
    h('thead', {}, h('tr', {}, labels.map((label) => h('th', { scope: 'col' }, label)))),
    h(
      'tbody',
      {},
      rows.map(([name, ...cells]) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, name),
          cells.map((cell, at) => {
            const nothing = cell === null || cell === undefined || cell === false || (Array.isArray(cell) && !cell.length);
            return h('td', nothing ? {} : { 'data-label': labels[at + 1] }, cell);
          }),
        ),
      ),
    ),
  );
}
