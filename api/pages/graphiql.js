// api/pages/graphiql.js
// Starts GraphiQL with the example operations in tabs. On a laptop the gateway hands out tokens of the demo shop: a
// staff token, and for the operations of apps that of its newest customer; a visitor's is anybody's to have.
"use strict";

const SHOP = "demo";
// What GraphiQL would put back in place of the examples: tabs of an earlier visit, with ids that may be gone and no
// tokens. What was run then is in its history.
const FORGOTTEN = new Set(["tabState", "query", "variables", "headers"].map((name) => `graphiql:${name}`));
const KNOWN = "{ customers(first: 20) { nodes { id customerId email orders(first: 1) { nodes { id orderId placedOn } } } } }";
const POINTS = `query ($id: ID!) { customer(id: $id) { loyalty {
  entries(first: 100) { nodes { id movement } }
  holds { id }
  redemptions(first: 50) { nodes { id code status } }
} } }`;
const PROGRAMME = `{ loyaltyTiers { tiers { id } } loyaltyProgramme { newest {
  rules { ruleId archivedAt } eventBonuses { bonusId archivedAt } tiers { tiers { id } archived { id } }
} } }`;
const IMPORTS = "{ operations(first: 100) { nodes { id kind status } } }";
const SEGMENTS = "{ segments { id name kind } }";
const ATTRIBUTES = "{ attributeDefinitions(includeRetired: true) { key type retiredAt } }";
const REWARDS = "{ loyaltyRewards { id rewardId } loyaltyArchivedRewards(first: 1) { nodes { id } } }";

async function post(path, body, headers) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return answer.json();
}

async function token(path, asked) {
  try {
    return (await post(path, { shop: SHOP, ...asked })).token ?? null;
  } catch {
    return null; // elsewhere nobody hands out tokens
  }
}

function bearer(token) {
  return { Authorization: `Bearer ${token ?? "<token>"}` };
}

// One who has ordered, for most examples, and for those that delete one who has not.
async function knownCustomers(staff) {
  if (!staff) return [];
  const nodes = (await post("/graphql", { query: KNOWN }, bearer(staff))).data?.customers?.nodes ?? [];
  const customer = nodes.find(({ orders }) => orders?.nodes.length) ?? nodes[0];
  return [customer, nodes.find((other) => other !== customer && other.orders?.nodes.length === 0)];
}

async function knownImports(staff) {
  if (!staff) return [];
  const nodes = (await post("/graphql", { query: IMPORTS }, bearer(staff))).data?.operations?.nodes ?? [];
  const imports = nodes.filter(({ kind }) => kind.endsWith("_IMPORT"));
  const is = (wanted) => ({ status }) => status === wanted;
  return [
    imports.find(({ status }) => !["AWAITING_UPLOAD", "CANCELLED"].includes(status)),
    first(imports, is("CANCELLED"), is("AWAITING_UPLOAD")),
  ];
}

async function knownAttributes(staff) {
  if (!staff) return {};
  const definitions = (await post("/graphql", { query: ATTRIBUTES }, bearer(staff))).data?.attributeDefinitions ?? [];
  const used = definitions.filter(({ retiredAt }) => !retiredAt);
  return {
    "<attribute>": used.find(({ type }) => type === "TEXT")?.key,
    "<another attribute>": (definitions.find(({ retiredAt }) => retiredAt) ?? used.at(-1))?.key,
  };
}

async function knownSegments(staff) {
  if (!staff) return [];
  return (await post("/graphql", { query: SEGMENTS }, bearer(staff))).data?.segments ?? [];
}

// What can be done once is done again harmlessly: so what it was done to is shown first, else what it could be.
function first(things, ...kinds) {
  return kinds.map((kind) => things?.find(kind)).find(Boolean);
}

async function knownLoyalty(staff, customer) {
  if (!staff) return {};
  const { loyaltyRewards: rewards, loyaltyArchivedRewards } =
    (await post("/graphql", { query: REWARDS }, bearer(staff))).data ?? {};
  const { loyaltyTiers, loyaltyProgramme } = (await post("/graphql", { query: PROGRAMME }, bearer(staff))).data ?? {};
  const asked = { query: POINTS, variables: { id: customer?.id } };
  const points = customer ? (await post("/graphql", asked, bearer(staff))).data?.customer?.loyalty : undefined;
  const redemptions = points?.redemptions?.nodes;
  const { rules, eventBonuses, tiers } = loyaltyProgramme?.newest ?? {};
  const archived = ({ archivedAt }) => archivedAt;
  const used = ({ archivedAt }) => !archivedAt;
  const is = (wanted) => ({ status }) => status === wanted;
  const redemption = first(redemptions, is("CANCELLED"), is("FULFILLED"));
  return {
    "<reward>": rewards?.[0]?.id,
    "<reward id>": rewards?.[0]?.rewardId,
    "<another reward>": (loyaltyArchivedRewards?.nodes[0] ?? rewards?.at(-1))?.id,
    "<hold>": points?.holds[0]?.id,
    "<another hold>": points?.holds[1]?.id,
    "<redemption>": redemption?.id,
    "<voucher code>": first(redemptions?.filter(({ id }) => id !== redemption?.id), is("USED"), is("FULFILLED"))?.code,
    "<entry>": points?.entries?.nodes.find(({ movement }) => movement === "ADJUST")?.id,
    "<rule>": first(rules, used)?.ruleId,
    "<another rule>": first(rules, archived, used)?.ruleId,
    "<bonus>": first(eventBonuses, used)?.bonusId,
    "<another bonus>": first(eventBonuses, archived, used)?.bonusId,
    "<tier>": loyaltyTiers?.tiers[0]?.id,
    "<another tier>": (tiers?.archived[0] ?? tiers?.tiers[1])?.id,
  };
}

// What the placeholders of schema/operations/variables.json stand for.
function meaning([customer, anotherCustomer], [moved, anotherImport], segments, more) {
  const now = new Date();
  const inAMonth = new Date(now.getTime() + 30 * 24 * 3600 * 1000);
  const aYearAgo = new Date(now);
  aYearAgo.setFullYear(now.getFullYear() - 1);
  const byQuery = segments.filter(({ kind }) => kind === "DYNAMIC");
  let keys = 0;
  return {
    "<customer>": customer?.id,
    "<order>": customer?.orders?.nodes[0]?.id,
    "<order number>": customer?.orders?.nodes[0]?.orderId,
    "<email>": customer?.email,
    "<another customer>": anotherCustomer?.id,
    "<import>": moved?.id,
    "<another import>": anotherImport?.id,
    "<segment>": byQuery[0]?.id,
    "<another segment>": byQuery[1]?.id,
    "<static segment>": segments.find(({ kind }) => kind === "STATIC")?.id,
    // What an example has made: one that the shop lives by is not offered for deletion.
    "<spare segment>": byQuery.slice(2).find(({ name }) => /^(graphiql|k)-/.test(name))?.id,
    "<suppressed address>": "closed@example.com", // lifted once its tab has suppressed it
    "<bounced address>": "gone@example.com",
    ...more,
    "<shop>": SHOP,
    "<now>": now.toISOString(),
    "<in a month>": inAMonth.toISOString(),
    get "<new number>"() {
      return String(now.getTime() % 1e8);
    },
    "<today>": now.toISOString().slice(0, 10),
    "<a day with orders>": customer?.orders?.nodes[0]?.placedOn,
    "<a year ago>": aYearAgo.toISOString().slice(0, 10),
    get "<new key>"() {
      keys += 1;
      return `graphiql-${now.getTime()}-${keys}`;
    },
  };
}

const storage = {
  getItem: (key) => (FORGOTTEN.has(key) ? null : localStorage.getItem(key)),
  setItem: (key, value) => FORGOTTEN.has(key) || localStorage.setItem(key, value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
  get length() {
    return localStorage.length;
  },
};

async function start() {
  const staff = await token("/_local/token", { kind: "staff" });
  const customers = await knownCustomers(staff);
  const [customer] = customers;
  const app = customer && (await token("/_local/token", { kind: "customer", customerId: customer.customerId }));
  const visitor = staff && (await token("/v1/visitors"));
  const words = meaning(customers, await knownImports(staff), await knownSegments(staff), {
    ...(await knownAttributes(staff)),
    ...(await knownLoyalty(staff, customer)),
  });
  const filled = (_, value) => (typeof value === "string" ? words[value] ?? value : value);
  const headers = { apps: bearer(app), visitors: bearer(visitor), staff: bearer(staff) };
  const operations = await (await fetch("/graphiql/operations.json")).json();
  const tabs = operations.map(({ audience, text, variables }) => ({
    query: text,
    variables: JSON.stringify(JSON.parse(JSON.stringify(variables), filled), null, 2),
    headers: JSON.stringify(headers[audience], null, 2),
  }));
  // Apps may not ask what the schema is like; the page may, whatever tab is open.
  const mayDescribe = ({ operationName }) => (staff && operationName === "IntrospectionQuery" ? headers.staff : {});
  ReactDOM.render(
    React.createElement(GraphiQL, {
      fetcher: (parameters, options) => post("/graphql", parameters, { ...options?.headers, ...mayDescribe(parameters) }),
      ...tabs[0], // the editors, which GraphiQL fills apart from the tabs
      defaultTabs: tabs,
      defaultHeaders: JSON.stringify(headers.staff, null, 2),
      storage,
      defaultEditorToolsVisibility: "variables",
      shouldPersistHeaders: false,
    }),
    document.getElementById("graphiql"),
  );
}

start();
