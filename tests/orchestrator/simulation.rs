//! Random jobs under random operations, over a host that answers now or later, fails, conflicts and
//! crashes as a seed says. What must always be true is asked for after every poll, and in the end
//! every job can be brought to an end.

use std::{cell::Cell, rc::Rc};

use jobwright::{
    core::{
        outcome::{Code, Refusal},
        permissions::{PermissionPatch, Permissions},
        plan,
    },
    host::{
        JobKey,
        memory::{AgentCall, Fate, HostCall, MemoryHost, Reply},
    },
    orchestrator::{Answer, NewJob, Stop},
};
use serde_json::{Map, Value, json};

use crate::{
    executor::{Handle, Pool},
    history,
    operation::{Engine, Op, Outcome, engine_on},
    random::Random,
    random_jobs::{IDS, SIGNALS, any_permissions, any_plan},
    replay,
    seeds::on_each_seed,
    watch::Watch,
};

/// What goes wrong in a run.
#[derive(Clone, Copy)]
struct Trouble {
    conflicts: bool,
    failures: bool,
    crashes: bool,
}

struct Run {
    random: Random,
    trouble: Trouble,
    host: MemoryHost,
    engine: Engine,
    pool: Pool,
    key: JobKey,
    watch: Watch,
    revision: u64,
    under_way: Vec<Handle<Outcome>>,
    crashed: bool,
    /// From now on everybody does what they can to bring the job to its end.
    kind: Rc<Cell<bool>>,
}

fn any_reply(random: &Random, kind: bool, call: &AgentCall) -> Reply {
    match random.below(if kind { 1 } else { 10 }) {
        0..4 => Reply::done(call.attempt),
        4 => Reply::failed("not yet"),
        5 => Reply::Failed {
            why: Refusal::new(Code::InvalidOutput, "not JSON"),
            retryable: random.percent(50),
            retry_after: random.percent(50).then_some(3.0),
            cost: Some(1.0),
        },
        6 if call.granted.is_empty() => Reply::asks("search", json!(1)),
        _ => Reply::Later,
    }
}

fn any_fate(random: &Random, trouble: Trouble, call: HostCall) -> Fate {
    match call {
        HostCall::Commit(_) if trouble.conflicts && random.percent(8) => Fate::Conflict,
        HostCall::Spent(_) | HostCall::Free(_) | HostCall::Run(_) => Fate::Later(random.below(3) as u32),
        _ if trouble.failures && random.percent(4) => Fate::Fail("broken".to_owned()),
        _ if random.percent(50) => Fate::Go,
        _ => Fate::Later(random.below(4) as u32),
    }
}

impl Run {
    fn new(seed: u64) -> Run {
        let random = Random::new(seed);
        let trouble = Trouble {
            conflicts: random.percent(40),
            failures: random.percent(40),
            crashes: random.percent(50),
        };
        let host = MemoryHost::default();
        let kind = Rc::new(Cell::new(false));
        let (of_agent, kindness) = (random.clone(), Rc::clone(&kind));
        host.set_agent("worker", move |call| any_reply(&of_agent, kindness.get(), call));
        let most = random.below(4) as u64;
        host.set_router(move |job, _| {
            let taken = job["run"]["stepsTaken"].as_u64().unwrap_or(0);
            (taken < most).then(|| json!({ "agent": "worker" }))
        });
        host.set_budget(random.percent(30).then(|| random.below(6) as f64));
        host.always_reread(random.percent(50));
        let key = host.enter("job");
        let permissions = any_permissions(&random);
        let max_steps = permissions.over(Permissions::default()).max_steps;
        let mut run = Run {
            engine: engine_on(&host),
            watch: Watch::new(max_steps),
            pool: Pool::default(),
            under_way: Vec::new(),
            revision: 0,
            crashed: false,
            random,
            trouble,
            host,
            key,
            kind,
        };
        run.create(permissions);
        run
    }

    fn create(&mut self, permissions: PermissionPatch) {
        let plan = self.random.percent(80).then(|| any_plan(&self.random));
        self.watch.read_plan(plan.as_ref());
        let new = NewJob {
            origin: Some(self.host.origin(self.key, json!({}), plan.as_ref())),
            permissions,
            plan: plan.map(|plan| Rc::new(plan::parse(&plan).unwrap())),
            slow_play_ms: self.random.percent(10).then_some(2.0),
            parent: None,
            id_was_given: true,
        };
        let (engine, key) = (Rc::clone(&self.engine), self.key);
        let created = self.pool.spawn(async move { engine.create_job(key, new).await });
        self.pool.settle();
        created.take().expect("a host that answers at once").unwrap();
        self.look();
        self.be_troubled();
    }

    fn be_troubled(&self) {
        let (random, trouble) = (self.random.clone(), self.trouble);
        self.host.choose_fates(move |call| any_fate(&random, trouble, call));
    }

    fn any_op(&self) -> Op {
        let random = &self.random;
        match random.below(20) {
            0..3 => Op::Start,
            3 => Op::Pause,
            4 => Op::approve(),
            5 => Op::Approve(Answer {
                approval: self.any_approval(),
                by: Some("Ada".into()),
                ..Answer::default()
            }),
            6 if random.percent(30) => Op::reject(),
            7 if random.percent(20) => Op::Cancel,
            8 if random.percent(10) => Op::Complete,
            9 if random.percent(10) => Op::Fail,
            10 if random.percent(10) => Op::CompleteAsFailed,
            11 => Op::SetPermissions(any_permissions(random)),
            12 if random.percent(50) => Op::Recover,
            12 => Op::SetBreakpoints(
                IDS.iter().filter(|_| random.percent(10)).map(|id| (*id).to_owned()).collect(),
            ),
            13 => Op::Signal(random.pick(&SIGNALS)),
            14..16 => Op::NextStep(random.percent(50).then(|| json!(1))),
            _ => Op::Run(random.percent(50).then(|| json!(1))),
        }
    }

    fn any_approval(&self) -> Option<String> {
        let approvals =
            self.host.look(self.key, |job| job.and_then(|job| job["run"].get("approvals").cloned()));
        let ids: Vec<Value> = approvals?.as_array()?.iter().map(|approval| approval["id"].clone()).collect();
        if ids.is_empty() { None } else { self.random.pick(&ids).as_str().map(str::to_owned) }
    }

    fn begin(&mut self, op: Op) {
        let (engine, key) = (Rc::clone(&self.engine), self.key);
        self.under_way.push(self.pool.spawn(op.perform(engine, key)));
    }

    /// Does one thing at random.
    fn act(&mut self) {
        let random = self.random.clone();
        match random.below(100) {
            0..15 if self.under_way.len() < 6 => self.begin(self.any_op()),
            15..20 => self.answer_one(),
            20..25 => self.host.advance(random.below(6) as f64),
            25 => self.engine.set_slow_play(random.pick(&[0.0, 0.0, 3.0])),
            26 => self.engine.stop_run(self.key),
            27 if self.trouble.crashes => self.crash(),
            28 if self.under_way.is_empty() => self.engine.forget(self.key),
            _ => {
                self.pool.poll_one(|count| random.below(count));
                self.look();
            }
        }
    }

    fn answer_one(&self) {
        let unanswered = self.host.unanswered();
        if !unanswered.is_empty() {
            let reply = if self.random.percent(60) { Reply::done(0) } else { Reply::failed("late") };
            self.host.answer(self.random.pick(&unanswered), reply);
        }
    }

    fn crash(&mut self) {
        self.crashed = true;
        self.under_way.clear();
        self.pool = Pool::default();
        self.engine = engine_on(&self.host);
        self.host.restart();
        self.be_troubled();
    }

    /// Holds everything that can be seen against what must always be true.
    fn look(&mut self) {
        let (host, key) = (self.host.clone(), self.key);
        let revision =
            host.look(key, |job| job.map_or(0, |job| job["run"]["revision"].as_u64().unwrap_or(0)));
        if revision != self.revision {
            assert!(revision > self.revision);
            self.revision = revision;
            host.look(key, |job| self.watch.look(job.expect("a stored job")));
            if self.random.percent(4) {
                replay::check(&host.job(key).expect("a stored job"));
            }
        }
        let unanswered = host.unanswered().len();
        let most = self.watch.concurrency();
        assert!(unanswered <= most, "{unanswered} agents at work on one job, of which {most} may be");
        let trouble = self.trouble;
        self.under_way.retain(|handle| match handle.take() {
            None => true,
            Some(outcome) => {
                check_outcome(&outcome, trouble);
                false
            }
        });
    }

    /// Everybody does what they can until the job has ended.
    fn finish(&mut self) {
        self.host.be_reliable();
        self.kind.set(true);
        self.host.set_budget(None);
        self.engine.set_slow_play(0.0);
        for _ in 0..60 {
            self.settle();
            if self.host.look(self.key, |job| waits_for_signal(job.expect("a job")))
                && !self.under_way.is_empty()
            {
                SIGNALS.into_iter().for_each(|name| self.begin(Op::Signal(name)));
                continue;
            }
            assert_eq!((self.under_way.len(), self.host.held()), (0, 0), "operations that never end");
            let status = self.host.look(self.key, |job| job.expect("a job")["status"].clone());
            match status.as_str() {
                Some("created") => self.begin(Op::Start),
                Some("running") => self.begin(Op::run()),
                Some("paused") => {
                    let answer = Answer { approval: self.any_approval(), ..Answer::default() };
                    self.begin(Op::Approve(answer));
                    self.settle();
                    let free = PermissionPatch { require_approval: Some(false), ..crate::bench::FREE };
                    self.begin(Op::SetPermissions(free));
                    self.begin(Op::Start);
                }
                _ => return,
            }
        }
        panic!("it comes to no end: {:#}", self.host.job(self.key).expect("a job"));
    }

    fn settle(&mut self) {
        loop {
            let random = self.random.clone();
            while self.pool.poll_one(|count| random.below(count)) {
                self.look();
            }
            if let Some(&number) = self.host.unanswered().first() {
                self.host.answer(number, Reply::done(0));
            } else if let Some(wait) = self.host.next_timer() {
                self.host.advance(wait);
            } else {
                return;
            }
        }
    }

    fn check_end(&self) {
        let job = self.host.job(self.key).expect("a job");
        history::check(&job);
        replay::check(&job);
        assert_eq!((self.host.timers(), self.pool.is_empty()), (0, true));
        if self.crashed {
            return;
        }
        let announced: Vec<(u64, &str)> =
            self.host.announced().into_iter().map(|event| (event.seq, event.name)).collect();
        let history = job["history"].as_array().into_iter().flatten();
        let told: Vec<(u64, &str)> = history
            .map(|event| (event["seq"].as_u64().expect("a number"), event["type"].as_str().expect("a type")))
            .filter(|(_, name)| !["job_created", "late_result_dropped"].contains(name))
            .collect();
        assert_eq!(announced, told, "everything that is stored is announced, once and in order");
        // Each step that ended after it began, and the job.
        let begun = job["run"]["steps"].as_object().into_iter().flatten();
        let begun = begun.filter(|(_, step)| step.get("startedAt").is_some()).count();
        assert!(begun <= self.watch.ended());
        assert_eq!(self.host.durations().len(), begun + 1, "durations of what ended, each once");
    }
}

fn waits_for_signal(job: &Map<String, Value>) -> bool {
    let steps = job["run"]["steps"].as_object();
    steps.into_iter().flatten().any(|(_, step)| step["status"] == "waiting" && step.get("dueAt").is_none())
}

fn check_outcome(outcome: &Outcome, trouble: Trouble) {
    match outcome {
        Ok(_) | Err(Stop::BudgetRefused(_)) => {}
        Err(Stop::Failed(error)) => assert!(trouble.failures && error == "broken", "{error}"),
        Err(Stop::Refused(refusal)) => {
            let fine = refusal.code != Code::Internal && refusal.code != Code::NotFound;
            assert!(fine && !refusal.message.is_empty(), "{refusal:?}");
        }
    }
}

fn simulate(seed: u64) {
    let mut run = Run::new(seed);
    let random = run.random.clone();
    for _ in 0..20 + random.below(100) {
        run.act();
    }
    run.finish();
    run.check_end();
}

#[test]
fn whatever_happens_a_job_stays_in_order_and_can_be_ended() {
    on_each_seed(20_000, simulate);
}
