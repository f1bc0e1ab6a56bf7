// Names of traces in words. What has none here is shown as it is.

const causes = {
  internal: 'only engraft may send it',
  cache_key: 'what caches and the origin are to see',
  whole_bodies: 'so that the body comes whole and can be read',
  validators: 'validators of the edited page',
  past_caches: 'past caches, as somebody chose what they see',
  cache_policy: 'the cache policy of the route',
  edited_body: 'the body is another one',
  content_security_policy: 'the policy allows what is inserted',
  stages: 'between the two stages',
  visitor: 'the visitor’s id',
  forced: 'somebody chose what they see',
  debug: 'somebody asked for debug headers',
  serve: 'engraft serve, as it stands on this machine',
};
export const cause = (by) => causes[by] ?? by;

const bodies = {
  edited: 'edited',
  not_wanted: 'no patch edits it',
  stored: 'came edited from the cache behind',
  not_modified: 'the visitor has it already (304)',
  reverted: 'left as it came: not all patches could be applied',
  aborted: 'broken off',
};
export const body = (state) => bodies[state] ?? state.replace(':', ': ').replaceAll('_', ' ');

const reasons = {
  defaultValue: 'its default',
  force: 'by a rule',
  experiment: 'by an experiment',
  prerequisite: 'a flag before it does not let it',
  hash: 'by the hash of the id',
  forced: 'chosen',
  'forced for the visitor': 'chosen',
  'sticky bucket': 'as before, by the sticky bucket',
  'no hash attribute': 'there is no id to hash',
  'not covered': 'outside the part that takes part',
  'a bot': 'for a bot',
};
export const reason = (because) => reasons[because] ?? because;

// What became of a patch: text and tone.
export function outcome(patch) {
  if (!patch.eligible) return { text: 'not to be applied', tone: '' };
  const outcomes = patch.outcomes ?? [];
  if (!outcomes.length) return { text: 'to be applied; what became of it is not known', tone: '' };
  const applied = outcomes.reduce((sum, it) => sum + (it.applied ?? 0), 0);
  const others = outcomes.filter((it) => !it.applied).map((it) => state(it.state));
  const done = applied ? [`applied${applied > 1 ? ` ${applied} times` : ''}`] : [];
  return { text: [...done, ...new Set(others)].join(', '), tone: applied && !others.length ? 'good' : 'warn' };
}

function state(text) {
  if (text === 'missed') return 'missed: nothing on the page matches';
  if (text === 'not_tried') return 'not tried';
  return text.replace(':', ': ').replaceAll('_', ' ');
}

export const millis = (ms) => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
export const bytes = (n) => `${n.toLocaleString('en')} ${n === 1 ? 'byte' : 'bytes'}`;
export const value = (it) => (typeof it === 'string' ? it : JSON.stringify(it));
export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
export const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false });
