// An event tracked immediately before a link is clicked, with every collection request held until the next page is there.
"use strict";
const http = require("node:http");
const { run, ready, go } = require("./chromium.cjs");

run(async (newVisitor, edge) => {
  const target = new URL(edge);
  const delivered = [];
  let release;
  const released = new Promise((done) => (release = done));
  // A slow network before the edge: whatever goes to a collection address arrives after the next page.
  const network = http.createServer((request, response) => {
    const pass = () => {
      const { method, url, headers } = request;
      const onward = http.request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(response);
        if (method == "POST") delivered.push(url);
      });
      onward.on("error", () => response.destroy());
      request.pipe(onward);
    };
    if (request.method == "POST") released.then(pass);
    else pass();
  });
  await new Promise((done) => network.listen(0, "127.0.0.1", done));
  const shop = `http://127.0.0.1:${network.address().port}`;

  const page = await newVisitor();
  await go(page, `${shop}/products/tents/dome-tent`);
  await ready(page);
  const next = page.waitForEvent("response", (response) => response.url() == `${shop}/`);
  await page.evaluate(() => {
    window.nearside.track("Product Added", { product: "dome-tent" });
    document.getElementById("to-home").click();
  });
  const html = await (await next).text();
  const deliveredBefore = delivered.length;
  await ready(page);
  /** Whether the journal's cookie has the event. */
  const inJournal = () => {
    const journal = /ns_j=([^;]*)/.exec(document.cookie)?.[1] ?? "";
    return atob(journal.replaceAll("-", "+").replaceAll("_", "/")).includes("Product Added");
  };
  const journal = await page.evaluate(inJournal);
  release();
  // When a later request has shown that the event is in the sealed state, it leaves the journal.
  while (delivered.length < 1) await new Promise((done) => setTimeout(done, 50));
  await go(page, `${shop}/cart`);
  const visitor = (await page.context().cookies()).find((cookie) => cookie.name == "ns_id").value;
  await ready(page);
  const cleared = !(await page.evaluate(inJournal));
  network.close();
  return { html, deliveredBefore, journal, cleared, visitor, errors: page.errors };
});
