import assert from 'node:assert/strict';

export default async function story(world) {
  const { page } = world;
  await world.visit('/p/aurora/?a=1', { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1; plan=pro; first_name=Ada' });
  await world.openPanel();
  await world.openNewest('Decisions');
  const lines = async () => (await world.panelText()).replace(/\s+/g, ' ');
  for (const said of [
    '✗ beta does not match: header x-beta',
    '✓ product the request is on it',
    'country = US from the header x-geo-country',
    'plan = pro from the cookie plan',
    'session = none',
    'flag new-badge = true by a rule',
    '✓ banner p.banner applied ✓ when {"country":{"$in":["US","CA"]}}',
    '✗ evening main not to be applied',
    'gone aside.no-such-thing missed: nothing on the page matches',
  ]) {
    const text = await lines();
    assert.ok(text.includes(said), `${said}\nis not in\n${text}`);
  }
  assert.match(await lines(), /experiment hero = (control|bold) by the hash of the id/);
  assert.match(await lines(), /experiment spring = winter it has not started/);

  await world.tab('Patches');
  const banner = page.locator('[data-patch=banner]');
  assert.match(await banner.innerText(), /applied/);
  assert.deepEqual(await banner.locator('ins').allInnerTexts(), ['banner banner--america', 'Free shipping to US on orders over $110']);

  await world.tab('Headers');
  const row = (name) => page.locator('tr', { has: page.locator('th', { hasText: name }) });
  assert.match(await row('x-shop-edition').innerText(), /pro\s+patch edition/);
  assert.match(await row('content-length').innerText(), /the body is another one/);
  assert.match(await row('accept-encoding').innerText(), /identity\s+so that the body comes whole/);

  await world.tab('Cache');
  assert.match(await lines(), /No shared cache in front may keep this response\. Browsers may keep it, and ask each time/);
  for (const name of ['country', 'flags.new-badge', 'variants.hero', 'the header x-beta']) assert.ok((await lines()).includes(name), name);

  await world.tab('Timings');
  assert.match(await lines(), /head of the origin’s answer .* ms .* last byte to the browser .* ms The core at work request .* ms head of the response .* ms body .* ms .*held at most \d+ bytes body edited/);

  await world.visit('/about/');
  await world.eventually(() => world.rows().first().locator('.path').innerText(), '/about/');
  await world.openNewest('Decisions');
  assert.match(await lines(), /none matches: the page passes as it is/);
}
