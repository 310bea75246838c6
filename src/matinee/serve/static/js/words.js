/** How things are said. */

/**
 * @typedef {{low: number, high: number, step: number | null}} Scale
 * @typedef {{item: string, title: string, year?: number | null, genres?: string[],
 *   n_ratings?: number | null, mean?: number | null}} Item
 * @typedef {{item: string, title: string, rating: number, contribution: number}} Reason
 * @typedef {{prediction: number, baseline: number, reasons: Reason[], others: number,
 *   together: number}} Why
 */

const ARTICLE =
  /^(.+?), (The|A|An|Le|La|Les|L'|El|Il|Lo|Los|Las|I|Das|Der|Die|Den|Det|Un|Une|Una)( \(.*)?$/;

/** "Matrix, The (1999)" is "The Matrix": the year stands beside it. @param {{title: string}} item */
export function name({ title }) {
  const plain = title.replace(/\s*\((1[89]|20)\d\d(-\d*)?\)\s*$/, "") || title;
  const found = ARTICLE.exec(plain);
  if (!found) return plain;
  return `${found[2]}${found[2].endsWith("'") ? "" : " "}${found[1]}${found[3] ?? ""}`;
}

/** The same without its other names, for a sentence. @param {{title: string}} item */
export const short = (item) => name(item).replace(/(.) \(.*\)$/, "$1");

/** The year, where only the title has it. @param {Item} item */
export const year = (item) => item.year ?? /\(((1[89]|20)\d\d)/.exec(item.title)?.[1] ?? "";

/** A rating as people write it: 4½. @param {number} value */
export function mark(value) {
  if (value % 1 === 0.5 && value > 0) return `${value > 1 ? Math.floor(value) : ""}½`;
  return String(Math.round(value * 100) / 100);
}

/** Rating points, with as many digits as a scale deserves. @param {number} value @param {Scale} scale */
export const points = (value, scale) => value.toFixed(scale.high - scale.low > 20 ? 0 : 1);

/**
 * What a model makes of an item, in words: the predicted rating, or the chance of a choice.
 * @param {{predicted: number | null, chance?: number | null}} film
 * @param {Scale} scale
 */
export function estimate({ predicted, chance }, scale) {
  if (predicted !== null) return `predicted ${points(predicted, scale)}`;
  if (chance === null || chance === undefined) return "";
  return `${chance < 0.01 ? "under 1" : Math.round(chance * 100)}% chance to be among your next 10`;
}

/** @param {number} value @param {Scale} scale */
export function signed(value, scale) {
  const text = Math.abs(value).toFixed(scale.high - scale.low > 20 ? 1 : 2);
  return Number(text) === 0 ? "0" : `${value < 0 ? "−" : "+"}${text}`;
}

/**
 * Why a prediction is as it is: the ratings that moved it, for and against, in parts of a sentence.
 * Parts that are titles are marked, to be set in italics.
 * @param {Why} why
 * @param {Scale} scale
 * @param {boolean} [rated] Whether there are ratings, or choices alone.
 * @returns {{text: string, title?: boolean}[]}
 */
export function because(why, scale, rated = true) {
  const least = (scale.high - scale.low) / 100;
  const up = why.reasons.filter((reason) => reason.contribution >= least).slice(0, 2);
  // What speaks against it is said where it weighs about as much as what speaks for it.
  const much = Math.max(least, (up[0]?.contribution ?? 0) / 2);
  const down = why.reasons.filter((reason) => -reason.contribution >= much).slice(0, up.length ? 1 : 2);
  if (!up.length && !down.length) {
    return [{ text: `Nearly what it predicts for anyone; your ${rated ? "ratings" : "choices"} hardly move it` }];
  }
  /** @param {Reason[]} reasons */
  const gave = (reasons) => reasons.flatMap((reason, at) => [
    { text: at ? " and " : "" },
    { text: short(reason), title: true },
    ...(rated ? [{ text: ` ${mark(reason.rating)}` }] : []),
  ]);
  /** @param {Reason} reason */
  const against = (reason) =>
    [{ text: rated ? `${mark(reason.rating)} for ` : "choice of " }, { text: short(reason), title: true }];
  const did = rated ? "gave" : "chose";
  if (!up.length) return [{ text: `Held back because you ${did} ` }, ...gave(down)];
  const parts = [{ text: `Because you ${did} ` }, ...gave(up)];
  // Where two ratings are less than half of what moved it, the sentence does not claim to be all.
  const all = why.reasons.reduce((sum, each) => sum + Math.max(0, each.contribution), Math.max(0, why.others));
  if (up.reduce((sum, each) => sum + each.contribution, 0) < all / 2) parts.push({ text: " and others" });
  return down.length ? [...parts, { text: "; held back by your " }, ...against(down[0])] : parts;
}

/** Genres in a line. @param {string[]} genres */
export const genreLine = (genres) => genres.slice(0, 3).join(", ");

/**
 * What the pages call the items.
 * @param {any} card
 */
export function vocabulary(card) {
  const many = card.things ?? "items";
  /** @type {Record<string, string>} */
  const odd = { movies: "movie", series: "series" };
  const one = odd[many] ?? many.replace(/ies$/, "y").replace(/s$/, "");
  const seen = ["films", "movies", "series", "shows"].includes(many);
  return {
    many, one,
    ask: seen ? "What have you seen?" : "What do you know?",
    questions: seen ? "Seen any of these?" : "Do you know any of these?",
    seen: seen ? "Seen it?" : "Know it?",
    unseen: seen ? "Not seen" : "Not known",
  };
}

/** Text without case, accents and signs, to be compared. @param {string} text */
export const plain = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
