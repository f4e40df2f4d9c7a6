// Events on their way to the edge: none is lost, whatever goes wrong.

import { deepEqual, equal, ok } from "node:assert/strict";
import { open, waitFor } from "./visits.mjs";

const stored = (page) => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("ns_q_")).length);
const names = (site) => site.messages().map((message) => message.event);

export const deliveryTests = [
  ["events leave in batches", async (tools) => {
    const { page, site } = tools;
    await open(tools);
    await page.evaluate(() => { for (let n = 0; n < 10; n++) nearside.track(`E${n}`); });
    await waitFor(() => site.messages().length == 10);
    equal(site.batches.length, 1);
    ok(site.batches[0].sentAt);
    equal(await stored(page), 0);
  }],

  ["a refused batch is sent again until it is taken", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = { status: 503 };
    await open(tools);
    await page.evaluate(() => nearside.track("E"));
    await waitFor(() => site.batches.length == 2);
    equal(await stored(page), 1);
    site.batchAnswer = { status: 429, headers: { "retry-after": "1" } };
    await waitFor(() => site.batches.some((batch) => batch.status == 429));
    site.batchAnswer = {};
    await waitFor(() => site.batches.some((batch) => batch.status == 200));
    await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("ns_q_")));
    equal(new Set(site.messages().map((message) => message.messageId)).size, 1);
  }],

  ["a permanent error is not repeated", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = { status: 400 };
    await open(tools);
    await page.evaluate(() => nearside.track("E"));
    await waitFor(() => site.batches.length == 1);
    site.batchAnswer = {};
    await page.evaluate(() => nearside.track("F"));
    await waitFor(() => site.batches.length == 2);
    deepEqual(names(site), ["E", "F"]);
  }],

  ["another's page in the edge's place is no answer", async (tools) => {
    const { page, site } = tools;
    for (const status of [200, 404]) {
      site.batches = [];
      site.batchAnswer = { status, text: "<html>the site's own page</html>" };
      await open(tools);
      await page.evaluate(() => nearside.track("E"));
      await waitFor(() => site.batches.length >= 2);
      site.batchAnswer = {};
      await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("ns_q_")));
    }
  }],

  ["half a character is sent as none", async (tools) => {
    const { page, site } = tools;
    await open(tools);
    await page.evaluate(() => nearside.track("E", { a: "hi \u{1f600}".slice(0, -1), b: "\u{1f600}", c: "\\ud83d", d: "\\\ud83d" }));
    await waitFor(() => site.messages().length == 1);
    deepEqual(site.messages()[0].properties, { a: "hi \ufffd", b: "\u{1f600}", c: "\\ud83d", d: "\\\ufffd" });
  }],

  ["of who refuses, nothing stays in storage", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = { status: 503 };
    await open(tools);
    await page.evaluate(() => {
      nearside.identify("u");
      localStorage.setItem("ns_q_other", "[]");
    });
    await page.waitForFunction(() => document.cookie.includes("ns_j") && Object.keys(localStorage).length > 1);
    await page.evaluate(() => {
      document.cookie = "ns_c=none";
      nearside.track("No");
    });
    equal(await stored(page), 0);
    equal(await page.evaluate(() => document.cookie), "ns_c=none");
    site.hasEngine = false;
    await page.goto(site.url);
    await page.waitForFunction(() => window.nearside?.track);
    await page.evaluate(() => nearside.track("No"));
    await page.goto(`${site.url}/plain`);
    equal(await stored(page), 0);
    equal(names(site).includes("No"), false);
  }],

  ["calls that are none do not end the loader", async (tools) => {
    const { page, site } = tools;
    site.head = `<script>window.nearside = [["track", "A"], null, {}, "x", ["nothing"]];</script>`;
    await open(tools);
    await waitFor(() => names(site).join() == "A");
  }],

  ["without the engine, the view that the edge has counted is not sent again", async (tools) => {
    const { page, site } = tools;
    site.hasEngine = false;
    site.state = { pageView: { id: "view-1", time: Date.now() } };
    await page.goto(site.url);
    await page.waitForFunction(() => window.nearside?.track);
    await page.evaluate(() => { nearside.page(); nearside.track("A"); nearside.page(); });
    await waitFor(() => site.messages().length);
    deepEqual(site.messages().map((message) => message.type), ["track", "page"]);
  }],

  ["what could not be sent leaves with the next page", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = "cut";
    await open(tools);
    await page.evaluate(() => { nearside.track("E"); nearside.track("F"); });
    await page.waitForFunction(() => Object.keys(localStorage).some((key) => key.startsWith("ns_q_")));
    await page.goto(`${site.url}/plain`);
    site.batchAnswer = {};
    await open(tools);
    await waitFor(() => site.messages().length >= 2);
    deepEqual([...new Set(names(site))], ["E", "F"]);
    await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("ns_q_")));
  }],

  ["a click right after an event loses nothing", async (tools) => {
    const { page, site } = tools;
    await open(tools);
    await page.evaluate(() => {
      nearside.track("Last");
      location.href = "/plain";
    });
    await waitFor(() => site.messages().length);
    await page.waitForURL("**/plain");
    deepEqual([...new Set(names(site))], ["Last"]);
  }],

  ["an event leaves though the page ends before the engine came", async (tools) => {
    const { page, site } = tools;
    site.silent = /\.wasm$/;
    await page.goto(site.url);
    await page.waitForFunction(() => window.nearside?.track);
    await page.evaluate(() => {
      nearside.track("Early");
      location.href = "/plain";
    });
    await waitFor(() => site.messages().length);
    await page.waitForURL("**/plain");
    deepEqual([...new Set(names(site))], ["Early"]);
  }],

  ["without the engine, the loader sends", async (tools) => {
    const { page, site } = tools;
    site.hasEngine = false;
    await page.goto(site.url);
    await page.waitForFunction(() => window.nearside?.track);
    await page.evaluate(() => { nearside.track("A"); nearside.identify("u"); });
    await waitFor(() => site.messages().length == 2);
    await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("ns_q_")));
    equal(site.messages()[1].userId, "u");
  }],

  ["with an engine that fails, events are sent", async (tools) => {
    const { page, site } = tools;
    await page.route("**/engine-*.js", async (route) => {
      const response = await route.fetch();
      const text = await response.text();
      const broken = text.replace(/\.engine_fold\(/, ".no_such_function(");
      ok(broken != text);
      await route.fulfill({ response, body: broken });
    });
    await open(tools);
    await page.evaluate(() => { nearside.track("A"); nearside.track("B"); });
    await waitFor(() => site.messages().length == 2);
    deepEqual(names(site), ["A", "B"]);
  }],

  ["without a program, events are sent", async (tools) => {
    const { page, site } = tools;
    site.state = { program: "0000000000000000" };
    await page.goto(site.url);
    await page.waitForFunction(() => window.nearside?.track);
    await page.evaluate(() => nearside.track("A"));
    await waitFor(() => site.messages().length == 1);
  }],

  ["without storage, events are sent", async (tools) => {
    const { page, site } = tools;
    await page.addInitScript(() => Object.defineProperty(window, "localStorage", { get() { throw new Error("blocked"); } }));
    await open(tools);
    await page.evaluate(() => nearside.track("A"));
    await waitFor(() => site.messages().length == 1);
  }],

  ["what can't be written as JSON does not throw into the page", async (tools) => {
    const { page, site } = tools;
    await open(tools);
    await page.evaluate(() => {
      const circle = {};
      circle.circle = circle;
      nearside.track("A", circle);
      let deep = {};
      for (let n = 0; n < 5_000; n++) deep = { deep };
      nearside.track("B", deep);
      nearside.track();
      nearside.track("C", { text: "\ud800", big: 1e300, no: undefined, not: NaN });
    });
    await waitFor(() => names(site).includes("C"));
  }],

  ["a failing storage loses no more than it must: at most 100 wait", async (tools) => {
    const { page, site } = tools;
    site.batchAnswer = "cut";
    await open(tools);
    await page.evaluate(() => { for (let n = 0; n < 150; n++) nearside.track(`E${n}`); });
    await page.waitForFunction(() => Object.keys(localStorage).some((key) => key.startsWith("ns_q_")));
    await page.goto(`${site.url}/plain`);
    site.batchAnswer = {};
    await open(tools);
    await waitFor(() => names(site).includes("E149"));
    await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("ns_q_")));
    equal(new Set(names(site)).size, 100);
  }],
];
