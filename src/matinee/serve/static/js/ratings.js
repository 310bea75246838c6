/** What somebody rated and chose: in the page's address, and in this browser for a next visit. */

import { recall, remember } from "./memory.js";

const SAVED = "matinee-ratings";
const encode = encodeURIComponent;
/** The dial where it stands for the model's own order. */
export const MIDDLE = 0.5;

/** Dispatches "change" to its listeners. */
export class Ratings extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, number>} Oldest first. */
    this.values = new Map();
    /** @type {Map<string, import("./words.js").Item>} What is known of the items met. */
    this.items = new Map();
    this.choices = fresh();
    this.read();
    // Somebody else's link is not to take the place of what is saved.
    this.isVisitors = !location.hash || [null, this.fragment].includes(recall(SAVED));
    for (const kind of ["hashchange", "popstate"]) {
      addEventListener(kind, () => {
        if (location.hash.slice(1) !== this.fragment) {
          this.read();
          this.notify();
        }
      });
    }
  }

  /** All of it as the fragment of an address. */
  get fragment() {
    const { diversity, shrink, hidden, years, dial, personal, unwanted, others, mean } = this.choices;
    const parts = [];
    const ratings = [...this.values].map(([item, value]) => `${encode(item)}:${value}`);
    if (ratings.length) parts.push(`r=${ratings.join(",")}`);
    if (diversity) parts.push(`d=${diversity}`);
    if (!shrink) parts.push("s=0");
    if (hidden.length) parts.push(`g=${hidden.map(encode).join(",")}`);
    if (years.some((year) => year != null)) parts.push(`y=${years.map((y) => y ?? "").join("-")}`);
    if (dial !== MIDDLE) parts.push(`l=${dial}`);
    if (personal) parts.push(`p=${personal}`);
    if (unwanted.length) parts.push(`x=${unwanted.map(encode).join(",")}`);
    if (others.size) parts.push(`w=${[...others].map(([item, value]) => `${encode(item)}:${value}`).join(",")}`);
    if (mean) parts.push("m=1");
    return parts.join("&");
  }

  /** For requests. */
  get list() {
    return [...this.values].map(([item, rating]) => ({ item, rating }));
  }

  /** Take everything from the page's address, or from another fragment. */
  read(fragment = location.hash.slice(1)) {
    this.values.clear();
    this.choices = fresh();
    for (const part of fragment.split("&")) {
      const [key, value = ""] = part.split("=");
      const parts = value.split(",").filter(Boolean);
      if (key === "r") this.values = parseRatings(parts);
      else if (key === "w") this.choices.others = parseRatings(parts);
      else if (key === "m") this.choices.mean = value === "1";
      else if (key === "p") this.choices.personal = Math.min(1, Math.max(-1, Number(value) || 0));
      else if (key === "x") this.choices.unwanted = parts.map(decode);
      else if (key === "l") {
        const to = Number(value);
        if (value && to >= 0 && to <= 1) this.choices.dial = to;
      } else if (key === "d") this.choices.diversity = Math.min(1, Math.max(0, Number(value) || 0));
      else if (key === "s") this.choices.shrink = value !== "0";
      else if (key === "g") this.choices.hidden = parts.map(decode);
      else if (key === "y") {
        this.choices.years = value.split("-").map((year) => (Number(year) || null)).slice(0, 2);
      }
    }
  }

  /** @param {string} item @param {number} rating */
  rate(item, rating) {
    if (this.values.get(item) === rating) return;
    this.values.set(item, rating);
    this.changed(true);
  }

  /** @param {string[]} items */
  remove(...items) {
    for (const item of items) this.values.delete(item);
    this.changed(true);
  }

  /** Take up many at once. @param {Map<string, number>} more */
  add(more) {
    for (const [item, rating] of more) this.values.set(item, rating);
    this.changed(true);
  }

  /** @param {Partial<ReturnType<typeof fresh>>} choices */
  choose(choices) {
    Object.assign(this.choices, choices);
    this.changed();
  }

  /** What an earlier visit left in this browser, if this page holds nothing. */
  get saved() {
    const saved = recall(SAVED);
    return this.values.size || !saved?.includes("r=") ? null : saved;
  }

  /** Take up another fragment: an earlier visit, or what was just cleared. @param {string} fragment */
  restore(fragment) {
    this.read(fragment);
    this.changed(true);
  }

  /** @param {boolean} [step] Whether Back is to undo it. */
  changed(step = false) {
    const { fragment } = this, address = fragment ? `#${fragment}` : location.pathname;
    if (step && fragment !== location.hash.slice(1)) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    if (this.isVisitors) remember(SAVED, fragment);
    this.notify();
  }

  notify() {
    for (const link of document.querySelectorAll("a[data-keep]")) {
      const page = /** @type {HTMLAnchorElement} */ (link);
      page.hash = this.fragment;
    }
    this.dispatchEvent(new Event("change"));
  }
}

const fresh = () => ({
  diversity: 0,
  shrink: true,
  /** @type {string[]} */ hidden: [],
  /** @type {(number | null)[]} */ years: [null, null],
  dial: MIDDLE,
  /** From -1, what suits anyone, to 1, what my own ratings add. */ personal: 0,
  /** @type {string[]} */ unwanted: [],
  /** @type {Map<string, number>} Ratings of somebody else, for a list for both. */ others: new Map(),
  mean: false,
});

/** Ratings of an address: ITEM:RATING. @param {string[]} parts @returns {Map<string, number>} */
function parseRatings(parts) {
  const values = new Map();
  for (const [item, rating] of parts.map((text) => text.split(":"))) {
    if (item && rating && Number.isFinite(Number(rating))) values.set(decode(item), Number(rating));
  }
  return values;
}

/** The ratings that a link to this page holds. @param {string} link */
export const ratingsOf = (link) =>
  parseRatings(/[#&]r=([^&\s]*)/.exec(link)?.[1].split(",").filter(Boolean) ?? []);

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
