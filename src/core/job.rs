//! A job as decisions see it, and every change that can be made to one.
//!
//! A [`Job`] is loaded, changed by the methods here, and committed; each method changes the job's
//! state and notes the events that say so, so that the two can't part.

use std::rc::Rc;

use crate::core::{
    change::JobChange,
    event::{Decision, Event, Fact, StepFact},
    outcome::{Code, Refusal},
    permissions::Permissions,
    plan::{Plan, RoutedStep, Step},
    schedule::Schedule,
    status::{JobStatus, Move, after},
    step::{StepIndex, StepState, StepStatus},
};

/// The part of a job that every decision needs. Times are epoch milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobHead {
    /// Where the job stands.
    pub status: JobStatus,
    /// What it may do.
    pub permissions: Permissions,
    /// Rises by one with every commit.
    pub revision: u64,
    /// The number of its latest event.
    pub seq: u64,
    /// How many steps were begun.
    pub steps_taken: u64,
    /// When it was made.
    pub created: f64,
    /// When it was first started.
    pub started: Option<f64>,
    /// When it ended.
    pub completed: Option<f64>,
    /// Is there more to the job than this head: steps, a pause with a reason, a failure?
    pub has_run: bool,
}

/// Why the engine paused a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// A person has to approve.
    Approval,
    /// The budget refused.
    Budget,
    /// `maxSteps` steps have run.
    StepLimit,
    /// The next step has a breakpoint.
    Breakpoint,
    /// A `runJob` was told to stop by its signal.
    User,
}

impl PauseReason {
    /// Every reason, in the order of their codes.
    pub const ALL: [PauseReason; 5] = [
        PauseReason::Approval,
        PauseReason::Budget,
        PauseReason::StepLimit,
        PauseReason::Breakpoint,
        PauseReason::User,
    ];

    /// The name used in stored jobs and events.
    pub const fn name(self) -> &'static str {
        match self {
            PauseReason::Approval => "approval",
            PauseReason::Budget => "budget",
            PauseReason::StepLimit => "step_limit",
            PauseReason::Breakpoint => "breakpoint",
            PauseReason::User => "user",
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<PauseReason> {
        PauseReason::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Why a job is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What stopped it.
    pub reason: PauseReason,
    /// The step it stopped at.
    pub step: Option<StepIndex>,
    /// What the one who stopped it said.
    pub message: Option<Box<str>>,
}

impl Pause {
    fn refusal(&self) -> Refusal {
        let code = match self.reason {
            PauseReason::Approval => Code::ApprovalRequired,
            PauseReason::Budget => Code::BudgetExceeded,
            PauseReason::StepLimit => Code::StepLimit,
            PauseReason::Breakpoint => Code::NotRunning,
            PauseReason::User => return Refusal::new(Code::NotRunning, "Job paused"),
        };
        match &self.message {
            Some(message) => Refusal::new(code, message.to_string()),
            None => code.into(),
        }
    }
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: Box<str>,
    /// The step that failed.
    pub step: Option<StepIndex>,
}

/// A question to a person that waits for an answer. A tool's arguments stay with the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Unique within the job.
    pub id: Box<str>,
    /// The step that waits.
    pub step: StepIndex,
    /// A tool call of the step's agent, as the host numbered it; `None` where the step itself waits.
    pub tool_call: Option<u32>,
}

/// What says which steps there are.
#[derive(Clone, Debug)]
pub enum Steps {
    /// A plan, which never changes.
    Planned(Rc<Plan>),
    /// A router, one at a time.
    Routed(Vec<Step>),
}

/// Everything the engine remembers of a job beyond its head.
#[derive(Clone, Debug)]
pub struct Run {
    /// The steps.
    pub steps: Steps,
    /// What is known of each.
    pub states: Vec<StepState>,
    /// Which come next.
    pub schedule: Schedule,
    /// Questions that wait.
    pub approvals: Vec<Approval>,
    /// Why the job is paused.
    pub pause: Option<Pause>,
    /// Why the job failed.
    pub failure: Option<Failure>,
    /// How this job's steps are paced, where it has its own pace.
    pub slow_play_ms: Option<f64>,
    /// The event that set the job running.
    pub started_seq: Option<u64>,
    /// Is there a `job_created` in its history?
    pub has_beginning: bool,
}

impl Run {
    /// Of a job that has no plan and has run nothing.
    pub fn routed() -> Run {
        Run {
            steps: Steps::Routed(Vec::new()),
            states: Vec::new(),
            schedule: Schedule::default(),
            approvals: Vec::new(),
            pause: None,
            failure: None,
            slow_play_ms: None,
            started_seq: None,
            has_beginning: false,
        }
    }

    /// Of a job with a plan that has run nothing.
    pub fn planned(plan: Rc<Plan>) -> Run {
        Run {
            states: vec![StepState::default(); plan.steps.len()],
            schedule: plan.schedule(),
            steps: Steps::Planned(plan),
            ..Run::routed()
        }
    }

    /// The step at this place.
    pub fn step(&self, index: StepIndex) -> &Step {
        match &self.steps {
            Steps::Planned(plan) => &plan.steps[index],
            Steps::Routed(steps) => &steps[index],
        }
    }

    /// The place of the step with this id.
    pub fn index_of(&self, id: &str) -> Option<StepIndex> {
        match &self.steps {
            Steps::Planned(plan) => plan.index_of(id),
            Steps::Routed(steps) => steps.iter().position(|step| &*step.id == id),
        }
    }

    /// Is there a plan?
    pub fn has_plan(&self) -> bool {
        matches!(self.steps, Steps::Planned(_))
    }

    /// A step that is committed as running.
    pub fn running_step(&self) -> Option<StepIndex> {
        self.states.iter().position(|state| state.status == StepStatus::Running)
    }
}

/// A job under decision: its state and the changes made since it was loaded.
#[derive(Clone, Debug)]
pub struct Job<V> {
    /// What every decision needs.
    pub head: JobHead,
    /// The rest; `None` on a job that never needed more than its head.
    pub run: Option<Run>,
    /// What is not committed yet.
    pub change: JobChange<V>,
}

impl<V> Job<V> {
    /// A job as it was loaded.
    pub fn loaded(head: JobHead, run: Option<Run>) -> Job<V> {
        let change = JobChange { expected_revision: head.revision, ..JobChange::default() };
        Job { head, run, change }
    }

    /// The rest of the job, made where the job never needed it before.
    pub fn run_mut(&mut self) -> &mut Run {
        self.run.get_or_insert_with(Run::routed)
    }

    /// The commit went through: what comes next is decided on the new state. Returns what was committed.
    pub fn committed(&mut self) -> JobChange<V> {
        self.head.revision += 1;
        let next = JobChange { expected_revision: self.head.revision, ..JobChange::default() };
        std::mem::replace(&mut self.change, next)
    }

    fn note(&mut self, cause: Option<u64>, fact: Fact<V>) -> u64 {
        self.head.seq += 1;
        self.change.events.push(Event { cause, fact });
        self.head.seq
    }

    fn note_step(&mut self, step: StepIndex, cause: Option<u64>, what: StepFact<V>) {
        let state = &self.run_mut().states[step];
        let fact = Fact::Step { step, attempt: state.attempts, status: state.status, what };
        let seq = self.note(cause, fact);
        self.run_mut().states[step].seq = Some(seq);
        self.change.touch(step);
    }

    fn step_seq(&self, step: StepIndex) -> Option<u64> {
        self.run.as_ref()?.states.get(step)?.seq
    }

    fn go(&mut self, asked: Move) -> Result<(), Refusal> {
        self.head.status = after(self.head.status, asked).ok_or(Code::InvalidTransition)?;
        Ok(())
    }

    // ------------------------------------------------------------ the job

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
        let seq = self.note(cause, Fact::JobStarted);
        if let Some(run) = &mut self.run {
            run.started_seq = Some(seq);
        }
        Ok(())
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
        self.run_mut().pause = Some(Pause { reason, step, message: message.map(Box::from) });
        self.change.rare.pause = true;
        let cause = step.and_then(|step| self.step_seq(step));
        self.note(cause, Fact::JobPaused(Some(reason)));
    }

    /// The job ends well.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn complete(&mut self, now: f64, cause: Option<u64>) -> Result<(), Refusal> {
        self.go(Move::Complete)?;
        self.head.completed = Some(now);
        self.note(cause, Fact::JobCompleted);
        Ok(())
    }

    /// The job ends well because its caller says so; steps under way are given up.
    ///
    /// # Errors
    /// The transition table has no such move.
    pub fn complete_by_caller(&mut self, now: f64) -> Result<(), Refusal> {
        after(self.head.status, Move::Complete).ok_or(Code::InvalidTransition)?;
        self.fail_other_attempts(StepIndex::MAX, now);
        self.withdraw_approvals(|_| true);
        self.complete(now, None)
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

    /// The job's permissions become these.
    pub fn set_permissions(&mut self, permissions: Permissions) {
        self.head.permissions = permissions;
        self.change.rare.permissions = true;
        self.note(None, Fact::PermissionsChanged(permissions));
    }

    // ------------------------------------------------------------ its steps

    /// A router named the next step.
    pub fn add_routed(&mut self, asked: RoutedStep) -> StepIndex {
        let run = self.run_mut();
        let step = run.schedule.push_ready();
        run.states.push(StepState::default());
        if let Steps::Routed(steps) = &mut run.steps {
            steps.push(Step::routed(step + 1, asked));
        }
        self.change.rare.routed = true;
        self.change.touch(step);
        step
    }

    /// What caused a step to begin: its own latest event, the end of what it came after, or the job's start.
    fn cause_of(&self, step: StepIndex) -> Option<u64> {
        let run = self.run.as_ref()?;
        let before = run.step(step).after.iter().filter_map(|&before| run.states[before].seq).max();
        run.states[step].seq.or(before).or(run.started_seq)
    }

    /// What caused the job to complete: the end of its last step, or its start.
    pub fn latest_cause(&self) -> Option<u64> {
        let run = self.run.as_ref()?;
        run.states.last().and_then(|state| state.seq).or(run.started_seq)
    }

    /// An attempt begins, with the input that the caller gave, if any; returns its number. A step counts against the limit once, however often it is tried.
    pub fn begin_attempt(&mut self, step: StepIndex, given: Option<V>, now: f64) -> u32 {
        self.begin_history();
        let cause = self.cause_of(step);
        let run = self.run_mut();
        run.schedule.begin(step);
        let state = &mut run.states[step];
        let first = state.started_at.is_none();
        state.started_at.get_or_insert(now);
        if !std::mem::take(&mut state.interrupted) {
            state.attempts = state.attempts.saturating_add(1);
        }
        (state.status, state.due_at, state.error) = (StepStatus::Running, None, None);
        state.input_given |= given.is_some();
        let attempt = state.attempts;
        if first {
            self.head.steps_taken += 1;
        }
        self.withdraw_approvals(|approval| approval.step == step);
        self.note_step(step, cause, StepFact::Started { given });
        attempt
    }

    /// The step ends well.
    pub fn finish_step(&mut self, step: StepIndex, output: V, cost: Option<f64>, now: f64)
    where
        V: Clone,
    {
        let cause = self.step_seq(step);
        let run = self.run_mut();
        run.schedule.end(step);
        let state = &mut run.states[step];
        (state.status, state.finished_at) = (StepStatus::Done, Some(now));
        self.change.context.push((step, output.clone()));
        self.note_step(step, cause, StepFact::Completed { output, cost });
    }

    /// The attempt failed and the step is tried again at `due_at`.
    pub fn retry_step(&mut self, step: StepIndex, why: Refusal, due_at: f64) {
        let cause = self.step_seq(step);
        let state = &mut self.run_mut().states[step];
        (state.status, state.due_at) = (StepStatus::Waiting, Some(due_at));
        state.error = Some(Box::new(why.clone()));
        self.run_mut().schedule.offer(step);
        let message = why.message.into();
        self.note_step(step, cause, StepFact::Failed { code: why.code, message, retry_at: Some(due_at) });
    }

    /// The step failed for good, and the job with it.
    pub fn fail_step(&mut self, step: StepIndex, why: Refusal, now: f64) {
        self.end_step_badly(step, &why, now);
        self.fail_other_attempts(step, now);
        let failure = Failure { code: why.code, message: why.message.into(), step: Some(step) };
        // A job that has ended meanwhile stays as it ended.
        let _ = self.fail(Move::StepFailed, Some(failure), now);
    }

    fn end_step_badly(&mut self, step: StepIndex, why: &Refusal, now: f64) {
        let cause = self.step_seq(step);
        let run = self.run_mut();
        run.schedule.end(step);
        let state = &mut run.states[step];
        (state.status, state.finished_at, state.due_at) = (StepStatus::Failed, Some(now), None);
        state.error = Some(Box::new(why.clone()));
        let message = why.message.clone().into();
        self.note_step(step, cause, StepFact::Failed { code: why.code, message, retry_at: None });
    }

    /// Every step that is under way ends as cancelled: the job is ending.
    fn fail_other_attempts(&mut self, except: StepIndex, now: f64) {
        let Some(run) = &self.run else { return };
        let open: Vec<StepIndex> = run
            .states
            .iter()
            .enumerate()
            .filter(|(step, state)| {
                *step != except && !state.status.has_ended() && state.started_at.is_some()
            })
            .map(|(step, _)| step)
            .collect();
        for step in open {
            self.end_step_badly(step, &Refusal::from(Code::Cancelled), now);
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

    /// A person is asked about a step, or about a tool call of its agent.
    pub fn request_approval(&mut self, step: StepIndex, tool_call: Option<u32>) {
        let cause = self.cause_of(step);
        let seq = self.head.seq + 1;
        let run = self.run_mut();
        let id = format!("{}:{seq}", run.step(step).id).into();
        let state = &mut run.states[step];
        state.status = StepStatus::Waiting;
        if tool_call.is_some() {
            // The attempt was cut short: it is made again under the same number.
            state.interrupted = true;
            run.schedule.offer(step);
        }
        run.approvals.push(Approval { id, step, tool_call });
        let approval = run.approvals.len() - 1;
        self.change.rare.approvals = true;
        self.note_step(step, cause, StepFact::ApprovalRequested { approval });
    }

    fn withdraw_approvals(&mut self, which: impl Fn(&Approval) -> bool) {
        let Some(run) = &mut self.run else { return };
        let before = run.approvals.len();
        run.approvals.retain(|approval| !which(approval));
        if run.approvals.len() != before {
            self.change.rare.approvals = true;
        }
    }

    /// A person approved; a job that was paused for it becomes running.
    pub fn approve(&mut self, approval: &Approval, by: Decision, now: f64) {
        let step = approval.step;
        let cause = self.step_seq(step);
        self.withdraw_approvals(|other| other.id == approval.id);
        if approval.tool_call.is_none() {
            let who = by.by.clone().unwrap_or_else(|| "unknown".into());
            self.run_mut().states[step].approved_by = Some(who);
        }
        let run = self.run_mut();
        if !run.approvals.iter().any(|other| other.step == step)
            && run.states[step].status == StepStatus::Waiting
        {
            run.states[step].status = StepStatus::Pending;
        }
        self.note_step(step, cause, StepFact::Approved(by));
        let paused_for_it = self
            .run
            .as_ref()
            .is_some_and(|run| run.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Approval));
        if paused_for_it {
            // Refused only where the job is not paused, and then it needs no starting.
            let _ = self.start(Move::Approve, now, Some(self.head.seq));
        }
    }

    /// A person said no: the step fails, and the job with it.
    pub fn reject(&mut self, approval: &Approval, by: Decision, now: f64) {
        let step = approval.step;
        let cause = self.step_seq(step);
        let message = match (&by.note, &by.by) {
            (Some(note), _) => note.to_string(),
            (None, Some(who)) => format!("Step rejected by {who}"),
            (None, None) => Code::Rejected.sentence().to_owned(),
        };
        self.withdraw_approvals(|other| other.id == approval.id);
        self.note_step(step, cause, StepFact::Rejected(by));
        self.fail_step(step, Refusal::new(Code::Rejected, message), now);
    }

    /// Attempts that a crash cut off become ready again. Returns whether there were any.
    pub fn recover_steps(&mut self) -> bool {
        let Some(run) = &mut self.run else {
            return false;
        };
        let cut: Vec<StepIndex> =
            (0..run.states.len()).filter(|&step| run.states[step].status == StepStatus::Running).collect();
        for &step in &cut {
            let run = self.run_mut();
            run.states[step].status = StepStatus::Pending;
            run.states[step].interrupted = true;
            run.schedule.offer(step);
            let cause = self.step_seq(step);
            self.note_step(step, cause, StepFact::Recovered);
        }
        !cut.is_empty()
    }

    /// An attempt that was given up answered after all.
    pub fn drop_late_result(&mut self, step: StepIndex) {
        let cause = self.step_seq(step);
        let Some(state) = self.run.as_ref().and_then(|run| run.states.get(step)) else {
            return;
        };
        let fact = Fact::Step {
            step,
            attempt: state.attempts,
            status: state.status,
            what: StepFact::LateResultDropped,
        };
        self.note(cause, fact);
    }

    /// An agent sent an event of its own.
    pub fn emit(&mut self, step: StepIndex, event: V) {
        let cause = self.step_seq(step);
        self.note(cause, Fact::Emitted { step, event });
    }
}
