import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';

export default async function story(world) {
  const { page } = world;
  const save = async (text) => {
    await writeFile(`${world.config}.next`, text);
    await rename(`${world.config}.next`, world.config);
  };
  const good = await readFile(world.config, 'utf8');
  await world.visit('/p/aurora/', { 'x-geo-country': 'US', cookie: 'engraft_id=ada-1' });
  await world.openPanel();
  await world.openNewest('Try it');
  await page.getByLabel('hero').selectOption('bold');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  const headline = () => world.frame().locator('main h1').innerText();
  await world.eventually(headline, 'Aurora, the lamp of the year');

  await save(good.replace('variant: { hero: bold }', 'variant: { heroo: bold }'));
  const problems = page.getByRole('alert', { name: 'Problems of the configuration' });
  await problems.waitFor();
  const said = await problems.innerText();
  assert.match(said, /The one before stays in force/);
  assert.match(said, /heroo/);
  const line = good.slice(0, good.indexOf('hero: bold')).split('\n').length;
  assert.match(said, new RegExp(`\\b${line}\\b`), 'where it is');
  assert.equal(await page.locator('#status').innerText(), 'the save can’t be used');
  assert.equal(await headline(), 'Aurora, the lamp of the year', 'the one before is in force');

  await save(good.replace(', the lamp of the year', ', lamp of a lifetime'));
  await problems.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('#status').innerText(), 'in force, saved 1×');
  await world.eventually(headline, 'Aurora, lamp of a lifetime');
}
