// The whole SDK in a page: the engine's decisions, and what the page shows.

import { deepEqual, equal, match, ok } from "node:assert/strict";

export const open = async ({ page, site }, path = "/") => {
  await page.goto(site.url + path);
  await page.waitForFunction(() => window.nearside?.decisions?.());
};

const hero = (page) => page.evaluate(() => document.querySelector("#hero").outerHTML);
const journal = (page) => page.evaluate(() => /ns_j=([^;]*)/.exec(document.cookie)?.[1] || "");
const track = (page, event, properties) => page.evaluate(([name, values]) => nearside.track(name, values), [event, properties]);
const decided = (page, id) => page.evaluate((name) => nearside.decisions().decisions.find((one) => one.experience == name).variant, id);
const view = (page) => track(page, "Product Viewed", { category: "bikes", secret: "x".repeat(500) });

export const visitTests = [
  ["the engine's lines are the native engine's", async (tools) => {
    const { page, fixtures } = tools;
    await open(tools);
    const lines = await page.evaluate(async ([program, log]) => {
      const script = performance.getEntriesByType("resource").map((entry) => entry.name).find((name) => /engine-.*\.js/.test(name));
      const { Replay, init } = await import(script);
      await init();
      const bytes = Uint8Array.from(atob(program.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
      const replay = Replay.open(bytes);
      return log.map((text, index) => replay.step(text, index + 1));
    }, [fixtures.program, fixtures.log]);
    equal(lines.length, fixtures.lines.length);
    lines.forEach((line, index) => equal(line, fixtures.lines[index]));
    ok(new Set(fixtures.lines.map((line) => JSON.parse(line).segments.join())).size > 2, "the log decides something");
  }],

  ["track changes the page at once, and the page comes back when the condition ends", async (tools) => {
    const { page } = tools;
    await open(tools);
    await view(page);
    equal(await hero(page), `<h1 id="hero">Hello <b>you</b></h1>`);
    // In the same task: there is no frame in between.
    equal(await page.evaluate(() => {
      nearside.track("Product Viewed", { category: "bikes" });
      return document.querySelector("#hero").outerHTML;
    }), `<h1 id="hero" class="keen">Ride on, there</h1>`);
    equal(await decided(page, "hero"), "ride");
    await track(page, "Order Completed");
    equal(await page.locator("#thanks").count(), 1);
    await page.waitForFunction(() => !document.querySelector("#thanks"));
    equal(await decided(page, "thanks"), null);
    equal(await hero(page), `<h1 id="hero" class="keen">Ride on, there</h1>`);
  }],

  ["identify fills in what is known, and reset forgets", async (tools) => {
    const { page, site } = tools;
    await open(tools);
    await view(page);
    await view(page);
    await page.evaluate(() => nearside.identify("u1", { firstName: "Ada <b>", age: 36 }));
    equal(await hero(page), `<h1 id="hero" class="keen">Ride on, Ada &lt;b&gt;</h1>`);
    ok((await page.evaluate(() => nearside.decisions().segments)).includes("known"));
    await page.evaluate(() => {
      nearside.reset();
      nearside.track("After");
    });
    await page.waitForFunction(() => !nearside.decisions().segments.includes("known"));
    equal(await hero(page), `<h1 id="hero">Hello <b>you</b></h1>`);
    equal(await journal(page), "");
    await waitFor(() => site.messages().some((message) => message.event == "After"));
    const ids = site.messages().map((message) => [message.event || message.type, message.anonymousId]);
    deepEqual(ids, [["Product Viewed", "visitor-1"], ["Product Viewed", "visitor-1"], ["identify", "visitor-1"], ["After", "visitor-after-1"]]);
  }],

  ["the journal is in the cookie when track returns, with what the program reads", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = "hang";
    await open(tools);
    equal(await journal(page), "");
    await track(page, "Unheard of");
    equal(await journal(page), "");
    const text = await page.evaluate(() => {
      nearside.track("Product Viewed", { category: "bikes", secret: "x".repeat(500) });
      const found = /ns_j=([^;]*)/.exec(document.cookie)[1];
      location.href = "/next";
      return found;
    });
    const bytes = Buffer.from(text, "base64url").toString("latin1");
    ok(bytes.includes("Product Viewed") && bytes.includes("bikes") && !bytes.includes("xxxx"), bytes);
    await waitFor(() => site.pageCookies.length == 2);
    ok(site.pageCookies[1].includes(text));
    await page.waitForURL("**/next");
  }],

  ["confirmed events leave the journal, of both tabs", async (tools) => {
    const { page, site, context } = tools;
    await open(tools);
    const other = await context.newPage();
    await open({ page: other, site });
    await view(page);
    const one = await journal(page);
    await view(other);
    const both = await journal(page);
    ok(both.length > one.length);
    await waitFor(() => site.messages().length == 2);
    const [first, second] = site.messages().map((message) => fnv(message.messageId));
    site.batchAnswer = { confirmed: [first] };
    await track(page, "Any");
    await page.waitForFunction((text) => !document.cookie.includes(text), both);
    equal((await journal(page)).length, one.length);
    site.batchAnswer = { confirmed: [second] };
    await track(other, "Any");
    await page.waitForFunction(() => !document.cookie.includes("ns_j"));
  }],

  ["a page view of the edge's is kept until it is confirmed", async (tools) => {
    const { page, site } = tools;
    site.state = { pageView: { id: "view-1", time: Date.now() } };
    await open(tools);
    ok(await journal(page));
    await page.evaluate(() => nearside.page());
    await page.evaluate(() => nearside.page("Named"));
    await waitFor(() => site.messages().length);
    deepEqual(site.messages().map((message) => message.name), ["Named"]);
    site.state = { confirmed: [fnv("view-1")] };
    site.batchAnswer = { confirmed: [fnv(site.messages()[0].messageId)] };
    await open(tools, "/second");
    await page.evaluate(() => nearside.track("Any"));
    await page.waitForFunction(() => !document.cookie.includes("ns_j"));
  }],

  ["what the edge has applied is not applied again", async (tools) => {
    const { page, site } = tools;
    site.body = `<h1 id="hero" class="keen">Ride on, there</h1><div class="later"></div>`;
    site.state = { applied: [["hero", "ride", [2]]] };
    await open(tools);
    await view(page);
    await view(page);
    equal(await decided(page, "hero"), "ride");
    equal(await page.evaluate(() => document.body.innerHTML.split("<script")[0]), `<h1 id="hero" class="keen">Ride on, there</h1><div class="later"><i>later</i></div>`);
    await page.evaluate(() => nearside.reset());
    await page.waitForFunction(() => !document.querySelector(".later i"));
    equal(await hero(page), `<h1 id="hero" class="keen">Ride on, there</h1>`);
  }],

  ["a page without state asks for it", async (tools) => {
    const { page, site } = tools;
    site.writesState = false;
    await open(tools);
    await view(page);
    await view(page);
    equal(await decided(page, "hero"), "ride");
  }],

  ["a page inside of the page decides anew", async (tools) => {
    const { page } = tools;
    await open(tools);
    equal(await decided(page, "cart"), null);
    await page.evaluate(() => {
      history.pushState(null, "", "/cart?x=1");
      nearside.page("Cart");
    });
    equal(await decided(page, "cart"), "cart");
    equal(await page.evaluate(() => document.body.dataset.cart), "yes");
    await page.evaluate(() => {
      history.pushState(null, "", "/other");
      nearside.page();
    });
    equal(await page.evaluate(() => document.body.dataset.cart), undefined);
  }],

  ["listeners hear of changes, and their mistakes harm nobody", async (tools) => {
    const { page } = tools;
    await open(tools);
    await page.evaluate(() => {
      window.heard = [];
      window.addEventListener("error", (event) => event.preventDefault());
      nearside.on(() => { if (window.heard.length) throw new Error("theirs"); });
      const off = nearside.on(({ segments }) => window.heard.push(segments.join()));
      document.addEventListener("nearside:decisions", (event) => window.heard.push(`event ${event.detail.segments}`));
      nearside.track("Nothing");
      nearside.identify("u");
      off();
    });
    deepEqual(await page.evaluate(() => window.heard), ["", "known", "event known"]);
  }],

  ["calls before the engine count, in their order and at their time", async (tools) => {
    const { page, site } = tools;
    site.head = `<script>window.nearside = []; nearside.push(["track", "Product Viewed", {category: "bikes"}]);
      nearside.push(["identify", "early"]);</script>`;
    let release;
    await page.route("**/*.wasm", async (route) => {
      await new Promise((resolve) => (release = resolve));
      await route.continue();
    });
    await page.goto(site.url);
    await page.waitForFunction(() => window.nearside.track);
    const at = await page.evaluate(() => {
      nearside.track("Product Viewed", { category: "bikes" });
      return Date.now();
    });
    await waitFor(() => release);
    release();
    await page.waitForFunction(() => nearside.decisions());
    equal(await decided(page, "hero"), "ride");
    await waitFor(() => site.messages().length == 3);
    const messages = site.messages();
    deepEqual(messages.map((message) => message.type), ["track", "identify", "track"]);
    ok(Math.abs(Date.parse(messages[2].timestamp) - at) < 50);
    equal(new Set(messages.map((message) => message.messageId)).size, 3);
    equal(messages[0].anonymousId, "visitor-1");
    equal(messages[0].context.page.path, "/");
  }],

  ["a page that comes back from the back/forward cache takes the newest state", async (tools) => {
    const { page, site } = tools;
    await open(tools);
    // Somebody has reset meanwhile.
    site.state = { visitor: "visitor-2" };
    await page.evaluate(() => {
      localStorage.setItem("ns_r", "1");
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      nearside.track("Back");
    });
    await waitFor(() => site.messages().length);
    equal(site.messages()[0].anonymousId, "visitor-2");
  }],

  ["while the newest state is awaited, events go into the journal", async (tools) => {
    const { page, site } = tools;
    await open(tools);
    site.silent = /state/;
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await view(page);
    ok(await journal(page));
    await waitFor(() => site.messages().length == 1);
  }],

  ["a reset does not mix the old person's waiting events into the new", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = { status: 503 };
    await open(tools);
    await page.evaluate(() => nearside.identify("alice"));
    await page.evaluate(() => nearside.reset());
    await page.waitForFunction(() => !nearside.decisions().segments.includes("known"));
    equal(await journal(page), "");
    await page.evaluate(() => nearside.track("After"));
    site.batchAnswer = {};
    await waitFor(() => site.batches.some(({ status }) => status == 200));
    const taken = site.batches.filter(({ status }) => status == 200).flatMap(({ batch }) => batch);
    deepEqual(taken.map((message) => [message.event || message.type, message.anonymousId]), [["identify", "visitor-1"], ["After", "visitor-after-1"]]);
  }],

  ["an answer that comes after a reset is not heard", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = "hang";
    await open(tools);
    await page.evaluate(() => nearside.track("Before"));
    await waitFor(() => site.hanging.length == 1);
    site.batchAnswer = {};
    await page.evaluate(() => nearside.reset());
    await waitFor(() => site.batches.length == 2);
    site.hanging.forEach((answer) => answer());
    await page.evaluate(() => nearside.track("After"));
    await waitFor(() => site.messages().some((message) => message.event == "After"));
    equal(await page.evaluate(() => document.cookie), "");
    deepEqual(site.messages().map((message) => message.anonymousId), ["visitor-1", "visitor-1", "visitor-after-1"]);
  }],

  ["a reset right before the page ends is in the next page's request", async (tools) => {
    const { page, site } = tools;
    for (const silent of [/reset/, /\.wasm$/]) {
      site.silent = silent;
      site.pageCookies = [];
      site.batches = [];
      await page.goto(site.url);
      await page.waitForFunction((early) => (early ? window.nearside?.track : window.nearside?.decisions?.()), silent.test("x.wasm"));
      await page.evaluate(() => {
        nearside.identify("alice");
        nearside.reset();
        nearside.track("After");
        location.href = "/plain";
      });
      await page.waitForURL("**/plain");
      match(site.pageCookies.at(-1), /^ns_j=r\.[0-9a-f-]{36}$/);
      // The next page sends the rest: each person's events as theirs.
      site.silent = undefined;
      site.state = { visitor: "visitor-2" };
      await page.evaluate(() => (document.cookie = "ns_j=; Path=/; Max-Age=0"));
      await open(tools);
      await waitFor(() => site.messages().length >= 2);
      const ids = site.messages().map((message) => [message.event || message.type, message.anonymousId]);
      deepEqual([...new Set(ids.map((id) => id.join()))].sort(), ["After,visitor-2", "identify,visitor-1"]);
      ok(!(await page.evaluate(() => nearside.decisions().segments)).includes("known"));
      site.state = {};
      await page.context().clearCookies();
    }
  }],

  ["other tabs become the new visitor too", async (tools) => {
    const { page, site, context } = tools;
    await open(tools);
    const other = await context.newPage();
    await open({ page: other, site });
    await other.evaluate(() => nearside.identify("alice"));
    await page.evaluate(() => nearside.reset());
    await other.waitForFunction(() => !nearside.decisions().segments.includes("known"));
    await other.evaluate(() => nearside.track("After"));
    await waitFor(() => site.messages().some((message) => message.event == "After"));
    equal(site.messages().find((message) => message.event == "After").anonymousId, "visitor-after-1");
    equal(site.resets.length, 1);
  }],

  ["a reset that several tabs ask for makes one visitor", async (tools) => {
    const { page, site, context } = tools;
    await open(tools);
    const other = await context.newPage();
    await open({ page: other, site });
    await other.evaluate(() => nearside.identify("alice"));
    // The edge makes somebody new, but nobody hears of it in time: both tabs ask again.
    site.lostResets = 1;
    await page.evaluate(() => nearside.reset());
    for (const tab of [page, other]) {
      await tab.waitForFunction(() => !nearside.decisions().segments.includes("known"));
      await tab.evaluate(() => nearside.track("After"));
    }
    const after = () => site.messages().filter((message) => message.event == "After");
    await waitFor(() => after().length == 2);
    deepEqual(after().map((message) => message.anonymousId), ["visitor-after-1", "visitor-after-1"]);
    equal(site.resets.length, 1);
    equal(site.lostResets, -1);
  }],

  ["a tab that asks for its state while a reset waits becomes the new visitor", async (tools) => {
    const { page, site, context } = tools;
    await open(tools);
    const other = await context.newPage();
    await open({ page: other, site });
    site.lostResets = 1;
    await page.evaluate(() => nearside.reset());
    await waitFor(() => site.resets.length == 1);
    // It comes back from the back/forward cache right now.
    await other.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await other.evaluate(() => nearside.track("After"));
    await waitFor(() => site.messages().some((message) => message.event == "After"));
    await page.evaluate(() => nearside.track("After too"));
    await waitFor(() => site.messages().some((message) => message.event == "After too"));
    deepEqual(site.messages().map((message) => message.anonymousId), ["visitor-after-1", "visitor-after-1"]);
    equal(site.resets.length, 1);
  }],

  ["features have their values, and change with what is done", async (tools) => {
    const { page } = tools;
    await open(tools);
    deepEqual(await page.evaluate(() => {
      const greetings = [nearside.decisions().features.greeting];
      nearside.on(({ features }) => greetings.push(features.greeting));
      nearside.track("Order Completed");
      return greetings;
    }), ["hello", "hello", { text: "thanks" }]);
  }],

  ["listeners end with the newest decision", async (tools) => {
    const { page } = tools;
    await open(tools);
    deepEqual(await page.evaluate(() => {
      const seen = [];
      nearside.on(({ segments }) => segments.includes("known") && !segments.includes("just-bought") && nearside.track("Order Completed"));
      nearside.on(({ segments }) => seen.push(segments.join()));
      document.addEventListener("nearside:decisions", (event) => seen.push(`event ${event.detail.segments}`));
      nearside.identify("u");
      return seen;
    }), ["", "just-bought,known", "event just-bought,known"]);
  }],

  ["content that the page makes anew is edited when its address comes back", async (tools) => {
    const { page, site } = tools;
    site.body = `<h1 id="hero">Hello</h1>`;
    site.state = { applied: [["cart", "cart", []]] };
    await open(tools, "/cart");
    equal(await page.evaluate(() => document.body.dataset.cart), undefined);
    await page.evaluate(() => { history.pushState(null, "", "/other"); nearside.page(); });
    await page.evaluate(() => { history.pushState(null, "", "/cart"); nearside.page(); });
    equal(await page.evaluate(() => document.body.dataset.cart), "yes");
  }],

  ["only the edge's element is the page's state", async (tools) => {
    const { page, site } = tools;
    site.writesState = false;
    site.body = `<p id="nearside-state">{"program":"/../evil","visitor":"evil"}</p>
      <script type="application/json" id="nearside-state">{"program":"/../evil","visitor":"evil"}</script>`;
    await open(tools);
    await view(page);
    await waitFor(() => site.messages().length);
    equal(site.messages()[0].anonymousId, "visitor-1");
  }],

  ["a page that the edge did not write is redirected once", async (tools) => {
    const { page, site } = tools;
    site.writesState = false;
    await page.goto(`${site.url}/moved?q=1#old`);
    await page.waitForURL("**/new?from=%2Fmoved&q=1#here");
    // It is not left in the history.
    await page.waitForFunction(() => window.nearside?.decisions?.());
    equal(await page.evaluate(() => history.length), 2);
    equal(await page.evaluate(() => document.cookie.includes("ns_to")), false);
    equal(site.pageCookies.length, 2);
    // Who was sent there is not sent on, whoever did it.
    site.pageCookies = [];
    await page.goto(`${site.url}/circle`);
    await page.waitForURL("**/back");
    await page.waitForFunction(() => window.nearside?.decisions?.());
    await page.evaluate(() => nearside.track("Any"));
    equal(new URL(page.url()).pathname, "/back");
    equal(site.pageCookies.length, 2);
    // A page that leads to itself is shown.
    await open(tools, "/same?q=1");
    equal(await page.evaluate(() => document.cookie.includes("ns_to")), false);
    equal(site.pageCookies.length, 3);
  }],

  ["where the edge wrote the page, it has redirected or not", async (tools) => {
    const { page, site } = tools;
    await open(tools, "/moved");
    await page.evaluate(() => nearside.page());
    equal(await decided(page, "moved"), "moved");
    equal(new URL(page.url()).pathname, "/moved");
    equal(site.pageCookies.length, 1);
  }],

  ["a forced variant is shown and stays", async (tools) => {
    const { page, site } = tools;
    site.state = { forced: [["thanks", "thanks"], ["nothing", "x"]] };
    await open(tools, "/?ns_preview=TOKEN");
    equal(await page.locator("#thanks").count(), 1);
    await track(page, "Product Viewed", { category: "bikes" });
    await page.evaluate(() => nearside.page());
    equal(await page.locator("#thanks").count(), 1);
    equal(await page.evaluate(() => nearside.decisions().decisions.find((one) => one.experience == "thanks").reason), "forced");
  }],

  ["without consent nothing is recorded", async (tools) => {
    const { page, site, context } = tools;
    await context.addCookies([{ name: "ns_c", value: "none", url: site.url }]);
    await open(tools);
    await view(page);
    await view(page);
    equal(await decided(page, "hero"), null);
    equal(await journal(page), "");
    await page.evaluate(() => {
      document.cookie = "ns_c=all";
      nearside.track("Now");
    });
    await waitFor(() => site.messages().length);
    deepEqual(site.messages().map((message) => message.event), ["Now"]);
  }],
];

export const waitFor = async (condition) => {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** The key of a message, as the engine has it. */
const fnv = (text) => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
};
