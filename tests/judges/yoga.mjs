// tests/judges/yoga.mjs: graphql-yoga over our own schema, answering the customer page with what the gateway answered.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSchema, createYoga } from "graphql-yoga";

const port = Number(process.argv.at(-1));
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const { data } = JSON.parse(readFileSync(process.env.BENCH_ANSWER, "utf8"));

// The answer is keyed as the schema is, so the default resolvers find everything below the customer.
const yoga = createYoga({
  schema: createSchema({
    typeDefs: readFileSync(join(root, "schema", "schema.graphql"), "utf8"),
    resolvers: { Query: { customer: () => data.customer } },
  }),
  logging: false,
});
createServer(yoga).listen(port, "127.0.0.1");
