// Buttons and groups of an editor's bars.

/** @param {string} kind @param {Record<string, string>} [attributes] @param {(Node | string)[]} inside */
export function element(kind, attributes = {}, ...inside) {
  const made = document.createElement(kind)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...inside)
  return made
}

/** @param {string} title @param {string | Element} face @param {() => void} press @param {Record<string, string>} [more] */
export function button(title, face, press, more = {}) {
  const made = /** @type {HTMLButtonElement} */ (element("button", { type: "button", title, "aria-label": title, ...more }, face))
  made.addEventListener("click", press)
  return made
}

/** @param {string} name @param {Element[]} inside */
export const group = (name, ...inside) => element("div", { class: "group", role: "group", "aria-label": name }, ...inside)

/** The canvas that an editor draws on. @param {string} label */
export function stageElement(label) {
  const attributes = { tabindex: "0", role: "application", "aria-label": label, "data-capture-wheel": "true" }
  return /** @type {HTMLCanvasElement} */ (element("canvas", attributes))
}

/** A list of keys and what they do, hidden at first; a click on it closes it. @param {string[][]} keys @param {() => void} close */
export function keyList(keys, close) {
  const rows = keys.flatMap(([key, does]) => [element("dt", {}, key), element("dd", {}, does)])
  const list = element("div", { class: "help", hidden: "" }, element("dl", {}, ...rows))
  list.addEventListener("click", () => {
    const chosen = getSelection()
    const isCopying = chosen && !chosen.isCollapsed && list.contains(chosen.anchorNode)
    if (!isCopying) close()
  })
  return list
}

/**
 * Show or hide an editor's list of keys.
 *
 * @param {{root: HTMLElement, stage: HTMLElement, keys: HTMLElement, help: HTMLElement}} panel `help` is the button for it
 */
export function toggleKeyList({ root, stage, keys, help }) {
  const hidden = keys.toggleAttribute("hidden")
  help.setAttribute("aria-expanded", String(!hidden))
  // Whoever pressed with a pointer goes on with keys: Escape, for one.
  if (!root.contains(document.activeElement)) stage.focus({ preventScroll: true })
}
