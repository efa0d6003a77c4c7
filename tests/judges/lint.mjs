// tests/judges/lint.mjs
// graphql-eslint over the committed contract: `schema-all` (with what it extends) and `schema-relay`.
import { resolve } from "node:path";
import plugin from "@graphql-eslint/eslint-plugin";
import { ESLint } from "eslint";

const ROOT = resolve(import.meta.dirname, "../..");
const SDL = "schema/schema.graphql";
const CONFIGS = ["schema-recommended", "schema-all", "schema-relay"];
const ordered = Object.assign({}, ...CONFIGS.map((name) => plugin.configs[`flat/${name}`].rules));

// What we do otherwise, each with its reason. One that would find nothing is a finding itself.
const exceptions = {
  // Types are sorted; their fields stand in the order in which a reader needs them.
  alphabetize: "off",
  // Every type we add is described; @oneOf is the specification's own, and Strawberry prints it bare.
  "require-description": [
    "error",
    { types: true, DirectiveDefinition: true, rootField: true, ignoredSelectors: ["DirectiveDefinition[name.value=oneOf]"] },
  ],
  // It forbids mutations by default. Subscriptions stay forbidden: there are none.
  "no-root-type": ["error", { disallow: ["subscription"] }],
  // `id` is the opaque one; `orderId`, `shopId` ... are what events and the shop's own systems call the same thing.
  "no-typename-prefix": "off",
  // What can be fetched again implements Node and has an id. Values (money, a line, a page, a payload) are part of
  // their parent: caches must not merge two of them.
  "strict-id-in-types": "off",
  // A refused mutation has a payload, too, with userErrors: clients need not handle a second kind of refusal.
  "require-nullable-result-in-root": "off",
  // A query in every payload would make a mutation cost, and need the scopes of, any query; `node(id:)` fetches again.
  "require-field-of-type-query-in-mutation-result": "off",
  // Lists go forward only (docs/decisions/0042): `last` and `before` would be a second order to keep right.
  "relay-arguments": ["error", { includeBoth: false }],
  // `nodes` beside `edges`, lines of an order and tags are lists that end by themselves, not connections; a movement of
  // points is read in its ledger only, so it is no Node.
  "relay-edge-types": ["error", { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
};

async function messages(rules) {
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: [SDL],
        languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: resolve(ROOT, SDL) } } },
        linterOptions: { noInlineConfig: true },
        plugins: { "@graphql-eslint": plugin },
        rules,
      },
    ],
  });
  const [result] = await eslint.lintFiles([SDL]);
  return result.messages;
}

const excepted = Object.fromEntries(
  Object.entries(exceptions).map(([name, setting]) => [`@graphql-eslint/${name}`, setting]),
);
const found = await messages({ ...ordered, ...excepted });
const findings = found.map(({ line, ruleId, message }) => `schema.graphql:${line} ${ruleId}: ${message}`);
const needed = new Set((await messages(ordered)).map(({ ruleId }) => ruleId));
findings.push(...Object.keys(excepted).filter((rule) => !needed.has(rule)).map((rule) => `${rule} needs no exception`));
console.log(JSON.stringify({ judged: Object.keys(ordered).length, findings }));
