//! The real orchestrator over a host in memory, to which the same things happen.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use jobwright::{
    core::plan,
    create_orchestrator,
    host::{
        JobKey,
        memory::{Fate, HostCall, MemoryHost},
    },
    orchestrator::{Answer, NewJob},
};
use serde_json::{Map, Value};

use crate::{
    asks::{Asked, Orchestrator, patch, perform},
    case::{Ask, Attempt, Case, Crash, Move, Told, Which},
    edits::edited,
    executor::{Handle, Pool},
    interpreter::{Call, Draw},
    job::AGENT,
    random::Random,
    replay::replay,
    worker::{Calls, answer, reply},
};

/// More than anything takes to come to rest.
const MOST_POLLS: usize = 10_000;

pub struct Engine {
    host: MemoryHost,
    orchestrator: Rc<Orchestrator>,
    pool: Pool,
    asked: Vec<(usize, Handle<Told>)>,
    /// What agents were called with, and those calls that have no answer yet.
    calls: Rc<RefCell<Calls>>,
    watched: Rc<RefCell<Watched>>,
}

/// What happens to the engine.
pub struct Happens<'a> {
    pub what: &'a Move,
    /// The question's.
    pub number: usize,
    /// Whose job somebody asks about: its id.
    pub job: String,
    /// The idempotency keys of the attempts that end.
    pub finish: Vec<String>,
    /// How far a tick goes.
    pub ms: f64,
    pub crash: Option<Crash>,
}

/// What goes from the orchestrator to the host.
#[derive(Default)]
struct Watched {
    calls: usize,
    commits: BTreeMap<JobKey, usize>,
    crash: Option<Crash>,
}

impl Engine {
    /// `rereads`: everything is read again from its stored form for each decision.
    pub fn new(case: &Case, rereads: bool) -> Engine {
        let host = MemoryHost::default();
        let calls = Rc::<RefCell<Calls>>::default();
        let (made, script) = (Rc::clone(&calls), case.clone());
        host.set_agent_that_costs(AGENT, case.estimate, move |call| {
            answer(&script, call, &mut made.borrow_mut())
        });
        host.set_budget(case.budget);
        host.always_reread(rereads);
        let watched = Rc::<RefCell<Watched>>::default();
        let mut engine = Engine {
            orchestrator: Rc::new(create_orchestrator(host.clone())),
            pool: Pool::default(),
            asked: Vec::new(),
            calls,
            watched,
            host,
        };
        engine.watch();
        engine.create(case);
        engine
    }

    fn create(&mut self, case: &Case) {
        let key = self.host.enter("job");
        let new = NewJob {
            origin: Some(self.host.origin(key, case.context.clone(), Some(&case.plan))),
            permissions: patch(case.permissions),
            plan: Some(Rc::new(plan::parse(&case.plan).expect("a valid plan"))),
            slow_play_ms: None,
            parent: None,
            id_was_given: true,
        };
        let orchestrator = Rc::clone(&self.orchestrator);
        let created = self.pool.spawn(async move { orchestrator.create_job(key, new).await });
        self.pool.settle();
        created.take().expect("a host that answers at once").expect("a new job");
    }

    fn watch(&self) {
        let watched = Rc::clone(&self.watched);
        self.host.choose_fates(move |call| watched.borrow_mut().fate_of(call));
    }

    /// Something happens, to the job with this id. Gives whether the process came to its end.
    pub fn happen(&mut self, happens: &Happens<'_>, script: &Case) -> bool {
        let Happens { what, number, job, finish, ms, crash } = happens;
        {
            let mut watched = self.watched.borrow_mut();
            (watched.calls, watched.crash) = (0, *crash);
        }
        match what {
            Move::Finish(_) => finish.iter().for_each(|key| self.finish(key, script)),
            Move::Tick => self.host.advance(*ms),
            Move::Pass(ms) => self.host.advance(*ms),
            Move::Fund(budget) => self.host.set_budget(*budget),
            Move::Ask(_, ask) => self.ask(job, ask, *number),
            Move::Crash => {}
        }
        let polls = (0..MOST_POLLS).take_while(|_| self.pool.poll_one(|_| 0)).count();
        assert!(polls < MOST_POLLS, "operations that are never at rest");
        let crashes = crash.is_some() || **what == Move::Crash;
        if crashes {
            self.crash();
        }
        crashes
    }

    fn crash(&mut self) {
        self.asked.clear();
        self.pool = Pool::default();
        self.orchestrator = Rc::new(create_orchestrator(self.host.clone()));
        self.host.restart();
        self.calls.borrow_mut().unanswered.clear();
        self.watched.borrow_mut().crash = None;
    }

    fn finish(&self, key: &str, script: &Case) {
        let mut calls = self.calls.borrow_mut();
        let at = calls.unanswered.iter().position(|(call, _)| call.key == key).expect("at work");
        let (call, number) = calls.unanswered.remove(at);
        self.host.answer(number, reply(&script.play(&call.attempt), &call.granted));
    }

    fn ask(&mut self, job: &str, ask: &Ask, number: usize) {
        let engine = Rc::clone(&self.orchestrator);
        let key = self.host.enter(job);
        if *ask == Ask::StopRun {
            engine.stop_run(key);
        }
        let ask = match ask {
            Ask::Approve(which, by) => Asked::Approve(self.answer(job, which, *by)),
            Ask::Reject(which) => Asked::Reject(self.answer(job, which, None)),
            other => Asked::Other(other.clone()),
        };
        self.asked.push((number, self.pool.spawn(perform(engine, key, ask))));
    }

    fn answer(&self, job: &str, which: &Which, by: Option<&str>) -> Answer {
        let by = by.map(str::to_owned);
        match which {
            Which::Only => Answer { by, ..Answer::default() },
            Which::Step(id) => Answer { step: Some(id.clone()), by, ..Answer::default() },
            Which::Listed(place) => {
                let ids = self.look(job, |job| {
                    let approvals = job.expect("a job")["run"]["approvals"].as_array().into_iter().flatten();
                    approvals.map(|approval| approval["id"].clone()).collect::<Vec<Value>>()
                });
                let id = ids.get(place % ids.len().max(1)).and_then(Value::as_str).unwrap_or("none");
                Answer { approval: Some(id.to_owned()), by, ..Answer::default() }
            }
        }
    }

    /// What was told since it was last asked.
    pub fn told(&mut self) -> Vec<(usize, Told)> {
        let mut told = Vec::new();
        self.asked.retain(|(number, handle)| match handle.take() {
            Some(answer) => {
                told.push((*number, answer));
                false
            }
            None => true,
        });
        told
    }

    /// Looks at a job as it is stored.
    pub fn look<T>(&self, job: &str, read: impl FnOnce(Option<&Map<String, Value>>) -> T) -> T {
        self.host.look(self.host.enter(job), read)
    }

    /// Decides a job's history again: the third world. One in which a decision is another must not pass.
    pub fn replay(&self, id: &str, random: &Random) -> Result<(), String> {
        self.look(id, |job| {
            let job = job.expect("a job");
            replay(job).map_err(|difference| format!("job {id}, replayed: {difference:?}"))?;
            match edited(job, random) {
                Some((edited, what)) if replay(&edited).is_ok() => {
                    Err(format!("job {id}, replayed with an edit that nobody finds: {what}"))
                }
                _ => Ok(()),
            }
        })
    }

    /// How many commits were made to a job.
    pub fn commits(&self, job: &str) -> usize {
        self.watched.borrow().commits.get(&self.host.enter(job)).copied().unwrap_or(0)
    }

    /// When attempts that failed, of any job, were to be made again.
    pub fn draws(&self) -> Vec<Draw> {
        self.watched.borrow().commits.keys().flat_map(|job| self.draws_of(*job)).collect()
    }

    fn draws_of(&self, job: JobKey) -> Vec<Draw> {
        self.host.look(job, |job| {
            let id = job.and_then(|job| job["id"].as_str()).unwrap_or_default();
            let history = job.and_then(|job| job.get("history")?.as_array());
            let failed = history.into_iter().flatten().filter(|event| !event["payload"]["retryAt"].is_null());
            let draws = failed.map(|event| {
                let payload = &event["payload"];
                let count = |key: &str| payload[key].as_u64();
                let attempt = Attempt {
                    step: payload["step"].as_str().unwrap_or_default().to_owned(),
                    item: count("item").map(|item| item as usize),
                    round: count("round").unwrap_or(1),
                    number: count("attempt").unwrap_or(0),
                };
                let at = payload["retryAt"].as_f64().expect("a moment");
                Draw { job: id.to_owned(), attempt, at, later: payload.get("retryAfter").is_some() }
            });
            draws.collect()
        })
    }

    /// The calls of agents since it was last asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.borrow_mut().made)
    }

    /// The attempts that have no answer yet: whose job's each is.
    pub fn unanswered(&self) -> Vec<String> {
        let waiting = self.host.unanswered();
        let calls = self.calls.borrow();
        let waiting = calls.unanswered.iter().filter(|(_, number)| waiting.contains(number));
        let job_of = |call: &Call| {
            let own = format!(":{}", call.attempt.step);
            call.key.rfind(&own).map_or(String::new(), |end| call.key[..end].to_owned())
        };
        waiting.map(|(call, _)| job_of(call)).collect()
    }

    pub fn budget(&self) -> Option<f64> {
        self.host.budget()
    }

    pub fn held(&self) -> usize {
        self.host.held()
    }

    pub fn timers(&self) -> usize {
        self.host.timers()
    }

    pub fn is_idle(&self) -> bool {
        self.pool.is_empty()
    }
}

impl Watched {
    fn fate_of(&mut self, call: HostCall) -> Fate {
        // The look for an agent has no fate but its answer.
        if matches!(call, HostCall::FindAgent(_)) {
            return Fate::Go;
        }
        let number = self.calls;
        self.calls += 1;
        let fate = match self.crash {
            Some(crash) if number == crash.call && crash.done => Fate::DoneThenNever,
            Some(crash) if number >= crash.call => Fate::Never,
            _ => Fate::Go,
        };
        if let HostCall::Commit(job) = call
            && fate != Fate::Never
        {
            *self.commits.entry(job).or_default() += 1;
        }
        fate
    }
}
