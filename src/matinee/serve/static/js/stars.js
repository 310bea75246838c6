/** Giving and showing ratings: stars where the scale is one of stars, else a slider. */

import { h } from "./dom.js";
import { mark, points } from "./words.js";

/** @typedef {import("./words.js").Scale} Scale */

let groups = 0;

/**
 * The marks one can give, if they are few enough to be stars.
 * @param {Scale} scale
 * @returns {number[] | null}
 */
export function marks({ low, high, step }) {
  const by = step ?? (high - low <= 10 && high % 1 === 0 ? 1 : 0);
  if (low <= 0 || high > 10 || high % 1 || ![0.5, 1].includes(by)) return null;
  const values = [];
  for (let value = low; value <= high; value += by) values.push(value);
  return values;
}

/** Stars filled up to a value, for the eye only. @param {number} value @param {Scale} scale */
export function shown(value, scale) {
  const stars = h("span", { class: "stars", "aria-hidden": "true" });
  const few = marks(scale);
  fill(stars, few ? value / scale.high : (value - scale.low) / (scale.high - scale.low));
  if (few) stars.style.setProperty("--n", String(scale.high));
  else stars.classList.add("bar");
  return stars;
}

/** @param {HTMLElement} stars @param {number} share */
const fill = (stars, share) =>
  stars.style.setProperty("--p", `${Math.max(0, Math.min(1, share)) * 100}%`);

/**
 * A control that rates one item. Pointers and figures give a rating at once; arrow keys choose one,
 * and Enter, Space or leaving gives it, so that a film need not run away under the keys.
 * @param {string} label
 * @param {Scale} scale
 * @param {number | undefined} value
 * @param {(value: number) => void} give
 * @returns {HTMLElement}
 */
export function rater(label, scale, value, give) {
  const few = marks(scale);
  return few ? starRater(label, few, value, give) : slider(label, scale, value, give);
}

/** A control that chooses an item where there are no ratings. @param {string} label @param {boolean} chosen @param {() => void} choose */
export const chooser = (label, chosen, choose) =>
  h("span", { class: "rater" }, h("button", {
    type: "button", class: "link", "aria-label": label, "aria-pressed": String(chosen), disabled: chosen, onclick: choose,
  }, chosen ? "Chosen" : "Choose"));

/** @param {string} label @param {number[]} few @param {number | undefined} value @param {(value: number) => void} give */
function starRater(label, few, value, give) {
  const high = few[few.length - 1], group = `rate-${++groups}`;
  const stars = h("span", { class: "stars" });
  stars.style.setProperty("--n", String(high));
  /** @type {HTMLInputElement[]} */
  const radios = few.map((each) => h("input", {
    type: "radio", name: group, value: each, "aria-label": `${mark(each)} of ${high}`,
  }));
  const root = h("span", { class: high > 5 ? "rater many" : "rater", role: "radiogroup", "aria-label": label }, stars, ...radios);
  let current = value, byKeys = false;
  const chosen = () => {
    const radio = radios.find((each) => each.checked);
    return radio && Number(radio.value);
  };
  /** @param {number | undefined} to */
  const show = (to) => {
    radios.forEach((radio, at) => { radio.checked = few[at] === to; });
    fill(stars, (to ?? 0) / high);
  };
  /** @param {number | undefined} to */
  const settle = (to) => {
    byKeys = false;
    if (to === undefined || to === current) return;
    current = to;
    show(to);
    give(to);
  };
  /** @param {PointerEvent} event */
  const under = (event) => {
    const box = stars.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width) * high;
    return few.find((each) => each >= share) ?? high;
  };
  stars.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => fill(stars, under(event) / high));
  for (const kind of ["pointerleave", "pointercancel"]) stars.addEventListener(kind, () => show(current));
  stars.addEventListener("click", (/** @type {PointerEvent} */ event) => settle(under(event)));
  root.addEventListener("change", () => {
    fill(stars, (chosen() ?? 0) / high);
    if (!byKeys) settle(chosen());
  });
  root.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const figure = few.find((each) => String(each) === event.key);
    if (event.key.startsWith("Arrow")) byKeys = true;
    else if (event.key === "Escape") { byKeys = false; show(current); }
    else if (figure !== undefined) {
      event.preventDefault();  // the focus may move on, and the figure would be typed there
      settle(figure);
    }
    else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      settle(chosen() ?? Number(/** @type {HTMLInputElement} */ (event.target).value));
    }
  });
  root.addEventListener("focusout", (/** @type {FocusEvent} */ event) => {
    if (!root.contains(/** @type {Node} */ (event.relatedTarget)) && byKeys) settle(chosen());
  });
  show(value);
  return root;
}

/** @param {string} label @param {Scale} scale @param {number | undefined} value @param {(value: number) => void} give */
function slider(label, scale, value, give) {
  const step = scale.step ?? (scale.high - scale.low > 20 ? 1 : "any");
  const output = h("output", {}, value === undefined ? "–" : mark(value));
  const input = h("input", {
    type: "range", min: scale.low, max: scale.high, step, "aria-label": label,
    value: value ?? (scale.low + scale.high) / 2,
  });
  const root = h("span", { class: "rater slider" }, input, output);
  let current = value, byKeys = false;
  const settle = () => {
    const to = Number(Number(input.value).toFixed(2));
    byKeys = false;
    if (to !== current) give((current = to));
  };
  input.addEventListener("input", () => {
    output.textContent = scale.step ? mark(Number(input.value)) : points(Number(input.value), scale);
  });
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" || event.key === " ") settle();
    else if (event.key !== "Tab") byKeys = true;
  });
  input.addEventListener("change", () => { if (!byKeys) settle(); });
  input.addEventListener("blur", () => { if (byKeys) settle(); });
  return root;
}
