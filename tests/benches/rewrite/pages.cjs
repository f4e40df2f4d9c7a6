// What the comparison of rewriters knows of pages by their DOM. Run from a folder that has the packages:
//
//   node pages.cjs choose PAGE.html…            prints, for each page, 30 edits that match something in it
//   node pages.cjs check EDITS.json RESULT.html  prints, for each edit, how often its result is in the page
//
// Each edit leaves something behind that only it can have left, so that a result shows which edits were made, and how
// often. An edit's `matches` is how often it has to be made.

"use strict";
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const packages = createRequire(`${process.cwd()}/`);
const { parse } = packages("parse5");
const { adapter } = packages("parse5-htmlparser2-tree-adapter");
const { selectAll } = packages("css-select");
const { textContent } = packages("domutils");

const read = (file) => parse(readFileSync(file, "utf8"), { treeAdapter: adapter, sourceCodeLocationInfo: true });
const isElement = (node) => node.attribs !== undefined;
const attribute = (element, name) => element.attribs?.[name] ?? "";
const classes = (element) => attribute(element, "class").split(/\s+/).filter(Boolean);

// ---- choosing

// What authors do most comes first, so that the first five edits are an ordinary experiment.
const OPERATIONS = [
  "text", "attribute", "addClass", "after", "remove", "html", "style", "before", "append", "replace", "prepend",
  "removeAttribute",
];
const SELECTORS = ["id", "class", "descendant", "tag with class", "attribute", "tag", "place"];
const MOST_MATCHES = 8;
const EDITS = 30;

const HAS_ALWAYS_END = (element) => element.sourceCodeLocation?.startTag && element.sourceCodeLocation?.endTag;
const VOID = new Set(["img", "input", "br", "hr", "link", "meta", "area", "embed", "source", "wbr"]);
// No content of theirs is edited, and nothing inside of them: they are not read as HTML is, or not shown.
const CLOSED = new Set([
  "head", "script", "style", "noscript", "template", "iframe", "svg", "math", "object", "select", "textarea", "title",
]);
// Nothing may stand beside them.
const PARTS_OF_TABLES = new Set(["tr", "td", "th", "tbody", "thead", "tfoot", "caption", "colgroup", "col"]);
// Nothing but parts of tables may stand in them.
const ONLY_ROWS = new Set(["table", "tr", "tbody", "thead", "tfoot", "colgroup"]);
const NEEDS_CONTENT = new Set(["text", "html", "append", "prepend"]);
const DESTROYS = new Set(["text", "html", "remove", "replace"]);
const PUTS_BESIDE = new Set(["before", "after", "replace", "remove"]);
const WORD = /^[A-Za-z_][\w-]*$/;
const PLAIN = /^[\w./#-]{1,60}$/;

function* elementsOf(node) {
  for (const child of node.children ?? []) {
    if (!isElement(child) || CLOSED.has(child.name)) continue;
    yield child;
    yield* elementsOf(child);
  }
}

const isWithin = (element, other) => {
  for (let above = element.parent; above; above = above.parent) if (above === other) return true;
  return false;
};

function selectorFor(kind, element) {
  const id = attribute(element, "id");
  const named = classes(element).filter((name) => WORD.test(name));
  const first = named[0];
  switch (kind) {
    case "id":
      return WORD.test(id) ? `#${id}` : undefined;
    case "class":
      return first && `.${first}`;
    case "tag with class":
      return named.length ? `${element.name}.${named.slice(0, 2).join(".")}` : undefined;
    case "tag":
      return element.name;
    case "attribute": {
      const name = ["href", "src", "name", "data-toggle", "rel", "title"].find((n) => PLAIN.test(attribute(element, n)));
      return name && `${element.name}[${name}="${attribute(element, name)}"]`;
    }
    case "place": {
      // As editors do that are pointed at an element which nothing else tells from its neighbours.
      const steps = [];
      for (let at = element; at.parent && isElement(at.parent) && steps.length < 4; at = at.parent) {
        steps.unshift(`${at.name}:nth-child(${at.parent.children.filter(isElement).indexOf(at) + 1})`);
      }
      return steps.length > 1 ? steps.join(" > ") : undefined;
    }
    default: {
      for (let above = element.parent; above; above = above.parent) {
        const name = attribute(above, "id");
        if (WORD.test(name)) return `#${name} ${first ? `.${first}` : element.name}`;
      }
      return undefined;
    }
  }
}

function canBeEdited(operation, element, editable) {
  if (!editable.has(element)) return false;
  if (NEEDS_CONTENT.has(operation) && VOID.has(element.name)) return false;
  if (PUTS_BESIDE.has(operation) && PARTS_OF_TABLES.has(element.name)) return false;
  if (NEEDS_CONTENT.has(operation) && ONLY_ROWS.has(element.name)) return false;
  if (["html", "body"].includes(element.name)) return false;
  if (operation === "removeAttribute" && !attribute(element, "href")) return false;
  return !DESTROYS.has(operation) || [...elementsOf(element)].length <= 15;
}

function disturbs(operation, matches, other) {
  const overlaps = matches.some((element) => other.elements.includes(element));
  const within = (inner, outer) => inner.some((a) => outer.some((b) => isWithin(a, b)));
  return (
    overlaps ||
    (DESTROYS.has(operation) && within(other.elements, matches)) ||
    (DESTROYS.has(other.op) && within(matches, other.elements))
  );
}

function withContent(edit, number) {
  const mark = `data-edit-${number}`;
  switch (edit.op) {
    case "text":
      return { ...edit, value: `Edit ${number}: bikes & tents, for less` };
    case "html":
      return { ...edit, value: `<b ${mark}="">New</b> <i>this week</i>` };
    case "attribute":
      return { ...edit, name: "title", value: `Edit ${number}: see what is new` };
    case "removeAttribute":
      return { ...edit, name: "href" };
    case "style":
      return { ...edit, name: "outline", value: `${number}px solid red` };
    case "addClass":
      return { ...edit, value: `edit-${number}` };
    case "remove":
      return edit;
    default:
      return { ...edit, value: `<span class="notice" ${mark}=""><b>Only today:</b> free delivery &amp; returns</span>` };
  }
}

function choose(file) {
  const page = read(file);
  const all = [...elementsOf(page)];
  const editable = new Set(all.filter((element) => VOID.has(element.name) || HAS_ALWAYS_END(element)));
  const chosen = [];
  const known = new Map();
  const found = (selector) => {
    if (!known.has(selector)) known.set(selector, selectAll(selector, page));
    return known.get(selector);
  };
  const findFor = (operation, number) => {
    for (let turn = 0; turn < SELECTORS.length; turn++) {
      const kind = SELECTORS[turn === SELECTORS.length - 1 ? turn : (number + turn) % (SELECTORS.length - 1)];
      // All over the page: neighbours in the list are far apart.
      const start = Math.floor((((number * 7) % EDITS) / EDITS) * all.length);
      for (let step = 0; step < all.length; step++) {
        const selector = selectorFor(kind, all[(start + step) % all.length]);
        if (!selector || chosen.some((edit) => edit.selector === selector)) continue;
        const matches = found(selector);
        if (
          matches.length > 0 &&
          matches.length <= MOST_MATCHES &&
          matches.every((element) => canBeEdited(operation, element, editable)) &&
          !(DESTROYS.has(operation) && matches.some((a) => matches.some((b) => isWithin(a, b)))) &&
          !chosen.some((other) => disturbs(operation, matches, other))
        ) {
          return { op: operation, selector, elements: matches };
        }
      }
    }
    return undefined;
  };
  // A small page may have nothing left for an operation; then another takes its turn.
  const find = (number) => {
    for (let turn = 0; turn < OPERATIONS.length; turn++) {
      const found = findFor(OPERATIONS[(number + turn) % OPERATIONS.length], number);
      if (found) return found;
    }
    throw new Error(`${file}: nothing is left for edit ${number}`);
  };
  for (let number = 0; number < EDITS; number++) chosen.push(find(number));
  return chosen.map(({ elements, ...edit }, number) => ({
    ...withContent(edit, number),
    matches: elements.length,
  }));
}

// ---- checking

function made(page, edit, number) {
  const all = [...allElements(page)];
  const having = (test) => all.filter(test).length;
  switch (edit.op) {
    case "text":
      return having((element) => textContent(element) === edit.value && !element.children.some(isElement));
    case "attribute":
      return having((element) => attribute(element, "title") === edit.value);
    case "style":
      return having((element) => attribute(element, "style").includes(`outline: ${edit.value}`));
    case "addClass":
      return having((element) => classes(element).includes(edit.value));
    case "remove":
      return edit.matches - selectAll(edit.selector, page).length;
    case "removeAttribute":
      // Where the selector is about that attribute, none is found any more; else all are, without it.
      return edit.matches - selectAll(edit.selector, page).filter((e) => edit.name in e.attribs).length;
    default:
      return having((element) => `data-edit-${number}` in element.attribs);
  }
}

function* allElements(node) {
  for (const child of node.children ?? []) {
    if (!isElement(child)) continue;
    yield child;
    yield* allElements(child);
  }
}

const [task, ...files] = process.argv.slice(2);
if (task === "choose") {
  console.log(JSON.stringify(files.map(choose)));
} else {
  const edits = JSON.parse(readFileSync(files[0], "utf8"));
  console.log(
    JSON.stringify(
      files.slice(1).map((file) => {
        const page = read(file);
        return { elements: [...allElements(page)].length, made: edits.map((edit, number) => made(page, edit, number)) };
      }),
    ),
  );
}
