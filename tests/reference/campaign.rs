//! Very many random cases.
//!
//! `JOBWRIGHT_RUNS` says how many (50,000), `JOBWRIGHT_SEED` which one alone.

use std::ops::Range;

use crate::{
    generate::any_case,
    lockstep::{WORLDS, agree_in},
    random::Random,
    shrink::shrink,
};

fn try_each(seeds: Range<u64>) {
    for seed in seeds {
        let random = Random::new(seed);
        let (world, case) = (random.pick(&WORLDS), any_case(&random));
        if let Err(problem) = agree_in(world, &case) {
            eprintln!("JOBWRIGHT_SEED={seed}: {problem}\nIt is being made smaller ...");
            let small = shrink(case, |case| agree_in(world, case).is_err());
            let problem = agree_in(world, &small).expect_err("a case that fails");
            panic!("JOBWRIGHT_SEED={seed}\n{problem}\n{small}");
        }
    }
}

/// How many runs there are to be, where nothing else is asked for.
pub fn runs_by_default(count: u64) -> u64 {
    number_from("JOBWRIGHT_RUNS").unwrap_or(count)
}

fn number_from(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number; found {text}")))
}

#[test]
fn the_engine_decides_as_the_reference() {
    if let Some(seed) = number_from("JOBWRIGHT_SEED") {
        return try_each(seed..seed + 1);
    }
    let runs = runs_by_default(50_000);
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get() as u64);
    let others: Vec<_> = (1..threads)
        .map(|nth| std::thread::spawn(move || try_each(runs * nth / threads..runs * (nth + 1) / threads)))
        .collect();
    try_each(0..runs / threads);
    others.into_iter().for_each(|other| other.join().expect("agreement"));
}
