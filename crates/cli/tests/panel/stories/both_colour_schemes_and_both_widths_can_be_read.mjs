import assert from 'node:assert/strict';

const TABS = ['Decisions', 'Patches', 'Page', 'Headers', 'Cache', 'Timings', 'Try it'];

export default async function story(world) {
  const { page } = world;
  await world.visit(`/p/aurora/?${'a-long-parameter='.repeat(40)}`, { 'x-geo-country': 'US', cookie: `engraft_id=ada-1; first_name=${'Ada'.repeat(60)}` });
  await world.openPanel();
  await world.openNewest();
  const papers = [];
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    papers.push(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor));
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 844 });
      for (const tab of TABS) {
        await world.tab(tab);
        await page.waitForFunction(() => document.querySelector('#panel').children.length > 0);
        if (tab === 'Page') await page.locator('.sides').waitFor();
        const { tooWide, faint } = await page.evaluate(look);
        assert.ok(!tooWide, `${tab} at ${width} px is wider than the window`);
        assert.deepEqual(faint, [], `${tab} in ${colorScheme}`);
      }
    }
  }
  assert.notEqual(papers[0], papers[1]);
  await page.getByRole('button', { name: 'All exchanges' }).click();
  await world.rows().first().waitFor();
  assert.ok(!(await page.locator('main').isVisible()));
  await world.visit('/about/');
  await world.eventually(() => world.rows().count(), 2);
  assert.deepEqual(await page.evaluate(() => document.getAnimations().length), 0, 'nothing moves where nothing should');
}

// In the page: whether it scrolls sideways, and texts with less than 4.5:1 between them and what is behind them (WCAG 1.4.3).
function look() {
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (it) => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const colour = rgb(getComputedStyle(it).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return rgb(getComputedStyle(document.documentElement).backgroundColor);
  };
  const faint = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!says || !element.checkVisibility() || element.closest('noscript, .skip')) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.add(`${element.localName}.${element.className}: ${contrast.toFixed(2)}`);
  }
  return { tooWide: document.documentElement.scrollWidth > innerWidth, faint: [...faint] };
}
