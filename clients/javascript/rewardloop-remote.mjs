// A simulator for a rewardloop trainer, in a browser or in Node 18 or later, without dependencies.
// The protocol is docs/remote-environments.md. `serve` is all there is to call; types are in rewardloop-remote.d.ts.

export const PROTOCOL = 1;
const MAX_MESSAGE = 8 * 1024 * 1024;
const SIGN_OF_LIFE_MS = 10_000;

/** Connects to the trainer, answers it, and connects again, until nobody has taken it for `giveUpAfter` seconds or `signal` aborts. */
export async function serve(simulator, options) {
  const { url, name, version = "", token = "", giveUpAfter = 3600, signal } = options;
  const say = onceEach(options.say ?? (() => {}));
  const hello = {
    type: "hello", protocol: PROTOCOL, name, version, token,
    observation_space: simulator.observationSpace, action_space: simulator.actionSpace, masks: simulator.masks === true,
  };
  let pause = 0.05;
  let since = Date.now();
  while (!signal?.aborted && Date.now() - since < giveUpAfter * 1000) {
    const met = await once(simulator, hello, url, say, signal);
    if (met) {
      pause = 0.05;
      since = Date.now();
    }
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    pause = Math.min(2, pause * 1.5);
  }
}

/** Says what is new: whoever waits for a trainer hears so once, and not at every attempt. */
function onceEach(say) {
  let last = "";
  return (line) => {
    if (line !== last) say(line);
    last = line;
  };
}

/** One connection, to its end; true where the trainer took the simulator. Throws what the simulator throws, and a refusal. */
async function once(simulator, hello, url, say, signal) {
  let line;
  try {
    line = await connect(url);
  } catch (error) {
    say(`nobody answers at ${url}: ${error.message}`);
    return false;
  }
  const hangUp = () => line.close();
  signal?.addEventListener("abort", hangUp, { once: true });
  let welcomed = false;
  try {
    line.send(JSON.stringify(hello));
    for await (const text of line) {
      const asked = JSON.parse(text);
      if (asked.type === "refused") throw new Refused(asked.message);
      if (asked.type === "close") break;
      if (asked.type === "welcome") {
        welcomed = true;
        say(`connected to ${url}`);
      } else line.send(JSON.stringify(await answer(simulator, asked, line)));
    }
  } finally {
    signal?.removeEventListener("abort", hangUp);
    line.close();
  }
  say("the trainer let go");
  return welcomed;
}

async function answer(simulator, asked, line) {
  const signs = setInterval(() => line.send('{"type":"working"}'), SIGN_OF_LIFE_MS);
  try {
    if (asked.type === "reset") {
      return { type: "state", id: asked.id, ...(await simulator.reset(asked.seed, asked.options)) };
    }
    if (asked.type === "step") return { type: "state", id: asked.id, ...(await simulator.step(asked.action)) };
    throw new Error(`expected reset, step or close, got ${asked.type}`);
  } catch (error) {
    line.send(JSON.stringify({ type: "error", message: String(error).slice(0, 4000) }));
    throw error;
  } finally {
    clearInterval(signs);
  }
}

/** The trainer does not want this simulator, and says why. */
export class Refused extends Error {}

/** Numbers from 0 to 1 that the seed decides (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A box's description; `low` and `high` are numbers, lists of them, or "inf" and "-inf". */
export const box = (shape, low, high, dtype = "float32") => ({ type: "box", shape, low, high, dtype });
export const discrete = (n) => ({ type: "discrete", n, start: 0 });
export const multiDiscrete = (nvec) => ({ type: "multi_discrete", nvec });
export const multiBinary = (n) => ({ type: "multi_binary", n });
export const dict = (spaces) => ({ type: "dict", spaces });

/** What is received, in order, as an asynchronous iterator that ends with the connection. */
class Inbox {
  #waiting = [];
  #texts = [];
  #ended = false;
  push(text) {
    const next = this.#waiting.shift();
    if (next) next({ value: text, done: false });
    else this.#texts.push(text);
  }
  end() {
    this.#ended = true;
    for (const next of this.#waiting.splice(0)) next({ value: undefined, done: true });
  }
  next() {
    if (this.#texts.length) return Promise.resolve({ value: this.#texts.shift(), done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

function connect(url) {
  return typeof globalThis.WebSocket === "function" ? connectNatively(url) : connectByNode(url);
}

function connectNatively(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const inbox = new Inbox();
    socket.onmessage = (event) => inbox.push(event.data);
    socket.onclose = () => inbox.end();
    socket.onerror = () => reject(new Error("the connection failed"));
    socket.onopen = () =>
      resolve({ send: (text) => socket.send(text), close: () => socket.close(), [Symbol.asyncIterator]: () => inbox });
  });
}

/** A WebSocket on a plain socket, for Node before 22, which has none: RFC 6455, text frames only. */
async function connectByNode(url) {
  const { createConnection } = await import("node:net");
  const { createHash, randomBytes } = await import("node:crypto");
  const { hostname, port } = new URL(url);
  const key = randomBytes(16).toString("base64");
  const accepted = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const inbox = new Inbox();
  const socket = createConnection({ host: hostname.replace(/[[\]]/g, ""), port: Number(port) || 80 });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  const send = (opcode, payload) => socket.writable && socket.write(frame(opcode, payload, randomBytes(4)));
  const line = {
    send: (text) => send(1, Buffer.from(text)),
    close: () => { send(8, Buffer.from([3, 232])); socket.end(); },
    [Symbol.asyncIterator]: () => inbox,
  };
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    let open = false;
    socket.on("error", (error) => (open ? inbox.end() : reject(error)));
    socket.on("close", () => { inbox.end(); reject(new Error("the connection ended")); });
    socket.on("connect", () => socket.write(
      `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`));
    const partial = [];
    socket.on("data", (some) => {
      seen = Buffer.concat([seen, some]);
      if (!open) {
        const end = seen.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = seen.subarray(0, end).toString("latin1");
        seen = seen.subarray(end + 4);
        if (!head.includes(" 101 ") || !head.includes(accepted)) return void socket.destroy(new Error("no rewardloop trainer"));
        open = true;
        resolve(line);
      }
      for (let got = parse(seen); got; got = parse(seen)) {
        seen = seen.subarray(got.size);
        if (got.opcode === 9) send(10, got.payload);
        else if (got.opcode === 8) socket.end();
        else if (got.opcode < 2) {
          partial.push(got.payload);
          if (got.final) inbox.push(Buffer.concat(partial.splice(0)).toString());
        }
        if (got.size > MAX_MESSAGE) return void socket.destroy();
      }
    });
  });
}

/** The frame at the beginning, or null while it is not whole. */
function parse(seen) {
  if (seen.length < 2) return null;
  let [n, at] = [seen[1] & 0x7f, 2];
  if (n === 126) {
    if (seen.length < 4) return null;
    [n, at] = [seen.readUInt16BE(2), 4];
  } else if (n === 127) {
    if (seen.length < 10) return null;
    [n, at] = [Number(seen.readBigUInt64BE(2)), 10];
  }
  if (seen.length < at + n) return null;
  return { final: (seen[0] & 0x80) !== 0, opcode: seen[0] & 0x0f, payload: Buffer.from(seen.subarray(at, at + n)), size: at + n };
}

function frame(opcode, payload, mask) {
  const n = payload.length;
  const head = n < 126 ? Buffer.alloc(2) : n < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  if (n < 126) head[1] = 0x80 | n;
  else if (n < 65536) { head[1] = 0x80 | 126; head.writeUInt16BE(n, 2); }
  else { head[1] = 0x80 | 127; head.writeBigUInt64BE(BigInt(n), 2); }
  const masked = Buffer.from(payload);
  for (let i = 0; i < n; i++) masked[i] ^= mask[i & 3];
  return Buffer.concat([head, mask, masked]);
}
