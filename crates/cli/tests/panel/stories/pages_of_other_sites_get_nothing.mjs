import assert from 'node:assert/strict';

// The origin is another site's page here: the same machine, another port.
export default async function story(world) {
  await world.visit('/p/evil', { 'x-geo-country': 'US' });
  await world.openPanel();
  const { context } = world;
  const page = await context.newPage();
  await page.goto(`${world.origin}/other`);
  const { port } = new URL(world.base);
  const seen = await page.evaluate(async ([base, port]) => {
    const outcomes = {};
    const attempt = async (name, act) => {
      outcomes[name] = await Promise.resolve().then(act).catch(() => 'refused');
    };
    await attempt('read', () => fetch(`${base}/__engraft/api/exchanges`).then((it) => it.text()));
    await attempt('read by name', () => fetch(`http://localhost:${port}/__engraft/api/exchanges`).then((it) => it.text()));
    await attempt('change', () =>
      fetch(`${base}/__engraft/api/views`, { method: 'POST', headers: { 'x-engraft-panel': '1' }, body: '{}' }).then((it) => it.text()));
    await attempt('change simply', () => fetch(`${base}/__engraft/api/views`, { method: 'POST', mode: 'no-cors', body: '{}' }).then((it) => it.type));
    const element = (name, attributes) =>
      new Promise((done) => {
        const it = Object.assign(document.createElement(name), attributes);
        it.onload = () => done('loaded');
        it.onerror = () => done('refused');
        document.body.append(it);
      });
    await attempt('script', () => element('script', { src: `${base}/__engraft/main.js` }));
    await attempt('style', () => element('link', { rel: 'stylesheet', href: `${base}/__engraft/theme.css` }));
    await attempt('frame', async () => {
      await element('iframe', { src: `${base}/__engraft/` });
      try {
        return frames[0].document.title;
      } catch {
        return 'refused';
      }
    });
    return outcomes;
  }, [world.base, port]);
  assert.deepEqual(seen, {
    read: 'refused', 'read by name': 'refused', change: 'refused', 'change simply': 'refused', script: 'refused', style: 'refused', frame: 'refused',
  });
  const frame = page.frames()[1];
  assert.ok(!(await frame.content()).includes('engraft</h1>'), 'the panel is in no frame');
  const other = await fetch(`${world.base}/__engraft/`, { headers: { 'sec-fetch-site': 'cross-site' } });
  assert.equal(other.status, 403);
  await page.close();
  world.foreign = [];
}
