// tests/judges/page.mjs
// The client that docs/api.md shows, run as it stands against the running gateway: GATEWAY.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/api.md"), "utf8");
const [, code] = /```js\n(.*?)```/s.exec(page);
const said = [];
console.log = console.warn = (...words) => said.push(words.join(" "));
const findings = [];
try {
  await import(`data:text/javascript,${encodeURIComponent(code)}`);
  if (said.length !== 1 || !/^Shop demo: hello \w+, you have \d+ points\.$/.test(said[0])) findings.push(`it says ${said}`);
} catch (error) {
  findings.push(`it breaks: ${error}`);
}
process.stdout.write(`${JSON.stringify({ judged: 1, findings })}\n`);
