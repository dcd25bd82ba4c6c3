//! What comes next for a job that is loaded: decided here, done by [`super::drive`].

use crate::{
    core::{
        admission::{waits_for_answer, within_step_limit},
        job::{Job, PauseReason},
        outcome::{Code, Refusal},
        status::Move,
        step::{Hold, StepIndex},
    },
    host::{Host, JobKey, Routed},
    orchestrator::{Orchestrator, Outcome, Stop, attempt::Limit, drive::Driven, try_step::Tried},
};

/// What comes next, once what was decided with it is committed.
pub(super) struct Decision<H: Host> {
    /// The attempts that begin.
    pub(super) begin: Vec<Begin>,
    /// What to do beside them.
    pub(super) then: Next<H>,
}

/// An attempt that begins.
pub(super) struct Begin {
    pub(super) step: StepIndex,
    /// The step in the plan: the same, or the one that this is an item of.
    pub(super) planned: StepIndex,
    pub(super) number: u32,
    pub(super) given_input: bool,
    pub(super) limit: Option<Limit>,
}

/// What to do beside what runs.
pub(super) enum Next<H: Host> {
    /// Wait for what runs, for a change, or until this moment.
    Wait { until: Option<f64> },
    /// Decide again on the context as it will be then.
    DecideAgain,
    /// Ask the router.
    AskRouter,
    /// Nothing: the one step that is run has ended without an attempt.
    Ended(StepIndex),
    /// Nothing: the run is over.
    End(Outcome<H, Driven<H::Value>>),
}

impl<H: Host> Next<H> {
    pub(super) fn refused(refusal: impl Into<Refusal>) -> Self {
        Next::End(Err(Stop::Refused(refusal.into())))
    }
}

/// A step that the budget manager granted its estimate.
#[derive(Clone, Copy)]
pub(super) struct Granted {
    pub(super) hold: Hold,
    pub(super) estimate: f64,
    /// What attempts cost after which it is tried again.
    pub(super) spent: f64,
}

/// What the one who runs a job's steps remembers from one decision to the next.
pub(super) struct Progress<H: Host> {
    /// What the caller gave, for the first step that begins.
    pub(super) input: Option<H::Value>,
    /// The steps whose estimates are held, or were granted.
    pub(super) granted: Vec<Granted>,
    /// The step that slow play is delaying, and since when.
    pub(super) pacing: Option<(StepIndex, f64)>,
    /// The steps that do not begin yet because of it, as far as they were looked at in this decision.
    pub(super) delayed: Vec<StepIndex>,
    /// What the router answered, not yet acted on.
    pub(super) routed: Option<Routed>,
    /// Only one step is run.
    pub(super) single: bool,
    /// Which one, once it has begun and that is committed.
    pub(super) only: Option<StepIndex>,
    /// Which one, as it is being decided.
    pub(super) chosen: Option<StepIndex>,
    /// Why a child job can't go on.
    pub(super) suspended: Option<Stop<H::Value, H::Error>>,
    /// The steps whose child jobs can't: no more than once a run is looked whether they can.
    pub(super) stuck: Vec<StepIndex>,
    /// What an ancestor whose limit is reached says of the next step, where a history is decided again.
    pub(super) reached: Option<String>,
}

impl<H: Host> Progress<H> {
    pub(super) fn new(input: Option<H::Value>, single: bool) -> Self {
        Progress {
            input,
            granted: Vec::new(),
            pacing: None,
            delayed: Vec::new(),
            routed: None,
            single,
            only: None,
            chosen: None,
            suspended: None,
            stuck: Vec::new(),
            reached: None,
        }
    }

    /// What was decided is committed: what it was decided with is used up, by the first step that begins or
    /// by the router's.
    pub(super) fn committed(&mut self, begun: &[Begin]) {
        self.routed = None;
        self.only = self.chosen;
        if !begun.is_empty() {
            self.input = None;
        }
        if self.pacing.is_some_and(|(paced, _)| begun.iter().any(|begun| begun.step == paced)) {
            self.pacing = None;
        }
    }
}

impl<H: Host> Orchestrator<H> {
    /// Decides what comes next and notes it in the job, of which at most `room` more steps may begin while
    /// `running` are under way.
    pub(super) async fn advance(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        progress: &mut Progress<H>,
        running: usize,
        room: usize,
    ) -> Decision<H> {
        let mut begin = Vec::new();
        let mut until = None;
        progress.delayed.clear();
        let then = loop {
            if begin.len() >= room {
                break Next::Wait { until: None };
            }
            if !job.is_running() {
                break Next::refused(job.why_stopped());
            }
            let Some(step) = self.next_ready(job, progress) else {
                if until.is_some() {
                    break Next::Wait {
                        until: first_due(job, progress).into_iter().chain(until).reduce(f64::min),
                    };
                }
                match self.nothing_ready(job, progress, running + begin.len()) {
                    Some(next) => break next,
                    None => continue,
                }
            };
            let given = if begin.is_empty() { progress.input.clone() } else { None };
            match self.try_step(key, job, step, progress, given).await {
                Tried::Begun(begun) => {
                    begin.push(begun);
                    // With one item, its step is the one that is run: the others go on beside it.
                    let whole = job.run_mut().step_of_item(step);
                    if progress.single && progress.chosen.is_none() && whole.is_some() {
                        progress.chosen = whole;
                        break Next::DecideAgain;
                    }
                }
                Tried::Passed => {}
                Tried::Delayed(delayed) => {
                    progress.delayed.push(step);
                    until = until.or(delayed);
                }
                Tried::Ended if progress.single => break Next::Ended(step),
                Tried::Ended => {}
                Tried::Stop(next) => break next,
            }
        };
        Decision { begin, then }
    }

    pub(super) fn next_ready(&self, job: &mut Job<H::Value>, progress: &Progress<H>) -> Option<StepIndex> {
        if !progress.delayed.is_empty() {
            return next_begun(job, progress);
        }
        let Some(step) = progress.chosen else { return first_ready(job) };
        let now = job.now;
        let run = job.run_mut();
        run.places_of(step).find(|&place| run.schedule.is_ready(place, now))
    }

    /// No step is ready: why, and what to wait for; `None` where the router has just named one.
    pub(super) fn nothing_ready(
        &self,
        job: &mut Job<H::Value>,
        progress: &mut Progress<H>,
        running: usize,
    ) -> Option<Next<H>> {
        let run = job.run_mut();
        if run.schedule.all_ended() && run.has_plan() {
            return Some(self.finish(job));
        }
        let until = first_due(job, progress);
        let run = job.run_mut();
        // Who runs one step alone is told at once that it, or its child job, waits for a person.
        let asked = progress.single
            && (progress.suspended.is_some()
                || run.approvals.iter().any(|approval| {
                    progress.chosen.is_none_or(|only| only == run.schedule.rank(approval.step))
                }));
        if running > 0 || until.is_some() {
            return Some(Next::Wait { until });
        }
        // The step of a child job that could not be stored stands as running: nothing else is decided on that.
        if let Some(stop) = progress.suspended.take_if(|stop| matches!(stop, Stop::Failed(_))) {
            return Some(Next::End(Err(stop)));
        }
        let may_be_signalled = job.waits_for_signal();
        let run = job.run_mut();
        if may_be_signalled && !asked {
            return Some(Next::Wait { until });
        }
        if let Some(approval) = run.approvals.first() {
            let step = approval.step;
            // Where only one step was run, others may be ready, or become so.
            let others = first_ready(job).is_some() || job.run_mut().schedule.first_due().is_some();
            if !others && !may_be_signalled {
                job.stop_for(PauseReason::Approval, Some(step), None);
            }
            return Some(Next::refused(Code::ApprovalRequired));
        }
        if let Some(stop) = progress.suspended.take() {
            return Some(Next::End(Err(stop)));
        }
        if run.has_plan() {
            return Some(Next::refused(under_way(job)));
        }
        if let Err(denied) = within_step_limit(job, None) {
            job.stop_for(PauseReason::StepLimit, None, None);
            return Some(Next::refused(denied.refusal));
        }
        match &progress.routed {
            None => Some(Next::AskRouter),
            Some(Routed::NoRouter) => Some(Next::refused(Code::NoPlan)),
            Some(Routed::Done) => Some(self.finish(job)),
            Some(Routed::Step(asked)) => {
                job.add_routed(asked.clone());
                None
            }
        }
    }

    /// The job's last step has ended.
    pub(super) fn finish(&self, job: &mut Job<H::Value>) -> Next<H> {
        let cause = job.latest_cause();
        match job.complete(Move::Complete, job.now, cause) {
            Ok(()) => Next::End(Ok(Driven::Completed)),
            Err(refusal) => Next::refused(refusal),
        }
    }
}

/// The first step in the plan's order that is ready. Those that wait for a person are put off until they are
/// answered, or need nobody any more.
fn first_ready<V>(job: &mut Job<V>) -> Option<StepIndex> {
    let now = job.now;
    while let Some(step) = job.run_mut().schedule.first_ready(now) {
        if !waits_for_answer(job, step) {
            return Some(step);
        }
        job.run_mut().schedule.put_off(step, None);
    }
    None
}

/// Slow play delays what would begin: what has begun goes on beside it. Its timer is over, it got a signal, or all of
/// it has ended.
fn next_begun<H: Host>(job: &mut Job<H::Value>, progress: &Progress<H>) -> Option<StepIndex> {
    if progress.single && progress.chosen.is_none() {
        return None;
    }
    let now = job.now;
    let run = job.run_mut();
    let mut found: Option<(StepIndex, StepIndex)> = None;
    for place in 0..run.states.len() {
        let order = (run.schedule.rank(place), place);
        if run.states[place].started_at.is_some()
            && found.is_none_or(|first| order < first)
            && progress.chosen.is_none_or(|only| only == order.0)
            && !progress.delayed.contains(&place)
            && run.schedule.is_ready(place, now)
        {
            found = Some(order);
        }
    }
    found.map(|(_, place)| place)
}

/// When the next step is due of those that are run.
fn first_due<H: Host>(job: &mut Job<H::Value>, progress: &Progress<H>) -> Option<f64> {
    let run = job.run_mut();
    match progress.chosen {
        Some(step) => run.places_of(step).filter_map(|place| run.schedule.due_at(place)).reduce(f64::min),
        None => run.schedule.first_due(),
    }
}

/// No step is ready and none has ended last: one is under way that this runner did not begin.
fn under_way<V>(job: &mut Job<V>) -> Refusal {
    let run = job.run_mut();
    let name = run.running_step().map_or_else(String::new, |step| run.name_of(step));
    Refusal::new(Code::Conflict, format!("{name} is already running"))
}
