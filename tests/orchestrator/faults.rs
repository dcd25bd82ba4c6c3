//! A host whose n-th answer is an error, for every n: the error is passed on, nothing has changed,
//! and the next operation works.

use std::{cell::RefCell, rc::Rc};

use jobwright::{
    host::{
        JobKey,
        memory::{Fate, HostCall, MemoryHost, Reply},
    },
    orchestrator::Stop,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, FREE, Seen, WORLDS, World, steps},
    operation::{Op, Outcome},
};

/// An operation and what was done before it.
struct Scenario {
    name: &'static str,
    before: Vec<Op>,
    op: Op,
    plan: Value,
}

fn scenarios() -> Vec<Scenario> {
    let plan = || {
        json!([
            { "id": "one", "agent": "worker", "cost": 1 },
            { "id": "two", "agent": "worker", "retry": { "maxAttempts": 2, "backoffMs": 0 } },
        ])
    };
    let of = |name, before: &[Op], op| Scenario { name, before: before.to_vec(), op, plan: plan() };
    vec![
        of("start", &[], Op::Start),
        of("start again", &[Op::Start, Op::Pause], Op::Start),
        of("pause", &[Op::Start], Op::Pause),
        of("complete", &[Op::Start], Op::Complete),
        of("fail", &[Op::Start], Op::Fail),
        of("cancel", &[Op::Start], Op::Cancel),
        of("permissions", &[Op::Start], Op::permit(true)),
        of("approve", &[Op::permit(true), Op::Start, Op::next()], Op::approve()),
        of("reject", &[Op::permit(true), Op::Start, Op::next()], Op::reject()),
        of("ask", &[Op::permit(true), Op::Start], Op::next()),
        of("a step", &[Op::Start], Op::NextStep(Some(json!("given")))),
        of("the last step", &[Op::Start, Op::next()], Op::next()),
        of("a run", &[Op::Start], Op::Run(Some(json!("given")))),
        of("recover", &[Op::Start], Op::Recover),
    ]
}

/// An agent that fails the first attempt at `two`.
fn set_worker(host: &MemoryHost) {
    host.set_agent("worker", |call| match (call.step.as_str(), call.attempt) {
        ("two", 1) => Reply::failed("not yet"),
        _ => Reply::done(json!([call.step, call.input.clone()])),
    });
}

fn prepare(scenario: &Scenario, world: World) -> (Bench, JobKey) {
    let bench = Bench::new(world);
    set_worker(&bench.host);
    let key = bench.create("job", Some(scenario.plan.clone()), FREE);
    for op in &scenario.before {
        let _ = bench.go(key, op.clone());
    }
    (bench, key)
}

/// What was to be seen when the chosen call was made.
type AtFault = Rc<RefCell<Option<(HostCall, Seen)>>>;

/// The n-th call that can have this fate has it; the others go well.
fn fate_of_nth(bench: &Rc<Bench>, key: JobKey, n: usize, fate: Fate, which: fn(HostCall) -> bool) -> AtFault {
    let at_fault = AtFault::default();
    let (seen, weak) = (Rc::clone(&at_fault), Rc::downgrade(bench));
    let mut count = 0;
    bench.host.choose_fates(move |call| {
        if !which(call) {
            return Fate::Go;
        }
        count += 1;
        if count != n + 1 {
            return Fate::Go;
        }
        *seen.borrow_mut() = weak.upgrade().map(|bench| (call, bench.seen(key)));
        fate.clone()
    });
    at_fault
}

fn can_fail(call: HostCall) -> bool {
    !matches!(call, HostCall::Spent(_) | HostCall::Free(_) | HostCall::Run(_))
}

/// A job that has become running asks once more whether all were paused meanwhile. Its steps ask again, so that nobody
/// need hear of a failure.
fn is_spared(call: HostCall, outcome: &Outcome, scenario: &Scenario) -> bool {
    let becomes_running = matches!(scenario.op, Op::Start | Op::Approve(_));
    matches!(call, HostCall::AllPaused(_)) && becomes_running && outcome.is_ok()
}

/// What matters in the end: where the job stands, its context, and each step's status.
fn end_of(bench: &Bench, key: JobKey) -> Value {
    let job = bench.job(key);
    let steps = job["run"]["steps"].as_object().cloned().unwrap_or_default();
    let steps: Value = steps.into_iter().map(|(id, state)| (id, state["status"].clone())).collect();
    json!([job["status"], job["context"], steps, job["run"]["pause"], job["run"]["failure"]])
}

fn each_fault(mut test: impl FnMut(&Scenario, World, usize) -> bool) {
    for scenario in scenarios() {
        for world in WORLDS {
            let mut n = 0;
            while test(&scenario, world, n) {
                n += 1;
            }
            assert!(n > 1, "{}: {n} calls", scenario.name);
        }
    }
}

#[test]
fn whatever_call_fails_the_error_is_passed_on_and_the_next_operation_works() {
    each_fault(|scenario, world, n| {
        let (bench, key) = prepare(scenario, world);
        bench.go(key, scenario.op.clone()).ok();
        let good = end_of(&bench, key);

        let (bench, key) = prepare(scenario, world);
        let bench = Rc::new(bench);
        let fate = Fate::Fail("the host broke".to_owned());
        let at_fault = fate_of_nth(&bench, key, n, fate, can_fail);
        let outcome = bench.go(key, scenario.op.clone());
        let Some((call, seen)) = at_fault.take() else { return false };
        let name = scenario.name;
        if is_spared(call, &outcome, scenario) {
            return true;
        }
        assert_eq!(outcome, Err(Stop::Failed("the host broke".to_owned())), "{name} {n} {call:?}");
        if matches!(call, HostCall::Load(_) | HostCall::Commit(_)) {
            assert_eq!(bench.seen(key), seen, "{name} {n} {call:?}: nothing has changed");
        }
        assert_eq!((bench.host.held(), bench.host.timers()), (0, 0), "{name} {n} {call:?}");
        bench.host.be_reliable();
        let begun = bench.step(key, "one").get("startedAt").is_some();
        // What is given is for the first step, and stays with it.
        let again = if begun && scenario.name == "a run" { Op::run() } else { scenario.op.clone() };
        bench.go(key, again).ok();
        assert_eq!(end_of(&bench, key), good, "{name} {n} {call:?}: the next operation works");
        true
    });
}

/// The store wrote, and its answer got lost: the caller hears of the error, and what is stored counts.
#[test]
fn after_an_answer_that_got_lost_what_is_stored_counts() {
    each_fault(|scenario, world, n| {
        let (bench, key) = prepare(scenario, world);
        let bench = Rc::new(bench);
        let fate = Fate::DoneThenFail("the answer got lost".to_owned());
        let at_fault = fate_of_nth(&bench, key, n, fate, can_fail);
        let outcome = bench.go(key, scenario.op.clone());
        let Some((call, _)) = at_fault.take() else { return false };
        if call == HostCall::FindAgent(key) || is_spared(call, &outcome, scenario) {
            return true;
        }
        assert_eq!(outcome, Err(Stop::Failed("the answer got lost".to_owned())), "{}", scenario.name);
        bench.host.be_reliable();
        let _ = bench.go(key, Op::permit(false));
        let _ = bench.go(key, Op::Start);
        let _ = bench.go(key, Op::run());
        let status = bench.status(key);
        assert!(status == "completed" || status == "failed", "{} {n} {call:?}: {status}", scenario.name);
        crate::history::check(&bench.job(key));
        true
    });
}

/// Somebody else commits first: everything is decided again, and comes to the same.
#[test]
fn whatever_commit_conflicts_is_decided_again() {
    for times in [1, 3, 19] {
        each_fault(|scenario, world, n| {
            let (bench, key) = prepare(scenario, world);
            let good_outcome = bench.go(key, scenario.op.clone());
            let (good, calls) = (end_of(&bench, key), bench.called());

            let (bench, key) = prepare(scenario, world);
            let mut count = 0;
            let met = Rc::new(RefCell::new(0));
            let conflicts = Rc::clone(&met);
            bench.host.choose_fates(move |call| {
                if !matches!(call, HostCall::Commit(_)) {
                    return Fate::Go;
                }
                count += 1;
                if !(n + 1..n + 1 + times).contains(&count) {
                    return Fate::Go;
                }
                *conflicts.borrow_mut() += 1;
                Fate::Conflict
            });
            let outcome = bench.go(key, scenario.op.clone());
            if *met.borrow() == 0 {
                // An operation that commits nothing has nothing to be refused.
                return n == 0 || n == 1;
            }
            assert_eq!(shape(&outcome), shape(&good_outcome), "{} {n} {times}", scenario.name);
            assert_eq!((end_of(&bench, key), bench.called()), (good, calls), "{} {n} {times}", scenario.name);
            crate::history::check(&bench.job(key));
            true
        });
    }
}

/// An outcome without its times.
fn shape(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    if let Ok(crate::operation::Gave::Step(_, Some(report))) = &mut outcome {
        report.duration_ms = 0.0;
    }
    outcome
}

#[test]
fn too_many_conflicts_are_a_refusal_and_change_nothing() {
    use jobwright::core::outcome::Code;
    for scenario in scenarios().into_iter().filter(|scenario| scenario.name != "recover") {
        for world in WORLDS {
            let (bench, key) = prepare(&scenario, world);
            let before = bench.seen(key);
            bench.host.choose_fates(|_| Fate::Conflict);
            let words =
                crate::operation::refusal(Code::Conflict, "Job was changed elsewhere at the same time");
            assert_eq!(bench.go(key, scenario.op.clone()), words, "{}", scenario.name);
            assert_eq!((bench.seen(key), bench.host.held()), (before, 0), "{}", scenario.name);
        }
    }
}

/// Another process changes the job between an operation's load and its commit.
#[test]
fn what_was_decided_on_an_old_state_is_decided_on_the_new_one() {
    use jobwright::core::outcome::Code;
    for world in WORLDS {
        let bench = Bench::new(world);
        let key = bench.started(steps(&["one"]));
        let elsewhere = Bench::on(bench.host.clone(), World::Straight);
        let mut done = false;
        bench.host.choose_fates(move |call| {
            // The other one's own calls pass: nobody chooses while the choice is being made.
            if matches!(call, HostCall::Commit(_)) && !done {
                done = true;
                elsewhere.go(key, Op::Cancel).unwrap();
            }
            Fate::Go
        });
        let words = crate::operation::refusal(Code::InvalidTransition, "Only running jobs can be paused");
        assert_eq!(bench.go(key, Op::Pause), words);
        assert_eq!(bench.status(key), "failed");
        crate::history::check(&bench.job(key));
    }
}

/// In a long run another process may commit now and then, and more often than one commit bears.
#[test]
fn conflicts_of_a_long_run_are_not_added_up() {
    let ids: Vec<String> = (0..30).map(|n| format!("step {n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for world in WORLDS {
        let bench = Bench::new(world);
        let key = bench.started(steps(&ids));
        let mut odd = false;
        bench.host.choose_fates(move |call| {
            odd ^= matches!(call, HostCall::Commit(_));
            if odd { Fate::Conflict } else { Fate::Go }
        });
        bench.go(key, Op::run()).unwrap();
        assert_eq!(bench.status(key), "completed");
    }
}

/// Slow play delays a step once, whoever commits first.
#[test]
fn a_conflict_does_not_delay_a_step_again() {
    for world in WORLDS {
        let bench = Bench::new(world);
        let key = bench.started(steps(&["one"]));
        bench.engine.set_slow_play(100.0);
        let run = bench.begin(key, Op::run());
        let mut first = true;
        bench.host.choose_fates(move |call| {
            let conflict = matches!(call, HostCall::Commit(_)) && std::mem::take(&mut first);
            if conflict { Fate::Conflict } else { Fate::Go }
        });
        bench.pass(100.0);
        assert!(run.has_ended(), "it still waits for {:?} ms", bench.host.next_timer());
    }
}
