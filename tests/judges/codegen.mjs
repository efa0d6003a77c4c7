// tests/judges/codegen.mjs
// graphql-codegen's client preset over the example operations, and a front end's use of what it made by `tsc --strict`.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { generate } from "@graphql-codegen/cli";
import { operations, SCALARS } from "./operations.mjs";

const HERE = import.meta.dirname;
const FOLDER = join(process.env.WORK, "codegen");
const USE = `
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { graphql } from "./made";
declare function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Data;
`;
const READ = `
const home = ask(HomeQueryDocument, {});
export const points: number | undefined = home.viewer?.loyalty.available;
export const spent: string[] = (home.viewer?.orders?.nodes ?? []).map((order) => order.net.amount);
// @ts-expect-error  what was not selected is not there
export const missing = home.viewer?.birthDate;
`;

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const documents = operations.map(
  ({ name, text, variables }) =>
    `export const ${name}Document = graphql(\`\n${text.replaceAll("`", "\\`")}\`);\nask(${name}Document, ${JSON.stringify(variables)});\n`,
);
writeFileSync(join(FOLDER, "app.ts"), USE + documents.join("") + READ);
const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
const options = { ...strict, noEmit: true, target: "es2022", module: "esnext", moduleResolution: "bundler", types: [] };
const paths = { "*": [join(HERE, "node_modules", "*")] };
writeFileSync(
  join(FOLDER, "tsconfig.json"),
  JSON.stringify({ compilerOptions: { ...options, paths }, files: ["app.ts"] }),
);

const findings = [];
try {
  await generate({
    silent: true,
    schema: resolve(HERE, "../../schema/schema.graphql"),
    documents: [join(FOLDER, "app.ts")],
    generates: {
      [`${join(FOLDER, "made")}/`]: {
        preset: "client",
        config: { scalars: SCALARS, strictScalars: true, enumsAsTypes: true, useTypeImports: true },
      },
    },
  });
  const tsc = spawnSync(process.execPath, [join(HERE, "node_modules/typescript/bin/tsc"), "-p", FOLDER], { encoding: "utf8" });
  findings.push(...tsc.stdout.split("\n").filter(Boolean).map((line) => `tsc: ${line}`));
} catch (error) {
  findings.push(`graphql-codegen: ${error.errors?.map(String).join("; ") || error}`);
}
console.log(JSON.stringify({ judged: operations.length, findings }));
