//! The one place where jobs are loaded and changed.

use std::cell::Cell;

use crate::{
    core::{
        job::{Job, JobHead, Run},
        outcome::Code,
        step::{StepIndex, StepStatus},
    },
    host::{Abort, CommitError, Host, JobKey},
    orchestrator::{Orchestrator, Outcome, Stop, turns::Turn},
};

/// How often an operation decides again because somebody else committed first.
const MOST_CONFLICTS: u32 = 20;

/// The time in which one operation has a job to itself: from its load to its commit.
pub(super) struct Section<'a, H: Host> {
    orchestrator: &'a Orchestrator<H>,
    key: JobKey,
    turn: Turn<'a>,
    /// All of the job was loaded: it may be kept for the next section.
    whole: Cell<bool>,
    /// Attempts at steps of a job that ends are not told, but by the one who ends it.
    pub(super) tells_later: bool,
    /// What is committed counts only as long as this orchestrator may run the job.
    pub(super) fenced: bool,
}

/// What a commit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Committed {
    /// It is stored, where there was anything to store.
    Yes,
    /// Somebody else committed first; load again and decide again.
    Conflict,
}

/// Counts how often an operation had to decide again.
#[derive(Default)]
pub(super) struct Conflicts(u32);

impl Conflicts {
    /// One more.
    ///
    /// # Errors
    /// `conflict`, when it happened too often.
    pub(super) fn again<H: Host>(&mut self) -> Outcome<H> {
        self.0 += 1;
        if self.0 < MOST_CONFLICTS { Ok(()) } else { Err(Code::Conflict.into()) }
    }
}

impl<'a, H: Host> Section<'a, H> {
    pub(super) fn new(orchestrator: &'a Orchestrator<H>, key: JobKey, turn: Turn<'a>) -> Self {
        Section { orchestrator, key, turn, whole: Cell::new(false), tells_later: false, fenced: false }
    }

    /// The job's head, to be looked at: what is kept of its run state stays where it is.
    pub(super) async fn load_head(&self) -> Outcome<H, JobHead> {
        let head = self.orchestrator.host.load(self.key, false).await.map_err(Stop::Failed)?;
        head.ok_or_else(|| Code::NotFound.into())
    }

    /// The job, with as much of its run state as it has. In a box: an operation that waits would have room for it several
    /// times over, once for each function that it is handed through.
    pub(super) async fn load(&self) -> Outcome<H, Box<Job<H::Value>>> {
        self.load_job(false).await
    }

    /// The job with its run state, made where there was none.
    pub(super) async fn load_whole(&self) -> Outcome<H, Box<Job<H::Value>>> {
        self.load_job(true).await
    }

    async fn load_job(&self, whole: bool) -> Outcome<H, Box<Job<H::Value>>> {
        let host = &self.orchestrator.host;
        let head = host.load(self.key, whole).await.map_err(Stop::Failed)?.ok_or(Code::NotFound)?;
        let now = host.now();
        if !head.has_run && !whole {
            return Ok(Box::new(Job::loaded(head, None, now)));
        }
        self.whole.set(true);
        let kept = self.orchestrator.live.get(self.key).and_then(|live| live.take_cached(&head));
        let run = match kept {
            Some(run) => run,
            None => Box::new(host.read_run(self.key).map_err(Stop::Failed)?),
        };
        Ok(Box::new(Job::loaded(head, Some(run), now)))
    }

    /// Stores what was changed, lets the next operation on this job go on, and then announces.
    /// On a failure nothing has changed and nothing is announced.
    pub(super) async fn commit(self, mut job: Box<Job<H::Value>>) -> Outcome<H, Committed> {
        let Section { orchestrator, key, turn, whole, tells_later, fenced } = self;
        let host = &orchestrator.host;
        if job.change.is_empty() {
            orchestrator.keep(key, &mut job, whole.get());
            return Ok(Committed::Yes);
        }
        let to_settle = orchestrator.open_account(key, &mut job);
        job.change.fenced = fenced;
        match host.commit(key, &job).await {
            Ok(()) => {}
            Err(CommitError::Conflict) => return Ok(Committed::Conflict),
            Err(CommitError::Failed(error)) => return Err(Stop::Failed(error)),
        }
        job.head.revision += 1;
        let head = job.head;
        if let Some(run) = &job.run {
            orchestrator.time_steps(key, run, &job.change.steps);
        }
        orchestrator.keep(key, &mut job, whole.get());
        drop(turn);
        let change = &job.change;
        if let Some(live) = orchestrator.live.get(key) {
            match change.ends_job() {
                true if tells_later => live.shut(),
                true => live.abort_attempts(Abort::Cancelled),
                false => {}
            }
            if change.ends_job() {
                live.ended.set(true);
                live.bell.ring();
            }
            live.notify();
        }
        host.emit(key, &change.events);
        if head.has_parent && change.moves_job() {
            orchestrator.child_changed(key, head.status);
        }
        if let (true, Some(completed)) = (change.ends_job(), head.completed) {
            host.job_ended(key, completed - head.started.unwrap_or(head.created), head.status);
        }
        if let Some(holds) = to_settle {
            match orchestrator.live.get(key).filter(|live| live.is_driven()) {
                Some(live) => *live.to_settle.borrow_mut() = Some(holds),
                None => orchestrator.close_account(key, holds).await,
            }
        }
        Ok(Committed::Yes)
    }
}

impl<H: Host> Orchestrator<H> {
    /// Loads a job, changes it and commits, again where somebody else committed first.
    pub(super) async fn change_job(
        &self,
        key: JobKey,
        // Not generic: one copy of this code serves every operation.
        decide: &mut dyn FnMut(&mut Job<H::Value>) -> Outcome<H>,
    ) -> Outcome<H> {
        self.change_job_as(key, false, decide).await
    }

    /// The same; `fenced` where only whoever may run the job may change it so.
    pub(super) async fn change_job_as(
        &self,
        key: JobKey,
        fenced: bool,
        decide: &mut dyn FnMut(&mut Job<H::Value>) -> Outcome<H>,
    ) -> Outcome<H> {
        let mut conflicts = Conflicts::default();
        loop {
            let mut section = self.section(key).await?;
            section.fenced = fenced;
            let mut job = section.load().await?;
            decide(&mut job)?;
            if section.commit(job).await? == Committed::Yes {
                return Ok(());
            }
            conflicts.again::<H>()?;
        }
    }

    /// Keeps what is known of a job that is being worked on, so that it is not read again.
    pub(super) fn keep(&self, key: JobKey, job: &mut Job<H::Value>, whole: bool) {
        if let (Some(live), Some(run), true) = (self.live.get(key), job.run.take(), whole) {
            live.keep(&job.head, run);
        }
    }

    /// Tells the monitor of the steps that ended in a commit.
    fn time_steps(&self, key: JobKey, run: &Run, changed: &[StepIndex]) {
        for &step in changed {
            let state = &run.states[step];
            let ended = matches!(state.status, StepStatus::Done | StepStatus::Failed);
            if let (true, Some(from), Some(to)) = (ended, state.started_at, state.finished_at) {
                self.host.step_ended(key, step, to - from, state.status);
            }
        }
    }
}
