//! An orchestrator on a host in memory, and what tests ask of the two.

use std::{cell::RefCell, rc::Rc};

use jobwright::{
    core::{permissions::PermissionPatch, plan},
    host::{
        JobKey,
        memory::{Announced, Duration, MemoryHost, Reply},
    },
    orchestrator::NewJob,
};
use serde_json::{Value, json};

use crate::{
    executor::{Handle, Pool},
    operation::{Engine, Op, Outcome, engine_on},
};

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// The orchestrator goes on with what it remembers.
    Straight,
    /// It reads the stored form again after every commit, and forgets the job after every operation.
    Restored,
}

pub const WORLDS: [World; 2] = [World::Straight, World::Restored];

pub struct Bench {
    pub host: MemoryHost,
    pub engine: Engine,
    pool: RefCell<Pool>,
    world: World,
}

/// Everything that anybody can see.
#[derive(Debug, PartialEq)]
pub struct Seen {
    job: Option<Value>,
    announced: Vec<Announced>,
    durations: Vec<Duration>,
}

/// May do everything.
pub const FREE: PermissionPatch =
    PermissionPatch { allow_tools: Some(true), require_approval: Some(false), max_steps: Some(1_000) };

/// Runs a scenario in each world.
pub fn in_each_world(scenario: impl Fn(&Bench)) {
    WORLDS.into_iter().for_each(|world| scenario(&Bench::new(world)));
}

impl Bench {
    /// Its agent `worker` gives the id of its step.
    pub fn new(world: World) -> Bench {
        let host = MemoryHost::default();
        host.set_agent("worker", |call| Reply::done(call.step.as_str()));
        Bench::on(host, world)
    }

    pub fn on(host: MemoryHost, world: World) -> Bench {
        host.always_reread(world == World::Restored);
        let engine = engine_on(&host);
        Bench { host, engine, pool: RefCell::default(), world }
    }

    /// The process ends here, and another begins on the same store.
    pub fn crash(self) -> Bench {
        let Bench { host, engine, pool, world } = self;
        drop(pool);
        drop(engine);
        host.restart();
        host.be_reliable();
        Bench::on(host, world)
    }

    // ------------------------------------------------------------ jobs

    /// A job that is made and not started.
    pub fn create(&self, id: &str, steps: Option<Value>, permissions: PermissionPatch) -> JobKey {
        let key = self.host.enter(id);
        let plan = steps.map(|steps| json!({ "steps": steps }));
        let new = NewJob {
            origin: Some(self.host.origin(key, json!({}), plan.as_ref())),
            permissions,
            plan: plan.map(|plan| Rc::new(plan::parse(&plan).expect("a plan without problems"))),
            slow_play_ms: None,
            parent: None,
            id_was_given: true,
        };
        self.now(async move |engine| engine.create_job(key, new).await).expect("a new job");
        key
    }

    /// A job that may do everything, and is running.
    pub fn started(&self, steps: Value) -> JobKey {
        let key = self.create("job", Some(steps), FREE);
        self.go(key, Op::Start).expect("a start");
        key
    }

    // ------------------------------------------------------------ operations

    /// Begins something and does what can be done of it at once.
    pub fn begin_with<T: 'static>(&self, operation: impl AsyncFnOnce(Engine) -> T + 'static) -> Handle<T> {
        let engine = Rc::clone(&self.engine);
        let handle = self.pool.borrow_mut().spawn(async move { operation(engine).await });
        self.settle();
        handle
    }

    /// Begins an operation and does what can be done of it at once.
    pub fn begin(&self, key: JobKey, op: Op) -> Handle<Outcome> {
        self.begin_with(async move |engine| op.perform(engine, key).await)
    }

    /// Something that needs nobody else to end.
    pub fn now<T: 'static>(&self, operation: impl AsyncFnOnce(Engine) -> T + 'static) -> T {
        let value = self.begin_with(operation).take().expect("it ends at once");
        self.forget();
        value
    }

    /// An operation that needs nobody else to end.
    pub fn go(&self, key: JobKey, op: Op) -> Outcome {
        self.now(async move |engine| op.perform(engine, key).await)
    }

    /// Does all that can be done.
    pub fn settle(&self) {
        self.pool.borrow_mut().settle();
    }

    /// Lets the time pass, each timer in its turn.
    pub fn pass(&self, ms: f64) {
        let mut left = ms;
        while let Some(wait) = self.host.next_timer().filter(|wait| *wait <= left) {
            self.host.advance(wait);
            left -= wait;
            self.settle();
        }
        self.host.advance(left);
        self.settle();
    }

    /// Lets the time pass until nobody sleeps.
    pub fn pass_all(&self) {
        while let Some(wait) = self.host.next_timer() {
            self.pass(wait);
        }
    }

    /// Nothing is remembered that is not stored, where that is the world and nothing is under way.
    fn forget(&self) {
        if self.world == World::Restored && self.pool.borrow().is_empty() {
            self.engine.forget(JobKey(0));
            self.engine.forget(JobKey(1));
        }
    }

    // ------------------------------------------------------------ what is seen

    pub fn seen(&self, key: JobKey) -> Seen {
        Seen { job: self.host.job(key), announced: self.host.announced(), durations: self.host.durations() }
    }

    pub fn job(&self, key: JobKey) -> Value {
        self.host.job(key).expect("a stored job")
    }

    pub fn status(&self, key: JobKey) -> String {
        self.job(key)["status"].as_str().expect("a status").to_owned()
    }

    pub fn step(&self, key: JobKey, step: &str) -> Value {
        self.job(key)["run"]["steps"][step].clone()
    }

    /// The names of all that was announced since the last time this was asked for, or ever.
    pub fn announced(&self) -> Vec<&'static str> {
        self.host.announced().iter().map(|event| event.name).collect()
    }

    /// The names of all events in the job's history.
    pub fn history(&self, key: JobKey) -> Vec<String> {
        let job = self.job(key);
        let history = job["history"].as_array().cloned().unwrap_or_default();
        history.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    }

    /// The payloads of the events of this name in the job's history.
    pub fn payloads(&self, key: JobKey, name: &str) -> Vec<Value> {
        let job = self.job(key);
        let history = job["history"].as_array().cloned().unwrap_or_default();
        history.iter().filter(|event| event["type"] == name).map(|event| event["payload"].clone()).collect()
    }

    /// The steps that agents were called for, with their attempts.
    pub fn called(&self) -> Vec<(String, u32)> {
        self.host.calls().into_iter().map(|call| (call.step, call.attempt)).collect()
    }
}

/// A plan's steps: done by `worker`, one after the other.
pub fn steps(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "id": id, "agent": "worker" })).collect()
}
