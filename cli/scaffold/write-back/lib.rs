#![doc = include_str!("../README.md")]

mod config;
mod write_back;

pub use config::WriteBackConfig;
pub use write_back::@type@WriteBack;

einvoice_core::register_write_back! {
    name: "@name@",
    summary: "Results for @name@",
    config: WriteBackConfig,
    example: include_str!("../examples/write_back.toml"),
    build: write_back::build,
}
