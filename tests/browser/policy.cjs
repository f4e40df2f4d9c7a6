// Pages under a Content-Security-Policy: what of the SDK runs, and that nothing breaks where it may not.
"use strict";
const { run, ready } = require("./chromium.cjs");

/** What is waited for, by what the page lets run. */
const waits = {
  engine: ready,
  // The loader alone sends what is tracked.
  loader: async (page) => {
    const sent = page.waitForResponse((answer) => answer.url().endsWith("/_ns/v1/batch"));
    await page.evaluate(() => window.nearside.track("Seen Under A Policy"));
    return (await (await sent).json()).success;
  },
  nothing: async () => {},
};

run(async (newVisitor, edge, pages) => {
  const seen = {};
  for (const entry of pages) {
    const [path, runs] = entry.split("=");
    const page = await newVisitor();
    const thrown = [];
    page.on("pageerror", (error) => thrown.push(String(error)));
    const answer = await page.goto(edge + path, { waitUntil: "load" });
    const delivered = await waits[runs](page);
    seen[path] = {
      timing: answer.headers()["server-timing"],
      policy: answer.headers()["content-security-policy"],
      own: await page.evaluate(() => window.own),
      headline: await page.evaluate(() => document.querySelector("h1").textContent),
      added: await page.evaluate(() => document.querySelector("#added")?.textContent),
      decisions: await page.evaluate(() => !!window.nearside?.decisions?.()),
      sdk: await page.evaluate(() => typeof window.nearside),
      delivered,
      thrown,
    };
    await page.close();
  }
  return seen;
});
