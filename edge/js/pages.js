// Pages that arrive, rewritten by the module.
//
// The bytes go from the runtime to the module and back with a call for each piece. In the module the same loop would take some
// dozen calls and tasks for each.

// The largest piece, in bytes. A reader without room of its own gets 4 KB at a time.
const PIECE = 64 * 1024;
// A page that is there at once leaves at once, which takes the runtime the least; after so many milliseconds, or so many
// bytes, it leaves as it comes.
const AT_ONCE = 3;
const MOST_AT_ONCE = 256 * 1024;

// How long what was there before the upstream broke off has to leave, in milliseconds: an error that comes at once keeps
// what is before it, and the headers, from leaving. Nobody waits for an error.
const UNTIL_IT_LEFT = 50;

// Whether the module's instance has broken; see `entry.js`.
const isBroken = () => globalThis.__worker_init_state.criticalError;
const LATER = {};

// Reads a body piece by piece.
class Pieces {
  constructor(body) {
    try {
      this.reader = body.getReader({ mode: "byob" });
      this.room = new ArrayBuffer(PIECE);
    } catch {
      // It is not one of the runtime's own streams.
      this.reader = body.getReader();
    }
  }

  // Asks for the next piece, which `take` gives.
  ask() {
    return (this.asked ??= this.room ? this.reader.read(new Uint8Array(this.room)) : this.reader.read());
  }

  // The piece that has come, which is good until the next one is asked for; `undefined` at the end.
  take({ value, done }) {
    this.asked = undefined;
    if (this.room && value) this.room = value.buffer;
    return done ? undefined : value;
  }
}

// A piece of the page, rewritten; without one, the page's end.
function rewritten(rewriting, piece) {
  if (isBroken()) throw new Error("the module broke while the page was on its way");
  try {
    return piece ? rewriting.write(piece) : rewriting.end();
  } catch (error) {
    // The module's glue tells of most traps itself.
    if (!isBroken()) globalThis.__nearside_trapped(error);
    throw error;
  }
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

// Hands on what is there and what comes, as fast as the visitor takes it.
async function pump(ready, pieces, rewriting, writable) {
  const writer = writable.getWriter();
  try {
    for (const piece of ready) await writer.write(piece);
    for (let piece; (piece = pieces.take(await pieces.ask())); ) {
      const bytes = rewritten(rewriting, piece);
      if (bytes.length) await writer.write(bytes);
    }
    const last = rewritten(rewriting);
    if (last.length) await writer.write(last);
    await writer.close();
  } catch (error) {
    // The upstream broke off, or the visitor left: so does the page, and the upstream need not send the rest.
    pieces.reader.cancel(error).catch(() => {});
    if (!isBroken()) rewriting.free();
    await scheduler.wait(UNTIL_IT_LEFT);
    writer.abort(error).catch(() => {});
  }
}

// What was there before the upstream broke off: so does the page.
function brokenOff(ready, error) {
  return new ReadableStream({
    async pull(controller) {
      if (ready.length) return controller.enqueue(ready.shift());
      await scheduler.wait(UNTIL_IT_LEFT);
      controller.error(error);
    },
  });
}

// The response with its body rewritten.
globalThis.__nearside_rewritten = async (response, rewriting) => {
  const pieces = new Pieces(response.body);
  const ready = [];
  let length = 0;
  const later = scheduler.wait(AT_ONCE).then(() => LATER);
  try {
    while (length < MOST_AT_ONCE) {
      const read = await Promise.race([pieces.ask(), later]);
      if (read === LATER) break;
      const piece = pieces.take(read);
      const bytes = rewritten(rewriting, piece);
      if (bytes.length) ready.push(bytes);
      if (!piece) return new Response(joined(ready), response);
      length += bytes.length;
    }
  } catch (error) {
    // Who waits in a broken instance must not go on in it; the entry answers instead.
    if (isBroken()) return new Promise(() => {});
    pieces.reader.cancel(error).catch(() => {});
    rewriting.free();
    return new Response(brokenOff(ready, error), response);
  }
  const { readable, writable } = new IdentityTransformStream();
  pump(ready, pieces, rewriting, writable);
  return new Response(readable, response);
};
