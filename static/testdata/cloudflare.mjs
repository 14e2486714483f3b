// Asks Cloudflare's own code what it answers. Arguments: the asset worker's file.
// Standard input: [{mode, files: ["/a.html", ...], paths: ["/a", ...]}]; standard
// output: for each the answers: "200 FILE", "404 FILE", "404" or "307 PATH".
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const runtime = "export class WorkerEntrypoint { constructor(ctx, env) { this.ctx = ctx; this.env = env } }";
const source = readFileSync(process.argv[2], "utf8").replace(
  `from"cloudflare:workers"`,
  `from${JSON.stringify("data:text/javascript," + encodeURIComponent(runtime))}`,
);
const { default: Worker } = await import("data:text/javascript;base64," + Buffer.from(source).toString("base64"));

const answers = [];
for (const { mode, files, paths } of JSON.parse(await text(process.stdin))) {
  const worker = new Worker({}, { CONFIG: { html_handling: mode, not_found_handling: "404-page" } });
  worker.unstable_exists = async (path) => (files.includes(path) ? path : null);
  worker.unstable_getByETag = async (etag) => ({ readableStream: etag, contentType: "text/html", cacheStatus: "HIT" });
  const all = [];
  for (const path of paths) {
    const answer = await worker.fetch(new Request("http://x" + path));
    const rest = answer.headers.get("Location") ?? (await answer.text());
    all.push((answer.status + " " + rest).trim());
  }
  answers.push(all);
}
process.stdout.write(JSON.stringify(answers));
