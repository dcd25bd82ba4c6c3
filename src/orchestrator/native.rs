//! What stands behind [`JobOrchestrator`]. The module for JavaScript needs neither boxes nor the trait.

use std::{
    cell::Cell,
    convert::Infallible,
    rc::{Rc, Weak},
};

use crate::{
    core::{children::ChildStats, permissions::PermissionPatch, step::StepIndex},
    host::{ChildListener, Host, JobKey},
    orchestrator::{
        Answer, CancelResult, Cancellation, JobOrchestrator, MonitorOptions, NewJob, NextStep, Operation,
        Orchestrator, ParentJob, PausePoint, Started,
    },
};

/// An orchestrator over this host, which hears of children from the start.
pub fn create_orchestrator<H: Host + 'static>(host: H) -> impl JobOrchestrator<Host = H> {
    let native = Native { orchestrator: Rc::new(Orchestrator::new(host)), subscribed: Cell::new(false) };
    native.subscribe_to_child_status_changes();
    native
}

struct Native<H: Host> {
    /// Shared with nobody but the host, who only looks whether it is still there.
    orchestrator: Rc<Orchestrator<H>>,
    subscribed: Cell<bool>,
}

impl<H: Host> ChildListener for Orchestrator<H> {
    fn heard_of_child(&self, parent: JobKey) {
        Orchestrator::heard_of_child(self, parent);
    }
}

impl<H: Host + 'static> JobOrchestrator for Native<H> {
    type Host = H;

    fn create_job(&self, key: JobKey, new: NewJob<H::Value>) -> Operation<'_, H> {
        Box::pin(self.orchestrator.create_job(key, new))
    }

    fn start_job(&self, key: JobKey) -> Operation<'_, H> {
        Box::pin(self.orchestrator.start_job(key))
    }

    fn pause_job(&self, key: JobKey) -> Operation<'_, H> {
        Box::pin(self.orchestrator.pause_job(key))
    }

    fn complete_job(&self, key: JobKey) -> Operation<'_, H> {
        Box::pin(self.orchestrator.complete_job(key))
    }

    fn complete_job_as_failed(&self, key: JobKey) -> Operation<'_, H> {
        Box::pin(self.orchestrator.complete_job_as_failed(key))
    }

    fn fail_job(&self, key: JobKey, message: Option<String>) -> Operation<'_, H> {
        Box::pin(self.orchestrator.fail_job(key, message))
    }

    fn cancel_job(
        &self,
        key: JobKey,
        reason: Option<String>,
    ) -> Operation<'_, H, Vec<(JobKey, CancelResult)>> {
        Box::pin(self.orchestrator.cancel_job(key, reason))
    }

    fn set_permissions(&self, key: JobKey, patch: PermissionPatch) -> Operation<'_, H> {
        Box::pin(self.orchestrator.set_permissions(key, patch))
    }

    fn approve_step(&self, key: JobKey, answer: Answer) -> Operation<'_, H> {
        Box::pin(self.orchestrator.approve_step(key, answer))
    }

    fn reject_step(&self, key: JobKey, answer: Answer) -> Operation<'_, H> {
        Box::pin(self.orchestrator.reject_step(key, answer))
    }

    fn signal<'a>(&'a self, key: JobKey, name: &'a str, payload: H::Value) -> Operation<'a, H> {
        Box::pin(self.orchestrator.signal(key, name, payload))
    }

    fn set_breakpoints<'a>(&'a self, key: JobKey, steps: &'a [String]) -> Operation<'a, H> {
        Box::pin(self.orchestrator.set_breakpoints(key, steps))
    }

    fn next_step(&self, key: JobKey, input: Option<H::Value>) -> Operation<'_, H, NextStep<H>> {
        Box::pin(self.orchestrator.next_step(key, input))
    }

    fn run_job(&self, key: JobKey, input: Option<H::Value>) -> Operation<'_, H> {
        Box::pin(self.orchestrator.run_job(key, input))
    }

    fn stop_run(&self, key: JobKey) {
        self.orchestrator.stop_run(key);
    }

    fn lease_lost(&self, key: JobKey) {
        self.orchestrator.lease_lost(key);
    }

    fn look_again(&self, key: JobKey) -> Operation<'_, H> {
        Box::pin(self.orchestrator.look_again(key))
    }

    fn recover(&self) -> Operation<'_, H, Vec<JobKey>> {
        Box::pin(self.orchestrator.recover())
    }

    fn pause_all(&self) -> Operation<'_, H, Vec<(JobKey, PausePoint)>> {
        Box::pin(self.orchestrator.pause_all())
    }

    fn start_all(&self) -> Operation<'_, H, Started<H>> {
        Box::pin(self.orchestrator.start_all())
    }

    fn stop_all(&self, reason: Option<String>) -> Operation<'_, H, Vec<JobKey>> {
        Box::pin(self.orchestrator.stop_all(reason))
    }

    fn set_slow_play(&self, ms: f64) {
        self.orchestrator.set_slow_play(ms);
    }

    fn start_monitoring_with(
        &self,
        job: ParentJob,
        options: MonitorOptions,
        cancellation: Cancellation,
    ) -> Operation<'_, H> {
        Box::pin(self.orchestrator.start_monitoring(job, options, cancellation))
    }

    fn stop_monitoring(&self, key: JobKey) {
        self.orchestrator.stop_monitoring(key);
    }

    fn child_stats(&self, key: JobKey) -> Operation<'_, H, ChildStats> {
        Box::pin(self.orchestrator.child_stats(key))
    }

    fn subscribe_to_child_status_changes(&self) {
        if !self.subscribed.replace(true) {
            let orchestrator = Rc::downgrade(&self.orchestrator);
            self.orchestrator.host().subscribe(orchestrator as Weak<dyn ChildListener>);
        }
    }

    fn heard_of_child(&self, parent: JobKey) {
        self.orchestrator.heard_of_child(parent);
    }

    fn record_event(&self, key: JobKey, step: StepIndex, event: H::Value) -> Operation<'_, H> {
        Box::pin(self.orchestrator.record_event(key, step, event))
    }

    fn record_late_result(&self, key: JobKey, step: StepIndex) -> Operation<'_, H> {
        Box::pin(self.orchestrator.record_late_result(key, step))
    }

    fn new_id(&self, fill: &mut dyn FnMut(&mut [u8])) -> String {
        let filled = |bytes: &mut [u8]| {
            fill(bytes);
            Ok::<(), Infallible>(())
        };
        let Ok(id) = self.orchestrator.new_id(filled);
        id
    }

    fn forget(&self, key: JobKey) {
        self.orchestrator.forget(key);
    }

    fn close(&self) {
        self.orchestrator.close();
    }

    fn is_closed(&self) -> bool {
        self.orchestrator.is_closed()
    }
}
