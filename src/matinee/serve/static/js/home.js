/** The page of recommendations. */

import { latest, post, Problem } from "./api.js";
import { asked, controls, love } from "./controls.js";
import { announce, byId, h, loadTypeface, notice, reorder, standing } from "./dom.js";
import { importing } from "./exports.js";
import { Film, headline, rate } from "./film.js";
import { Ratings, ratingsOf } from "./ratings.js";
import { search } from "./search.js";
import { start, trouble } from "./start.js";
import { showTaste } from "./taste.js";
import { estimate, genreLine, mark, name, vocabulary } from "./words.js";

/** @typedef {import("./words.js").Item} Item */

const SHOWN = 12, FEW = 5, QUESTIONS = 3, FIRST = 8;

const ratings = new Ratings();

/** What to ask for a list. @param {Ratings} ratings @param {number} k @param {any} [card] Needed where the dial is not in the middle. */
function wish(ratings, k, card) {
  const { diversity, shrink, others, mean, unwanted, dial, personal } = ratings.choices;
  return {
    ratings: ratings.list, k, why: others.size ? 0 : 8, diversity, shrink, ...asked(ratings.choices),
    love: card ? love(card, dial) : null, personal, exclude: unwanted,
    ...(others.size && { others: [[...others].map(([item, rating]) => ({ item, rating }))], together: mean ? "mean" : "least_misery" }),
  };
}

/** The first list, asked for beside the model card rather than after it. @type {{body: string, answer: Promise<any>} | null} */
let early = null;
if (ratings.values.size) {
  const body = wish(ratings, SHOWN);
  early = { body: JSON.stringify(body), answer: post("/v1/recommend", body) };
  early.answer.catch(() => {});  // looked at when the list is drawn
}

/** @param {any} card */
function home(card) {
  const words = vocabulary(card);
  const place = { card, ratings, dismiss: (/** @type {Item} */ item) => {
    const before = ratings.choices.unwanted;
    ratings.choose({ unwanted: [...before, item.item] });
    byId("undo").replaceChildren(notice(`${name(item)} is hidden from now on.`,
      { Undo: () => { ratings.choose({ unwanted: before }); byId("undo").replaceChildren(); } }));
  } };
  const last = latest();
  /** @type {Map<string, Film>} */
  const films = new Map();
  /** @type {Map<string, {node: HTMLElement, rating: number}>} */
  const entries = new Map();
  /** @type {Set<string>} */
  const skipped = new Set();
  let wanted = SHOWN, all = false, asking = false;
  const showControls = controls(card, ratings);
  const things = words.many;

  /** Drop from a link what this model cannot take. */
  const fit = () => {
    const { low, high } = card.scale, { choices } = ratings;
    const wrong = [...ratings.values].filter(([, value]) => value < low || value > high);
    wrong.forEach(([item]) => ratings.values.delete(item));
    if (wrong.length) {
      byId("standing").append(standing(`${wrong.length} of the ratings in the link are off the scale, ${low} to ${high}, and left out.`));
    }
    const known = new Set(card.genres.map((/** @type {{name: string}} */ genre) => genre.name));
    choices.hidden = choices.hidden.filter((genre) => known.has(genre));
    if (!card.has.years) choices.years = [null, null];
    if (!card.has.vectors) choices.diversity = 0;
  };

  const showRated = () => {
    const items = [...ratings.values.keys()].reverse();
    const shown = all ? items : items.slice(0, FEW);
    const nodes = shown.map((item) => {
      const rating = /** @type {number} */ (ratings.values.get(item));
      let entry = entries.get(item);
      const known = ratings.items.get(item) ?? { item, title: item };
      if (!entry || entry.rating !== rating || entry.node.dataset.title !== known.title) {
        const focused = entry?.node.contains(document.activeElement);
        const node = h("li", { class: "rated", "data-title": known.title });
        const { head, more } = headline(place, known);
        node.append(head, rate(place, known), h("button", {
          type: "button", class: "remove", "aria-label": `Remove the rating of ${name(known)}`,
          onclick: () => { ratings.remove(item); byId("search").focus(); },
        }, "×"), more);
        entry?.node.replaceWith(node);
        entry = { node, rating };
        entries.set(item, entry);
        if (focused) node.querySelector("input:checked, input, .rater button")?.focus();
      }
      return entry.node;
    });
    reorder(byId("rated"), nodes);
    byId("rated-count").textContent = String(items.length);
    byId("all").hidden = items.length <= FEW;
    byId("all").textContent = all ? "Show fewer" : `Show all ${items.length}`;
  };

  /** @param {any} answer */
  const showList = (answer) => {
    for (const used of answer.used) if (!ratings.items.has(used.item)) ratings.items.set(used.item, used);
    const nodes = answer.recommendations.map((/** @type {any} */ each) => {
      const film = films.get(each.item) ?? new Film(place, each);
      films.set(each.item, film);
      film.update(each);
      return film.node;
    });
    // A rater that was just used goes with its film: the next film takes the focus over.
    const list = byId("list"), gone = document.activeElement?.closest(".film");
    const at = gone ? [...list.children].indexOf(gone) : -1;
    reorder(list, nodes);
    if (at >= 0 && !list.contains(gone)) {
      list.children[Math.min(at, list.children.length - 1)]?.querySelector(".title")?.focus({ preventScroll: true });
    }
    const here = new Set(answer.recommendations.map((/** @type {Item} */ each) => each.item));
    for (const item of films.keys()) if (!here.has(item)) films.delete(item);
    byId("more").hidden = nodes.length < wanted || wanted >= card.limits.max_k;
    byId("notices").replaceChildren(...noticesOf(answer, nodes.length));
    const first = answer.recommendations[0];
    if (first) announce(`The list has changed. First: ${name(first)}, ${estimate(first, card.scale)}.`);
  };

  /** What there is to say about an answer. @param {any} answer @param {number} n */
  const noticesOf = (answer, n) => {
    const notes = [];
    const unknown = answer.ignored.map((/** @type {{given: string}} */ each) => each.given);
    if (unknown.length) {
      notes.push(notice(`This model does not know ${unknown.length} of what you rated: ${unknown.slice(0, 5).join(", ")}.`,
        { Remove: () => ratings.remove(...unknown) }));
    }
    const liked = likedFrom(card.scale), values = [...ratings.values.values()];
    if (card.has.ratings && values.length >= 3 && values.every((value) => value < liked)) {
      notes.push(notice(`You liked none of what you rated, so it knows what you would not like, but little of what you would. Rate a few ${things} that you like.`));
    }
    if (!n) {
      notes.push(notice(`No ${things} are left with what you hide.`,
        { "Show all": () => ratings.choose({ hidden: [], years: [null, null], unwanted: [] }) }));
    }
    if (answer.model !== card.model) {
      notes.push(notice("The server has taken up another model.", { Reload: () => location.reload() }));
    }
    return notes;
  };

  /** @param {AbortSignal} signal */
  const showQuestions = async (signal) => {
    const empty = !ratings.values.size;
    if (empty) asking = true;
    byId("questions").hidden = !asking;
    if (!asking) return;
    const k = empty ? FIRST : QUESTIONS;
    const { items } = await post("/v1/surprise",
      { ratings: ratings.list, k, exclude: [...skipped, ...ratings.choices.unwanted], ...asked(ratings.choices) }, signal);
    const list = byId("question-list"), old = new Map([...list.children].map((node) => [node.dataset.item, node]));
    reorder(list, items.map((/** @type {any} */ item) => old.get(item.item) ?? question(item)));
  };

  /** @param {any} item */
  const question = (item) => h("li", { class: "question", "data-item": item.item },
    h("h3", {}, name(item), " ", h("span", { class: "year" }, String(item.year ?? ""))),
    h("p", { class: "genres" }, genreLine(item.genres ?? [])),
    rate(place, item),
    h("button", { type: "button", class: "link", "aria-label": `Skip ${name(item)}`, onclick: () => {
      skipped.add(item.item);
      refresh();
      byId("question-list").querySelector(".link")?.focus();
    } }, words.unseen));

  const refresh = () => last(async (signal) => {
    const empty = !ratings.values.size;
    // Asked before anything is drawn: the server answers while the page is laid out.
    const body = wish(ratings, wanted, card);
    const ask = () => post("/v1/recommend", body, signal);
    // The early one is refused where a key was missing, or the link has films of another model.
    const answer = empty ? null : early?.body === JSON.stringify(body) ? early.answer.catch(ask) : ask();
    early = null;
    answer?.catch(() => {});  // looked at below
    document.body.classList.toggle("empty", empty);
    for (const id of ["yours", "for-you"]) byId(id).hidden = empty;
    byId("welcome").hidden = !empty || !ratings.saved;
    showRated();
    showControls();
    const list = byId("for-you");
    try {
      list.setAttribute("aria-busy", "true");
      if (!answer) {
        byId("taste").hidden = true;
        byId("notices").replaceChildren();
        byId("list").replaceChildren();
        films.clear();
      } else {
        showList(await answer);
        list.removeAttribute("aria-busy");
        showRated();
        showTaste(await post("/v1/profile", { ratings: ratings.list }, signal), card.scale, words.one);
      }
      await showQuestions(signal);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 422 && error.message.startsWith("none of the ")) {
        const mine = error.message.startsWith("none of the ratings");
        const text = `This model knows none of the ${things} in ${mine ? "this link" : "the other link"}: it was perhaps made with another model.`;
        byId("list").replaceChildren();
        byId("notices").replaceChildren(notice(text, mine
          ? { "Start anew": () => ratings.restore("") } : { "Leave it out": () => ratings.choose({ others: new Map() }) }));
        announce(text);
      } else {
        trouble(byId("notices"), error, refresh);
        announce(error.message);
      }
    }
    list.removeAttribute("aria-busy");
    loadTypeface();
  });

  search((item) => {
    ratings.items.set(item.item, item);
    const box = byId("picked");
    const { head, more } = headline(place, item, undefined, "h2");
    box.replaceChildren(head, rate(place, item), more);
    box.hidden = false;
    box.querySelector(".rater input, .rater button")?.focus();
    showPicked = item;
  }, (item) => {
    if (!ratings.values.has(item.item)) return "";
    return card.has.ratings ? `you gave it ${mark(ratings.values.get(item.item) ?? 0)}` : "chosen";
  },
  (text) => `No ${words.one} called “${text}” here${card.years ? `: these are of ${card.years.first} to ${card.years.last}` : ""}.`);

  /** @type {Item | null} */
  let showPicked = null;
  ratings.addEventListener("change", () => {
    if (showPicked && ratings.values.has(showPicked.item)) {
      const focused = byId("picked").contains(document.activeElement);
      byId("picked").hidden = true;
      showPicked = null;
      if (focused) byId("search").focus();
    }
    refresh();
  });

  byId("surprise").addEventListener("click", () => {
    asking = true;
    refresh().then(() => byId("question-list").querySelector("input, .rater button")?.focus());
  });
  byId("enough").addEventListener("click", () => {
    asking = false;
    refresh();
    byId("surprise").focus();
  });
  byId("all").addEventListener("click", () => { all = !all; showRated(); });
  byId("more").addEventListener("click", () => {
    wanted = Math.min(wanted + SHOWN, card.limits.max_k);
    refresh();
  });
  byId("resume").addEventListener("click", () => { ratings.restore(ratings.saved ?? ""); byId("search").focus(); });
  byId("clear").addEventListener("click", () => {
    const before = ratings.fragment, n = ratings.values.size;
    ratings.restore("");
    byId("undo").replaceChildren(notice(`${n} ratings cleared.`, { Undo: () => ratings.restore(before) }));
    byId("search").focus();
  });
  ratings.addEventListener("change", () => { if (ratings.values.size) byId("undo").replaceChildren(); });
  byId("share").addEventListener("click", async () => {
    const box = byId("link");
    box.value = location.href;
    try {
      await navigator.clipboard.writeText(location.href);
      byId("shared").textContent = "Copied. The link holds your ratings; nothing is stored on the server.";
    } catch {
      byId("shared").textContent = "Copy this link: it holds your ratings.";
      box.hidden = false;
      box.select();
    }
  });
  addEventListener("online", refresh);
  importing(card, ratings, (text) => byId("standing").replaceChildren(standing(text)));
  byId("with").addEventListener("change", () => {
    const box = byId("with"), found = ratingsOf(box.value);
    byId("with-wrong").hidden = found.size > 0 || !box.value;
    if (found.size) {
      box.value = "";
      ratings.choose({ others: found });
    }
  });
  byId("fair").addEventListener("change", () => ratings.choose({ mean: byId("fair").value === "mean" }));
  byId("alone").addEventListener("click", () => ratings.choose({ others: new Map() }));
  ratings.addEventListener("change", () => {
    const { others, mean } = ratings.choices;
    byId("both").hidden = !others.size;
    byId("other-count").textContent = `With somebody who rated ${others.size} ${others.size === 1 ? words.one : things}`;
    byId("fair").value = mean ? "mean" : "least";
    byId("list-heading").textContent = others.size ? "For both of you" : "For you";
  });

  byId("heading").textContent = words.ask;
  byId("questions-heading").textContent = words.questions;
  byId("app").hidden = false;
  fit();
  ratings.notify();
}

/** The lowest rating that counts as liked: three quarters up the scale. @param {{low: number, high: number}} scale */
const likedFrom = ({ low, high }) => low + 0.75 * (high - low);

start(home);
