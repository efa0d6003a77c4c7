// tests/judges/contract.mjs
// The committed contract, and what clients' caches need to know of it.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { buildSchema, introspectionFromSchema, isInterfaceType, isObjectType } from "graphql";

export const schema = buildSchema(
  readFileSync(resolve(import.meta.dirname, "../../schema/schema.graphql"), "utf8"),
);
export const introspection = introspectionFromSchema(schema);

const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith("__"));
/** Types whose objects are part of their parent: they have no id. */
export const values = types.filter((type) => isObjectType(type) && !type.getFields().id).map(({ name }) => name);
/** Interface by interface, the types behind it. */
export const possibleTypes = Object.fromEntries(
  types.filter(isInterfaceType).map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
);

/** The objects of an answer that can be fetched again: cache key by cache key, as `Customer:abc`. */
export function entities(value, found = new Set()) {
  if (Array.isArray(value)) value.forEach((each) => entities(each, found));
  else if (value && typeof value === "object") {
    if (value.id && value.__typename) found.add(`${value.__typename}:${value.id}`);
    Object.values(value).forEach((each) => entities(each, found));
  }
  return found;
}

/** User errors and faults of an answer, however deep. */
export function refusals(value) {
  if (Array.isArray(value)) return value.flatMap(refusals);
  if (!value || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, each]) =>
    name === "userErrors" || name === "faults" ? each : refusals(each),
  );
}
