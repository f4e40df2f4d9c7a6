// Messages on their way to the edge. None is lost while storage works: what no answer has confirmed is kept
// in `localStorage` when the page is hidden or the edge can't be reached, and the next page sends it. A
// message may thus be sent twice; it counts once, by its id.

const BATCH_URL = "/_ns/v1/batch";
const STORAGE_PREFIX = "ns_q_";
/** Milliseconds without another message before a batch leaves. */
const QUIET = 250;
const MAX_BATCH = 10;
/** At most so many messages wait. */
const MAX_WAITING = 100;
/** Browsers take 64 KiB of requests that outlive their page, of all that are under way. */
const MAX_BYTES = 30_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

const storage = (use) => {
  try {
    return use(localStorage);
  } catch {
    // It is full, or the visitor has blocked it: messages then live as long as the page.
  }
};

const bytesOf = (text) => new TextEncoder().encode(text).length;

/** Whether the edge has taken a batch, or refused it for good; anybody else's page in its place says nothing. */
const isFinal = (answer, said) =>
  said?.success === true ||
  (typeof said?.code == "string" && answer.status >= 400 && answer.status < 500 && answer.status != 429);

export const openOutbox = (storageKey, onConfirmed) => {
  /** `{text, busy}` in the order of their calls. */
  let waiting = [];
  let failures = 0;
  /** Until the visitor is known, nothing leaves. */
  let isPaused = true;
  let sending = new AbortController();
  /** Whether storage has messages for which there was no room. */
  let isMore;
  /** How many requests that outlive the page are under way. */
  let leaving = 0;
  let hasWarned;
  let quietTimer;
  let retryTimer;

  const keep = () => storage((store) => {
    if (waiting.length) store.setItem(storageKey, `[${waiting.map((entry) => entry.text)}]`);
    else store.removeItem(storageKey);
    return true;
  });

  const nextBatch = () => {
    let bytes = 0;
    return waiting.filter((entry) => !entry.busy).slice(0, MAX_WAITING).filter((entry, place) => {
      bytes += bytesOf(entry.text);
      return place == 0 || bytes < MAX_BYTES;
    });
  };

  const post = async (batch, signal, keepalive) => {
    const request = {
      method: "POST",
      signal,
      headers: { "content-type": "application/json" },
      body: `{"batch":[${batch.map((entry) => entry.text)}],"sentAt":"${new Date().toISOString()}"}`,
    };
    try {
      return await fetch(BATCH_URL, { ...request, keepalive });
    } catch {
      // Too much was under way for a request that outlives the page; or there is no network, and this fails too.
      return fetch(BATCH_URL, request);
    }
  };

  const retryLater = (answer) => {
    const asked = 1_000 * answer?.headers.get("retry-after");
    const delay = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** failures++) * (0.5 + Math.random() / 2);
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => {
      retryTimer = 0;
      flush();
    }, Math.max(asked || 0, delay));
  };

  const deliver = async (batch, isLast) => {
    const { signal } = sending;
    for (const entry of batch) entry.busy = true;
    let answer;
    let said;
    try {
      answer = await post(batch, signal, isLast);
      said = await answer.json();
    } catch {
      // There is no answer, or it is not the edge's.
    }
    if (signal.aborted) return;
    for (const entry of batch) entry.busy = false;
    if (!isFinal(answer, said)) {
      keep();
      retryLater(answer);
      return;
    }
    // What the edge has refused for good would be refused again.
    failures = 0;
    waiting = waiting.filter((entry) => !batch.includes(entry));
    keep();
    if (Array.isArray(said.confirmed)) onConfirmed(said.confirmed);
    if (isMore && !waiting.length) adopt();
    flush();
  };

  const flush = () => {
    clearTimeout(quietTimer);
    if (isPaused || retryTimer || waiting.some((entry) => entry.busy)) return;
    const batch = nextBatch();
    if (batch.length) deliver(batch);
  };

  const add = (text) => {
    waiting.push({ text });
    if (waiting.length > MAX_WAITING) {
      waiting.splice(waiting.findIndex((entry) => !entry.busy), 1);
      if (!hasWarned) console.warn(`nearside: more than ${MAX_WAITING} events wait, the oldest are lost`);
      hasWarned = true;
    }
    clearTimeout(quietTimer);
    if (waiting.length >= MAX_BATCH) flush();
    else quietTimer = setTimeout(flush, QUIET);
  };

  const abort = () => {
    sending.abort();
    sending = new AbortController();
    for (const entry of waiting) entry.busy = false;
  };

  /**
   * The page may end now: everything leaves at once, by requests that outlive it, also what is under way. Only
   * now, since browsers don't abort such requests, and after a reset their answers would be the old visitor's.
   */
  const leave = async () => {
    keep();
    // Browsers tell of a page's end more than once.
    if (!leaving) abort();
    const batch = nextBatch();
    if (!batch.length || isPaused) return;
    leaving++;
    await deliver(batch, true);
    leaving--;
  };

  /** Takes over what earlier pages and ended tabs left, as far as there is room. */
  const adopt = () => storage((store) => {
    isMore = false;
    for (const key of Object.keys(store)) {
      if (!key.startsWith(STORAGE_PREFIX) || key == storageKey) continue;
      let texts = [];
      try {
        texts = JSON.parse(store.getItem(key)).map((message) => JSON.stringify(message)).slice(-MAX_WAITING);
      } catch {
        // It was not written by us, or not to its end.
      }
      const known = new Set(waiting.map((entry) => entry.text));
      const entries = texts.filter((text) => !known.has(text)).map((text) => ({ text }));
      if (waiting.length + entries.length > MAX_WAITING) {
        isMore = true;
        continue;
      }
      waiting.push(...entries);
      // First into the own place, so that a crash between the two loses nothing.
      if (keep()) store.removeItem(key);
    }
  });

  /** Nothing leaves until `resume`, and no answer comes any more: it would bring the old visitor's cookies. */
  const pause = () => {
    isPaused = true;
    clearTimeout(retryTimer);
    retryTimer = 0;
    abort();
  };

  const resume = () => {
    isPaused = false;
    flush();
  };

  /** Gives a visitor's id to what has none. */
  const sign = (anonymousId) => {
    for (const entry of waiting) {
      const message = JSON.parse(entry.text);
      message.anonymousId ??= anonymousId;
      entry.text = JSON.stringify(message);
    }
  };

  /** Forgets everything, also what other pages left. */
  const clear = () => {
    waiting = [];
    storage((store) => {
      for (const key of Object.keys(store)) if (key.startsWith(STORAGE_PREFIX)) store.removeItem(key);
    });
  };

  return { add, leave, adopt, pause, resume, sign, clear, texts: () => waiting.map((entry) => entry.text) };
};
