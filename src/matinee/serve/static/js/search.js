/** Search with type-ahead: a combobox as the ARIA practices have it. */

import { get, latest, Problem } from "./api.js";
import { announce, byId, h } from "./dom.js";
import { genreLine, name, plain, year } from "./words.js";

/** @typedef {import("./words.js").Item} Item */

/**
 * @param {(item: Item) => void} choose
 * @param {(item: Item) => string} [aside] What to say beside an item.
 * @param {(text: string) => string} [lacking] What to say where nothing has that name.
 */
export function search(choose, aside = () => "", lacking = () => "Nothing by that name") {
  /** @type {HTMLInputElement} */
  const input = byId("search");
  const box = byId("found");
  const last = latest();
  /** @type {Item[]} */
  let items = [];
  let at = -1, timer = 0, eager = false;

  /** @param {boolean} open */
  const open = (open) => {
    box.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) point(-1);
  };
  /** @param {number} to */
  const point = (to) => {
    at = to;
    [...box.querySelectorAll("[role=option]:not(.none)")].forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", `found-${at}`);
      box.children[at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  /** @param {number} place */
  const take = (place) => {
    eager = false;
    open(false);
    input.value = "";
    choose(items[place]);
  };
  const look = () => last(async (signal) => {
    const text = input.value.trim();
    if (!text) {
      items = [];
      box.removeAttribute("aria-busy");
      open(false);
      return;
    }
    /** @type {string} */
    let message, missed = "";
    try {
      items = (await get(`/v1/items?limit=8&q=${encodeURIComponent(text)}`, signal)).items;
      const words = plain(text).split(" ").filter((word) => word !== "the" && word !== "a");
      const named = items.some((item) => text === item.item || words.every((word) => plain(item.title).includes(word)));
      missed = named ? "" : lacking(text);
      message = named ? `${items.length} found` : `${missed}${items.length ? ` ${items.length} like it` : ""}`;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      items = [];
      missed = "";
      message = error.message;
    }
    box.replaceChildren(...items.map((item, place) => h(
      "li",
      { role: "option", id: `found-${place}`, "aria-selected": "false", onclick: () => take(place) },
      h("span", { class: "name" }, name(item)), " ",
      h("span", { class: "quiet" }, String(year(item))), " ",
      h("span", { class: "aside" }, aside(item) || genreLine(item.genres ?? [])),
    )));
    if (missed && items.length) box.append(h("li", { role: "option", "aria-disabled": "true", class: "none" }, `${missed} Above: what is like it.`));
    if (!items.length) box.append(h("li", { role: "option", "aria-disabled": "true", class: "none" }, message));
    point(-1);
    box.removeAttribute("aria-busy");
    if (eager && items.length && !missed) {
      take(0);
      return;
    }
    eager = false;
    announce(message);
    open(true);
  });

  input.addEventListener("input", () => {
    clearTimeout(timer);
    eager = false;
    box.setAttribute("aria-busy", "true");
    timer = setTimeout(look, 90);
  });
  input.addEventListener("keydown", (event) => {
    const n = items.length;
    if (event.key === "Escape") {
      if (box.hidden) input.value = "";
      open(false);
    } else if (event.key === "Enter" && box.hasAttribute("aria-busy")) eager = true;
    else if (event.key === "Enter" && !box.hidden && n) take(Math.max(at, 0));
    else if (event.key === "ArrowDown" && n) {
      if (box.hidden) open(true);
      point((at + 1) % n);
    } else if (event.key === "ArrowUp" && n) point(at > 0 ? at - 1 : n - 1);
    else return;
    event.preventDefault();
  });
  // A press on an option is not to take the focus away before its click.
  box.addEventListener("pointerdown", (/** @type {Event} */ event) => event.preventDefault());
  input.addEventListener("blur", () => open(false));
  input.addEventListener("focus", () => { if (input.value) look(); });
}
