// The way of GrowthBook's edge workers: the page is waited for, read into a DOM, edited there, and written out.

import { parse } from "node-html-parser";

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function apply(element, edit) {
  switch (edit.op) {
    case "text":
      return element.set_content(escaped(edit.value));
    case "html":
      return element.set_content(edit.value);
    case "attribute":
      return element.setAttribute(edit.name, edit.value);
    case "removeAttribute":
      return element.removeAttribute(edit.name);
    case "style": {
      const style = element.getAttribute("style");
      return element.setAttribute("style", `${style ? `${style}; ` : ""}${edit.name}: ${edit.value}`);
    }
    case "addClass":
      return element.classList.add(edit.value);
    case "remove":
      return element.remove();
    case "before":
      return element.insertAdjacentHTML("beforebegin", edit.value);
    case "after":
      return element.insertAdjacentHTML("afterend", edit.value);
    case "prepend":
      return element.insertAdjacentHTML("afterbegin", edit.value);
    case "append":
      return element.insertAdjacentHTML("beforeend", edit.value);
    case "replace":
      return element.replaceWith(parse(edit.value));
  }
}

export default {
  async fetch(request, env) {
    const { response, edits } = await ask(request, env);
    // Without this option comments are lost.
    const page = parse(await response.text(), { comment: true });
    for (const edit of edits) for (const element of page.querySelectorAll(edit.selector)) apply(element, edit);
    return made(page.toString(), response);
  },
};
