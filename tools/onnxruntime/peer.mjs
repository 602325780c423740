// ONNX Runtime in a process of its own. Reads requests from stdin and writes answers to stdout, one
// for one, until stdin ends; fettle/device/peers/onnxruntime/ is the other side.
//
// Everything is little-endian. A message is the magic number 0x314b5446 ("FTK1") as u32, the
// length of its body as u64, and the body. Within a body: `text` is its length in bytes as u32 and
// UTF-8; `tensor` is name and element type as text, the number of axes as u32, each extent as i64,
// the number of bytes as u64, and the values, row-major. A request's body begins with its number:
//
//   0 version                                     -> text
//   1 load path: u32 threads, u32 optimisation (0 none ... 3 all), text path
//   2 load bytes: u32 threads, u32 optimisation, the rest of the body is the model
//                                                 -> u32 session, names of inputs, of outputs
//                                                    (u32 how many, each as text)
//   3 run: u32 session, inputs                    -> outputs (u32 how many, tensors)
//   4 time: u32 session, u32 warm-ups, u32 runs, inputs -> u32 runs, f64 milliseconds each
//   5 time the binding: u32 warm-ups, u32 runs    -> the same, of a model that only copies a number
//   6 release: u32 session                        -> nothing
//
// The body of an answer begins with u32 0, or with u32 1 and a text that says what failed; after a
// failure the next request is served as if nothing had been.

import {readSync, writeSync} from 'node:fs';
import {endianness} from 'node:os';

const MAGIC = 0x314b5446;
const OPTIMISATION = ['disabled', 'basic', 'extended', 'all'];

// Fettle's name of an element type, ONNX Runtime's, and the array that holds it. f16 are bits.
const TYPES = [
  ['f32', 'float32', Float32Array],
  ['f64', 'float64', Float64Array],
  ['f16', 'float16', Uint16Array],
  ['i8', 'int8', Int8Array],
  ['u8', 'uint8', Uint8Array],
  ['i16', 'int16', Int16Array],
  ['i32', 'int32', Int32Array],
  ['i64', 'int64', BigInt64Array],
  ['bool', 'bool', Uint8Array],
];

// Reads exactly `length` bytes, or answers null where the input ends before.
function readBytes(length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length;) {
    const got = readSync(0, bytes, at, Math.min(length - at, 1 << 30), null);
    if (got === 0) return null;
    at += got;
  }
  return bytes;
}

function writeBytes(bytes) {
  for (let at = 0; at < bytes.length;) {
    at += writeSync(1, bytes, at, Math.min(bytes.length - at, 1 << 30));
  }
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  take(length) {
    if (length > this.bytes.length - this.at) throw new Error('the request is too short');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  rest() { return this.take(this.bytes.length - this.at); }
  u32() { return this.take(4).readUInt32LE(); }
  i64() { return Number(this.take(8).readBigInt64LE()); }
  text() { return this.take(this.u32()).toString('utf8'); }
  tensor(ort) {
    const name = this.text();
    const dtype = this.text();
    const type = TYPES.find(([ours]) => ours === dtype);
    if (!type) throw new Error(`input '${name}': ONNX Runtime's binding takes no ${dtype}`);
    const shape = [];
    for (let axes = this.u32(); axes > 0; --axes) shape.push(this.i64());
    const bytes = this.take(this.i64());
    // A copy, for the sake of its alignment.
    const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    return [name, new ort.Tensor(type[1], new type[2](own), shape)];
  }
  feeds(ort) {
    const feeds = {};
    for (let count = this.u32(); count > 0; --count) {
      const [name, tensor] = this.tensor(ort);
      feeds[name] = tensor;
    }
    return feeds;
  }
}

class Writer {
  constructor() { this.parts = []; }
  bytes(part) {
    this.parts.push(part);
    return this;
  }
  u32(value) {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    return this.bytes(part);
  }
  i64(value) {
    const part = Buffer.alloc(8);
    part.writeBigInt64LE(BigInt(value));
    return this.bytes(part);
  }
  f64(value) {
    const part = Buffer.alloc(8);
    part.writeDoubleLE(value);
    return this.bytes(part);
  }
  text(text) {
    const part = Buffer.from(text, 'utf8');
    return this.u32(part.length).bytes(part);
  }
  texts(list) {
    this.u32(list.length);
    for (const text of list) this.text(text);
    return this;
  }
  tensor(name, tensor) {
    const type = TYPES.find(([, theirs]) => theirs === tensor?.type);
    if (!type) throw new Error(`output '${name}': no type for ${tensor?.type ?? 'what is no tensor'}`);
    const {buffer, byteOffset, byteLength} = tensor.data;
    this.text(name).text(type[0]).u32(tensor.dims.length);
    for (const extent of tensor.dims) this.i64(extent);
    return this.i64(byteLength).bytes(Buffer.from(buffer, byteOffset, byteLength));
  }
  times(list) {
    this.u32(list.length);
    for (const milliseconds of list) this.f64(milliseconds);
    return this;
  }
  send() {
    const header = Buffer.alloc(12);
    header.writeUInt32LE(MAGIC);
    header.writeBigUInt64LE(BigInt(this.parts.reduce((sum, part) => sum + part.length, 0)), 4);
    for (const part of [header, ...this.parts]) writeBytes(part);
  }
}

// The ONNX model y = Identity(x), x one float. A message of protobuf is a list of fields: a key
// (number * 8 + kind), then a number, or a length and that many bytes.
function identityModel() {
  const number = (field, value) => Buffer.from([field * 8, value]);
  const bytes = (field, ...parts) => {
    const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
    return Buffer.concat([Buffer.from([field * 8 + 2, content.length]), content]);
  };
  const float1 = bytes(2, bytes(1, number(1, 1), bytes(2, bytes(1, number(1, 1)))));
  const node = bytes(1, bytes(1, 'x'), bytes(2, 'y'), bytes(4, 'Identity'));
  const graph = bytes(7, node, bytes(2, 'g'), bytes(11, bytes(1, 'x'), float1),
                      bytes(12, bytes(1, 'y'), float1));
  return Buffer.concat([number(1, 8), graph, bytes(8, number(2, 13))]);
}

class Peer {
  constructor(ort) {
    this.ort = ort;
    this.sessions = new Map();
    this.next = 1;
  }

  async load(model, threads, optimisation) {
    if (!OPTIMISATION[optimisation]) throw new Error(`no optimisation level ${optimisation}`);
    return this.ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: OPTIMISATION[optimisation],
      logSeverityLevel: 3,
      // A thread that waits for work by spinning takes the processor from whoever else is measured.
      extra: {session: {intra_op: {allow_spinning: '0'}, inter_op: {allow_spinning: '0'}}},
    });
  }

  async addSession(model, threads, optimisation) {
    const session = await this.load(model, threads, optimisation);
    const id = this.next++;
    this.sessions.set(id, session);
    return new Writer().u32(0).u32(id).texts(session.inputNames).texts(session.outputNames);
  }

  session(id) {
    const session = this.sessions.get(id);
    if (!session) throw new Error(`no session ${id}`);
    return session;
  }

  async run(session, feeds) {
    const results = await session.run(feeds);
    const answer = new Writer().u32(0).u32(session.outputNames.length);
    for (const name of session.outputNames) answer.tensor(name, results[name]);
    return answer;
  }

  async time(session, feeds, warmups, runs) {
    const times = [];
    for (let i = 0; i < warmups + runs; ++i) {
      const start = process.hrtime.bigint();
      await session.run(feeds);
      const end = process.hrtime.bigint();
      if (i >= warmups) times.push(Number(end - start) / 1e6);
    }
    return new Writer().u32(0).times(times);
  }

  async timeBinding(warmups, runs) {
    const session = await this.load(identityModel(), 1, 3);
    try {
      const feeds = {x: new this.ort.Tensor('float32', new Float32Array([1]), [1])};
      return await this.time(session, feeds, warmups, runs);
    } finally {
      await session.release();
    }
  }

  async answer(request) {
    const kind = request.u32();
    switch (kind) {
      case 0:
        return new Writer().u32(0).text(this.ort.env.versions.node);
      case 1:
      case 2: {
        const threads = request.u32();
        const optimisation = request.u32();
        return this.addSession(kind === 1 ? request.text() : request.rest(), threads, optimisation);
      }
      case 3: {
        const session = this.session(request.u32());
        return this.run(session, request.feeds(this.ort));
      }
      case 4: {
        const session = this.session(request.u32());
        const warmups = request.u32();
        const runs = request.u32();
        return this.time(session, request.feeds(this.ort), warmups, runs);
      }
      case 5: {
        const warmups = request.u32();
        return this.timeBinding(warmups, request.u32());
      }
      case 6: {
        const id = request.u32();
        await this.session(id).release();
        this.sessions.delete(id);
        return new Writer().u32(0);
      }
      default:
        throw new Error(`no request ${kind}`);
    }
  }
}

// One line, as the other side will print it.
const failure = (error) =>
    new Writer().u32(1).text(String(error?.message ?? error).replace(/\s+/g, ' ').trim());

async function main() {
  if (endianness() !== 'LE') throw new Error('values are sent as they lie, little-endian');
  const ort = (await import('onnxruntime-node')).default;
  const peer = new Peer(ort);
  for (;;) {
    const header = readBytes(12);
    if (!header) return;
    if (header.readUInt32LE() !== MAGIC) throw new Error('stdin does not speak the protocol');
    const body = readBytes(Number(header.readBigUInt64LE(4)));
    if (!body) return;
    const answer = await peer.answer(new Reader(body)).catch(failure);
    answer.send();
  }
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
