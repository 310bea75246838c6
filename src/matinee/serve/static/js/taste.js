/** The taste profile: which genres and decades the model sees in somebody. */

import { byId, h } from "./dom.js";
import { points, signed } from "./words.js";

/**
 * @typedef {{name: string, lift: number, n_rated: number}} Group
 * @typedef {import("./words.js").Scale} Scale
 */

/**
 * @param {{predicted: number, average: number, genres: Group[], decades: Group[]}} profile
 * @param {Scale} scale
 * @param {string} thing
 */
export function showTaste({ predicted, average, genres, decades }, scale, thing) {
  const shown = genres.length > 8 ? [...genres.slice(0, 5), ...genres.slice(-3)] : genres;
  byId("taste").hidden = !shown.length && !decades.length;
  byId("taste-lead").textContent =
    `${/^[aeiou]/.test(thing) ? "An" : "A"} ${thing} like any other would get ${points(predicted, scale)} from you, ` +
    `${points(average, scale)} from somebody unknown. Beside that, in rating points:`;
  byId("taste-genres").replaceChildren(...bars(shown, scale));
  byId("taste-decades").replaceChildren(...bars(decades.slice(-8), scale));
}

/** @param {Group[]} groups @param {Scale} scale */
function bars(groups, scale) {
  const most = Math.max(...groups.map((group) => Math.abs(group.lift)), (scale.high - scale.low) / 100);
  return groups.map((group) => {
    const bar = h("i", { class: group.lift < 0 ? "down" : "up" });
    bar.style.setProperty("--w", `${(Math.abs(group.lift) / most) * 50}%`);
    return h("li", {}, h("span", {}, group.name), h("span", { class: "lift" }, bar),
      h("span", { class: "num" }, signed(group.lift, scale)));
  });
}
