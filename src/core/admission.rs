//! What a step must pass before its agent is called, in this order; the first that refuses says so.

use crate::core::{
    job::{Approval, Job, PauseReason, Run},
    outcome::{Code, Refusal, listed},
    plan::Work,
    step::StepIndex,
};

/// A step may not begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What the caller is told.
    pub refusal: Refusal,
    /// What becomes of the job.
    pub then: Then,
}

/// What becomes of a job whose step may not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Unchanged,
    /// It pauses, and goes on when that is settled.
    Pause(PauseReason),
    /// It pauses, and a person is asked.
    Ask,
    /// The step fails, and the job with it.
    Fail,
}

impl Denied {
    fn new(refusal: impl Into<Refusal>, then: Then) -> Denied {
        Denied { refusal: refusal.into(), then }
    }
}

/// May the job begin one more step? A step that was begun before does not count again, and its items don't.
///
/// # Errors
/// `step_limit`; the job pauses.
pub fn within_step_limit<V>(job: &Job<V>, step: Option<StepIndex>) -> Result<(), Denied> {
    let begun = step
        .zip(job.run.as_ref())
        .is_some_and(|(step, run)| run.step_of_item(step).is_some() || run.states[step].started_at.is_some());
    if begun || job.head.steps_taken < job.head.permissions.max_steps {
        return Ok(());
    }
    Err(Denied::new(Code::StepLimit, Then::Pause(PauseReason::StepLimit)))
}

/// The step's checks, once it is known which one is next. The budget is asked after all of these,
/// so that nothing is held while a person thinks.
///
/// # Errors
/// A breakpoint, `tools_denied`, `unknown_agent` (naming it and `known`) or `approval_required`, which a
/// step that is nothing but an approval always is until it has one.
pub fn step_may_begin<V>(
    job: &Job<V>,
    step: StepIndex,
    agent_exists: bool,
    known: &dyn Fn() -> String,
) -> Result<(), Denied> {
    let Some(run) = &job.run else { return Ok(()) };
    let (what, state) = (run.step(step), &run.states[step]);
    // What a step is asked about, its items are not asked about again.
    let is_item = run.step_of_item(step).is_some();
    if !is_item && (what.breakpoint || run.breakpoints.contains(&step)) && !state.breakpoint_passed {
        let message = format!("Paused at the breakpoint before step \"{}\"", what.id);
        return Err(Denied::new(
            Refusal::new(Code::NotRunning, message),
            Then::Pause(PauseReason::Breakpoint),
        ));
    }
    if !what.tools.is_empty() && !job.head.permissions.allow_tools {
        let message = format!(
            "Step \"{}\" needs tools ({}), and the job does not allow tools",
            what.id,
            listed(&mut what.tools.iter().map(|tool| &**tool))
        );
        return Err(Denied::new(Refusal::new(Code::ToolsDenied, message), Then::Fail));
    }
    if let (false, Some(agent)) = (agent_exists, what.agent()) {
        let message = format!("Unknown agent \"{agent}\"; known agents: {}", known());
        return Err(Denied::new(Refusal::new(Code::UnknownAgent, message), Then::Fail));
    }
    if needs_approval(job, run, step) || waiting(run, step).any(|approval| approval.tool_call.is_some()) {
        return Err(Denied::new(Code::ApprovalRequired, Then::Ask));
    }
    Ok(())
}

/// Was a person asked about the step, whose answer it still needs? Then nothing else is asked about it: what it comes
/// to when it is looked at once more must not depend on how often it is.
pub fn waits_for_answer<V>(job: &Job<V>, step: StepIndex) -> bool {
    let Some(run) = &job.run else { return false };
    waiting(run, step).any(|approval| approval.tool_call.is_some() || needs_approval(job, run, step))
}

fn waiting(run: &Run, step: StepIndex) -> impl Iterator<Item = &Approval> {
    run.approvals.iter().filter(move |approval| approval.step == step)
}

/// Does a person have to approve the step who has not?
fn needs_approval<V>(job: &Job<V>, run: &Run, step: StepIndex) -> bool {
    let what = run.step(step);
    let asks = match what.work {
        Work::Approve => true,
        Work::Agent(_) | Work::Job(_) => what.approval || job.head.permissions.require_approval,
        // To wait for something takes nobody's approval, unless the plan says so.
        Work::Wait(_) => what.approval,
    };
    asks && run.step_of_item(step).is_none() && run.states[step].approved_by.is_none()
}

/// May an agent call a tool? Only where its job allows tools at this moment and its step grants this one.
pub const fn tool_may_be_called(job_allows_tools: bool, granted_to_step: bool) -> bool {
    job_allows_tools && granted_to_step
}
