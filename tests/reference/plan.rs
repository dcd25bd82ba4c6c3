//! A plan as the reference reads it: what stands in docs/plans.md, and nothing that can be worked out.

use std::rc::Rc;

use serde_json::Value;

pub struct Plan {
    pub steps: Vec<Step>,
    pub concurrency: usize,
}

pub struct Step {
    pub id: String,
    pub kind: Kind,
    /// The places of the steps that have to end first.
    pub after: Vec<usize>,
    pub when: Option<Value>,
    pub into: String,
    pub approval: bool,
    pub breakpoint: bool,
    /// `"onError": "continue"`.
    pub goes_on: bool,
    pub repeat: Option<Repeat>,
    pub for_each: Option<Value>,
    pub timeout_ms: Option<f64>,
}

pub enum Kind {
    Agent(Work),
    Job(Child),
    Approve,
    Timer { ms: f64 },
    Signal { names: Vec<String>, timeout_ms: Option<f64> },
}

pub struct Work {
    pub agent: String,
    pub input: Option<Value>,
    pub needs_tools: bool,
    pub cost: Option<f64>,
    pub retry: Option<Retry>,
}

pub struct Child {
    pub plan: Rc<Plan>,
    pub context: Option<Value>,
    /// What is given of `permissions`.
    pub permissions: Value,
}

pub struct Retry {
    pub max_attempts: u64,
    pub backoff_ms: f64,
    pub factor: f64,
    pub max_backoff_ms: f64,
    pub jitter: f64,
}

pub struct Repeat {
    pub until: Value,
    pub max: u64,
}

impl Plan {
    pub fn read(plan: &Value) -> Plan {
        let list = plan["steps"].as_array().expect("steps");
        let place_of = |id: &Value| list.iter().position(|step| step["id"] == *id).expect("a known step");
        let steps = list.iter().enumerate().map(|(place, step)| Step {
            id: text(&step["id"]),
            kind: read_kind(step),
            after: match step.get("after") {
                Some(after) => after.as_array().expect("a list").iter().map(place_of).collect(),
                None => place.checked_sub(1).into_iter().collect(),
            },
            when: step.get("when").cloned(),
            into: text(step.get("into").unwrap_or(&step["id"])),
            approval: step["approval"] == true,
            breakpoint: step["breakpoint"] == true,
            goes_on: step["onError"] == "continue",
            repeat: step.get("repeat").map(|repeat| Repeat {
                until: repeat["until"].clone(),
                max: repeat["max"].as_u64().expect("a number"),
            }),
            for_each: step.get("forEach").cloned(),
            timeout_ms: step["timeoutMs"].as_f64(),
        });
        Plan { steps: steps.collect(), concurrency: plan["concurrency"].as_u64().unwrap_or(8) as usize }
    }

    pub fn place_of(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }
}

impl Step {
    pub fn work(&self) -> Option<&Work> {
        match &self.kind {
            Kind::Agent(work) => Some(work),
            Kind::Job(_) | Kind::Approve | Kind::Timer { .. } | Kind::Signal { .. } => None,
        }
    }

    pub fn child(&self) -> Option<&Child> {
        match &self.kind {
            Kind::Job(child) => Some(child),
            _ => None,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn read_kind(step: &Value) -> Kind {
    if step.get("approve").is_some() {
        return Kind::Approve;
    }
    if let Some(wait) = step.get("wait") {
        return match (wait["ms"].as_f64(), &wait["signal"]) {
            (Some(ms), _) => Kind::Timer { ms },
            (None, Value::String(name)) => {
                Kind::Signal { names: vec![name.clone()], timeout_ms: wait["timeoutMs"].as_f64() }
            }
            (None, names) => Kind::Signal {
                names: names.as_array().expect("names").iter().map(text).collect(),
                timeout_ms: wait["timeoutMs"].as_f64(),
            },
        };
    }
    if let Some(job) = step.get("job") {
        return Kind::Job(Child {
            plan: Rc::new(Plan::read(&job["plan"])),
            context: job.get("context").cloned(),
            permissions: job["permissions"].clone(),
        });
    }
    Kind::Agent(Work {
        agent: text(&step["agent"]),
        input: step.get("input").cloned(),
        needs_tools: step["tools"].as_array().is_some_and(|tools| !tools.is_empty()),
        cost: step["cost"].as_f64(),
        retry: step.get("retry").map(|retry| Retry {
            max_attempts: retry["maxAttempts"].as_u64().expect("a number"),
            backoff_ms: retry["backoffMs"].as_f64().unwrap_or(1_000.0),
            factor: retry["factor"].as_f64().unwrap_or(2.0),
            max_backoff_ms: retry["maxBackoffMs"].as_f64().unwrap_or(60_000.0),
            jitter: retry["jitter"].as_f64().unwrap_or(0.0),
        }),
    })
}
