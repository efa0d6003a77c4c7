// tests/judges/breaking.mjs
// What in the contract breaks those who build on an earlier one (BASE): by graphql-inspector, and of access rules, which
// it does not weigh, by us. To know that it would be noticed, the contract is broken in each of the ways below, too.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CriticalityLevel, diff, DiffRule } from "@graphql-inspector/core";
import { buildASTSchema, Kind, parse, visit } from "graphql";

const SDL = resolve(import.meta.dirname, "../../schema/schema.graphql");
const read = (path) => parse(readFileSync(path, "utf8"));

/** What was deprecated may go: that is what deprecating it said. */
async function breaks(before, after) {
  const schemas = [before, after].map((document) => buildASTSchema(document));
  const changes = await diff(...schemas, [DiffRule.suppressRemovalOfDeprecatedField]);
  const broken = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
  return [...broken, ...barred(before, after)];
}

const RANKS = ["NONE", "OWN", "ANY"];

/** Who may use each field, by its coordinate: as its own rule says, or its type's. */
function access(document) {
  const rules = new Map();
  const said = ({ directives }) => {
    const found = directives.find(({ name }) => name.value === "access");
    return found && Object.fromEntries(found.arguments.map(({ name, value }) => [name.value, value.value]));
  };
  for (const type of document.definitions)
    for (const field of (type.kind === OUTPUT && type.fields) || [])
      rules.set(`${type.name.value}.${field.name.value}`, said(field) ?? said(type) ?? {});
  return rules;
}

/** Fields that somebody may no longer use who could. */
function barred(before, after) {
  const now = access(after);
  const rank = ({ customer = "NONE" }) => RANKS.indexOf(customer);
  return [...access(before)].flatMap(([path, was]) => {
    const is = now.get(path) ?? was;
    if (rank(is) < rank(was)) return { path, message: "customers may use it no more, or less" };
    if (was.service && !is.service) return { path, message: "services may use it no more" };
    return is.scope && is.scope !== was.scope ? { path, message: `it needs the scope ${is.scope}` } : [];
  });
}

/** Changes the first definition that `touch` answers for: with another node, or null for none. */
function changed(document, kind, touch) {
  let done = false;
  const result = visit(document, {
    [kind]: (node) => {
      const other = done ? undefined : touch(node);
      done ||= other !== undefined;
      return other;
    },
  });
  if (!done) throw new Error(`nothing to break: ${touch}`);
  return result;
}

const told = (customer, scope) => (node) => {
  const [{ fields }] = parse(`type T { f: Int @access(customer: ${customer}, scope: "${scope}") }`).definitions;
  return { ...node, directives: fields[0].directives };
};
const named = (value) => ({ kind: Kind.NAME, value });
const required = (type) => ({ kind: Kind.NON_NULL_TYPE, type });
const type = (name) => ({ kind: Kind.NAMED_TYPE, name: named(name) });
const NEW = { kind: Kind.INPUT_VALUE_DEFINITION, name: named("brandNew"), type: required(type("Int")) };
const nullable = (node) => (node.type.kind === Kind.NON_NULL_TYPE ? { ...node, type: node.type.type } : undefined);
const retyped = (node) => ({ ...node, type: type(node.type.name?.value === "Int" ? "Float" : "Int") });
const OUTPUT = Kind.OBJECT_TYPE_DEFINITION;
const INPUT = Kind.INPUT_OBJECT_TYPE_DEFINITION;
const inside = (list, touch) => (node) => {
  const index = node[list]?.findIndex((each) => touch(each) !== undefined) ?? -1;
  if (index < 0) return undefined;
  const other = touch(node[list][index]);
  return { ...node, [list]: node[list].flatMap((each, at) => (at !== index ? each : (other ?? []))) };
};
const demanded = (node) =>
  node.type.kind === Kind.NON_NULL_TYPE ? undefined : { ...node, type: required(node.type), defaultValue: undefined };

const WAYS = {
  "a field goes": [OUTPUT, inside("fields", () => null)],
  "a field becomes nullable": [OUTPUT, inside("fields", nullable)],
  "a field has another type": [OUTPUT, inside("fields", retyped)],
  "an object leaves its interface": [OUTPUT, inside("interfaces", () => null)],
  "an argument goes": [Kind.FIELD_DEFINITION, inside("arguments", () => null)],
  "an argument becomes required": [Kind.FIELD_DEFINITION, inside("arguments", demanded)],
  "a required argument comes": [Kind.FIELD_DEFINITION, (node) => ({ ...node, arguments: [...node.arguments, NEW] })],
  "an argument has another type": [Kind.FIELD_DEFINITION, inside("arguments", retyped)],
  "an input's field goes": [INPUT, inside("fields", () => null)],
  "an input's field becomes required": [INPUT, inside("fields", demanded)],
  "a required field comes to an input": [INPUT, (node) => ({ ...node, fields: [...node.fields, NEW] })],
  "customers may use a field no more": [OUTPUT, inside("fields", told("NONE", ""))],
  "a field needs another scope": [OUTPUT, inside("fields", told("ANY", "other:read"))],
  "an enum's value goes": [Kind.ENUM_TYPE_DEFINITION, inside("values", () => null)],
};

const contract = read(SDL);
const undetected = [];
for (const [way, [kind, touch]] of Object.entries(WAYS)) {
  const found = await breaks(contract, changed(contract, kind, touch));
  if (found.length === 0) undetected.push(way);
}
const broken = process.env.BASE ? await breaks(read(process.env.BASE), contract) : [];
const answer = { ways: Object.keys(WAYS).length, undetected, broken: broken.map(({ path, message }) => [path, message]) };
console.log(JSON.stringify(answer));
