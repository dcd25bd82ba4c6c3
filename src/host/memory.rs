//! A host in memory: jobs as the JSON that a store keeps, a clock that is moved by hand, agents that
//! are closures. For examples, and for tests that want something to go wrong at a certain call.
//!
//! ```
//! use std::{future::Future, pin::pin, rc::Rc, task::{Context, Poll, Waker}};
//! use jobwright::{core::plan, host::memory::{MemoryHost, Reply}, orchestrator::NewJob};
//! use jobwright::{JobOrchestrator, create_orchestrator};
//! use serde_json::json;
//!
//! // Nothing here answers later, so that one poll is enough.
//! fn now<T>(operation: impl Future<Output = T>) -> Option<T> {
//!     match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
//!         Poll::Ready(value) => Some(value),
//!         Poll::Pending => None,
//!     }
//! }
//!
//! let host = MemoryHost::default();
//! host.set_agent("greeter", |call| Reply::done(format!("Hello {}", call.context["name"].as_str().unwrap())));
//! let steps = json!({ "steps": [{ "id": "greet", "agent": "greeter" }] });
//! let key = host.enter("first");
//! let orchestrator = create_orchestrator(host.clone());
//! let mut job = NewJob {
//!     origin: Some(host.origin(key, json!({ "name": "Ada" }), Some(&steps))),
//!     plan: Some(Rc::new(plan::parse(&steps).unwrap())),
//!     permissions: Default::default(),
//!     ..NewJob::default()
//! };
//! job.permissions.require_approval = Some(false);
//! now(orchestrator.create_job(key, job)).unwrap().unwrap();
//! now(orchestrator.start_job(key)).unwrap().unwrap();
//! now(orchestrator.run_job(key, None)).unwrap().unwrap();
//! assert_eq!(host.job(key).unwrap()["context"]["greet"], "Hello Ada");
//! ```

mod agents;
mod budget;
mod change;
mod child_jobs;
mod children;
mod clock;
mod fate;
mod form;
mod leases;
mod steps;
mod store;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::{Rc, Weak},
};

use serde_json::{Map, Value, json};

use crate::{
    core::{
        children::{ChildStats, Progress},
        event::Event,
        status::JobStatus,
        step::{StepIndex, StepStatus},
        trace::trace_id,
    },
    host::{ChildListener, EventBus, JobKey, PerformanceMonitor, Values},
};

pub use agents::{AgentCall, Reply, ToolCall};
pub use budget::Entry;
pub use children::Family;
pub use fate::{Fate, HostCall};

/// A host in memory. Clones are the same host, so that another orchestrator can go on where one stopped.
#[derive(Clone, Default)]
pub struct MemoryHost {
    world: Rc<World>,
}

#[derive(Default)]
struct World {
    jobs: RefCell<Vec<Record>>,
    always_reread: Cell<bool>,
    runs_read: RefCell<BTreeMap<JobKey, usize>>,
    all_paused: Cell<bool>,
    announced: RefCell<Vec<Announced>>,
    durations: RefCell<Vec<Duration>>,
    child_statuses: RefCell<Vec<(JobKey, JobStatus)>>,
    progress: RefCell<Vec<Progressed>>,
    listeners: RefCell<Vec<Weak<dyn ChildListener>>>,
    monitor_failures: RefCell<Vec<String>>,
    clock: clock::Timers,
    crew: agents::Crew,
    purse: budget::Purse,
    fates: fate::Fates,
}

/// What stands under a key.
struct Record {
    id: String,
    trace: String,
    stored: Option<Map<String, Value>>,
    /// What was stored last and not announced yet: the events' numbers and types.
    outbox: Vec<(u64, &'static str)>,
    /// The tool calls that wait to be written down, by step.
    requests: BTreeMap<StepIndex, Vec<ToolCall>>,
    /// The router's answer that is not stored yet.
    routing: Option<Value>,
    lease: leases::Lease,
}

/// An event that was sent on the bus; the whole of it stands in its job's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Whose.
    pub job: JobKey,
    /// Its number.
    pub seq: u64,
    /// What happened.
    pub name: &'static str,
}

/// How far a parent's children had come when it was announced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progressed {
    /// The parent.
    pub parent: JobKey,
    /// Where its children stood.
    pub stats: ChildStats,
    /// How far they had come.
    pub progress: Progress,
}

/// What the monitor was told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Duration {
    /// A job ended.
    Job(JobKey, f64, JobStatus),
    /// A step ended.
    Step(JobKey, StepIndex, f64, StepStatus),
}

impl Values for MemoryHost {
    type Value = Value;
    type Error = String;

    fn value_of(&self, json: &Value) -> Value {
        json.clone()
    }
}

impl MemoryHost {
    /// The key of the job with this id, stored or not.
    pub fn enter(&self, id: &str) -> JobKey {
        let mut jobs = self.world.jobs.borrow_mut();
        let place = jobs.iter().position(|record| record.id == id).unwrap_or_else(|| {
            jobs.push(Record {
                id: id.to_owned(),
                trace: trace_id(id),
                stored: None,
                outbox: Vec::new(),
                requests: BTreeMap::new(),
                routing: None,
                lease: leases::Lease::Free,
            });
            jobs.len() - 1
        });
        JobKey(place as u32)
    }

    /// What a new job is made of: what the orchestrator stores as it is.
    pub fn origin(&self, key: JobKey, context: Value, plan: Option<&Value>) -> Value {
        let mut origin = json!({ "id": self.id(key), "context": context });
        if let Some(plan) = plan {
            origin["run"] = json!({ "plan": plan });
        }
        origin
    }

    /// The job as it is stored.
    pub fn job(&self, key: JobKey) -> Option<Value> {
        self.look(key, |stored| stored.cloned().map(Value::Object))
    }

    /// Looks at the stored job where it lies; it can't be stored meanwhile.
    pub fn look<T>(&self, key: JobKey, read: impl FnOnce(Option<&Map<String, Value>>) -> T) -> T {
        let jobs = self.world.jobs.borrow();
        read(jobs.get(key.0 as usize).and_then(|record| record.stored.as_ref()))
    }

    /// Puts a job in the store, or takes it out, behind the orchestrator's back.
    pub fn put(&self, key: JobKey, job: Option<Map<String, Value>>) {
        self.with(key, |record| record.stored = job);
    }

    /// Makes every commit look as if another process had written after it, so that the orchestrator
    /// reads the stored form again each time and never goes on with what it remembers.
    pub fn always_reread(&self, always: bool) {
        self.world.always_reread.set(always);
    }

    /// How often the whole of a job was read, and not its head alone.
    pub fn runs_read(&self, job: JobKey) -> usize {
        self.world.runs_read.borrow().get(&job).copied().unwrap_or(0)
    }

    /// What was sent on the bus, in order.
    pub fn announced(&self) -> Vec<Announced> {
        self.world.announced.borrow().clone()
    }

    /// What the monitor was told, in order.
    pub fn durations(&self) -> Vec<Duration> {
        self.world.durations.borrow().clone()
    }

    /// The process ends: what only it knew is gone. Its orchestrator and operations must have been dropped.
    pub fn restart(&self) {
        self.world.purse.forget_held();
        self.world.crew.forget_waiting();
        for record in self.world.jobs.borrow_mut().iter_mut() {
            record.outbox.clear();
            record.requests.clear();
            record.routing = None;
            record.lease = leases::Lease::Free;
        }
    }

    fn id(&self, key: JobKey) -> String {
        self.with(key, |record| record.id.clone()).unwrap_or_default()
    }

    fn with<T>(&self, key: JobKey, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        self.world.jobs.borrow_mut().get_mut(key.0 as usize).map(change)
    }
}

/// In history and nowhere else.
const HISTORY_ONLY: [&str; 2] = ["job_created", "late_result_dropped"];

impl EventBus for MemoryHost {
    fn emit(&self, job: JobKey, events: &[Event<Value>]) {
        let sent = self.with(job, |record| std::mem::take(&mut record.outbox)).unwrap_or_default();
        debug_assert_eq!(sent.len(), events.len(), "what is announced is what was committed last");
        let heard = sent.into_iter().filter(|(_, name)| !HISTORY_ONLY.contains(name));
        self.world.announced.borrow_mut().extend(heard.map(|(seq, name)| Announced { job, seq, name }));
    }
}

impl PerformanceMonitor for MemoryHost {
    fn job_ended(&self, job: JobKey, duration_ms: f64, status: JobStatus) {
        self.world.durations.borrow_mut().push(Duration::Job(job, duration_ms, status));
    }

    fn step_ended(&self, job: JobKey, step: StepIndex, duration_ms: f64, status: StepStatus) {
        self.world.durations.borrow_mut().push(Duration::Step(job, step, duration_ms, status));
    }
}
