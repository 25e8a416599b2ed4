// A WebAssembly module as bytes: as much of the format as splitting needs (https://webassembly.github.io/spec/core/binary/).

/** Section ids of the specification. */
export const SECTION = {
  custom: 0, type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, start: 8, element: 9, code: 10,
  data: 11, dataCount: 12,
};
const FUNCREF = 0x70;

/** Reads numbers and names one after the other. */
export class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }
  byte() {
    if (this.at >= this.end) throw new Error(`the module ends at ${this.at}`);
    return this.bytes[this.at++];
  }
  /** An unsigned LEB128 of 32 bits. */
  u32() {
    let value = 0, shift = 0, byte;
    do { byte = this.byte(); value += (byte & 127) * 2 ** shift; shift += 7; } while (byte & 128);
    return value;
  }
  /** A signed LEB128 of up to 64 bits. */
  signed() {
    let value = 0n, shift = 0n, byte;
    do { byte = this.byte(); value |= BigInt(byte & 127) << shift; shift += 7n; } while (byte & 128);
    return byte & 64 ? value - (1n << shift) : value;
  }
  /** Passes over a LEB128 of any kind. */
  skipLeb() { while (this.byte() & 128); }
  take(length) {
    if (this.at + length > this.end) throw new Error(`the module ends inside of what begins at ${this.at}`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  name() { return Buffer.from(this.take(this.u32())).toString(); }
  vector(read) { return Array.from({ length: this.u32() }, () => read(this)); }
}

export function u32(value) {
  const bytes = [];
  do { bytes.push((value & 127) | (value > 127 ? 128 : 0)); value = Math.floor(value / 128); } while (value > 0);
  return Buffer.from(bytes);
}
/** A signed LEB128 of a number that is not negative, as `i32.const` takes it. */
export function i32(value) {
  const bytes = [];
  for (;;) {
    const low = value & 127;
    value >>= 7;
    if (value === 0 && !(low & 64)) { bytes.push(low); return Buffer.from(bytes); }
    bytes.push(low | 128);
  }
}
export const name = (text) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text)]);
export const vector = (items) => Buffer.concat([u32(items.length), ...items]);
export const section = (id, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([id]), u32(body.length), body]);
};

function limits(reader) {
  const flags = reader.byte();
  return { flags, min: reader.u32(), max: flags & 1 ? reader.u32() : undefined };
}
export const limitBytes = ({ flags, min, max }) =>
  Buffer.concat([Buffer.from([flags]), u32(min), ...(flags & 1 ? [u32(max)] : [])]);

/** A constant expression: passes over it and gives the value of an `i32.const`, else undefined. */
function constant(reader) {
  const op = reader.byte();
  let value;
  if (op === 0x41) {
    value = 0;
    let shift = 0, byte;
    do { byte = reader.byte(); value |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    if (shift < 32 && byte & 64) value |= -1 << shift;
  } else if (op === 0x42 || op === 0x23 || op === 0xd0 || op === 0xd2) reader.skipLeb();
  else if (op === 0x43) reader.take(4);
  else if (op === 0x44) reader.take(8);
  else throw new Error(`a constant expression begins with ${op}`);
  if (reader.byte() !== 0x0b) throw new Error('a constant expression has more than one instruction');
  return value;
}

/** An element segment with functions: `{ bytes, table, offset, functions }`; only active ones have an offset. */
function element(reader) {
  const begin = reader.at;
  const flags = reader.u32();
  if (flags > 3) throw new Error(`element segments of form ${flags} are not known here`);
  const segment = { table: 0 };
  if (flags === 2) segment.table = reader.u32();
  if (!(flags & 1)) segment.offset = constant(reader);
  if (flags !== 0) reader.byte();
  segment.functions = reader.vector((r) => r.u32());
  segment.bytes = reader.bytes.subarray(begin, reader.at);
  return segment;
}

/** A data segment: `{ flags, offset, content }`; only active ones have an offset. */
function dataSegment(reader) {
  const segment = { flags: reader.u32() };
  if (segment.flags > 1) throw new Error(`data segments of form ${segment.flags} are not known here`);
  if (segment.flags === 0) segment.offset = constant(reader);
  segment.content = reader.take(reader.u32());
  return segment;
}

/** The bytes of a data segment. */
export const dataBytes = ({ flags, offset, content }) => Buffer.concat([
  u32(flags), ...(flags === 0 ? [Buffer.from([0x41]), i32(offset), Buffer.from([0x0b])] : []), u32(content.length), content,
]);

/** Parses a module. Functions are numbered as in the module: imported ones first. */
export function parse(bytes) {
  if (Buffer.from(bytes.subarray(0, 8)).toString('hex') !== '0061736d01000000') throw new Error('no WebAssembly module');
  const module = {
    sections: new Map(), types: [], imports: [], functions: [], tables: [], memories: [], globals: [], exports: [],
    elements: [], bodies: [], segments: [], names: new Map(),
  };
  for (const file = new Reader(bytes, 8); file.at < file.end;) {
    const id = file.byte();
    const content = file.take(file.u32());
    const r = new Reader(content);
    if (id !== SECTION.custom) module.sections.set(id, content);
    switch (id) {
      case SECTION.custom: if (r.name() === 'name') readNames(r, module.names); break;
      case SECTION.type:
        module.types = r.vector(() => {
          if (r.byte() !== 0x60) throw new Error('a type that is no function type');
          return { params: r.vector(() => r.byte()), results: r.vector(() => r.byte()) };
        });
        break;
      case SECTION.import:
        module.imports = r.vector(() => {
          const begin = r.at;
          const item = { module: r.name(), name: r.name(), kind: r.byte() };
          if (item.kind !== 0) throw new Error(`${item.module}.${item.name}: only functions may be imported`);
          item.type = r.u32();
          item.bytes = content.subarray(begin, r.at);
          return item;
        });
        break;
      case SECTION.function: module.functions = r.vector(() => r.u32()); break;
      case SECTION.table: module.tables = r.vector(() => ({ type: r.byte(), limits: limits(r) })); break;
      case SECTION.memory: module.memories = r.vector(limits); break;
      case SECTION.global:
        module.globals = r.vector(() => {
          const global = { type: r.byte(), mutable: r.byte() };
          constant(r);
          return global;
        });
        break;
      case SECTION.export: module.exports = r.vector(() => ({ name: r.name(), kind: r.byte(), index: r.u32() })); break;
      case SECTION.start: module.start = r.u32(); break;
      case SECTION.element: module.elements = r.vector(element); break;
      case SECTION.data: module.segments = r.vector(dataSegment); break;
      case SECTION.code: module.bodies = r.vector(() => r.take(r.u32())); break;
      default:
    }
  }
  module.functionTable = module.tables.findIndex((table) => table.type === FUNCREF);
  return module;
}

function readNames(r, names) {
  while (r.at < r.end) {
    const id = r.byte();
    const part = new Reader(r.take(r.u32()));
    if (id === 1) for (let n = part.u32(); n > 0; n--) names.set(part.u32(), part.name());
  }
}

/** The position in a function's body at which its instructions begin. */
export function afterLocals(body) {
  const r = new Reader(body);
  for (let n = r.u32(); n > 0; n--) { r.u32(); r.byte(); }
  return r.at;
}

/** Loads, stores, calls, `return`, `drop`, and instructions that only push. */
const IS_MEANT = (op) => (op >= 0x28 && op <= 0x3e) || op === 0x10 || op === 0x11 || op === 0x0f || op === 0x1a
  || op === 0x20 || op === 0x23 || (op >= 0x41 && op <= 0x44);

/**
 * What a function's body refers to: functions that it calls, `numbers` that may be addresses of data, those of them to which
 * something may be added (`bases`), and whether it does something that only works in the module with the data and the element
 * segments.
 */
export function references(body) {
  const r = new Reader(body, afterLocals(body));
  const calls = new Set(), numbers = new Set(), bases = new Set();
  let last;
  let tied = false;
  while (r.at < r.end) {
    const op = r.byte();
    // A number that is loaded from, stored, handed on or followed by another push is meant as it is.
    if (last !== undefined && !IS_MEANT(op)) bases.add(last);
    last = undefined;
    if (op >= 0x28 && op <= 0x3e) { if (r.u32() & 0x40) r.u32(); bases.add(r.u32()); }
    else if (op >= 0x45 && op <= 0xc4) { /* no operand */ }
    else switch (op) {
      case 0x00: case 0x01: case 0x05: case 0x0b: case 0x0f: case 0x1a: case 0x1b: case 0xd1: break;
      case 0x10: case 0x12: calls.add(r.u32()); break;
      case 0xd2: calls.add(r.u32()); tied = true; break;
      case 0x02: case 0x03: case 0x04: case 0x0c: case 0x0d: case 0x20: case 0x21: case 0x22: case 0x23: case 0x24:
      case 0x25: case 0x26: case 0x3f: case 0x40: case 0xd0: r.skipLeb(); break;
      case 0x41:
        last = Number(r.signed() & 0xffffffffn);
        numbers.add(last);
        break;
      case 0x42: {
        // Two numbers of 32 bits may be stored as one.
        const both = r.signed();
        numbers.add(Number(both & 0xffffffffn)).add(Number((both >> 32n) & 0xffffffffn));
        break;
      }
      case 0x0e: r.vector((x) => x.u32()); r.u32(); break;
      case 0x11: case 0x13: r.u32(); r.u32(); break;
      case 0x1c: r.vector((x) => x.byte()); break;
      case 0x43: r.take(4); break;
      case 0x44: r.take(8); break;
      case 0xfc: {
        const sub = r.u32();
        if (sub <= 7) break;
        if (sub === 8 || sub === 9 || sub === 12 || sub === 13) tied = true;
        r.u32();
        if (sub === 8 || sub === 10 || sub === 12 || sub === 14) r.u32();
        if (sub > 17) throw new Error(`instruction 0xfc ${sub} is not known here`);
        break;
      }
      default: throw new Error(`instruction 0x${op.toString(16)} at ${r.at - 1} is not known here`);
    }
  }
  return { calls, numbers, bases, tied };
}
