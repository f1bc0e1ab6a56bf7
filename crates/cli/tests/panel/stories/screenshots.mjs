// The pictures of docs/panel.md, in the folder that PANEL_SCREENSHOTS names.

export default async function story(world) {
  const { page } = world;
  await world.context.addCookies([{ name: 'engraft_id', value: 'ada-2', url: world.base }]);
  await world.visit('/about/');
  await world.visit('/p/tide/', { 'x-geo-country': 'DE', cookie: 'engraft_id=ada-3' });
  await world.visit('/api/recommendations.json', { accept: '*/*' });
  await world.visit('/p/', { 'x-geo-country': 'CA', cookie: 'engraft_id=ada-2' });
  await world.visit('/p/nowhere/', { 'x-geo-country': 'CA', cookie: 'engraft_id=ada-4' });
  await world.visit('/p/aurora/', { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1; plan=pro; first_name=Ada; session=0123456789' });
  await world.openPanel();
  await world.eventually(() => world.rows().count(), 6);
  const shot = async (name, width, height) => {
    await page.setViewportSize({ width, height });
    // Nothing is on its way, and nothing moves.
    await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished.catch(() => {}))));
    await page.screenshot({ path: `${world.screenshots}/${name}.png` });
  };

  await world.openNewest('Page');
  await page.locator('.sides .changed').first().waitFor();
  await shot('panel-wide', 1280, 860);

  await world.tab('Try it');
  await page.getByLabel('hero').selectOption('bold');
  await page.getByLabel('country').selectOption('CA');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await world.eventually(() => world.frame().locator('main h1').innerText(), 'Aurora, the lamp of the year');
  await page.getByText('Why the frame shows this').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('.buttons').evaluate((it) => it.scrollIntoView({ block: 'start' }));
  await shot('panel-narrow', 390, 844);
}
