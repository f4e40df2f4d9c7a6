// The runtime's own rewriter.

function handler(edit) {
  const html = { html: true };
  switch (edit.op) {
    case "text":
      return { element: (element) => element.setInnerContent(edit.value) };
    case "html":
      return { element: (element) => element.setInnerContent(edit.value, html) };
    case "attribute":
      return { element: (element) => element.setAttribute(edit.name, edit.value) };
    case "removeAttribute":
      return { element: (element) => element.removeAttribute(edit.name) };
    case "style":
      return {
        element(element) {
          const style = element.getAttribute("style");
          element.setAttribute("style", `${style ? `${style}; ` : ""}${edit.name}: ${edit.value}`);
        },
      };
    case "addClass":
      return {
        element(element) {
          const classes = element.getAttribute("class");
          element.setAttribute("class", classes ? `${classes} ${edit.value}` : edit.value);
        },
      };
    case "remove":
      return { element: (element) => element.remove() };
    default:
      return { element: (element) => element[edit.op](edit.value, html) };
  }
}

const handlers = new Map();

export default {
  async fetch(request, env) {
    const { response, edits, key } = await ask(request, env);
    if (!handlers.has(key)) handlers.set(key, edits.map((edit) => [edit.selector, handler(edit)]));
    const rewriter = new HTMLRewriter();
    for (const [selector, one] of handlers.get(key)) rewriter.on(selector, one);
    return rewriter.transform(made(response.body, response));
  },
};
