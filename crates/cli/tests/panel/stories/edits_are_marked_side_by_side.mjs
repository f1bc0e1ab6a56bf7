import assert from 'node:assert/strict';

export default async function story(world) {
  const { page } = world;
  await world.visit('/p/aurora/', { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1' });
  await world.openPanel();
  await world.openNewest('Page');
  const changed = page.locator('.sides .changed');
  await changed.first().waitFor();
  assert.deepEqual(await changed.first().locator('[role=cell]').allInnerTexts(), [
    '45',
    '  <p class="banner">Free returns within 30 days</p>',
    '45',
    '  <p class="banner banner--america">Free shipping to US on orders over $110</p>',
  ]);
  assert.deepEqual(await changed.first().locator('del').allInnerTexts(), ['banner', 'Free returns within 30 days']);
  assert.deepEqual(await changed.first().locator('ins').allInnerTexts(), ['banner banner--america', 'Free shipping to US on orders over $110']);

  // Only what is around edits is there, until somebody wants more.
  const stays = () => page.locator('.sides .stays').count();
  const before = await stays();
  await page.getByRole('button', { name: 'Show 41 lines that stayed' }).click();
  assert.equal(await stays(), before + 41);
  assert.equal(await page.locator('.sides .stays').first().locator('.code').first().innerText(), '<!DOCTYPE html>');

  // Every line of both sides has the number that it has in the page.
  const whole = (await world.visit('/p/aurora/', { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1' })).text.split('\n');
  for (const row of await page.locator('.sides :is(.stays, .changed)').all()) {
    const [, , n, text] = await row.locator('[role=cell]').allInnerTexts();
    if (n) assert.equal(text.trimEnd(), whole[Number(n) - 1].trimEnd());
  }

  // A patch leads to its place.
  await world.tab('Patches');
  await page.locator('[data-patch=badge]').getByRole('button', { name: /^line/ }).click();
  const aimed = page.locator('.aimed');
  await aimed.waitFor();
  assert.equal(await aimed.innerText(), '<p class="badge">New</p>');
  assert.equal(await aimed.getAttribute('title'), 'badge');
  assert.ok(await aimed.evaluate((mark) => mark === document.activeElement && mark.getBoundingClientRect().top > 0));
  await page.getByRole('button', { name: 'Next edit' }).click();
  assert.notEqual(await aimed.innerText(), '<p class="badge">New</p>');
  await page.goBack();
  await page.locator('[data-patch=badge]').waitFor();
}
