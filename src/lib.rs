//! jobwright: a deterministic job orchestrator for agent workflows.
//!
//! The core owns every decision: which move a job may make, which step is next, who must approve,
//! when an attempt is made again, what an event says. The host owns everything that happens:
//! storing, announcing, calling agents, telling the time. See [`core`], [`host`], [`mod@orchestrator`].
//!
//! From Rust, [`create_orchestrator`] gives a [`JobOrchestrator`] over whatever implements [`host::Host`], without
//! WebAssembly. Here that is a host in memory, and a parent job is followed while its children run:
//!
//! ```
#![doc = include_str!("../examples/native/main.rs")]
//! ```

pub mod core;
pub mod host;
pub mod orchestrator;

pub use orchestrator::{JobOrchestrator, create_orchestrator};

#[cfg(target_arch = "wasm32")]
mod wasm;
