import assert from 'node:assert/strict';

const TABS = ['Decisions', 'Patches', 'Page', 'Headers', 'Cache', 'Timings', 'Try it'];

export default async function story(world) {
  const { page } = world;
  await page.addInitScript(() => {
    window.attacks = [];
    for (const name of ['alert', 'pwn']) window[name] = (value) => void window.attacks.push(`${name} ${value}`);
    document.addEventListener('securitypolicyviolation', (event) => window.attacks.push(`${event.effectiveDirective} ${event.blockedURI}`));
  });
  const evil = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
  await world.visit(`/p/evil?q=${encodeURIComponent(evil)}&r=<svg/onload=alert(3)>`, {
    'x-geo-country': 'US',
    'x-evil': `<img src=x onerror=alert(4)>${evil}`,
    cookie: `engraft_id=<script>alert(5)</script>; first_name=<img src=x onerror=alert(6)>`,
  });
  await world.openPanel();
  await world.openNewest();
  const own = await page.evaluate(() => document.querySelectorAll('script').length);
  for (const tab of TABS) {
    await world.tab(tab);
    await page.waitForFunction(() => document.querySelector('#panel').children.length > 0);
    if (tab === 'Page') {
      await page.locator('.sides .changed').first().waitFor();
      assert.ok((await world.panelText()).includes('<script>pwn("the page")</script>'), 'it is shown as text');
    }
    if (tab === 'Headers') {
      for (const summary of await page.locator('summary').all()) await summary.click();
      assert.ok((await world.panelText()).includes('<img src=x onerror=alert(4)>'));
    }
  }
  for (const name of ['engraft render', 'test case', 'curl']) {
    await page.getByRole('button', { name, exact: true }).click();
    await page.locator('.copied textarea').waitFor();
  }
  const { scripts, foreign, attacks } = await page.evaluate(() => ({
    scripts: document.querySelectorAll('script').length,
    foreign: document.querySelectorAll('#detail img, #detail svg, #list img, #list svg').length,
    attacks: window.attacks,
  }));
  assert.deepEqual({ scripts, foreign, attacks }, { scripts: own, foreign: 0, attacks: [] });

  // The page itself, opened from where it is kept, is a text to be saved.
  const kept = await fetch(`${world.base}/__engraft/api/exchanges/1/before`);
  assert.equal(kept.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.match(kept.headers.get('content-disposition'), /^attachment/);
  assert.match(kept.headers.get('content-security-policy'), /sandbox/);
}
