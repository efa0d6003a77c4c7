// tests/judges/operations.mjs
// The example operations, as the judges read them: name, audience, text, variables.
import { readFileSync } from "node:fs";

/** OPERATIONS is a file the driver writes: the operations with variables filled in. */
export const operations = JSON.parse(readFileSync(process.env.OPERATIONS, "utf8"));
export const SCALARS = {
  CountryCode: "string",
  CurrencyCode: "string",
  Date: "string",
  DateTime: "string",
  Decimal: "string",
  EmailAddress: "string",
  JSON: "unknown",
  PhoneNumber: "string",
  Points: "number",
  TimeZone: "string",
};
