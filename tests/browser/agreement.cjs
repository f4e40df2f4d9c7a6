// The page as the edge writes it, and the page as the browser alone makes it of the same edits: do they agree?
//
//     node agreement.cjs CASES.json PAGE_EDITOR.js
//
// CASES.json: `{pages: [base64], cases: [{page, edge, edits, left}]}`; `edge` is the rewritten page, or null if it is the page.
// Prints a JSON list: for each case null if both agree, else `[alone, edge, canBeWritten]`: the page that the browser makes, the
// one of the edge, and whether there is any HTML that the parser reads as the former.
"use strict";
const { readFileSync } = require("fs");
const { chromium } = require("playwright-core");

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** Runs in the page. The scripts of the cases don't run, but the parser takes them for on. */
const driver = (openEditorIn) => {
  const describe = (node) => {
    const lines = [];
    let text = "";
    const flush = (depth) => {
      if (text) lines.push(`${" ".repeat(depth)}${JSON.stringify(text)}`);
      text = "";
    };
    // No recursion: some pages are deep.
    const stack = [{ node, depth: 0, child: node.firstChild }];
    while (stack.length) {
      const top = stack[stack.length - 1];
      const child = top.child;
      if (!child) {
        flush(top.depth);
        stack.pop();
        continue;
      }
      top.child = child.nextSibling;
      if (child.nodeType == 3) {
        text += child.data;
        continue;
      }
      flush(top.depth);
      const indent = " ".repeat(top.depth % 1000);
      if (child.nodeType == 1) {
        const space = { "http://www.w3.org/1999/xhtml": "", "http://www.w3.org/2000/svg": "svg ", "http://www.w3.org/1998/Math/MathML": "math " };
        const attributes = [...child.attributes].map(({ name, value }) => {
          const isStyle = name == "style" && child.style;
          return `${name}=${JSON.stringify(isStyle ? child.style.cssText : value)}`;
        });
        lines.push(`${indent}<${space[child.namespaceURI] ?? child.namespaceURI}${child.localName}> ${attributes.sort().join(" ")}`);
        const inside = child.localName == "template" && child.content;
        if (inside) stack.push({ node: child, depth: top.depth + 1, child: child.firstChild });
        stack.push({ node: inside || child, depth: top.depth + 1, child: (inside || child).firstChild });
      } else {
        lines.push(`${indent}${child.nodeType} ${JSON.stringify(child.nodeType == 10 ? child.name : child.data)}`);
      }
    }
    return lines.join("\n");
  };

  // One for all: many would keep the browser busy with coming and going.
  const frame = document.createElement("iframe");
  document.body.append(frame);

  /** What the parser makes of HTML. */
  const parsed = (html) => {
    const inner = frame.contentDocument;
    inner.open();
    inner.write(html);
    inner.close();
    return inner;
  };

  const decode = (base64) => new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));

  const outcome = (html, edits) => {
    const inner = parsed(html);
    const window = frame.contentWindow;
    const editor = openEditorIn(window, inner, window.MutationObserver);
    editor.show(edits.length ? [{ key: "1", edits }] : []);
    const found = `${inner.compatMode}\n${describe(inner)}`;
    written = `${inner.doctype ? new XMLSerializer().serializeToString(inner.doctype) : ""}${inner.documentElement.outerHTML}`;
    editor.show([]);
    return found;
  };

  /** The last outcome as HTML. */
  let written;

  /** Whether there is any HTML of which the parser makes this. */
  const canBeWritten = (alone, html) => {
    const inner = parsed(html);
    return `${inner.compatMode}\n${describe(inner)}` == alone;
  };

  return (pages, cases) => {
    let before;
    let untouched;
    return cases.map(({ page, edge, edits, left }) => {
      const html = decode(pages[page]);
      const alone = outcome(html, edits);
      const asHtml = written;
      const compare = (edge) => (alone == edge ? null : [alone, edge, canBeWritten(alone, asHtml)]);
      if (edge === null && !left.length) {
        // The edge has changed nothing.
        if (before !== page) [before, untouched] = [page, outcome(html, [])];
        return compare(untouched);
      }
      return compare(outcome(edge === null ? html : decode(edge), left));
    });
  };
};

(async () => {
  const { pages, cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
  const source = readFileSync(process.argv[3], "utf8").replace("export const openEditor", "const openEditor");
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  try {
    const context = await browser.newContext();
    await context.route("**/*", (route) => route.fulfill({
      contentType: "text/html; charset=utf-8",
      headers: { "content-security-policy": POLICY },
      body: "<!doctype html><title>cases</title><body>",
    }));
    const page = await context.newPage();
    const results = [];
    const size = 500;
    for (let start = 0; start < cases.length; start += size) {
      // A fresh page now and then, so that what was there is let go.
      await page.goto(`http://cases.test/${start}`);
      await page.evaluate(`window.run = (${driver})((window, document, MutationObserver) => { ${source}\nreturn openEditor(); })`);
      const some = cases.slice(start, start + size);
      const used = {};
      for (const { page } of some) used[page] = pages[page];
      results.push(...await page.evaluate(([used, some]) => run(used, some), [used, some]));
    }
    process.stdout.write(JSON.stringify(results));
  } finally {
    await browser.close();
  }
})();
