//! A step that is a job of its own: made, started and run like any other, by the one who runs its parent.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
};

use crate::{
    core::{
        job::{Job, PauseReason},
        outcome::{Code, Refusal},
        plan::ChildJob,
        status::JobStatus,
        step::StepIndex,
    },
    host::{Abort, AgentResult, Host, JobKey},
    orchestrator::{
        NewJob, Orchestrator, Outcome, Stop,
        attempt::{Ended, Limit, timed_out, until_given_up},
        live::Attempting,
    },
};

/// How often it is tried to run a child that is being run elsewhere.
const ELSEWHERE_MS: f64 = 250.0;

/// A child that somebody waits for.
pub(super) struct Child<'a, H: Host> {
    orchestrator: &'a Orchestrator<H>,
    parent: JobKey,
    key: JobKey,
    what: Rc<ChildJob>,
    /// What it is made of, where it isn't made yet.
    origin: Result<H::Value, String>,
    /// Its parent no longer wants it.
    given_up: Cell<bool>,
    /// Its parent was paused.
    paused: Cell<bool>,
}

impl<H: Host> Drop for Child<'_, H> {
    fn drop(&mut self) {
        self.orchestrator.host.leave_child(self.key);
    }
}

/// Where a child stands.
enum Stand<H: Host> {
    ToStart,
    Running,
    PausedWithParent,
    Stopped(Refusal),
    Ended(AgentResult<H::Value>),
}

impl<'a, H: Host> Child<'a, H> {
    /// The child of a step that is committed as running, on its parent's context as it is now.
    pub(super) fn new(
        orchestrator: &'a Orchestrator<H>,
        parent: JobKey,
        step: StepIndex,
        what: Rc<ChildJob>,
    ) -> Self {
        let host = &orchestrator.host;
        let key = host.child_of(parent, step);
        let origin = host.child_origin(parent, step, key, &what);
        Child {
            orchestrator,
            parent,
            key,
            what,
            origin,
            given_up: Cell::new(false),
            paused: Cell::new(false),
        }
    }

    /// Runs the child until it has ended or can't go on, its time is up, or its parent ends: then it is
    /// cancelled with all its own children. When the orchestrator is closed, it is left as it is.
    pub(super) async fn run(&self, attempting: &Attempting, limit: Option<&Limit>) -> Ended<H> {
        if attempting.is_shut() {
            return Ended::GivenUp;
        }
        let mut going = pin!(self.make_and_run());
        match until_given_up(&self.orchestrator.host, attempting, limit, going.as_mut()).await {
            // It ended because its parent did: then that is no answer.
            Ok(_) if attempting.is_shut() => Ended::GivenUp,
            Ok(ended) => ended,
            Err(why @ (Abort::Closed | Abort::Lost)) => {
                // Whoever runs its parent now runs it too.
                if why == Abort::Lost {
                    self.given_up.set(true);
                    self.orchestrator.lease_lost(self.key);
                }
                going.await;
                Ended::GivenUp
            }
            Err(why) => {
                self.cancel(going).await;
                if why == Abort::Timeout { Ended::Answered(timed_out(limit)) } else { Ended::GivenUp }
            }
        }
    }

    /// Its parent was paused: it is paused too, until its step goes on.
    pub(super) async fn pause(&self) {
        self.paused.set(true);
        let pause = &mut |job: &mut Job<H::Value>| {
            job.stop_for(PauseReason::Parent, None, None);
            Ok(())
        };
        // One that isn't made yet is not started; one that can't be stored goes on.
        let _ = self.orchestrator.change_job(self.key, pause).await;
    }

    /// Cancels the child while what runs it goes on being polled, so that its agents hear of it; and once more
    /// when nothing runs it, for it may have been made meanwhile.
    async fn cancel(&self, mut going: Pin<&mut impl Future<Output = Ended<H>>>) {
        self.given_up.set(true);
        let mut ended = false;
        for _ in 0..2 {
            let mut cancelling = pin!(self.orchestrator.cancel_job(self.key, None));
            let mut cancelled = false;
            poll_fn(|context| {
                ended = ended || going.as_mut().poll(context).is_ready();
                // One that has ended already, or was never made, needs no cancelling.
                cancelled = cancelled || cancelling.as_mut().poll(context).is_ready();
                if ended && cancelled { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    async fn make_and_run(&self) -> Ended<H> {
        let gone = match self.make().await {
            Ok(None) => self.go().await,
            Ok(Some(result)) => return Ended::Answered(result),
            Err(stop) => Err(stop),
        };
        gone.unwrap_or_else(|stop| match stop {
            Stop::Failed(error) => match self.orchestrator.host.budget_refusal(&error) {
                Some(answer) => Ended::Suspended(Stop::BudgetRefused(answer)),
                None => Ended::Suspended(Stop::Failed(error)),
            },
            stop => Ended::Suspended(stop),
        })
    }

    /// Makes the child, unless that was done before; gives how its step went where it can't be made.
    async fn make(&self) -> Outcome<H, Option<AgentResult<H::Value>>> {
        let origin = match &self.origin {
            Ok(origin) => origin.clone(),
            Err(problem) => return Ok(Some(failed(Code::AgentFailed, problem.clone()))),
        };
        let new = NewJob {
            origin: Some(origin),
            permissions: self.what.permissions,
            plan: Some(Rc::clone(&self.what.plan)),
            slow_play_ms: None,
            parent: Some(self.parent),
            id_was_given: true,
        };
        // What is known of it stays known from its creation to its end.
        self.orchestrator.live(self.key);
        match self.orchestrator.create_job(self.key, new).await {
            Err(Stop::Refused(refusal)) if refusal.code == Code::Conflict => Ok(None),
            made => made.map(|()| None),
        }
    }

    async fn go(&self) -> Outcome<H, Ended<H>> {
        let mut started = false;
        loop {
            let stand = self.look().await?;
            if self.given_up.get() {
                return Ok(Ended::GivenUp);
            }
            match stand {
                Stand::Ended(result) => return Ok(Ended::Answered(result)),
                Stand::Stopped(refusal) => return Err(self.named(refusal).into()),
                Stand::ToStart | Stand::PausedWithParent if self.paused.get() => {
                    return Ok(Ended::PausedWithParent);
                }
                Stand::ToStart | Stand::PausedWithParent => {
                    match self.orchestrator.start_job(self.key).await {
                        // Somebody else was quicker, or its parent has ended.
                        Err(Stop::Refused(refusal))
                            if refusal.code == Code::InvalidTransition && !started => {}
                        went => went?,
                    }
                    started = true;
                }
                Stand::Running => match self.orchestrator.run_job(self.key, None).await {
                    Ok(()) => {}
                    Err(stop @ Stop::Failed(_)) => return Err(stop),
                    // It may have ended since it was said to stop.
                    Err(stop) => match (self.look().await?, stop) {
                        (Stand::Ended(result), _) => return Ok(Ended::Answered(result)),
                        (Stand::PausedWithParent, _) => return Ok(Ended::PausedWithParent),
                        // Whoever ran it before may have died, or gives it back.
                        (_, Stop::Refused(refusal))
                            if refusal.code == Code::Conflict && !self.given_up.get() =>
                        {
                            self.orchestrator.host.sleep(ELSEWHERE_MS).await;
                        }
                        (_, Stop::Refused(refusal)) => return Err(self.named(refusal).into()),
                        (_, stop) => return Err(stop),
                    },
                },
            }
        }
    }

    async fn look(&self) -> Outcome<H, Stand<H>> {
        let host = &self.orchestrator.host;
        let section = self.orchestrator.section(self.key).await?;
        let mut job = section.load_whole().await?;
        if !host.is_child_of(self.key, self.parent) {
            let message = format!("A job \"{}\" exists, and is not this step's", host.id_of(self.key));
            return Ok(Stand::Ended(failed(Code::Conflict, message)));
        }
        let pause = job.run.as_ref().and_then(|run| run.pause.as_ref());
        let stand = match job.head.status {
            JobStatus::Created => Stand::ToStart,
            JobStatus::Running => Stand::Running,
            JobStatus::Paused if pause.is_some_and(|pause| pause.reason == PauseReason::Parent) => {
                Stand::PausedWithParent
            }
            JobStatus::Paused => Stand::Stopped(job.why_stopped()),
            JobStatus::Completed => Stand::Ended(match host.context_of(self.key) {
                Ok(output) => AgentResult::Done { output, cost: None },
                Err(problem) => failed(Code::InvalidOutput, problem),
            }),
            JobStatus::Failed => {
                let Refusal { code, message } = job.why_stopped();
                let id = host.id_of(self.key);
                Stand::Ended(failed(code, format!("Child job \"{id}\" failed: {message}")))
            }
        };
        // Whoever runs it next need not read it again.
        self.orchestrator.keep(self.key, &mut job, true);
        Ok(stand)
    }

    fn named(&self, Refusal { code, message }: Refusal) -> Refusal {
        let id = self.orchestrator.host.id_of(self.key);
        Refusal::new(code, format!("Child job \"{id}\": {message}"))
    }
}

impl<H: Host> Orchestrator<H> {
    /// Changes a job so that it ends, and cancels the children that its steps were waiting for.
    pub(super) async fn end_job(
        &self,
        key: JobKey,
        decide: &mut dyn FnMut(&mut Job<H::Value>) -> Outcome<H>,
    ) -> Outcome<H> {
        let mut given_up = Vec::new();
        self.change_job(key, &mut |job| {
            decide(job)?;
            given_up = job.children_given_up();
            Ok(())
        })
        .await?;
        self.cancel_children(key, given_up).await
    }

    /// Cancels the children of these steps of a job that has ended, all that can be.
    pub(super) async fn cancel_children(&self, parent: JobKey, steps: Vec<StepIndex>) -> Outcome<H> {
        let mut end = Ok(());
        for step in steps {
            let child = self.host.child_of(parent, step);
            // A tree may be of any depth.
            let cancelling: Pin<Box<dyn Future<Output = _>>> = Box::pin(self.cancel_job(child, None));
            let cancelled = cancelling.await;
            self.host.leave_child(child);
            if let (Ok(()), Err(Stop::Failed(error))) = (&end, cancelled) {
                end = Err(Stop::Failed(error));
            }
        }
        end
    }
}

fn failed<V>(code: Code, message: String) -> AgentResult<V> {
    AgentResult::Failed { why: Refusal::new(code, message), retryable: false, retry_after: None, cost: None }
}
