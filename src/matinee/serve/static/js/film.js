/** A film in a list: what it is, what the model makes of it, and more on a click. */

import { get, Problem } from "./api.js";
import { h } from "./dom.js";
import { chooser, rater, shown } from "./stars.js";
import { because, estimate, genreLine, mark, name, points, signed, vocabulary, year } from "./words.js";

/**
 * @typedef {import("./words.js").Item} Item
 * @typedef {import("./words.js").Why} Why
 * @typedef {import("./words.js").Scale} Scale
 * @typedef {Item & {predicted: number | null, std: number | null, chance?: number | null,
 *   why?: Why | null}} Predicted
 * @typedef {{card: any, ratings: import("./ratings.js").Ratings,
 *   dismiss?: (item: Item) => void}} Place Where films are shown, and what hides one.
 */

/** A control that rates an item, or where there are no ratings chooses it. @param {Place} place @param {Item} item @param {string} [verb] */
export function rate({ card, ratings }, item, verb = "Rate") {
  const value = ratings.values.get(item.item);
  /** @param {number} to */
  const give = (to) => {
    ratings.items.set(item.item, item);
    ratings.rate(item.item, to);
  };
  if (!card.has.ratings) return chooser(`Choose ${name(item)}`, value !== undefined, () => give(card.scale.low));
  return rater(`${verb} ${name(item)}`, card.scale, value, give);
}

/** What the model predicts, with how far off it may be. @param {Predicted} film @param {Scale} scale */
export function prediction(film, scale) {
  const { predicted, std } = film;
  if (predicted === null) return h("p", { class: "predicted quiet" }, estimate(film, scale));
  const value = points(predicted, scale);
  const spoken = `predicted ${value} of ${scale.high}${std ? `, give or take ${points(std, scale)}` : ""}`;
  const stars = shown(predicted, scale);
  const box = h("p", { class: "predicted", title: spoken }, h("span", { class: "hidden" }, spoken), stars);
  if (std) {
    const low = stars.classList.contains("bar") ? scale.low : 0;
    const at = (/** @type {number} */ x) =>
      `${Math.max(0, Math.min(1, (x - low) / (scale.high - low))) * 100}%`;
    const range = h("span", { class: "range" });
    range.style.setProperty("--from", at(Math.max(scale.low, predicted - std)));
    range.style.setProperty("--to", at(predicted + std));
    stars.append(range);
  }
  box.append(h("b", { "aria-hidden": "true" }, value));
  if (std) box.append(h("span", { class: "quiet", "aria-hidden": "true" }, `± ${points(std, scale)}`));
  return box;
}

/** A sentence with its titles in italics. @param {{text: string, title?: boolean}[]} parts */
const sentence = (parts) =>
  parts.map((part) => (part.title ? h("cite", {}, part.text) : part.text));

/** Title and year, as a button that opens what more there is. @param {Place} place @param {Item} item @param {() => Why | null | undefined} [why] @param {string} [level] */
export function headline(place, item, why = () => null, level = "h3") {
  const more = h("div", { class: "more", hidden: true });
  const button = h("button", {
    type: "button", class: "title", "aria-expanded": "false",
    onclick: () => {
      more.hidden = !more.hidden;
      button.setAttribute("aria-expanded", String(!more.hidden));
      if (!more.hidden) fillMore(more, place, item, why());
    },
  }, name(item));
  const head = h(level, {}, button, " ", h("span", { class: "year" }, String(year(item))));
  return { head, more };
}

/** A place in the list of recommendations, updated when something changes. */
export class Film {
  /** @param {Place} place @param {Predicted} film */
  constructor(place, film) {
    this.place = place;
    this.film = film;
    this.rank = h("span", { class: "rank", "aria-hidden": "true" });
    this.predicted = h("div", {});
    this.why = h("p", { class: "why" });
    const { head, more } = headline(place, film, () => this.film.why);
    this.more = more;
    this.node = h("li", { class: "film" }, this.rank,
      h("div", { class: "what" }, head,
        h("p", { class: "genres" }, genreLine(film.genres ?? [])), this.why),
      h("div", { class: "marks" }, this.predicted,
        h("div", { class: "seen" }, h("span", { class: "quiet", "aria-hidden": "true" }, vocabulary(place.card).seen),
          rate(place, film)),
        place.dismiss ? h("button", { type: "button", class: "link not", "aria-label": `Not interested in ${name(film)}`,
          onclick: () => place.dismiss?.(film) }, "Not interested") : null),
      more);
  }

  /** @param {Predicted & {rank: number, each?: number[] | null}} film */
  update(film) {
    const { scale, has: { ratings: rated } } = this.place.card;
    this.film = film;
    this.rank.textContent = String(film.rank);
    this.predicted.replaceChildren(prediction(film, scale));
    if (film.each) {
      const each = film.each.map((value) => points(value, scale));
      this.why.replaceChildren(`You ${each[0]}, the other ${each.slice(1).join(", ")}`);
      return;
    }
    this.why.replaceChildren(...(film.why ? sentence(because(film.why, scale, rated)) : []));
    const sum = this.more.querySelector(".sum");
    if (sum && film.why) sum.replaceWith(adding(film.why, scale, rated));
  }
}

/** How a prediction, or without ratings the score, adds up. @param {Why} why @param {Scale} scale @param {boolean} rated */
function adding(why, scale, rated) {
  const most = Math.max(...why.reasons.map((each) => Math.abs(each.contribution)), 1e-9);
  /** @param {any} what @param {number} by @param {boolean} [bar] */
  const row = (what, by, bar = true) => {
    const line = h("i", { class: by < 0 ? "down" : "up" });
    line.style.setProperty("--w", `${Math.min(1, Math.abs(by) / most) * 100}%`);
    return h("tr", {}, h("th", { scope: "row" }, ...[what].flat()), h("td", {}, bar ? line : ""),
      h("td", { class: "num" }, signed(by, scale)));
  };
  const total = (/** @type {string} */ what, /** @type {number} */ value) =>
    h("tr", { class: "total" }, h("th", { scope: "row" }, what), h("td", {}),
      h("td", { class: "num" }, value.toFixed(2)));
  return h("table", { class: "sum" },
    h("caption", {}, `How the ${rated ? "prediction" : "score"} adds up`),
    h("tbody", {},
      total("For somebody unknown", why.baseline),
      ...why.reasons.map((each) =>
        row([h("cite", {}, name(each)), rated ? ` rated ${mark(each.rating)}` : ""], each.contribution)),
      Math.abs(why.others) > 0.005 ? row(rated ? "Your other ratings" : "Your other choices", why.others) : null,
      Math.abs(why.together) > 0.005 ? row("All of them together", why.together) : null,
      total("For you", why.prediction)));
}

/** @param {HTMLElement} box @param {Place} place @param {Item} item @param {Why | null | undefined} why */
async function fillMore(box, place, item, why) {
  const like = h("div", {});
  box.replaceChildren(...(why ? [adding(why, place.card.scale, place.card.has.ratings)] : []), like);
  if (!place.card.has.vectors) return;
  try {
    const { similar } = await get(`/v1/items/${encodeURIComponent(item.item)}/similar?k=6`);
    like.replaceChildren(h("h4", {}, "Nearest to it, as the model sees them"),
      h("ul", { class: "plain" }, ...similar.map((/** @type {Item} */ near) =>
        h("li", {}, h("span", {}, name(near), " ", h("span", { class: "quiet" }, String(year(near)))),
          rate(place, near)))));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    like.replaceChildren(h("p", { class: "quiet" }, error.message));
  }
}
