import assert from 'node:assert/strict';

// 20,000 lines with an edit near each end, and one line that is as long as a page.
export default async function story(world) {
  const { page } = world;
  for (const path of ['/p/large', '/p/long-line']) await world.visit(path, { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1' });
  await world.openPanel();
  await world.eventually(() => world.rows().count(), 2);
  await world.rows().nth(1).click();
  await world.tab('Page');
  await page.locator('.sides .changed').first().waitFor();
  const rows = () => page.locator('.sides [role=row]').count();
  assert.ok((await rows()) < 60, 'what is far from edits is not there');
  await page.getByRole('button', { name: /^Show 200 of [\d,]+ lines that stayed$/ }).first().click();
  assert.ok((await rows()) > 200 && (await rows()) < 300);
  const numbers = await page.locator('.sides .changed .n').allInnerTexts();
  assert.ok(numbers.includes('2') && Number(numbers.at(-1)) > 19_990, numbers.join());

  await world.rows().nth(0).click();
  await page.locator('.sides .changed').first().waitFor();
  const more = page.getByRole('button', { name: /more characters$/ });
  const length = () => page.locator('.sides').evaluate((it) => it.textContent.length);
  const before = await length();
  assert.ok(before < 5000, `${before}`);
  await more.first().click();
  assert.ok((await length()) > before + 3000);
}
