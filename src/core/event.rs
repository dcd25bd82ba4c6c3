//! What happened to a job: the entries of its history. Facts, in the past tense.

use crate::core::{
    job::{Approval, PauseReason},
    outcome::Code,
    permissions::Permissions,
    step::{StepIndex, StepStatus},
};

/// One entry of a job's history, not yet given its words. `V` is a value that the host holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<V> {
    /// The number of the event that caused this one.
    pub cause: Option<u64>,
    /// What happened.
    pub fact: Fact<V>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact<V> {
    /// The job's plan, permissions and context as a replay starts from them.
    JobCreated,
    /// The job became running.
    JobStarted,
    /// The job became paused; by the engine where there is a reason.
    JobPaused(Option<PauseReason>),
    /// The job ended well.
    JobCompleted,
    /// The job ended badly.
    JobFailed,
    /// Something happened to a step.
    Step {
        /// Which one.
        step: StepIndex,
        /// The attempt that it concerns, from 1; 0 before the first.
        attempt: u32,
        /// The item that it concerns, from 0, where the step is done for each of a list.
        item: Option<u32>,
        /// The round that it concerns, from 1, where the step is repeated.
        round: Option<u32>,
        /// Where the step stands after it.
        status: StepStatus,
        /// What happened to it.
        what: StepFact<V>,
    },
    /// The job's permissions were changed.
    PermissionsChanged(Permissions),
    /// Somebody sent a signal.
    Signalled {
        /// What it is called.
        name: Box<str>,
        /// What it carries.
        payload: V,
    },
    /// The job pauses before other steps than until now.
    BreakpointsChanged,
    /// The pace of all jobs is another than when the job's steps were looked at last.
    SlowPlayChanged,
    /// An agent's own event: its type and payload.
    Emitted {
        /// The step whose agent sent it.
        step: StepIndex,
        /// An object of the host's that holds the type and the payload.
        event: V,
    },
}

/// What happened to a step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepFact<V> {
    /// An attempt began.
    Started {
        /// What the caller gave the step, where it did and this is the first attempt.
        given: Option<V>,
    },
    /// It began, to be done for each item of a list.
    FannedOut {
        /// The list.
        items: V,
    },
    /// Its child job can't go on without somebody.
    Suspended {
        /// For programs.
        code: Code,
        /// For people.
        message: Box<str>,
    },
    /// It began to wait.
    Waiting {
        /// Until when at the latest.
        due_at: Option<f64>,
    },
    /// It ended well.
    Completed {
        /// What it gave.
        output: V,
        /// What it cost, where that is known.
        cost: Option<f64>,
    },
    /// A round of it ended well.
    RoundCompleted {
        /// What it gave.
        output: V,
        /// What it cost, where that is known.
        cost: Option<f64>,
    },
    /// It is not to be done: its `when` says so.
    Skipped,
    /// An attempt failed.
    Failed {
        /// For programs.
        code: Code,
        /// For people.
        message: Box<str>,
        /// When the next attempt is due, if there is one.
        retry_at: Option<f64>,
        /// Where that is not what the plan says.
        asked: Asked,
    },
    /// A person is asked.
    ApprovalRequested(Approval),
    /// A person said yes.
    Approved(Decision),
    /// A person said no.
    Rejected(Decision),
    /// An attempt was cut off by a crash and will be made again.
    Recovered,
    /// An attempt answered after it had been given up; its answer was not used.
    LateResultDropped,
}

/// What a failed attempt asked for, where that makes a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Asked {
    /// Nothing.
    #[default]
    Nothing,
    /// Not to be made again.
    NoRetry,
    /// To be made again after so many milliseconds, which is later than the plan says.
    Later(f64),
}

/// A person's answer to an approval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Which approval.
    pub approval: Box<str>,
    /// Who answered.
    pub by: Option<Box<str>>,
    /// What they added.
    pub note: Option<Box<str>>,
}
