//! What holds of every job after every step, whatever the reference says: read from the stored job alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use serde_json::{Map, Value};

use crate::{
    case::Permissions,
    compare::{Agreed, same},
    plan::Plan,
};

pub struct Invariants {
    plan: Rc<Plan>,
    read: usize,
    max_steps: u64,
    /// What has begun, and those of it that count against the limit.
    begun: BTreeSet<String>,
    counted: BTreeSet<String>,
    ended: BTreeMap<String, String>,
    job_ended: Option<Value>,
}

impl Invariants {
    pub fn new(plan: &Rc<Plan>, job: &Map<String, Value>) -> Invariants {
        Invariants {
            plan: Rc::clone(plan),
            read: 0,
            max_steps: job["permissions"]["maxSteps"].as_u64().unwrap_or(0),
            begun: BTreeSet::new(),
            counted: BTreeSet::new(),
            ended: BTreeMap::new(),
            job_ended: None,
        }
    }

    /// Reads what is new. `parent` is what the job's parent may.
    pub fn look(&mut self, job: &Map<String, Value>, at_work: usize, parent: Option<Permissions>) -> Agreed {
        if at_work > self.plan.concurrency {
            return Err(format!("{at_work} attempts at work, of which {} may be", self.plan.concurrency));
        }
        if let Some(parent) = parent.filter(|_| self.read == 0) {
            may_no_more_than(&job["history"][0]["payload"]["permissions"], parent)?;
        }
        let history = job.get("history").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for event in history.get(self.read..).ok_or("the history shrank")? {
            self.read += 1;
            self.read_event(event).map_err(|problem| format!("entry {}: {problem}", self.read))?;
        }
        self.look_at_end(job)
    }

    fn read_event(&mut self, event: &Value) -> Agreed {
        let (name, payload) = (event["type"].as_str().unwrap_or_default(), &event["payload"]);
        let id = payload["step"].as_str().unwrap_or_default().to_owned();
        if self.job_ended.is_some() && name != "late_result_dropped" {
            return Err(format!("{name} after the job's end"));
        }
        let is_end = payload.get("retryAt").is_none()
            && matches!(
                name,
                "step_completed" | "step_failed" | "step_skipped" | "item_completed" | "item_failed"
            );
        self.read_order(&id, payload, name)?;
        let id = payload["item"].as_u64().map_or_else(|| id.clone(), |item| format!("{id}[{item}]"));
        match name {
            "job_completed" | "job_failed" => self.job_ended = Some(event.clone()),
            "permissions_changed" => {
                self.max_steps = payload["permissions"]["maxSteps"].as_u64().ok_or("no limit")?;
            }
            "step_started" | "item_started" => {
                if self.ended.contains_key(&id) {
                    return Err(format!("{id} begins after its end"));
                }
                self.begun.insert(id.clone());
                if name == "step_started" {
                    self.read_begin(id, payload["status"] == "running")?;
                }
            }
            _ if is_end => {
                if let Some(first) = self.ended.insert(id.clone(), name.to_owned()) {
                    return Err(format!("{id} ends twice: {first}, {name}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Nothing is decided about a step before all that it comes after has ended, nor about its items before it began.
    fn read_order(&self, id: &str, payload: &Value, name: &str) -> Agreed {
        let Some(place) = self.plan.place_of(id) else { return Ok(()) };
        let mut after = self.plan.steps[place].after.iter().map(|&before| &self.plan.steps[before].id);
        if let Some(before) = after.find(|before| !self.ended.contains_key(*before)) {
            return Err(format!("{name} of {id} before {before} has ended"));
        }
        if payload.get("item").is_some() && !self.begun.contains(id) {
            return Err(format!("{name} of an item of {id}, which has not begun"));
        }
        Ok(())
    }

    fn read_begin(&mut self, id: String, counts: bool) -> Agreed {
        if counts && self.counted.insert(id) && self.counted.len() as u64 > self.max_steps {
            return Err(format!("{} steps, of which {} may be", self.counted.len(), self.max_steps));
        }
        Ok(())
    }

    fn look_at_end(&self, job: &Map<String, Value>) -> Agreed {
        same("steps taken", &job["run"]["stepsTaken"].as_u64(), &Some(self.counted.len() as u64))?;
        let has_ended = matches!(job["status"].as_str(), Some("completed" | "failed"));
        if has_ended != self.job_ended.is_some() {
            return Err(format!("its status is {}, against its history", job["status"]));
        }
        if has_ended && let Some(open) = self.begun.iter().find(|id| !self.ended.contains_key(*id)) {
            return Err(format!("{open} has no end, and the job has"));
        }
        Ok(())
    }
}

/// When a job is made, it may no more than its parent may.
fn may_no_more_than(permissions: &Value, parent: Permissions) -> Agreed {
    let more = permissions["allowTools"] == true && !parent.tools
        || permissions["requireApproval"] == false && parent.approval
        || permissions["maxSteps"].as_u64().is_none_or(|most| most > parent.max_steps);
    if more { Err(format!("{permissions} is more than its parent may: {parent:?}")) } else { Ok(()) }
}
