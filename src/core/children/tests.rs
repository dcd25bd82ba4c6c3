use super::*;

const STANDINGS: [Standing; 5] =
    [Standing::Pending, Standing::Running, Standing::Completed, Standing::Failed, Standing::Cancelled];

/// A small generator of our own: what varies is written down with the seed.
fn random(seed: &mut u64) -> impl FnMut(usize) -> usize + '_ {
    move |below| {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        (*seed % below as u64) as usize
    }
}

fn stats(counts: [u32; 5]) -> ChildStats {
    let [pending, running, completed, failed, cancelled] = counts;
    ChildStats { pending, running, completed, failed, cancelled }
}

#[test]
fn a_tally_is_what_counting_anew_gives() {
    for seed in 1..300u64 {
        let mut state = seed;
        let mut pick = random(&mut state);
        let mut tally = Tally::default();
        let mut children: Vec<(Standing, f64)> = Vec::new();
        let mut before = Progress::default();
        for _ in 0..80 {
            let place = pick(children.len() + 1);
            let to = STANDINGS[pick(5)];
            if let Some((known, weight)) = children.get_mut(place) {
                // What has ended stays as it is.
                if !known.has_ended() {
                    tally.change(ChildChange { from: Some(*known), to: Some(to), weight: *weight });
                    *known = to;
                }
            } else {
                let weight = [0.0, 0.1, 1.0, 2.5][pick(4)];
                tally.change(ChildChange { from: None, to: Some(to), weight });
                children.push((to, weight));
            }
            let count = |standing| children.iter().filter(|(it, _)| *it == standing).count() as u32;
            assert_eq!(tally.stats(), stats(STANDINGS.map(count)), "seed {seed}");
            let progress = tally.progress(false);
            let total: f64 = children.iter().map(|(_, weight)| weight).sum();
            assert!((progress.total - total).abs() < 1e-9, "seed {seed}: {progress:?}");
            assert!(progress.done <= progress.total, "seed {seed}: {progress:?}");
            assert!(progress.done >= before.done && progress.fraction >= before.fraction, "seed {seed}");
            before = progress;
        }
    }
}

#[test]
fn progress_is_weighted() {
    let mut tally = Tally::default();
    assert_eq!(tally.progress(false), Progress { done: 0.0, total: 0.0, fraction: None });
    let child = |to, weight| ChildChange { from: None, to: Some(to), weight };
    tally.change(child(Standing::Completed, 3.0));
    tally.change(child(Standing::Running, 1.0));
    assert_eq!(tally.progress(true), Progress { done: 3.0, total: 4.0, fraction: None });
    assert_eq!(tally.progress(false), Progress { done: 3.0, total: 4.0, fraction: Some(0.75) });
    tally.change(child(Standing::Pending, 4.0));
    assert_eq!(tally.progress(false), Progress { done: 3.0, total: 8.0, fraction: Some(0.75) });
}

#[test]
fn what_has_all_ended_is_done_to_the_last_digit() {
    let mut tally = Tally::default();
    let change = |from, to| ChildChange { from, to: Some(to), weight: 0.1 };
    (0..10).for_each(|_| tally.change(change(None, Standing::Running)));
    (0..10).for_each(|_| tally.change(change(Some(Standing::Running), Standing::Completed)));
    let progress = tally.progress(false);
    assert_eq!((progress.done, progress.fraction), (progress.total, Some(1.0)));
}

#[test]
fn children_taken_together() {
    for (counts, overall) in [
        ([0, 0, 0, 0, 0], OverallStatus::Running),
        ([1, 0, 5, 5, 5], OverallStatus::Running),
        ([0, 1, 5, 5, 5], OverallStatus::Running),
        ([0, 0, 5, 0, 0], OverallStatus::Completed),
        ([0, 0, 5, 0, 5], OverallStatus::Completed),
        ([0, 0, 5, 1, 5], OverallStatus::Failed),
        ([0, 0, 0, 1, 5], OverallStatus::Failed),
        ([0, 0, 0, 0, 5], OverallStatus::Cancelled),
    ] {
        assert_eq!(stats(counts).overall_status(), overall, "{counts:?}");
    }
    let text = stats([0, 1, 2, 3, 4]).progress_text();
    assert_eq!(text, "0 pending, 1 running, 2 completed, 3 failed, 4 cancelled");
}

#[test]
fn when_a_parent_ends() {
    let patience = Patience { timeout_ms: 100.0, no_children_ms: 10.0, max_failed: 1 };
    let end = |counts, open, waited| patience.end_of(&stats(counts), open, waited);
    let badly = |code, message| Some(Ending::Badly(failure(code, message)));
    let timed_out = || badly(Code::Timeout, "Timed out waiting for child jobs to complete");
    assert_eq!(end([0, 0, 0, 0, 0], false, 9.0), None);
    assert_eq!(end([0, 0, 0, 0, 0], false, 10.0), Some(Ending::Well));
    assert_eq!(end([0, 1, 9, 9, 9], false, 99.0), None);
    assert_eq!(end([0, 1, 9, 9, 9], false, 100.0), timed_out());
    assert_eq!(end([0, 0, 9, 1, 0], false, 100.0), Some(Ending::Well));
    assert_eq!(end([0, 0, 9, 1, 0], true, 99.0), None);
    assert_eq!(end([0, 0, 9, 1, 0], true, 100.0), timed_out());
    assert_eq!(end([0, 0, 9, 2, 1], false, 0.0), badly(Code::AgentFailed, "2 of 12 child jobs failed"));
    assert_eq!(end([0, 0, 0, 0, 9], false, 0.0), Some(Ending::cancelled()));
    assert_eq!(end([0, 0, 0, 1, 9], false, 0.0), Some(Ending::Well));
}

#[test]
fn what_can_be_monitored() {
    let message =
        |job_type, source| not_a_parent(job_type, source).map(|why| (why.code, why.message.into_string()));
    let refused = |text: &str| Some((Code::InvalidJob, format!("Job can't be monitored: {text}")));
    assert_eq!(message(Some("parent"), Some("crawl")), None);
    assert_eq!(message(Some("parent"), Some("")), refused("its config has no source_type"));
    assert_eq!(message(Some("parent"), None), refused("its config has no source_type"));
    assert_eq!(message(Some("child"), Some("crawl")), refused("its type is \"child\", not \"parent\""));
    assert_eq!(message(None, Some("crawl")), refused("it has no type, which must be \"parent\""));
}
