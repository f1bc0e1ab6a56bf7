// What the server knows.

const root = '/__engraft/';

export class Refusal extends Error {}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(root + path, { cache: 'no-store', ...options });
  } catch {
    throw new Refusal('the server does not answer; is engraft serve still running?');
  }
  if (!response.ok) throw new Refusal((await response.text()).trim());
  return response.json();
}

export const exchange = (id) => ask(`api/exchanges/${id}`);
export const sides = (id) => ask(`api/exchanges/${id}/sides`);
export const copies = (id) => ask(`api/exchanges/${id}/copies`);
export const controls = () => ask('api/controls');
export const pageOf = (id) => `${root}api/exchanges/${id}/before`;

export const choose = (chosen) =>
  ask('api/views', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-engraft-panel': '1' },
    body: JSON.stringify(chosen),
  });

// The address of a page in a view.
export function inView(path, view) {
  const [rest, ...fragment] = path.split('#');
  const hash = fragment.length ? `#${fragment.join('#')}` : '';
  return `${rest}${rest.includes('?') ? '&' : '?'}__engraft_view=${view}${hash}`;
}

// Hears of exchanges and of saves for as long as the panel is open.
export function listen({ exchanges, setup, lost }) {
  const source = new EventSource(`${root}api/events`);
  source.addEventListener('exchanges', (event) => exchanges(JSON.parse(event.data)));
  source.addEventListener('setup', (event) => setup(JSON.parse(event.data)));
  source.addEventListener('error', lost);
}
