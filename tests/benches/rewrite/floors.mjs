// What the runtime itself takes for the steps of which a way to change pages can be made: no way is cheaper than these.

const kept = new Map();

async function bytesOf(request, env) {
  const { pathname } = new URL(request.url);
  if (!kept.has(pathname)) kept.set(pathname, new Uint8Array(await (await fetch(env.UPSTREAM + pathname)).arrayBuffer()));
  return kept.get(pathname);
}

const headers = () => new Headers({ "content-type": "text/html; charset=utf-8", "cache-control": "private, no-store" });

// As many pieces as a page with `count` edits has.
function pieces(bytes, count) {
  const size = Math.ceil(bytes.length / (2 * count));
  const all = [];
  for (let at = 0; at < bytes.length; at += size) all.push(bytes.subarray(at, at + size));
  return all;
}

const ways = {
  // Answers from memory.
  async memory(request, env) {
    return new Response(await bytesOf(request, env), { headers: headers() });
  },
  // Copies the page once, piece by piece.
  async copied(request, env) {
    const bytes = await bytesOf(request, env);
    const page = new Uint8Array(bytes.length);
    let at = 0;
    for (const piece of pieces(bytes, 30)) {
      page.set(piece, at);
      at += piece.length;
    }
    return new Response(page, { headers: headers() });
  },
  // Gives the page to the runtime piece by piece.
  async pieces(request, env) {
    const all = pieces(await bytesOf(request, env), 30);
    const stream = new ReadableStream({
      start(controller) {
        for (const piece of all) controller.enqueue(piece);
        controller.close();
      },
    });
    return new Response(stream, { headers: headers() });
  },
  // Asks the site, waits for its page, and answers.
  async buffered(request, env) {
    const { response } = await ask(request, env);
    return made(await response.arrayBuffer(), response);
  },
  // Asks the site, and hands its page on as it comes.
  async chunks(request, env) {
    const { response } = await ask(request, env);
    const reader = response.body.getReader();
    const stream = new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    return made(stream, response);
  },
  // The same, with room for much in each read.
  async roomy(request, env) {
    const { response } = await ask(request, env);
    const reader = response.body.getReader({ mode: "byob" });
    const stream = new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read(new Uint8Array(65536));
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    return made(stream, response);
  },
  // The same, and written to the runtime's own stream.
  async written(request, env, context) {
    const { response } = await ask(request, env);
    const { readable, writable } = new IdentityTransformStream();
    const pump = async () => {
      const reader = response.body.getReader({ mode: "byob" });
      const writer = writable.getWriter();
      let room = new Uint8Array(65536);
      for (;;) {
        const { done, value } = await reader.read(room);
        if (done) break;
        await writer.write(value);
        room = new Uint8Array(value.buffer);
      }
      await writer.close();
    };
    context.waitUntil(pump());
    return made(readable, response);
  },
  // The same with the runtime's own pipe between.
  async pipe(request, env) {
    const { response } = await ask(request, env);
    const { readable, writable } = new IdentityTransformStream();
    response.body.pipeTo(writable);
    return made(readable, response);
  },
  // Passes the page, and tells a queue.
  async queued(request, env, context) {
    context.waitUntil(env.NEARSIDE_EVENTS.send("a page view, some hundred bytes ".repeat(20), { contentType: "text" }));
    const { response } = await ask(request, env);
    return made(response.body, response);
  },
  // The runtime's rewriter, with one thing to do at the end of the head.
  async head(request, env) {
    const { response } = await ask(request, env);
    const rewriter = new HTMLRewriter().on("head", { element: (element) => element.append("<script></script>", { html: true }) });
    return rewriter.transform(made(response.body, response));
  },
};

export default {
  fetch(request, env, context) {
    const [, way] = new URL(request.url).pathname.split("/");
    return ways[way](request, env, context);
  },
};
