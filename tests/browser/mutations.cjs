// A page with mutations that the edge makes, and one that it leaves to the browser.
"use strict";
const { run, ready, go } = require("./chromium.cjs");

run(async (newVisitor, edge, [path]) => {
  const page = await newVisitor();
  await go(page, `${edge}${path}`);
  await ready(page);
  const seen = await page.evaluate(() => {
    const contents = (selector) => [...document.querySelectorAll(selector)].map((element) => element.content);
    return {
      footerIsBeforeNav: document.querySelector("footer").nextElementSibling == document.querySelector("nav"),
      headline: document.querySelector("h1.display-5").textContent,
      titles: [...document.querySelectorAll("head title")].map((element) => element.textContent),
      descriptions: contents("meta[name=description]"),
      news: contents("meta[property='og:new']"),
    };
  });
  return { ...seen, errors: page.errors };
});
