// Which of the program's constants only the part that comes behind needs: they come with it.
//
// The linker's map says where each constant lies. One stays in the first part if anything there may point to it: a number in
// a function that equals its address or comes near it, or a word of data that stays. What is written to (.data) stays anyway.
// So no function of the first part can come upon a constant that has not arrived: it has no address of it, and whoever could
// hand it one is a function of the rest, which runs once its constants are there.
import { SECTION } from './wasm.mjs';

/**
 * Compilers fold `table[i - k]` into an address before the table. A number to which something is added, and at which no constant
 * begins, is taken to mean anything that begins so near behind it; tables of `switch`, where that is common, always stay.
 */
const NEAR = 1024;
const SWITCH = /switch\.table/;
/** A piece of data that is taken out costs this many bytes in both parts. */
const PIECE = 16;

/** The read-only constants of a linker's map: `[{ start, end, isMerged, stays }]`, by address. */
export function constants(map) {
  const line = /^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+(\S.*):\(\.rodata([^)]*)\)\s*$/;
  const found = [];
  for (const text of map.split('\n')) {
    const [, address, size, from, name] = text.match(line) ?? [];
    if (address !== undefined && parseInt(size, 16) > 0) {
      const start = parseInt(address, 16);
      found.push({ start, end: start + parseInt(size, 16), isMerged: from === '<internal>', stays: SWITCH.test(name) });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Strings that the linker merged, each with the zero at its end, as constants of their own. */
function apiece(objects, memory) {
  return objects.flatMap((object) => {
    const { start, end, isMerged } = object;
    if (!isMerged) return [object];
    const found = [];
    for (let at = start; at < end;) {
      const zero = memory.bytes.indexOf(0, at - memory.base);
      const next = zero < 0 ? end : Math.min(zero + memory.base + 1, end);
      found.push({ start: at, end: next });
      at = next;
    }
    return found;
  });
}

/** Which constants something may point to. */
export class Kept {
  constructor(module, objects) {
    const memory = memoryOf(module, objects);
    Object.assign(this, { objects: apiece(objects, memory), kept: new Set(), todo: [], memory });
    // What is no constant of the map stays, and so does what it points to.
    let at = this.memory.base;
    for (const { start, end } of [...this.objects, { start: this.memory.end, end: this.memory.end }]) {
      this.words(at, start);
      at = Math.max(at, end);
    }
    this.starts = new Set(this.objects.map(({ start }) => start));
    for (const { start, end, stays } of this.objects) if (stays) this.keep(start, end);
    this.follow();
  }
  /** The constants that overlap a range, or end where it begins. */
  within(from, to) {
    let low = 0, high = this.objects.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.objects[middle].end < from) low = middle + 1; else high = middle;
    }
    const found = [];
    for (let at = low; at < this.objects.length && this.objects[at].start <= to; at += 1) found.push(at);
    return found;
  }
  /** Whether a function may point to constants that are not kept. */
  misses({ numbers, bases }) {
    const is = (from, to) => this.within(from, to).some((at) => !this.kept.has(at));
    return [...numbers, ...bases].some((number) => is(number, number)) || [...bases].some((base) => this.isLoose(base) && is(base, base + NEAR));
  }
  /** Keeps all that a function may point to. */
  keepAll({ numbers, bases }) {
    for (const number of [...numbers, ...bases]) this.keep(number, number);
    for (const base of bases) if (this.isLoose(base)) this.keep(base, base + NEAR);
    this.follow();
  }
  isLoose(base) {
    return !this.starts.has(base) && base >= this.memory.base - NEAR && base <= this.memory.end + NEAR;
  }
  keep(from, to) {
    for (const at of this.within(from, to)) {
      if (!this.kept.has(at)) {
        this.kept.add(at);
        this.todo.push(at);
      }
    }
  }
  /** Keeps what a constant points to. It may point to the end of another, but not where a third begins: that is what it means. */
  keepAt(word) {
    const found = this.within(word, word);
    const begun = found.filter((at) => word < this.objects[at].end);
    for (const at of begun.length ? begun : found) {
      if (!this.kept.has(at)) {
        this.kept.add(at);
        this.todo.push(at);
      }
    }
  }
  words(from, to) {
    for (let at = Math.ceil(from / 4) * 4; at + 4 <= to; at += 4) {
      const word = this.memory.bytes.readUInt32LE(at - this.memory.base);
      if (word >= this.memory.base && word <= this.memory.end) this.keepAt(word);
    }
  }
  follow() {
    while (this.todo.length) {
      const { start, end } = this.objects[this.todo.pop()];
      // Whatever holds pointers begins where one may, and is a multiple of them long: in texts, four bytes may look like one.
      if (start % 4 === 0 && (end - start) % 4 === 0) this.words(start, end);
    }
  }
  /** What is not kept: `[[start, end]]`, neighbours in one. */
  others() {
    const ranges = [];
    this.objects.forEach(({ start, end }, at) => {
      if (this.kept.has(at)) return;
      const last = ranges[ranges.length - 1];
      // Between neighbours there are only zeros, which are there from the start.
      if (last && start - last[1] < PIECE && !this.within(last[1] + 1, start - 1).some((other) => this.kept.has(other))) last[1] = end;
      else ranges.push([start, end]);
    });
    return ranges.filter(([start, end]) => end - start > PIECE);
  }
}

function memoryOf(module, objects) {
  const base = Math.min(objects[0].start, ...module.segments.map((segment) => segment.offset)) & ~3;
  const end = Math.max(objects[objects.length - 1].end, ...module.segments.map((segment) => segment.offset + segment.content.length));
  const bytes = Buffer.alloc(end - base + 8);
  for (const { offset, content } of module.segments) content.copy(bytes, offset - base);
  return { base, end, bytes };
}

/** The segments that stay and those that go: those of `ranges`. */
export function cut(segments, ranges) {
  const stays = [], goes = [];
  for (const { flags, offset, content } of segments) {
    let at = offset;
    const end = offset + content.length;
    const piece = (into, to) => {
      if (to > at) into.push({ flags, offset: at, content: content.subarray(at - offset, to - offset) });
      at = Math.max(at, to);
    };
    for (const [from, to] of ranges) {
      if (to <= at || from >= end) continue;
      piece(stays, Math.min(from, end));
      piece(goes, Math.min(to, end));
    }
    piece(stays, end);
  }
  return { stays, goes };
}

/** Whether the data of a module can be taken apart. */
export const isPlain = (module) => module.segments.length > 0 && module.segments.every((segment) => segment.flags === 0)
  && module.sections.has(SECTION.data);
