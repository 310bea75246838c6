/** The page of the map: items near each other are rated alike. */

import { get } from "./api.js";
import { byId, h, loadTypeface, notice } from "./dom.js";
import { headline, rate } from "./film.js";
import { Plane } from "./plane.js";
import { Ratings } from "./ratings.js";
import { search } from "./search.js";
import { start, trouble } from "./start.js";
import { genreLine, name } from "./words.js";

const LISTED = 15;

/** @param {any} card */
async function map(card) {
  const ratings = new Ratings();
  const place = { card, ratings };
  ratings.notify();
  if (!card.has.vectors) {
    byId("trouble").replaceChildren(notice("This kind of model has no item vectors, so there is no map of it."));
    return;
  }
  /** @type {any} */
  let points;
  try {
    points = await get("/v1/map?limit=6000");
  } catch (error) {
    trouble(byId("trouble"), error, () => map(card));
    return;
  }
  const items = points.item.map((/** @type {string} */ item, /** @type {number} */ at) => ({
    item, title: points.title[at], year: points.year[at], n_ratings: points.n_ratings[at],
    genres: points.genres[at].map((/** @type {number} */ genre) => points.genre_names[genre]),
  }));
  const places = new Map(items.map((/** @type {any} */ item, /** @type {number} */ at) => [item.item, at]));
  const most = Math.max(...points.n_ratings.map(Number), 1);
  const dots = items.map((/** @type {any} */ item, /** @type {number} */ at) => ({
    x: points.x[at], y: points.y[at], label: name(item),
    radius: 1.6 + 5.4 * Math.sqrt((item.n_ratings ?? most / 4) / most),
  }));
  let genre = "", timer = 0;

  const select = (/** @type {number} */ at) => {
    plane.selected = at;
    const { head, more } = headline(place, items[at], undefined, "h2");
    byId("picked").replaceChildren(head, h("p", { class: "genres" }, genreLine(items[at].genres)),
      rate(place, items[at]), more);
    byId("picked").hidden = false;
    plane.draw();
  };
  const go = (/** @type {number} */ at) => {
    select(at);
    plane.fly({ ...dots[at], zoom: Math.max(plane.view.zoom, 4) });
  };
  const list = () => {
    const seen = plane.visible;
    byId("in-view-count").textContent = seen.length.toLocaleString("en");
    byId("in-view").replaceChildren(...seen.filter((at) => !genre || items[at].genres.includes(genre))
      .slice(0, LISTED).map((at) => h("li", {},
        h("button", { type: "button", class: "title", onclick: () => go(at) }, name(items[at])),
        " ", h("span", { class: "year" }, String(items[at].year ?? "")),
        ratings.values.has(items[at].item) ? h("span", { class: "own" }, " yours") : null)));
  };

  byId("app").hidden = false;
  loadTypeface();
  const plane = new Plane(byId("plane"), dots, {
    isRated: (at) => ratings.values.has(items[at].item),
    lit: (at) => genre !== "" && items[at].genres.includes(genre),
    pick: select,
    moved: () => { clearTimeout(timer); timer = setTimeout(list, 200); },
  });
  search((item) => {
    const at = places.get(item.item);
    if (at === undefined) byId("unplaced").textContent = `${name(item)} is not among the ${items.length.toLocaleString("en")} best-known shown here.`;
    else go(at);
    byId("unplaced").hidden = at !== undefined;
  });
  byId("lit-control").hidden = !points.genre_names.length;
  byId("lit").append(...points.genre_names.map((/** @type {string} */ each) => h("option", {}, each)));
  byId("lit").addEventListener("change", (/** @type {any} */ event) => { genre = event.target.value; plane.draw(); });
  byId("in").addEventListener("click", () => plane.zoom(1.6));
  byId("out").addEventListener("click", () => plane.zoom(1 / 1.6));
  byId("whole").addEventListener("click", () => plane.reset());
  ratings.addEventListener("change", () => plane.draw());
  const share = points.explained.map((/** @type {number} */ part) => `${Math.round(part * 100)}%`);
  byId("about").textContent = `Items near each other are rated alike; genres are not used. The axes are the first two principal components of the item vectors and explain ${share.join(" and ")} of their variance.`;
  document.fonts.load("16px Newsreader").then(() => plane.draw());
}

start(map);
