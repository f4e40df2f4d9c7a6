// The page editor alone: the same edits as the edge, and back again.

import { deepEqual, equal } from "node:assert/strict";

const open = async ({ page, site }) => {
  await page.goto(`${site.url}/plain`);
  await page.evaluate(async () => {
    window.editor = (await import("/source/page_editor.js")).openEditor();
    window.html = () => document.documentElement.outerHTML;
  });
};

const write = (page, html) => page.evaluate((text) => {
  document.open();
  document.write(text);
  document.close();
}, html);

/** `style` attributes are compared by what they mean. */
const normalised = (page, html) => page.evaluate((text) => {
  const parsed = new DOMParser().parseFromString(text, "text/html");
  for (const element of parsed.querySelectorAll("[style]")) element.setAttribute("style", element.style.cssText);
  return parsed.documentElement.outerHTML;
}, html);

const show = (page, wanted) => page.evaluate((list) => editor.show(list), wanted);

const body = (page) => page.evaluate(() => document.body.innerHTML);

export const editTests = [
  ["edits are the edge's, and the page comes back as it was", async (tools) => {
    await open(tools);
    const { page, fixtures } = tools;
    for (const { name, page: source, edits, rewritten } of fixtures.cases) {
      await write(page, source);
      await page.evaluate(() => {
        window.before = html();
        window.nodes = [...document.querySelectorAll("*")];
      });
      await show(page, [{ key: name, edits }]);
      equal(await normalised(page, await page.evaluate(() => html())), await normalised(page, rewritten), name);
      await show(page, []);
      deepEqual(await page.evaluate(() => {
        const nodes = [...document.querySelectorAll("*")];
        return [html() === before, nodes.length == window.nodes.length && nodes.every((node, n) => node == window.nodes[n])];
      }), [true, true], `${name}: ${await page.evaluate(() => html())}`);
    }
  }],

  ["elements are moved in their order, when both places are there, and come back", async (tools) => {
    await open(tools);
    const { page } = tools;
    const html = `<body><p class="a">1</p><p class="a">2</p><div id="to"><b>3</b></div></body>`;
    const inner = html.slice("<body>".length, -"</body>".length);
    await write(page, html);
    for (const [position, expected] of [
      ["before", `<p class="a">1</p><p class="a">2</p><div id="to"><b>3</b></div>`],
      ["after", `<div id="to"><b>3</b></div><p class="a">1</p><p class="a">2</p>`],
      ["prepend", `<div id="to"><p class="a">1</p><p class="a">2</p><b>3</b></div>`],
      ["append", `<div id="to"><b>3</b><p class="a">1</p><p class="a">2</p></div>`],
    ]) {
      await show(page, [{ key: position, edits: [[".a", "move", position, "#to"]] }]);
      equal(await body(page), expected);
      await show(page, []);
      equal(await body(page), inner);
    }
    // Nothing goes into itself, beside the document, or into what is taken out.
    await show(page, [{ key: "1", edits: [
      ["#to", "move", "append", "#to b"], ["#to", "move", "after", "html"],
      [".a", "remove", "", ""], [".a", "move", "append", "#to"]] }]);
    equal(await body(page), `<div id="to"><b>3</b></div>`);
    await show(page, []);
    equal(await body(page), inner);
    // The place comes later.
    await show(page, [{ key: "1", edits: [[".a", "move", "append", "#late"]] }]);
    equal(await body(page), inner);
    await page.evaluate(async () => {
      document.body.insertAdjacentHTML("beforeend", `<div id="late"></div>`);
      await new Promise((resolve) => setTimeout(resolve));
    });
    equal(await body(page), `<div id="to"><b>3</b></div><div id="late"><p class="a">1</p><p class="a">2</p></div>`);
    await show(page, []);
    equal(await body(page), `${inner}<div id="late"></div>`);
  }],

  ["what the edge has put into the head is not put there again", async (tools) => {
    await open(tools);
    const { page } = tools;
    const edits = [["title", "title", "", "New"], [`meta[name="description" i]`, "meta", "name=description", "d"]];
    const head = `<head><title>New</title><meta name="description" content="d"></head>`;
    await write(page, `<html>${head}<body></body></html>`);
    await show(page, [{ key: "1", edits }]);
    equal(await page.evaluate(() => document.head.outerHTML), head);
    await show(page, []);
    equal(await page.evaluate(() => document.head.outerHTML), head);
    // Without `</head>` and `<body>`, the edge has left it to the page.
    await write(page, `<!doctype html><p>x`);
    await show(page, [{ key: "1", edits }]);
    equal(await page.evaluate(() => document.head.outerHTML), head);
    await show(page, []);
    equal(await page.evaluate(() => document.head.outerHTML), "<head></head>");
  }],

  ["experiences end in any order", async (tools) => {
    await open(tools);
    const { page } = tools;
    await write(page, `<body><p id="a">0</p></body>`);
    const edit = (key, operation, content) => ({ key, edits: [["#a", operation, "", content]] });
    const [first, second, third] = [edit("1", "text", "1"), edit("2", "append", "<i>2</i>"), edit("3", "replace", "<p>3</p>")];
    const shows = async (list, expected) => {
      await show(page, list);
      equal(await body(page), expected);
    };
    await shows([second], `<p id="a">0<i>2</i></p>`);
    await shows([first, second], `<p id="a">1<i>2</i></p>`);
    await shows([first, second, third], `<p>3</p>`);
    await shows([second, third], `<p>3</p>`);
    await shows([second], `<p id="a">0<i>2</i></p>`);
    await shows([], `<p id="a">0</p>`);
  }],

  ["what the page changed meanwhile is left alone", async (tools) => {
    await open(tools);
    const { page } = tools;
    await write(page, `<body><p id="a" class="x" title="t" style="color: red">0</p><p id="b">0</p><p id="c">0</p></body>`);
    await show(page, [{ key: "1", edits: [
      ["#a", "text", "", "ours"], ["#a", "addClass", "", "ours"], ["#a", "attribute", "title", "ours"],
      ["#a", "style", "color", "blue"], ["#b", "append", "", "<i>ours</i>"], ["#c", "remove", "", ""]] }]);
    await page.evaluate(() => {
      const [a, b] = [document.querySelector("#a"), document.querySelector("#b")];
      a.textContent = "page";
      a.classList.add("page");
      a.title = "page";
      a.style.margin = "1px";
      b.append("page");
    });
    await show(page, []);
    equal(await body(page), `<p id="a" class="x page" title="page" style="color: red; margin: 1px;">page</p><p id="b">0page</p><p id="c">0</p>`);
  }],

  ["listeners and input of replaced content come back", async (tools) => {
    await open(tools);
    const { page } = tools;
    await write(page, `<body><form id="a"><input id="b"></form></body>`);
    await page.fill("#b", "typed");
    await page.evaluate(() => document.querySelector("#b").addEventListener("x", () => (window.heard = true)));
    await show(page, [{ key: "1", edits: [["#a", "html", "", "<b>new</b>"]] }]);
    await show(page, []);
    equal(await page.inputValue("#b"), "typed");
    await page.evaluate(() => document.querySelector("#b").dispatchEvent(new Event("x")));
    equal(await page.evaluate(() => window.heard), true);
  }],

  ["elements that come later are edited before they are painted", async (tools) => {
    await open(tools);
    const { page } = tools;
    await write(page, `<body><div id="root"></div></body>`);
    await show(page, [{ key: "1", edits: [[".late", "text", "", "ours"], [".late", "after", "", "<i class=late>no</i>"]] }]);
    const seen = await page.evaluate(() => new Promise((resolve) => {
      requestAnimationFrame(() => {
        document.querySelector("#root").innerHTML = `<p class="late">page</p>`;
        requestAnimationFrame(() => resolve(document.querySelector("#root").innerHTML));
      });
    }));
    equal(seen, `<p class="late">ours</p><i class="late">no</i>`);
    await show(page, []);
    equal(await page.evaluate(() => document.querySelector("#root").innerHTML), `<p class="late">page</p>`);
    await page.evaluate(() => document.querySelector("#root").insertAdjacentHTML("beforeend", `<p class="late">2</p>`));
    equal(await page.evaluate(() => document.querySelector("#root").innerHTML), `<p class="late">page</p><p class="late">2</p>`);
  }],

  ["a broken edit harms no other", async (tools) => {
    await open(tools);
    const { page } = tools;
    await write(page, `<body><p id="a">0</p></body>`);
    await show(page, [{ key: "1", edits: [
      ["###", "text", "", "x"], ["#a", "attribute", "<>", "x"], ["html", "before", "", "<p>x</p>"], ["html", "replace", "", "x"],
      ["#a", "nothing", "", "x"], ["#a", "text", "", "1"]] }]);
    equal(await body(page), `<p id="a">1</p>`);
    await show(page, []);
    equal(await body(page), `<p id="a">0</p>`);
  }],

  ["a page that undoes the edits does not hang", async (tools) => {
    await open(tools);
    const { page } = tools;
    await write(page, `<body><div id="root"><p class="a">0</p></div></body>`);
    await page.evaluate(() => {
      const root = document.querySelector("#root");
      window.rounds = 0;
      new MutationObserver(() => {
        if (root.textContent == "0") return;
        window.rounds++;
        root.innerHTML = `<p class="a">0</p>`;
      }).observe(root, { childList: true, subtree: true });
    });
    await show(page, [{ key: "1", edits: [[".a", "text", "", "1"]] }]);
    await page.waitForFunction(() => window.rounds > 30);
    equal(await page.evaluate(() => 1 + 1), 2);
  }],

  ["an element that can't be replaced stays", async (tools) => {
    tools.site.headers = { "content-security-policy": "require-trusted-types-for 'script'; trusted-types site" };
    await open(tools);
    const { page } = tools;
    await show(page, [{ key: "1", edits: [["#hero", "replace", "", "<p>new</p>"]] }]);
    equal(await body(page), `<h1 id="hero">Hello <b>you</b></h1>`);
  }],

  ["elements that the page drops are let go, and those that it puts back are edited once", async (tools) => {
    await open(tools);
    const { page } = tools;
    await write(page, `<body><div id="root"><p class="a">0</p><p class="b">0</p><p class="c">0</p></div></body>`);
    await show(page, [{ key: "1", edits: [[".a", "append", "", "<i>1</i>"], [".b", "replace", "", "<p>new</p>"], [".c", "remove", "", ""]] }]);
    equal(await body(page), `<div id="root"><p class="a">0<i>1</i></p><p>new</p></div>`);
    await page.evaluate(async () => {
      const root = document.querySelector("#root");
      const kept = document.querySelector(".a");
      window.dropped = new WeakRef(document.querySelector(".a i"));
      root.replaceChildren(document.createElement("hr"));
      await new Promise((resolve) => setTimeout(resolve));
      root.replaceChildren(kept);
      await new Promise((resolve) => setTimeout(resolve));
    });
    equal(await body(page), `<div id="root"><p class="a">0<i>1</i></p></div>`);
    const session = await page.context().newCDPSession(page);
    do await session.send("HeapProfiler.collectGarbage");
    while (await page.evaluate(() => !!window.dropped.deref()));
    await show(page, []);
    equal(await body(page), `<div id="root"><p class="a">0</p></div>`);
  }],

  ["styles are set under a strict content security policy", async (tools) => {
    tools.site.headers = { "content-security-policy": "style-src 'self'; require-trusted-types-for 'script'" };
    await open(tools);
    const { page } = tools;
    await show(page, [{ key: "1", edits: [["#hero", "style", "color", "rgb(1, 2, 3)"], ["#hero", "append", "", "<i>x</i>"]] }]);
    equal(await page.evaluate(() => getComputedStyle(document.querySelector("#hero")).color), "rgb(1, 2, 3)");
    equal(await page.evaluate(() => document.querySelectorAll("#hero i").length), 1);
    await show(page, []);
    equal(await body(page), `<h1 id="hero">Hello <b>you</b></h1>`);
  }],
];
