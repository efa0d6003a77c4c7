// api/pages/graphiql.js
// Starts GraphiQL with example queries in tabs. On a laptop the gateway hands out a staff token of the demo shop.
"use strict";

const examples = [
  `# The newest customers of the shop.
query Customers {
  customers(first: 5) {
    nodes {
      id
      firstName
      lastName
      email
      statistics { orderCount totals { net { amount currencyCode } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  `# One customer, as a staff screen shows them; extensions.capacity counts the requests to the store.
query CustomerPage($email: EmailAddress! = "ann@example.com") {
  customerByIdentifier(identifier: { email: $email }) {
    id
    firstName
    lastName
    tags
    version
    statistics { orderCount lastOrderAt totals { gross { amount currencyCode } net { amount currencyCode } } }
    segments { segment { name } enteredAt flipsAt }
    loyalty { available }
    orders(first: 20) { nodes { orderId status placedAt net { amount currencyCode } } }
  }
}
`,
  `# Orders and net revenue by month.
query Revenue($from: Date = "2026-01-01", $to: Date = "2026-12-31") {
  shop { name zone currency }
  orders: kpi(name: "orders", from: $from, to: $to, grain: MONTH) { periods { start value } }
  revenue: kpi(name: "net_revenue", from: $from, to: $to, grain: MONTH) { currency periods { start value complete } }
}
`,
];

async function localToken() {
  try {
    const answer = await fetch("/_local/token", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "staff", shop: "demo" }),
    });
    return answer.ok ? (await answer.json()).token : null;
  } catch {
    return null;
  }
}

async function ask(parameters, options) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", ...(options && options.headers) },
    body: JSON.stringify(parameters),
  });
  return answer.json();
}

localToken().then((token) => {
  const headers = JSON.stringify({ Authorization: `Bearer ${token ?? "<token>"}` }, null, 2);
  ReactDOM.render(
    React.createElement(GraphiQL, {
      fetcher: (parameters, options) =>
        ask(parameters, options && options.headers ? options : { headers: JSON.parse(headers) }),
      headers,
      defaultTabs: examples.map((query) => ({ query, headers })),
      defaultEditorToolsVisibility: "headers",
      shouldPersistHeaders: false,
    }),
    document.getElementById("graphiql"),
  );
});
