//! The engine beside a reference: random plans, agents, people and crashes, run by the real orchestrator and
//! by an interpreter that is slow and obvious and shares no code with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asks;
mod campaign;
mod case;
mod child;
mod compare;
mod counterexamples;
mod edits;
mod engine;
mod entry;
#[path = "../orchestrator/executor.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod executor;
mod generate;
mod interpreter;
mod invariants;
mod job;
mod lockstep;
mod orders;
mod people;
mod plan;
#[path = "../orchestrator/random.rs"]
mod random;
#[path = "../orchestrator/replay.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod replay;
mod rule;
mod run;
mod settle;
mod shrink;
mod state;
mod steps;
mod worker;
