//! What has been decided, and what can be read from it. A job is where its decisions have brought it:
//! nothing else is remembered of it.

use serde_json::{Map, Value};

use crate::{
    case::Permissions,
    plan::{Kind, Plan},
};

/// One decision, as it stands in history.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    JobCreated,
    JobStarted,
    JobPaused(Option<Reason>, Option<usize>),
    JobCompleted,
    JobFailed(Option<(&'static str, Option<usize>)>),
    PermissionsChanged(Permissions),
    BreakpointsChanged(Vec<usize>),
    SignalReceived(String, Value),
    Step(Spot, What),
}

/// A step, or an item of one. In the order of the plan, items by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    pub step: usize,
    pub item: Option<usize>,
}

impl From<usize> for Spot {
    fn from(step: usize) -> Spot {
        Spot { step, item: None }
    }
}

/// What is decided about a step or an item.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Started {
        given: Option<Value>,
    },
    FannedOut {
        items: Vec<Value>,
    },
    /// Its child job can't go on without somebody.
    Suspended {
        code: &'static str,
    },
    Waits {
        due_at: Option<f64>,
    },
    Completed {
        output: Value,
        cost: Option<f64>,
    },
    RoundCompleted {
        output: Value,
        cost: Option<f64>,
    },
    Skipped,
    Failed {
        code: &'static str,
        retry_at: Option<f64>,
        asked: Asked,
    },
    Asked {
        tool: Option<String>,
    },
    Approved {
        id: String,
        by: Option<&'static str>,
    },
    Rejected {
        id: String,
    },
    /// Because its job ends.
    Cancelled,
    Recovered,
    Late,
}

/// What a failed attempt asked for, where that made a difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Asked {
    Nothing,
    NoRetry,
    Later(f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    Approval,
    Budget,
    StepLimit,
    Breakpoint,
    User,
    Parent,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Status {
    #[default]
    Created,
    Running,
    Paused,
    Completed,
    Failed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum StepStatus {
    #[default]
    Pending,
    Waiting,
    Running,
    Done,
    Failed,
    Skipped,
}

/// Where a job stands.
pub struct State {
    pub status: Status,
    pub permissions: Permissions,
    pub steps: Vec<StepState>,
    pub steps_taken: u64,
    pub context: Map<String, Value>,
    pub approvals: Vec<Approval>,
    pub signals: Vec<(String, Value)>,
    pub breakpoints: Vec<usize>,
    pub pause: Option<(Reason, Option<usize>)>,
    pub failure: Option<(&'static str, Option<usize>)>,
    /// The steps that are done for each item of a list, in the order in which they began.
    pub fanned_out: Vec<usize>,
    /// How many entries its history has.
    pub events: usize,
}

#[derive(Clone, Debug, Default)]
pub struct StepState {
    pub status: StepStatus,
    /// It began: an attempt was made, or it waits for time or a signal.
    pub begun: bool,
    pub attempts: u64,
    /// The latest attempt was cut off, and is to be made again under its number.
    pub cut_off: bool,
    pub rounds_ended: u64,
    /// A round has ended, and the next has not begun.
    pub between_rounds: bool,
    pub approved: Option<String>,
    pub granted: Vec<String>,
    pub breakpoint_passed: bool,
    pub due_at: Option<f64>,
    pub error: Option<&'static str>,
    /// The list that it is done for, and where its items stand.
    pub items: Option<Vec<(Value, StepState)>>,
    /// What its end, or that of its latest round, recorded.
    pub output: Value,
    pub given: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    pub id: String,
    pub spot: Spot,
    pub tool: Option<String>,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Completed => "completed",
            Status::Failed => "failed",
        }
    }

    pub fn has_ended(self) -> bool {
        matches!(self, Status::Completed | Status::Failed)
    }
}

impl StepStatus {
    pub fn name(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Waiting => "waiting",
            StepStatus::Running => "running",
            StepStatus::Done => "done",
            StepStatus::Failed => "failed",
            StepStatus::Skipped => "skipped",
        }
    }

    pub fn has_ended(self) -> bool {
        matches!(self, StepStatus::Done | StepStatus::Failed | StepStatus::Skipped)
    }
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::Approval => "approval",
            Reason::Budget => "budget",
            Reason::StepLimit => "step_limit",
            Reason::Breakpoint => "breakpoint",
            Reason::User => "user",
            Reason::Parent => "parent",
        }
    }

    /// The code of the refusal that a job paused for this answers with.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Approval => "approval_required",
            Reason::Budget => "budget_exceeded",
            Reason::StepLimit => "step_limit",
            Reason::Breakpoint | Reason::User | Reason::Parent => "not_running",
        }
    }
}

impl State {
    pub fn new(plan: &Plan, context: &Value, permissions: Permissions) -> State {
        State {
            status: Status::Created,
            permissions,
            steps: plan.steps.iter().map(|_| StepState::default()).collect(),
            steps_taken: 0,
            context: context.as_object().cloned().expect("a context"),
            approvals: Vec::new(),
            signals: Vec::new(),
            breakpoints: Vec::new(),
            pause: None,
            failure: None,
            fanned_out: Vec::new(),
            events: 0,
        }
    }

    /// What a decision makes of the job.
    pub fn follow(&mut self, plan: &Plan, decision: &Decision) {
        self.events += 1;
        match decision {
            Decision::JobCreated => {}
            Decision::JobStarted => {
                if let Some((Reason::Breakpoint, Some(step))) = self.pause {
                    self.steps[step].breakpoint_passed = true;
                }
                (self.status, self.pause) = (Status::Running, None);
            }
            Decision::JobPaused(reason, step) => {
                let reason = reason.unwrap_or(Reason::User);
                (self.status, self.pause) = (Status::Paused, Some((reason, *step)));
            }
            Decision::JobCompleted => {
                self.status = Status::Completed;
                self.approvals.clear();
            }
            Decision::JobFailed(failure) => {
                (self.status, self.pause, self.failure) = (Status::Failed, None, *failure);
                self.approvals.clear();
            }
            Decision::PermissionsChanged(permissions) => self.permissions = *permissions,
            Decision::BreakpointsChanged(steps) => self.breakpoints.clone_from(steps),
            Decision::SignalReceived(name, payload) => self.signals.push((name.clone(), payload.clone())),
            Decision::Step(step, what) => self.follow_step(plan, *step, what),
        }
    }

    /// Where a step or an item stands.
    pub fn at(&self, spot: Spot) -> &StepState {
        let step = &self.steps[spot.step];
        spot.item.map_or(step, |item| &step.items.as_ref().expect("items")[item].1)
    }

    fn at_mut(&mut self, spot: Spot) -> &mut StepState {
        let step = &mut self.steps[spot.step];
        match spot.item {
            None => step,
            Some(item) => &mut step.items.as_mut().expect("items")[item].1,
        }
    }

    /// Writes what a step gave to the context; what an item gave is its step's to write.
    fn write(&mut self, plan: &Plan, spot: Spot, output: Value) {
        if spot.item.is_none() {
            self.context.insert(plan.steps[spot.step].into.clone(), output.clone());
        }
        self.at_mut(spot).output = output;
    }

    fn follow_step(&mut self, plan: &Plan, spot: Spot, what: &What) {
        let is_item = spot.item.is_some();
        let step = self.at_mut(spot);
        match what {
            What::Started { given } => {
                let counts = !step.begun && !is_item;
                if std::mem::take(&mut step.between_rounds) {
                    step.attempts = 0;
                }
                step.attempts += u64::from(!step.cut_off);
                step.given = given.clone().or(step.given.take());
                (step.status, step.begun, step.cut_off) = (StepStatus::Running, true, false);
                (step.due_at, step.error) = (None, None);
                self.steps_taken += u64::from(counts);
                self.approvals.retain(|approval| approval.spot != spot);
            }
            What::FannedOut { items } => {
                (step.status, step.begun) = (StepStatus::Running, true);
                step.items = Some(items.iter().map(|item| (item.clone(), StepState::default())).collect());
                self.steps_taken += 1;
                self.fanned_out.push(spot.step);
                self.approvals.retain(|approval| approval.spot != spot);
            }
            What::Suspended { .. } => (step.status, step.cut_off) = (StepStatus::Waiting, true),
            What::Waits { due_at } => {
                (step.status, step.begun, step.due_at) = (StepStatus::Waiting, true, *due_at);
            }
            What::Completed { output, .. } => {
                step.status = StepStatus::Done;
                self.write(plan, spot, output.clone());
                if let Kind::Signal { names, .. } = &plan.steps[spot.step].kind {
                    let used = self.signals.iter().position(|(name, _)| names.contains(name));
                    self.signals.remove(used.expect("a signal to use"));
                }
            }
            What::RoundCompleted { output, .. } => {
                step.status = StepStatus::Waiting;
                (step.rounds_ended, step.between_rounds) = (step.rounds_ended + 1, true);
                self.write(plan, spot, output.clone());
            }
            What::Skipped => (step.status, step.output) = (StepStatus::Skipped, Value::Null),
            What::Failed { code, retry_at: Some(due_at), .. } => {
                (step.status, step.due_at, step.error) = (StepStatus::Waiting, Some(*due_at), Some(*code));
            }
            What::Failed { code, retry_at: None, .. } => {
                (step.status, step.due_at, step.error) = (StepStatus::Failed, None, Some(*code));
                step.output = Value::Null;
                self.approvals.retain(|approval| approval.spot != spot);
                if plan.steps[spot.step].goes_on {
                    self.write(plan, spot, Value::Null);
                }
            }
            What::Cancelled => {
                step.status = StepStatus::Failed;
                (step.due_at, step.error, step.output) = (None, Some("cancelled"), Value::Null);
                self.approvals.retain(|approval| approval.spot != spot);
            }
            What::Asked { tool } => {
                step.status = StepStatus::Waiting;
                step.cut_off |= tool.is_some();
                let id = format!("{}:{}", plan.steps[spot.step].id, self.events);
                self.approvals.push(Approval { id, spot, tool: tool.clone() });
            }
            What::Approved { id, by } => {
                let answered = self.approvals.iter().position(|approval| approval.id == *id);
                let answered = self.approvals.remove(answered.expect("a question"));
                let is_last = self.approvals.iter().all(|approval| approval.spot != spot);
                let step = self.at_mut(spot);
                match answered.tool {
                    Some(tool) => step.granted.push(tool),
                    None => step.approved = Some(by.unwrap_or("unknown").to_owned()),
                }
                if is_last {
                    step.status = StepStatus::Pending;
                }
            }
            What::Rejected { id } => self.approvals.retain(|approval| approval.id != *id),
            What::Recovered => (step.status, step.cut_off) = (StepStatus::Pending, true),
            What::Late => {}
        }
    }
}
