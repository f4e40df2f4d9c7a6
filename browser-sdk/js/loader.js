// The loader: makes `window.nearside` at once, keeps what is tracked until the engine is there, and sends it by
// itself where the engine can't come. Nothing in here may throw into the page.
(() => {
  const early = window.nearside;
  if (early?.track) return;

  let visitor;
  let pageView;
  let storage;
  try {
    const { textContent } = document.querySelector('script#nearside-state[type="application/json"]');
    ({ visitor, pageView } = JSON.parse(textContent));
  } catch {}
  try {
    // Reading this throws where the visitor has blocked it.
    storage = localStorage;
  } catch {}

  const makeId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const storageKey = `ns_q_${makeId()}`;

  // What the engine takes over. `queue` holds messages as JSON text, and `0` for each call of `reset`.
  // `visitor` is whose messages are: who has no id yet is given one by the edge.
  const hub = { queue: [], listeners: [], storageKey, visitor };

  /** The first message of `page`, if the edge has counted that view already. */
  let counted;

  let timer;
  const send = () => {
    const texts = hub.queue.filter((text) => text && text != counted);
    if (!texts[0]) return;
    try {
      // Who has refused it is not recorded.
      if (/ns_c=(?!all|[^;]*analytics)/.test(document.cookie)) return;
      // What no answer confirms is sent again by the next page; a message counts once, by its id.
      storage.setItem(storageKey, `[${texts}]`);
      // After a reset, this and the next page would each be given an id: that page sends it.
      if (/ns_j=r\./.test(document.cookie)) return;
    } catch {}
    fetch("/_ns/v1/batch", {
      method: "POST",
      keepalive: true,
      body: `{"batch":[${texts}],"sentAt":"${new Date().toISOString()}"}`,
    }).then(async (answer) => {
      // Another's page in the edge's place is no answer. An engine that came meanwhile sends the queue itself,
      // after it has folded it.
      if (!(await answer.json()).success || hub.receive) return;
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
      const { referrer, title } = document;
      const text = JSON.stringify({
        type,
        ...fields,
        anonymousId: hub.visitor,
        messageId: makeId(),
        timestamp: new Date().toISOString(),
        context: {
          page: { url, path, search, referrer, title },
          library: { name: "nearside", version: "0.1.0" },
        },
      });
      if (type == "page") counted ??= pageView && !fields.name && !fields.properties && text;
      put(text);
    } catch (error) {
      console.warn("nearside:", error);
    }
  };

  const isObject = (value) => value === Object(value);
  const nearside = window.nearside = {
    page: (name, properties) => message("page", isObject(name) ? { properties: name } : { name, properties }),
    track: (event, properties) => message("track", { event, properties }),
    identify: (userId, traits) => message("identify", isObject(userId) ? { traits: userId } : { userId, traits }),
    reset: () => {
      hub.visitor = undefined;
      // The edge makes this new visitor of who brings it, whichever requests come first, and from whatever tab.
      document.cookie = `ns_j=r.${makeId()};path=/;samesite=lax;max-age=9999999`;
      put(0);
    },
    on: (listener) => {
      hub.listeners.push(listener);
      if (hub.current) listener(hub.current);
      return () => (hub.listeners = hub.listeners.filter((other) => other != listener));
    },
    decisions: () => hub.current,
    push: (call) => Array.isArray(call) && nearside[call[0]]?.(...call.slice(1)),
  };
  if (Array.isArray(early)) early.forEach(nearside.push);

  const leave = () => hub.receive || send();
  addEventListener("visibilitychange", leave);
  addEventListener("pagehide", leave);

  import("__NEARSIDE_ENGINE_URL__").then((engine) => engine.start(hub)).catch(() => {
    hub.alone = 1;
    send();
  });
})();
