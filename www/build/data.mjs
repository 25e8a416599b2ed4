// Which of the program's constants only the part that comes behind needs: they come with it.
//
// The linker's map says where each constant lies. One stays in the first part if anything there may point to it: a number in
// a function that equals its address or comes near it, or a word of data that stays. What is written to (.data) stays anyway.
// So no function of the first part can come upon a constant that has not arrived: it has no address of it, and whoever could
// hand it one is a function of the rest, which runs once its constants are there.
import { SECTION } from './wasm.mjs';

/** Compilers fold `table[i - k]` into an address before the table: so far from a number anything is taken to be meant. */
const NEAR = 1024;
/** A piece of data that is taken out costs this many bytes in both parts. */
const PIECE = 16;

/** The read-only constants of a linker's map: `[{ start, end }]`, by address. */
export function constants(map) {
  const line = /^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+\S.*:\(\.rodata[^)]*\)\s*$/;
  const found = [];
  for (const text of map.split('\n')) {
    const [, address, size] = text.match(line) ?? [];
    if (address !== undefined && parseInt(size, 16) > 0) {
      found.push({ start: parseInt(address, 16), end: parseInt(address, 16) + parseInt(size, 16) });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Which constants something may point to. */
export class Kept {
  constructor(module, objects) {
    Object.assign(this, { objects, kept: new Set(), todo: [], memory: memoryOf(module) });
    // What is no constant of the map stays, and so does what it points to.
    let at = this.memory.base;
    for (const { start, end } of [...objects, { start: this.memory.end, end: this.memory.end }]) {
      this.words(at, start);
      at = Math.max(at, end);
    }
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
  /** Whether these numbers of a function point to constants that are not kept. */
  misses(numbers) {
    for (const number of numbers) for (const at of this.within(number, number)) if (!this.kept.has(at)) return true;
    return false;
  }
  keepAll(numbers) {
    for (const number of numbers) {
      if (number >= this.memory.base - NEAR && number <= this.memory.end + NEAR) this.keep(number - NEAR, number + NEAR);
    }
    this.follow();
  }
  keep(from, to) {
    for (const at of this.within(from, to)) {
      if (!this.kept.has(at)) {
        this.kept.add(at);
        this.todo.push(at);
      }
    }
  }
  words(from, to) {
    for (let at = Math.ceil(from / 4) * 4; at + 4 <= to; at += 4) {
      const word = this.memory.bytes.readUInt32LE(at - this.memory.base);
      if (word >= this.memory.base && word <= this.memory.end) this.keep(word, word);
    }
  }
  follow() {
    while (this.todo.length) {
      const { start, end } = this.objects[this.todo.pop()];
      this.words(start, end);
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

function memoryOf(module) {
  const base = Math.min(...module.segments.map((segment) => segment.offset)) & ~3;
  const end = Math.max(...module.segments.map((segment) => segment.offset + segment.content.length));
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
