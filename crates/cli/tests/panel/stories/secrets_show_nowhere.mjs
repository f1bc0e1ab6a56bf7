import assert from 'node:assert/strict';

const SECRETS = ['5e55ion-0f-ada', 'key-0f-the-api', 'bearer-0f-ada'];
const TABS = ['Decisions', 'Patches', 'Page', 'Headers', 'Cache', 'Timings', 'Try it'];

export default async function story(world) {
  const { page } = world;
  const told = [];
  page.on('response', async (response) => {
    if (!response.url().includes('/__engraft/api/') || response.url().endsWith('/events')) return;
    told.push(`${response.url()}\n${await response.text().catch(() => '')}`);
  });
  const [session, key, token] = SECRETS;
  const seen = await world.visit(`/p/secret?from=${session}`, {
    'x-geo-country': 'US', cookie: `engraft_id=ada-1; session=${session}`, 'x-api-key': key, authorization: `Bearer ${token}`,
  });
  assert.ok(SECRETS.every((secret) => seen.text.includes(secret)), 'the page has them all in it');
  await world.openPanel();
  await world.eventually(() => world.rows().count(), 1);
  await world.openNewest();
  const look = async (where) => {
    const shown = await page.evaluate(() => {
      const values = [...document.querySelectorAll('input, textarea')].map((it) => `${it.value} ${it.placeholder ?? ''}`);
      return [document.documentElement.outerHTML, ...values].join('\n');
    });
    for (const secret of SECRETS) assert.ok(!shown.includes(secret), `${secret} in ${where}`);
    return shown;
  };
  for (const tab of TABS) {
    await world.tab(tab);
    await page.waitForFunction(() => document.querySelector('#panel').children.length > 0);
    if (tab === 'Page') {
      await page.locator('.sides .changed').first().waitFor();
      for (const gap of await page.locator('.gap button').all()) await gap.click();
      assert.ok((await look(tab)).includes('‹hidden›'));
    }
    for (const summary of await page.locator('#panel summary').all()) await summary.click();
    await look(tab);
  }
  for (const name of ['engraft render', 'test case', 'curl']) {
    await page.getByRole('button', { name, exact: true }).click();
    await page.locator('.copied textarea').waitFor();
    await world.eventually(async () => (await page.locator('.copied textarea').inputValue()).includes('‹hidden›'), true);
    await look(name);
  }
  const id = page.url().split('/').at(-2);
  for (const part of ['', '/sides', '/copies', '/before']) {
    const response = await fetch(`${world.base}/__engraft/api/exchanges/${id}${part}`);
    assert.equal(response.status, 200);
    told.push(await response.text());
  }
  told.push(await (await fetch(`${world.base}/__engraft/api/exchanges`)).text());
  assert.ok(told.length > 6);
  for (const text of told) for (const secret of SECRETS) assert.ok(!text.includes(secret), `${secret} in ${text.slice(0, 200)}`);
}
