//! Random runs, one for each seed.
//!
//! `JOBWRIGHT_RUNS` says how many runs, `JOBWRIGHT_SEED` which one alone.

fn number_from(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number")))
}

/// Names the seed of the run that failed.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Run it again with JOBWRIGHT_SEED={}", self.0);
        }
    }
}

fn simulate_each(seeds: std::ops::Range<u64>, simulate: fn(u64)) {
    for seed in seeds {
        let _named = Named(seed);
        simulate(seed);
    }
}

/// Makes as many random runs as the environment says, or else this many.
pub fn on_each_seed(runs: u64, simulate: fn(u64)) {
    if let Some(seed) = number_from("JOBWRIGHT_SEED") {
        return simulate_each(seed..seed + 1, simulate);
    }
    let runs = number_from("JOBWRIGHT_RUNS").unwrap_or(runs);
    let other = std::thread::spawn(move || simulate_each(runs / 2..runs, simulate));
    simulate_each(0..runs / 2, simulate);
    other.join().unwrap();
}
