// A door in front of one running AWS provider that shows Terraform only a few resource types.
//
//   node schema_proxy.mjs <socket of the provider> <socket to serve on> <type,type,...> <provider's pid>
//
// The provider's schema is 1,500 types and costs every Terraform command seconds of processor time; the
// faults need five of them. Every other call goes through untouched: it is the real provider that works.
// Speaks gRPC as far as go-plugin does: HTTP/2 without TLS on a unix socket.

import http2 from "node:http2";
import net from "node:net";

const [provider, door, types, pid] = process.argv.slice(2);
const SHOWN = new Set(types.split(","));
const RESOURCES = 2;
const HIDDEN = new Set([3, 7, 8]); // data sources, functions, ephemeral resources
let session;
let schema;

function upstream() {
  if (!session || session.closed || session.destroyed) {
    session = http2.connect("http://localhost", { createConnection: () => connect(), settings: WIDE });
    session.on("error", () => {});
    session.on("connect", () => session.setLocalWindowSize(1 << 26));
  }
  return session;
}

const WIDE = { initialWindowSize: 1 << 26 };
const connect = () => net.connect(provider);

function varint(bytes, at) {
  let value = 0, shift = 0, byte;
  do {
    byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
  } while (byte & 0x80);
  return [value, at];
}

// Every field of the answer is length-delimited: a tag, a length, that many bytes.
function trimmed(message) {
  const kept = [];
  for (let at = 0; at < message.length; ) {
    const start = at;
    let tag, length;
    [tag, at] = varint(message, at);
    [length, at] = varint(message, at);
    const body = message.subarray(at, at + length);
    at += length;
    const field = tag >> 3;
    if (HIDDEN.has(field) || (field === RESOURCES && !SHOWN.has(key(body)))) continue;
    kept.push(message.subarray(start, at));
  }
  return Buffer.concat(kept);
}

function key(entry) {
  const [length, at] = varint(entry, 1);
  return entry.subarray(at, at + length).toString();
}

function framed(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function forward(stream, headers) {
  const { ":path": path, ":method": method, ...rest } = headers;
  for (const name of Object.keys(rest)) if (name.startsWith(":")) delete rest[name];
  const asked = path.endsWith("/GetSchema");
  const call = upstream().request({ ":path": path, ":method": method, ...rest }, { waitForTrailers: true });
  const parts = [];
  let trailers = {};
  call.on("response", (answer) => {
    const { ":status": status, ...sent } = answer;
    stream.respond({ ":status": status, ...sent }, { waitForTrailers: true });
  });
  call.on("trailers", (sent) => (trailers = sent));
  call.on("data", (part) => (asked ? parts.push(part) : stream.write(part)));
  call.on("end", () => {
    if (asked && parts.length) {
      schema ??= framed(trimmed(Buffer.concat(parts).subarray(5)));
      stream.write(schema);
    }
    stream.end();
  });
  call.on("error", () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  stream.on("wantTrailers", () => stream.sendTrailers(Object.fromEntries(Object.entries(trailers))));
  stream.on("aborted", () => call.close(http2.constants.NGHTTP2_CANCEL));
  stream.on("error", () => call.close());
  stream.pipe(call);
}

const server = http2.createServer({ settings: WIDE });
server.on("session", (opened) => opened.setLocalWindowSize(1 << 26));
server.on("stream", forward);
server.on("sessionError", () => {});
// Whoever holds the other end of our standard input is the test; both of us end with it.
process.stdin.resume().on("end", () => {
  try { process.kill(Number(pid), "SIGKILL"); } catch { /* it has ended */ }
  process.exit(0);
});
server.listen(door, () => console.log("ready"));
