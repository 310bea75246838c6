/** Elements, words for screen readers, and movement. */

/**
 * Make an element. Properties named on* are listeners; true and false set and leave out an attribute.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

let announceTimer = 0;

/** Have a screen reader say something, once things are quiet. @param {string} text */
export function announce(text) {
  clearTimeout(announceTimer);
  announceTimer = setTimeout(() => { byId("said").textContent = text; }, 400);
}

/** @returns {boolean} */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Put the children of a list in an order; those that move glide there, new ones fade in.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} wanted
 */
export function reorder(list, wanted) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const before = new Map();
  for (const child of list.children) before.set(child, child.getBoundingClientRect().top);
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(/** @type {any} */ (child))) child.remove();
  wanted.forEach((node, at) => {
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
  });
  if (focused && list.contains(focused) && document.activeElement !== focused) {
    focused.focus({ preventScroll: true });
  }
  if (still()) return;
  if (!before.size) {  // a first list: nothing moves
    list.animate({ opacity: [0, 1] }, { duration: 320, easing: "ease-out" });
    return;
  }
  const moves = wanted.map((node) => [node, before.get(node), node.getBoundingClientRect().top]);
  for (const [node, from, to] of moves) {
    if (from === undefined) node.animate({ opacity: [0, 1] }, { duration: 320, easing: "ease-out" });
    else if (Math.abs(from - to) > 1) {
      node.animate(
        { transform: [`translateY(${from - to}px)`, "none"] },
        { duration: 380, easing: "cubic-bezier(.2,.7,.2,1)" },
      );
    }
  }
}

/** The "Notice" with what can be done about it. @param {string} text @param {Record<string, () => void>} [ways] */
export function notice(text, ways = {}) {
  const box = h("div", { class: "notice" }, h("p", {}, text));
  for (const [name, act] of Object.entries(ways)) {
    box.append(h("button", { type: "button", onclick: act }, name));
  }
  return box;
}

/** A notice that stays until it is closed. @param {string} text @param {Record<string, () => void>} [ways] */
export function standing(text, ways = {}) {
  const box = notice(text, ways);
  box.append(h("button", { type: "button", class: "remove", "aria-label": "Close this notice", onclick: () => box.remove() }, "×"));
  return box;
}

/**
 * Load the pages' typeface, once what was asked for is there: it is more than all else together,
 * and on a slow line it would keep the first list waiting. A browser keeps it for the next visit.
 */
export function loadTypeface() {
  if (document.getElementById("typeface")) return;
  document.head.append(h("link", { id: "typeface", rel: "stylesheet", href: new URL("fonts.css", /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]")).href).href }));
}
