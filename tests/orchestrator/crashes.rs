//! A process that ends at the n-th call of its host, before or after the call was done, for every n:
//! another one goes on, no step that was committed runs again, and each ends once.

use jobwright::{
    core::permissions::PermissionPatch,
    host::{
        JobKey,
        memory::{Fate, MemoryHost, Reply},
    },
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, FREE, WORLDS, World},
    history,
    operation::{Gave, Op},
};

const STEPS: [&str; 4] = ["one", "two", "three", "four"];

fn plan() -> Value {
    json!([
        { "id": "one", "agent": "worker", "cost": 2 },
        { "id": "two", "agent": "worker", "retry": { "maxAttempts": 3, "backoffMs": 10 } },
        { "id": "three", "agent": "worker", "approval": true },
        { "id": "four", "agent": "searcher", "tools": ["search"] },
    ])
}

fn bench(world: World) -> (Bench, JobKey) {
    let bench = Bench::new(world);
    set_agents(&bench.host);
    bench.engine.set_slow_play(1.0);
    let key = bench.create("job", Some(plan()), PermissionPatch { max_steps: Some(4), ..FREE });
    (bench, key)
}

fn set_agents(host: &MemoryHost) {
    host.set_agent("worker", |call| match (call.step.as_str(), call.attempt) {
        ("two", 1) => Reply::failed("not yet"),
        _ => Reply::Done { output: json!([call.step, call.input]), cost: Some(1.0) },
    });
    host.set_agent("searcher", |call| {
        if call.granted.is_empty() { Reply::asks("search", json!("cats")) } else { Reply::done("found") }
    });
}

/// Does all that a caller would until the job has ended, or the process has.
fn drive(bench: &Bench, key: JobKey) {
    for _ in 0..20 {
        let status = bench.status(key);
        // For the first step: whoever comes later has nothing to give.
        let begun = bench.step(key, "one").get("startedAt").is_some();
        let op = match status.as_str() {
            "created" => Op::Start,
            "running" => Op::Run((!begun).then(|| json!("given"))),
            "paused" => Op::approve(),
            _ => return,
        };
        let operation = bench.begin(key, op);
        bench.pass_all();
        if !operation.has_ended() {
            return;
        }
    }
    panic!("the job came to no end: {:#}", bench.job(key));
}

/// The process ends at its n-th call from now; it is false where it made fewer.
fn crash_at(bench: &Bench, n: usize, fate: Fate) -> impl Fn() -> bool + use<> {
    let made = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = std::rc::Rc::clone(&made);
    bench.host.choose_fates(move |_| {
        count.set(count.get() + 1);
        match count.get() - 1 {
            call if call < n => Fate::Go,
            call if call == n => fate.clone(),
            // A process that has ended makes no calls.
            _ => Fate::Never,
        }
    });
    move || made.get() > n
}

fn committed(bench: &Bench, key: JobKey) -> Vec<String> {
    bench.payloads(key, "step_completed").iter().map(|it| it["step"].as_str().unwrap().to_owned()).collect()
}

/// Another process takes the job over; what it recovers, it recovers once.
fn take_over(bench: Bench, key: JobKey) -> Bench {
    let bench = bench.crash();
    let running = bench.status(key) == "running";
    let resumed = if running { vec![key] } else { vec![] };
    assert_eq!(bench.go(key, Op::Recover), Ok(Gave::Resumed(resumed.clone())));
    let recovered = bench.seen(key);
    assert_eq!(bench.go(key, Op::Recover), Ok(Gave::Resumed(resumed)));
    assert_eq!(bench.seen(key), recovered, "a second time there is nothing to recover");
    bench
}

/// What the job came to, without its times and numbers.
fn end_of(bench: &Bench, key: JobKey) -> Value {
    let job = bench.job(key);
    let states = STEPS.map(|step| {
        json!([step, job["run"]["steps"][step]["status"], job["run"]["steps"][step]["attempts"]])
    });
    json!([job["status"], job["context"], states, job["run"]["stepsTaken"]])
}

fn check_calls(bench: &Bench, before: usize, done: &[String]) {
    let calls = bench.host.calls();
    for call in &calls[before..] {
        assert!(!done.contains(&call.step), "{} was committed and ran again", call.step);
    }
    for call in &calls {
        assert_eq!(call.idempotency_key, format!("job:{}", call.step));
        let first = calls.iter().find(|other| other.step == call.step).unwrap();
        assert_eq!(call.input, first.input, "{} is given the same each time", call.step);
    }
}

#[test]
fn a_job_goes_on_wherever_its_process_ended() {
    for world in WORLDS {
        let (straight, key) = bench(world);
        drive(&straight, key);
        let good = end_of(&straight, key);
        assert_eq!(good[0], "completed");
        for fate in [Fate::Never, Fate::DoneThenNever] {
            let mut n = 0;
            loop {
                let (bench, key) = bench(world);
                let crashed = crash_at(&bench, n, fate.clone());
                drive(&bench, key);
                if !crashed() {
                    break;
                }
                let (done, before) = (committed(&bench, key), bench.called().len());
                let bench = take_over(bench, key);
                drive(&bench, key);
                assert_eq!(end_of(&bench, key), good, "ended at call {n}, {fate:?}");
                check_calls(&bench, before, &done);
                history::check(&bench.job(key));
                assert_eq!((bench.host.held(), bench.host.timers()), (0, 0));
                n += 1;
            }
            assert!(n > 30, "{n} calls");
        }
    }
}

#[test]
fn a_job_goes_on_when_the_process_that_took_it_over_ends_too() {
    let (straight, key) = bench(World::Straight);
    drive(&straight, key);
    let good = end_of(&straight, key);
    for first in 0.. {
        let (started, key) = bench(World::Straight);
        let crashed = crash_at(&started, first, Fate::DoneThenNever);
        drive(&started, key);
        if !crashed() {
            break;
        }
        for second in (0..).step_by(3) {
            let (bench, key) = bench(World::Straight);
            let _ = crash_at(&bench, first, Fate::DoneThenNever);
            drive(&bench, key);
            let bench = take_over(bench, key);
            let crashed = crash_at(&bench, second, Fate::Never);
            drive(&bench, key);
            if !crashed() {
                break;
            }
            let (done, before) = (committed(&bench, key), bench.called().len());
            let bench = take_over(bench, key);
            drive(&bench, key);
            assert_eq!(end_of(&bench, key), good, "ended at calls {first} and {second}");
            check_calls(&bench, before, &done);
            history::check(&bench.job(key));
        }
    }
}

/// An attempt that was cut off is made again under its own number, and said to be.
#[test]
fn an_attempt_that_was_cut_off_is_made_again() {
    for world in WORLDS {
        let bench = Bench::new(world);
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(crate::bench::steps(&["one"]));
        let run = bench.begin(key, Op::Run(Some(json!("given"))));
        assert!(!run.has_ended());
        let bench = bench.crash();
        bench.go(key, Op::Recover).unwrap();
        let state = bench.step(key, "one");
        assert_eq!((state["status"].as_str(), &state["interrupted"]), (Some("pending"), &json!(true)));
        bench.host.set_agent("worker", |call| Reply::done(call.input.clone()));
        // What the first caller gave, whatever this one gives.
        bench.go(key, Op::Run(Some(json!("other")))).unwrap();
        assert_eq!(bench.called(), [("one".to_owned(), 1), ("one".to_owned(), 1)]);
        assert_eq!(bench.job(key)["context"]["one"], "given");
        let names = ["job_created", "job_started", "step_started", "step_recovered", "step_started"];
        assert_eq!(bench.history(key)[..5], names);
    }
}
