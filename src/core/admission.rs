//! What a step must pass before its agent is called, in this order; the first that refuses says so.

use crate::core::{
    job::{Approval, Job, PauseReason, Run},
    outcome::{Code, Refusal, listed},
    permissions::Permissions,
    plan::{Step, Work},
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

/// May the job begin one more step, beside those that it and its descendants have begun?
///
/// # Errors
/// `step_limit`; the job pauses.
pub fn within_step_limit<V>(job: &Job<V>, step: Option<StepIndex>) -> Result<(), Denied> {
    if step.is_some_and(|step| !counts(job, step)) || job.has_room() {
        return Ok(());
    }
    Err(Denied::new(Code::StepLimit, Then::Pause(PauseReason::StepLimit)))
}

/// Does the step count when it begins? One that was begun before does not count again, and its items don't.
pub fn counts<V>(job: &Job<V>, step: StepIndex) -> bool {
    let run = job.run.as_ref();
    run.is_none_or(|run| run.step_of_item(step).is_none() && run.states[step].started_at.is_none())
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
    if let Some(refusal) = tools_denied(what, job.head.permissions) {
        return Err(Denied::new(refusal, Then::Fail));
    }
    if let (false, Some(agent)) = (agent_exists, what.agent()) {
        let message = format!("Unknown agent \"{agent}\"; known agents: {}", known());
        return Err(Denied::new(Refusal::new(Code::UnknownAgent, message), Then::Fail));
    }
    if unanswered(job, run, step) || waiting(run, step).any(|approval| approval.tool_call.is_some()) {
        return Err(Denied::new(Code::ApprovalRequired, Then::Ask));
    }
    Ok(())
}

/// Was a person asked about the step, whose answer it still needs? Then nothing else is asked about it, but for the
/// tools it may no longer have: what it comes to must not depend on how often it is looked at meanwhile.
pub fn waits_for_answer<V>(job: &Job<V>, step: StepIndex) -> bool {
    let Some(run) = &job.run else { return false };
    tools_denied(run.step(step), job.head.permissions).is_none()
        && waiting(run, step).any(|approval| approval.tool_call.is_some() || unanswered(job, run, step))
}

fn waiting(run: &Run, step: StepIndex) -> impl Iterator<Item = &Approval> {
    run.approvals.iter().filter(move |approval| approval.step == step)
}

/// Does a person have to approve the step who has not?
fn unanswered<V>(job: &Job<V>, run: &Run, step: StepIndex) -> bool {
    let asks = needs_approval(run.step(step), job.head.permissions);
    asks && run.step_of_item(step).is_none() && run.states[step].approved_by.is_none()
}

/// Why a job may not run a step that wants tools.
pub fn tools_denied(step: &Step, permissions: Permissions) -> Option<Refusal> {
    if step.tools.is_empty() || permissions.allow_tools {
        return None;
    }
    let tools = listed(&mut step.tools.iter().map(|tool| &**tool));
    let message = format!("Step \"{}\" needs tools ({tools}), and the job does not allow tools", step.id);
    Some(Refusal::new(Code::ToolsDenied, message))
}

/// Is a person asked before the step?
pub fn needs_approval(step: &Step, permissions: Permissions) -> bool {
    match step.work {
        Work::Approve => true,
        Work::Agent(_) | Work::Job(_) => step.approval || permissions.require_approval,
        // To wait for something takes nobody's approval, unless the plan says so.
        Work::Wait(_) => step.approval,
    }
}

/// May an agent call a tool? Only where its job allows tools at this moment and its step grants this one.
pub const fn tool_may_be_called(job_allows_tools: bool, granted_to_step: bool) -> bool {
    job_allows_tools && granted_to_step
}
