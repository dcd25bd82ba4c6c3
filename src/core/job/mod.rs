//! A job as decisions see it, and every change that can be made to one.
//!
//! A [`Job`] is loaded, changed by the methods here, and committed; each method changes the job's
//! state and notes the events that say so, so that the two can't part. What can happen to the job
//! itself stands in `lifecycle`, to its steps in `steps`, to questions for people in `approvals`.

mod approvals;
mod lifecycle;
mod steps;
mod waits;

use std::rc::Rc;

use crate::core::{
    change::JobChange,
    event::{Event, Fact, StepFact},
    outcome::{Code, Refusal},
    permissions::Permissions,
    plan::{Plan, Step},
    schedule::Schedule,
    status::{JobStatus, Move, after},
    step::{FanOut, Hold, StepIndex, StepState},
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
    /// How many steps its descendants began that count against its limit too.
    pub tree_steps: u64,
    /// When it was made.
    pub created: f64,
    /// When it was first started.
    pub started: Option<f64>,
    /// When it ended.
    pub completed: Option<f64>,
    /// Is there more to the job than this head: steps, a pause with a reason, a failure?
    pub has_run: bool,
    /// Is it the child of another?
    pub has_parent: bool,
    /// Was it cancelled, when it was loaded?
    pub was_cancelled: bool,
    /// Do its steps count against the limits of ancestors too?
    pub shares_steps: bool,
    /// Is something to be settled with the budget manager when it has ended?
    pub account_open: bool,
    /// Is there something of steps that ended that the budget manager could not be told?
    pub owes: bool,
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
    /// Its parent was paused.
    Parent,
    /// All jobs were paused.
    Global,
}

impl PauseReason {
    /// Every reason, in the order of their codes.
    pub const ALL: [PauseReason; 7] = [
        PauseReason::Approval,
        PauseReason::Budget,
        PauseReason::StepLimit,
        PauseReason::Breakpoint,
        PauseReason::User,
        PauseReason::Parent,
        PauseReason::Global,
    ];

    /// The name used in stored jobs and events.
    pub const fn name(self) -> &'static str {
        match self {
            PauseReason::Approval => "approval",
            PauseReason::Budget => "budget",
            PauseReason::StepLimit => "step_limit",
            PauseReason::Breakpoint => "breakpoint",
            PauseReason::User => "user",
            PauseReason::Parent => "parent",
            PauseReason::Global => "global",
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
            PauseReason::Global => Code::GloballyPaused,
            PauseReason::User | PauseReason::Parent => return Refusal::new(Code::NotRunning, "Job paused"),
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

/// A signal that was sent and not yet waited for. Its payload stays with the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// What it is called.
    pub name: Box<str>,
    /// The number of the event that says it came.
    pub seq: u64,
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
    /// Signals that were sent and not yet waited for, in the order they came.
    pub signals: Vec<Signal>,
    /// Steps before which the job pauses, beside those the plan names.
    pub breakpoints: Vec<StepIndex>,
    /// Why the job is paused.
    pub pause: Option<Pause>,
    /// Why the job failed.
    pub failure: Option<Failure>,
    /// How this job's steps are paced, where it has its own pace.
    pub slow_play_ms: Option<f64>,
    /// The pace of all jobs, as the job's history has it.
    pub pace_ms: f64,
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
            signals: Vec::new(),
            breakpoints: Vec::new(),
            pause: None,
            failure: None,
            slow_play_ms: None,
            pace_ms: 0.0,
            started_seq: None,
            has_beginning: false,
        }
    }

    /// What is held for the attempt at a step that is under way, or comes next.
    pub fn hold_for(&self, step: StepIndex) -> Hold {
        Hold { step, round: self.states[step].round + 1 }
    }

    /// Of a job with a plan that has run nothing.
    pub fn planned(plan: Rc<Plan>) -> Run {
        Run {
            states: plan.steps.iter().map(|_| StepState::default()).collect(),
            schedule: plan.schedule(),
            steps: Steps::Planned(plan),
            ..Run::routed()
        }
    }

    /// The step at this place, or the one that has its item there.
    pub fn step(&self, index: StepIndex) -> &Step {
        match &self.steps {
            Steps::Planned(plan) => &plan.steps[self.schedule.rank(index)],
            Steps::Routed(steps) => &steps[index],
        }
    }

    /// The number of the item at this place, from 0; `None` where a step stands there.
    pub fn item(&self, index: StepIndex) -> Option<u32> {
        let fan_out = self.states[self.schedule.rank(index)].fan_out?;
        u32::try_from(index.checked_sub(fan_out.first)?).ok()
    }

    /// The step that has an item at this place; `None` where it is a step's own.
    pub fn step_of_item(&self, index: StepIndex) -> Option<StepIndex> {
        Some(self.schedule.rank(index)).filter(|&step| step != index)
    }

    /// The places of a step's items, and then its own.
    pub fn places_of(&self, step: StepIndex) -> impl Iterator<Item = StepIndex> + use<> {
        let items = self.states[step].fan_out.map_or(0..0, FanOut::places);
        items.chain([step])
    }

    /// What stands at this place, as the subject of a sentence.
    pub fn name_of(&self, index: StepIndex) -> String {
        let id = &self.step(index).id;
        match self.item(index) {
            Some(item) => format!("Item {item} of step \"{id}\""),
            None => format!("Step \"{id}\""),
        }
    }

    /// Lays out the items of a step.
    pub fn fan_out(&mut self, step: StepIndex, count: u32) {
        let first = self.schedule.fan_out(step, count);
        let fan_out = FanOut { first, count };
        self.states.resize_with(fan_out.places().end, StepState::default);
        self.states[step].fan_out = Some(fan_out);
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

    /// A step or an item of which an attempt is committed as running.
    pub fn running_step(&self) -> Option<StepIndex> {
        self.states.iter().position(StepState::is_attempted)
    }
}

/// A job under decision: its state and the changes made since it was loaded.
#[derive(Clone, Debug)]
pub struct Job<V> {
    /// What every decision needs.
    pub head: JobHead,
    /// When this is decided: the time of everything that one commit changes, and of its events.
    pub now: f64,
    /// The rest; `None` on a job that never needed more than its head.
    pub run: Option<Box<Run>>,
    /// What is not committed yet.
    pub change: JobChange<V>,
}

impl<V> Job<V> {
    /// A job as it was loaded, now.
    pub fn loaded(head: JobHead, run: Option<Box<Run>>, now: f64) -> Job<V> {
        let change = JobChange { expected_revision: head.revision, ..JobChange::default() };
        Job { head, now, run, change }
    }

    /// The rest of the job, made where the job never needed it before.
    pub fn run_mut(&mut self) -> &mut Run {
        self.run.get_or_insert_with(|| Box::new(Run::routed()))
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
        let fact = self.step_fact(step, what);
        let seq = self.note(cause, fact);
        self.run_mut().states[step].seq = Some(seq);
        self.change.touch(step);
    }

    fn step_fact(&mut self, step: StepIndex, what: StepFact<V>) -> Fact<V> {
        let run = self.run_mut();
        let state = &run.states[step];
        let round = run.step(step).repeat.as_ref().map(|_| state.round + u32::from(!state.round_ended));
        Fact::Step { step, attempt: state.attempts, item: run.item(step), round, status: state.status, what }
    }

    fn step_seq(&self, step: StepIndex) -> Option<u64> {
        self.run.as_ref()?.states.get(step)?.seq
    }

    fn go(&mut self, asked: Move) -> Result<(), Refusal> {
        self.head.status = after(self.head.status, asked).ok_or(Code::InvalidTransition)?;
        Ok(())
    }
}
