use crate::{
    core::step::{StepIndex, StepStatus},
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome},
};

impl<H: Host> Orchestrator<H> {
    /// An agent sent an event of its own. One that comes after its step has ended is not recorded.
    ///
    /// # Errors
    /// `not_found`, or what the store fails with.
    pub async fn record_event(&self, key: JobKey, step: StepIndex, event: H::Value) -> Outcome<H> {
        self.change_job_as(key, true, &mut |job| {
            let running = job.run.as_ref().and_then(|run| run.states.get(step));
            if running.is_some_and(|state| state.status == StepStatus::Running) {
                job.emit(step, event.clone());
            }
            Ok(())
        })
        .await
    }

    /// An attempt that was given up answered after all; that is recorded, its answer is not used.
    ///
    /// # Errors
    /// `not_found`, or what the store fails with.
    pub async fn record_late_result(&self, key: JobKey, step: StepIndex) -> Outcome<H> {
        self.change_job(key, &mut |job| {
            job.drop_late_result(step);
            Ok(())
        })
        .await
    }
}
