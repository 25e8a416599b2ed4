// Runs a program for WASI: `CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings tests/bench/wasi.mjs"`.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [program, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [program, ...args], returnOnExit: true });
const module = await WebAssembly.compile(await readFile(program));
// What the page's crates ask of a browser is linked in and never called.
const imports = wasi.getImportObject();
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] ??= () => { throw new Error(`${from}.${name} is not here`); };
}
process.exitCode = wasi.start(await WebAssembly.instantiate(module, imports));
