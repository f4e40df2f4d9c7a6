// The engine in the page: starts from what the edge wrote, folds each event at once, and shows what is decided.

import load, { Engine, Replay } from "#glue";
import { openOutbox } from "./outbox.js";
import { openEditor } from "./page_editor.js";

export { Engine, Replay };

const WASM_URL = "__NEARSIDE_WASM_URL__";
/** Seconds that the journal's cookie lives: longer than a visit that goes on, shorter than one that was left. */
const JOURNAL_AGE = 4 * 3600;
/** The longest that a timer waits before the engine is asked again. */
const LONGEST_TIMER = 3_600_000;

/** Loads the engine's module; `Engine` and `Replay` work when it is done. */
export const init = (module = WASM_URL) => load({ module_or_path: module });

const cookie = (name) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1];

const ok = (answer) => {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  return answer;
};

/** A page's state, and what to add to this machine's clock to get the edge's. */
const readState = (text, instant) => {
  const page = JSON.parse(text);
  return { text, page, offset: page.now - instant };
};

const writtenState = () => {
  const element = document.getElementById("nearside-state");
  if (!element) return;
  const [navigation] = performance.getEntriesByType("navigation");
  const { responseStart, transferSize } = navigation || {};
  const state = readState(element.textContent, responseStart ? performance.timeOrigin + responseStart : Date.now());
  // What comes from the browser's cache was written for an earlier visit: its state and its clock are stale.
  state.stale = transferSize === 0;
  return state;
};

const fetchState = async (url, method) => {
  const text = await ok(await fetch(url, { method, cache: "no-store" })).text();
  return readState(text, Date.now());
};

/** Called by the loader with what it has gathered; see there. */
export const start = async (hub) => {
  const editor = openEditor();
  /** What the edge has put into this document: experience → `{variant, left}`. */
  const applied = new Map();
  let engine;
  let state;
  let timer;
  /** Whether the edge has counted the view of this page, so that a bare `page()` is not another one. */
  let isCounted;
  /** While the state is replaced, what comes is kept here. */
  let held;

  const now = () => Date.now() + state.offset;

  const writeJournal = () => {
    const before = cookie("ns_j") || "";
    const text = engine.journal(before, now());
    if (text == before) return;
    const secure = location.protocol == "https:" ? "; Secure" : "";
    document.cookie = `ns_j=${text}; Path=/; SameSite=Lax; Max-Age=${text ? JOURNAL_AGE : 0}${secure}`;
  };

  const outbox = openOutbox(hub.storageKey, (keys) => {
    if (!engine || !keys.length) return;
    engine.confirm(Uint32Array.from(keys));
    writeJournal();
  });

  const editsOf = (decided, experience) => {
    const place = decided.places[experience];
    const text = engine.edits(experience, place, now());
    const { experience: id, variant } = decided.decisions[experience];
    const before = applied.get(id);
    if (before?.variant !== variant) return { key: `${experience} ${text}`, edits: JSON.parse(text) };
    // The edge has done the rest; its content is not filled in again when a value changes.
    const edits = JSON.parse(text).filter((_, index) => before.left.includes(index));
    return { key: `${experience} ${JSON.stringify(edits)}`, edits };
  };

  const notify = (current) => {
    hub.current = current;
    for (const listener of hub.listeners) {
      try {
        listener(current);
      } catch (error) {
        // A listener's mistake is the page's, and must not stop the others.
        setTimeout(() => { throw error; });
      }
    }
    document.dispatchEvent(new CustomEvent("nearside:decisions", { detail: current }));
  };

  /** The engine has no known way to fail; if it does, the page goes on without, and events are still sent. */
  const guarded = (act) => {
    if (!engine) return;
    try {
      act();
    } catch (error) {
      engine = undefined;
      console.warn("nearside:", error);
    }
  };

  /** Decides anew and makes the page fit. */
  const update = () => guarded(() => {
    engine.consent(cookie("ns_c"));
    const decided = JSON.parse(engine.decide(now()));
    const wanted = [];
    decided.places.forEach((place, experience) => place === null || wanted.push(editsOf(decided, experience)));
    editor.show(wanted);
    clearTimeout(timer);
    if (decided.nextChangeAt) {
      timer = setTimeout(update, Math.min(Math.max(decided.nextChangeAt - now(), 0) + 1, LONGEST_TIMER));
    }
    const { decisions, segments } = decided;
    if (JSON.stringify({ decisions, segments }) != JSON.stringify(hub.current)) notify({ decisions, segments });
  });

  const receive = (item) => {
    if (held) return held.push(item);
    if (!item) return reset();
    let text = item;
    let isWanted = true;
    guarded(() => {
      if (text.startsWith('{"type":"page",')) {
        const wasCounted = isCounted;
        isCounted = false;
        engine.url(location.href);
        if (wasCounted && text.startsWith('{"type":"page","messageId"')) isWanted = false;
      }
      engine.consent(cookie("ns_c"));
      isWanted &&= engine.records();
      if (!isWanted) return;
      text = `{"anonymousId":${JSON.stringify(state.page.visitor)},${text.slice(1)}`;
      const sent = Date.now();
      // 3: the next page's decisions may depend on it.
      if (engine.fold(text, sent + state.offset, sent) == 3) writeJournal();
    });
    if (isWanted) outbox.add(text);
    update();
  };

  /** Starts from a state, with everything that the edge may not have seen yet. */
  const begin = async (fresh) => {
    if (!engine || fresh.page.program != state.page.program) {
      const answer = await fetch(`/_ns/program-${fresh.page.program}.bin`);
      fresh.program = new Uint8Array(await ok(answer).arrayBuffer());
    } else {
      fresh.program = state.program;
    }
    await init();
    const next = Engine.start(fresh.program, fresh.text, location.href);
    if (!next) throw new Error("the program or the state can't be read");
    engine?.free();
    [engine, state] = [next, fresh];
    engine.adopt(cookie("ns_j") || "", now());
    const sent = Date.now();
    for (const text of outbox.texts()) engine.fold(text, sent + state.offset, sent);
    engine.consent(cookie("ns_c"));
    if (engine.records()) writeJournal();
    else outbox.clear();
  };

  const release = () => {
    const items = held || [];
    held = undefined;
    update();
    items.forEach(receive);
  };

  const restart = async (url, method) => {
    held ||= [];
    try {
      await begin(await fetchState(url, method));
    } catch (error) {
      // The edge can't be reached: what is known goes on.
      console.warn("nearside:", error);
    }
    release();
  };

  const reset = async () => {
    held = [];
    await outbox.flush();
    document.cookie = "ns_j=; Path=/; SameSite=Lax; Max-Age=0";
    await restart("/_ns/v1/reset", "POST");
  };

  try {
    let first = writtenState();
    for (const [experience, variant, left] of first?.page.applied || []) applied.set(experience, { variant, left });
    isCounted = !!first?.page.pageView && !first.stale;
    if (!first || first.stale) first = await fetchState("/_ns/state");
    await begin(first);
  } catch (error) {
    // Nothing can be decided here, but events can still be sent.
    console.warn("nearside:", error);
  }
  hub.receive = receive;
  if (!engine || engine.records()) outbox.adopt();
  update();
  hub.queue.splice(0).forEach(receive);

  addEventListener("pagehide", outbox.leave);
  addEventListener("pageshow", (event) => event.persisted && restart("/_ns/state"));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState == "hidden") outbox.leave();
    else held || update();
  });
};
