//! Parents that are followed until their children have ended, whatever goes wrong on the way.

use std::rc::Rc;

use jobwright::{
    core::{children::ChildStats, outcome::Code, status::JobStatus},
    host::{
        JobKey,
        memory::{Fate, HostCall},
    },
    orchestrator::{Cancellation, NewJob, ParentJob},
};
use serde_json::json;

use crate::{
    bench::{Bench, FREE, World, in_each_world},
    executor::Handle,
    operation::{Gave, Op, Outcome, engine_on},
    random::Random,
};

const HOUR: f64 = 3_600_000.0;

/// Monitors a job of the right type.
fn follow(bench: &Bench, key: JobKey, cancellation: &Cancellation) -> Handle<Outcome> {
    let parent =
        ParentJob { key, job_type: Some("parent".to_owned()), source_type: Some("crawl".to_owned()) };
    let cancellation = cancellation.clone();
    bench.begin_with(async move |engine| {
        engine.start_monitoring(parent, cancellation).await.map(|()| Gave::Nothing)
    })
}

/// A new child of a job; whether it could be stored is another question.
fn child(bench: &Bench, parent: JobKey, id: &str) -> JobKey {
    let key = bench.host.enter(id);
    let mut origin = bench.host.origin(key, json!({}), None);
    origin["parentId"] = bench.job(parent)["id"].clone();
    let new = NewJob {
        origin: Some(origin),
        permissions: FREE,
        plan: None,
        slow_play_ms: None,
        parent: Some(parent),
        id_was_given: true,
    };
    bench.begin_with(async move |engine| engine.create_job(key, new).await);
    key
}

fn stats(counts: [u32; 5]) -> ChildStats {
    let [pending, running, completed, failed, cancelled] = counts;
    ChildStats { pending, running, completed, failed, cancelled }
}

#[test]
fn a_parent_completes_with_its_children() {
    in_each_world(|bench| {
        let parent = bench.create("parent", None, FREE);
        let followed = follow(bench, parent, &Cancellation::default());
        let (one, two) = (child(bench, parent, "one"), child(bench, parent, "two"));
        assert_eq!(bench.status(parent), "running");
        bench.go(one, Op::Start).unwrap();
        bench.go(one, Op::Complete).unwrap();
        bench.go(two, Op::Cancel).unwrap();
        assert_eq!(followed.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.history(parent), ["job_started", "job_completed"]);
        let told = bench.host.progress();
        assert_eq!(told.last().map(|told| (told.parent, told.stats)), Some((parent, stats([0, 0, 1, 0, 1]))));
        let said = [JobStatus::Created, JobStatus::Created, JobStatus::Running, JobStatus::Completed];
        let said = said.into_iter().chain([JobStatus::Failed]);
        assert!(bench.host.child_statuses().into_iter().map(|(_, status)| status).eq(said));
    });
}

#[test]
fn a_parent_hears_what_another_orchestrator_does_below_it() {
    in_each_world(|bench| {
        let parent = bench.create("parent", None, FREE);
        let (one, two) = (child(bench, parent, "one"), child(bench, parent, "two"));
        let below = child(bench, one, "below");
        let followed = follow(bench, parent, &Cancellation::default());
        bench.engine.subscribe_to_child_status_changes();
        let other = engine_on(&bench.host);
        for op in [Op::Start, Op::Complete] {
            for key in [one, two, below] {
                assert_eq!(followed.take(), None);
                let (other, op) = (Rc::clone(&other), op.clone());
                assert_eq!(bench.now(async move |_| op.perform(other, key).await), Ok(Gave::Nothing));
            }
        }
        assert_eq!(followed.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.status(parent), "completed");
    });
}

#[test]
fn a_parent_is_cancelled_by_its_cancellation_and_its_children_are_not() {
    in_each_world(|bench| {
        let parent = bench.create("parent", None, FREE);
        let cancellation = Cancellation::default();
        let followed = follow(bench, parent, &cancellation);
        let one = child(bench, parent, "one");
        cancellation.cancel();
        bench.settle();
        assert_eq!(followed.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.job(parent)["run"]["failure"]["code"], "cancelled");
        assert_eq!(bench.status(one), "created");
    });
}

#[test]
fn closing_ends_the_monitor_and_not_the_parent() {
    in_each_world(|bench| {
        let parent = bench.create("parent", None, FREE);
        let followed = follow(bench, parent, &Cancellation::default());
        bench.engine.close();
        bench.settle();
        assert_eq!(followed.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.status(parent), "running");
        assert_eq!(bench.host.timers(), 0);
    });
}

#[test]
fn recover_leaves_a_parent_that_is_followed() {
    in_each_world(|bench| {
        let parent = bench.create("parent", None, FREE);
        let _followed = follow(bench, parent, &Cancellation::default());
        assert_eq!(bench.go(parent, Op::Recover), Ok(Gave::Resumed(Vec::new())));
    });
}

#[test]
fn a_job_of_another_type_fails() {
    in_each_world(|bench| {
        let key = bench.create("job", None, FREE);
        let job = ParentJob { key, job_type: None, source_type: None };
        bench.now(async move |engine| engine.start_monitoring(job, Cancellation::default()).await).unwrap();
        assert_eq!(bench.job(key)["run"]["failure"]["code"], Code::InvalidJob.name());
    });
}

/// What may go wrong with a call of the store.
fn fate(random: &Random, call: HostCall) -> Fate {
    match (random.below(20), call) {
        (0, _) => Fate::Fail("down".to_owned()),
        (1, HostCall::Commit(_)) => Fate::Conflict,
        (2, HostCall::Commit(_)) => Fate::DoneThenFail("lost".to_owned()),
        (3..=8, _) => Fate::Later(1 + random.below(3) as u32),
        _ => Fate::Go,
    }
}

/// Children are made and ended at random over a store that fails now and then, and processes die.
fn stormy(seed: u64) {
    let random = Random::new(seed);
    let mut bench = Bench::new(if seed.is_multiple_of(2) { World::Straight } else { World::Restored });
    let parent = bench.create("parent", None, FREE);
    let keeper = child(&bench, parent, "keeper");
    let (mut open, mut every) = (Vec::new(), vec![keeper]);
    let fates = Random::new(seed + 1_000_000);
    let storm = fates.clone();
    bench.host.choose_fates(move |call| fate(&storm, call));
    let _ = follow(&bench, parent, &Cancellation::default());
    for turn in 0..20 {
        match random.below(6) {
            0 | 1 => {
                // Its parent may be asked for while the store is down: then there is no such child.
                let key = child(&bench, parent, &format!("child {turn}"));
                open.push(key);
                every.push(key);
            }
            2 | 3 if !open.is_empty() => {
                let key = open.remove(random.below(open.len()));
                let ends = [Op::Fail, Op::Cancel, Op::Complete];
                let _ = bench.begin(key, Op::Start);
                let _ = bench.begin(key, ends[random.below(3)].clone());
            }
            4 => bench.pass(random.below(9_000) as f64),
            _ => {
                if random.below(3) == 0 {
                    bench = bench.crash();
                    let storm = fates.clone();
                    bench.host.choose_fates(move |call| fate(&storm, call));
                    let _ = follow(&bench, parent, &Cancellation::default());
                }
            }
        }
    }
    assert_eq!(bench.status(keeper), "created", "seed {seed}");
    assert!(["created", "running"].contains(&bench.status(parent).as_str()), "seed {seed}: it ended early");
    bench.host.be_reliable();
    every.retain(|&key| bench.host.job(key).is_some());
    for &key in &every {
        let _ = bench.begin(key, Op::Cancel);
    }
    bench.pass(10_000.0);
    assert_ne!(bench.status(parent), "running", "seed {seed}: {:?}", bench.job(parent));
    let ends = |name: &String| ["job_completed", "job_failed"].contains(&name.as_str());
    assert_eq!(bench.history(parent).iter().filter(|name| ends(name)).count(), 1, "seed {seed}");
    let mut counted = ChildStats::default();
    for key in every {
        let job = bench.job(key);
        match (job["status"].as_str(), job["run"]["failure"]["code"].as_str()) {
            (Some("completed"), _) => counted.completed += 1,
            (Some("failed"), Some("cancelled")) => counted.cancelled += 1,
            (Some("failed"), _) => counted.failed += 1,
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert_eq!(bench.host.progress().last().map(|told| told.stats), Some(counted), "seed {seed}");
}

#[test]
fn a_parent_wakes_and_ends_once_over_a_store_that_fails() {
    (0..1_500).for_each(stormy);
}

#[test]
fn a_parent_does_not_wait_for_ever() {
    in_each_world(|bench| {
        let parent = bench.create("parent", None, FREE);
        let followed = follow(bench, parent, &Cancellation::default());
        child(bench, parent, "one");
        bench.pass(HOUR);
        assert_eq!(followed.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.job(parent)["run"]["failure"]["code"], "timeout");
    });
}
