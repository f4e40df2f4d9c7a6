// Replays a log with the page's own engine, as it is shipped, and writes its lines to a file.
"use strict";
const fs = require("node:fs");
const { run, ready, go } = require("./chromium.cjs");

run(async (newVisitor, edge, [log, output]) => {
  const page = await newVisitor();
  await go(page, `${edge}/`);
  await ready(page);
  const lines = await page.evaluate(async (log) => {
    const loader = await (await fetch("/_ns/sdk.js")).text();
    const { init, Replay } = await import(/\/_ns\/engine-[^"']+\.js/.exec(loader)[0]);
    await init();
    const { program } = JSON.parse(document.getElementById("nearside-state").textContent);
    const bytes = new Uint8Array(await (await fetch(`/_ns/program-${program}.bin`)).arrayBuffer());
    const replay = Replay.open(bytes);
    return log.trimEnd().split("\n").map((message, index) => replay.stepExplained(message, index + 1)).join("\n");
  }, fs.readFileSync(log, "utf8"));
  fs.writeFileSync(output, `${lines}\n`);
  return { errors: page.errors };
});
