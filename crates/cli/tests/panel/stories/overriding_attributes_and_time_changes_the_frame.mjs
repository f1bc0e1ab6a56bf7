import assert from 'node:assert/strict';

export default async function story(world) {
  const { page } = world;
  // Who has no id is in no experiment while they choose: none is minted then.
  await world.context.addCookies([{ name: 'engraft_id', value: 'ada-1', url: world.base }]);
  await world.visit('/p/aurora/', { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1; first_name=Ada' });
  await world.openPanel();
  await world.openNewest('Try it');
  const show = () => page.getByRole('button', { name: 'Show', exact: true }).click();
  const read = (selector) => () => world.frame().locator(selector).first().innerText();
  // What is not chosen is as the exchange read it, though the frame's own request has none of it.
  await page.getByLabel('country').waitFor();
  await show();
  await world.eventually(read('p.banner'), 'Free shipping to US on orders over $110');
  await world.eventually(read('p.greeting'), 'Welcome back, Ada.');
  await page.getByLabel('country').selectOption('CA');
  await page.getByLabel('name', { exact: false }).fill('Grace <b>');
  await show();
  await world.eventually(read('p.banner'), 'Free shipping to CA on orders over $110');
  await world.eventually(read('p.greeting'), 'Welcome back, Grace <b>.');
  await page.getByLabel('country').selectOption('(none)');
  await show();
  await world.eventually(read('p.banner'), 'Free returns within 30 days');

  await world.eventually(read('p.kind'), 'Table lamp');
  await page.getByLabel('time').fill('2030-04-01T12:00');
  await show();
  await world.eventually(read('p.kind'), 'Table lamp for spring');
  await page.getByLabel('time').fill('2029-04-01T12:00');
  await show();
  await world.eventually(read('p.kind'), 'Table lamp');

  // Whoever has another id may see another variation; one of these is in each.
  const seen = new Set();
  for (const id of ['ada-1', 'ada-2', 'ada-3', 'ada-4', 'ada-5', 'ada-6']) {
    await page.getByLabel('id the visitor').fill(id);
    const explained = page.waitForResponse((response) => response.url().includes('__engraft_view') && response.request().isNavigationRequest());
    await show();
    seen.add((await (await explained).text()).includes('the lamp of the year'));
  }
  assert.deepEqual([...seen].sort(), [false, true]);

  await page.getByRole('button', { name: 'As it is' }).click();
  await world.eventually(read('p.banner'), 'Free shipping to US on orders over $110');
}
