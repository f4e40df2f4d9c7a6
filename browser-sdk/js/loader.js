// The loader: makes `window.nearside` at once, keeps what is tracked until the engine is there, and sends it by
// itself where the engine can't come. Nothing in here may throw into the page.
(() => {
  const { document, localStorage: storage, nearside: early } = (() => {
    try {
      return { document: window.document, localStorage: window.localStorage, nearside: window.nearside };
    } catch {
      // Reading `localStorage` throws where the visitor has blocked it.
      return { document: window.document, nearside: window.nearside };
    }
  })();
  if (early?.track) return;

  const makeId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const storageKey = `ns_q_${makeId()}`;

  // What the engine takes over. `queue` holds messages as JSON text, and `0` for each call of `reset`.
  const hub = { queue: [], listeners: [], storageKey };

  let timer;
  const send = () => {
    const texts = hub.queue.filter(Boolean);
    if (!texts[0]) return;
    try {
      // What no answer confirms is sent again by the next page; a message counts once, by its id.
      storage.setItem(storageKey, `[${texts}]`);
    } catch {}
    fetch("/_ns/v1/batch", {
      method: "POST",
      keepalive: true,
      body: `{"batch":[${texts}],"sentAt":"${new Date().toISOString()}"}`,
    }).then((answer) => {
      // An engine that came meanwhile sends the queue itself, after it has folded it.
      if (!answer.ok || hub.receive) return;
      hub.queue = hub.queue.filter((text) => !texts.includes(text));
      storage.removeItem(storageKey);
    }).catch(() => {});
  };

  const put = (item) => {
    if (hub.receive) return hub.receive(item);
    hub.queue.push(item);
    if (hub.alone) {
      clearTimeout(timer);
      timer = setTimeout(send, 1000);
    }
  };

  const message = (type, fields) => {
    try {
      const { href: url, pathname: path, search } = location;
      put(JSON.stringify({
        type,
        ...fields,
        messageId: makeId(),
        timestamp: new Date().toISOString(),
        context: {
          page: { url, path, search, referrer: document.referrer, title: document.title },
          library: { name: "nearside", version: "0.1.0" },
        },
      }));
    } catch (error) {
      console.warn("nearside:", error);
    }
  };

  const isObject = (value) => value && typeof value == "object";
  const nearside = window.nearside = {
    page: (name, properties) => message("page", isObject(name) ? { properties: name } : { name, properties }),
    track: (event, properties) => message("track", { event, properties }),
    identify: (userId, traits) => message("identify", isObject(userId) ? { traits: userId } : { userId, traits }),
    reset: () => put(0),
    on: (listener) => {
      hub.listeners.push(listener);
      if (hub.current) listener(hub.current);
      return () => (hub.listeners = hub.listeners.filter((other) => other != listener));
    },
    decisions: () => hub.current,
    push: ([name, ...values]) => nearside[name]?.(...values),
  };
  if (Array.isArray(early)) early.forEach(nearside.push);

  addEventListener("visibilitychange", () => hub.receive || (document.visibilityState == "hidden" && send()));
  addEventListener("pagehide", () => hub.receive || send());

  import("__NEARSIDE_ENGINE_URL__").then((engine) => engine.start(hub)).catch(() => {
    hub.alone = 1;
    send();
  });
})();
