/** What every page begins with: the model card, or what stands in the way of it. */

import { get, keepKey, Problem } from "./api.js";
import { byId, h, notice } from "./dom.js";

/**
 * Say what went wrong, in place of what was asked for.
 * @param {HTMLElement} place
 * @param {unknown} error
 * @param {() => void} again
 */
export function trouble(place, error, again) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) {
    const key = h("input", { type: "password", "aria-label": "API key", autocomplete: "off" });
    const form = h("form", { class: "notice", onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      keepKey(key.value);
      again();
    } }, h("p", {}, "This server asks for an API key. It is kept until you close the tab."), key,
    h("button", {}, "Go on"));
    place.replaceChildren(form);
    return;
  }
  const text = error.status
    ? `The server refused: ${error.message}`
    : "The server does not answer. Your ratings are safe in the address of this page.";
  place.replaceChildren(notice(text, { "Try again": again }));
}

/** Run a page with the model card, once there is one. @param {(card: any) => void} run */
export async function start(run) {
  const place = byId("trouble");
  try {
    const card = await get("/v1/model");
    place.replaceChildren();
    run(card);
  } catch (error) {
    trouble(place, error, () => start(run));
  }
}
