// Starts the real browser for a script, and prints what the script found as JSON.
"use strict";
const { chromium } = require("playwright-core");

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** Runs `journey(newVisitor, edge)` and prints its result; `newVisitor` opens a page with cookies of its own. */
exports.run = async (journey) => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: ARGUMENTS });
  try {
    const newVisitor = async (options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
      const page = await context.newPage();
      page.errors = [];
      page.on("pageerror", (error) => page.errors.push(String(error)));
      page.on("console", (entry) => entry.type() == "error" && page.errors.push(entry.text()));
      return page;
    };
    console.log(JSON.stringify(await journey(newVisitor, process.argv[2], process.argv.slice(3))));
  } finally {
    await browser.close();
  }
};

/** Waits until the engine runs in the page. */
exports.ready = (page) => page.waitForFunction(() => window.nearside?.decisions?.());

/** Goes to a page, and gives the HTML as it left the edge. */
exports.go = async (page, url) => (await page.goto(url, { waitUntil: "load" })).text();
