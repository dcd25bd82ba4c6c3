//! Every history is decided again, and comes to the same.

use std::{
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use jobwright::{
    core::plan,
    host::{
        JobKey,
        memory::{MemoryHost, Reply, ToolCall},
    },
    orchestrator::Replay,
};
use serde_json::{Map, Value, json};

/// Where a history and what is decided from it part.
#[derive(Debug)]
pub struct Difference {
    pub at: usize,
    pub expected: Value,
    pub actual: Value,
}

/// Decides a stored job's history again, in a host that knows nothing but that; gives how many decisions there were.
pub fn replay(job: &Map<String, Value>) -> Result<usize, Difference> {
    let none = Vec::new();
    let history = job.get("history").and_then(Value::as_array).unwrap_or(&none);
    let mut stage = Stage::new(job["id"].as_str().unwrap_or_default(), history)?;
    let mut decisions = 0;
    for (place, event) in history.iter().enumerate() {
        let differs = |expected| Difference { at: place + 1, expected, actual: event.clone() };
        if stage.events() <= place {
            decisions += usize::from(stage.meet(&history[place..]).map_err(|it| differs(it.into()))?);
        } else {
            decisions += 1;
        }
        let expected = stage.event(place);
        if !same(&expected, event) {
            return Err(differs(expected));
        }
    }
    let differs = |expected, actual| Difference { at: history.len(), expected, actual };
    if stage.events() > history.len() {
        return Err(differs(stage.event(history.len()), Value::Null));
    }
    let (expected, mut actual) = (stage.look(comparable), comparable(job));
    if expected.get("permissions").is_none() {
        // Nothing says what the job was made with.
        actual.remove("permissions");
    }
    let (expected, actual) = (Value::Object(expected), Value::Object(actual));
    if same(&expected, &actual) { Ok(decisions) } else { Err(differs(expected, actual)) }
}

/// Numbers are as JavaScript has them.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// What of a stored job follows from its history.
fn comparable(job: &Map<String, Value>) -> Map<String, Value> {
    let kept = job.iter().filter(|(key, _)| *key != "history");
    let mut members: Map<_, _> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    // What it is a part of.
    members.remove("parentId");
    // A job without a plan has no event when it is made.
    members["timing"].as_object_mut().unwrap().remove("created");
    let run = members.entry("run").or_insert(json!({})).as_object_mut().unwrap();
    run.remove("revision");
    run.remove("slowPlayMs");
    // Why a caller ended the job is not in its history; nor that a person paused it who never ran a step.
    if run.get("failure").is_some_and(|failure| failure.get("step").is_none()) {
        run.remove("failure");
    }
    if run.get("pause").is_some_and(|pause| pause["reason"] == "user" || pause["reason"] == "budget") {
        run.remove("pause");
    }
    for list in ["approvals", "signals", "breakpoints"] {
        if run.get(list) == Some(&json!([])) {
            run.remove(list);
        }
    }
    if let Some(Value::Object(steps)) = run.get_mut("steps") {
        // A step that a router asked for and that nothing came of yet.
        for state in steps.values_mut().filter(|state| state.get("finishedAt").is_some()) {
            // What a step was given goes with a commit after its end.
            state.as_object_mut().unwrap().retain(|key, _| key != "input" && key != "grants");
        }
        steps.retain(|_, state| state["status"] != "pending" || state.get("seq").is_some());
    }
    if run.get("steps") == Some(&json!({})) {
        run.remove("steps");
    }
    if run.get("stepsTaken") == Some(&json!(0)) {
        run.remove("stepsTaken");
    }
    members
}

/// A host for one replay.
struct Stage {
    host: MemoryHost,
    key: JobKey,
    replay: Replay<MemoryHost>,
}

fn now<T>(operation: impl Future<Output = T>) -> T {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a host that answers at once"),
    }
}

impl Stage {
    fn new(id: &str, history: &[Value]) -> Result<Stage, Difference> {
        let host = MemoryHost::default();
        let key = host.enter(id);
        let first = history.first().unwrap_or(&Value::Null);
        let beginning = history.iter().find(|event| event["type"] == "job_created");
        let payload = beginning.map_or(&Value::Null, |event| &event["payload"]);
        let plan = payload.get("plan");
        let mut stored = Map::new();
        stored.insert("id".to_owned(), id.into());
        stored.insert("status".to_owned(), "created".into());
        stored.insert("context".to_owned(), payload.get("context").cloned().unwrap_or_else(|| json!({})));
        stored.insert("run".to_owned(), plan.map_or(json!({}), |plan| json!({ "plan": plan })));
        stored["run"]["schema"] = 1.into();
        if let Some(ms) = payload.get("slowPlayMs") {
            stored["run"]["slowPlayMs"] = ms.clone();
        }
        stored["run"]["seq"] = 0.into();
        stored.insert("timing".to_owned(), json!({ "created": first["meta"]["timestamp"] }));
        let parsed = plan.map(|given| {
            plan::parse(given).map(Rc::new).map_err(|problems| Difference {
                at: 1,
                expected: problems[0].message.clone().into(),
                actual: given.clone(),
            })
        });
        host.put(key, Some(stored));
        Ok(Stage { replay: Replay::new(host.clone(), key, parsed.transpose()?), host, key })
    }

    fn look<T>(&self, read: impl FnOnce(&Map<String, Value>) -> T) -> T {
        self.host.look(self.key, |job| read(job.unwrap()))
    }

    fn events(&self) -> usize {
        self.look(|job| job.get("history").map_or(0, |it| it.as_array().unwrap().len()))
    }

    fn event(&self, place: usize) -> Value {
        self.look(|job| job.get("history").map_or(Value::Null, |history| history[place].clone()))
    }

    /// Meets the first of these events.
    fn meet(&mut self, events: &[Value]) -> Result<bool, &'static str> {
        let mut event = events[0].clone();
        let payload = &event["payload"];
        let message = payload["error"]["message"].as_str().unwrap_or_default();
        let unknown = payload["error"]["code"] == "unknown_agent";
        for agent in self.agents(payload) {
            self.host.set_agent(&agent, |_| Reply::Later);
        }
        if unknown {
            self.host.forget_agents();
            let known = message.rsplit_once("known agents: ").map_or("", |(_, known)| known);
            known.split(", ").filter(|name| !name.is_empty()).for_each(|name| {
                self.host.set_agent(name, |_| Reply::Later);
            });
        }
        self.host.set_budget((payload["reason"] == "budget").then_some(-1.0));
        self.host.set_routing(self.key, payload.get("routed").cloned());
        let calls = calls(events);
        if !calls.is_empty() {
            event["payload"]["calls"] = calls.len().into();
            self.host.set_requests(self.key, &event["payload"], calls);
        }
        let payload = &event["payload"];
        let value = match event["type"].as_str().unwrap_or_default() {
            "signal_received" => &payload["payload"],
            name if name.ends_with("_started") => &payload["input"],
            _ => &payload["output"],
        };
        now(self.replay.meet(&event, value.clone()))
    }

    /// Every agent that can be asked for.
    fn agents(&self, payload: &Value) -> Vec<String> {
        self.look(|job| {
            let run = &job["run"];
            let planned = run["plan"]["steps"].as_array().into_iter().flatten();
            let names = planned.chain([payload, &payload["routed"]]).map(|it| &it["agent"]);
            let kept = run["steps"].as_object().into_iter().flatten();
            let routed = kept.map(|(_, state)| &state["routed"]["agent"]);
            names.chain(routed).filter_map(|name| Some(name.as_str()?.to_owned())).collect()
        })
    }
}

/// The calls that an agent asks for at once, whose first the first of these events is about.
fn calls(events: &[Value]) -> Vec<ToolCall> {
    let about = |event: &Value| {
        let payload = &event["payload"];
        let tool = payload["tool"].as_str()?;
        let at = json!([payload["step"], payload["item"], event["meta"]["timestamp"]]);
        let call = ToolCall { tool: tool.to_owned(), args: payload["args"].clone() };
        (event["type"] == "approval_requested").then_some((at, call))
    };
    let Some((first, _)) = about(&events[0]) else { return Vec::new() };
    let asked = events.iter().map_while(|event| about(event).filter(|(at, _)| *at == first));
    asked.map(|(_, call)| call).collect()
}

/// Asserts that what a stored job's history says was decided would be decided again.
pub fn check(job: &Value) {
    if let Err(Difference { at, expected, actual }) = replay(job.as_object().unwrap()) {
        let before = job["history"].as_array().into_iter().flatten().take(at).map(|event| {
            format!(
                "{} {} {} {}\n",
                event["seq"], event["type"], event["payload"], event["meta"]["timestamp"]
            )
        });
        panic!("{}event {at}: expected {expected:#}, found {actual:#}", before.collect::<String>());
    }
}
