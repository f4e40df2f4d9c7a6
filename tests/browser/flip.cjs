// `track` in an open page flips a segment and changes the page without a reload, and back again.
"use strict";
const { run, ready, go } = require("./chromium.cjs");

run(async (newVisitor, edge) => {
  const page = await newVisitor();
  await go(page, `${edge}/products/shoes/trail-shoes`);
  await ready(page);
  const look = () =>
    page.evaluate(() => ({
      body: document.body.outerHTML,
      reminder: !!document.getElementById("cart-reminder"),
      segments: window.nearside.decisions().segments,
      loads: performance.getEntriesByType("navigation").length + window.performance.timeOrigin,
    }));
  const before = await look();
  await page.click("#add-to-cart");
  await page.waitForSelector("#cart-reminder", { state: "attached" });
  const during = await look();
  await page.evaluate(() => window.nearside.track("Order Completed"));
  await page.waitForSelector("#cart-reminder", { state: "detached" });
  const after = await look();

  return { before, during, after, errors: page.errors };
});
