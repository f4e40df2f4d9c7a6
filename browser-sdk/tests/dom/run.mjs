// The SDK in a real Chromium.
//
//     node run.mjs FIXTURES.json ASSETS [CHROMIUM]
//
// FIXTURES.json is what `cargo run -p nearside-browser-sdk --example dom_fixtures` prints; ASSETS is the folder
// in which the built `_ns/` lies. `playwright-core` is found by NODE_PATH. The last line is `N passed, M failed`.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSite } from "./site.mjs";
import { editTests } from "./edits.mjs";
import { visitTests } from "./visits.mjs";
import { deliveryTests } from "./deliveries.mjs";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const [fixturesPath, assets, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
const fixtures = JSON.parse(readFileSync(fixturesPath, "utf8"));
const sources = join(dirname(fileURLToPath(import.meta.url)), "../../js");

const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A test that waits for what never comes fails, and the others still run. */
const deadline = () => new Promise((_, reject) => setTimeout(() => reject(new Error("not done after a minute")), 60_000).unref());

let [passed, failed] = [0, 0];
const only = process.env.ONLY;
for (const [name, test] of [...editTests, ...visitTests, ...deliveryTests]) {
  if (only && !name.includes(only)) continue;
  const site = await openSite(assets, fixtures, sources);
  const context = await browser.newContext();
  const errors = [];
  context.on("weberror", (error) => errors.push(error.error().message));
  try {
    const run = async () => test({ site, context, fixtures, page: await context.newPage() });
    await Promise.race([run(), deadline()]);
    if (errors.length) throw new Error(`the page saw errors: ${errors.join("; ")}`);
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
  // First the site: Chromium waits for requests that outlive their page.
  await site.close();
  await context.close();
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
