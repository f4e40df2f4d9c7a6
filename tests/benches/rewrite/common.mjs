// What the workers that Nearside is compared with have in common. It stands before each of them, after `EDITS`: the
// edits of each page by its name. An address is `/WAY/PAGE/NUMBER OF EDITS`.

async function ask(request, env) {
  const { pathname, search } = new URL(request.url);
  const response = await fetch(new Request(env.UPSTREAM + pathname + search, request));
  const [, , page, count] = pathname.split("/");
  const key = `${page}/${count}`;
  return { response, key, edits: EDITS[key] };
}

// An answer that nobody but its visitor may keep.
function made(body, response) {
  const headers = new Headers(response.headers);
  for (const name of ["content-length", "etag", "last-modified"]) headers.delete(name);
  headers.set("cache-control", "private, no-store");
  return new Response(body, { status: response.status, headers });
}
