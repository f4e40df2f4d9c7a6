// What answers for a worker's Cache API here: workerd puts a whole HTTP answer into the body of a PUT, and takes a
// GET's answer for a hit when its CF-Cache-Status says so.

const kept = new Map();

function lifetime(headers) {
  const control = (headers.get("cache-control") ?? "").toLowerCase();
  if (/\b(no-store|private|no-cache)\b/.test(control) || headers.has("set-cookie")) return 0;
  const [, shared] = /s-maxage=(\d+)/.exec(control) ?? [];
  const [, age] = /max-age=(\d+)/.exec(control) ?? [];
  return Number(shared ?? age ?? 0) * 1000;
}

// The status, headers and body of an HTTP/1.1 answer.
function parse(bytes) {
  let end = 0;
  while (end + 3 < bytes.length && !(bytes[end] === 13 && bytes[end + 1] === 10 && bytes[end + 2] === 13)) end++;
  const [first, ...lines] = new TextDecoder("latin1").decode(bytes.subarray(0, end)).split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(first.split(" ")[1]), headers, body: bytes.subarray(end + 4) };
}

export default {
  async fetch(request) {
    const key = `${request.headers.get("cf-cache-namespace") ?? ""} ${request.url}`;
    switch (request.method) {
      case "PUT": {
        const answer = parse(new Uint8Array(await request.arrayBuffer()));
        const time = lifetime(answer.headers);
        if (time > 0) kept.set(key, { ...answer, until: Date.now() + time });
        return new Response(null, { status: 204 });
      }
      case "PURGE":
        return new Response(null, { status: kept.delete(key) ? 200 : 404 });
      default: {
        const found = kept.get(key);
        if (!found || found.until < Date.now()) {
          kept.delete(key);
          return new Response(null, { status: 504, headers: { "cf-cache-status": "MISS" } });
        }
        const headers = new Headers(found.headers);
        headers.set("cf-cache-status", "HIT");
        return new Response(found.body, { status: found.status, headers });
      }
    }
  },
};
