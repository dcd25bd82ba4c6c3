//! Runs the steps of one job, one after the other: the end of one and the begin of the next are one commit.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
};

use crate::{
    core::{
        job::{Job, Steps},
        outcome::{Code, Refusal},
        plan::Plan,
        status::JobStatus,
        step::StepIndex,
    },
    host::{Host, Input, JobKey},
    orchestrator::{
        Orchestrator, Outcome, StepReport, Stop,
        advance::{Next, Progress},
        attempt::Ended,
        live::Live,
        section::{Committed, Conflicts},
        settle::Finished,
    },
};

/// How far to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// One step has ended.
    OneStep,
    /// The job has ended or can't go on without somebody.
    JobStops,
}

/// What a run came to.
#[derive(Clone)]
pub(super) enum Driven<V> {
    /// The job completed.
    Completed,
    /// One step ended well; the job stands here.
    Step(StepReport<V>, JobStatus),
    /// It can't go on.
    Stopped(Refusal),
}

/// What to do after a commit.
enum After<H: Host> {
    Return(Driven<H::Value>),
    Act(Next<H::Value>),
    Stop(Stop<H::Value, H::Error>),
}

/// One run over a job's steps, by whoever has the job's seat.
pub(super) struct Drive<'a, H: Host> {
    pub(super) orchestrator: &'a Orchestrator<H>,
    pub(super) key: JobKey,
    pub(super) progress: Progress<H::Value>,
    pub(super) finished: Option<Finished<H::Value>>,
    live: Rc<Live>,
    until: Until,
    plan: Option<Rc<Plan>>,
    looked: bool,
    given_up: bool,
}

impl<'a, H: Host> Drive<'a, H> {
    pub(super) fn new(
        orchestrator: &'a Orchestrator<H>,
        live: Rc<Live>,
        key: JobKey,
        until: Until,
        input: Option<H::Value>,
    ) -> Self {
        Drive {
            orchestrator,
            key,
            progress: Progress { input, granted: None, paced: None, pacing: None, routed: None },
            finished: None,
            live,
            until,
            plan: None,
            looked: false,
            given_up: false,
        }
    }

    /// Runs until there is nothing to do. What was held for a step that did not begin is free again.
    pub(super) async fn run(mut self) -> Outcome<H, Driven<H::Value>> {
        let driven = self.run_steps().await;
        if let Some(granted) = self.progress.granted {
            self.orchestrator.host.free(self.key, granted.step).await;
        }
        driven
    }

    async fn run_steps(&mut self) -> Outcome<H, Driven<H::Value>> {
        let mut conflicts = Conflicts::default();
        loop {
            match self.decide().await? {
                None => conflicts.again::<H>()?,
                Some((After::Return(driven), _)) => return Ok(driven),
                Some((After::Stop(stop), _)) => return Err(stop),
                Some((After::Act(next), mark)) => {
                    conflicts = Conflicts::default();
                    if let Some(driven) = self.act(next, mark).await? {
                        return Ok(driven);
                    }
                }
            }
        }
    }

    /// Commits what has ended together with what comes next; `None` when somebody else committed first.
    async fn decide(&mut self) -> Outcome<H, Option<(After<H>, u64)>> {
        let section = self.orchestrator.section(self.key).await?;
        let mut job = section.load_whole().await?;
        if !self.looked {
            self.plan = match &job.run_mut().steps {
                Steps::Planned(plan) => Some(Rc::clone(plan)),
                Steps::Routed(_) => None,
            };
            if job.is_running() {
                job.recover_steps();
            }
        }
        let after = self.choose(&mut job).await?;
        let Committed::Yes(mark) = section.commit(job).await? else { return Ok(None) };
        self.looked = true;
        self.progress.committed(matches!(after, After::Act(Next::Call { .. })));
        self.finished = None;
        Ok(Some((after, mark)))
    }

    async fn choose(&mut self, job: &mut Job<H::Value>) -> Outcome<H, After<H>> {
        let ended = self.settle(job).await;
        if let (Until::OneStep, Some(step)) = (self.until, ended) {
            return Ok(After::Return(self.report(job, step)));
        }
        if self.until == Until::JobStops && self.live.stop_asked.get() && job.is_running() {
            job.pause()?;
        }
        if !job.is_running() {
            return Ok(After::Return(self.stopped(job)));
        }
        // What has ended is committed, whatever asking about the next step comes to.
        Ok(match self.orchestrator.advance(self.key, job, &mut self.progress).await {
            Ok(next) => After::Act(next),
            Err(stop) if self.finished.is_none() => return Err(stop),
            Err(stop) => After::Stop(stop),
        })
    }

    /// The job is not running: why, in the words for the one who asked.
    fn stopped(&self, job: &Job<H::Value>) -> Driven<H::Value> {
        match self.until {
            Until::JobStops if job.head.status == JobStatus::Completed => Driven::Completed,
            Until::OneStep if !self.given_up => Driven::Stopped(Code::NotRunning.into()),
            Until::JobStops | Until::OneStep => Driven::Stopped(job.why_stopped()),
        }
    }

    /// One step has ended; if it was the last, the job completes with it.
    fn report(&self, job: &mut Job<H::Value>, step: StepIndex) -> Driven<H::Value> {
        if job.is_finished() && job.is_running() {
            self.orchestrator.finish(job);
        }
        let status = job.head.status;
        let run = job.run_mut();
        let (what, state) = (run.step(step), &run.states[step]);
        if let Some(error) = &state.error {
            return Driven::Stopped(Refusal::clone(error));
        }
        let report = StepReport {
            step,
            id: what.id.clone(),
            agent: what.agent.clone(),
            status: state.status,
            output: self.finished.as_ref().and_then(Finished::output),
            attempts: state.attempts,
            duration_ms: state.finished_at.unwrap_or_default() - state.started_at.unwrap_or_default(),
        };
        Driven::Step(report, status)
    }

    async fn act(&mut self, next: Next<H::Value>, mark: u64) -> Outcome<H, Option<Driven<H::Value>>> {
        match next {
            Next::Call { step, number, given_input } => self.call(step, number, given_input).await,
            Next::Wait { due_at } => self.wait_until(due_at, mark).await,
            Next::Pace { step, ms } => self.pace(step, ms, mark).await,
            Next::AskRouter => {
                let routed = self.orchestrator.host.route(self.key, self.progress.input.as_ref()).await;
                self.progress.routed = Some(routed.map_err(Stop::Failed)?);
            }
            Next::Completed => return Ok(Some(Driven::Completed)),
            Next::Refused(refusal) => return Err(Stop::Refused(refusal)),
            Next::BudgetRefused(answer) => return Err(Stop::BudgetRefused(answer)),
        }
        Ok(None)
    }

    /// Calls the agent of a step that is committed as running.
    async fn call(&mut self, step: StepIndex, number: u32, given_input: bool) {
        let host = &self.orchestrator.host;
        let what = self.plan.as_ref().map(|plan| &plan.steps[step]);
        let input = match what.map(|what| (&what.input, &what.after)) {
            None => Input::FromRouter,
            Some((Some(expression), _)) => Input::Expression(expression),
            Some((None, _)) if given_input => Input::FromCaller,
            Some((None, after)) => Input::OutputOf(after),
        };
        let attempt = host.prepare(self.key, step, number, input);
        let limit = what.and_then(|what| Some((what.timeout_ms?, &*what.id)));
        match self.orchestrator.call_agent(&self.live, &attempt, limit).await {
            Ended::Answered(result) => self.finished = Some(Finished::new(step, result)),
            Ended::GivenUp => self.given_up = true,
        }
    }

    /// Waits until a moment, or until something changes.
    async fn wait_until(&self, due_at: f64, mark: u64) {
        let host = &self.orchestrator.host;
        let ms = due_at - host.now();
        if ms > 0.0 {
            first_of(host.sleep(ms), self.live.changed_since(mark)).await;
        }
    }

    /// Delays a step as slow play says; gives way at once when something changes.
    async fn pace(&mut self, step: StepIndex, ms: f64, mark: u64) {
        let now = self.orchestrator.host.now();
        let since = match self.progress.pacing {
            Some((paced, since)) if paced == step => since,
            _ => now,
        };
        self.progress.pacing = Some((step, since));
        self.wait_until(since + ms, mark).await;
        if self.orchestrator.host.now() >= since + ms {
            self.progress.paced = Some(step);
        }
    }
}

/// Resolves with the first of two.
async fn first_of(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => other.as_mut().poll(context),
    })
    .await;
}
