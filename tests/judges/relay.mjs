// tests/judges/relay.mjs
// relay-compiler over the example operations, and over a refetchable, paginated fragment of the order list.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import compiler from "relay-compiler";
import { operations, SCALARS } from "./operations.mjs";

const FOLDER = join(process.env.WORK, "relay");
const SCHEMA = resolve(import.meta.dirname, "../../schema/schema.graphql");
const PAGINATED = `fragment Paginated_customer on Customer
@refetchable(queryName: "PaginatedOrdersQuery")
@argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
  orders(first: $count, after: $cursor) @connection(key: "Paginated_orders") {
    edges { node { id orderId status } }
  }
}`;

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(join(FOLDER, "made"), { recursive: true });
const modules = operations.map(({ name, text }) => [name.replace(/(Query|Mutation)$/, ""), text]);
for (const [name, text] of [...modules, ["Paginated", PAGINATED]]) {
  // A module may hold several definitions, each in a tag of its own.
  const tags = text.split(/^(?=(?:query|mutation|fragment) )/m).filter((part) => /^(query|mutation|fragment) /.test(part));
  const body = tags.map((tag, index) => `export const tag${index} = graphql\`\n${tag}\`;\n`).join("");
  writeFileSync(join(FOLDER, `${name}.ts`), `import { graphql } from "relay-runtime";\n${body}`);
}
copyFileSync(SCHEMA, join(FOLDER, "schema.graphql"));
const config = {
  src: ".",
  schema: "schema.graphql",
  language: "typescript",
  artifactDirectory: "made",
  excludes: ["made/**"],
  customScalarTypes: SCALARS,
  requireCustomScalarTypes: true,
};
writeFileSync(join(FOLDER, "relay.config.json"), JSON.stringify(config));
const done = spawnSync(compiler, ["relay.config.json"], { cwd: FOLDER, encoding: "utf8" });
const made = done.status === 0 ? readdirSync(join(FOLDER, "made")) : [];
const findings = done.status === 0 ? [] : [`relay-compiler: ${done.stdout}${done.stderr}${done.error ?? ""}`];
const missing = operations.filter(({ name }) => done.status === 0 && !made.includes(`${name}.graphql.ts`));
findings.push(...missing.map(({ name }) => `relay-compiler made nothing of ${name}`));
console.log(JSON.stringify({ judged: operations.length, findings }));
