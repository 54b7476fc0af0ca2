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
    if (HIDDEN.has(field) || (field === RESOURCES && !SHOWN.has(name(body)))) continue;
    kept.push(message.subarray(start, at));
  }
  return Buffer.concat(kept);
}

function name(entry) {
  const [length, at] = varint(entry, 1);
  return entry.subarray(at, at + length).toString();
}

function framed(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

// Asked once: to put its schema together costs the provider a second of processor time, and to say whether
// a configuration is valid an eighth. Both answers depend on nothing but the question.
const ASKED_ONCE = ["/GetSchema", "/PrepareProviderConfig"];
const answers = new Map();

function forward(stream, headers) {
  const path = headers[":path"];
  if (ASKED_ONCE.some((call) => path.endsWith(call))) once(stream, headers, path);
  else through(stream, headers);
}

function once(stream, headers, path) {
  const parts = [];
  stream.on("error", () => {});
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => {
    const question = Buffer.concat(parts);
    const key = path + question.toString("base64");
    if (answers.has(key)) return reply(stream, answers.get(key));
    const call = ask(headers);
    const answered = [];
    let head = {}, trailers = {};
    call.on("response", (sent) => (head = plain(sent)));
    call.on("trailers", (sent) => (trailers = plain(sent)));
    call.on("data", (part) => answered.push(part));
    call.on("end", () => {
      let body = Buffer.concat(answered);
      if (path.endsWith("/GetSchema") && body.length) body = framed(trimmed(body.subarray(5)));
      const said = { head, body, trailers };
      if (trailers["grpc-status"] === "0") answers.set(key, said);
      reply(stream, said);
    });
    call.on("error", () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    call.end(question);
  });
}

function reply(stream, { head, body, trailers }) {
  if (stream.destroyed) return; // whoever asked was killed
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.respond(head, { waitForTrailers: true });
  stream.end(body);
}

function through(stream, headers) {
  const call = ask(headers);
  let trailers = {};
  call.on("response", (sent) => {
    if (!stream.destroyed) stream.respond(plain(sent), { waitForTrailers: true });
  });
  call.on("trailers", (sent) => (trailers = plain(sent)));
  call.on("data", (part) => stream.write(part));
  call.on("end", () => stream.end());
  call.on("error", () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.on("aborted", () => call.close(http2.constants.NGHTTP2_CANCEL));
  stream.on("error", () => call.close());
  stream.pipe(call);
}

function ask(headers) {
  const { ":path": path, ":method": method, ...rest } = headers;
  for (const name of Object.keys(rest)) if (name.startsWith(":")) delete rest[name];
  return upstream().request({ ":path": path, ":method": method, ...rest }, { waitForTrailers: true });
}

// Without the symbols node puts among the headers it hands out.
function plain(headers) {
  return Object.fromEntries(Object.entries(headers));
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
