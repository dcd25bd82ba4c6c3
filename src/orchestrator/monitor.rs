//! Follows the children of a job and ends it when they have ended. What counts is what the store says; being told of a
//! change only makes it known earlier.

use std::{future::poll_fn, pin::pin, rc::Rc, task::Poll};

use serde_json::Value;

use crate::{
    core::{
        children::{ChildStats, Ending, PROGRESS_EVERY_MS, Patience, Tally, not_a_parent},
        job::{Failure, Job},
        outcome::Code,
        status::{JobStatus, Move},
    },
    host::{Host, JobKey},
    orchestrator::{Cancellation, Orchestrator, Outcome, Stop, live::Live},
};

/// A job to be monitored, and what says that it can be.
#[derive(Clone, Debug)]
pub struct ParentJob {
    /// Its key.
    pub key: JobKey,
    /// Its type, which must be `parent`.
    pub job_type: Option<String>,
    /// Its configuration's `source_type`, which it must have.
    pub source_type: Option<String>,
}

impl ParentJob {
    /// The job with this key, as it is stored.
    pub fn of(key: JobKey, job: &Value) -> ParentJob {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        ParentJob { key, job_type: text(&job["type"]), source_type: text(&job["config"]["source_type"]) }
    }
}

/// How to monitor. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonitorOptions {
    /// How often the store is asked, whether or not anything was heard.
    pub poll_ms: f64,
    /// When the job ends before its children have.
    pub patience: Patience,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        MonitorOptions { poll_ms: 5_000.0, patience: Patience::default() }
    }
}

impl<H: Host> Orchestrator<H> {
    /// Follows a job's children until all have ended, and ends the job; or earlier, where it is cancelled, takes too long,
    /// or has no children. Resolves when the job has ended or the orchestrator is closed: nothing is to be waited for. A
    /// job that is monitored already stays with its first monitor.
    ///
    /// # Errors
    /// `not_found`. A job that can't be monitored fails, with code `invalid_job`.
    pub async fn start_monitoring(
        &self,
        parent: ParentJob,
        options: MonitorOptions,
        cancellation: Cancellation,
    ) -> Outcome<H> {
        let ParentJob { key, job_type, source_type } = parent;
        if let Some(failure) = not_a_parent(job_type.as_deref(), source_type.as_deref()) {
            return self.end_monitored(key, &Ending::Badly(failure)).await;
        }
        let live = self.live(key);
        if live.monitor.borrow().is_some() {
            return Ok(());
        }
        *live.monitor.borrow_mut() = Some(cancellation.clone());
        let monitor = Monitor {
            orchestrator: self,
            key,
            live: Rc::clone(&live),
            options,
            cancellation,
            family: self.host.family_of(key),
            tally: Tally::default(),
            since: self.host.now(),
            next_poll: f64::NEG_INFINITY,
            said: None,
            shown: f64::NEG_INFINITY,
            started: false,
            own_steps: false,
            failing: false,
        };
        let outcome = monitor.run().await;
        *live.monitor.borrow_mut() = None;
        outcome
    }

    /// Ends the monitoring of a job as its cancellation does, if it is monitored.
    pub fn stop_monitoring(&self, key: JobKey) {
        let cancellation = self.live.get(key).and_then(|live| live.monitor.borrow().clone());
        if let Some(cancellation) = cancellation {
            cancellation.cancel();
        }
    }

    /// How many children of a job stand where.
    ///
    /// # Errors
    /// `not_found`; what the store fails with.
    pub async fn child_stats(&self, key: JobKey) -> Outcome<H, ChildStats> {
        self.change_job(key, &mut |_| Ok(())).await?;
        let mut family = self.host.family_of(key);
        self.host.read_children(&mut family, true).await.map_err(Stop::Failed)?;
        let mut tally = Tally::default();
        self.host.child_changes(&mut family).into_iter().for_each(|change| tally.change(change));
        Ok(tally.stats())
    }

    /// Something was heard of a child of this job.
    pub fn heard_of_child(&self, parent: JobKey) {
        if let Some(live) = self.live.get(parent) {
            live.bell.ring();
        }
    }

    /// A child was made, or its status changed.
    pub(super) fn child_changed(&self, child: JobKey, status: JobStatus) {
        if let Some(parent) = self.host.child_changed(child, status) {
            self.heard_of_child(parent);
        }
    }

    async fn end_monitored(&self, key: JobKey, ending: &Ending) -> Outcome<H> {
        self.end_job(key, &mut |job| {
            let now = job.now;
            match ending {
                // Somebody else was quicker.
                _ if job.head.status.has_ended() => {}
                Ending::Well => job.complete_by_caller(Move::ChildrenEnded, now)?,
                Ending::Badly(failure) => {
                    job.end_by_caller(Move::Fail, Some(Failure::clone(failure)), now)?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// One job that is monitored.
struct Monitor<'a, H: Host> {
    orchestrator: &'a Orchestrator<H>,
    key: JobKey,
    live: Rc<Live>,
    options: MonitorOptions,
    cancellation: Cancellation,
    family: H::Family,
    tally: Tally,
    since: f64,
    next_poll: f64,
    /// What was announced last, and when.
    said: Option<ChildStats>,
    shown: f64,
    /// It was set running, or was found so.
    started: bool,
    /// Its own steps are not at their end, and may make more children.
    own_steps: bool,
    /// The store failed, and is left alone until the next poll.
    failing: bool,
}

/// What the job itself allows.
enum Stand {
    /// It has ended.
    Ended,
    /// Its children decide about it.
    Waits,
    /// All jobs are paused and it was never started, or its own steps are not at their end.
    Busy,
}

impl<H: Host> Monitor<'_, H> {
    async fn run(mut self) -> Outcome<H> {
        loop {
            match self.look().await {
                Ok(true) => return Ok(()),
                Ok(false) => self.failing = false,
                Err(Stop::Failed(error)) => self.failed(Some(&error)),
                Err(Stop::Refused(refusal)) if refusal.code == Code::Conflict => self.failed(None),
                Err(_) if self.orchestrator.closed.get() => return Ok(()),
                Err(stop) => return Err(stop),
            }
            self.wait().await;
        }
    }

    fn failed(&mut self, why: Option<&H::Error>) {
        let host = &self.orchestrator.host;
        self.failing = true;
        self.next_poll = host.now() + self.options.poll_ms;
        host.monitor_failed(self.key, why);
    }

    /// Looks at the job and its children; true when the job has ended.
    async fn look(&mut self) -> Outcome<H, bool> {
        let Monitor { orchestrator, key, .. } = *self;
        let host = &orchestrator.host;
        if self.cancellation.is_cancelled() {
            orchestrator.end_monitored(key, &Ending::cancelled()).await?;
            return Ok(true);
        }
        let stand = self.stand().await?;
        if let Stand::Ended = stand {
            // Its own steps ended it, or somebody: how far its children came is said once more.
            if self.read(true).await.is_ok() && self.said != Some(self.tally.stats()) {
                self.announce(host.now());
            }
            return Ok(true);
        }
        let open = match self.is_open(&stand).await {
            // A store that can't say how the children are does not keep their parent for ever.
            Err(_) if host.now() - self.since >= self.options.patience.timeout_ms => true,
            open => open?,
        };
        let now = host.now();
        let stats = self.tally.stats();
        let ending = self.options.patience.end_of(&stats, open, now - self.since);
        let ending = ending.filter(|ending| *ending != Ending::Well || matches!(stand, Stand::Waits));
        if let Some(ending) = ending {
            self.announce(now);
            orchestrator.end_monitored(key, &ending).await?;
            return Ok(true);
        }
        if self.said != Some(stats) && now >= self.shown + PROGRESS_EVERY_MS {
            self.announce(now);
        }
        Ok(false)
    }

    /// Sets the job running, once, and says where it stands.
    async fn stand(&mut self) -> Outcome<H, Stand> {
        let Monitor { orchestrator, key, .. } = *self;
        let may_start = !self.started && !orchestrator.host.all_paused(key).await.map_err(Stop::Failed)?;
        let (mut stand, mut own_steps, mut starts) = (Stand::Waits, false, false);
        let look = &mut |job: &mut Job<H::Value>| {
            let status = job.head.status;
            starts = may_start && matches!(status, JobStatus::Created | JobStatus::Paused);
            if starts {
                job.start(Move::Start, job.now, None)?;
            }
            own_steps = job.run.as_ref().is_some_and(|run| run.has_plan()) && !job.is_finished();
            stand = match job.head.status {
                status if status.has_ended() => Stand::Ended,
                JobStatus::Created => Stand::Busy,
                _ if own_steps => Stand::Busy,
                _ => Stand::Waits,
            };
            Ok(())
        };
        orchestrator.change_job(key, look).await?;
        if starts {
            orchestrator.pause_with_all(key).await;
        }
        self.started |= may_start;
        self.own_steps = own_steps;
        Ok(stand)
    }

    /// Reads what is to be read of the children; may there be something below the job that has not ended, although they
    /// have?
    async fn is_open(&mut self, stand: &Stand) -> Outcome<H, bool> {
        let Monitor { orchestrator, key, .. } = *self;
        let host = &orchestrator.host;
        let all = host.now() >= self.next_poll;
        self.read(all).await?;
        if !all && self.tally.stats().all_ended() {
            // There may be others, that nobody said anything of.
            self.read(true).await?;
        }
        if !self.tally.stats().all_ended() || matches!(stand, Stand::Busy) {
            return Ok(true);
        }
        host.has_open_descendants(key).await.map_err(Stop::Failed)
    }

    async fn read(&mut self, all: bool) -> Outcome<H> {
        let host = &self.orchestrator.host;
        host.read_children(&mut self.family, all).await.map_err(Stop::Failed)?;
        if all {
            self.next_poll = host.now() + self.options.poll_ms;
        }
        self.count();
        Ok(())
    }

    fn count(&mut self) {
        for change in self.orchestrator.host.child_changes(&mut self.family) {
            self.tally.change(change);
        }
    }

    fn announce(&mut self, now: f64) {
        let stats = self.tally.stats();
        let progress = self.tally.progress(self.own_steps);
        (self.said, self.shown) = (Some(stats), now);
        self.orchestrator.host.announce_progress(self.key, &stats, &progress);
    }

    /// Waits until there is something to look at.
    async fn wait(&mut self) {
        let host = &self.orchestrator.host;
        let now = host.now();
        let until = self.next_look(now);
        let mut timer = pin!(host.sleep(until - now));
        poll_fn(|context| {
            while self.live.bell.poll(context).is_ready() {
                if self.orchestrator.closed.get() {
                    return Poll::Ready(());
                }
                self.count();
                if !self.failing && (self.live.ended.get() || self.is_urgent(until)) {
                    return Poll::Ready(());
                }
            }
            if !self.failing && self.cancellation.poll_cancelled(context).is_ready() {
                return Poll::Ready(());
            }
            timer.as_mut().poll(context)
        })
        .await;
    }

    /// The next moment at which there is something to do whatever is heard.
    fn next_look(&self, now: f64) -> f64 {
        if self.failing {
            return self.next_poll;
        }
        let Patience { timeout_ms, no_children_ms, .. } = self.options.patience;
        let stats = self.tally.stats();
        let news = if self.said == Some(stats) { f64::INFINITY } else { self.shown + PROGRESS_EVERY_MS };
        let no_children = if stats.total() == 0 { self.since + no_children_ms } else { f64::INFINITY };
        let moments = [news, no_children, self.since + timeout_ms];
        // What is past was looked at.
        moments.into_iter().filter(|&moment| moment > now).fold(self.next_poll, f64::min)
    }

    /// Is what was heard to be looked at before that moment? Where it is counted already and only to be announced, it
    /// waits for its time.
    fn is_urgent(&self, until: f64) -> bool {
        let stats = self.tally.stats();
        let is_news = self.said != Some(stats);
        self.orchestrator.host.has_unread(&self.family)
            || stats.all_ended()
            || (is_news && until > self.shown + PROGRESS_EVERY_MS)
    }
}
