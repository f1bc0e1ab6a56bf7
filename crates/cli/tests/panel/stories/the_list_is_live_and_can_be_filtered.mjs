import assert from 'node:assert/strict';

export default async function story(world) {
  const { page } = world;
  await world.openPanel();
  assert.match(await page.locator('#empty').innerText(), /Nothing was asked for yet/);
  await world.visit('/about/');
  await world.visit('/p/tide/', { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1' });
  await world.visit('/assets/style.css', { accept: '*/*' });
  await world.visit('/api/recommendations.json', { accept: '*/*' });
  await world.visit('/p/nowhere/', { 'x-geo-country': 'DE', cookie: 'engraft_id=ada-1' });
  const paths = () => world.rows().locator('.path').allInnerTexts();
  await world.eventually(paths, ['/p/nowhere/', '/api/recommendations.json', '/p/tide/', '/about/']);
  assert.equal(await page.locator('#count').innerText(), '4 of 5');

  const first = await world.rows().nth(2).innerText();
  for (const said of ['/p/tide/', '200', 'product', 'hero=', 'applied', '1 missed', 'ms']) assert.ok(first.includes(said), first);
  assert.match(await world.rows().first().innerText(), /404/);

  await page.getByLabel('with sub-resources').check();
  await world.eventually(paths, ['/p/nowhere/', '/api/recommendations.json', '/assets/style.css', '/p/tide/', '/about/']);
  await page.getByLabel('with sub-resources').uncheck();
  await page.getByLabel('edited only').check();
  await world.eventually(paths, ['/p/tide/']);
  await page.getByLabel('edited only').uncheck();
  await page.getByLabel('Filter').fill('product 404');
  await world.eventually(paths, ['/p/nowhere/']);
  await page.getByLabel('Filter').fill('no such thing');
  assert.match(await page.locator('#empty').innerText(), /None of the 5 exchanges is shown/);
  await page.getByLabel('Filter').press('Escape');
  assert.equal((await paths()).length, 4);

  // Who comes later sees the same.
  await page.reload();
  await world.eventually(paths, ['/p/nowhere/', '/api/recommendations.json', '/p/tide/', '/about/']);
}
