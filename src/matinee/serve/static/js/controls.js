/** What to recommend from, and how boldly. */

import { byId, h } from "./dom.js";
import { MIDDLE } from "./ratings.js";
import { vocabulary } from "./words.js";

const MOST = 1000;

/**
 * @param {any} card
 * @param {import("./ratings.js").Ratings} ratings
 */
export function controls(card, ratings) {
  const bold = byId("bold"), known = byId("little-known"), genres = byId("genres");
  const ends = [byId("from"), byId("to")];
  byId("bold-control").hidden = !card.has.vectors;
  byId("little-known-control").hidden = !card.has.counts || card.lists.dial;
  const dial = byId("dial");
  byId("dial-control").hidden = !card.lists.dial;
  dial.addEventListener("input", () => ratings.choose({ dial: Number(dial.value) }));
  const personal = byId("personal");
  personal.addEventListener("input", () => ratings.choose({ personal: Number(personal.value) }));
  byId("genre-control").hidden = !card.has.genres;
  byId("year-control").hidden = !card.has.years;
  if (card.years) {
    ends.forEach((end, at) => { end.placeholder = [card.years.first, card.years.last][at]; });
  }
  genres.replaceChildren(...card.genres.map((/** @type {{name: string}} */ genre) => h("label", {},
    h("input", { type: "checkbox", value: genre.name }), h("span", {}, genre.name))));
  const boxes = [...genres.querySelectorAll("input")];

  bold.addEventListener("input", () => ratings.choose({ diversity: Number(bold.value) }));
  known.addEventListener("change", () => ratings.choose({ shrink: !known.checked }));
  genres.addEventListener("change", () =>
    ratings.choose({ hidden: boxes.filter((box) => box.checked).map((box) => box.value) }));
  for (const end of ends) {
    end.addEventListener("change", () => {
      const [first, last] = ends.map((each) => (each.value === "" ? null : Math.trunc(each.value)));
      const wrong = first != null && last != null && first > last;
      byId("years-wrong").hidden = !wrong;
      ends.forEach((each) => each.setAttribute("aria-invalid", String(wrong)));
      if (!wrong) ratings.choose({ years: [first, last] });
    });
  }

  /** Show what is chosen. */
  return () => {
    const { diversity, shrink, hidden, years } = ratings.choices;
    bold.value = String(diversity);
    bold.setAttribute("aria-valuetext", `${Math.round(diversity * 100)} percent`);
    known.checked = !shrink;
    dial.value = String(ratings.choices.dial);
    dial.setAttribute("aria-valuetext", leaning(ratings.choices.dial));
    personal.value = String(ratings.choices.personal);
    personal.setAttribute("aria-valuetext", nearness(ratings.choices.personal));
    byId("order").textContent = orderWords(card, ratings.choices);
    boxes.forEach((box) => { box.checked = hidden.includes(box.value); });
    byId("hidden-count").textContent = hidden.length ? `${hidden.length} hidden` : "all shown";
    ends.forEach((end, at) => { if (document.activeElement !== end) end.value = years[at] ?? ""; });
  };
}

/** The choices as fields of a request. @param {import("./ratings.js").Ratings["choices"]} choices */
export const asked = ({ hidden, years }) => ({
  exclude_genres: hidden,
  years: years.every((year) => year == null) ? null : years,
});

/** @param {number} at */
const leaning = (at) => (at === MIDDLE ? "both" : at < MIDDLE ? "more what I would pick" : "more what I would rate highest");

/** @param {number} at */
const nearness = (at) => (at === 0 ? "neither" : at < 0 ? "more for anyone" : "more like me");

/**
 * The exponent of the probability of liking that a place of the dial stands for: none at the left,
 * the model's own in the middle, and so high at the right that the predicted rating alone counts.
 * @param {any} card @param {number} at
 */
export function love({ lists }, at) {
  if (!lists.dial || at === MIDDLE) return null;
  return at >= 1 ? MOST : Math.min(MOST, ((lists.love || 1) * at) / (1 - at));
}

/** What the list is ordered by. @param {any} card @param {import("./ratings.js").Ratings["choices"]} choices */
function orderWords(card, { dial, personal, diversity, others, mean }) {
  const { many, one } = vocabulary(card);
  let by = `In order of the rating it predicts for you.`;
  if (card.lists.dial) {
    by = dial === 0 ? `In order of how likely you are to pick a ${one}; the stars, which are the rating it predicts, do not count.`
      : dial === 1 ? `In order of how likely you are to rate a ${one} high.`
        : `In order of how likely you are to pick a ${one} and to like it. The stars are the rating it predicts, so ${many} with more stars may stand lower.`;
  } else if (!card.has.ratings) by = `In order of how likely you are to choose a ${one}.`;
  else if (card.has.counts) by += ` Few ratings count against a ${one}.`;
  if (others.size) by = `For both of you: in order of ${mean ? "the mean of your two scores" : "the lower of your two scores, so that nobody is let down"}.`;
  if (personal > 0) by += ` What your own ratings add counts for more.`;
  if (personal < 0) by += ` What suits anyone counts for more.`;
  return diversity ? `${by} Mixed, so that neighbours differ.` : by;
}
