// oracle.mjs MODULES: reads the platforms' own parsers' and matchers' opinion of rule files. stdin: a list of
// {dialect, kind, text, requests}; stdout: for each {lines: those that are refused, answers: one a request}.
import { createRequire } from "node:module";
import { mkdtempSync, writeFileSync, rmSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const require = createRequire(join(modules, "package.json"));
const load = (name) => import(pathToFileURL(join(modules, "node_modules", name)));
require("sucrase/dist/register").addHook(".ts", { transforms: ["imports", "typescript"] }, { ignoreNodeModules: false });

const { parseRedirects } = require("pages-parser/metadata-generator/parseRedirects.ts");
const { parseHeaders } = require("pages-parser/metadata-generator/parseHeaders.ts");
const { createMetadataObject } = await load("@cloudflare/pages-shared/dist/metadata-generator/createMetadataObject.js");
const { generateHandler } = await load("@cloudflare/pages-shared/dist/asset-server/handler.js");
const netlifyRedirects = await load("netlify-redirect-parser/lib/index.js");
const netlifyHeaders = await load("netlify-headers-parser/lib/index.js");
const redirector = require("netlify-redirector");

const invalid = (found) => found.invalid.map((i) => i.lineNumber ?? Number(/line (\d+)/.exec(i.message)?.[1] ?? 0));

async function cloudflare({ kind, text, requests }) {
  const parsed = kind === "redirects" ? parseRedirects(text) : parseHeaders(text);
  const metadata = createMetadataObject({ [kind]: parsed });
  const answers = [];
  for (const path of requests) {
    const response = await generateHandler({
      request: new Request("https://example.com" + path),
      metadata,
      logError: (e) => { throw e; },
      findAssetEntryForPath: async (p) => (p.endsWith(".txt") ? p : null),
      getAssetKey: (p) => p,
      negotiateContent: () => ({ encoding: null }),
      fetchAsset: async (p) => ({ body: p, contentType: "text/plain" }),
      generateNotFoundResponse: async () => new Response("", { status: 404 }),
    });
    const location = response.headers.get("location");
    answers.push({
      status: response.status,
      location: location ?? "",
      path: location === null && response.status === 200 ? await response.text() : "",
      headers: Object.fromEntries(response.headers),
    });
  }
  return { lines: invalid(parsed), answers };
}

const inFile = async (text, use) => {
  const folder = mkdtempSync(join(tmpdir(), "oracle-"));
  try {
    writeFileSync(join(folder, "rules"), text);
    return await use(join(folder, "rules"));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

async function netlify({ kind, text, requests }) {
  const lineOf = (e) => Number(/line (\d+)/.exec(e.message)?.[1] ?? 0);
  if (kind === "headers") {
    const { headers, errors } = await inFile(text, (file) =>
      netlifyHeaders.parseAllHeaders({ headersFiles: [file], minimal: false, configHeaders: [] }));
    const answers = requests.map((path) => {
      const all = {};
      for (const h of headers) if (h.forRegExp.test(path)) for (const [name, value] of Object.entries(h.values)) all[name.toLowerCase()] = value;
      return { headers: all };
    });
    return { lines: errors.map(lineOf), answers };
  }
  const { errors } = await inFile(text, (file) =>
    netlifyRedirects.parseAllRedirects({ redirectsFiles: [file], minimal: false, configRedirects: [] }));
  const matcher = await redirector.parsePlain(text, {});
  const answers = requests.map((path) => {
    const url = new URL("https://example.com" + path);
    const found = matcher.match({
      scheme: "https", host: url.host, path: url.pathname, query: url.search.slice(1), method: "GET",
      getHeader: () => "", getCookie: () => "",
    });
    return found ? { status: found.status, location: found.to, force: found.force } : { status: 0 };
  });
  return { lines: errors.map(lineOf), answers };
}

const results = [];
for (const c of JSON.parse(readFileSync(0, "utf8"))) results.push(await (c.dialect === "netlify" ? netlify(c) : cloudflare(c)));
process.stdout.write(JSON.stringify(results));
