// A site with the built SDK: pages whose heads are written as the edge writes them, and the edge's routes,
// whose answers a test can change.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html; charset=utf-8" };
const typeOf = (path) => TYPES[/\.\w+$/.exec(path)?.[0]] || "application/octet-stream";

const escape = (json) => json.replace(/[<>&\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);

export const openSite = async (assets, fixtures, sources) => {
  const program = Buffer.from(fixtures.program, "base64url");
  const site = {
    /** Bodies that came to `/_ns/v1/batch`. */
    batches: [],
    /** The cookies of each page request. */
    pageCookies: [],
    /** What the edge answers to a batch: `{status, headers, confirmed}`, or `"hang"`, or `"cut"`. */
    batchAnswer: {},
    /** Whether the engine's files can be had. */
    hasEngine: true,
    /** The paths that get no answer. */
    silent: undefined,
    /** Changes of the page's state. */
    state: {},
    /** Whether pages carry their state. */
    writesState: true,
    headers: {},
    /** The resets that came, each that names its visitor once, in the order of their first requests. */
    resets: [],
    /** How many answers to resets are lost on their way. */
    lostResets: 0,
    /** Give the answers that hang. */
    hanging: [],
    messages: () => site.batches.flatMap((batch) => batch.batch),
  };
  const pageState = () => JSON.stringify({ ...fixtures.state, now: Date.now(), ...site.state });

  const page = (body, path) => {
    const injected = path.startsWith("/plain") ? "" :
      (site.writesState ? `<script type="application/json" id="nearside-state">${escape(pageState())}</script>` : "") +
      `<script async src="/_ns/sdk.js"></script>`;
    return `<!doctype html><html><head><title>Shop</title>${site.head || ""}${injected}</head><body>${body}</body></html>`;
  };

  const handle = (request, answer) => {
    const { pathname } = new URL(request.url, "http://site");
    const send = (status, type, body, headers) => {
      answer.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers });
      answer.end(body);
    };
    if (site.silent?.test(pathname)) return;
    if (pathname == "/_ns/v1/batch") {
      let text = "";
      request.on("data", (chunk) => (text += chunk));
      request.on("end", () => {
        const { status = 200, headers = {}, confirmed = [] } = site.batchAnswer;
        if (site.batchAnswer == "cut") return request.socket.destroy();
        site.batches.push({ ...JSON.parse(text), status });
        if (site.batchAnswer == "hang") site.hanging.push(() => send(200, "application/json", '{"success":true}', { "set-cookie": "late=1; Path=/" }));
        else send(status, "application/json", site.batchAnswer.text || JSON.stringify(status == 200 ? { success: true, confirmed } : { code: "no", message: "No." }), headers);
      });
      return;
    }
    if (pathname == "/_ns/state" || pathname == "/_ns/v1/reset") {
      // As at the edge: each request that carries a reset makes the visitor that it names, or else somebody else.
      const reset = /ns_j=(r[^;]*)/.exec(request.headers.cookie)?.[1];
      if (!reset) return send(200, "application/json", pageState());
      if (reset == "r" || !site.resets.includes(reset)) site.resets.push(reset);
      site.state = { visitor: `visitor-after-${site.resets.lastIndexOf(reset) + 1}` };
      if (site.lostResets-- > 0) return;
      return send(200, "application/json", pageState(), { "set-cookie": "ns_j=; Path=/; Max-Age=0" });
    }
    if (pathname == `/_ns/program-${fixtures.state.program}.bin`) return send(200, "application/octet-stream", program);
    if (pathname.startsWith("/_ns/")) {
      if (!site.hasEngine && pathname != "/_ns/sdk.js") return send(404, "text/plain", "no");
      try {
        return send(200, typeOf(pathname), readFileSync(join(assets, pathname)));
      } catch {
        return send(404, "text/plain", "no");
      }
    }
    if (pathname.startsWith("/source/")) return send(200, "text/javascript", readFileSync(join(sources, pathname.slice(8))));
    if (pathname == "/favicon.ico") return send(404, "text/plain", "no");
    site.pageCookies.push(request.headers.cookie || "");
    send(200, TYPES[".html"], page(site.body || `<h1 id="hero">Hello <b>you</b></h1>`, pathname), site.headers);
  };

  const server = createServer(handle);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  site.url = `http://127.0.0.1:${server.address().port}`;
  site.close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return site;
};
