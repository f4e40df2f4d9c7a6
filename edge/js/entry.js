// The worker's entry: hands each request to the WebAssembly module, and answers in its place when it breaks.
//
// What breaks is an instance of the module, with all requests that are on their way in it. Each of them gets the
// upstream's bytes from here, asked for anew where that does no harm; the next request gets a new instance.

import { WorkerEntrypoint } from "cloudflare:workers";
import { breaks } from "./instance.js";
import "./pages.js";
import { answer, deliver, renew } from "nearside-module";

// After so many traps within that many milliseconds, pages pass without the module for the rest of that time.
const MOST = 5;
const WITHIN = 60_000;
const TRAPPED = {};

const waiting = new Set();
let traps = [];

// The module's glue calls this when an instance has broken; see `xtask/src/build/edge.rs`. The module has neither
// names nor texts of panics: `cargo xtask symbols` makes names of the stack's numbers.
globalThis.__nearside_trapped = (error) => {
  traps.push(Date.now());
  console.error("nearside: a trap:", error?.stack ?? "where, nobody knows");
  globalThis.__worker_init_state.criticalError = true;
  breaks();
  for (const giveUp of waiting) giveUp(TRAPPED);
  waiting.clear();
};

// Gives what the module gives, or `TRAPPED`.
async function attempt(work) {
  let giveUp;
  const trap = new Promise((resolve) => waiting.add((giveUp = resolve)));
  try {
    // If the last instance broke, there is a new one from here on.
    renew();
    return await Promise.race([work(), trap]);
  } catch (error) {
    // The module catches its own errors: this one is of an instance that is no more.
    if (waiting.has(giveUp)) globalThis.__nearside_trapped(error);
    return TRAPPED;
  } finally {
    waiting.delete(giveUp);
  }
}

// The upstream's answer to what the visitor asks for; as `proxy.rs` asks, but for the visitor's own copy.
async function upstream(request, env) {
  const url = new URL(request.url);
  const isSafe = /^(GET|HEAD|OPTIONS)$/.test(request.method);
  const site = env.NEARSIDE_UPSTREAM?.trim().replace(/\/+$/, "");
  // Nobody knows whether the upstream has got the rest already.
  if (!site || url.pathname.startsWith("/_ns/") || !(isSafe || (request.body && !request.bodyUsed))) {
    const headers = { "cache-control": "no-store", "retry-after": "2" };
    return new Response("Something broke on the way. Please try again.", { status: 503, headers });
  }
  const query = url.search.replace(/([?&])ns_preview(=[^&]*)?(?=&|$)/g, "$1").replace(/&&+/g, "&");
  const asked = new Request(site + url.pathname + query.replace(/^\?&/, "?").replace(/[?&]$/, ""), request);
  const cookies = (request.headers.get("cookie") ?? "").split(";");
  const kept = cookies.filter((pair) => !/^\s*ns_(s|j|id|c|p|to)\s*(=|$)/.test(pair)).join(";").trim();
  if (kept) asked.headers.set("cookie", kept);
  else asked.headers.delete("cookie");
  asked.headers.set("x-forwarded-host", request.headers.get("host") ?? url.host);
  asked.headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  return fetch(asked);
}

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const since = Date.now() - WITHIN;
    traps = traps.filter((at) => at > since);
    if (traps.length < MOST) {
      const answered = await attempt(() => answer(request, this.env, this.ctx));
      if (answered !== TRAPPED) return answered;
      console.error(`nearside: the module broke; ${request.method} ${request.url} passes without it`);
    }
    const untouched = await upstream(request, this.env);
    const passing = new Response(untouched.body, untouched);
    passing.headers.append("server-timing", 'nearside;desc="trap"');
    return passing;
  }

  async queue(batch) {
    const delivered = await attempt(() => deliver(batch, this.env, this.ctx));
    // The queue brings its messages again.
    if (delivered === TRAPPED) throw new Error("nearside: the module broke");
  }
}
