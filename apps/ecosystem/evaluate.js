// Evaluates a config file and writes what it exports, as JSON, to another
// file. It is run by: node -e <this> <config> <answer>
'use strict';
const { realpathSync, writeFileSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
const { pathToFileURL, fileURLToPath } = require('node:url');
const { stringify } = JSON;
const [file, answer] = process.argv.slice(1);
process.argv.splice(1, 2, file);
const maxText = 1 << 20, maxDepth = 64, maxNodes = 100_000;

let told = false;
function tell(what) {
  if (!told) writeFileSync(answer, stringify(what));
  told = true;
}

const fail = (what, hint) => { throw Object.assign(new Error(what), { ours: true, hint }); };

// plain copies what JSON can carry and refuses what it would drop.
let nodes = 0;
function plain(value, path, above) {
  const here = path || 'what it exports';
  if (++nodes > maxNodes || above.length > maxDepth) fail(`${here}: more than ${maxNodes} values, or ${maxDepth} levels`);
  switch (typeof value) {
    case 'string': case 'boolean': case 'undefined': return value;
    case 'number':
      return Number.isFinite(value) ? value : fail(`${here} is ${value}`, 'is an environment variable missing?');
    case 'object': break;
    default: fail(`${here} is a ${typeof value}`, 'only texts, numbers, true, false, lists and tables have a meaning');
  }
  if (value === null) return null;
  if (above.includes(value)) fail(`${here} contains itself`, 'remove the circle');
  above = [...above, value];
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (['RegExp', 'Map', 'Set', 'Promise', 'WeakMap', 'WeakSet'].includes(kind)) {
    fail(`${here} is a ${kind}`, kind === 'RegExp' ? "write a pattern of files, such as '**/*.log'" : 'only texts, numbers, true, false, lists and tables have a meaning');
  }
  if (typeof value.toJSON === 'function') return plain(value.toJSON(), path, above);
  const inner = (key) => (path ? `${path}.${key}` : String(key));
  if (Array.isArray(value)) return Array.from(value, (e, i) => plain(e, inner(i), above) ?? null);
  const table = Object.create(null);
  for (const key of Object.keys(value)) {
    const v = plain(value[key], inner(key), above);
    if (v !== undefined) table[key] = v;
  }
  return table;
}

async function evaluate() {
  const module = await import(pathToFileURL(file));
  let value = 'default' in module ? module.default : module;
  if (value?.__esModule && 'default' in value) value = value.default; // compiled from an ES module
  if (typeof value === 'function') value = value();
  value = plain(await value, '', []);
  if (value === undefined) fail('it exports nothing', 'module.exports = { apps: [ … ] }');
  if (stringify(value).length > maxText) fail(`what it exports is longer than ${maxText} bytes`);
  return value;
}

const local = (name) => (name.startsWith('file:') ? fileURLToPath(name) : name);

// head finds the place that Node puts above a syntax error: a line with the
// file and the line, the code, carets below it (none at the end of the file).
function head(text) {
  const [, name, line, , carets] = /^(\S.*):(\d+)\r?\n(.*)\r?\n([ \t]*\^+)?/m.exec(text) ?? [];
  return name && { file: local(name), line: Number(line), column: carets ? carets.indexOf('^') + 1 : 0 };
}

// place is where an error comes from: in the config file itself where that is known.
function place(error, stack) {
  if (error instanceof SyntaxError) {
    const at = head(stack) ?? head(String(spawnSync(process.execPath, ['--check', file], { timeout: 2000 }).stderr));
    if (at) return at;
  }
  const frames = [...stack.matchAll(/^ +at .*?\(?((?:file:\/\/)?[^\s(]+):(\d+):(\d+)\)?$/gm)]
    .map(([, name, line, column]) => ({ file: local(name), line: Number(line), column: Number(column) }))
    .filter((at) => !at.file.startsWith('node:') && at.file !== '[eval]');
  return frames.find((at) => at.file === file || at.file === realpathSync(file)) ?? frames[0];
}

function refuse(error) {
  if (error?.ours) return tell({ error: { what: error.message, hint: error.hint } });
  if (!(error instanceof Error)) return tell({ error: { what: `it threw ${String(error).slice(0, 200)}` } });
  const [message] = String(error.message).slice(0, 1000).split('\n');
  tell({ error: { what: `${error.name}: ${message}`, code: error.code, ...place(error, String(error.stack).slice(0, 1 << 16)) } });
}

process.on('exit', (code) => tell({ error: { what: `it ended the program (exit code ${code}) before it had exported anything`, hint: 'remove process.exit, and settle the promise that it exports' } }));
process.on('uncaughtException', (error) => { refuse(error); process.exit(1); });
evaluate().then((value) => { tell({ value }); process.exit(0); }, (error) => { refuse(error); process.exit(1); });
