// The panel: what is listed, what is open, and what is wrong with the configuration. The address says what is open: #/12/page/3.
import { h, replace } from './dom.js';
import { listen } from './server.js';
import { List } from './list.js';
import { Detail } from './detail.js';

const detail = new Detail(document.querySelector('#detail'), go, (view) => list.lastInView(view));
const list = new List((id) => go(id, detail.tab, undefined, true));

// Opens an exchange, one of its tabs, and a place there.
function go(id, tab, place, quietly) {
  const hash = `#/${[id, tab, place].filter((part) => part !== undefined).join('/')}`;
  if (quietly) history.replaceState(null, '', hash);
  else history.pushState(null, '', hash);
  open();
}

function open() {
  const [, id, tab, place] = location.hash.split('/');
  document.body.classList.toggle('has-detail', Boolean(id));
  list.select(Number(id));
  if (id) detail.open(Number(id), tab, place);
  else detail.close();
}

addEventListener('popstate', open);

// What does not change the address but is pressed again.
document.querySelector('#list').addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(Number(link.dataset.id), detail.tab);
  document.querySelector('#detail').focus({ preventScroll: true });
});

document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  document.querySelector('#detail').focus();
});

addEventListener('keydown', (event) => {
  const types = event.target.closest?.('input, select, textarea');
  if (event.key === '/' && !types && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    document.querySelector('#find').focus();
  } else if (event.key === 'Escape' && event.target.id === 'find') {
    event.target.value = '';
    event.target.dispatchEvent(new Event('input'));
  }
});

const status = document.querySelector('#status');
const problems = document.querySelector('#problems');
let instance, generation;

function say(tone, text) {
  status.className = tone;
  status.textContent = text;
}

listen({
  exchanges: (rows) => {
    list.add(rows);
    if (location.hash) list.select(Number(location.hash.split('/')[1]));
    detail.heard();
  },
  setup: (now) => {
    const [server, saves] = now.generation.split('-');
    // Another server counts its exchanges anew.
    if (instance !== undefined && server !== instance) list.clear();
    const isNew = generation !== undefined && generation !== now.generation;
    [instance, generation] = [server, now.generation];
    if (isNew) detail.saved();
    problems.hidden = !now.problems;
    if (now.problems) {
      replace(
        problems,
        h('h2', {}, 'The saved configuration can’t be used. The one before stays in force.'),
        h('pre', {}, now.problems),
      );
      say('bad', 'the save can’t be used');
    } else {
      replace(problems);
      say('good', saves === '0' ? 'in force' : `in force, saved ${saves}×`);
    }
  },
  lost: () => say('warn', 'the server does not answer; trying again…'),
});

open();
