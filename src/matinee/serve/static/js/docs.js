/** The API, drawn from its OpenAPI description. */

import { get } from "./api.js";
import { byId, h } from "./dom.js";
import { trouble } from "./start.js";

/** @typedef {Record<string, any>} Schema */

/** @param {string} ref */
const last = (ref) => ref.slice(ref.lastIndexOf("/") + 1);

/** What a value is, with links to objects. @param {Schema} schema @returns {(Node | string)[]} */
function kind(schema) {
  if (!schema) return ["anything"];
  if (schema.$ref) return [h("a", { href: `#object-${last(schema.$ref)}` }, last(schema.$ref))];
  const some = schema.anyOf ?? schema.oneOf;
  if (some) return some.flatMap((/** @type {Schema} */ each, /** @type {number} */ at) => [at ? " or " : "", ...kind(each)]);
  if (schema.enum) return [schema.enum.map((/** @type {unknown} */ each) => JSON.stringify(each)).join(" or ")];
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.type === "array") {
    if (schema.prefixItems) return ["[", ...schema.prefixItems.flatMap((/** @type {Schema} */ each, /** @type {number} */ at) => [at ? ", " : "", ...kind(each)]), "]"];
    return ["list of ", ...kind(schema.items)];
  }
  return [schema.type ?? "anything"];
}

/** Bounds of a value. @param {Schema} schema */
function bounds(schema) {
  const parts = [];
  const { minimum, maximum, minItems, maxItems, maxLength } = schema;
  if (minimum !== undefined || maximum !== undefined) parts.push(`${minimum ?? "…"} to ${maximum ?? "…"}`);
  if (minItems || maxItems) parts.push(`${minItems ?? 0} to ${maxItems ?? "…"} of them`);
  if (maxLength) parts.push(`at most ${maxLength} characters`);
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join("; ");
}

/** @param {[string, Schema, boolean][]} rows @param {string} label */
const fields = (rows, label) => h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
  h("table", { class: "fields" },
    h("thead", {}, h("tr", {}, ...["field", "what", "meaning"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map(([name, schema, required]) => h("tr", {},
      h("th", { scope: "row" }, h("code", {}, name), required ? h("span", { class: "quiet" }, " required") : null),
      h("td", {}, ...kind(schema)),
      h("td", {}, [schema.description, bounds(schema)].filter(Boolean).join(" ")))))));

/** @param {Schema} schema @param {string} label */
const ofObject = (schema, label) => fields(Object.entries(schema.properties ?? {})
  .map(([name, each]) => [name, each, (schema.required ?? []).includes(name)]), label);

async function docs() {
  let api;
  try {
    api = await get("/openapi.json");
  } catch (error) {
    trouble(byId("trouble"), error, docs);
    return;
  }
  const calls = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(/** @type {Schema} */ (methods)).map(([method, call]) => ({ path, method: method.toUpperCase(), call })));
  const anchor = (/** @type {{path: string, method: string}} */ { path, method }) => `${method}${path}`.replace(/[^\w]+/g, "-").toLowerCase();
  byId("contents").replaceChildren(h("ul", {}, ...calls.map((each) => h("li", {},
    h("a", { href: `#${anchor(each)}` }, h("code", {}, `${each.method} ${each.path}`)), " ",
    h("span", { class: "quiet" }, each.call.description ?? each.call.summary ?? "")))));
  byId("endpoints").replaceChildren(...calls.map((each) => {
    const { call, path, method } = each;
    const body = call.requestBody?.content?.["application/json"]?.schema;
    const answer = call.responses?.["200"]?.content?.["application/json"]?.schema;
    return h("section", { class: "endpoint", id: anchor(each) },
      h("h2", {}, h("code", {}, h("span", { class: "method" }, method), ` ${path}`)),
      h("p", {}, call.description ?? call.summary ?? ""),
      call.parameters?.length ? fields(call.parameters.map((/** @type {Schema} */ p) => [p.name, { ...p.schema, description: p.description ?? p.schema?.description }, p.required]), `Parameters of ${path}`) : null,
      body ? h("p", {}, "Takes ", ...kind(body), ".") : null,
      answer ? h("p", {}, "Answers ", ...kind(answer), ".") : null);
  }));
  byId("objects").replaceChildren(...Object.entries(api.components.schemas).map(([name, schema]) =>
    h("section", { class: "object", id: `object-${name}` }, h("h3", {}, name),
      schema.description ? h("p", { class: "quiet" }, schema.description) : null, ofObject(schema, name))));
  byId("app").hidden = false;
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

docs();
