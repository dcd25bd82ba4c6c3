//! The operations, as async Rust over the host's traits. One file an operation; each reads as the
//! specification: load, decide, commit, then announce.

mod account;
mod advance;
mod approve_step;
mod attempt;
mod cancel_job;
mod cancellation;
mod child_job;
mod close;
mod complete_job;
mod control_all;
mod create_job;
mod drive;
mod fan_out;
mod job_orchestrator;
mod live;
mod monitor;
mod native;
mod next_step;
mod pause_job;
mod record_event;
mod recover;
mod replay;
mod run_job;
mod section;
mod set_breakpoints;
mod set_permissions;
mod settle;
mod side_by_side;
mod signal;
mod start_job;
mod step_tree;
mod try_step;
mod turns;
mod under_way;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{
    core::{
        ids::IdPool,
        outcome::{Code, Refusal},
    },
    host::{Abort, Host, JobKey},
};
use live::{Live, LiveJobs};
use run_job::Runs;
use section::Section;
use turns::Turns;

pub use approve_step::Answer;
pub use cancel_job::CancelResult;
pub use cancellation::Cancellation;
pub use control_all::PausePoint;
pub use create_job::NewJob;
pub use job_orchestrator::{JobOrchestrator, NextStep, Operation, Started, ValueOf};
pub use monitor::{MonitorOptions, ParentJob};
pub use native::create_orchestrator;
pub use next_step::StepReport;
pub use replay::{Decisive, Refused, Replay};

/// Why an operation did not do what was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop<V, E> {
    /// It was refused.
    Refused(Refusal),
    /// The budget manager refused, in its own words.
    BudgetRefused(V),
    /// A part of the host failed; nothing changed.
    Failed(E),
}

impl<V, E> From<Refusal> for Stop<V, E> {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl<V, E> From<Code> for Stop<V, E> {
    fn from(code: Code) -> Self {
        Stop::Refused(code.into())
    }
}

/// What an operation of a host's orchestrator gives.
pub type Outcome<H, T = ()> =
    Result<T, Stop<<H as crate::host::Values>::Value, <H as crate::host::Values>::Error>>;

/// Decides what runs next, over the parts that a host supplies. From outside the crate it is a [`JobOrchestrator`].
pub(crate) struct Orchestrator<H: Host> {
    host: H,
    turns: Turns,
    live: LiveJobs,
    runs: Runs<H>,
    ids: RefCell<IdPool>,
    slow_play_ms: Cell<f64>,
    closed: Cell<bool>,
}

impl<H: Host> Orchestrator<H> {
    /// An orchestrator over this host.
    pub fn new(host: H) -> Self {
        Orchestrator {
            host,
            turns: Turns::default(),
            live: LiveJobs::default(),
            runs: Runs::default(),
            ids: RefCell::default(),
            slow_play_ms: Cell::new(0.0),
            closed: Cell::new(false),
        }
    }

    /// The host.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// A new job id; `fill` supplies random bytes when they are needed.
    ///
    /// # Errors
    /// What `fill` fails with.
    pub fn new_id<E>(&self, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<String, E> {
        self.ids.borrow_mut().next(fill)
    }

    /// Delays each further step by `ms`; steps that are being delayed look at it at once.
    pub fn set_slow_play(&self, ms: f64) {
        self.slow_play_ms.set(ms);
        self.live.all().iter().for_each(|live| live.notify());
    }

    /// What is read or made of the job is kept, until it is forgotten.
    #[cfg(target_arch = "wasm32")]
    pub fn remember(&self, key: JobKey) {
        self.live.enter(key);
    }

    /// The host gives `key` to another job from now on.
    pub fn forget(&self, key: JobKey) {
        self.live.forget(key);
    }

    /// Begins a load, decide, commit of one job, in the order of the calls.
    async fn section(&self, key: JobKey) -> Outcome<H, Section<'_, H>> {
        let turn = self.turns.take(key).await;
        if self.closed.get() {
            return Err(Code::Closed.into());
        }
        Ok(Section::new(self, key, turn))
    }

    /// Somebody else runs a job now: whoever does here stops, and commits nothing more.
    pub fn lease_lost(&self, key: JobKey) {
        if let Some(live) = self.live.get(key) {
            live.lose();
        }
    }

    /// A job was changed elsewhere: whoever runs it looks at it again, and its agents are told where it has ended.
    ///
    /// # Errors
    /// `not_found`; what the store fails with.
    pub async fn look_again(&self, key: JobKey) -> Outcome<H> {
        let section = self.section(key).await?;
        let ended = section.load_head().await?.status.has_ended();
        drop(section);
        if let Some(live) = self.live.get(key) {
            if ended && live.is_driven() && !live.is_shut() {
                live.abort_attempts(Abort::Cancelled);
            }
            live.notify();
        }
        Ok(())
    }

    fn live(&self, key: JobKey) -> Rc<Live> {
        self.live.enter(key)
    }
}
