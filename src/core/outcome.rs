//! Refusals: expected answers that are values, each with a code for programs and a sentence for people.

use std::borrow::Cow;

/// Why something was refused. The names are part of the public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// No such job.
    NotFound,
    /// The transition table has no such move.
    InvalidTransition,
    /// The job is not running.
    NotRunning,
    /// The budget has not enough left.
    BudgetExceeded,
    /// A person has to approve first.
    ApprovalRequired,
    /// A person said no.
    Rejected,
    /// `maxSteps` steps have run.
    StepLimit,
    /// The step wants tools that the job does not allow.
    ToolsDenied,
    /// Neither a plan nor a router says what to run.
    NoPlan,
    /// The plan has problems.
    InvalidPlan,
    /// No agent has this name.
    UnknownAgent,
    /// No step has this id.
    UnknownStep,
    /// An agent failed.
    AgentFailed,
    /// An attempt took longer than it may.
    Timeout,
    /// The job was cancelled.
    Cancelled,
    /// An agent's output can't be stored or does not fit its schema.
    InvalidOutput,
    /// Somebody else committed first, or is running the job.
    Conflict,
    /// The orchestrator was closed.
    Closed,
    /// Everything is paused.
    GloballyPaused,
    /// Not a job that can be monitored.
    InvalidJob,
    /// The store lacks what this call needs.
    Unsupported,
    /// An argument is not what it must be.
    InvalidArgument,
    /// A fault of jobwright's own.
    Internal,
}

impl Code {
    /// Every code; a code's place here is what crosses to the host.
    pub const ALL: [Code; 23] = [
        Code::NotFound,
        Code::InvalidTransition,
        Code::NotRunning,
        Code::BudgetExceeded,
        Code::ApprovalRequired,
        Code::Rejected,
        Code::StepLimit,
        Code::ToolsDenied,
        Code::NoPlan,
        Code::InvalidPlan,
        Code::UnknownAgent,
        Code::UnknownStep,
        Code::AgentFailed,
        Code::Timeout,
        Code::Cancelled,
        Code::InvalidOutput,
        Code::Conflict,
        Code::Closed,
        Code::GloballyPaused,
        Code::InvalidJob,
        Code::Unsupported,
        Code::InvalidArgument,
        Code::Internal,
    ];

    /// The name that programs compare.
    pub const fn name(self) -> &'static str {
        match self {
            Code::NotFound => "not_found",
            Code::InvalidTransition => "invalid_transition",
            Code::NotRunning => "not_running",
            Code::BudgetExceeded => "budget_exceeded",
            Code::ApprovalRequired => "approval_required",
            Code::Rejected => "rejected",
            Code::StepLimit => "step_limit",
            Code::ToolsDenied => "tools_denied",
            Code::NoPlan => "no_plan",
            Code::InvalidPlan => "invalid_plan",
            Code::UnknownAgent => "unknown_agent",
            Code::UnknownStep => "unknown_step",
            Code::AgentFailed => "agent_failed",
            Code::Timeout => "timeout",
            Code::Cancelled => "cancelled",
            Code::InvalidOutput => "invalid_output",
            Code::Conflict => "conflict",
            Code::Closed => "closed",
            Code::GloballyPaused => "globally_paused",
            Code::InvalidJob => "invalid_job",
            Code::Unsupported => "unsupported",
            Code::InvalidArgument => "invalid_argument",
            Code::Internal => "internal",
        }
    }

    /// The sentence people read where nothing more particular is known.
    pub const fn sentence(self) -> &'static str {
        match self {
            Code::NotFound => "Job not found",
            Code::InvalidTransition => "Invalid state transition",
            Code::NotRunning => "Job not running",
            Code::BudgetExceeded => "Budget exceeded",
            Code::ApprovalRequired => "Approval required",
            Code::Rejected => "Step rejected",
            Code::StepLimit => "Step limit reached",
            Code::ToolsDenied => "Tools are not allowed",
            Code::NoPlan => "Job has no plan, and there is no router",
            Code::InvalidPlan => "Invalid plan",
            Code::UnknownAgent => "Unknown agent",
            Code::UnknownStep => "Unknown step",
            Code::AgentFailed => "Agent failed",
            Code::Timeout => "Step timed out",
            Code::Cancelled => "Job cancelled",
            Code::InvalidOutput => "Invalid output",
            Code::Conflict => "Job was changed elsewhere at the same time",
            Code::Closed => "Orchestrator is closed",
            Code::GloballyPaused => "All jobs are paused; startAll goes on",
            Code::InvalidJob => "Job can't be monitored",
            Code::Unsupported => "The store does not support this",
            Code::InvalidArgument => "Invalid argument",
            Code::Internal => "Internal error",
        }
    }

    /// The code with this name.
    pub fn from_name(name: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.name() == name)
    }
}

/// A refusal: the operation did not do what was asked, and says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people. Borrowed where it is the code's own sentence.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal in words of its own.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { code, message: message.into() }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Refusal {
        Refusal { code, message: Cow::Borrowed(code.sentence()) }
    }
}

/// Names as they stand in a sentence. Not generic: one copy of this code serves every list.
pub(crate) fn listed(names: &mut dyn Iterator<Item = &str>) -> String {
    let mut sentence = String::new();
    for name in names {
        if !sentence.is_empty() {
            sentence.push_str(", ");
        }
        sentence.push_str(name);
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found_again() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
        assert_eq!(Code::from_name("no such code"), None);
    }
}
