// tests/judges/apollo.mjs
// Apollo Client runs the example operations against the running gateway: GATEWAY, TOKENS (by audience).
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { entities, possibleTypes, refusals } from "./contract.mjs";
import { operations } from "./operations.mjs";

const uri = `${process.env.GATEWAY}/graphql`;
const tokens = JSON.parse(process.env.TOKENS);
const findings = [];
const PAGES = gql`query Pages($first: Int, $after: String) {
  customers(first: $first, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } }
}`;
const AGAIN = gql`query Again($ids: [ID!]!) { nodes(ids: $ids) { id } }`;

function client(audience) {
  return new ApolloClient({
    link: ApolloLink.from([new HttpLink({ uri, headers: { authorization: `Bearer ${tokens[audience]}` } })]),
    cache: new InMemoryCache({
      possibleTypes,
      typePolicies: { Query: { fields: { customers: relayStylePagination() } } },
    }),
    defaultOptions: { query: { fetchPolicy: "network-only" } },
  });
}

const clients = Object.fromEntries(Object.keys(tokens).map((audience) => [audience, client(audience)]));
for (const { name, audience, text, variables } of operations) {
  const document = gql(text);
  const apollo = clients[audience];
  try {
    const { data } = name.endsWith("Mutation")
      ? await apollo.mutate({ mutation: document, variables })
      : await apollo.query({ query: document, variables });
    findings.push(...refusals(data).map((refusal) => `${name} is refused: ${JSON.stringify(refusal)}`));
    // What a mutation says it has deleted is no more, and is dropped.
    for (const { deleted } of Object.values(data).filter((payload) => payload?.deleted))
      apollo.cache.evict({ id: Object.keys(apollo.cache.extract()).find((key) => key.endsWith(`:${deleted}`)) ?? deleted });
    const cached = apollo.cache.extract();
    findings.push(...[...entities(data)].filter((key) => !cached[key]).map((key) => `${name}: ${key} is not cached`));
    if (!name.endsWith("Mutation") && !apollo.readQuery({ query: document, variables }))
      findings.push(`${name} cannot be read again from the cache`);
  } catch (error) {
    findings.push(`${name}: ${error}`);
  }
}

// Every object in a cache can be fetched again by the id it is cached under.
for (const [audience, apollo] of Object.entries(clients)) {
  const cached = Object.keys(apollo.cache.extract()).filter((key) => !/^(ROOT_|__META)/.test(key));
  if (cached.length === 0) continue; // visitors tell, and are told nothing
  const ids = cached.map((key) => key.slice(key.indexOf(":") + 1));
  const { data } = await apollo.query({ query: AGAIN, variables: { ids } });
  const again = data.nodes.map((node) => node && `${node.__typename}:${node.id}`);
  findings.push(...cached.filter((key, index) => again[index] !== key).map((key) => `${audience}: ${key} is no node`));
}

// Pages add up to the list, each customer once.
const paging = client("staff");
const pages = paging.watchQuery({ query: PAGES, variables: { first: 2 } });
let data = await new Promise((told) => pages.subscribe((result) => !result.loading && told(result.data)));
while (data.customers.pageInfo.hasNextPage)
  ({ data } = await pages.fetchMore({ variables: { after: data.customers.pageInfo.endCursor } }));
const { customers } = paging.readQuery({ query: PAGES, variables: { first: 2 } });
const listed = new Set(customers.edges.map(({ node }) => node.id));
if (listed.size < 3 || listed.size !== customers.edges.length) findings.push(`pages: ${listed.size} customers listed`);

// A refusal comes with its code, not as a network error.
const refused = await clients.apps.query({ query: PAGES, errorPolicy: "all" }).catch((error) => ({ error }));
if (!CombinedGraphQLErrors.is(refused.error) || refused.error.errors[0].extensions.code !== "FORBIDDEN")
  findings.push(`a refusal is told as ${refused.error}`);

console.log(JSON.stringify({ judged: operations.length, findings }));
process.exit();
