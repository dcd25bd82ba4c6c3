//! Runs the steps of one job: the end of some and the begin of the next are one commit.

mod decide;

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    mem,
    pin::pin,
    rc::Rc,
    task::{Context, Poll},
};

use crate::{
    core::{
        outcome::{Code, Refusal},
        plan::{Plan, Work},
        status::JobStatus,
        step::{Owed, StepIndex},
    },
    host::{Host, Input, JobKey, LeaseState},
    orchestrator::{
        Orchestrator, Outcome, StepReport, Stop,
        advance::{Begin, Next, Progress},
        child_job::Child,
        live::Live,
        section::Conflicts,
        settle::Finished,
        under_way::{Running, UnderWay},
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
    /// One step ended; the job stands here.
    Step(StepReport<V>, JobStatus),
    /// It can't go on.
    Stopped(Refusal),
}

/// One run over a job's steps, by whoever has the job's seat.
pub(super) struct Drive<'a, H: Host> {
    pub(super) orchestrator: &'a Orchestrator<H>,
    pub(super) key: JobKey,
    pub(super) progress: Progress<H>,
    /// Attempts that have ended and are not committed yet, in the plan's order.
    pub(super) finished: Vec<Finished<H>>,
    under_way: Rc<RefCell<UnderWay<'a, H>>>,
    /// Steps whose child jobs nobody waits for any more.
    orphans: Vec<StepIndex>,
    live: Rc<Live>,
    until: Until,
    plan: Option<Rc<Plan>>,
    conflicts: Conflicts,
    /// What the run came to, while attempts are still under way.
    end: Option<Box<Outcome<H, Driven<H::Value>>>>,
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
            progress: Progress::new(input, until == Until::OneStep),
            finished: Vec::new(),
            under_way: Rc::default(),
            orphans: Vec::new(),
            live,
            until,
            plan: None,
            conflicts: Conflicts::default(),
            end: None,
            looked: false,
            given_up: false,
        }
    }

    /// Runs until there is nothing to do, if nobody else runs the job.
    ///
    /// A run waits for its agents' answers most of the time: what it does before and after is boxed, so that it need not
    /// hold room for that meanwhile.
    pub(super) async fn run(&mut self) -> Outcome<H, Driven<H::Value>> {
        let (host, key) = (&self.orchestrator.host, self.key);
        if !host.acquire_lease(key).await.map_err(Stop::Failed)? {
            return Box::pin(self.leave_to_others()).await;
        }
        self.live.lost.set(false);
        let driven = self.run_steps().await;
        let cleared_up = Box::pin(self.clear_up()).await;
        host.release_lease(key).await;
        cleared_up.and(driven)
    }

    async fn leave_to_others(&self) -> Outcome<H, Driven<H::Value>> {
        let job = self.orchestrator.section(self.key).await?.load_whole().await?;
        if job.is_running() { Err(run_elsewhere().into()) } else { Ok(self.stopped(&job)) }
    }

    /// What was held for a step that did not begin is free again, and what the job leaves when it has ended is settled.
    async fn clear_up(&mut self) -> Outcome<H> {
        let (orchestrator, key) = (self.orchestrator, self.key);
        let ended = self.live.to_settle.borrow().is_some();
        let leaves_something = !ended && !self.progress.granted.is_empty();
        let state = if self.live.lost.get() {
            LeaseState::Lost
        } else if leaves_something {
            orchestrator.host.lease_state(key).await
        } else {
            LeaseState::Held
        };
        // What is held, and whose children they are, is for the one who runs the job now, and perhaps somebody does.
        if state != LeaseState::Held {
            self.progress.granted.clear();
        }
        if state == LeaseState::Lost {
            self.orphans.clear();
        }
        for granted in mem::take(&mut self.progress.granted) {
            // Of a step that nobody tries again, what its failed attempts cost is all that it cost.
            let cost = (ended && granted.spent > 0.0).then_some(granted.spent);
            let owed = Owed { hold: granted.hold, cost };
            if !orchestrator.tell_cost(key, owed).await && cost.is_some() {
                orchestrator.owe(key, owed).await;
            }
        }
        // One that is being paused may have its child's turn, which cancelling it needs.
        let under_way = Rc::clone(&self.under_way);
        poll_fn(|context| {
            let mut under_way = under_way.borrow_mut();
            under_way.poll(false, context);
            if under_way.pausing.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let cancelled = orchestrator.cancel_children(key, mem::take(&mut self.orphans)).await;
        let to_settle = self.live.to_settle.take();
        if let Some(holds) = to_settle {
            orchestrator.close_account(key, holds).await;
        }
        cancelled
    }

    async fn run_steps(&mut self) -> Outcome<H, Driven<H::Value>> {
        loop {
            let (until, mark) = Box::pin(self.go_on()).await?;
            if self.running() == 0
                && let Some(end) = self.end.take()
            {
                return *end;
            }
            self.wait(until, mark).await;
        }
    }

    /// Decides until there is something to wait for: a moment, or what changes after a mark.
    async fn go_on(&mut self) -> Outcome<H, (Option<f64>, u64)> {
        loop {
            let (next, mark) = match self.decide_beside_jobs().await {
                Ok(Some(decided)) => decided,
                Ok(None) => match self.refused_commit().await {
                    Ok(()) => continue,
                    Err(stop) => (Next::End(Err(stop)), self.live.mark()),
                },
                Err(stop) => (Next::End(Err(stop)), self.live.mark()),
            };
            match next {
                Next::DecideAgain | Next::Ended(_) => {}
                Next::AskRouter => self.ask_router().await?,
                Next::Wait { until } => return Ok((until, mark)),
                Next::End(end) => {
                    // What it came to first counts: attempts that end later change nothing about it.
                    self.end.get_or_insert_with(|| Box::new(end));
                    return Ok((None, mark));
                }
            }
        }
    }

    /// Decides, while child jobs go on: one may have its parent's turn, or that of an ancestor which is waited for.
    async fn decide_beside_jobs(&mut self) -> Outcome<H, Option<(Next<H>, u64)>> {
        let under_way = Rc::clone(&self.under_way);
        let mut deciding = pin!(self.decide());
        poll_fn(|context| {
            let decided = deciding.as_mut().poll(context);
            if decided.is_pending() {
                under_way.borrow_mut().poll(true, context);
            }
            decided
        })
        .await
    }

    /// Somebody else committed first: to decide again, unless it is somebody else who runs the job now.
    async fn refused_commit(&mut self) -> Outcome<H> {
        match self.orchestrator.host.lease_state(self.key).await {
            LeaseState::Lost => {
                self.live.lose();
                Ok(())
            }
            // A store that can't say refuses the next commit too.
            LeaseState::Held | LeaseState::Unknown => self.conflicts.again::<H>(),
        }
    }

    /// How many attempts are under way.
    fn running(&self) -> usize {
        self.under_way.borrow().count()
    }

    async fn ask_router(&mut self) -> Outcome<H> {
        let routed = self.orchestrator.host.route(self.key, self.progress.input.as_ref()).await;
        self.progress.routed = Some(routed.map_err(Stop::Failed)?);
        Ok(())
    }

    /// How many more attempts may begin.
    fn room(&self) -> usize {
        let fanned_out =
            |plan: &Plan| self.progress.only.is_some_and(|only| plan.steps[only].for_each.is_some());
        let most = match (self.until, &self.plan) {
            (_, None) => 1,
            (Until::OneStep, Some(plan)) if !fanned_out(plan) => 1,
            (_, Some(plan)) => plan.concurrency,
        };
        most.saturating_sub(self.running())
    }

    /// Calls the agent, or runs the child job, of a step that is committed as running.
    fn call(&mut self, begun: Begin) {
        let Begin { step, planned, number, limit, .. } = begun;
        let (orchestrator, attempting) = (self.orchestrator, self.live.begin_attempt());
        if self.until == Until::OneStep {
            self.progress.only = Some(planned);
        }
        let what = self.plan.as_ref().map(|plan| &plan.steps[planned]);
        if let Some(Work::Job(what)) = what.map(|what| &what.work) {
            let child = Rc::new(Child::new(orchestrator, self.key, step, Rc::clone(what)));
            let running = Rc::clone(&child);
            let call = Box::pin(async move { running.run(&attempting, limit.as_ref()).await });
            self.begin(Running { order: (planned, step), call, is_job: true, child: Some(child) });
            return;
        }
        let input = match what.map(|what| (&what.input, &what.after)) {
            None => Input::FromRouter,
            Some((Some(expression), _)) => Input::Expression(expression),
            Some((None, _)) if step != planned => Input::Item,
            Some((None, _)) if begun.given_input => Input::FromCaller,
            Some((None, after)) => Input::OutputOf(after),
        };
        let attempt = orchestrator.host.prepare(self.key, step, number, input);
        let call =
            Box::pin(async move { orchestrator.call_agent(&attempting, &attempt, limit.as_ref()).await });
        self.begin(Running { order: (planned, step), call, is_job: false, child: None });
    }

    fn begin(&self, attempt: Running<'a, H>) {
        self.under_way.borrow_mut().running.push(attempt);
    }

    /// The job was paused: so are the child jobs that its steps run, beside what these are doing.
    fn pause_children(&mut self) {
        let UnderWay { running, pausing, .. } = &mut *self.under_way.borrow_mut();
        for child in running.iter_mut().filter_map(|attempt| attempt.child.take()) {
            pausing.push(Box::pin(async move { child.pause().await }));
        }
    }

    /// Waits until an attempt has ended, until a moment, or, where more could begin, until something changes.
    async fn wait(&mut self, until: Option<f64>, mark: u64) {
        let (host, live) = (&self.orchestrator.host, Rc::clone(&self.live));
        // Child jobs are paused with their parent whether or not more could begin.
        let listens = self.end.is_none() && self.room() > 0
            || self.under_way.borrow().running.iter().any(|attempt| attempt.child.is_some());
        let ms = until.map(|until| until - host.now());
        if ms.is_some_and(|ms| ms <= 0.0) {
            return;
        }
        let mut timer = ms.map(|ms| Box::pin(host.sleep(ms)));
        poll_fn(|context| {
            if self.poll_running(context) || (listens && live.poll_changed(mark, context).is_ready()) {
                return Poll::Ready(());
            }
            match &mut timer {
                Some(timer) => timer.as_mut().poll(context),
                None => Poll::Pending,
            }
        })
        .await;
    }

    /// Takes every attempt that has ended; true where there was one.
    fn poll_running(&mut self, context: &mut Context<'_>) -> bool {
        let mut under_way = self.under_way.borrow_mut();
        under_way.poll(false, context);
        self.given_up |= under_way.given_up;
        for ended in mem::take(&mut under_way.ended) {
            let place = self.finished.partition_point(|other| other.order() < ended.order());
            self.finished.insert(place, ended);
        }
        mem::take(&mut under_way.any_ended)
    }
}

fn run_elsewhere() -> Refusal {
    Refusal::new(Code::Conflict, "Job is being run elsewhere")
}
