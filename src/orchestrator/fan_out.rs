//! A step that is done for each item of a list: its begin and its end.

use crate::{
    core::{
        job::Job,
        outcome::{Code, Refusal},
        plan::MAX_ITEMS,
        step::StepIndex,
    },
    host::{Host, JobKey},
    orchestrator::{
        Orchestrator,
        advance::{Next, Progress},
        try_step::Tried,
    },
};

impl<H: Host> Orchestrator<H> {
    /// Begins the items of a step that is ready, or ends the step where all of them have ended. Both are decided
    /// on what is committed.
    pub(super) fn fan_out(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        progress: &mut Progress<H>,
    ) -> Tried<H> {
        if !job.change.context.is_empty() {
            return Tried::Stop(Next::DecideAgain);
        }
        let now = job.now;
        let run = job.run_mut();
        if let Some(items) = run.states[step].fan_out {
            let output = self.host.outputs_of(key, items);
            job.finish_step(step, output, None, now);
            return Tried::Ended;
        }
        let Some(list) = &run.step(step).for_each else { return Tried::Passed };
        let (items, count) = match self.host.list(key, list) {
            Ok(found) => found,
            Err(problem) => return self.fail_uncomputable(job, step, "forEach", &problem),
        };
        self.host.evaluated(key, "forEach", count);
        let Some(count) = u32::try_from(count).ok().filter(|count| *count <= MAX_ITEMS) else {
            let name = run.name_of(step);
            let message = format!("{name} has {count} items; at most {MAX_ITEMS} are allowed");
            job.fail_step(step, Refusal::new(Code::AgentFailed, message), now);
            return Tried::Ended;
        };
        job.fan_out(step, items, count, now);
        if progress.single {
            progress.chosen = Some(step);
        }
        // The host knows of the items when they are committed.
        Tried::Stop(Next::DecideAgain)
    }
}
