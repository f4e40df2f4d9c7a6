// Three views of a category, then the home page: the hero is in the HTML, and nothing changes after the first paint.
"use strict";
const { run, ready, go } = require("./chromium.cjs");

run(async (newVisitor, edge, [before, after]) => {
  const page = await newVisitor();
  // Notes each change of the document once its parsing is over, and each element that is hidden meanwhile.
  await page.addInitScript(() => {
    window.changes = [];
    window.hidden = [];
    const describe = (node) => (node.nodeType == 1 ? node.outerHTML.slice(0, 200) : String(node.nodeValue).slice(0, 200));
    const note = (records, isParsing) => {
      for (const record of records) {
        // The parser adds nodes and goes on with the text that it is in; it changes and removes nothing else.
        const isParser = isParsing && !record.removedNodes.length && record.type != "attributes"
          && !(record.type == "characterData" && record.target.parentElement?.closest("header"));
        if (!isParser) window.changes.push(`${record.type} ${record.attributeName ?? ""} ${describe(record.target)}`);
      }
    };
    const observer = new MutationObserver((records) => note(records, document.readyState == "loading"));
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    document.addEventListener("readystatechange", () => note(observer.takeRecords(), document.readyState == "interactive"));
    const watch = () => {
      for (const element of document.querySelectorAll("html, body, header, header *")) {
        const style = getComputedStyle(element);
        if (style.visibility != "visible" || style.opacity == "0" || style.display == "none") window.hidden.push(element.tagName);
      }
      requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
  });
  await go(page, `${edge}/`);
  await ready(page);
  await page.screenshot({ path: before });
  for (const product of ["city-bike", "gravel-bike", "folding-bike"]) {
    await go(page, `${edge}/products/bikes/${product}`);
    await ready(page);
  }
  const html = await go(page, `${edge}/`);
  await ready(page);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: after });
  const seen = await page.evaluate(() => ({
    headline: document.querySelector("header h1").textContent,
    changes: window.changes,
    hidden: window.hidden,
    decisions: window.nearside.decisions(),
  }));
  return { html, ...seen, errors: page.errors };
});
