//! One decision of a run: what has ended is noted, what comes next is chosen, and both are one commit.

use std::rc::Rc;

use crate::{
    core::{
        job::{Job, PauseReason, Steps},
        outcome::{Code, Refusal},
        status::JobStatus,
        step::StepIndex,
    },
    host::{Abort, Host},
    orchestrator::{
        Outcome, StepReport, Stop,
        advance::{Decision, Next},
        drive::{Drive, Driven, Until, run_elsewhere},
        section::{Committed, Conflicts},
    },
};

impl<H: Host> Drive<'_, H> {
    /// Commits what has ended together with what comes next, and begins it; `None` when somebody else
    /// committed first.
    pub(super) async fn decide(&mut self) -> Outcome<H, Option<(Next<H>, u64)>> {
        let mut section = self.orchestrator.section(self.key).await?;
        if self.live.lost.get() {
            return Ok(Some((Next::refused(run_elsewhere()), self.live.mark())));
        }
        section.fenced = true;
        // What changes from here on may not be seen by what is decided: a store takes its time.
        let since = self.live.mark();
        let mut job = section.load_whole().await?;
        if !self.looked {
            self.plan = match &job.run_mut().steps {
                Steps::Planned(plan) => Some(Rc::clone(plan)),
                Steps::Routed(_) => None,
            };
            if job.is_running() {
                job.recover_steps();
                job.offer_suspended();
            }
        }
        // A job that was read anew does not know.
        job.put_off_suspended(&self.progress.stuck);
        let Decision { begin, then } = self.choose(&mut job).await?;
        let orphans = job.children_given_up();
        let status = job.head.status;
        // Storing it is a change too, and the only one that is known of here.
        let mark = since + u64::from(!job.change.is_empty());
        if section.commit(job).await? == Committed::Conflict {
            return Ok(None);
        }
        self.looked = true;
        self.orphans.extend(orphans);
        self.conflicts = Conflicts::default();
        self.finished.clear();
        self.progress.committed(&begin);
        // Somebody ended it who can't tell what runs here.
        if status.has_ended() && !self.live.is_shut() {
            self.live.abort_attempts(Abort::Cancelled);
        }
        // What began may have ended with the job, or all was given up while it was stored or announced.
        if status.has_ended() || self.live.given_up_since(since) {
            self.given_up |= !begin.is_empty();
        } else {
            begin.into_iter().for_each(|begun| self.call(begun));
        }
        if status == JobStatus::Paused {
            self.pause_children();
        }
        Ok(Some((then, mark)))
    }

    async fn choose(&mut self, job: &mut Job<H::Value>) -> Outcome<H, Decision<H>> {
        self.progress.chosen = self.progress.only;
        let only = |then| Ok(Decision { begin: Vec::new(), then });
        let ended = self.settle(job).await;
        if let (Until::OneStep, Some(step)) = (self.until, ended) {
            return only(Next::End(Ok(self.report(job, step))));
        }
        if self.until == Until::JobStops && self.live.stop_asked.get() && job.is_running() {
            job.pause()?;
        }
        if job.is_running() && self.orchestrator.host.all_paused(self.key).await.map_err(Stop::Failed)? {
            job.stop_for(PauseReason::Global, None, None);
        }
        if self.end.is_some() {
            return only(Next::Wait { until: None });
        }
        if !job.is_running() {
            self.give_way().await;
            // Attempts under way finish first; the job may be started again meanwhile.
            if self.running() > 0 {
                return only(Next::Wait { until: None });
            }
            return only(match self.progress.suspended.take() {
                Some(stop @ Stop::BudgetRefused(_)) => Next::End(Err(stop)),
                _ => Next::End(Ok(self.stopped(job))),
            });
        }
        job.set_pace(self.orchestrator.slow_play_ms.get());
        let room = self.room();
        let running = self.running();
        let decision = self.orchestrator.advance(self.key, job, &mut self.progress, running, room).await;
        match decision.then {
            // What has ended or begins is committed, whatever asking about another step comes to.
            Next::End(Err(stop @ Stop::Failed(_)))
                if decision.begin.is_empty() && self.finished.is_empty() =>
            {
                Err(stop)
            }
            Next::Ended(step) => only(Next::End(Ok(self.report(job, step)))),
            then => Ok(Decision { then, ..decision }),
        }
    }

    /// What slow play was delaying does not begin: nothing is held for it.
    async fn give_way(&mut self) {
        let Some((step, _)) = self.progress.pacing.take() else { return };
        let granted = &mut self.progress.granted;
        if let Some(place) = granted.iter().position(|granted| granted.hold.step == step) {
            let granted = granted.swap_remove(place);
            self.orchestrator.host.free(self.key, granted.hold).await;
        }
    }

    /// The job is not running: why, in the words for the one who asked.
    pub(super) fn stopped(&self, job: &Job<H::Value>) -> Driven<H::Value> {
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
        let given = job.change.context.iter().find(|(ended, _)| *ended == step);
        let output = given.and_then(|(_, output)| output.clone());
        let run = job.run_mut();
        let (what, state) = (run.step(step), &run.states[step]);
        if let (JobStatus::Failed, Some(error)) = (status, &state.error) {
            return Driven::Stopped(Refusal::clone(error));
        }
        let report = StepReport {
            step,
            id: what.id.clone(),
            agent: what.agent().map(Box::from),
            status: state.status,
            output,
            attempts: state.attempts,
            duration_ms: state.finished_at.unwrap_or_default() - state.started_at.unwrap_or_default(),
        };
        Driven::Step(report, status)
    }
}
