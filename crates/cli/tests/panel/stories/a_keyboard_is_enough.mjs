import assert from 'node:assert/strict';

export default async function story(world) {
  const { page } = world;
  for (const path of ['/about/', '/p/tide/', '/p/aurora/']) await world.visit(path, { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1' });
  await world.openPanel();
  await world.eventually(() => world.rows().count(), 3);
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText);
  const ring = () => page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);

  await keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the exchange');
  assert.equal(await ring(), 'solid');
  await keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'find');
  await keyboard.press('ArrowDown');
  assert.match(await focused(), /^\/p\/aurora\//);
  await keyboard.press('ArrowDown');
  assert.match(await focused(), /^\/p\/tide\//);
  assert.equal(await ring(), 'solid');
  await page.locator('.head h2', { hasText: '/p/tide/' }).waitFor();
  await keyboard.press('End');
  assert.match(await focused(), /^\/about\//);
  await keyboard.press('Home');
  await page.locator('.head h2', { hasText: '/p/aurora/' }).waitFor();
  await keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'detail');

  // To the tabs, along them, and into what they hold.
  for (let n = 0; n < 12 && (await page.evaluate(() => document.activeElement.role)) !== 'tab'; n += 1) await keyboard.press('Tab');
  assert.match(await focused(), /^Decisions/);
  await keyboard.press('ArrowRight');
  assert.match(await focused(), /^Patches/);
  await page.locator('[data-patch=banner]').waitFor();
  await keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.role), 'tabpanel');
  await keyboard.press('Tab');
  assert.match(await focused(), /^line \d+/);
  await keyboard.press('Enter');
  await page.locator('.aimed').waitFor();
  assert.ok(await page.locator('.aimed').evaluate((mark) => mark === document.activeElement));

  // Every control has a name.
  for (const tab of ['Decisions', 'Patches', 'Page', 'Headers', 'Cache', 'Timings', 'Try it']) {
    await world.tab(tab);
    await page.waitForFunction(() => document.querySelector('#panel').children.length > 0);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, a, input, select, textarea, iframe')]
        .filter((it) => !(it.innerText || it.getAttribute('aria-label') || it.title || it.labels?.length))
        .map((it) => it.outerHTML),
    );
    assert.deepEqual(nameless, [], tab);
  }
  for (const role of ['banner', 'navigation', 'main']) assert.equal(await page.getByRole(role).count(), 1, role);
}
