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
/** Browsers take 64 KiB of requests that outlive their page. */
const MAX_CHARACTERS = 30_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

const storage = (use) => {
  try {
    return use(localStorage);
  } catch {
    // It is full, or the visitor has blocked it: messages then live as long as the page.
  }
};

export const openOutbox = (storageKey, onConfirmed) => {
  /** `{text, busy}` in the order of their calls. */
  let waiting = [];
  let failures = 0;
  let quietTimer;
  let retryTimer;

  const keep = () => storage((store) => {
    if (waiting.length) store.setItem(storageKey, `[${waiting.map((entry) => entry.text)}]`);
    else store.removeItem(storageKey);
  });

  const nextBatch = () => {
    let characters = 0;
    return waiting.filter((entry) => !entry.busy).slice(0, MAX_WAITING).filter((entry, place) => {
      characters += entry.text.length;
      return place == 0 || characters < MAX_CHARACTERS;
    });
  };

  const post = async (batch) => {
    const request = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"batch":[${batch.map((entry) => entry.text)}],"sentAt":"${new Date().toISOString()}"}`,
    };
    try {
      return await fetch(BATCH_URL, { ...request, keepalive: true });
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

  const deliver = async (batch) => {
    for (const entry of batch) entry.busy = true;
    let answer;
    try {
      answer = await post(batch);
    } catch {
      // There is no answer.
    }
    if (!answer || answer.status == 429 || answer.status >= 500) {
      for (const entry of batch) entry.busy = false;
      keep();
      retryLater(answer);
      return;
    }
    // What the edge has refused for good would be refused again.
    failures = 0;
    waiting = waiting.filter((entry) => !batch.includes(entry));
    keep();
    try {
      onConfirmed((await answer.json()).confirmed || []);
    } catch {
      // It is not the edge's answer: nothing is confirmed by it.
    }
    flush();
  };

  const flush = () => {
    clearTimeout(quietTimer);
    if (retryTimer || waiting.some((entry) => entry.busy)) return;
    const batch = nextBatch();
    if (batch.length) return deliver(batch);
  };

  const add = (text) => {
    waiting.push({ text });
    if (waiting.length > MAX_WAITING) waiting.shift();
    clearTimeout(quietTimer);
    if (waiting.length >= MAX_BATCH) flush();
    else quietTimer = setTimeout(flush, QUIET);
  };

  /** The page may end now: everything leaves at once, also what else would wait for an answer. */
  const leave = () => {
    keep();
    const batch = nextBatch();
    if (batch.length) deliver(batch);
  };

  /** Takes over what earlier pages and ended tabs left. */
  const adopt = () => storage((store) => {
    const keys = Object.keys(store).filter((key) => key.startsWith(STORAGE_PREFIX) && key != storageKey);
    for (const key of keys) {
      const known = new Set(waiting.map((entry) => entry.text));
      try {
        for (const message of JSON.parse(store.getItem(key))) {
          const text = JSON.stringify(message);
          if (!known.has(text) && waiting.length < MAX_WAITING) waiting.push({ text });
        }
      } catch {
        // It was not written by us, or not to its end.
      }
      // First into the own place, so that a crash between the two loses nothing.
      keep();
      store.removeItem(key);
    }
    if (keys.length) flush();
  });

  const clear = () => {
    waiting = [];
    keep();
  };

  return { add, flush, leave, adopt, clear, texts: () => waiting.map((entry) => entry.text) };
};
