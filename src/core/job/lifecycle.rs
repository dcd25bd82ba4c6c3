use super::{Failure, Job, Pause, PauseReason};
use crate::core::{
    event::Fact,
    outcome::{Code, Refusal},
    permissions::Permissions,
    plan::Work,
    status::{JobStatus, Move, after},
    step::{Hold, Owed, StepIndex, StepState},
};

impl<V> Job<V> {
    /// The job gets its first event, where its history does not begin yet.
    pub fn begin_history(&mut self) {
        if !self.run_mut().has_beginning {
            self.run_mut().has_beginning = true;
            self.note(None, Fact::JobCreated);
        }
    }

    /// The job becomes running.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn start(&mut self, asked: Move, now: f64, cause: Option<u64>) -> Result<(), Refusal> {
        self.go(asked)?;
        self.head.started.get_or_insert(now);
        self.pass_breakpoint();
        self.clear_pause();
        self.ask_again();
        let seq = self.note(cause, Fact::JobStarted);
        if let Some(run) = &mut self.run {
            run.started_seq = Some(seq);
        }
        Ok(())
    }

    /// What waits for a person is looked at again: it may need nobody any more.
    fn ask_again(&mut self) {
        let Some(run) = &mut self.run else { return };
        for approval in &run.approvals {
            run.schedule.offer(approval.step);
        }
    }

    /// A job that paused before a step goes past it when it is started again.
    fn pass_breakpoint(&mut self) {
        let Some(run) = &mut self.run else { return };
        let Some(Pause { reason: PauseReason::Breakpoint, step: Some(step), .. }) = run.pause else {
            return;
        };
        run.states[step].breakpoint_passed = true;
        self.change.touch(step);
    }

    fn clear_pause(&mut self) {
        if let Some(run) = &mut self.run
            && run.pause.take().is_some()
        {
            self.change.rare.pause = true;
        }
    }

    /// The job becomes running because its caller says so; one whose steps have all ended meanwhile completes.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn start_by_caller(&mut self) -> Result<(), Refusal> {
        let before = self.head.status;
        self.start(Move::Start, self.now, None)?;
        if before == JobStatus::Paused && self.is_finished() {
            self.complete(Move::Complete, self.now, Some(self.head.seq))?;
        }
        Ok(())
    }

    /// The job becomes paused because a person asked.
    ///
    /// # Errors
    /// Only running jobs can be paused.
    pub fn pause(&mut self) -> Result<(), Refusal> {
        self.go(Move::Pause)
            .map_err(|_| Refusal::new(Code::InvalidTransition, "Only running jobs can be paused"))?;
        if let Some(run) = &mut self.run {
            run.pause = Some(Pause { reason: PauseReason::User, step: None, message: None });
            self.change.rare.pause = true;
        }
        self.note(None, Fact::JobPaused(None));
        Ok(())
    }

    /// The engine pauses the job. A job that is not running stays as it is.
    pub fn stop_for(&mut self, reason: PauseReason, step: Option<StepIndex>, message: Option<&str>) {
        if self.go(Move::EnginePause).is_err() {
            return;
        }
        // A step that a router has just named is not stored before it begins: it may be another when the job goes on.
        let has_plan = self.run_mut().has_plan();
        let step = step.filter(|&step| has_plan || self.step_seq(step).is_some());
        self.run_mut().pause = Some(Pause { reason, step, message: message.map(Box::from) });
        self.change.rare.pause = true;
        let cause = step.and_then(|step| self.step_seq(step));
        self.note(cause, Fact::JobPaused(Some(reason)));
    }

    /// Why the job is paused, where it is.
    pub fn pause_reason(&self) -> Option<PauseReason> {
        Some(self.run.as_ref()?.pause.as_ref()?.reason)
    }

    /// The job ends well.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn complete(&mut self, asked: Move, now: f64, cause: Option<u64>) -> Result<(), Refusal> {
        self.go(asked)?;
        self.clear_pause();
        self.head.completed = Some(now);
        self.note(cause, Fact::JobCompleted);
        Ok(())
    }

    /// The job ends well because its caller, or its monitor, says so; steps under way are given up.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn complete_by_caller(&mut self, asked: Move, now: f64) -> Result<(), Refusal> {
        after(self.head.status, asked).ok_or(Code::InvalidTransition)?;
        self.fail_other_attempts(StepIndex::MAX, now);
        self.withdraw_approvals(|_| true);
        self.complete(asked, now, None)
    }

    /// Is the job running?
    pub fn is_running(&self) -> bool {
        self.head.status == JobStatus::Running
    }

    /// Why the job does not go on, for the one who runs it.
    pub fn why_stopped(&self) -> Refusal {
        let run = self.run.as_ref();
        match self.head.status {
            JobStatus::Failed => match run.and_then(|run| run.failure.as_ref()) {
                Some(failure) => Refusal::new(failure.code, failure.message.to_string()),
                None => Refusal::new(Code::NotRunning, "Job failed"),
            },
            JobStatus::Paused => match run.and_then(|run| run.pause.as_ref()) {
                Some(pause) => pause.refusal(),
                None => Refusal::new(Code::NotRunning, "Job paused"),
            },
            JobStatus::Created | JobStatus::Running | JobStatus::Completed => Code::NotRunning.into(),
        }
    }

    /// Have all steps of the job's plan ended?
    pub fn is_finished(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.has_plan() && run.schedule.all_ended())
    }

    /// The job ends badly; `why` is kept where there is something to say.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn fail(&mut self, asked: Move, why: Option<Failure>, now: f64) -> Result<(), Refusal> {
        self.go(asked)?;
        self.head.completed = Some(now);
        self.clear_pause();
        let cause = why.as_ref().and_then(|why| why.step).and_then(|step| self.step_seq(step));
        if why.is_some() {
            self.run_mut().failure = why;
            self.change.rare.failure = true;
        }
        self.withdraw_approvals(|_| true);
        self.note(cause, Fact::JobFailed);
        Ok(())
    }

    /// The job goes on as another one, which nobody has started: what was under way is ready again. What makes it
    /// another one is its first event and the one that says that it was forked, both of its host's.
    pub fn fork(&mut self, permissions: Permissions) {
        (self.head.status, self.head.started) = (JobStatus::Created, None);
        (self.head.permissions, self.head.tree_steps) = (permissions, 0);
        self.change.rare.permissions = true;
        self.head.seq += 1;
        self.clear_pause();
        let cut = self.cut_off();
        cut.into_iter().for_each(|step| self.change.touch(step));
    }

    /// The job's permissions become these.
    pub fn set_permissions(&mut self, permissions: Permissions) {
        self.head.permissions = permissions;
        self.ask_again();
        self.change.rare.permissions = true;
        self.note(None, Fact::PermissionsChanged(permissions));
    }

    /// All jobs go at this pace from now on, but for those that have their own.
    pub fn set_pace(&mut self, ms: f64) {
        let run = self.run_mut();
        if run.slow_play_ms.is_none() && run.pace_ms != ms {
            run.pace_ms = ms;
            self.change.rare.slow_play = true;
            self.note(None, Fact::SlowPlayChanged);
        }
    }

    /// Has a step begun and not ended, be it under way, cut off or to be tried again?
    pub(crate) fn has_begun_steps(&self) -> bool {
        let has_begun = |state: &StepState| state.started_at.is_some() && !state.status.has_ended();
        self.run.as_ref().is_some_and(|run| run.states.iter().any(has_begun))
    }

    /// Does its limit leave room for one more step?
    pub(crate) fn has_room(&self) -> bool {
        self.head.steps_taken.saturating_add(self.head.tree_steps) < self.head.permissions.max_steps
    }

    /// A step of a descendant counts against this job's limit; false where that leaves no room for it.
    pub fn count_in_tree(&mut self) -> bool {
        let counted = self.has_room();
        self.head.tree_steps += u64::from(counted);
        self.change.rare.tree_steps |= counted;
        counted
    }

    /// Something is to be settled with the budget manager when the job has ended, or is so no longer.
    pub fn set_account(&mut self, open: bool) {
        self.change.rare.account |= self.head.account_open != open;
        self.head.account_open = open;
    }

    /// What a step cost could not be said to the budget manager, and is to be said again.
    pub fn owe(&mut self, owed: Owed) {
        self.set_account(true);
        self.head.owes = true;
        self.change.rare.account = true;
        self.change.owed.push(owed);
    }

    /// What was owed when the job was loaded has been said to the budget manager again.
    pub fn settled_owed(&mut self) {
        self.change.rare.account |= self.head.owes;
        self.head.owes = !self.change.owed.is_empty();
    }

    /// What may be held for steps of a job that ends: for those that are given up, with the child jobs that may never have
    /// been made, and for those that could have begun.
    pub fn holds_at_end(&self) -> Vec<Hold> {
        let Some(run) = &self.run else { return Vec::new() };
        let may_hold = |step: &StepIndex| {
            let state = &run.states[*step];
            let given_up = state.error.as_ref().is_some_and(|error| error.code == Code::Cancelled);
            let is_agents = run.step(*step).agent().is_some();
            state.fan_out.is_none()
                && match state.status.has_ended() {
                    true => given_up && (is_agents || matches!(run.step(*step).work, Work::Job(_))),
                    false => is_agents && run.schedule.is_offered(*step),
                }
        };
        (0..run.states.len()).filter(may_hold).map(|step| run.hold_for(step)).collect()
    }

    /// The job may do no more than this from now on.
    pub fn narrow(&mut self, most: Permissions) {
        let both = self.head.permissions.meet(most);
        if both != self.head.permissions {
            self.set_permissions(both);
        }
    }

    /// The job is cancelled: every step under way ends as cancelled, then the job.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn end_by_caller(&mut self, asked: Move, why: Option<Failure>, now: f64) -> Result<(), Refusal> {
        after(self.head.status, asked).ok_or(Code::InvalidTransition)?;
        self.fail_other_attempts(StepIndex::MAX, now);
        self.fail(asked, why, now)
    }
}
