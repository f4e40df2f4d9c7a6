// Pages that arrive, rewritten by the module.
//
// The bytes go from the runtime to the module and back with a call for each piece. In the module the same loop would take some
// dozen calls and tasks for each.

import { instance } from "./instance.js";

// The room for a piece, in bytes. A reader without room of its own gets 4 KB at a time.
const ROOM = 64 * 1024;
// The same where little comes at a time: while the upstream says nothing, each visitor who waits has this room.
const SMALL_ROOM = 16 * 1024;
// The most room for a page whose length is known, so that all of it is one piece.
const MOST_ROOM = 128 * 1024;
// A page that is there at once leaves at once, which takes the runtime the least; after so many milliseconds, or so many
// bytes, it leaves as it comes.
const AT_ONCE = 3;
const MOST_AT_ONCE = 256 * 1024;

// How long what was there before the upstream broke off has to leave, in milliseconds: an error that comes at once keeps
// what is before it, and the headers, from leaving. Nobody waits for an error.
const UNTIL_IT_LEFT = 50;

const NOTHING = new Uint8Array();

// A page on its way through the module.
class ArrivingPage {
  // Whether what is rewritten stays in the module for now.
  holds = true;
  // Whether the rest leaves as it came.
  passes = false;
  // Whether nothing more is read, and why: it broke off, or the visitor left; else it is whole.
  isOver = false;
  error;
  hasLeft = false;
  // How many bytes have come, and how many are to come, if that is known.
  length = 0;
  expected;
  // The bytes that can leave.
  ready = [];
  // The last bytes that have come, which wait in the module for what follows them: if it breaks, they leave as they came.
  waiting = NOTHING;
  waitingLength = 0;

  constructor({ body, headers }, rewriting) {
    this.instance = instance();
    this.rewriting = rewriting;
    this.expected = lengthOf(headers);
    try {
      this.reader = body.getReader({ mode: "byob" });
      this.room = new ArrayBuffer(this.expected <= MOST_ROOM ? this.expected : ROOM);
    } catch {
      // It is not one of the runtime's own streams.
      this.reader = body.getReader();
    }
  }

  // Whether the module's instance that rewrites it has broken.
  get isBroken() {
    return this.instance !== instance();
  }

  // Waits for the next piece, and rewrites it. Who asks while somebody waits already waits for the same.
  next() {
    return (this.coming ??= this.#next());
  }

  async #next() {
    try {
      const { value, done } = await (this.room ? this.reader.read(new Uint8Array(this.room)) : this.reader.read());
      this.coming = undefined;
      if (this.isOver) return;
      this.length += value?.length ?? 0;
      // To ask for what is behind the last byte would take as long as to ask for the bytes.
      const isLast = done || this.length === this.expected;
      this.#take(done ? undefined : value, isLast);
      if (isLast) this.isOver = true;
      else if (this.room) this.room = roomAfter(value);
    } catch (error) {
      // The upstream broke off, and so does the page.
      this.error = error ?? new Error("the page broke off");
      this.release();
      this.end(error);
    }
  }

  // Takes a piece, if there is one, and the page's end. If the module breaks, or has broken, the rest leaves as it came.
  #take(piece, isLast) {
    const unread = this.passes ? piece : this.#rewrite(piece, isLast);
    // It is copied, for its room is used again.
    if (unread) this.#give(unread.slice());
  }

  // Gives the piece back if it could not be rewritten.
  #rewrite(piece, isLast) {
    let unread = piece;
    try {
      if (this.isBroken) throw new Error("the module broke while the page was on its way");
      if (piece) {
        const bytes = this.rewriting.write(piece, this.holds);
        this.#remember(piece, this.rewriting.waiting());
        this.#give(bytes);
        unread = undefined;
      }
      if (isLast) this.#give(this.rewriting.end());
    } catch (error) {
      // The module's glue tells of most traps itself.
      if (!this.isBroken) globalThis.__nearside_trapped(error);
      // Nothing of it has left: the entry answers with another copy.
      if (this.holds) throw error;
      console.error("nearside: the module broke; the rest of a page passes as it came");
      this.passes = true;
      this.#give(this.waiting.subarray(0, this.waitingLength));
    }
    return unread;
  }

  #give(bytes) {
    if (bytes.length) this.ready.push(bytes);
  }

  // Remembers what waits in the module: the end of what waited already and of a piece.
  #remember(piece, length) {
    const last = piece.subarray(Math.max(0, piece.length - length));
    const before = length - last.length;
    const past = this.waitingLength - before;
    if (length > this.waiting.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.waiting.subarray(past, this.waitingLength));
      this.waiting = larger;
    } else if (before && past) this.waiting.copyWithin(0, past, this.waitingLength);
    this.waiting.set(last, before);
    this.waitingLength = length;
  }

  // What was held can leave.
  release() {
    this.holds = false;
    if (this.isOver || this.isBroken) return;
    this.#give(this.rewriting.take());
  }

  // Nothing more is read: the upstream need not send the rest.
  end(reason) {
    if (this.isOver) return;
    this.isOver = true;
    this.reader.cancel(reason).catch(() => {});
    if (!this.isBroken) this.rewriting.free();
  }

  // Waits until all that is there at once is rewritten.
  atOnce() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, AT_ONCE);
      const read = async () => {
        while (this.holds && !this.isOver && this.length < MOST_AT_ONCE) await this.next();
        clearTimeout(timer);
        resolve();
      };
      read();
    });
  }

  // The body: the bytes where they are all there, else a stream of what is there and what comes, as fast as the visitor
  // takes it.
  body() {
    this.release();
    if (this.isOver && !this.error) return this.ready[0];
    return new ReadableStream(
      {
        pull: (controller) => this.#pull(controller),
        cancel: (reason) => {
          this.hasLeft = true;
          this.end(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller) {
    while (!this.ready.length && !this.isOver) await this.next();
    if (this.hasLeft) return;
    if (this.ready.length) controller.enqueue(this.ready.shift());
    else if (this.error) {
      await scheduler.wait(UNTIL_IT_LEFT);
      controller.error(this.error);
    } else controller.close();
  }
}

// How many bytes a body has, if its headers tell: of one that the runtime unpacks they do not.
function lengthOf(headers) {
  const length = Number(headers.get("content-length") || NaN);
  return length > 0 && !headers.has("content-encoding") ? length : undefined;
}

// The room for the next piece: that of the last one, unless what comes does not fit it.
function roomAfter({ buffer, length }) {
  if (length < SMALL_ROOM && buffer.byteLength > SMALL_ROOM) return new ArrayBuffer(SMALL_ROOM);
  if (length === SMALL_ROOM && buffer.byteLength === SMALL_ROOM) return new ArrayBuffer(ROOM);
  return buffer;
}

// The response with its body rewritten.
globalThis.__nearside_rewritten = async (response, rewriting) => {
  const page = new ArrivingPage(response, rewriting);
  await page.atOnce();
  // Who waits in a broken instance must not go on in it; the entry answers instead.
  if (page.isBroken) return new Promise(() => {});
  return new Response(page.body(), response);
};
