// Splits the page's program in two: what it needs until the prompt takes keys, and the rest, which comes behind.
//
// Which functions are needed at first is not reasoned but seen: `./dev profile` runs the page in Chromium and writes
// www/build/startup.txt. A function that is missing there still works: the first call of one that has not arrived waits
// for it (see rest.js). So an outdated profile costs time, never correctness.
//
// Both parts number their functions as the whole did: what one part leaves to the other it keeps as a short body that
// calls it through the function table. So no instruction has to be written anew. Binaryen's wasm-split does a like thing
// with less in the first part, but its npm package is without it and Debian's is too old for what rustc writes.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Kept, constants, cut, isPlain } from './data.mjs';
import { SECTION, afterLocals, dataBytes, i32, limitBytes, name, parse, references, section, u32, vector } from './wasm.mjs';

const here = path.dirname(new URL(import.meta.url).pathname);
const PROFILE = path.join(here, 'startup.txt');
/** Where the linker says what lies where (./dev build). */
const MAP = path.join(here, '../../target/capas.map');
const HEADER = Buffer.from('0061736d01000000', 'hex');
/** Where the first part finds the import that waits for the rest, and the prefix of what it exports for the rest. */
const NEED_REST = /capasRest/;
const PREFIX = '%';
/** Bodies up to this many bytes stay in the first part: what would stand in for them is hardly shorter. */
const SMALL = 40;

/** A function's name in the profile: without the hashes of a build, short. */
export function shortName(text) {
  return crypto.createHash('sha256').update(text.replace(/\[[0-9a-f]{1,16}\]/g, '')).digest('hex').slice(0, 8);
}

/** A body that hands its arguments on to a slot of the function table; `before` comes first. */
function handOn(module, type, slot, before = Buffer.alloc(0)) {
  const { params } = module.types[type];
  const gets = params.map((_, at) => Buffer.concat([Buffer.from([0x20]), u32(at)]));
  const body = Buffer.concat([
    Buffer.from([0]), before, ...gets, Buffer.from([0x41]), i32(slot), Buffer.from([0x11]), u32(type),
    u32(module.functionTable), Buffer.from([0x0b]),
  ]);
  return Buffer.concat([u32(body.length), body]);
}
const UNREACHABLE = Buffer.from([3, 0, 0x00, 0x0b]);
const whole = (body) => Buffer.concat([u32(body.length), body]);

/** An active element segment of the function table. */
function segment(module, slot, functions) {
  const list = vector(functions.map(u32));
  const offset = Buffer.concat([Buffer.from([0x41]), i32(slot), Buffer.from([0x0b])]);
  return module.functionTable === 0
    ? Buffer.concat([Buffer.from([0]), offset, list])
    : Buffer.concat([Buffer.from([2]), u32(module.functionTable), offset, Buffer.from([0]), list]);
}

/**
 * Splits `bytes`; `isFirst(name)` says which functions the first part keeps, `map` is the linker's. Gives `{ first, rest,
 * kept, all }`.
 */
export function split(bytes, isFirst, map) {
  const module = parse(bytes);
  const imported = module.imports.length;
  const need = module.imports.findIndex((item) => NEED_REST.test(item.name));
  if (need < 0) throw new Error('the program imports nothing to wait for its rest with');
  const typeOf = (index) => (index < imported ? module.imports[index].type : module.functions[index - imported]);
  const refers = module.bodies.map(references);
  // Those that must be there at first, and those that are because they are small.
  const needed = module.bodies.map((_, at) => refers[at].tied || at + imported === module.start
    || !module.names.has(at + imported) || isFirst(module.names.get(at + imported)));
  const first = module.bodies.map((body, at) => needed[at] || body.length <= SMALL);
  const { stays, goes } = isPlain(module) && map
    ? apart(module, refers, needed, first, constants(map)) : { stays: module.segments, goes: [] };
  const isRest = (index) => index >= imported && !first[index - imported];

  // What each part asks of the other.
  const asked = new Set(), answered = new Set();
  refers.forEach(({ calls }, at) => {
    for (const index of calls) {
      if (first[at] && isRest(index)) asked.add(index);
      if (!first[at] && index >= imported && !isRest(index)) answered.add(index);
    }
  });
  for (const { functions } of module.elements) for (const index of functions) if (isRest(index)) asked.add(index);
  for (const { kind, index } of module.exports) if (kind === 0 && isRest(index)) asked.add(index);

  const table = module.tables[module.functionTable];
  const slots = new Map();
  for (const index of [...asked, ...answered]) slots.set(index, table.limits.min + slots.size);

  // The first part.
  const grown = (limits) => ({ ...limits, min: limits.min + slots.size, max: limits.max && limits.max + slots.size });
  const waiting = (slot) => Buffer.concat([
    // if ref.is_null(table.get(slot)) { capasRest(1) }
    Buffer.from([0x41]), i32(slot), Buffer.from([0x25]), u32(module.functionTable), Buffer.from([0xd1, 0x04, 0x40]),
    Buffer.from([0x41, 1, 0x10]), u32(need), Buffer.from([0x0b]),
  ]);
  const exported = (label, kind, index) => Buffer.concat([name(PREFIX + label), Buffer.from([kind]), u32(index)]);
  const ties = [
    ...module.tables.map((_, at) => exported(`t${at}`, 1, at)),
    ...module.memories.map((_, at) => exported(`m${at}`, 2, at)),
    ...module.globals.map((_, at) => exported(`g${at}`, 3, at)),
  ];
  const tables = module.tables.map((item, at) =>
    Buffer.concat([Buffer.from([item.type]), limitBytes(at === module.functionTable ? grown(item.limits) : item.limits)]));
  const elements = module.elements.map((item) => item.bytes);
  if (answered.size) elements.push(segment(module, table.limits.min + asked.size, [...answered]));
  const changed = new Map([
    [SECTION.table, vector(tables)],
    [SECTION.export, vector([
      ...module.exports.map((item) => Buffer.concat([name(item.name), Buffer.from([item.kind]), u32(item.index)])), ...ties,
    ])],
    [SECTION.element, vector(elements)],
    [SECTION.data, vector(stays.map(dataBytes))],
    ...(module.sections.has(SECTION.dataCount) ? [[SECTION.dataCount, u32(stays.length)]] : []),
    [SECTION.code, vector(module.bodies.map((body, at) => {
      const index = at + imported;
      if (first[at]) return whole(body);
      return asked.has(index) ? handOn(module, typeOf(index), slots.get(index), waiting(slots.get(index))) : UNREACHABLE;
    }))],
  ]);
  const order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
  const one = order.flatMap((id) => {
    const content = changed.get(id) ?? module.sections.get(id);
    return content ? [section(id, content)] : [];
  });

  // The rest: tables, memory and globals come from the first part, under the numbers they have there.
  const tie = (label, kind, ...description) =>
    Buffer.concat([name('first'), name(PREFIX + label), Buffer.from([kind]), ...description]);
  const imports = [
    ...module.imports.map((item) => item.bytes),
    ...tables.map((bytes, at) => tie(`t${at}`, 1, bytes)),
    ...module.memories.map((limits, at) => tie(`m${at}`, 2, limitBytes(limits))),
    ...module.globals.map((item, at) => tie(`g${at}`, 3, Buffer.from([item.type, item.mutable]))),
  ];
  // Slots of the original table that hold a function of the rest are pointed straight at it.
  const direct = [];
  for (const { table: at, offset, functions } of module.elements) {
    if (at !== module.functionTable || offset === undefined) continue;
    for (let begin = 0; begin < functions.length; begin++) {
      let end = begin;
      while (end < functions.length && isRest(functions[end])) end++;
      if (end > begin) direct.push(segment(module, offset + begin, functions.slice(begin, end)));
      begin = end;
    }
  }
  const two = [
    section(SECTION.type, module.sections.get(SECTION.type)),
    section(SECTION.import, vector(imports)),
    section(SECTION.function, module.sections.get(SECTION.function)),
    section(SECTION.element, vector([segment(module, table.limits.min, [...asked]), ...direct])),
    section(SECTION.code, vector(module.bodies.map((body, at) => {
      const index = at + imported;
      if (!first[at]) return whole(body);
      return answered.has(index) ? handOn(module, typeOf(index), slots.get(index)) : UNREACHABLE;
    }))),
    ...(goes.length ? [section(SECTION.data, vector(goes.map(dataBytes)))] : []),
  ];
  return {
    first: Buffer.concat([HEADER, ...one]), rest: Buffer.concat([HEADER, ...two]),
    kept: first.filter(Boolean).length, all: first.length, later: goes.reduce((sum, segment) => sum + segment.content.length, 0),
  };
}

/**
 * The data segments that stay with the first part and those that come behind. Of functions that are first only because they are
 * small, those that point to constants nobody else needs there lose their place (`first` is changed).
 */
function apart(module, refers, needed, first, objects) {
  const kept = new Kept(module, objects);
  const of = (wanted) => first.flatMap((is, at) => (is && needed[at] === wanted ? [at] : []));
  for (const at of of(true)) kept.keepAll(refers[at]);
  const small = of(false);
  for (const at of small) first[at] = !kept.misses(refers[at]);
  for (const at of small) if (first[at]) kept.keepAll(refers[at]);
  return cut(module.segments, kept.others());
}

/** A program that writes a 1 for each function that ran into pages of memory of its own, from `base` on. */
export function instrument(bytes) {
  const module = parse(bytes);
  const [memory] = module.memories;
  const base = memory.min * 65536;
  const pages = Math.ceil(module.bodies.length / 65536);
  const bodies = module.bodies.map((body, at) => {
    const cut = afterLocals(body);
    const note = Buffer.concat([Buffer.from([0x41]), i32(base + at), Buffer.from([0x41, 1, 0x3a, 0, 0])]);
    return whole(Buffer.concat([body.subarray(0, cut), note, body.subarray(cut)]));
  });
  const changed = new Map([
    [SECTION.memory, vector([limitBytes({ ...memory, min: memory.min + pages, max: memory.max && memory.max + pages })])],
    [SECTION.code, vector(bodies)],
  ]);
  const parts = [...module.sections].map(([id, content]) => section(id, changed.get(id) ?? content));
  const names = module.bodies.map((_, at) => module.names.get(at + module.imports.length) ?? '');
  return { bytes: Buffer.concat([HEADER, ...parts]), base, names };
}

/** The program without names and other notes. */
export function strip(bytes) {
  return Buffer.concat([HEADER, ...[...parse(bytes).sections].map(([id, content]) => section(id, content))]);
}

/**
 * A program and its script with shorter names for what is imported: wasm-bindgen puts a hash behind each, for linking, which a
 * visitor would fetch three times.
 */
function shorten(bytes, script) {
  const { imports } = parse(bytes);
  const names = new Map(), taken = new Set();
  for (const item of imports) {
    const plain = item.name.replace(/_[0-9a-f]{16}$/, '');
    let short = plain;
    for (let number = 2; taken.has(short); number += 1) short = `${plain}${number}`;
    taken.add(short);
    names.set(item.name, short);
  }
  const list = vector(imports.map((item) =>
    Buffer.concat([name(item.module), name(names.get(item.name)), Buffer.from([item.kind]), u32(item.type)])));
  const parts = [HEADER];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at];
    let size = 0, shift = 0, from = at + 1;
    for (let more = true; more; from += 1, shift += 7) {
      size += (bytes[from] & 0x7f) * 2 ** shift;
      more = bytes[from] >= 0x80;
    }
    parts.push(id === SECTION.import ? section(id, list) : bytes.subarray(at, from + size));
    at = from + size;
  }
  return { bytes: Buffer.concat(parts), script: script.replace(/\b\w+_[0-9a-f]{16}\b/g, (found) => names.get(found) ?? found) };
}

/** Splits the program of a built page and ties both parts together in its script. */
export function splitPage(folder) {
  const file = fs.readdirSync(folder).find((entry) => entry.endsWith('_bg.wasm'));
  if (!file) throw new Error(`${folder} holds no *_bg.wasm`);
  const script = path.join(folder, file.replace(/_bg\.wasm$/, '.js'));
  const profile = new Set(fs.readFileSync(PROFILE, 'utf8').split('\n').filter((line) => line && !line.startsWith('#')));
  const { bytes, script: glue } = shorten(fs.readFileSync(path.join(folder, file)), fs.readFileSync(script, 'utf8'));
  const parts = split(bytes, (text) => profile.has(shortName(text)), fs.existsSync(MAP) && fs.readFileSync(MAP, 'utf8'));
  const restFile = file.replace(/_bg\.wasm$/, '_rest.wasm');
  const changed = [
    ['wasmModule = module;', 'tieRest(wasm, __wbg_get_imports());'],
    ['await __wbg_load(await module_or_path, imports);', 'await restAhead();'],
  ].reduce((text, [hook, then]) => {
    if (text.split(hook).length !== 2) throw new Error(`${script} is not as wasm-bindgen writes it: no single "${hook}"`);
    return text.replace(hook, `${hook} ${then}`);
  }, glue);
  const loader = fs.readFileSync(path.join(here, 'rest.js'), 'utf8').replaceAll('REST_FILE', JSON.stringify(restFile));
  const index = path.join(folder, 'index.html');
  let page = fs.readFileSync(index, 'utf8');
  // The page names the hashes of what it loads.
  const integrity = (content) => `sha384-${crypto.createHash('sha384').update(content).digest('base64')}`;
  const write = (target, content) => {
    page = page.replaceAll(integrity(fs.readFileSync(target)), integrity(content));
    fs.writeFileSync(target, content);
  };
  write(script, `${changed}\n${loader}`);
  write(path.join(folder, file), parts.first);
  fs.writeFileSync(path.join(folder, restFile), parts.rest);
  fs.writeFileSync(index, page);
  console.log(`split: ${parts.kept} of ${parts.all} functions in the first part, ${parts.first.length} bytes; `
    + `${parts.rest.length} bytes come behind, ${parts.later} of them constants`);
}
