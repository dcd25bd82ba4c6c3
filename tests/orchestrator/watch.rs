//! Follows a job's history as it grows, and holds it against what must always be true.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is known of a job's history so far.
#[derive(Default)]
pub struct Watch {
    status: Status,
    events: usize,
    max_steps: u64,
    steps: BTreeMap<String, Step>,
    plan: Option<Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Status {
    #[default]
    Created,
    Running,
    Paused,
    Completed,
    Failed,
}

#[derive(Default)]
struct Step {
    begun: bool,
    attempts: u64,
    rounds: u64,
    under_way: bool,
    ended: bool,
    asked: usize,
}

impl Watch {
    pub fn new(max_steps: u64) -> Watch {
        Watch { max_steps, ..Watch::default() }
    }

    pub fn read_plan(&mut self, plan: Option<&Value>) {
        self.plan = plan.cloned();
    }

    /// How many agents may be at work at once.
    pub fn concurrency(&self) -> usize {
        self.plan.as_ref().map_or(1, |plan| plan["concurrency"].as_u64().unwrap_or(8) as usize)
    }

    /// The ids of the steps that a step comes after.
    fn before(&self, id: &str) -> Vec<String> {
        let steps = self.plan.as_ref().and_then(|plan| plan["steps"].as_array());
        let steps = steps.map_or(&[][..], Vec::as_slice);
        let Some(place) = steps.iter().position(|step| step["id"] == id) else { return Vec::new() };
        match steps[place].get("after") {
            Some(after) => {
                after.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            None => place
                .checked_sub(1)
                .and_then(|before| steps[before]["id"].as_str())
                .map(str::to_owned)
                .into_iter()
                .collect(),
        }
    }

    /// Reads what is new.
    pub fn look(&mut self, job: &Map<String, Value>) {
        let history = job.get("history").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for event in history.get(self.events..).expect("history never shrinks") {
            self.events += 1;
            self.read(event).unwrap_or_else(|problem| panic!("event {}: {problem}: {job:#?}", self.events));
        }
        let stands = format!("{:?}", self.status).to_lowercase();
        assert_eq!(job["status"], *stands, "{job:#?}");
        assert_eq!(job["run"]["seq"].as_u64(), Some(self.events as u64), "{job:#?}");
    }

    /// How many steps have ended.
    pub fn ended(&self) -> usize {
        self.steps.values().filter(|step| step.ended).count()
    }

    fn read(&mut self, event: &Value) -> Result<(), String> {
        let seq = event["seq"].as_u64();
        if seq != Some(self.events as u64) {
            return Err(format!("its number is {seq:?}"));
        }
        if let Some(parent) = event["trace"]["parentId"].as_str() {
            let cause = u64::from_str_radix(&parent[8..], 16).map_err(|error| error.to_string())?;
            if !(1..self.events as u64).contains(&cause) {
                return Err(format!("its cause is {cause}"));
            }
        }
        let name = event["type"].as_str().unwrap_or_default();
        let ended = matches!(self.status, Status::Completed | Status::Failed);
        if ended && name != "late_result_dropped" {
            return Err(format!("{name} after the end"));
        }
        match name {
            "job_created"
            | "late_result_dropped"
            | "signal_received"
            | "breakpoints_changed"
            | "slow_play_changed" => Ok(()),
            "permissions_changed" => {
                let max = event["payload"]["permissions"]["maxSteps"].as_u64();
                self.max_steps = max.ok_or("no maxSteps")?;
                Ok(())
            }
            "job_started" => self.go(&[Status::Created, Status::Paused], Status::Running),
            "job_paused" => self.go(&[Status::Running], Status::Paused),
            "job_completed" => self.go(&[Status::Running], Status::Completed),
            "job_failed" => self.go(&[Status::Created, Status::Running, Status::Paused], Status::Failed),
            name => self.read_step(name, &event["payload"]),
        }
    }

    fn go(&mut self, from: &[Status], to: Status) -> Result<(), String> {
        let open = self.steps.iter().find(|(_, step)| step.begun && !step.ended);
        match open {
            Some((id, _)) if matches!(to, Status::Completed | Status::Failed) => {
                return Err(format!("the job ends before its step {id}"));
            }
            _ => {}
        }
        let was = std::mem::replace(&mut self.status, to);
        if from.contains(&was) { Ok(()) } else { Err(format!("from {was:?} to {to:?}")) }
    }

    fn read_step(&mut self, name: &str, payload: &Value) -> Result<(), String> {
        let begun = self.steps.values().filter(|step| step.begun).count() as u64;
        let others = self.steps.values().filter(|step| step.under_way).count();
        let most = self.concurrency();
        let id = payload["step"].as_str().unwrap_or_default();
        let is_free =
            self.before(id).iter().all(|before| self.steps.get(before).is_some_and(|step| step.ended));
        let waits = payload["status"] == "waiting";
        let step = self.steps.entry(payload["step"].as_str().unwrap_or_default().to_owned()).or_default();
        let attempt = payload["attempt"].as_u64().ok_or("no attempt")?;
        let check = |held: bool, problem: &str| if held { Ok(()) } else { Err(format!("{name}: {problem}")) };
        check(!step.ended, "its step has ended")?;
        check(is_free, "what it comes after has not ended")?;
        match name {
            "step_started" if waits => check(self.status == Status::Running, "its job is not running")?,
            "step_started" => {
                check(self.status == Status::Running, "its job is not running")?;
                check(others < most && !step.under_way, "too many steps, or this one, are under way")?;
                check(step.begun || begun < self.max_steps, "more steps than it may take")?;
                check(attempt == step.attempts || attempt == step.attempts + 1, "an attempt is missing")?;
                (step.attempts, step.under_way, step.asked, step.begun) = (attempt, true, 0, true);
            }
            "step_skipped" => step.ended = true,
            // An approval or a wait, which no agent does, or a step whose last round was the last.
            "step_completed" if attempt == 0 || step.rounds > 0 => {
                check(!step.under_way, "it is under way")?;
                step.ended = true;
            }
            "round_completed" => {
                check(step.under_way && attempt == step.attempts, "it was not under way")?;
                check(payload["round"] == step.rounds + 1, "a round is missing")?;
                (step.under_way, step.attempts, step.rounds) = (false, 0, step.rounds + 1);
            }
            "step_completed" => {
                check(step.under_way && attempt == step.attempts, "it was not under way")?;
                (step.under_way, step.ended) = (false, true);
            }
            "step_failed" if payload.get("retryAt").is_some() => {
                check(step.under_way && attempt == step.attempts, "it was not under way")?;
                step.under_way = false;
            }
            "step_failed" => (step.under_way, step.ended) = (false, true),
            "step_recovered" => {
                check(step.under_way, "it was not under way")?;
                step.under_way = false;
            }
            "approval_requested" => (step.under_way, step.asked) = (false, step.asked + 1),
            "step_approved" | "step_rejected" => {
                check(step.asked > 0, "nobody asked")?;
                step.asked -= 1;
            }
            other => return Err(format!("an event of an unknown kind, {other}")),
        }
        Ok(())
    }
}
