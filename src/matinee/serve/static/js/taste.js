/** The taste profile: which genres and decades the model sees in somebody. */

import { byId, h } from "./dom.js";
import { points, signed } from "./words.js";

/**
 * @typedef {{name: string, lift: number, n_rated: number}} Group
 * @typedef {import("./words.js").Scale} Scale
 */

/**
 * @param {{predicted: number | null, average: number | null, genres: Group[], decades: Group[]}} profile
 * @param {Scale} scale
 * @param {string} thing
 */
export function showTaste({ predicted, average, genres, decades }, scale, thing) {
  const shown = genres.length > 8 ? [...genres.slice(0, 5), ...genres.slice(-3)] : genres;
  byId("taste").hidden = !shown.length && !decades.length;
  const rated = predicted !== null && average !== null;
  byId("taste-lead").textContent = rated
    ? `${/^[aeiou]/.test(thing) ? "An" : "A"} ${thing} like any other would get ${points(predicted, scale)} from you, ` +
      `${points(average, scale)} from somebody unknown. Beside that, in rating points:`
    : "How much more probable your next choice is in each than somebody unknown's, in percentage points:";
  byId("taste-genres").replaceChildren(...bars(shown, scale, rated));
  byId("taste-decades").replaceChildren(...bars(decades.slice(-8), scale, rated));
}

/** @param {Group[]} groups @param {Scale} scale @param {boolean} rated */
function bars(groups, scale, rated) {
  const least = rated ? (scale.high - scale.low) / 100 : 0.01;
  const most = Math.max(...groups.map((group) => Math.abs(group.lift)), least);
  return groups.map((group) => {
    const bar = h("i", { class: group.lift < 0 ? "down" : "up" });
    bar.style.setProperty("--w", `${(Math.abs(group.lift) / most) * 50}%`);
    return h("li", {}, h("span", {}, group.name), h("span", { class: "lift" }, bar),
      h("span", { class: "num" }, rated ? signed(group.lift, scale) : signed(100 * group.lift, { low: 0, high: 100, step: null })));
  });
}
