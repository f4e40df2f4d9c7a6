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
/**
 * Stands in the journal's place after a reset, with the new visitor's id: the edge makes them of who brings it,
 * and ends it. Whoever asks, and how often, becomes the same visitor.
 */
const RESET = /^r(\.|$)/;
/** Seconds that it lives: it must outlive the time in which the edge can't be reached. */
const RESET_AGE = 9_999_999;
/** Where in storage the tabs tell each other of a reset. */
const RESET_KEY = "ns_r";
/** Milliseconds that an answer about the visitor may take, and that the next question waits. */
const PATIENCE = 5_000;
const LONGEST_PATIENCE = 60_000;

/** A message of `page()`; the group is there if it has nothing that the edge has not counted already. */
const PAGE = /^\{"type":"page",("anonymousId"|"messageId")?/;

/** Loads the engine's module; `Engine` and `Replay` work when it is done. */
export const init = (module = WASM_URL) => load({ module_or_path: module });

/** Seconds that the cookie lives which says that the visitor was just sent to this page; the edge has it too. */
const SENT_AGE = 10;

const cookie = (name) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1];

/** What a reset has written, until the edge ends it. */
const resetMark = () => {
  const text = cookie("ns_j");
  return RESET.test(text) && text;
};

const writeCookie = (text, age, name = "ns_j") => {
  const secure = location.protocol == "https:" ? "; Secure" : "";
  document.cookie = `${name}=${text}; Path=/; SameSite=Lax; Max-Age=${age}${secure}`;
};

/** The last reset in any tab, and the way to tell of one. */
const lastReset = () => {
  try {
    return localStorage.getItem(RESET_KEY);
  } catch {
    // The visitor has blocked it: the other tabs learn of it by their next page.
  }
};
const announceReset = () => {
  try {
    localStorage.setItem(RESET_KEY, `${Date.now()}-${Math.random()}`);
  } catch {
    // As above.
  }
};

/** Halves of characters, as a cut text ends with, are no JSON elsewhere; whole ones are not escaped. */
const repair = (json) => json.replace(/\\(\\|ud[89a-f]..)/g, (found) => (found[1] == "u" ? "\\ufffd" : found));

const makeId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

const ok = (answer) => {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  return answer;
};

/** A page's state, and what to add to this machine's clock to get the edge's. */
const readState = (text, instant) => {
  const page = JSON.parse(text);
  if (!/^[0-9a-f]{16}$/.test(page.program)) throw new Error("this is not the edge's state");
  return { text, page, offset: page.now - instant };
};

const writtenState = () => {
  const element = document.querySelector('script#nearside-state[type="application/json"]');
  const [navigation] = performance.getEntriesByType("navigation");
  const { responseStart, transferSize } = navigation || {};
  try {
    const state = readState(element.textContent, responseStart ? performance.timeOrigin + responseStart : Date.now());
    // What comes from the browser's cache was written for an earlier visit: its state and its clock are stale.
    state.stale = transferSize === 0;
    return state;
  } catch {
    // The edge has not written this page, or somebody has changed what it wrote.
  }
};

const fetchState = async (url, options) => {
  const text = await ok(await fetch(url, { ...options, cache: "no-store" })).text();
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
  /** After a reset, until the new visitor is known: what comes is theirs, and waits without an id. */
  let isOther;
  /** The last reset that `state` knows of. */
  let knownReset = lastReset();
  const firstPath = location.pathname;
  let hasMoved;
  let asking = new AbortController();
  let otherTab;
  const wasSent = cookie("ns_to");
  if (wasSent) writeCookie("", 0, "ns_to");

  const now = () => Date.now() + state.offset;

  const writeJournal = () => {
    const before = cookie("ns_j") || "";
    if (RESET.test(before)) return;
    const text = engine.journal(before, now());
    if (text != before) writeCookie(text, text ? JOURNAL_AGE : 0);
  };

  const outbox = openOutbox(hub.storageKey, (keys) => {
    if (!engine || !keys.length) return;
    engine.confirm(Uint32Array.from(keys));
    writeJournal();
  });

  /** Whether the visitor agrees to be recorded; of who does not, nothing stays. */
  const mayRecord = () => {
    engine.consent(cookie("ns_c"));
    if (engine.records()) return true;
    outbox.clear();
    if (cookie("ns_j") && !resetMark()) writeCookie("", 0);
  };

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
    for (const listener of [...hub.listeners]) {
      // A listener has tracked something: all have heard of what came of it, and this is past.
      if (hub.current !== current) return;
      try {
        listener(current);
      } catch (error) {
        // A listener's mistake is the page's, and must not stop the others.
        setTimeout(() => { throw error; });
      }
    }
    if (hub.current === current) document.dispatchEvent(new CustomEvent("nearside:decisions", { detail: current }));
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
    mayRecord();
    const decided = JSON.parse(engine.decide(now()));
    const wanted = [];
    if (location.pathname != firstPath) hasMoved = true;
    decided.decisions.forEach(({ experience, variant }, index) => {
      // The page has shown something else meanwhile: what the edge wrote into the first is gone with it.
      if (hasMoved && (decided.places[index] === null || applied.get(experience)?.variant !== variant)) applied.delete(experience);
    });
    decided.places.forEach((place, experience) => place === null || wanted.push(editsOf(decided, experience)));
    editor.show(wanted);
    clearTimeout(timer);
    if (decided.nextChangeAt) {
      timer = setTimeout(update, Math.min(Math.max(decided.nextChangeAt - now(), 0) + 1, LONGEST_TIMER));
    }
    const { decisions, segments, features = {} } = decided;
    const current = { decisions, segments, features };
    if (JSON.stringify(current) != JSON.stringify(hub.current)) notify(current);
  });

  const receive = (item) => {
    if (!item) return reset();
    const text = repair(item);
    let isWanted = true;
    guarded(() => {
      const page = PAGE.exec(text);
      if (page) {
        const wasCounted = isCounted;
        isCounted = false;
        engine.url(location.href);
        if (wasCounted && page[1]) isWanted = false;
      }
      isWanted = mayRecord() && isWanted;
      if (!isWanted || isOther) return;
      const sent = Date.now();
      // 3: the next page's decisions may depend on it.
      if (engine.fold(text, sent + state.offset, sent) == 3) writeJournal();
    });
    if (isWanted) outbox.add(text);
    update();
  };

  /** Folds what the edge may not have seen yet, if it is this visitor's. */
  const catchUp = () => guarded(() => {
    if (!mayRecord()) return;
    outbox.sign(state.page.visitor);
    const sent = Date.now();
    for (const text of outbox.texts()) engine.fold(text, sent + state.offset, sent);
    writeJournal();
  });

  /** Starts from a state. */
  const begin = async (fresh) => {
    const { signal } = asking;
    if (!engine || fresh.page.program != state.page.program) {
      const answer = await fetch(`/_ns/program-${fresh.page.program}.bin`);
      fresh.program = new Uint8Array(await ok(answer).arrayBuffer());
    } else {
      fresh.program = state.program;
    }
    await init();
    if (signal.aborted) return;
    const next = Engine.start(fresh.program, fresh.text, location.href);
    if (!next) throw new Error("the program or the state can't be read");
    engine?.free();
    [engine, state] = [next, fresh];
    hub.visitor = state.page.visitor;
    isOther = false;
    guarded(() => engine.adopt(cookie("ns_j") || "", now()));
    catchUp();
  };

  /** Takes the newest state. Meanwhile the old engine goes on; after a reset that is all it does. */
  const restart = async () => {
    asking.abort();
    for (let patience = PATIENCE; ; patience = Math.min(2 * patience, LONGEST_PATIENCE)) {
      const mine = asking = new AbortController();
      const timer = setTimeout(() => mine.abort(), patience);
      const mark = resetMark();
      try {
        const [url, method] = mark ? ["/_ns/v1/reset", "POST"] : ["/_ns/state", "GET"];
        const fresh = await fetchState(url, { method, signal: mine.signal });
        clearTimeout(timer);
        if (asking != mine) return;
        // The edge ends it, but writes no cookies for who does not agree to be remembered.
        if (mark && cookie("ns_j") == mark) writeCookie("", 0);
        await begin(fresh);
      } catch (error) {
        // The edge can't be reached.
        console.warn("nearside:", error);
      }
      clearTimeout(timer);
      if (asking != mine) return;
      if (!isOther || !engine) break;
      // The old visitor's state is nobody's to go on with: it is asked for until it comes.
      await new Promise((resolve) => setTimeout(resolve, patience));
      if (asking != mine) return;
    }
    isOther = false;
    outbox.resume();
    update();
  };

  /**
   * Sends the visitor to another page, where the edge could not. Who was just sent here, or has no cookie that
   * would say so, stays; and so does who is there already.
   */
  const redirect = () => guarded(() => {
    const target = engine.redirect(now());
    const bare = ({ href }) => href.split("#")[0];
    if (!target || wasSent) return;
    const url = new URL(target, location.href);
    if (bare(url) == bare(location)) return;
    writeCookie(1, SENT_AGE, "ns_to");
    if (cookie("ns_to")) location.replace(url);
  });

  const becomeOther = () => {
    isOther = true;
    hub.visitor = undefined;
    knownReset = lastReset();
    outbox.pause();
  };

  const reset = async () => {
    // What came since an earlier reset is neither the old visitor's nor the next one's.
    outbox.sign(isOther || !engine ? makeId() : state.page.visitor);
    writeCookie(resetMark() || `r.${makeId()}`, RESET_AGE);
    announceReset();
    becomeOther();
    await restart();
    // Once more: now the other tabs can have the new visitor's state.
    announceReset();
    knownReset = lastReset();
  };

  /** Another tab has become somebody else: so does this one, when that is done or will not be. */
  const follow = () => {
    if (lastReset() === knownReset) return;
    becomeOther();
    asking.abort();
    clearTimeout(otherTab);
    otherTab = setTimeout(restart, resetMark() ? PATIENCE : 0);
  };

  let isWritten;
  try {
    let first = writtenState();
    isWritten = !!first;
    for (const [experience, variant, left] of first?.page.applied || []) applied.set(experience, { variant, left });
    isCounted = !!first?.page.pageView && !first.stale;
    if (!first || first.stale) first = await fetchState("/_ns/state", {});
    await begin(first);
  } catch (error) {
    // Nothing can be decided here, but events can still be sent.
    console.warn("nearside:", error);
  }
  hub.receive = receive;
  if (!engine || mayRecord()) outbox.adopt();
  catchUp();
  update();
  hub.queue.splice(0).forEach(receive);
  if (!isWritten && !isOther) redirect();
  if (!isOther && resetMark()) {
    // Another tab is about to become somebody else.
    becomeOther();
    otherTab = setTimeout(restart, PATIENCE);
  }
  if (!isOther) outbox.resume();

  addEventListener("storage", ({ key }) => key == RESET_KEY && follow());
  addEventListener("pagehide", () => {
    // An answer that comes after the next page's would bring older cookies.
    asking.abort();
    outbox.leave();
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    if (lastReset() !== knownReset) becomeOther();
    restart();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState == "hidden") outbox.leave();
    else update();
  });
};
