// The page's own script, run without a browser against the running gateway (GATEWAY): every tab answers with what it was
// filled with, the first one at once, and the schema is told whatever tab is open.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { runInNewContext } from "node:vm";
import { getIntrospectionQuery } from "graphql";
import { refusals } from "./contract.mjs";

const script = readFileSync(resolve(import.meta.dirname, "../../api/pages/graphiql.js"), "utf8");
const kept = new Map([["graphiql:tabState", "{}"]]); // of an earlier visit
const localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
const findings = [];

const shown = await new Promise((rendered) =>
  runInNewContext(script, {
    fetch: (path, options) => fetch(`${process.env.GATEWAY}${path}`, options),
    localStorage,
    document: { getElementById: () => null },
    GraphiQL: null,
    React: { createElement: (_component, props) => props },
    ReactDOM: { render: rendered },
  }),
);
async function ask({ query, variables, headers }, more) {
  const asked = { query, variables: JSON.parse(variables), ...more };
  return shown.fetcher(asked, { headers: JSON.parse(headers) });
}
for (const tab of shown.defaultTabs) {
  const [, name] = /^(?:query|mutation) (\w+)/m.exec(tab.query);
  const answer = await ask(tab);
  findings.push(...(answer.errors ?? []).map(({ message }) => `${name}: ${message}`));
  findings.push(...refusals(answer.data).map((refusal) => `${name} is refused: ${JSON.stringify(refusal)}`));

  if (Object.values(answer.data ?? {}).includes(null)) findings.push(`${name} shows nothing: ${JSON.stringify(answer.data)}`);
  const { data } = await ask(tab, { query: getIntrospectionQuery(), variables: {}, operationName: "IntrospectionQuery" });
  if (!data?.__schema) findings.push(`the schema is not told with the tab ${name} open`);
}
const [first] = shown.defaultTabs;
for (const editor of ["query", "variables", "headers"])
  if (shown[editor] !== first[editor]) findings.push(`the editor of the ${editor} begins with another's than the first tab's`);
const [, pasted] = /```graphql\n(.*?)```/s.exec(readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8"));
const { errors } = await ask({ query: pasted, variables: "{}", headers: shown.defaultHeaders });
if (errors) findings.push(`what the README says to paste into a new tab is refused: ${errors[0].message}`);
shown.storage.setItem("graphiql:tabState", "{}");
if (shown.storage.getItem("graphiql:tabState") !== null) findings.push("the tabs of an earlier visit come back");

console.log(JSON.stringify({ judged: shown.defaultTabs.length, findings }));
