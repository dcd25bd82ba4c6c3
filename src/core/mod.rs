//! Pure decisions: no clock, no randomness, no I/O, no JavaScript, no async.
//!
//! Time, random bytes and everything else that varies come in as arguments, so the same
//! history always gives the same decision.

pub mod admission;
pub mod change;
pub mod children;
pub mod event;
pub mod health;
pub mod histogram;
pub mod ids;
pub mod job;
pub use jobwright_logic as logic;
pub mod outcome;
pub mod permissions;
pub mod plan;
pub mod retry;
pub mod schedule;
pub mod simulate;
pub mod status;
pub mod step;
pub mod stored;
pub mod trace;
