//! Two programs with one machine: on wasm32 the page, on a host `capas`, the terminal version.

#[cfg(target_arch = "wasm32")]
fn main() {
    capas::embed::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    capas::host::main()
}
