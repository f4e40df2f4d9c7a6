// Applies edits to the page, and takes them back exactly: the nodes that were there come back, not copies.
//
// What is applied is a stack. To take back one experience, everything above it is taken back too, and then
// applied again: so the page always looks as if the edits had been applied in the program's order, as the
// edge applies them. What the page itself has changed meanwhile is left alone.

/** After so many runs without a pause, the page's scripts and the edits are undoing each other. */
const MAX_RUNS = 25;
const PAUSE = 250;
/** Elements without content, and those whose content the edge leaves alone, since nothing is escaped in it. */
const VOID = /^(area|base|basefont|bgsound|br|col|embed|frame|hr|img|input|keygen|link|meta|param|source|track|wbr)$/;
const RAW = /^(iframe|noembed|noframes|noscript|plaintext|script|style|template|xmp)$/;
/** Elements that are not unwrapped: their content would be read as something else. */
const KEPT = /^(body|caption|col|colgroup|frameset|head|html|math|select|svg|t(able|body|d|extarea|foot|h|head|itle|r))$/;
/** Elements of SVG and MathML in which HTML stands again. */
const HOLDS_HTML = /^(annotation-xml|desc|foreignobject|m[inos]|mtext)$/i;
const HTML = "http://www.w3.org/1999/xhtml";

let policy;
const trusted = (html) => {
  if (!window.trustedTypes) return html;
  policy ??= trustedTypes.createPolicy("nearside", { createHTML: (text) => text });
  return policy.createHTML(html);
};

/** Nodes that an edit has put into the page: selectors are for the page's own elements. */
const added = new WeakSet();
const isAdded = (node) => {
  for (; node; node = node.parentNode) if (added.has(node)) return true;
};

const mark = (nodes) => {
  nodes.forEach((node) => added.add(node));
  return nodes;
};

const parse = (html, parent) => {
  const range = document.createRange();
  range.selectNodeContents(parent);
  return mark([...range.createContextualFragment(trusted(html)).childNodes]);
};

const drop = (nodes) => nodes.forEach((node) => node.remove());

/** Elements that were taken out: an empty text node keeps their place, and `nodes` stand in for them. */
const gone = new WeakMap();

const takeOut = (element) => {
  if (gone.has(element) || !element.parentNode) return;
  const anchor = document.createTextNode("");
  element.replaceWith(anchor);
  gone.set(element, { anchor, nodes: [] });
  return () => {
    gone.delete(element);
    if (anchor.parentNode && !element.parentNode) anchor.replaceWith(element);
    else anchor.remove();
  };
};

/** Whether the page has dropped a node; what we took out has its place still. */
const isLost = (node) => {
  if (node.isConnected) return false;
  while (node.parentNode && !gone.has(node)) node = node.parentNode;
  return !gone.has(node) || isLost(gone.get(node).anchor);
};

const setAttribute = (element, name, value, undoChanged) => {
  const before = element.getAttribute(name);
  if (before === value) return;
  const set = (text) => (text === null ? element.removeAttribute(name) : element.setAttribute(name, text));
  set(value);
  return () => (element.getAttribute(name) === value ? set(before) : undoChanged?.());
};

/** What takes several changes back, the newest first. */
const all = (undos) => {
  const done = undos.filter(Boolean).reverse();
  return done[0] && (() => done.forEach((undo) => undo()));
};

const words = (text) => text.split(/[\t\n\f\r ]+/).filter(Boolean);

const takesContent = ({ localName, namespaceURI }) => !((namespaceURI == HTML && VOID.test(localName)) || RAW.test(localName));

const setContent = (element, nodes) => {
  if (!takesContent(element)) return;
  const before = [...element.childNodes];
  element.replaceChildren(...nodes);
  const text = element.textContent;
  return () => {
    const now = [...element.childNodes];
    const unchanged = now.length == nodes.length && now.every((node, place) => node == nodes[place]);
    if (unchanged && element.textContent == text) element.replaceChildren(...before);
  };
};

const setStyle = (element, name, content) => {
  // The property is set, not the attribute: content security policies forbid only the latter.
  const { style } = element;
  const [, value, priority] = /^(.*?)\s*(?:!\s*(important))?\s*$/is.exec(content);
  const [attribute, all] = [element.getAttribute("style"), style.cssText];
  const [oldValue, oldPriority] = [style.getPropertyValue(name), style.getPropertyPriority(name)];
  style.setProperty(name, value, priority || "");
  const [newAttribute, newValue] = [element.getAttribute("style"), style.getPropertyValue(name)];
  if (newAttribute === attribute) return;
  return () => {
    if (element.getAttribute("style") === newAttribute) {
      if (attribute === null) return element.removeAttribute("style");
      element.setAttribute("style", attribute);
      if (style.cssText != all) style.cssText = all;
    } else if (style.getPropertyValue(name) == newValue) {
      style.setProperty(name, oldValue, oldPriority);
    }
  };
};

const insert = (parent, html, put) => {
  if (!parent) return;
  const nodes = parse(html, parent);
  put(nodes);
  return () => drop(nodes);
};

const inside = (element, html, put) => (takesContent(element) ? insert(element, html, put) : undefined);

/** The last element that an edit has moved, by its `done`: those that it moves keep their order. */
const behind = new WeakMap();

/** Puts an element that the head has not at its end; before the body is there, it may still come. */
const addToHead = (element) => {
  if (!document.body) return false;
  mark([element]);
  document.head.append(element);
  return () => element.remove();
};

/**
 * The operations by their names in a manifest. Each gives back what takes it back, if it did anything, or `false`
 * if it can be done only later.
 */
const operations = {
  text: (element, _, content) => setContent(element, content ? mark([document.createTextNode(content)]) : []),
  html: (element, _, content) => setContent(element, parse(content, element)),
  attribute: (element, name, content) => setAttribute(element, name, content),
  removeAttribute: (element, name) => setAttribute(element, name, null),
  style: setStyle,
  addClass: (element, _, content) => {
    const before = element.getAttribute("class") || "";
    const known = words(before);
    const missing = words(content).filter((word) => !known.includes(word));
    if (!missing[0]) return;
    // What else `trim` takes away is a part of a class.
    const value = [before.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, ""), ...missing].filter(Boolean).join(" ");
    return setAttribute(element, "class", value, () => element.classList.remove(...missing));
  },
  removeClass: (element, _, content) => {
    const known = words(element.getAttribute("class") || "");
    const unwanted = words(content);
    const dropped = known.filter((word) => unwanted.includes(word));
    if (!dropped[0]) return;
    const value = known.filter((word) => !unwanted.includes(word)).join(" ");
    return setAttribute(element, "class", value, () => element.classList.add(...dropped));
  },
  remove: takeOut,
  before: (element, _, content) => {
    const place = gone.get(element)?.anchor || element;
    return insert(place.parentNode, content, (nodes) => place.before(...nodes));
  },
  after: (element, _, content) => {
    const { nodes, anchor } = gone.get(element) || {};
    const place = nodes?.at(-1) || anchor || element;
    return insert(place.parentNode, content, (nodes) => place.after(...nodes));
  },
  prepend: (element, _, content) => inside(element, content, (nodes) => element.prepend(...nodes)),
  append: (element, _, content) => inside(element, content, (nodes) => element.append(...nodes)),
  replace: (element, _, content) => {
    const { isUnwrapped, anchor } = gone.get(element) || {};
    const parent = (anchor || element).parentNode;
    if (!parent || isUnwrapped) return;
    // First, since the page's policy may forbid it.
    const nodes = parse(content, parent);
    const putBack = takeOut(element);
    const place = gone.get(element);
    const earlier = place.nodes;
    drop(earlier);
    place.anchor.after(...nodes);
    place.nodes = nodes;
    return () => {
      drop(nodes);
      place.nodes = earlier;
      if (putBack) putBack();
      else if (place.anchor.parentNode) place.anchor.after(...earlier);
    };
  },
  unwrap: (element) => {
    const { localName, namespaceURI } = element;
    if (gone.has(element) || !element.parentNode || RAW.test(localName) || KEPT.test(localName)) return;
    if (namespaceURI != HTML && HOLDS_HTML.test(localName)) return;
    const [anchor, end] = ["", ""].map((text) => document.createTextNode(text));
    element.replaceWith(anchor, ...element.childNodes, end);
    gone.set(element, { anchor, nodes: [end], isUnwrapped: true });
    return () => {
      gone.delete(element);
      const isBefore = anchor.compareDocumentPosition(end) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (!element.parentNode && isBefore && anchor.parentNode && anchor.parentNode == end.parentNode) {
        for (let node; (node = anchor.nextSibling) && node != end; ) element.append(node);
        anchor.before(element);
      }
      drop([anchor, end]);
    };
  },
  move: (element, position, selector, done) => {
    if (gone.has(element) || !element.parentNode) return;
    const target = [...document.querySelectorAll(selector)].find((found) => !isAdded(found));
    if (!target) return false;
    if (element.contains(target)) return;
    const anchor = document.createTextNode("");
    element.before(anchor);
    const last = behind.get(done);
    const follows = last?.target == target && last.parent == last.element.parentNode;
    try {
      if (follows && /^(after|prepend)$/.test(position)) last.element.after(element);
      else target[position](element);
    } catch {
      return anchor.remove();
    }
    const parent = element.parentNode;
    behind.set(done, { target, parent, element });
    return () => {
      if (anchor.parentNode && element.parentNode == parent) anchor.replaceWith(element);
      else anchor.remove();
    };
  },
  image: (element, _, content) => (element.localName != "img" ? undefined : all([
    setAttribute(element, "src", content),
    setAttribute(element, "srcset", null),
    setAttribute(element, "sizes", null),
  ])),
  link: (element, _, content) => (/^(a|area)$/.test(element.localName) ? setAttribute(element, "href", content) : undefined),
  title: (_, __, content) => {
    const text = content ? mark([document.createTextNode(content)]) : [];
    const found = [...document.querySelectorAll("title")].find(({ namespaceURI }) => namespaceURI == HTML);
    if (found) return found.textContent == content ? undefined : setContent(found, text);
    const element = document.createElement("title");
    element.append(...text);
    return addToHead(element);
  },
  meta: (_, name, content) => {
    const [attribute, value] = name.split("=");
    const found = [...document.querySelectorAll(`meta[${attribute}="${value}" i]`)];
    if (found[0]) return all(found.map((element) => setAttribute(element, "content", content)));
    const element = document.createElement("meta");
    element.setAttribute(attribute, value);
    element.setAttribute("content", content);
    return addToHead(element);
  },
};

/** What these do is the whole document's, once. */
const OF_DOCUMENT = /^(title|meta)$/;

export const openEditor = () => {
  /** What is shown: `{key, edits, done}`, where `done[n]` are the elements that have the edit `n`. */
  let shown = [];
  /** `{shown, done, element, undo}`, the newest last. */
  let stack = [];
  let runs = 0;
  let pause;

  const observer = new MutationObserver((records) => {
    if (records.some((record) => record.addedNodes.length)) run();
  });

  const run = () => {
    if (pause) return;
    if (++runs > MAX_RUNS) {
      pause = setTimeout(() => {
        pause = runs = 0;
        run();
      }, PAUSE);
      return;
    }
    if (runs == 1) setTimeout(() => pause || (runs = 0));
    forget();
    // All is found before anything is changed: edits don't see each other, as at the edge.
    const found = [];
    for (const { edits, done, owner } of shown) {
      edits.forEach(([selector, operation, name, content], place) => {
        try {
          const ofDocument = OF_DOCUMENT.test(operation);
          for (const element of ofDocument ? [document.documentElement] : document.querySelectorAll(selector)) {
            if (!done[place].has(element) && !isAdded(element)) {
              const act = () => operations[operation](element, name, content, done[place]);
              found.push({ owner, done: done[place], element, act });
            }
          }
        } catch {
          // The browser doesn't know this selector.
        }
      });
    }
    for (const { owner, done, element, act } of found) {
      done.add(element);
      try {
        const undo = act();
        if (undo === false) done.delete(element);
        if (undo) stack.push({ owner, done, element, undo });
      } catch {
        // The element can't take it; the page stays as it is.
      }
    }
    observer.takeRecords();
  };

  /** Takes back edits, the newest first. */
  const takeBack = (entries) => {
    for (const { done, element, undo } of entries.reverse()) {
      done.delete(element);
      try {
        undo();
      } catch {
        // The page has changed too much around it.
      }
    }
  };

  /** Lets go of elements that the page has dropped; one that it puts back is as any other that comes. */
  const forget = () => {
    const lost = new Set(stack.filter(({ element }) => isLost(element)));
    if (!lost.size) return;
    stack = stack.filter((entry) => !lost.has(entry));
    takeBack([...lost]);
  };

  /** Shows these and nothing else: `[{key, edits}]` in the program's order; equal keys mean equal edits. */
  const show = (wanted) => {
    let same = 0;
    while (same < shown.length && same < wanted.length && shown[same].key == wanted[same].key) same++;
    if (same == shown.length && same == wanted.length) return;
    const kept = shown.slice(0, same);
    const owners = new Set(kept.map((item) => item.owner));
    const lowest = stack.findIndex((item) => !owners.has(item.owner));
    if (lowest >= 0) takeBack(stack.splice(lowest));
    shown = kept.concat(wanted.slice(same).map(({ key, edits }) => {
      return { key, edits, owner: {}, done: edits.map(() => new WeakSet()) };
    }));
    observer.disconnect();
    runs = 0;
    run();
    if (shown.length) observer.observe(document, { childList: true, subtree: true });
  };

  return { show };
};
