//! Random trees that are cancelled while creators, runners and a store that answers when it likes are at work on them,
//! in one process or in two: no descendant escapes.
//!
//! `JOBWRIGHT_RUNS` and `JOBWRIGHT_SEED` as in `seeds`.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use jobwright::{
    core::{outcome::Code, plan, status::JobStatus},
    host::{
        Abort, ChildJobs, Clock, JobKey,
        memory::{Fate, HostCall, MemoryHost, Reply},
    },
    orchestrator::{CancelResult, NewJob, Stop},
};
use serde_json::{Value, json};

use crate::{
    bench::FREE,
    executor::{Handle, Pool},
    operation::{Engine, Gave, Op, Outcome, engine_on},
    random::Random,
    seeds::on_each_seed,
};

/// More jobs than a run makes.
const MOST_JOBS: u32 = 120;

const ROOT: JobKey = JobKey(0);

struct Run {
    random: Random,
    host: MemoryHost,
    /// The processes on this store.
    engines: Vec<Engine>,
    pool: Pool,
    under_way: Vec<(Op, Handle<Outcome>)>,
    created: u32,
    /// Jobs whose agents want a child made, below their own job.
    wishes: Rc<RefCell<Vec<JobKey>>>,
    fails: bool,
    /// The cancel of the root: which jobs had ended before, when it began, and what it gave.
    had_ended: Rc<RefCell<BTreeSet<JobKey>>>,
    since: Rc<Cell<f64>>,
    cancel: Option<Handle<Outcome>>,
    /// How many agents had been called when the first one was aborted.
    calls_at_abort: Option<usize>,
}

fn any_plan(random: &Random, depth: usize) -> Value {
    let steps: Value = (0..1 + random.below(3))
        .map(|place| {
            let id = format!("s{place}");
            let mut step = match random.below(8) {
                0 => json!({ "id": id, "approve": {} }),
                1 => json!({ "id": id, "wait": { "ms": random.below(20) } }),
                2..5 if depth > 0 => json!({ "id": id, "job": { "plan": any_plan(random, depth - 1) } }),
                _ => json!({ "id": id, "agent": "worker" }),
            };
            if random.percent(50) {
                step["after"] = json!([]);
            }
            step
        })
        .collect();
    json!({ "steps": steps, "concurrency": 1 + random.below(3) })
}

fn jobs(host: &MemoryHost) -> Vec<JobKey> {
    let is_stored = |key: &JobKey| host.look(*key, |job| job.is_some());
    (0..MOST_JOBS).map(JobKey).filter(is_stored).collect()
}

fn status(host: &MemoryHost, key: JobKey) -> JobStatus {
    let name = host.look(key, |job| job.expect("a stored job")["status"].clone());
    JobStatus::ALL.into_iter().find(|status| name == status.name()).expect("a status")
}

impl Run {
    fn new(random: Random, fails: bool) -> Run {
        let host = MemoryHost::default();
        let wishes = Rc::new(RefCell::new(Vec::new()));
        let (wanted, of_agent) = (Rc::clone(&wishes), random.clone());
        host.set_agent("worker", move |call| {
            if of_agent.percent(30) {
                wanted.borrow_mut().push(call.job);
            }
            if of_agent.percent(40) { Reply::done(1) } else { Reply::Later }
        });
        host.always_reread(random.percent(50));
        let processes = 1 + random.below(2);
        let mut run = Run {
            engines: (0..processes).map(|_| engine_on(&host)).collect(),
            pool: Pool::default(),
            under_way: Vec::new(),
            created: 0,
            wishes,
            fails,
            had_ended: Rc::default(),
            since: Rc::default(),
            cancel: None,
            calls_at_abort: None,
            random,
            host,
        };
        run.create(None);
        run.pool.settle();
        run.begin(ROOT, Op::Start);
        run.be_troubled();
        run
    }

    fn be_troubled(&self) {
        let (random, fails) = (self.random.clone(), self.fails);
        self.host.choose_fates(move |call| match call {
            HostCall::Spent(_) | HostCall::Free(_) | HostCall::Run(_) => Fate::Go,
            _ if fails && random.percent(6) => Fate::Fail("broken".to_owned()),
            _ if random.percent(40) => Fate::Go,
            _ => Fate::Later(random.below(6) as u32),
        });
    }

    fn engine(&self) -> Engine {
        Rc::clone(&self.engines[self.random.below(self.engines.len())])
    }

    fn jobs(&self) -> Vec<JobKey> {
        jobs(&self.host)
    }

    fn status(&self, key: JobKey) -> JobStatus {
        status(&self.host, key)
    }

    fn was_cancelled(&self, key: JobKey) -> bool {
        self.host.look(key, |job| job.expect("a stored job")["run"]["failure"]["code"] == "cancelled")
    }

    fn completed(&self, key: JobKey) -> f64 {
        let at = self.host.look(key, |job| job.expect("a stored job")["timing"]["completed"].as_f64());
        at.expect("the time of its end")
    }

    fn parent(&self, key: JobKey) -> Option<JobKey> {
        let id = self.host.look(key, |job| job.expect("a stored job").get("parentId").cloned())?;
        Some(self.host.enter(id.as_str().expect("an id")))
    }

    /// Begins to make a job, and to start and run it when it is made.
    fn create(&mut self, parent: Option<JobKey>) {
        if self.created > 30 {
            return;
        }
        let key = self.host.enter(&format!("job{}", self.created));
        self.created += 1;
        let mut plan = any_plan(&self.random, 2);
        if parent.is_none() {
            // It does not end before it is cancelled.
            let steps = plan["steps"].as_array_mut().expect("a list");
            steps.push(json!({ "id": "never", "wait": { "signal": "never" }, "after": [] }));
        }
        let mut origin = self.host.origin(key, json!({}), Some(&plan));
        if let Some(parent) = parent {
            let id = self.host.look(parent, |job| job.expect("a stored job")["id"].clone());
            origin["parentId"] = id;
        }
        let new = NewJob {
            origin: Some(origin),
            permissions: FREE,
            plan: Some(Rc::new(plan::parse(&plan).expect("a plan"))),
            slow_play_ms: None,
            parent,
            id_was_given: true,
        };
        let (engine, host, runs) = (self.engine(), self.host.clone(), self.random.percent(60));
        let is_late = parent.is_some_and(|parent| self.status(parent).has_ended());
        let handle = self.pool.spawn(async move {
            let created = engine.create_job(key, new).await;
            assert!(!(is_late && created.is_ok()), "a child of a job that has ended");
            if let Err(Stop::Refused(refusal)) = &created {
                assert_eq!(
                    (refusal.code, &*refusal.message),
                    (Code::InvalidArgument, "The parent job has ended")
                );
                let is_open = host.look(key, |job| job.is_some_and(|job| job["status"] != "failed"));
                assert!(!is_open, "nobody was told of a job that is there");
            }
            created?;
            if runs {
                engine.start_job(key).await?;
                engine.run_job(key, None).await?;
            }
            Ok(Gave::Nothing)
        });
        self.under_way.push((Op::Start, handle));
    }

    fn begin(&mut self, key: JobKey, op: Op) {
        let handle = self.pool.spawn(op.clone().perform(self.engine(), key));
        self.under_way.push((op, handle));
    }

    /// Somebody cancels the root.
    fn cancel(&mut self) {
        let since = Rc::clone(&self.since);
        let (host, engine, had_ended) = (self.host.clone(), self.engine(), Rc::clone(&self.had_ended));
        self.cancel = Some(self.pool.spawn(async move {
            host.advance(1.0);
            since.set(host.now());
            *had_ended.borrow_mut() =
                jobs(&host).into_iter().filter(|&job| status(&host, job).has_ended()).collect();
            Op::Cancel.perform(engine, ROOT).await
        }));
    }

    fn act(&mut self) {
        let random = self.random.clone();
        let wish = self.wishes.borrow_mut().pop();
        if let Some(parent) = wish {
            self.create(Some(parent));
        }
        match random.below(100) {
            0..5 => self.create(Some(random.pick(&self.jobs()))),
            5..12 => {
                let op =
                    random.pick(&[Op::Start, Op::Pause, Op::approve(), Op::run(), Op::run(), Op::next()]);
                self.begin(random.pick(&self.jobs()), op);
            }
            12..17 => self.answer_one(),
            17..20 => self.host.advance(random.below(6) as f64),
            _ => self.poll(),
        }
    }

    fn answer_one(&self) {
        let unanswered = self.host.unanswered();
        if !unanswered.is_empty() {
            self.host.answer(self.random.pick(&unanswered), Reply::done(0));
        }
    }

    fn poll(&mut self) {
        let random = self.random.clone();
        self.pool.poll_one(|count| random.below(count));
        self.look();
    }

    /// In one process, nothing begins in the tree once an agent has heard that it was cancelled.
    fn look(&mut self) {
        let calls = self.host.calls().len();
        match self.calls_at_abort {
            Some(before) => {
                assert_eq!(calls, before, "an agent is called in a tree whose agents are aborted")
            }
            None if self.engines.len() > 1 => {}
            None => {
                if self.host.aborted().iter().any(|(_, why)| *why == Abort::Cancelled) {
                    self.calls_at_abort = Some(calls);
                    let open = self.jobs().into_iter().find(|&job| self.status(job) == JobStatus::Running);
                    assert!(open.is_none() || self.fails, "{open:?} is running, and agents are aborted");
                }
            }
        }
        self.calls_at_abort = self.calls_at_abort.filter(|_| !self.fails);
    }

    /// Lets everything end. Agents elsewhere don't hear of a cancel, and answer some day.
    fn settle(&mut self) {
        loop {
            let random = self.random.clone();
            while self.pool.poll_one(|count| random.below(count)) {
                self.look();
            }
            let wish = self.wishes.borrow_mut().pop();
            if let Some(parent) = wish {
                self.create(Some(parent));
            } else if let Some(wait) = self.host.next_timer() {
                self.host.advance(wait);
            } else if self.engines.len() > 1 || self.fails {
                if self.host.unanswered().is_empty() {
                    return;
                }
                self.answer_one();
            } else {
                assert_eq!(self.host.unanswered(), [0; 0], "agents that don't hear of the cancel");
                return;
            }
        }
    }

    fn check_ended(&self) {
        for job in self.jobs() {
            let status = self.status(job);
            assert!(status.has_ended(), "{job:?} escaped: {status:?}, of {:?}", self.parent(job));
        }
    }

    fn check_results(&self, results: &[(JobKey, CancelResult)]) {
        let before = self.had_ended.borrow();
        let mut path: Vec<JobKey> = Vec::new();
        for &(job, result) in results {
            let had_ended = before.contains(&job);
            match result {
                CancelResult::Cancelled => assert!(self.was_cancelled(job) && !had_ended, "{job:?}"),
                // Its cancel was decided before, and stored late.
                CancelResult::AlreadyEnded if self.completed(job) < self.since.get() => {}
                CancelResult::AlreadyEnded => assert!(had_ended || !self.was_cancelled(job), "{job:?}"),
            }
            // Each job comes behind its parent, with all that is below it before the next.
            let parent = self.parent(job);
            path.truncate(path.iter().rposition(|&on| Some(on) == parent).map_or(0, |place| place + 1));
            assert_eq!(path.last().copied(), parent, "{job:?} stands in the wrong place: {results:?}");
            path.push(job);
        }
        let named: BTreeSet<JobKey> = results.iter().map(|(job, _)| *job).collect();
        assert_eq!(named.len(), results.len(), "{results:?}");
        for job in self.jobs().into_iter().filter(|job| !named.contains(job)) {
            assert!(!before.contains(&job) && self.was_cancelled(job), "{job:?} is not in {results:?}");
        }
    }

    /// The processes end in the middle; another one begins.
    fn crash(&mut self) {
        self.under_way.clear();
        self.wishes.borrow_mut().clear();
        (self.pool, self.cancel) = (Pool::default(), None);
        self.engines = vec![engine_on(&self.host)];
        self.host.restart();
        self.host.be_reliable();
    }
}

fn run_and_cancel(seed: u64, fails: bool) -> Run {
    let random = Random::new(seed);
    let mut run = Run::new(random.clone(), fails);
    for _ in 0..random.below(200) {
        run.act();
    }
    run.cancel();
    for _ in 0..random.below(60) {
        run.act();
    }
    run
}

/// The cancel is asked for again and again, until there is nothing left to do.
fn cancel_the_rest(run: &mut Run) {
    run.host.be_reliable();
    for _ in 0..3 {
        let cancel = run.pool.spawn(Op::Cancel.perform(run.engine(), ROOT));
        run.settle();
        match cancel.take() {
            Some(Ok(Gave::Cancelled(_))) => {}
            Some(Err(Stop::Refused(refusal))) if refusal.code == Code::InvalidTransition => {
                return run.check_ended();
            }
            other => panic!("the cancel gave {other:?}"),
        }
    }
    panic!("there is always something left to cancel");
}

#[test]
fn a_cancel_that_the_store_cuts_short_is_said_to_have_failed_and_can_be_finished() {
    on_each_seed(700, |seed| {
        let mut run = run_and_cancel(seed, true);
        run.settle();
        match run.cancel.as_ref().and_then(Handle::take) {
            Some(Ok(Gave::Cancelled(results))) => assert_eq!(results[0], (ROOT, CancelResult::Cancelled)),
            Some(Err(Stop::Failed(error))) => assert_eq!(error, "broken"),
            other => panic!("the cancel gave {other:?}"),
        }
        cancel_the_rest(&mut run);
    });
}

#[test]
fn after_a_crash_nothing_below_a_cancelled_job_is_taken_up_and_its_tree_can_be_cancelled() {
    on_each_seed(700, |seed| {
        let mut run = run_and_cancel(seed, false);
        run.crash();
        let engine = run.engine();
        let recovered = run.pool.spawn(Op::Recover.perform(engine, ROOT));
        run.pool.settle();
        let Some(Ok(Gave::Resumed(resumed))) = recovered.take() else { panic!("not recovered") };
        for job in resumed {
            assert_eq!(run.status(job), JobStatus::Running, "{job:?}");
            // Others may have been left as they were, by who ended their parent.
            let by_step =
                |parent: JobKey| run.host.id_of(job).starts_with(&format!("{}:", run.host.id_of(parent)));
            let lost = |parent: JobKey| by_step(parent) && run.was_cancelled(parent);
            assert!(!run.parent(job).is_some_and(lost), "{job:?} goes on");
        }
        cancel_the_rest(&mut run);
    });
}

#[test]
fn no_descendant_escapes() {
    on_each_seed(1_500, |seed| {
        let mut run = run_and_cancel(seed, false);
        run.settle();
        run.check_ended();
        let hanging = run.under_way.iter().find(|(_, handle)| !handle.has_ended());
        // Nobody tells a run elsewhere that its wait is in vain.
        assert!(hanging.is_none() || run.engines.len() > 1, "{:?} hangs", hanging.map(|(op, _)| op));
        match run.cancel.as_ref().and_then(Handle::take) {
            Some(Ok(Gave::Cancelled(results))) => run.check_results(&results),
            other => panic!("the cancel gave {other:?}"),
        }
    });
}
