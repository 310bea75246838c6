/** The page of the model card. */

import { lines, ranges } from "./charts.js";
import { byId, h, loadTypeface } from "./dom.js";
import { Ratings } from "./ratings.js";
import { start } from "./start.js";

/** @param {number} value */
const whole = (value) => value.toLocaleString("en");
/** @param {[number, number] | undefined} range */
const interval = (range) => (range ? `95% interval ${range[0].toFixed(3)} to ${range[1].toFixed(3)}` : "");
/** @param {string} code */
const words = (code) => code.replaceAll("_", " ");

/** The figures that matter most. @param {any} card */
function figures({ scores, data }) {
  /** @type {[string, string, string][]} */
  const parts = scores.map((/** @type {any} */ score) =>
    [score.value.toFixed(3), `${score.label} on held-out ratings`, interval(score.interval)]);
  parts.push([whole(data.n_ratings), "training ratings", `${whole(data.n_users)} people, ${whole(data.n_items)} items`]);
  return parts.map(([big, what, more]) =>
    h("div", {}, h("span", { class: "big" }, big), h("span", {}, what), h("span", { class: "quiet" }, more)));
}

/** @param {any} card */
function charts({ metrics, scores, epochs, kind }) {
  const parts = [];
  const baselines = Object.entries(metrics?.baselines ?? {});
  const [score] = scores; // the first metric of the registry
  if (score && baselines.length) {
    parts.push(ranges({
      title: "Comparison with baselines",
      note: `${score.label} on the same held-out ratings, with 95% intervals; less is better.`,
      first: true,
      rows: [{ name: kind, value: score.value, interval: score.interval },
        ...baselines.map(([name, of]) => ({
          name: words(name), value: of[score.name], interval: of[`${score.name}_interval`],
        })).sort((a, b) => a.value - b.value)],
    }));
  }
  const curve = training(epochs);
  if (curve.length) {
    parts.push(lines({
      title: "Training", note: "RMSE after each epoch.", x: "epoch", y: "RMSE", series: curve,
    }));
  }
  const by = metrics?.uncertainty?.by_std;
  if (by?.length > 1) {
    parts.push(lines({
      title: "Predicted and actual error",
      note: "RMSE of ratings grouped by their predicted standard deviation. On the dashed line they are equal.",
      x: "predicted standard deviation", y: "RMSE", diagonal: true,
      series: [{ name: "RMSE", dots: true,
        points: by.map((/** @type {any} */ bin) => ({ x: bin.std, y: bin.rmse })) }],
    }));
  }
  const history = metrics?.by_history?.filter((/** @type {any} */ row) => row.n);
  if (history?.length > 1) {
    parts.push(ranges({
      title: "By number of ratings",
      note: "RMSE by the number of training ratings of the user.",
      rows: history.map((/** @type {any} */ row) => ({ name: `${row.ratings} ratings`, value: row.rmse })),
    }));
  }
  return parts;
}

/** The curves of a training, if it was one of epochs. @param {any[]} epochs */
function training(epochs) {
  if (epochs.length < 2 || epochs.some((each) => each.member)) return [];
  const curves = [
    ...Object.keys(epochs[0].watched ?? {}).map((name) => [name, (/** @type {any} */ e) => e.watched?.[name]]),
    ["validation", (/** @type {any} */ e) => e.valid_rmse],
    ["training", (/** @type {any} */ e) => e.train_rmse],
  ];
  return curves
    .map(([name, of]) => ({ name, points: epochs.map((e) => ({ x: e.epoch, y: of(e) })).filter((p) => p.y != null) }))
    .filter((series) => series.points.length > 1);
}

/** @param {any} card */
function facts(card) {
  const { split, scale } = card;
  /** @type {[string, any][]} */
  const parts = [
    ["Model", `${card.kind}, ${card.model}`],
    ["Data", `${card.data.name || "unnamed"}${card.data.fingerprint ? `, fingerprint ${card.data.fingerprint.slice(0, 12)}` : ""}`],
    ["Scale", `${scale.low} to ${scale.high}${scale.step ? ` in steps of ${scale.step}` : ""}`],
    ["Held out", split && Object.entries(split).map(([name, value]) => `${words(name)} ${value}`).join(", ")],
    ["Tested on", card.metrics?.n_test && `${whole(card.metrics.n_test)} ratings of ${whole(card.metrics.n_test_users)} people`],
    ["Seed", card.seed],
    ["Training took", card.training?.train_seconds && `${whole(Math.round(card.training.train_seconds))} seconds`],
    ["Versions", Object.entries(card.versions ?? {}).map(([name, version]) => `${name} ${version}`).join(", ")],
  ];
  return parts.filter(([, value]) => value != null && value !== "")
    .flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]);
}

start((card) => {
  new Ratings().notify();
  byId("kicker").textContent = `The model · ${card.kind}`;
  byId("heading").textContent = card.data.name ? `Learned from ${card.data.name}` : "What it is";
  byId("description").textContent = card.description;
  byId("figures").replaceChildren(...figures(card));
  byId("caveats").replaceChildren(
    ...[...card.caveats, ...(card.data.notes ?? []), ...(card.metrics?.notes ?? [])].map((text) => h("li", {}, text)));
  const drawn = charts(card);
  byId("charts").replaceChildren(...drawn);
  byId("scores").hidden = !drawn.length;
  byId("facts").replaceChildren(...facts(card));
  byId("settings").textContent = JSON.stringify(card.settings, null, 2);
  byId("app").hidden = false;
  loadTypeface();
});
