// What every story has: a browser with nobody else in it, the panel, and an eye on what must not happen.
import assert from 'node:assert/strict';
import http from 'node:http';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';

// Browsers without a window say so in their name, and count as bots.
const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

const { chromium } = createRequire(process.env.PANEL_MODULES)('playwright-core');

export class World {
  // What was asked for that is not the server's, and what the panel said in its console.
  foreign = [];
  errors = [];

  static async open(told, options) {
    const world = new World();
    Object.assign(world, told);
    // No name leads anywhere but to this machine's own.
    const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'];
    world.browser = await chromium.launch({ executablePath: told.chromium, args, chromiumSandbox: process.getuid?.() !== 0 });
    world.context = await world.browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-GB', timezoneId: 'UTC', userAgent, ...options });
    world.context.setDefaultTimeout(20_000);
    world.page = await world.newPage();
    return world;
  }

  async newPage() {
    const page = await this.context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.errors.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('dialog', (dialog) => {
      this.errors.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    page.on('request', (request) => {
      const { protocol, host } = new URL(request.url());
      if (['http:', 'https:', 'ws:', 'wss:'].includes(protocol) && host !== new URL(this.base).host) this.foreign.push(request.url());
    });
    return page;
  }

  // Asks for a page of the site as somebody with these headers and no others.
  visit(path, headers = {}) {
    return new Promise((done, failed) => {
      const asked = http.get(this.base + path, { headers: { accept: 'text/html', 'user-agent': userAgent, ...headers } }, async (response) => {
        const chunks = await response.toArray();
        done({ status: response.statusCode, text: Buffer.concat(chunks).toString() });
      });
      asked.on('error', failed);
    });
  }

  async openPanel(hash = '') {
    await this.page.goto(`${this.base}/__engraft/${hash}`);
    await this.page.locator('#status.good, #status.bad').waitFor();
  }

  rows() {
    return this.page.locator('#list li:not([hidden]) a');
  }

  // Opens the newest exchange that is listed, and one of its tabs.
  async openNewest(tab) {
    await this.rows().first().click();
    if (tab) await this.tab(tab);
  }

  async tab(name) {
    await this.page.getByRole('tab', { name }).click();
  }

  async panelText() {
    return this.page.locator('#panel').innerText();
  }

  // Waits until `look` gives what is expected, and says what it gave last where it never does.
  async eventually(look, expected) {
    let seen;
    for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 30))) {
      seen = await look().catch((error) => `${error}`);
      if (isDeepStrictEqual(seen, expected)) return;
    }
    assert.deepEqual(seen, expected);
  }

  frame() {
    return this.page.frameLocator('iframe');
  }

  // Nothing went wrong that nobody looked for.
  async close() {
    await this.browser.close();
    assert.deepEqual(this.foreign, [], 'requests that leave the machine');
    assert.deepEqual(this.errors, [], 'errors in the console');
  }
}
