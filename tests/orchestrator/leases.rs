//! Somebody else gets the right to run a job at the n-th call of the host, for every n: whoever ran it commits nothing
//! more, says so, and can go on with it once that is over.

use std::{cell::RefCell, rc::Rc};

use jobwright::{
    core::outcome::Code,
    host::{
        JobKey,
        memory::{Fate, MemoryHost, Reply},
    },
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, WORLDS, World, in_each_world},
    operation::{Gave, Op, Outcome, refusal, refused},
};

fn bench(world: World) -> (Bench, JobKey) {
    let bench = Bench::new(world);
    bench.host.set_agent("worker", |call| match (call.step.as_str(), call.attempt) {
        ("two", 1) => Reply::failed("not yet"),
        _ => Reply::done(json!([call.step, call.input])),
    });
    let key = bench.started(json!([
        { "id": "one", "agent": "worker", "cost": 2 },
        { "id": "two", "agent": "worker", "retry": { "maxAttempts": 3, "backoffMs": 10 } },
        { "id": "beside", "agent": "worker", "after": [], "cost": 1 },
        { "id": "last", "agent": "worker", "after": ["two", "beside"] },
    ]));
    (bench, key)
}

/// At the n-th call from now, somebody else gets the lease; what was stored then.
fn take_at(host: &MemoryHost, key: JobKey, n: usize) -> Rc<RefCell<Option<Value>>> {
    let taken: Rc<RefCell<Option<Value>>> = Rc::default();
    let (world, stored) = (host.clone(), Rc::clone(&taken));
    let mut calls = 0;
    host.choose_fates(move |_| {
        if calls == n {
            world.take_lease(key);
            *stored.borrow_mut() = world.job(key);
        }
        calls += 1;
        Fate::Go
    });
    taken
}

fn elsewhere() -> Outcome {
    refusal(Code::Conflict, "Job is being run elsewhere")
}

fn run(bench: &Bench, key: JobKey, told: bool) -> Outcome {
    let run = bench.begin(key, Op::run());
    if told {
        bench.now(async move |engine| engine.lease_lost(key));
    }
    bench.pass_all();
    run.take().expect("it ends")
}

#[test]
fn whoever_loses_the_lease_commits_nothing_more() {
    for world in WORLDS {
        for told in [false, true] {
            for n in 0.. {
                let (bench, key) = bench(world);
                let taken = take_at(&bench.host, key, n);
                let outcome = run(&bench, key, told);
                bench.host.be_reliable();
                let Some(stored) = taken.borrow().clone() else { break };
                assert_eq!(bench.host.job(key), Some(stored), "call {n}: what is stored stays");
                if bench.status(key) == "running" {
                    assert_eq!(outcome, elsewhere(), "call {n}");
                    assert_eq!(bench.go(key, Op::run()), elsewhere(), "call {n}: it has not come back");
                    assert_eq!(bench.go(key, Op::Recover), Ok(Gave::Resumed(vec![])), "call {n}");
                }
                bench.host.free_lease(key);
                assert_eq!(run(&bench, key, false), Ok(Gave::Nothing), "call {n}: it goes on");
                let done: Vec<Value> = bench.payloads(key, "step_completed");
                assert_eq!(done.len(), 4, "call {n}: each step is committed once");
            }
        }
    }
}

#[test]
fn a_job_that_is_run_elsewhere_can_be_paused_answered_and_ended() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::done("done"));
        let key = bench.started(json!([{ "id": "one", "agent": "worker" }]));
        bench.host.take_lease(key);
        assert_eq!(bench.go(key, Op::next()), elsewhere());
        assert_eq!(bench.go(key, Op::Pause), Ok(Gave::Nothing));
        assert_eq!(bench.go(key, Op::next()), refused(Code::NotRunning));
        assert_eq!(bench.go(key, Op::Start), Ok(Gave::Nothing));
        bench.host.free_lease(key);
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.status(key), "completed");
    });
}
