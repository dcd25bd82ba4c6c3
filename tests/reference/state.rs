//! What has been decided, and what can be read from it. A job is where its decisions have brought it:
//! nothing else is remembered of it.

use serde_json::{Map, Value, json};

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
    Step(usize, What),
}

/// What is decided about a step.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Started { given: Option<Value> },
    Waits { due_at: Option<f64> },
    Completed { output: Value, cost: Option<f64> },
    RoundCompleted { output: Value, cost: Option<f64> },
    Skipped,
    Failed { code: &'static str, retry_at: Option<f64>, asked: Asked },
    Asked { tool: Option<String> },
    Approved { id: String, by: Option<&'static str> },
    Rejected { id: String },
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
    /// What its end, or that of its latest round, recorded.
    pub output: Value,
    pub given: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    pub id: String,
    pub step: usize,
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
        }
    }

    /// The code of the refusal that a job paused for this answers with.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Approval => "approval_required",
            Reason::Budget => "budget_exceeded",
            Reason::StepLimit => "step_limit",
            Reason::Breakpoint | Reason::User => "not_running",
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

    fn follow_step(&mut self, plan: &Plan, place: usize, what: &What) {
        let key = &plan.steps[place].into;
        let step = &mut self.steps[place];
        match what {
            What::Started { given } => {
                self.steps_taken += u64::from(!step.begun);
                if std::mem::take(&mut step.between_rounds) {
                    step.attempts = 0;
                }
                step.attempts += u64::from(!step.cut_off);
                step.given = given.clone().or(step.given.take());
                (step.status, step.begun, step.cut_off) = (StepStatus::Running, true, false);
                (step.due_at, step.error) = (None, None);
                self.approvals.retain(|approval| approval.step != place);
            }
            What::Waits { due_at } => {
                (step.status, step.begun, step.due_at) = (StepStatus::Waiting, true, *due_at);
            }
            What::Completed { output, .. } => {
                (step.status, step.output) = (StepStatus::Done, output.clone());
                self.context.insert(key.clone(), output.clone());
                if let Kind::Signal { names, .. } = &plan.steps[place].kind {
                    let used = self.signals.iter().position(|(name, _)| names.contains(name));
                    self.signals.remove(used.expect("a signal to use"));
                }
            }
            What::RoundCompleted { output, .. } => {
                (step.status, step.output) = (StepStatus::Waiting, output.clone());
                (step.rounds_ended, step.between_rounds) = (step.rounds_ended + 1, true);
                self.context.insert(key.clone(), output.clone());
            }
            What::Skipped => (step.status, step.output) = (StepStatus::Skipped, Value::Null),
            What::Failed { code, retry_at: Some(due_at), .. } => {
                (step.status, step.due_at, step.error) = (StepStatus::Waiting, Some(*due_at), Some(*code));
            }
            What::Failed { code, retry_at: None, .. } => {
                (step.status, step.due_at, step.error) = (StepStatus::Failed, None, Some(*code));
                step.output = Value::Null;
                self.approvals.retain(|approval| approval.step != place);
                // Who is cancelled, is because the job has ended.
                if plan.steps[place].goes_on && *code != "cancelled" {
                    self.context.insert(key.clone(), Value::Null);
                }
            }
            What::Asked { tool } => {
                step.status = StepStatus::Waiting;
                step.cut_off |= tool.is_some();
                let id = format!("{}:{}", plan.steps[place].id, self.events);
                self.approvals.push(Approval { id, step: place, tool: tool.clone() });
            }
            What::Approved { id, by } => {
                let answered = self.approvals.iter().position(|approval| approval.id == *id);
                match self.approvals.remove(answered.expect("a question")).tool {
                    Some(tool) => step.granted.push(tool),
                    None => step.approved = Some(by.unwrap_or("unknown").to_owned()),
                }
                if self.approvals.iter().all(|approval| approval.step != place) {
                    step.status = StepStatus::Pending;
                }
            }
            What::Rejected { id } => self.approvals.retain(|approval| approval.id != *id),
            What::Recovered => (step.status, step.cut_off) = (StepStatus::Pending, true),
            What::Late => {}
        }
    }

    /// A decision that was just followed, as its entry in history: type and payload, without the words
    /// of errors and what follows from the plan.
    pub fn entry(&self, plan: &Plan, decision: &Decision) -> (&'static str, Value) {
        match decision {
            Decision::JobCreated => ("job_created", json!({})),
            Decision::JobStarted => ("job_started", json!({})),
            Decision::JobPaused(None, _) => ("job_paused", json!({})),
            Decision::JobPaused(Some(reason), _) => ("job_paused", json!({ "reason": reason.name() })),
            Decision::JobCompleted => ("job_completed", json!({ "status": "completed" })),
            Decision::JobFailed(_) => ("job_failed", json!({ "status": "failed" })),
            Decision::PermissionsChanged(Permissions { tools, approval, max_steps }) => {
                let to = json!({ "allowTools": tools, "requireApproval": approval, "maxSteps": max_steps });
                ("permissions_changed", json!({ "permissions": to }))
            }
            Decision::BreakpointsChanged(steps) => {
                let ids: Vec<&str> = steps.iter().map(|&step| &*plan.steps[step].id).collect();
                ("breakpoints_changed", json!({ "steps": ids }))
            }
            Decision::SignalReceived(name, payload) => {
                ("signal_received", json!({ "name": name, "payload": payload }))
            }
            Decision::Step(step, what) => self.step_entry(plan, *step, what),
        }
    }

    fn step_entry(&self, plan: &Plan, place: usize, what: &What) -> (&'static str, Value) {
        let step = &self.steps[place];
        let mut payload = json!({
            "step": plan.steps[place].id, "attempt": step.attempts, "status": step.status.name(),
        });
        if plan.steps[place].repeat().is_some() {
            payload["round"] = (step.rounds_ended + u64::from(!step.between_rounds)).into();
        }
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                payload[key] = value;
            }
        };
        let name = match what {
            What::Started { given } => {
                put("input", given.clone());
                "step_started"
            }
            What::Waits { due_at } => {
                put("dueAt", due_at.map(Value::from));
                "step_started"
            }
            What::Completed { output, cost } | What::RoundCompleted { output, cost } => {
                put("output", Some(output.clone()));
                put("cost", cost.map(Value::from));
                if matches!(what, What::Completed { .. }) { "step_completed" } else { "round_completed" }
            }
            What::Skipped => "step_skipped",
            What::Failed { code, retry_at, asked } => {
                match asked {
                    Asked::Nothing => {}
                    Asked::NoRetry => put("retryable", Some(false.into())),
                    Asked::Later(ms) => put("retryAfter", Some((*ms).into())),
                }
                put("error", Some(json!({ "code": code })));
                put("retryAt", retry_at.map(Value::from));
                "step_failed"
            }
            What::Asked { tool } => {
                put("approval", self.approvals.last().map(|asked| asked.id.clone().into()));
                put("tool", tool.clone().map(Value::from));
                "approval_requested"
            }
            What::Approved { id, by } => {
                put("approval", Some(id.clone().into()));
                put("by", by.map(Value::from));
                "step_approved"
            }
            What::Rejected { id } => {
                put("approval", Some(id.clone().into()));
                "step_rejected"
            }
            What::Recovered => "step_recovered",
            What::Late => "late_result_dropped",
        };
        (name, payload)
    }
}
