/** What every page begins with: the model card, or what stands in the way of it. */

import { get, hasKey, keepKey, Problem } from "./api.js";
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
    // Where nothing else is shown, this is the page's heading.
    place.replaceChildren(askForKey(again, place.id === "trouble" ? "h1" : "p"));
    place.querySelector("input")?.focus();
    return;
  }
  const text = error.status
    ? `The server refused: ${error.message}`
    : "The server does not answer. Your ratings are safe in the address of this page.";
  place.replaceChildren(notice(text, { "Try again": again }));
}

/** @param {() => void} again @param {string} level */
function askForKey(again, level) {
  const key = h("input", {
    type: "password", id: "key", required: true, autocomplete: "off",
    pattern: "[!-~]+", title: "Letters, figures and signs of ASCII, with no spaces",
  });
  return h("form", { class: "notice key", onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    keepKey(key.value);
    again();
  } },
  h("div", { role: "alert" }, h(level, {}, hasKey() ? "The server does not take that API key." : "This server asks for an API key.")),
  h("label", { for: "key" }, "API key"), key, h("button", {}, "Go on"),
  h("p", { class: "quiet" }, "It is kept until you close the tab."));
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
