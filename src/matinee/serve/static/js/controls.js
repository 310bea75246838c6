/** What to recommend from, and how boldly. */

import { byId, h } from "./dom.js";

/**
 * @param {any} card
 * @param {import("./ratings.js").Ratings} ratings
 */
export function controls(card, ratings) {
  const bold = byId("bold"), known = byId("little-known"), genres = byId("genres");
  const ends = [byId("from"), byId("to")];
  byId("bold-control").hidden = !card.has.vectors;
  byId("little-known-control").hidden = !card.has.counts;
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
