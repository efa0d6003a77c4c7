// tests/judges/audit.mjs
// The audit suite of graphql-http, against a gateway that wants a token: GATEWAY, TOKEN.
import { auditServer } from "graphql-http";

const { GATEWAY, TOKEN } = process.env;
const results = await auditServer({
  url: `${GATEWAY}/graphql`,
  fetchFn: (url, options = {}) =>
    fetch(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${TOKEN}` } }),
});
const findings = results
  .filter(({ status }) => status !== "ok")
  .map(({ id, name, status, reason }) => `${id} ${status}: ${name}: ${reason}`);
console.log(JSON.stringify({ judged: results.length, findings }));
