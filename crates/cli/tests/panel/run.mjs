// Runs one story: node run.mjs <story>, told by PANEL_TOLD, a JSON object with `base`, the server, `chromium`, and what the story needs.
import { World } from './world.mjs';

const [name] = process.argv.slice(2);
const { default: story, options } = await import(`./stories/${name}.mjs`);
const world = await World.open(JSON.parse(process.env.PANEL_TOLD), options);
try {
  await story(world);
} catch (error) {
  const text = await world.page.locator('body').innerText({ timeout: 2000 }).catch(() => '');
  console.error(`${error.stack ?? error}\n\nthe page says:\n${text.slice(0, 3000)}`);
  console.error(JSON.stringify(world.errors, null, 2));
  process.exitCode = 1;
}
await world.close().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
process.exit();
