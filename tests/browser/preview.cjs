// A preview in a real browser: what the edge shows stays, through events and the next page, until it is ended.
"use strict";
const { run, ready, go } = require("./chromium.cjs");

run(async (newVisitor, edge, [address]) => {
  const page = await newVisitor();
  const shown = () => page.evaluate(() => ({
    headline: document.querySelector("header h1").textContent,
    class: [...document.querySelector("header").classList].filter((name) => name == "previewed").join(),
  }));
  await go(page, address);
  await ready(page);
  const first = await shown();
  const { decisions } = await page.evaluate(() => window.nearside.decisions());
  await page.evaluate(() => {
    window.nearside.page();
    window.nearside.track("Order Completed");
  });
  const answer = await page.goto(`${edge}/`);
  await ready(page);
  const after = await shown();
  await go(page, `${edge}/?ns_preview=`);
  await ready(page);
  const [ended] = (await page.evaluate(() => window.nearside.decisions())).decisions;
  return {
    ...first,
    decisions,
    after,
    explained: "x-nearside-explain" in answer.headers(),
    ended: { variant: ended.variant, reason: ended.reason },
    errors: page.errors,
  };
});
