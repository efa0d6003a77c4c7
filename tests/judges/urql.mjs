// tests/judges/urql.mjs
// urql with its normalised cache runs the example operations; queries by GET: GATEWAY, TOKENS (by audience).
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { introspection, refusals, values } from "./contract.mjs";
import { operations } from "./operations.mjs";

const tokens = JSON.parse(process.env.TOKENS);
const findings = [];
// Graphcache says on the console what it cannot cache, or what does not fit the schema.
console.warn = console.error = (...words) => findings.push(words.join(" "));

function client(audience) {
  return new Client({
    url: `${process.env.GATEWAY}/graphql`,
    preferGetMethod: "force",
    fetchOptions: { headers: { authorization: `Bearer ${tokens[audience]}` } },
    exchanges: [
      cacheExchange({ schema: introspection, keys: Object.fromEntries(values.map((name) => [name, () => null])) }),
      fetchExchange,
    ],
  });
}

const clients = Object.fromEntries(Object.keys(tokens).map((audience) => [audience, client(audience)]));
for (const { name, audience, text, variables } of operations) {
  const urql = clients[audience];
  if (name.endsWith("Mutation")) {
    const { data, error } = await urql.mutation(text, variables).toPromise();
    if (error) findings.push(`${name}: ${error}`);
    findings.push(...refusals(data).map((refusal) => `${name} is refused: ${JSON.stringify(refusal)}`));
    continue;
  }
  const { data, error } = await urql.query(text, variables, { requestPolicy: "network-only" }).toPromise();
  if (error || !data) findings.push(`${name}: ${error}`);
  const again = await urql.query(text, variables, { requestPolicy: "cache-only" }).toPromise();
  if (JSON.stringify(again.data) !== JSON.stringify(data)) findings.push(`${name} is another from the cache`);
}
const { error } = await clients.apps.query("{ customers { nodes { id } } }", {}).toPromise();
if (error?.graphQLErrors[0]?.extensions.code !== "FORBIDDEN") findings.push(`a refusal is told as ${error}`);

console.log(JSON.stringify({ judged: operations.length, findings }));
process.exit();
