//! Which durations a histogram counts as one, so that its memory is bounded however many there are.

/// In microseconds, so that steps of a tenth of a millisecond can be told apart.
const UNITS_PER_MS: f64 = 1_000.0;

/// Durations that agree in so many bits, the first of which is a 1, are counted as one: within one in a hundred.
const BITS: u32 = 8;
/// How many such numbers there are.
const STEPS: usize = 1 << (BITS - 1);

/// The place at which a duration is counted, in milliseconds.
pub fn place_of(ms: f64) -> usize {
    let units = (ms * UNITS_PER_MS).round() as u64;
    let dropped = (u64::BITS - units.leading_zeros()).saturating_sub(BITS);
    STEPS * dropped as usize + (units >> dropped) as usize
}

/// The longest duration that has this place, in milliseconds.
pub fn longest_at(place: usize) -> f64 {
    let dropped = (place / STEPS).saturating_sub(1);
    let units = (((place - STEPS * dropped + 1) as u64) << dropped) - 1;
    units as f64 / UNITS_PER_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const THIRTY_DAYS: f64 = 30.0 * 24.0 * 60.0 * 60.0 * 1_000.0;

    #[test]
    fn every_place_has_its_durations() {
        let mut next = 0.0;
        for place in 0..=place_of(THIRTY_DAYS) {
            let longest = longest_at(place);
            assert_eq!((place_of(next), place_of(longest)), (place, place));
            next = longest + 1.0 / UNITS_PER_MS;
        }
    }

    #[test]
    fn a_month_has_few_places() {
        assert!((place_of(THIRTY_DAYS) + 1) * size_of::<u32>() <= 20_000);
    }

    proptest! {
        #[test]
        fn what_is_counted_as_one_is_within_one_in_a_hundred(ms in 0.0..THIRTY_DAYS) {
            let longest = longest_at(place_of(ms));
            prop_assert!(longest + 0.001 >= ms && longest - ms <= ms / 100.0 + 0.001, "{} is not {}", longest, ms);
        }
    }
}
