import assert from 'node:assert/strict';

export default async function story(world) {
  const { page } = world;
  await world.visit('/p/aurora/', { 'x-geo-country': 'DE', cookie: 'engraft_id=ada-1' });
  await world.openPanel();
  await world.openNewest('Try it');
  const show = () => page.getByRole('button', { name: 'Show', exact: true }).click();
  const headline = () => world.frame().locator('main h1').innerText();
  await page.getByLabel('hero').selectOption('bold');
  await show();
  await world.eventually(headline, 'Aurora, the lamp of the year');
  assert.equal(await world.frame().locator('p.badge').count(), 0);
  await page.getByLabel('hero').selectOption('control');
  await page.getByLabel('new-badge').selectOption('true');
  await show();
  await world.eventually(headline, 'Aurora');
  await world.eventually(() => world.frame().locator('p.badge').innerText(), 'New');

  // Links in the frame stay in the view, and the origin's page does not see its number.
  await page.getByLabel('hero').selectOption('bold');
  await show();
  await world.eventually(headline, 'Aurora, the lamp of the year');
  await world.frame().locator('a[href="/p/"]:visible').first().click();
  await world.eventually(async () => (await headline()).endsWith(', the lamp of the year') && !(await headline()).startsWith('Aurora'), true);

  // What the frame shows is explained as any other exchange.
  await page.getByRole('button', { name: 'Why the frame shows this' }).click();
  await page.getByRole('tab', { name: 'Decisions', selected: true }).waitFor();
  const said = (await world.panelText()).replace(/\s+/g, ' ');
  assert.match(said, /experiment hero = bold chosen/);
  assert.match(await page.locator('.head .facts').innerText(), /chosen/);

  // Everybody else sees what they saw.
  const other = await world.visit('/p/aurora/', { 'x-geo-country': 'DE', cookie: 'engraft_id=ada-1' });
  assert.ok(!other.text.includes('class="badge"'));
}
